// node:buffer. In the browser the kept npm Buffer, taught base64url and a few newer functions; under Node its own.
import bufferModule from "buffer";
import { invalidArgType, nodeError, received } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";

interface BufferLike extends Uint8Array {
  toString(encoding?: string, start?: number, end?: number): string;
}
export interface BufferClass {
  new (...args: never[]): BufferLike;
  readonly prototype: Dict;
  from(value: unknown, encoding?: unknown, length?: unknown): BufferLike;
  alloc(size: number): BufferLike;
  concat(list: readonly Uint8Array[]): BufferLike;
  isBuffer(value: unknown): boolean;
  isEncoding(value: unknown): boolean;
  byteLength(value: unknown, encoding?: string): number;
}

const module = bufferModule as unknown as Dict & { Buffer: BufferClass };
export const { Buffer } = module;

const isUrlSafe = (encoding: unknown): boolean => typeof encoding === "string" && encoding.toLowerCase() === "base64url";

/** npm's buffer 6.0.3 predates base64url (https://github.com/feross/buffer/issues/314); gone when isEncoding says yes. */
function addBase64Url(): void {
  if (Buffer.isEncoding("base64url")) return;
  const statics = Buffer as unknown as Dict;
  const { from, isEncoding, byteLength } = Buffer;
  statics["from"] = (value: unknown, encoding?: unknown, length?: unknown) => from.call(Buffer, value, isUrlSafe(encoding) ? "base64" : encoding, length);
  statics["isEncoding"] = (encoding: unknown) => isUrlSafe(encoding) || isEncoding.call(Buffer, encoding);
  statics["byteLength"] = (value: unknown, encoding?: string) => byteLength.call(Buffer, value, isUrlSafe(encoding) ? "base64" : encoding);
  const toString = Buffer.prototype["toString"] as AnyFunction;
  Buffer.prototype["toString"] = function (this: unknown, encoding?: unknown, ...range: unknown[]): unknown {
    if (!isUrlSafe(encoding)) return toString.call(this, encoding, ...range);
    return (toString.call(this, "base64", ...range) as string).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const write = Buffer.prototype["write"] as AnyFunction;
  Buffer.prototype["write"] = function (this: unknown, text: unknown, ...rest: unknown[]): unknown {
    return write.call(this, text, ...rest.map((x) => (isUrlSafe(x) ? "base64" : x)));
  };
}
addBase64Url();

/** npm's buffer words wrong arguments in its own way. */
function addNodeErrors(): void {
  if (Buffer === (globalThis as unknown as Dict)["Buffer"]) return;
  const statics = Buffer as unknown as Dict;
  const from = statics["from"] as AnyFunction;
  statics["from"] = (...args: unknown[]) => {
    const [value] = args;
    const usable = typeof value === "string" || (typeof value === "object" && value !== null);
    if (!usable) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. ${received(value)}`);
    return from.apply(Buffer, args);
  };
  const alloc = statics["alloc"] as AnyFunction;
  statics["alloc"] = (...args: unknown[]) => {
    if (typeof args[0] !== "number") throw invalidArgType("size", "number", args[0]);
    return alloc.apply(Buffer, args);
  };
}
addNodeErrors();

export function createBuffer(): Dict {
  return {
    constants: { MAX_LENGTH: 2 ** 32, MAX_STRING_LENGTH: 2 ** 29 - 24 }, kMaxLength: 2 ** 32, kStringMaxLength: 2 ** 29 - 24, INSPECT_MAX_BYTES: 50, SlowBuffer: Buffer,
    ...module, Buffer,
    Blob: globalThis.Blob, File: (globalThis as unknown as Dict)["File"],
    atob: globalThis.atob, btoa: globalThis.btoa,
    isUtf8: (bytes: Uint8Array) => {
      try {
        new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        return true;
      } catch (error) {
        if (error instanceof TypeError) return false;
        throw error;
      }
    },
    isAscii: (bytes: Uint8Array) => bytes.every((byte) => byte < 128),
    transcode: (source: BufferLike, from: string, to: string) => Buffer.from(Buffer.from(source).toString(from), to),
  };
}

/** Bytes of what a program passes as data. */
export function toBytes(data: unknown, encoding = "utf8"): Uint8Array {
  if (typeof data === "string") return Buffer.from(data, encoding);
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Buffer.from(String(data));
}
