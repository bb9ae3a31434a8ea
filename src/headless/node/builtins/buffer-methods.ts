// The methods of a Buffer: how it prints, texts, searching, filling, ranges and their errors.
import { inspect } from "node-inspect-extracted";
import { checkInteger, invalidArgType, invalidArgValue, nodeError, outOfRange } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { type Encoding, decodeBytes, encodeText, encodingNamed, writeText } from "./buffer-encodings.ts";
import { checkOffset, numberMethods, variableMethods } from "./buffer-numbers.ts";

interface BufferLike extends Uint8Array {
  toString(encoding?: string, start?: number, end?: number): string;
}

/** As `buffer.INSPECT_MAX_BYTES`; programs may set it. */
export const limits = { inspectBytes: 50 };

function show(this: BufferLike, _depth: number, context: Dict): string {
  const shown = Math.min(limits.inspectBytes, this.length);
  let text = this.toString("hex", 0, shown).replace(/(..)(?=.)/g, "$1 ");
  const more = this.length - shown;
  if (more > 0) text += ` ... ${more} more byte${more > 1 ? "s" : ""}`;
  // Properties that a program has put on it.
  const extras = Object.entries(this).filter(([name]) => !/^\d+$/.test(name));
  if (extras.length > 0) {
    const options = { ...context, breakLength: Number.POSITIVE_INFINITY, compact: true } as never;
    text += `${this.length > 0 ? ", " : ""}${inspect(Object.assign(Object.create(null) as object, Object.fromEntries(extras)), options).slice(27, -2)}`;
  }
  return `<${this.constructor?.name ?? "Buffer"} ${text}>`;
}

export const unknownEncoding = (encoding: unknown): Error => nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${String(encoding)}`);

function needEncoding(encoding: unknown): Encoding {
  const found = encodingNamed(encoding);
  if (!found) throw unknownEncoding(encoding);
  return found;
}

function toString(this: Uint8Array, ...args: [unknown?, unknown?, unknown?]): string {
  const [encoding, from, to] = args;
  const { length } = this;
  if (args.length === 0) return decodeBytes(this, "utf8");
  const start = Number(from) > 0 ? Math.trunc(Number(from)) || 0 : 0;
  if (start >= length && length > 0) return "";
  const end = to === undefined || Number(to) > length ? length : Math.trunc(Number(to)) || 0;
  if (end <= start) return "";
  return decodeBytes(this.subarray(start, end), encoding === undefined ? "utf8" : needEncoding(`${encoding as string}`));
}

function write(this: Uint8Array, ...args: unknown[]): number {
  const [text, offset, length, encoding] = args;
  if (typeof text !== "string") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", "argument must be a string");
  if (offset === undefined) return writeText(text, this, "utf8");
  if (length === undefined && typeof offset === "string") return writeText(text, this, needEncoding(offset));
  checkInteger(offset, "offset", 0, this.length);
  const remaining = this.length - offset;
  let count = remaining;
  let named: unknown = encoding;
  if (typeof length === "string") named = length;
  else if (length !== undefined) {
    checkInteger(length, "length", 0, this.length);
    count = Math.min(length, remaining);
  }
  return writeText(text, this.subarray(offset, offset + count), named ? needEncoding(named) : "utf8");
}

function fill(this: Uint8Array, value: unknown, offset?: unknown, end?: unknown, encoding?: unknown): Uint8Array {
  let [from, to, named] = [offset, end, encoding];
  if (typeof value === "string") {
    if (from === undefined || typeof from === "string") [named, from, to] = [from, undefined, undefined];
    else if (typeof to === "string") [named, to] = [to, undefined];
    if (named !== undefined && typeof named !== "string") throw invalidArgType("encoding", "string", named);
  }
  const kind = named === undefined || named === "" ? "utf8" : needEncoding(named);
  let [start, stop] = [0, this.length];
  if (from !== undefined) {
    checkFillRange(from, "offset");
    start = from as number;
    if (to !== undefined) {
      checkFillRange(to, "end", this.length);
      stop = to as number;
    }
    if (start >= stop) return this;
  }
  if (typeof value === "number" || typeof value === "boolean" || value === "") {
    if (start > this.length) throw nodeError(RangeError, "ERR_BUFFER_OUT_OF_BOUNDS", "Attempt to access memory outside buffer bounds");
    return Uint8Array.prototype.fill.call(this, Number(value) & 255, start, stop);
  }
  const pattern = typeof value === "string" ? encodeText(value, kind) : ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
  if (!pattern) return Uint8Array.prototype.fill.call(this, Number(value) & 255, start, stop);
  if (pattern.length === 0) throw invalidArgValue("value", value);
  for (let k = start; k < stop; k++) this[k] = pattern[(k - start) % pattern.length] as number;
  return this;
}

function checkFillRange(value: unknown, name: string, high?: number): void {
  checkOffset(value, name);
  if (Number.isNaN(value) || value < 0 || (high !== undefined && value > high)) throw outOfRange(name, high === undefined ? ">= 0" : `>= 0 && <= ${high}`, value);
}

/** Where a search begins; -1: nowhere. */
function searchStart(length: number, offset: number, needleLength: number, forward: boolean): number {
  if (offset < 0) {
    if (offset + length >= 0) return length + offset;
    return forward || needleLength === 0 ? 0 : -1;
  }
  if (offset + needleLength <= length) return offset;
  if (needleLength === 0) return length;
  return forward ? -1 : length - 1;
}

function search(buffer: Uint8Array, value: unknown, offset: unknown, encoding: unknown, forward: boolean): number {
  let [from, named] = [offset, encoding];
  if (typeof from === "string") [named, from] = [from, undefined];
  let at = Number(from);
  if (Number.isNaN(at)) at = forward ? 0 : buffer.length;
  at = Math.trunc(Math.max(-0x80000000, Math.min(0x7fffffff, at)));
  if (typeof value === "number") return find(buffer, Uint8Array.of(value), at, forward, 1);
  if (typeof value === "string") {
    const kind = named === undefined ? "utf8" : needEncoding(named);
    return find(buffer, encodeText(value, kind), at, forward, kind === "utf16le" ? 2 : 1);
  }
  if (value instanceof Uint8Array) return find(buffer, value, at, forward, encodingNamed(named) === "utf16le" ? 2 : 1);
  throw invalidArgType("value", ["number", "string", "Buffer", "Uint8Array"], value);
}

/** `step`: 2 for UTF-16, which is found at even places only. */
function find(buffer: Uint8Array, needle: Uint8Array, offset: number, forward: boolean, step: number): number {
  const start = searchStart(buffer.length, offset, needle.length, forward);
  if (needle.length === 0) return start;
  if (start < 0 || needle.length > buffer.length || (forward && needle.length + start > buffer.length)) return -1;
  const first = needle[0] as number;
  const matches = (at: number): boolean => {
    for (let k = 1; k < needle.length; k++) if (buffer[at + k] !== needle[k]) return false;
    return true;
  };
  const last = buffer.length - needle.length;
  if (forward) {
    for (let at = buffer.indexOf === Uint8Array.prototype.indexOf ? start : Uint8Array.prototype.indexOf.call(buffer, first, start); at >= 0 && at <= last; at = Uint8Array.prototype.indexOf.call(buffer, first, at + 1)) {
      if (at % step === 0 && buffer[at] === first && matches(at)) return at;
    }
    return -1;
  }
  for (let at = Math.min(start, last); at >= 0; at--) if (at % step === 0 && buffer[at] === first && matches(at)) return at;
  return -1;
}

const integer = (value: unknown, otherwise: number): number => {
  const number = Number(value);
  return Number.isNaN(number) ? otherwise : number >= Number.MIN_SAFE_INTEGER && number <= Number.MAX_SAFE_INTEGER ? Math.floor(number) : otherwise;
};

function copy(this: Uint8Array, target: unknown, targetStart?: unknown, sourceStart?: unknown, sourceEnd?: unknown): number {
  if (!(target instanceof Uint8Array)) throw invalidArgType("target", ["Buffer", "Uint8Array"], target);
  const to = targetStart === undefined ? 0 : integer(targetStart, 0);
  if (to < 0) throw outOfRange("targetStart", ">= 0", to);
  const from = sourceStart === undefined ? 0 : integer(sourceStart, 0);
  if (from < 0 || from > this.length) throw outOfRange("sourceStart", `>= 0 && <= ${this.length}`, from);
  const end = sourceEnd === undefined ? this.length : integer(sourceEnd, 0);
  if (end < 0) throw outOfRange("sourceEnd", ">= 0", end);
  if (to >= target.length || from >= end) return 0;
  const count = Math.min(end - from, target.length - to, this.length - from);
  target.set(this.subarray(from, from + count), to);
  return count;
}

function swap(bytes: number): AnyFunction {
  return function (this: Uint8Array): Uint8Array {
    if (this.length % bytes !== 0) throw nodeError(RangeError, "ERR_INVALID_BUFFER_SIZE", `Buffer size must be a multiple of ${bytes * 8}-bits`);
    for (let at = 0; at < this.length; at += bytes) this.subarray(at, at + bytes).reverse();
    return this;
  } as unknown as AnyFunction;
}

function compareRange(this: Uint8Array, target: unknown, ...range: unknown[]): number {
  if (!(target instanceof Uint8Array)) throw invalidArgType("target", ["Buffer", "Uint8Array"], target);
  const [targetStart, targetEnd, start, end] = (["targetStart", "targetEnd", "sourceStart", "sourceEnd"] as const).map((name, k) => {
    const high = k < 2 ? target.length : this.length;
    const value = range[k] === undefined ? (k % 2 === 0 ? 0 : high) : range[k];
    checkInteger(value, name, 0, k % 2 === 0 ? Number.MAX_SAFE_INTEGER : high);
    return value;
  }) as [number, number, number, number];
  if (start >= end) return targetStart >= targetEnd ? 0 : -1;
  if (targetStart >= targetEnd) return 1;
  return compareBytes(this.subarray(start, end), target.subarray(targetStart, targetEnd));
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let k = 0; k < shared; k++) if (a[k] !== b[k]) return (a[k] as number) < (b[k] as number) ? -1 : 1;
  return Math.sign(a.length - b.length);
}

const WRITERS = { ascii: "ascii", base64: "base64", base64url: "base64url", hex: "hex", latin1: "latin1", ucs2: "utf16le", utf8: "utf8" } as const;

/** `utf8Slice` and its kin: what Node's own code and some libraries call. */
function slices(): Dict {
  const methods: Dict = {};
  for (const [name, encoding] of Object.entries(WRITERS)) {
    methods[`${name}Slice`] = function (this: BufferLike, start?: number, end?: number): string {
      return this.toString(encoding, start, end);
    };
    methods[`${name}Write`] = function (this: BufferLike & { write: AnyFunction }, text: string, offset = 0, length = this.length - offset): unknown {
      return this.write(text, offset, length, encoding);
    };
  }
  return methods;
}

/** Puts the methods onto the class. */
export function patchPrototype(prototype: Dict): void {
  const methods: Dict = {
    toString, toLocaleString: toString, write, fill, copy,
    indexOf(this: Uint8Array, value: unknown, offset?: unknown, encoding?: unknown): number {
      return search(this, value, offset, encoding, true);
    },
    lastIndexOf(this: Uint8Array, value: unknown, offset?: unknown, encoding?: unknown): number {
      return search(this, value, offset, encoding, false);
    },
    includes(this: Uint8Array, value: unknown, offset?: unknown, encoding?: unknown): boolean {
      return search(this, value, offset, encoding, true) !== -1;
    },
    inspect(this: BufferLike, depth: number, context: Dict): string {
      return show.call(this, depth, context);
    },
    ...numberMethods(), ...variableMethods(), ...slices(), swap16: swap(2), swap32: swap(4), swap64: swap(8),
    equals(this: Uint8Array, other: unknown): boolean {
      if (!(other instanceof Uint8Array)) throw invalidArgType("otherBuffer", ["Buffer", "Uint8Array"], other);
      return this === other || compareBytes(this, other) === 0;
    },
    compare: compareRange,
    slice(this: Uint8Array, start?: number, end?: number): Uint8Array {
      return this.subarray(start, end);
    },
    toJSON(this: Uint8Array): object {
      return { type: "Buffer", data: Array.from(this) };
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(prototype, name, { value: Object.defineProperty(value, "name", { value: name, configurable: true }), writable: true, configurable: true, enumerable: true });
  }
  for (const [name, field] of [["parent", "buffer"], ["offset", "byteOffset"]] as const) {
    Object.defineProperty(prototype, name, { enumerable: true, get(this: Uint8Array) {
      return Object.prototype.isPrototypeOf.call(prototype, this) ? this[field] : undefined;
    } });
  }
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), { value: show, writable: true, configurable: true, enumerable: false });
}
