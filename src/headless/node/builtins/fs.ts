// node:fs and node:fs/promises: the callback and promise forms of every synchronous operation, streams and watching.
import { checkFunction, invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { Descriptors } from "./fs-descriptors.ts";
import { Dirent, Stats, toPath } from "./fs-stats.ts";
import { createFileStreams } from "./fs-streams.ts";
import { type SyncOperations, createFsSync, optionsOf } from "./fs-sync.ts";
import { createWatch } from "./fs-watch.ts";

const constants: Dict = {
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4,
  O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_TRUNC: 0o1000, O_APPEND: 0o2000, O_DIRECTORY: 0o200000, O_SYNC: 0o4010000,
  S_IFMT: 0o170000, S_IFREG: 0o100000, S_IFDIR: 0o040000, S_IFLNK: 0o120000, S_IFCHR: 0o020000, S_IFIFO: 0o010000, S_IFSOCK: 0o140000,
  S_IRWXU: 0o700, S_IRUSR: 0o400, S_IWUSR: 0o200, S_IXUSR: 0o100, S_IRWXG: 0o070, S_IRWXO: 0o007, UV_FS_COPYFILE_EXCL: 1,
};

/** Results that the callback form gives as two values. */
const BUFFER_RESULTS: Readonly<Record<string, string>> = { read: "bytesRead", write: "bytesWritten", readv: "bytesRead", writev: "bytesWritten" };

export function createFs(runtime: Runtime): Dict {
  const { loop } = runtime;
  const descriptors = new Descriptors(runtime);
  const sync = createFsSync(runtime, descriptors);
  const fs: Dict = { ...sync, constants, ...constants, Stats, Dirent };

  for (const [syncName, operation] of Object.entries(sync)) {
    const name = syncName.slice(0, -"Sync".length);
    if (name === "exists") continue;
    const callbackForm = (...args: unknown[]): void => {
      const done = args.pop();
      checkFunction(done, "cb");
      loop.post(() => settle(operation, args, (error, value) => {
        if (error) (done as AnyFunction)(error);
        else if (name in BUFFER_RESULTS) (done as AnyFunction)(null, value, args[1]);
        else if (value === undefined) (done as AnyFunction)(null);
        else (done as AnyFunction)(null, value);
      }));
    };
    if (name in BUFFER_RESULTS) Object.defineProperty(callbackForm, Symbol.for("nodejs.util.promisify.customArgs"), { value: [BUFFER_RESULTS[name], "buffer"] });
    fs[name] = Object.defineProperty(callbackForm, "name", { value: name });
  }
  (fs["realpath"] as unknown as Dict)["native"] = fs["realpath"];
  const exists = (path: unknown, done: unknown): void => {
    checkFunction(done, "cb");
    loop.post(() => void (done as AnyFunction)((sync["existsSync"] as AnyFunction)(path)));
  };
  Object.defineProperty(exists, Symbol.for("nodejs.util.promisify.custom"), { value: (path: unknown) => Promise.resolve((sync["existsSync"] as AnyFunction)(path)) });
  fs["exists"] = exists;
  Object.assign(fs, createFileStreams(runtime, fs), createWatch(runtime, sync));
  fs["promises"] = createFsPromises(runtime, sync, fs);
  return fs;
}

function settle(operation: AnyFunction, args: readonly unknown[], done: (error: unknown, value?: unknown) => void): void {
  let value: unknown;
  try {
    value = operation(...args);
  } catch (error) {
    done(error);
    return;
  }
  done(null, value);
}

const NOT_PROMISED = new Set(["exists", "open", "close", "read", "write", "readv", "writev", "fstat", "ftruncate", "fsync", "fdatasync", "fchmod", "fchown", "futimes"]);

function createFsPromises(runtime: Runtime, sync: SyncOperations, fs: Dict): Dict {
  const later = (operation: AnyFunction, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      runtime.loop.post(() => settle(operation, args, (error, value) => (error ? reject(error as Error) : resolve(value))));
    });
  const of = (name: string) => (...args: unknown[]): Promise<unknown> => later(sync[`${name}Sync`] as AnyFunction, args);
  const promises: Dict = { constants };
  for (const syncName of Object.keys(sync)) {
    const name = syncName.slice(0, -"Sync".length);
    if (NOT_PROMISED.has(name)) continue;
    promises[name] = Object.defineProperty((...args: unknown[]) => {
      if (args[0] instanceof FileHandle) args[0] = args[0].fd;
      return of(name)(...args);
    }, "name", { value: name });
  }

  class FileHandle {
    readonly fd: number;

    constructor(fd: number) {
      this.fd = fd;
    }

    async read(buffer?: unknown, ...rest: unknown[]): Promise<Dict> {
      const given = buffer instanceof Uint8Array ? buffer : ((buffer as Dict | undefined)?.["buffer"] as Uint8Array | undefined) ?? Buffer.alloc(16384);
      const args = buffer instanceof Uint8Array ? rest : [buffer];
      return { bytesRead: await later(sync["readSync"] as AnyFunction, [this.fd, given, ...args]), buffer: given };
    }

    async write(data: unknown, ...rest: unknown[]): Promise<Dict> {
      return { bytesWritten: await later(sync["writeSync"] as AnyFunction, [this.fd, data, ...rest]), buffer: data };
    }

    readFile(options?: unknown): Promise<unknown> {
      return later(sync["readFileSync"] as AnyFunction, [this.fd, options]);
    }

    writeFile(data: unknown, options?: unknown): Promise<unknown> {
      return later(sync["writeFileSync"] as AnyFunction, [this.fd, data, options]);
    }

    appendFile(data: unknown, options?: unknown): Promise<unknown> {
      return this.writeFile(data, options);
    }

    stat(): Promise<unknown> {
      return later(sync["fstatSync"] as AnyFunction, [this.fd]);
    }

    truncate(length?: number): Promise<unknown> {
      return later(sync["ftruncateSync"] as AnyFunction, [this.fd, length ?? 0]);
    }

    sync(): Promise<void> {
      return Promise.resolve();
    }

    datasync(): Promise<void> {
      return Promise.resolve();
    }

    async *readLines(): AsyncGenerator<string> {
      const text = String(await this.readFile("utf8"));
      const lines = text.split(/\r?\n/);
      if (lines.at(-1) === "") lines.pop();
      yield* lines;
    }

    createReadStream(options?: Dict): unknown {
      return (fs["createReadStream"] as AnyFunction)("", { ...options, fd: this.fd });
    }

    createWriteStream(options?: Dict): unknown {
      return (fs["createWriteStream"] as AnyFunction)("", { ...options, fd: this.fd });
    }

    close(): Promise<unknown> {
      return later(sync["closeSync"] as AnyFunction, [this.fd]);
    }
  }
  const { asyncDispose } = Symbol as unknown as { asyncDispose?: symbol };
  if (asyncDispose) Object.defineProperty(FileHandle.prototype, asyncDispose, { value: FileHandle.prototype.close, configurable: true, writable: true });
  promises["open"] = async (path: unknown, flags: unknown = "r", mode?: unknown) => new FileHandle((await later(sync["openSync"] as AnyFunction, [path, flags, mode])) as number);
  const readFile = of("readFile");
  promises["readFile"] = async (path: unknown, options?: unknown) => {
    const signal = optionsOf(options)["signal"] as AbortSignal | undefined;
    signal?.throwIfAborted();
    return readFile(path instanceof FileHandle ? path.fd : path, options);
  };
  const writeFile = of("writeFile");
  promises["writeFile"] = async (path: unknown, data: unknown, options?: unknown) => {
    const target = path instanceof FileHandle ? path.fd : path;
    const iterable = data as AsyncIterable<unknown> | null;
    const isStream = typeof data === "object" && iterable !== null && !ArrayBuffer.isView(data) && (Symbol.asyncIterator in iterable || Symbol.iterator in iterable);
    if (!isStream) return writeFile(target, data, options);
    await writeFile(target, "", options);
    for await (const chunk of iterable) await of("appendFile")(target, chunk, options);
    return undefined;
  };
  promises["watch"] = (path: unknown, options?: unknown) => {
    if (typeof path !== "string") throw invalidArgType("filename", "string", path);
    return (fs["watchIterator"] as AnyFunction)(toPath(runtime, path), options);
  };
  Reflect.deleteProperty(fs, "watchIterator");
  return promises;
}
