// node:fs/promises: the promise form of every operation, and FileHandle.
import { FsError } from "../../fs-error.ts";
import { abortError, invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { EventEmitter } from "./events.ts";
import { optionsOf } from "./fs-arguments.ts";
import { type Descriptors, type SentFile, withBuffer } from "./fs-descriptors.ts";
import type { Operation } from "./fs-operations.ts";
import type { Later, Work } from "./fs-pending.ts";
import { streamedHandles } from "./fs-streams.ts";
import { type Kind, markCloneable, onLoad } from "../threads/cloneable.ts";
import { cloneFailure } from "../threads/transfer-list.ts";

const NOT_PROMISED = new Set(["exists", "open", "close", "read", "write", "readv", "writev", "fstat", "ftruncate", "fsync", "fdatasync", "fchmod", "fchown", "futimes", "realpathNative", "openAsBlob"]);
const CHUNK_BYTES = 16_384;

const SEND = Symbol("send");
const HANDLE: Kind = { name: "FileHandle", builtin: "fs", transferOnly: true, save: (handle) => (handle as { [SEND](): SentFile })[SEND]() };
const receivers = new WeakMap<Runtime, (sent: SentFile) => object>();
onLoad(HANDLE.name, (runtime, sent) => {
  runtime.builtin("fs");
  return (receivers.get(runtime) as (sent: SentFile) => object)(sent as SentFile);
});

export function createFsPromises(runtime: Runtime, later: Later, operations: Readonly<Record<string, Operation>>, fs: Dict, constants: Dict, descriptors: Descriptors): Dict {
  const run = async (name: string, work: Work): Promise<unknown> => {
    try {
      return await new Promise((resolve, reject) => later(name, work, (error, value) => (error === null ? resolve(value) : reject(error as Error))));
    } catch (error) {
      // Made in the loop, it knows nothing of who awaits it; here the engine does.
      if (error instanceof FsError) Error.captureStackTrace(error, run);
      throw error;
    }
  };
  const of = async (name: string, ...args: unknown[]): Promise<unknown> => run(name, (operations[name] as Operation)(...args));
  const signalOf = (options: unknown): AbortSignal | undefined => optionsOf(options)["signal"] as AbortSignal | undefined;

  class FileHandle extends (EventEmitter as unknown as new () => Emitter) {
    #fd: number;
    #closing: Promise<unknown> | undefined;
    #streamed = false;
    /** Operations under way. */
    #uses = 0;

    constructor(fd: number) {
      super();
      this.#fd = fd;
      markCloneable(this, HANDLE);
    }

    [SEND](): SentFile {
      if (this.#uses > 0 || this.#streamed || this.#closing || streamedHandles.has(this)) throw cloneFailure("Cannot transfer FileHandle while in use");
      const sent = descriptors.detach(this.#fd);
      this.#fd = -1;
      return sent;
    }

    get fd(): number {
      return this.#fd;
    }

    getAsyncId(): number {
      return 0;
    }

    #do(syscall: string, name: string, ...args: unknown[]): Promise<unknown> {
      if (this.#fd === -1) return Promise.reject(Object.assign(new Error("file closed"), { code: "EBADF", syscall }));
      return this.#using(of(name, this.#fd, ...args));
    }

    async #using<T>(work: Promise<T>): Promise<T> {
      this.#uses++;
      try {
        return await work;
      } finally {
        this.#uses--;
      }
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
      const [, target, ...args] = isView ? [0, buffer, ...rest] : withBuffer([this.#fd, buffer, undefined]).slice(0, 3);
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
      return this.#using(writeAll(this.#fd, data, options));
    }

    readableWebStream(options: { type?: string } = {}): ReadableStream {
      const state = this.#fd === -1 ? "closed" : this.#streamed ? "locked" : undefined;
      if (state) throw nodeError(Error, "ERR_INVALID_STATE", `Invalid state: The FileHandle is ${state}`);
      this.#streamed = true;
      const bytes = options.type === "bytes";
      const source = {
        ...(bytes ? { type: "bytes" } : {}),
        start: (controller: ReadableByteStreamController) => this.on("close", () => end(controller)),
        pull: async (controller: ReadableByteStreamController) => {
          const { bytesRead, buffer } = await this.read(new Uint8Array(CHUNK_BYTES)) as { bytesRead: number; buffer: Uint8Array<ArrayBuffer> };
          if (bytesRead === 0) end(controller);
          else controller.enqueue(bytes ? buffer.subarray(0, bytesRead) : (buffer.buffer.slice(0, bytesRead) as never));
        },
      };
      let ended = false;
      const end = (controller: ReadableByteStreamController): void => {
        if (ended) return;
        ended = true;
        controller.close();
        controller.byobRequest?.respond(0);
      };
      return new ReadableStream(source as UnderlyingSource);
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
  receivers.set(runtime, (sent) => new FileHandle(descriptors.adopt(sent)));
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
      const write = (operations["writeFile"] as Operation)(target, data, options);
      return run("writeFile", () => {
        check();
        return write();
      });
    }
    const fd = typeof target === "number" ? target : ((await of("open", target, optionsOf(options)["flag"] ?? "w", optionsOf(options)["mode"] ?? 0o666)) as number);
    try {
      check();
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
  const { watchIterator } = fs as { watchIterator: AnyFunction };
  Reflect.deleteProperty(fs, "watchIterator");
  const given = (target: unknown): unknown => (target instanceof FileHandle ? target.fd : target);
  Object.assign(promises, {
    open: async (path: unknown, flags?: unknown, mode?: unknown) => new FileHandle((await of("open", path, flags ?? "r", mode ?? 0o666)) as number),
    readFile: async (path: unknown, options?: unknown) => {
      const signal = signalOf(options);
      if (signal?.aborted) throw abortError(signal);
      const contents = await of("readFile", given(path), options);
      // No listener: programs read many files under one signal (eslint), which would warn of a leak.
      if (signal?.aborted) throw abortError(signal);
      return contents;
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
      return watchIterator(path, options);
    },
    constants,
  });
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
