// node:zlib: the stream classes and the one-shot functions, over pako's port of zlib and over Google's brotli, a library
// that is loaded when first used.
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { createStream } from "./stream.ts";
import { beginBrotli, type BrotliMode, isBrotli } from "./zlib-brotli.ts";
import { codes, constants } from "./zlib-constants.ts";
import { ZlibEngine, type ZlibMode } from "./zlib-engine.ts";
import { type StreamOptions, type ZlibOptions, checkParameters, readZlibOptions, tooLarge } from "./zlib-options.ts";
import { type Engine, Handle, Output } from "./zlib-output.ts";

type Done = (error?: Error | null, value?: unknown) => void;
interface TransformStream extends Dict {
  writableEnded: boolean;
  writableFinished: boolean;
  writableLength: number;
  writableNeedDrain: boolean;
  destroyed: boolean;
  push(chunk: unknown): boolean;
  destroy(error?: Error | null): void;
  once(event: string, listener: AnyFunction): void;
  write(chunk: unknown, encoding: string, done?: AnyFunction): boolean;
}
/** A zlib stream; the underscored names are those that libraries reach for. */
interface Zlib extends TransformStream {
  _handle: Handle | null;
  _options: StreamOptions;
  _defaultFlushFlag: number;
  _finishFlushFlag: number;
  _level: number;
  _strategy: number;
  bytesWritten: number;
  flush(kind?: unknown, done?: unknown): void;
}

const MODES = { Deflate: "deflate", Inflate: "inflate", Gzip: "gzip", Gunzip: "gunzip", DeflateRaw: "deflateRaw", InflateRaw: "inflateRaw", Unzip: "unzip" } as const satisfies Record<string, ZlibMode>;
const BROTLI = { BrotliCompress: "brotliCompress", BrotliDecompress: "brotliDecompress" } as const satisfies Record<string, BrotliMode>;
type Mode = ZlibMode | BrotliMode;
/** Which of two pending flushes wins. */
const FLUSH_STRENGTH = [0, 1, 3, 4, 5, 2];
const FLUSH = Symbol("flush");

function dataOf(value: unknown): Uint8Array {
  if (typeof value === "string") return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw invalidArgType("buffer", ["string", "Buffer", "TypedArray", "DataView", "ArrayBuffer"], value);
}

interface Begun {
  readonly options: StreamOptions;
  readonly engine: Engine;
}

function begin(runtime: Runtime, mode: Mode, given: Dict | undefined): Begun {
  if (isBrotli(mode)) return beginBrotli(runtime, mode, given);
  const options = readZlibOptions(mode, given);
  return { options, engine: new ZlibEngine(mode, options) };
}

function runSync({ options, engine }: Begun, data: Uint8Array, info?: () => unknown): unknown {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (const chunk of new Output(engine, options.chunkSize).of(options.finishFlush, data)) {
      length += chunk.length;
      if (length > options.maxOutputLength) throw tooLarge(options.maxOutputLength);
      chunks.push(chunk);
    }
  } finally {
    engine.close?.();
  }
  const buffer = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  return options.info && info ? { buffer, engine: info() } : buffer;
}

export function createZlib(runtime: Runtime): Dict {
  const stream = createStream();
  const Transform = stream["Transform"] as AnyFunction & { prototype: Dict };
  const { loop } = runtime;

  const ZlibBase = function (this: Zlib, options: Dict | undefined, mode: Mode): void {
    const { options: read, engine } = begin(runtime, mode, options);
    // Bytes go in, whatever was asked for.
    Transform.call(this, { autoDestroy: true, ...options, encoding: null, objectMode: false, writableObjectMode: false });
    this.bytesWritten = 0;
    this._options = read;
    this._handle = new Handle(engine, read.chunkSize);
    this._handle.onerror = (message, errno, code) => this.destroy(Object.assign(new Error(message), { errno, code }));
    Object.assign(this, { _writeState: this._handle.writeState, _outOffset: 0, _chunkSize: read.chunkSize, _defaultFlushFlag: read.flush, _finishFlushFlag: read.finishFlush, _defaultFullFlushFlag: constants[isBrotli(mode) ? "BROTLI_OPERATION_FLUSH" : "Z_FULL_FLUSH"], _info: options?.["info"], _maxOutputLength: read.maxOutputLength });
    if (!isBrotli(mode)) Object.assign(this, { _level: (read as ZlibOptions).level, _strategy: (read as ZlibOptions).strategy });
  } as unknown as AnyFunction & { prototype: Dict };
  inherit(ZlibBase, Transform);

  const pump = (self: Zlib, flush: number, chunk: Uint8Array, done: Done): void => {
    const handle = self._handle;
    if (!handle) return void loop.nextTick(() => done());
    const { output } = handle;
    const pieces = output.of(flush, chunk);
    const step = (): void => {
      if (self.destroyed || !self._handle) return done();
      let next: IteratorResult<Uint8Array, number>;
      const before = output.taken;
      try {
        next = pieces.next();
      } catch (error) {
        // As Node: the stream is destroyed, its write callback is not called with the error.
        self.destroy(error as Error);
        return undefined;
      }
      self.bytesWritten += output.taken - before;
      if (next.done) {
        // What follows the end of the packed data is nobody's.
        if (next.value > 0) self.push(null);
        return done();
      }
      if (self.push(next.value)) return loop.post(step);
      // Nobody reads: go on when somebody does.
      const read = self["_read"];
      self["_read"] = () => {
        self["_read"] = read;
        loop.post(step);
      };
      return undefined;
    };
    return loop.post(step);
  };

  const methods: Record<string, AnyFunction> = {
    reset(this: Zlib) {
      if (!this._handle) throw new Error("zlib binding closed");
      return this._handle.reset();
    },
    _flush(this: Zlib, done: unknown) {
      return (this["_transform"] as AnyFunction)(Buffer.alloc(0), "", done);
    },
    _final: (done: unknown) => (done as Done)(),
    flush(this: Zlib, kind: unknown, done: unknown) {
      const callback = (typeof kind === "function" ? kind : done) as AnyFunction | undefined;
      const flag = typeof kind === "function" || kind === undefined ? this["_defaultFullFlushFlag"] : kind;
      if (this.writableFinished) {
        if (callback) loop.nextTick(() => void callback());
      } else if (this.writableEnded) {
        if (callback) this.once("end", callback);
      } else this.write(Object.assign(Buffer.alloc(0), { [FLUSH]: flag }), "", callback);
    },
    close(this: Zlib, done: unknown) {
      if (done) (stream["finished"] as AnyFunction)(this, done);
      this.destroy();
    },
    _destroy(this: Zlib, error: unknown, done: unknown) {
      this._handle?.close();
      this._handle = null;
      (done as Done)(error as Error | null);
    },
    _transform(this: Zlib, chunk: unknown, _encoding: unknown, done: unknown) {
      const bytes = chunk as Uint8Array & { [FLUSH]?: number };
      let flag = this._defaultFlushFlag;
      if (bytes[FLUSH] !== undefined) flag = bytes[FLUSH];
      if (this.writableEnded && this.writableLength === bytes.byteLength) flag = stronger(flag, this._finishFlushFlag);
      return pump(this, flag, bytes, done as Done);
    },
    _processChunk(this: Zlib, chunk: unknown, flag: unknown, done: unknown) {
      if (typeof done === "function") return pump(this, flag as number, chunk as Uint8Array, done as Done);
      if (!this._handle) throw new Error("zlib binding closed");
      const all = Buffer.concat([...this._handle.output.of(flag as number, chunk as Uint8Array)]);
      if (all.length > this._options.maxOutputLength) throw tooLarge(this._options.maxOutputLength);
      return all;
    },
    params(this: Zlib, level: unknown, strategy: unknown, done: unknown) {
      checkParameters(level, strategy);
      if (this._level === level && this._strategy === strategy) return loop.nextTick(() => (done as Done)());
      return this.flush(constants["Z_SYNC_FLUSH"], () => {
        this._handle?.engine.params?.(level as number, strategy as number);
        this._level = level as number;
        this._strategy = strategy as number;
        (done as Done | undefined)?.();
      });
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    ZlibBase.prototype[name] = Object.defineProperty(value, "name", { value: name });
  }
  Object.defineProperties(ZlibBase.prototype, {
    _closed: { configurable: true, enumerable: true, get(this: Zlib) {
      return !this._handle;
    } },
    // For those who drive the handle themselves; this stream has a buffer of its own.
    _outBuffer: { configurable: true, get(this: Zlib) {
      const value = Buffer.alloc(this._options.chunkSize);
      Object.defineProperty(this, "_outBuffer", { value, writable: true, configurable: true, enumerable: true });
      return value;
    }, set(this: Zlib, value: unknown) {
      Object.defineProperty(this, "_outBuffer", { value, writable: true, configurable: true, enumerable: true });
    } },
    bytesRead: { configurable: true, enumerable: true, get(this: Zlib) {
      return this.bytesWritten;
    }, set(this: Zlib, value: number) {
      this.bytesWritten = value;
    } },
  });

  const zlib: Dict = { crc32: (data: unknown, value: unknown = 0) => crc32(data, value) };
  for (const [className, mode] of Object.entries({ ...MODES, ...BROTLI })) {
    const Class = { [className]: function (this: Zlib | undefined, options?: Dict): unknown {
      if (!(this instanceof Class)) return new (Class as unknown as new (options?: Dict) => unknown)(options);
      ZlibBase.call(this, options, mode);
      return undefined;
    } }[className] as unknown as AnyFunction & { prototype: Dict };
    inherit(Class, ZlibBase);
    zlib[className] = Class;
    const make = (options?: Dict): Zlib => new (Class as unknown as new (options?: Dict) => Zlib)(options);
    zlib[`create${className}`] = Object.defineProperty(make, "name", { value: `create${className}` });
    zlib[`${mode}Sync`] = Object.defineProperty((data: unknown, options?: Dict) => runSync(begin(runtime, mode, options), dataOf(data), () => make(options)), "name", { value: `${mode}Sync` });
    zlib[mode] = Object.defineProperty((data: unknown, options: unknown, done?: unknown) => {
      const callback = (typeof options === "function" ? options : done) as Done | undefined;
      if (typeof callback !== "function") throw invalidArgType("callback", "function", callback);
      const given = typeof options === "function" ? undefined : (options as Dict | undefined);
      const begun = begin(runtime, mode, given);
      const bytes = dataOf(data);
      loop.post(() => settle(() => runSync(begun, bytes, () => make(given)), callback));
    }, "name", { value: mode });
  }
  for (const [name, value] of [["constants", constants], ["codes", codes]] as const) Object.defineProperty(zlib, name, { value, enumerable: true });
  for (const [name, value] of Object.entries(constants)) if (!name.startsWith("BROTLI")) Object.defineProperty(zlib, name, { value, enumerable: false });
  return zlib;
}

function settle(run: () => unknown, done: Done): void {
  let value: unknown;
  try {
    value = run();
  } catch (error) {
    return done(error as Error);
  }
  return done(null, value);
}

const stronger = (a: number, b: number): number => ((FLUSH_STRENGTH[a] ?? 0) > (FLUSH_STRENGTH[b] ?? 0) ? a : b);

function inherit(child: AnyFunction & { prototype: Dict }, parent: AnyFunction & { prototype: Dict }): void {
  Object.setPrototypeOf(child.prototype, parent.prototype);
  Object.setPrototypeOf(child, parent);
}

let table: Uint32Array | undefined;

function crcTable(): Uint32Array {
  return (table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    return c;
  }));
}

function crc32(data: unknown, value: unknown): number {
  if (typeof data !== "string" && !ArrayBuffer.isView(data)) throw invalidArgType("data", ["string", "Buffer", "TypedArray", "DataView"], data);
  if (typeof value !== "number") throw invalidArgType("value", "number", value);
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "value" is out of range. It must be ${Number.isInteger(value) ? ">= 0 && <= 4294967295" : "an integer"}. Received ${value}`);
  const bytes = dataOf(data);
  const steps = crcTable();
  let crc = ~value;
  for (let k = 0; k < bytes.length; k++) crc = (crc >>> 8) ^ (steps[(crc ^ (bytes[k] as number)) & 255] as number);
  return ~crc >>> 0;
}
