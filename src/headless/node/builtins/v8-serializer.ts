// V8's serialisation format, version 15, as `v8.serialize` writes it and `v8.deserialize` reads it: what tools keep in
// their caches and send to their workers. Array buffer views are written the way Node's own serialiser writes them.
import { Buffer } from "./buffer.ts";

const VERSION = 15;

/** A byte each, named by the letters of V8's enumeration. */
const TAG = {
  version: 0xff, padding: 0x00, theHole: 0x2d, undefined: 0x5f, null: 0x30, true: 0x54, false: 0x46, int32: 0x49, uint32: 0x55, double: 0x4e, bigint: 0x5a, oneByte: 0x22, twoByte: 0x63, utf8: 0x53,
  reference: 0x5e, object: 0x6f, endObject: 0x7b, sparse: 0x61, endSparse: 0x40, dense: 0x41, endDense: 0x24, date: 0x44, trueObject: 0x79, falseObject: 0x78, numberObject: 0x6e, bigintObject: 0x7a,
  stringObject: 0x73, regexp: 0x52, map: 0x3b, endMap: 0x3a, set: 0x27, endSet: 0x2c, buffer: 0x42, host: 0x5c, error: 0x72,
} as const;

/** Node's numbers for the classes of views. */
const VIEWS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, DataView, undefined, BigInt64Array, BigUint64Array] as const;
const NODE_BUFFER = 10;
const REGEXP_FLAGS = ["g", "i", "m", "y", "u", "s", "d", undefined, "v"] as const;
const ERRORS: Readonly<Record<string, ErrorConstructor>> = { E: EvalError, R: RangeError, F: ReferenceError, S: SyntaxError, T: TypeError, U: URIError };
const ERROR_LETTERS: Readonly<Record<string, string>> = { EvalError: "E", RangeError: "R", ReferenceError: "F", SyntaxError: "S", TypeError: "T", URIError: "U" };

function cloneError(value: unknown): Error {
  const what = typeof value === "object" && value !== null ? `#<${value.constructor?.name ?? "Object"}>` : String(value);
  return new Error(`${what} could not be cloned.`);
}

class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;
  readonly #seen = new Map<object, number>();

  result(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  #double(value: number): void {
    this.#raw(new Uint8Array(new Float64Array([value]).buffer));
  }

  #text(value: string): void {
    if ([...value].every((char) => char.charCodeAt(0) < 0x100 && char.length === 1)) {
      this.byte(TAG.oneByte);
      this.#varint(value.length);
      this.#raw(Uint8Array.from(value, (char) => char.charCodeAt(0)));
      return;
    }
    const units = new Uint16Array(value.length);
    for (let k = 0; k < value.length; k++) units[k] = value.charCodeAt(k);
    // Two-byte text begins at an even place.
    const header = 1 + varintLength(units.byteLength);
    if ((this.#length + header) % 2 === 1) this.byte(TAG.padding);
    this.byte(TAG.twoByte);
    this.#varint(units.byteLength);
    this.#raw(new Uint8Array(units.buffer));
  }

  #bigint(value: bigint): void {
    const digits: number[] = [];
    for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 8n) digits.push(Number(rest & 0xffn));
    while (digits.length % 8 !== 0) digits.push(0);
    this.#varint((digits.length << 1) | (value < 0n ? 1 : 0));
    this.#raw(Uint8Array.from(digits));
  }

  write(value: unknown): void {
    switch (typeof value) {
      case "undefined":
        return this.byte(TAG.undefined);
      case "boolean":
        return this.byte(value ? TAG.true : TAG.false);
      case "number":
        if (Number.isInteger(value) && value >= -(2 ** 30) && value < 2 ** 30 && !Object.is(value, -0)) {
          this.byte(TAG.int32);
          this.#varint(value >= 0 ? value * 2 : -value * 2 - 1);
        } else {
          this.byte(TAG.double);
          this.#double(value);
        }
        return;
      case "bigint":
        this.byte(TAG.bigint);
        this.#bigint(value);
        return;
      case "string":
        return this.#text(value);
      case "object":
        if (value === null) return this.byte(TAG.null);
        return this.#object(value);
      default:
        throw cloneError(value);
    }
  }

  #object(value: object): void {
    const known = this.#seen.get(value);
    if (known !== undefined) {
      this.byte(TAG.reference);
      this.#varint(known);
      return;
    }
    // A view's buffer is not an object of its own in Node's way of writing views.
    this.#seen.set(value, this.#seen.size);
    if (ArrayBuffer.isView(value)) this.#view(value);
    else if (Array.isArray(value)) this.#array(value);
    else if (value instanceof Date) {
      this.byte(TAG.date);
      this.#double(value.getTime());
    } else if (kindOf(value) === "Number") {
      this.byte(TAG.numberObject);
      this.#double(value.valueOf() as unknown as number);
    } else if (kindOf(value) === "Boolean") this.byte(value.valueOf() ? TAG.trueObject : TAG.falseObject);
    else if (kindOf(value) === "String") {
      this.byte(TAG.stringObject);
      this.#text(value.valueOf() as unknown as string);
    } else if (value instanceof RegExp) {
      this.byte(TAG.regexp);
      this.#text(value.source);
      this.#varint(REGEXP_FLAGS.reduce((bits, flag, k) => (flag !== undefined && value.flags.includes(flag) ? bits | (1 << k) : bits), 0));
    } else if (value instanceof Map) {
      this.byte(TAG.map);
      for (const [key, entry] of value) {
        this.write(key);
        this.write(entry);
      }
      this.byte(TAG.endMap);
      this.#varint(value.size * 2);
    } else if (value instanceof Set) {
      this.byte(TAG.set);
      for (const entry of value) this.write(entry);
      this.byte(TAG.endSet);
      this.#varint(value.size);
    } else if (value instanceof ArrayBuffer) {
      this.byte(TAG.buffer);
      this.#varint(value.byteLength);
      this.#raw(new Uint8Array(value));
    } else if (value instanceof Error) this.#error(value);
    else if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) throw cloneError(value);
    else {
      this.byte(TAG.object);
      this.#varintOfProperties(value, Object.keys(value), TAG.endObject);
    }
  }

  #varintOfProperties(value: object, keys: readonly string[], end: number): void {
    for (const key of keys) {
      const index = Number(key);
      this.write(String(index) === key && Number.isInteger(index) && index >= 0 ? index : key);
      this.write((value as Record<string, unknown>)[key]);
    }
    this.byte(end);
    this.#varint(keys.length);
  }

  #array(value: readonly unknown[]): void {
    const keys = Object.keys(value);
    const dense = keys.length >= value.length && value.every((_, k) => Object.hasOwn(value, k));
    this.byte(dense ? TAG.dense : TAG.sparse);
    this.#varint(value.length);
    if (dense) for (const entry of value) this.write(entry);
    this.#varintOfProperties(value, dense ? keys.slice(value.length) : keys, dense ? TAG.endDense : TAG.endSparse);
    this.#varint(value.length);
  }

  #view(value: ArrayBufferView): void {
    const at = value instanceof Buffer ? NODE_BUFFER : VIEWS.findIndex((View) => View !== undefined && value.constructor === View);
    if (at < 0) throw cloneError(value);
    this.byte(TAG.host);
    this.#varint(at);
    this.#varint(value.byteLength);
    this.#raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }

  #error(value: Error): void {
    this.byte(TAG.error);
    const letter = ERROR_LETTERS[value.name];
    if (letter !== undefined) this.byte(letter.charCodeAt(0));
    if (Object.hasOwn(value, "message")) {
      this.byte("m".charCodeAt(0));
      this.#text(String(value.message));
    }
    if (Object.hasOwn(value, "cause")) {
      this.byte("c".charCodeAt(0));
      this.write(value.cause);
    }
    if (typeof value.stack === "string") {
      this.byte("s".charCodeAt(0));
      this.#text(value.stack);
    }
    this.byte(".".charCodeAt(0));
  }
}

/** "Number" for an object around a number. */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function holes(length: number): unknown[] {
  const list: unknown[] = [];
  list.length = length;
  return list;
}

function varintLength(value: number): number {
  return Math.max(1, Math.ceil(Math.log2(value + 1) / 7));
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  readonly #objects: object[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  header(): void {
    if (this.#byte() !== TAG.version || this.#varint() > VERSION) throw new Error("Unable to deserialize cloned data due to invalid or unsupported version.");
  }

  #bad(): Error {
    return new Error("Unable to deserialize cloned data.");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw this.#bad();
    return byte;
  }

  #peek(): number | undefined {
    while (this.#bytes[this.#at] === TAG.padding) this.#at++;
    return this.#bytes[this.#at];
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    if (this.#at + length > this.#bytes.length) throw this.#bad();
    const part = this.#bytes.slice(this.#at, this.#at + length) as Uint8Array<ArrayBuffer>;
    this.#at += length;
    return part;
  }

  #double(): number {
    return new Float64Array(this.#take(8).buffer)[0] as number;
  }

  #text(): string {
    const value = this.read();
    if (typeof value !== "string") throw this.#bad();
    return value;
  }

  #bigint(): bigint {
    const bits = this.#varint();
    let value = 0n;
    for (const byte of this.#take(bits >> 1).reverse()) value = (value << 8n) | BigInt(byte);
    return (bits & 1) === 1 ? -value : value;
  }

  #keep<T extends object>(value: T): T {
    this.#objects.push(value);
    return value;
  }

  read(): unknown {
    this.#peek();
    const tag = this.#byte();
    switch (tag) {
      case TAG.undefined:
      case TAG.theHole:
        return undefined;
      case TAG.null:
        return null;
      case TAG.true:
        return true;
      case TAG.false:
        return false;
      case TAG.int32: {
        const value = this.#varint();
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      case TAG.uint32:
        return this.#varint();
      case TAG.double:
        return this.#double();
      case TAG.bigint:
        return this.#bigint();
      case TAG.oneByte:
        return Array.from(this.#take(this.#varint()), (byte) => String.fromCharCode(byte)).join("");
      case TAG.twoByte:
        return Array.from(new Uint16Array(this.#take(this.#varint()).buffer), (unit) => String.fromCharCode(unit)).join("");
      case TAG.utf8:
        return new TextDecoder().decode(this.#take(this.#varint()));
      case TAG.reference: {
        const known = this.#objects[this.#varint()];
        if (!known) throw this.#bad();
        return known;
      }
      default:
        return this.#object(tag);
    }
  }

  #object(tag: number): object {
    switch (tag) {
      case TAG.object:
        return this.#properties(this.#keep({}), TAG.endObject);
      case TAG.sparse: {
        const list = this.#keep(holes(this.#varint()));
        this.#properties(list, TAG.endSparse);
        this.#varint();
        return list;
      }
      case TAG.dense: {
        const length = this.#varint();
        const list = this.#keep(holes(length));
        for (let k = 0; k < length; k++) {
          if (this.#peek() === TAG.theHole) this.#at++;
          else list[k] = this.read();
        }
        this.#properties(list, TAG.endDense);
        this.#varint();
        return list;
      }
      case TAG.date:
        return this.#keep(new Date(this.#double()));
      case TAG.trueObject:
      case TAG.falseObject:
        return this.#keep(Object(tag === TAG.trueObject) as object);
      case TAG.numberObject:
        return this.#keep(Object(this.#double()) as object);
      case TAG.bigintObject:
        return this.#keep(Object(this.#bigint()) as object);
      case TAG.stringObject:
        return this.#keep(Object(this.#text()) as object);
      case TAG.regexp: {
        const source = this.#text();
        const bits = this.#varint();
        return this.#keep(new RegExp(source, REGEXP_FLAGS.filter((flag, k) => flag !== undefined && (bits & (1 << k)) !== 0).join("")));
      }
      case TAG.map: {
        const map = this.#keep(new Map<unknown, unknown>());
        while (this.#peek() !== TAG.endMap) map.set(this.read(), this.read());
        this.#at++;
        this.#varint();
        return map;
      }
      case TAG.set: {
        const set = this.#keep(new Set<unknown>());
        while (this.#peek() !== TAG.endSet) set.add(this.read());
        this.#at++;
        this.#varint();
        return set;
      }
      case TAG.buffer:
        return this.#keep(this.#take(this.#varint()).buffer);
      case TAG.host:
        return this.#view();
      case TAG.error:
        return this.#error();
      default:
        throw this.#bad();
    }
  }

  #properties<T extends object>(target: T, end: number): T {
    while (this.#peek() !== end) {
      const key = this.read() as PropertyKey;
      Object.defineProperty(target, key, { value: this.read(), writable: true, enumerable: true, configurable: true });
    }
    this.#at++;
    this.#varint();
    return target;
  }

  #view(): object {
    const at = this.#varint();
    const bytes = this.#take(this.#varint());
    if (at === NODE_BUFFER) return this.#keep(Buffer.from(bytes) as object);
    const View = VIEWS[at];
    if (!View) throw this.#bad();
    return this.#keep(new (View as new (buffer: ArrayBuffer) => object)(bytes.buffer));
  }

  #error(): Error {
    let Class: ErrorConstructor = Error;
    // Its place among the objects is taken before its parts are read.
    const place = this.#objects.push({}) - 1;
    const fields: { message?: string; stack?: string; cause?: unknown } = {};
    for (let letter = String.fromCharCode(this.#byte()); letter !== "."; letter = String.fromCharCode(this.#byte())) {
      if (letter === "m") fields.message = this.#text();
      else if (letter === "s") fields.stack = this.#text();
      else if (letter === "c") fields.cause = this.read();
      else Class = ERRORS[letter] ?? Class;
    }
    const error = new Class(fields.message, "cause" in fields ? { cause: fields.cause } : undefined);
    if (fields.stack !== undefined) Object.defineProperty(error, "stack", { value: fields.stack, writable: true, configurable: true, enumerable: false });
    this.#objects[place] = error;
    return error;
  }
}

export function serialize(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.byte(TAG.version);
  writer.byte(VERSION);
  writer.write(value);
  return Buffer.from(writer.result()) as Uint8Array;
}

export function deserialize(bytes: unknown): unknown {
  if (!ArrayBuffer.isView(bytes)) throw new TypeError("buffer must be a TypedArray or a DataView");
  const reader = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  reader.header();
  return reader.read();
}
