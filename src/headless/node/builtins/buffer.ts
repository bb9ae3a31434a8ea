// node:buffer. In the browser around a class of this project's (buffer-class.ts); under Node around its own.
import * as bufferModule from "buffer";
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { encodingNamed, MAX_STRING_LENGTH } from "./buffer-encodings.ts";
import { limits } from "./buffer-methods.ts";
import { MAX_LENGTH } from "./buffer-statics.ts";

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

function bytesOf(value: unknown, name: string): Uint8Array {
  if (value instanceof ArrayBuffer && isDetached(value)) throw nodeError(Error, "ERR_INVALID_STATE", "Cannot validate on a detached buffer");
  if (ArrayBuffer.isView(value)) return value.byteLength === 0 ? new Uint8Array() : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw invalidArgType(name, ["ArrayBuffer", "Buffer", "TypedArray"], value);
}

/** Newer engines say it themselves. */
function isDetached(memory: ArrayBuffer): boolean {
  const { detached } = memory as { readonly detached?: boolean };
  if (detached !== undefined || memory.byteLength > 0) return detached === true;
  try {
    void new Uint8Array(memory);
    return false;
  } catch {
    return true;
  }
}

function isUtf8(value: unknown): boolean {
  const bytes = bytesOf(value, "input");
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Between the encodings that Node can; a character that the target lacks becomes "?". */
function transcode(source: unknown, from: unknown, to: unknown): unknown {
  if (!(source instanceof Uint8Array)) throw invalidArgType("source", ["Buffer", "Uint8Array"], source);
  if (source.length === 0) return Buffer.alloc(0);
  const [read, write] = [encodingNamed(from), encodingNamed(to)];
  const known = ["utf8", "utf16le", "latin1", "ascii"];
  if (!read || !write || !known.includes(read) || !known.includes(write)) throw Object.assign(new Error("Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]"), { code: "U_ILLEGAL_ARGUMENT_ERROR", errno: 1 });
  const text = Buffer.from(source).toString(read);
  const limit = write === "ascii" ? 0x7f : write === "latin1" ? 0xff : 0x10ffff;
  return Buffer.from([...text].map((character) => ((character.codePointAt(0) as number) > limit ? "?" : character)).join(""), write);
}

function SlowBuffer(size: number): unknown {
  return (Buffer as unknown as { allocUnsafeSlow: AnyFunction }).allocUnsafeSlow(size);
}

const globals = globalThis as unknown as Dict & { atob: (text: string) => string; btoa: (text: string) => string };

export function createBuffer(): Dict {
  const exported: Dict = {
    Buffer, SlowBuffer, transcode, isUtf8,
    isAscii: (value: unknown) => bytesOf(value, "input").every((byte) => byte < 128),
    kMaxLength: MAX_LENGTH, kStringMaxLength: MAX_STRING_LENGTH, btoa: globals.btoa, atob: globals.atob,
    constants: { MAX_LENGTH, MAX_STRING_LENGTH },
    Blob: globalThis.Blob, resolveObjectURL: () => undefined, File: globals["File"],
  };
  Object.defineProperty(exported, "INSPECT_MAX_BYTES", {
    configurable: true, enumerable: true, get: () => limits.inspectBytes, set: (value: unknown) => {
      if (typeof value !== "number") throw invalidArgType("INSPECT_MAX_BYTES", "number", value);
      if (!(value >= 0)) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "INSPECT_MAX_BYTES" is out of range. It must be >= 0. Received ${value}`);
      limits.inspectBytes = value;
    },
  });
  return exported;
}

/** Bytes of what a program passes as data. */
export function toBytes(data: unknown, encoding = "utf8"): Uint8Array {
  if (typeof data === "string") return Buffer.from(data, encoding);
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Buffer.from(String(data));
}
