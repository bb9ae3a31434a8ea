// fs.ReadStream and fs.WriteStream over open descriptors, a FileHandle's or one of their own.
import { checkFunction, checkInteger, invalidArgType, nodeError, outOfRange } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { checkFd, optionsOf, spelledPath } from "./fs-arguments.ts";
import { createStream } from "./stream.ts";

const CHUNK_BYTES = 64 * 1024;
/** Writes that write nothing, one after the other, before a stream gives up. */
const IDLE_WRITES = 5;

type Done = (error?: Error | null) => void;
type Class = AnyFunction & { prototype: Dict };
interface FileStream extends Dict {
  fd: number | null;
  path: unknown;
  flags: string;
  mode: unknown;
  start: number | undefined;
  end: number;
  pos: number | undefined;
  bytesRead: number;
  bytesWritten: number;
  flush: boolean;
  closed: boolean;
  destroyed: boolean;
  push(chunk: unknown): boolean;
  emit(event: string, ...args: unknown[]): boolean;
  on(event: string, listener: AnyFunction): void;
  once(event: string, listener: AnyFunction): void;
  destroy(error?: Error | null): void;
  [FS]: Dict;
}
const FS = Symbol("kFs");

/** FileHandles that a stream reads or writes, or did. */
export const streamedHandles = new WeakSet<object>();

/** Options count from wherever the object has them. */
function withInherited(options: Dict): Dict {
  const copied: Dict = {};
  for (const name in options) copied[name] = options[name];
  return copied;
}

export function createFileStreams(runtime: Runtime, fs: Dict): Dict {
  const stream = createStream();
  const Readable = stream["Readable"] as unknown as Class;
  const Writable = stream["Writable"] as unknown as Class;

  /** Common to both: the options, and whose descriptor it is. */
  function begin(self: FileStream, path: unknown, options: Dict, work: readonly string[]): void {
    const own = options["fs"] as Dict | null | undefined;
    self[FS] = own ?? fs;
    const { fd } = options;
    if (own && typeof fd === "object" && fd !== null) throw nodeError(Error, "ERR_METHOD_NOT_IMPLEMENTED", "The FileHandle with fs method is not implemented");
    // Of several that do the same work, one is enough.
    if (own) for (const name of ["open", "close", ...work]) if (own[name] || work.every((other) => !own[other]) || !work.includes(name)) checkFunction(own[name], `options.fs.${name}`);
    if (fd == null) {
      self.path = path instanceof Uint8Array ? path : spelledPath(path);
      self.fd = null;
      self.mode = options["mode"] === undefined ? 0o666 : options["mode"];
    } else if (typeof fd === "object") {
      const handle = fd as Dict & { fd: number; on: AnyFunction; off: AnyFunction };
      self[FS] = ofHandle(handle);
      self.fd = handle.fd;
      streamedHandles.add(handle);
      handle.on("close", () => self.destroy());
    } else self.fd = checkFd(fd);
  }

  /** What a stream calls, by way of a FileHandle: programs put their own on one. */
  const ofHandle = (handle: Dict): Dict => {
    const via = (name: string, result?: string): AnyFunction => (_fd, ...args) => {
      const done = args.pop() as AnyFunction;
      const tell = (...answer: unknown[]): void => runtime.loop.nextTick(() => void done(...answer));
      (handle[name] as (...args: unknown[]) => Promise<Dict>)(...args).then((value) => tell(null, result && value[result]), tell);
    };
    return { read: via("read", "bytesRead"), write: via("write", "bytesWritten"), writev: via("writev", "bytesWritten"), fsync: via("sync"), close: via("close") };
  };

  const call = (self: FileStream, name: string, ...args: unknown[]): void => void (self[FS][name] as AnyFunction).call(self[FS], ...args);

  function construct(this: FileStream, done: Done): void {
    if (typeof this.fd === "number") {
      done();
      return;
    }
    // Programs put their own `open` on the prototype (graceful-fs does).
    if (this["open"] !== openStub) {
      const { emit } = this;
      this.emit = (event: string, ...args: unknown[]): boolean => {
        if (event === "open") {
          this.emit = emit;
          done();
          return emit.call(this, event, ...args);
        }
        if (event === "error") {
          this.emit = emit;
          done(args[0] as Error);
          return true;
        }
        return emit.call(this, event, ...args);
      };
      (this["open"] as AnyFunction)();
      return;
    }
    call(this, "open", this.path, this.flags, this.mode, (error: Error | null, fd: number) => {
      if (error) {
        done(error);
        return;
      }
      this.fd = fd;
      done();
      this.emit("open", fd);
      this.emit("ready");
    });
  }

  function destroy(this: FileStream, error: Error | null, done: Done): void {
    const { fd } = this;
    if (typeof fd !== "number") {
      done(error);
      return;
    }
    const close = (unflushed?: Error | null): void => call(this, "close", fd, (failure: Error | null) => done(unflushed ?? error ?? failure));
    if (this.flush && !error) call(this, "fsync", fd, close);
    else close();
    this.fd = null;
  }

  const openStub = function open(): void {
    // Replaced by programs, never called by Node itself.
  };
  const shared: PropertyDescriptorMap = {
    open: { value: openStub, writable: true, configurable: true, enumerable: true },
    _construct: { value: construct, writable: true, configurable: true, enumerable: true },
    _destroy: { value: destroy, writable: true, configurable: true, enumerable: true },
    pending: { configurable: true, get(this: FileStream) {
      return this.fd === null;
    } },
    autoClose: { configurable: true, get(this: FileStream) {
      return ((this["_readableState"] ?? this["_writableState"]) as { autoDestroy: boolean }).autoDestroy;
    }, set(this: FileStream, value: boolean) {
      ((this["_readableState"] ?? this["_writableState"]) as { autoDestroy: boolean }).autoDestroy = value;
    } },
  };

  function ReadStream(this: FileStream | undefined, path: unknown, given?: unknown): unknown {
    if (!(this instanceof ReadStream)) return new (ReadStream as unknown as new (path: unknown, options: unknown) => unknown)(path, given);
    const options = withInherited(optionsOf(given));
    if (options["highWaterMark"] === undefined) options["highWaterMark"] = CHUNK_BYTES; // null: that of any stream
    options["autoDestroy"] = options["autoClose"] ?? true;
    begin(this, path, options, ["read"]);
    this.flags = (options["flags"] as string | undefined) ?? "r";
    this.start = options["start"] as number | undefined;
    this.end = (options["end"] as number | undefined) ?? Number.POSITIVE_INFINITY;
    this.pos = undefined;
    this.bytesRead = 0;
    if (this.start !== undefined) {
      checkInteger(this.start, "start", 0);
      this.pos = this.start;
    }
    if (this.end !== Number.POSITIVE_INFINITY) {
      checkInteger(this.end, "end", 0);
      if (this.start !== undefined && this.start > this.end) throw outOfRange("start", `<= "end" (here: ${this.end})`, this.start);
    }
    Readable.call(this, options);
    if (options["encoding"]) (this["setEncoding"] as AnyFunction)(options["encoding"]);
    return undefined;
  }

  function WriteStream(this: FileStream | undefined, path: unknown, given?: unknown): unknown {
    if (!(this instanceof WriteStream)) return new (WriteStream as unknown as new (path: unknown, options: unknown) => unknown)(path, given);
    const options: Dict = { ...withInherited(optionsOf(given)), decodeStrings: true };
    options["autoDestroy"] = options["autoClose"] ?? true;
    begin(this, path, options, ["write", "writev"]);
    this.flags = (options["flags"] as string | undefined) ?? "w";
    this.start = options["start"] as number | undefined;
    this.pos = undefined;
    this.bytesWritten = 0;
    if (this.start !== undefined) {
      checkInteger(this.start, "start", 0);
      this.pos = this.start;
    }
    if (options["flush"] != null && typeof options["flush"] !== "boolean") throw invalidArgType("options.flush", "boolean", options["flush"]);
    this.flush = options["flush"] === true;
    Writable.call(this, options);
    if (options["encoding"]) (this["setDefaultEncoding"] as AnyFunction)(options["encoding"]);
    return undefined;
  }

  function read(this: FileStream, size: number): void {
    // Without a start the descriptor's own position counts.
    const want = this.pos === undefined ? Math.min(size, this.end - this.bytesRead + 1) : Math.min(size, this.end - this.pos + 1);
    if (want <= 0) {
      this.push(null);
      return;
    }
    const chunk = Buffer.alloc(want);
    call(this, "read", this.fd, chunk, 0, want, this.pos, (error: Error | null, bytes: number) => {
      // What comes too late is no end of the file.
      if (this["destroyed"] === true) return;
      if (error) {
        if (this["autoClose"] === true) this.destroy(error);
        else this.emit("error", error);
        return;
      }
      if (this.pos !== undefined) this.pos += bytes;
      this.bytesRead += bytes;
      // A piece that fills little of its memory does not keep the rest of it.
      this.push(bytes === 0 ? null : bytes === want ? chunk : Buffer.from(chunk.subarray(0, bytes)));
    });
  }

  function write(this: FileStream, data: Uint8Array, _encoding: string, done: Done): void {
    writev.call(this, [{ chunk: data }], done);
  }

  function writev(this: FileStream, pieces: readonly { chunk: Uint8Array }[], done: Done): void {
    writeAll(this, pieces.map(({ chunk }) => chunk), done, 0);
  }

  /** `idle`: how often in a row nothing at all was written. */
  function writeAll(self: FileStream, chunks: readonly Uint8Array[], done: Done, idle: number): void {
    const { write: one, writev: many } = self[FS];
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    const together = typeof many === "function" && (chunks.length > 1 || typeof one !== "function");
    const written = (error: (Error & { code?: string }) | null, count: number): void => {
      const bytes = error ? 0 : count;
      if (error && error.code !== "EAGAIN") return done(error);
      if (self.destroyed) return done(nodeError(Error, "ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed"));
      self.bytesWritten += bytes;
      if (self.pos !== undefined) self.pos += bytes;
      if (bytes >= size) return done();
      const tries = bytes > 0 ? 0 : idle + 1;
      if (tries > IDLE_WRITES) return done(new Error(`${together ? "writev" : "write"} failed`));
      writeAll(self, [Buffer.concat(chunks as Uint8Array[]).subarray(bytes)], done, tries);
    };
    if (together) call(self, "writev", self.fd, chunks, self.pos, written);
    else {
      const whole = Buffer.concat(chunks as Uint8Array[]);
      call(self, "write", self.fd, whole, 0, whole.length, self.pos, written);
    }
  }

  for (const [Made, Base] of [[ReadStream, Readable], [WriteStream, Writable]] as const) {
    Object.setPrototypeOf(Made.prototype as object, Base.prototype);
    Object.setPrototypeOf(Made, Base);
    Object.defineProperties(Made.prototype as object, shared);
  }
  const finished = stream["finished"] as AnyFunction;
  Object.assign(ReadStream.prototype as Dict, { _read: read, close(this: FileStream, done?: AnyFunction) {
    if (done) finished(this, done);
    this.destroy();
  } });
  Object.assign(WriteStream.prototype as Dict, { _write: write, _writev: writev, destroySoon: Writable.prototype["end"], close(this: FileStream & { end: AnyFunction }, done?: AnyFunction) {
    if (done) {
      if (this.closed) runtime.loop.nextTick(() => void done());
      else this.once("close", done);
    }
    if (!(this["autoClose"] as boolean)) this.on("finish", () => this.destroy());
    this.end();
  } });
  const classes: Dict = {
    ReadStream, WriteStream, FileReadStream: ReadStream, FileWriteStream: WriteStream,
    createReadStream: function createReadStream(path: unknown, options?: unknown): unknown {
      return new (classes["ReadStream"] as new (path: unknown, options?: unknown) => unknown)(path, options);
    },
    createWriteStream: function createWriteStream(path: unknown, options?: unknown): unknown {
      return new (classes["WriteStream"] as new (path: unknown, options?: unknown) => unknown)(path, options);
    },
  };
  return classes;
}

