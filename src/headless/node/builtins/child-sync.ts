// spawnSync, execFileSync and execSync: the process sleeps until the child has ended. That takes memory shared with the
// kernel, which a page has only when it is isolated (COOP and COEP); elsewhere they say so.
import { invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import type { SyncOutput } from "../../protocol.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { execArguments, execFileArguments } from "./child-exec.ts";
import { checkMaxBuffer, checkTimeout, commandOf, type Command, errnoOf, isMinded, killSignalOf, refusal, requestOf, spawnError, stdioOf, type Stdio } from "./child-options.ts";
import { startWrapped } from "./child-wrapped.ts";

const MAX_BUFFER_BYTES = 1024 * 1024;

interface SyncResult extends Dict {
  error?: Error & Dict;
  status: number | null;
  signal: string | null;
  output: (unknown)[] | null;
  pid: number;
  stdout: unknown;
  stderr: unknown;
}

export function createSyncChildren(runtime: Runtime): Dict {
  const inputOf = (command: Command, kind: Stdio | undefined): Uint8Array => {
    const { input } = command.options;
    if (input && typeof input !== "string" && !ArrayBuffer.isView(input)) throw invalidArgType("options.stdio[0]", ["Buffer", "TypedArray", "DataView", "string"], input);
    if (ArrayBuffer.isView(input)) return Uint8Array.from(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
    if (input) return Uint8Array.from(toBytes(input));
    if (typeof kind === "object" && "fd" in kind && kind.fd > 2) return Uint8Array.from((runtime.builtin("fs")["readFileSync"] as (fd: number) => Uint8Array)(kind.fd));
    return new Uint8Array();
  };
  const outputOf = (kind: Stdio | undefined): SyncOutput => (kind === "inherit" ? "inherit" : kind === "ignore" || kind === "ipc" ? "ignore" : "keep");

  const failedStart = (command: Command, code: string, message: string): SyncResult => ({ error: spawnError("spawnSync", command, code, message), status: null, signal: null, output: null, pid: 0, stdout: null, stderr: null });

  const run = (name: string, command: Command, inheritStderr = false): SyncResult => {
    const { options } = command;
    checkTimeout(options);
    checkMaxBuffer(options);
    const killSignal = killSignalOf(options) ?? "SIGTERM";
    const kinds = stdioOf(options.stdio);
    const input = inputOf(command, kinds[0]);
    const refused = refusal(runtime, command, kinds);
    if (refused) return failedStart(command, refused, "");
    const { spawnSync } = runtime.host;
    if (!spawnSync) {
      throw Object.assign(new Error(`child_process.${name} is not available: this page is not cross-origin isolated (COOP and COEP headers), and only then can a process wait for another without returning to its event loop; use ${name.replace("Sync", "")} instead (ENOSYS)`), { code: "ENOSYS", errno: -38, syscall: name });
    }
    const result = startWrapped(runtime, command, (started) => spawnSync({
      request: requestOf(runtime, started, kinds), input, stdout: outputOf(kinds[1]), stderr: outputOf(kinds[2]),
      timeoutMs: options.timeout || null, killSignal: isMinded(killSignal) ? killSignal : "SIGTERM", maxBytes: Math.min(options.maxBuffer ?? MAX_BUFFER_BYTES, Number.MAX_SAFE_INTEGER),
    }));
    // A file of this process's that the child was to write to.
    const toFile = (kind: Stdio | undefined, bytes: Uint8Array): boolean => {
      if (typeof kind !== "object") return false;
      if (bytes.length === 0) return true;
      if ("stream" in kind) kind.stream.write(Buffer.from(bytes));
      else if (kind.fd === 1 || kind.fd === 2) runtime.host.write(kind.fd, bytes);
      else (runtime.builtin("fs")["writeSync"] as AnyFunction)(kind.fd, bytes);
      return true;
    };
    const read = (kind: Stdio | undefined, bytes: Uint8Array): unknown => {
      if (toFile(kind, bytes) || kind !== "pipe") return null;
      const buffer = Buffer.from(bytes);
      return options.encoding && options.encoding !== "buffer" ? buffer.toString(options.encoding) : buffer;
    };
    const failed = result.error;
    if (failed && result.pid === 0) return failedStart(command, failed.code, failed.message);
    const stdout = read(kinds[1], result.stdout);
    const stderr = read(kinds[2], result.stderr);
    const others = kinds.slice(3).map((kind, at) => read(kind === "inherit" ? { fd: at + 3 } : kind, result.others.find(([fd]) => fd === at + 3)?.[1] ?? new Uint8Array()));
    const whole: SyncResult = { status: result.code, signal: result.signal, output: [null, stdout, stderr, ...others], pid: result.pid, stdout, stderr };
    if (inheritStderr && result.stderr.length > 0) runtime.host.write(2, result.stderr);
    if (!failed) return whole;
    const error = Object.assign(spawnError("spawnSync", command, failed.code, ""), { errno: errnoOf(failed.code) });
    return { error, ...whole };
  };

  /** Throws when the child failed, as the exec family does. */
  const checked = (result: SyncResult, shown: string): unknown => {
    if (result.error) throw Object.assign(result.error, result);
    if (result.status === 0) return result.stdout;
    const { stderr } = result as { stderr: string | Uint8Array | null };
    throw Object.assign(new Error(`Command failed: ${shown}${stderr && stderr.length > 0 ? `\n${String(stderr)}` : ""}`), result);
  };

  const spawnSync = (file: unknown, second?: unknown, third?: unknown): SyncResult => run("spawnSync", commandOf(runtime, file, second, third));
  const execFileSync = (...given: [unknown]): unknown => {
    const { file, args, options } = execFileArguments(...given);
    const command = commandOf(runtime, file, args, options);
    return checked(run("execFileSync", command, !options.stdio), [options.argv0 || file, ...args].join(" "));
  };
  const execSync = (text: unknown, given?: unknown): unknown => {
    const { options } = execArguments(text, given);
    return checked(run("execSync", commandOf(runtime, text, options, undefined), !options.stdio), text as string);
  };
  return { spawnSync, execFileSync, execSync };
}
