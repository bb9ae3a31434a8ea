// node:fs/promises: the promise form of every operation, and FileHandle.
import { abortError, invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { EventEmitter } from "./events.ts";
import { optionsOf } from "./fs-arguments.ts";
import type { Operation } from "./fs-operations.ts";
import type { Later } from "./fs-pending.ts";

const NOT_PROMISED = new Set(["exists", "open", "close", "read", "write", "readv", "writev", "fstat", "ftruncate", "fsync", "fdatasync", "fchmod", "fchown", "futimes", "realpathNative", "openAsBlob"]);
const WRITE_CHUNK_BYTES = 512 * 1024;

export function createFsPromises(runtime: Runtime, later: Later, operations: Readonly<Record<string, Operation>>, fs: Dict, constants: Dict): Dict {
  const of = (name: string, ...args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      later(name, (operations[name] as Operation)(...args), (error, value) => (error === null ? resolve(value) : reject(error as Error)));
    });
  const signalOf = (options: unknown): AbortSignal | undefined => optionsOf(options)["signal"] as AbortSignal | undefined;

  class FileHandle extends (EventEmitter as unknown as new () => Emitter) {
    #fd: number;
    #closing: Promise<unknown> | undefined;

    constructor(fd: number) {
      super();
      this.#fd = fd;
    }

    get fd(): number {
      return this.#fd;
    }

    getAsyncId(): number {
      return 0;
    }

    #do(syscall: string, name: string, ...args: unknown[]): Promise<unknown> {
      if (this.#fd === -1) return Promise.reject(Object.assign(new Error("file closed"), { code: "EBADF", syscall }));
      return of(name, this.#fd, ...args);
    }

    appendFile(data: unknown, options?: unknown): Promise<unknown> {
      return this.writeFile(data, options);
    }

    chmod(mode: unknown): Promise<unknown> {
      return this.#do("fchmod", "fchmod", mode);
    }

    chown(uid: unknown, gid: unknown): Promise<unknown> {
      return this.#do("fchown", "fchown", uid, gid);
    }

    datasync(): Promise<unknown> {
      return this.#do("fdatasync", "fdatasync");
    }

    sync(): Promise<unknown> {
      return this.#do("fsync", "fsync");
    }

    async read(buffer?: unknown, ...rest: unknown[]): Promise<Dict> {
      const isView = ArrayBuffer.isView(buffer);
      const options = isView ? undefined : ((buffer ?? {}) as Dict);
      const target = isView ? buffer : ((options?.["buffer"] as Uint8Array | undefined) ?? Buffer.alloc(16384));
      const args = options ? [{ offset: options["offset"], length: options["length"], position: options["position"] ?? null }] : rest;
      return { __proto__: null, bytesRead: await this.#do("read", "read", target, ...args), buffer: target };
    }

    async readv(buffers: unknown, position?: unknown): Promise<Dict> {
      return { __proto__: null, bytesRead: await this.#do("readv", "readv", buffers, position), buffers };
    }

    async readFile(options?: unknown): Promise<unknown> {
      const signal = signalOf(options);
      if (signal?.aborted) throw abortError(signal);
      return this.#do("read", "readFile", options);
    }

    readLines(options?: Dict): unknown {
      const { createInterface } = runtime.builtin("readline") as { createInterface: AnyFunction };
      return createInterface({ input: this.createReadStream(options), crlfDelay: Number.POSITIVE_INFINITY });
    }

    stat(options?: unknown): Promise<unknown> {
      return this.#do("fstat", "fstat", options);
    }

    truncate(length?: unknown): Promise<unknown> {
      return this.#do("ftruncate", "ftruncate", length);
    }

    utimes(atime: unknown, mtime: unknown): Promise<unknown> {
      return this.#do("futimes", "futimes", atime, mtime);
    }

    async write(data: unknown, ...rest: unknown[]): Promise<Dict> {
      if (ArrayBuffer.isView(data) && data.byteLength === 0) return { __proto__: null, bytesWritten: 0, buffer: data };
      return { __proto__: null, bytesWritten: await this.#do("write", "write", data, ...rest), buffer: data };
    }

    async writev(buffers: unknown, position?: unknown): Promise<Dict> {
      return { __proto__: null, bytesWritten: await this.#do("writev", "writev", buffers, position), buffers };
    }

    async writeFile(data: unknown, options?: unknown): Promise<unknown> {
      if (this.#fd === -1) throw Object.assign(new Error("file closed"), { code: "EBADF", syscall: "write" });
      return writeAll(this.#fd, data, options);
    }

    readableWebStream(): ReadableStream {
      return new ReadableStream({
        pull: async (controller) => {
          const { bytesRead, buffer } = await this.read(Buffer.alloc(16384)) as { bytesRead: number; buffer: Uint8Array };
          if (bytesRead === 0) {
            controller.close();
            await this.close();
          } else controller.enqueue(buffer.subarray(0, bytesRead));
        },
      });
    }

    createReadStream(options?: Dict): unknown {
      return (fs["createReadStream"] as AnyFunction)("", { highWaterMark: 64 * 1024, ...options, fd: this });
    }

    createWriteStream(options?: Dict): unknown {
      return (fs["createWriteStream"] as AnyFunction)("", { ...options, fd: this });
    }

    close(): Promise<unknown> {
      if (this.#fd === -1 && !this.#closing) return Promise.resolve();
      if (this.#closing) return this.#closing;
      const fd = this.#fd;
      this.#fd = -1;
      this.emit("close");
      this.#closing = of("close", fd).finally(() => (this.#closing = undefined));
      return this.#closing;
    }
  }
  const { asyncDispose } = Symbol as unknown as { asyncDispose?: symbol };
  if (asyncDispose) Object.defineProperty(FileHandle.prototype, asyncDispose, { value: FileHandle.prototype.close, configurable: true, writable: true });

  /** Text or bytes at once; anything that can be iterated piece by piece. */
  const writeAll = async (target: unknown, data: unknown, options: unknown): Promise<unknown> => {
    const signal = signalOf(options);
    const check = (): void => {
      if (signal?.aborted) throw abortError(signal);
    };
    check();
    const iterable = data as AsyncIterable<unknown> | Iterable<unknown> | null;
    const isStream = typeof data === "object" && iterable !== null && !ArrayBuffer.isView(data) && (Symbol.asyncIterator in iterable || Symbol.iterator in iterable);
    if (!isStream) {
      const written = of("writeFile", target, data, options);
      // A signal given while a long write is on its way: Node looks between its pieces.
      if (signal && ArrayBuffer.isView(data) && data.byteLength > WRITE_CHUNK_BYTES) await Promise.resolve().then(check);
      return written;
    }
    const fd = typeof target === "number" ? target : ((await of("open", target, optionsOf(options)["flag"] ?? "w", optionsOf(options)["mode"] ?? 0o666)) as number);
    try {
      for await (const chunk of iterable) {
        check();
        await of("writeFile", fd, chunk, optionsOf(options)["encoding"]);
      }
    } finally {
      if (fd !== target) await of("close", fd);
    }
    return undefined;
  };

  const promises: Dict = {};
  for (const name of Object.keys(operations)) {
    if (!NOT_PROMISED.has(name)) promises[name] = { [name]: async (...args: unknown[]) => of(name, ...args) }[name];
  }
  const given = (target: unknown): unknown => (target instanceof FileHandle ? target.fd : target);
  Object.assign(promises, {
    open: async (path: unknown, flags?: unknown, mode?: unknown) => new FileHandle((await of("open", path, flags ?? "r", mode ?? 0o666)) as number),
    readFile: async (path: unknown, options?: unknown) => {
      const signal = signalOf(options);
      if (signal?.aborted) throw abortError(signal);
      const contents = of("readFile", given(path), options);
      if (!signal) return contents;
      return Promise.race([contents, new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(abortError(signal)), { once: true }))]);
    },
    writeFile: async (path: unknown, data: unknown, options?: unknown) => writeAll(given(path), data, options),
    appendFile: async (path: unknown, data: unknown, options?: unknown) => of("appendFile", given(path), data, options),
    truncate: async (path: unknown, length?: unknown) => of("truncate", given(path), length),
    realpath: async (path: unknown, options?: unknown) => of("realpathNative", path, options),
    opendir: async (path: unknown, options?: unknown) => {
      try {
        return await of("opendir", path, options);
      } catch (error) {
        // Only the promise form names the path here.
        const failure = error as Error & { path?: string };
        if ("syscall" in failure && failure.path === undefined) Object.assign(failure, { path: String(path), message: `${failure.message} '${String(path)}'` });
        throw failure;
      }
    },
    cp: async (from: unknown, to: unknown, options?: Dict) => {
      const { filter } = options ?? {};
      if (typeof filter !== "function") return of("cp", from, to, options);
      return copyFiltered(promises, String(from), String(to), options as Dict, filter as AnyFunction);
    },
    lchmod: async () => {
      throw Object.assign(new Error("The lchmod() method is not implemented"), { code: "ERR_METHOD_NOT_IMPLEMENTED" });
    },
    watch: (path: unknown, options?: unknown) => {
      if (typeof path !== "string" && !(path instanceof Uint8Array) && !(path instanceof URL)) throw invalidArgType("filename", ["string", "Buffer", "URL"], path);
      return (fs["watchIterator"] as AnyFunction)(path, options);
    },
    constants,
  });
  Reflect.deleteProperty(fs, "watchIterator");
  return promises;
}

/** `cp` with a filter that may answer later: each level asks before it is copied. */
async function copyFiltered(promises: Dict, from: string, to: string, options: Dict, filter: AnyFunction): Promise<void> {
  const call = (name: string, ...args: unknown[]): Promise<unknown> => (promises[name] as (...args: unknown[]) => Promise<unknown>)(...args);
  if (!(await filter(from, to))) return;
  const stat = (await call(options["dereference"] === true ? "stat" : "lstat", from)) as { isDirectory(): boolean; mode: number };
  const { filter: _filter, ...rest } = options;
  if (!stat.isDirectory() || options["recursive"] !== true) return void (await call("cp", from, to, rest));
  await call("mkdir", to, { recursive: true, mode: stat.mode & 0o7777 });
  for (const name of (await call("readdir", from)) as string[]) await copyFiltered(promises, `${from}/${name}`, `${to}/${name}`, options, filter);
}
