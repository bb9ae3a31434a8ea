// node:fs: the synchronous and the callback form of every operation, streams and watching; fs/promises beside it.
import { invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import facts from "./facts.json" with { type: "json" };
import { optionsOf, readTime, takeCallback } from "./fs-arguments.ts";
import { Descriptors, withBuffer } from "./fs-descriptors.ts";
import { Dir } from "./fs-dir.ts";
import { type Operation, createOperations } from "./fs-operations.ts";
import { createLater, finishPending, waiting } from "./fs-pending.ts";
import { createFsPromises } from "./fs-promises.ts";
import { Dirent, Stats } from "./fs-stats.ts";
import { createFileStreams } from "./fs-streams.ts";
import { createWatch } from "./fs-watch.ts";

/** Results that the callback form gives with the buffer they are about. */
const WITH_BUFFER: Readonly<Record<string, readonly [string, string]>> = { read: ["bytesRead", "buffer"], write: ["bytesWritten", "buffer"], readv: ["bytesRead", "buffers"], writev: ["bytesWritten", "buffers"] };
const CHECKED_FIRST = new Set(["access", "close", "copyFile", "open", "read", "write", "readv", "writev", "truncate", "ftruncate", "fsync", "fdatasync", "chmod", "fchmod", "fchown", "fstat", "futimes"]);
/** The name of the last argument in errors, where it is not "cb". */
const CALLBACK_NAMES: Readonly<Record<string, string>> = { opendir: "callback" };
const CUSTOM = Symbol.for("nodejs.util.promisify.custom");
const CUSTOM_ARGS = Symbol.for("nodejs.util.promisify.customArgs");

export function createFs(runtime: Runtime): Dict {
  const { loop } = runtime;
  const later = createLater(runtime);
  runtime.vfs.enforcesModes = true;
  const descriptors = new Descriptors(runtime);
  const operations = createOperations(runtime, descriptors);
  const constants: Dict = Object.assign(Object.create(null) as Dict, facts.fs);
  const fs: Dict = {};

  const callbackForm = (name: string, operation: Operation): AnyFunction => (...given) => {
    const args = name === "read" && typeof given.at(-1) === "function" ? withBuffer(given) : given;
    if (name === "close" && args.length === 1) args.push(failLoudly);
    // What is wrong with the arguments is said before what is wrong with the callback.
    if (CHECKED_FIRST.has(name) && typeof args.at(-1) !== "function") void operation(...args);
    const done = takeCallback(args, CALLBACK_NAMES[name]);
    const run = operation(...args);
    const signal = name === "readFile" || name === "writeFile" ? (optionsOf(args.at(-1) instanceof Uint8Array ? undefined : objectOf(args.at(-1)))["signal"] as AbortSignal | undefined) : undefined;
    later(name, signal ? waiting(run.input, run.waits, () => (signal.aborted ? stop(signal) : run())) : run, (error, value) => {
      if (error !== null) done(error);
      else if (name in WITH_BUFFER) done(null, value, args[1]);
      else if (value === undefined) done(null);
      else done(null, value);
    });
  };
  const define = (name: string, value: unknown): void => {
    fs[name] = typeof value === "function" ? Object.defineProperty(value, "name", { value: name, configurable: true }) : value;
  };
  for (const [name, operation] of Object.entries(operations)) {
    if (name === "realpathNative" || name === "openAsBlob" || name === "exists") continue;
    define(name, callbackForm(name, operation));
    const names = WITH_BUFFER[name];
    if (names) Object.defineProperty(fs[name], CUSTOM_ARGS, { value: names });
    define(`${name}Sync`, (...args: unknown[]) => {
      const work = operation(...args);
      if (work.fd !== undefined) finishPending(runtime, work.fd);
      return work();
    });
  }
  const native = operations["realpathNative"] as Operation;
  Object.assign(fs["realpath"] as AnyFunction, { native: callbackForm("realpathNative", native) });
  Object.assign(fs["realpathSync"] as AnyFunction, { native: (...args: unknown[]) => native(...args)() });
  const exists = operations["exists"] as Operation;
  define("existsSync", (path: unknown) => exists(path)());
  define("exists", (path: unknown, done: unknown) => {
    if (typeof done !== "function") throw invalidArgType("cb", "function", done);
    const run = exists(path);
    loop.post(() => void (done as AnyFunction)(run()));
  });
  Object.defineProperty(fs["exists"], CUSTOM, { value: { exists: (path: unknown) => Promise.resolve(exists(path)()) }.exists });
  define("openAsBlob", (...args: unknown[]) => Promise.resolve((operations["openAsBlob"] as Operation)(...args)()));
  // Not on Linux, but there.
  fs["lchmod"] = fs["lchmodSync"] = undefined;
  Object.assign(fs, createFileStreams(runtime, fs), createWatch(runtime), { Dirent, Stats, Dir, _toUnixTimestamp: (time: unknown) => readTime(time) / 1000 });
  for (const name of ["F_OK", "R_OK", "W_OK", "X_OK"]) fs[name] = constants[name];
  fs["constants"] = constants;
  const promises = createFsPromises(runtime, later, operations, fs, constants, descriptors);
  Object.defineProperty(fs, "promises", { value: promises, configurable: true, enumerable: true });
  const { readFileSync } = fs;
  runtime.replacedRead = () => (fs["readFileSync"] === readFileSync ? undefined : (fs["readFileSync"] as AnyFunction));
  return fs;
}

function stop(signal: AbortSignal): never {
  throw Object.assign(new Error("The operation was aborted", { cause: signal.reason }), { code: "ABORT_ERR", name: "AbortError" });
}

const objectOf = (value: unknown): unknown => (typeof value === "object" ? value : undefined);

/** `close(fd)` without a callback. */
function failLoudly(error: unknown): void {
  if (error !== null) throw error;
}
