// node:string_decoder: pieces of bytes to text, with characters cut in two put together again.
import { Buffer } from "./buffer.ts";
import { invalidArgType, nodeError } from "../errors.ts";

const ENCODINGS: Readonly<Record<string, string>> = { "utf8": "utf8", "utf-8": "utf8", "ucs2": "utf16le", "ucs-2": "utf16le", "utf16le": "utf16le", "utf-16le": "utf16le", "latin1": "latin1", "binary": "latin1", "base64": "base64", "base64url": "base64url", "ascii": "ascii", "hex": "hex" };
const MAX_BYTES = 4;

function encodingOf(given: unknown): string {
  if (given == null || given === "") return "utf8";
  const known = ENCODINGS[String(given).toLowerCase()];
  if (known === undefined) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${String(given)}`);
  return known;
}

/** How many bytes at the end begin a UTF-8 character that is not whole, and how many it lacks. */
function openUtf8(bytes: Uint8Array): { held: number; lacks: number } {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const size = byte >= 0xf8 || byte < 0xc0 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (size <= back) break;
    const second = bytes[bytes.length - back + 1];
    // A second byte that no character of this lead can have: nothing is open.
    if (second !== undefined && ((byte === 0xe0 && second < 0xa0) || (byte === 0xed && second > 0x9f) || (byte === 0xf0 && second < 0x90) || (byte === 0xf4 && second > 0x8f))) break;
    return { held: back, lacks: size - back };
  }
  return { held: 0, lacks: 0 };
}

interface Fields {
  encoding: string;
  lastChar: Uint8Array;
  lastNeed: number;
  lastTotal: number;
}
const held = new WeakMap<object, Uint8Array>();

/** Where what is whole ends. `goesOn`: the bytes begin with some that were held. */
function split(encoding: string, bytes: Uint8Array, goesOn: boolean): number {
  if (encoding === "utf8") return bytes.length - openUtf8(bytes).held;
  if (encoding === "base64" || encoding === "base64url") return bytes.length - (bytes.length % 3);
  if (encoding !== "utf16le") return bytes.length;
  const even = bytes.length - (bytes.length % 2);
  // As Node: of half a unit after half a pair, only the former is held.
  if (even < bytes.length && !goesOn) return even;
  const high = even >= 2 ? (bytes[even - 1] as number) : 0;
  return high >= 0xd8 && high <= 0xdb ? even - 2 : even;
}

function write(this: Fields, chunk: unknown): string {
  if (typeof chunk === "string") return chunk;
  if (!ArrayBuffer.isView(chunk)) throw invalidArgType("buf", ["Buffer", "TypedArray", "DataView"], chunk);
  const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const before = held.get(this) ?? new Uint8Array();
  const all = before.length === 0 ? Buffer.from(bytes.buffer, bytes.byteOffset as never, bytes.length) : Buffer.concat([before, bytes]);
  const end = split(this.encoding, all, before.length > 0);
  const rest = Uint8Array.from(all.subarray(end));
  held.set(this, rest);
  this.lastChar = Buffer.alloc(MAX_BYTES);
  this.lastChar.set(rest.subarray(0, MAX_BYTES));
  this.lastNeed = rest.length === 0 ? 0 : this.encoding === "utf8" ? openUtf8(rest).lacks : this.encoding === "utf16le" ? (rest.length % 2 === 1 ? 1 : 2) : 3 - rest.length;
  this.lastTotal = rest.length === 0 ? 0 : rest.length + this.lastNeed;
  return all.toString(this.encoding, 0, end);
}

function end(this: Fields, chunk?: unknown): string {
  const text = chunk === undefined ? "" : write.call(this, chunk);
  const rest = held.get(this) ?? new Uint8Array();
  held.delete(this);
  this.lastNeed = this.lastTotal = 0;
  if (rest.length === 0) return text;
  // Half a UTF-16 unit is dropped.
  return text + Buffer.from(rest).toString(this.encoding, 0, this.encoding === "utf16le" ? rest.length - (rest.length % 2) : rest.length);
}

export interface StringDecoder {
  readonly encoding: string;
  write(chunk: unknown): string;
  end(chunk?: unknown): string;
}

/** Callable without `new` only in the way that old subclasses do. */
export const StringDecoder = function StringDecoder(this: Fields, encoding?: unknown): void {
  this.encoding = encodingOf(encoding);
  this.lastChar = Buffer.alloc(MAX_BYTES);
  this.lastNeed = this.lastTotal = 0;
} as unknown as new (encoding?: unknown) => StringDecoder;
Object.assign(StringDecoder.prototype as object, {
  write, end,
  text(this: Fields, chunk: Uint8Array, offset: number): string {
    held.delete(this);
    return write.call(this, chunk.subarray(offset));
  },
});
