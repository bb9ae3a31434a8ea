// Values in V8's serialisation format, written as V8 writes them; array buffer views as Node's own serialiser does, or, for a
// message, with the buffer that they share.
import { Buffer } from "./buffer.ts";
import { NODE_BUFFER, REGEXP_FLAGS, TAG, VIEWS } from "./v8-format.ts";

const ERROR_LETTERS: Readonly<Record<string, string>> = { EvalError: "E", RangeError: "R", ReferenceError: "F", SyntaxError: "S", TypeError: "T", URIError: "U" };

const notCloned = (value: unknown): string => `${typeof value === "object" && value !== null ? `#<${value.constructor?.name ?? "Object"}>` : String(value)} could not be cloned.`;

/** What goes into a message beside its bytes: the place of an object there, undefined for one that bytes can say. */
export type PlaceBeside = (value: object) => number | undefined;

const { get: viewName } = Reflect.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag) as { get(): string | undefined };
const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;
  readonly #seen = new Map<object, number>();
  readonly #beside: PlaceBeside | undefined;
  /** In place of Node's own way; it tells `note` of what becomes an object of the text. */
  writeView: ((view: ArrayBufferView) => void) | undefined;
  /** The error for what cannot be written. */
  failure: (message: string) => Error = (message) => new Error(message);
  /** Buffers that stay out of the text, by their numbers. */
  readonly transferred = new Map<object, number>();

  /** With `beside`: as a message. */
  constructor(beside?: PlaceBeside) {
    this.#beside = beside;
  }

  result(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What has been written; it begins anew, but still knows the objects that it has seen. */
  release(): Uint8Array {
    const written = this.result();
    this.#bytes = new Uint8Array(256);
    this.#length = 0;
    return written;
  }

  note(value: object): void {
    this.#seen.set(value, this.#seen.size);
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

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  double(value: number): void {
    scratch[0] = value;
    this.raw(scratchBytes);
  }

  #text(value: string): void {
    if (isOneByte(value)) {
      this.byte(TAG.oneByte);
      this.varint(value.length);
      this.#room(value.length);
      for (let k = 0; k < value.length; k++) this.#bytes[this.#length++] = value.charCodeAt(k);
      return;
    }
    const units = new Uint16Array(value.length);
    for (let k = 0; k < value.length; k++) units[k] = value.charCodeAt(k);
    // Two-byte text begins at an even place.
    const header = 1 + varintLength(units.byteLength);
    if ((this.#length + header) % 2 === 1) this.byte(TAG.padding);
    this.byte(TAG.twoByte);
    this.varint(units.byteLength);
    this.raw(new Uint8Array(units.buffer));
  }

  #bigint(value: bigint): void {
    const digits: number[] = [];
    for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 8n) digits.push(Number(rest & 0xffn));
    while (digits.length % 8 !== 0) digits.push(0);
    this.varint((digits.length << 1) | (value < 0n ? 1 : 0));
    this.raw(Uint8Array.from(digits));
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
          this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
        } else {
          this.byte(TAG.double);
          this.double(value);
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
        throw this.failure(notCloned(value));
    }
  }

  #object(value: object): void {
    const known = this.#seen.get(value);
    if (known !== undefined) {
      this.byte(TAG.reference);
      this.varint(known);
      return;
    }
    if (this.writeView && ArrayBuffer.isView(value)) return this.writeView(value);
    // A view's buffer is not an object of its own in Node's way of writing views.
    this.note(value);
    const transferred = this.transferred.get(value);
    if (transferred !== undefined) {
      this.byte(TAG.transferred);
      return this.varint(transferred);
    }
    const place = this.#beside?.(value);
    if (place !== undefined) {
      this.byte(TAG.host);
      this.varint(place);
    } else if (ArrayBuffer.isView(value)) this.#view(value);
    else if (Array.isArray(value)) this.#array(value);
    else if (value instanceof Date) {
      this.byte(TAG.date);
      this.double(value.getTime());
    } else if (kindOf(value) === "Number") {
      this.byte(TAG.numberObject);
      this.double(value.valueOf() as unknown as number);
    } else if (kindOf(value) === "Boolean") this.byte(value.valueOf() ? TAG.trueObject : TAG.falseObject);
    else if (kindOf(value) === "String") {
      this.byte(TAG.stringObject);
      this.#text(value.valueOf() as unknown as string);
    } else if (value instanceof RegExp) {
      this.byte(TAG.regexp);
      this.#text(value.source);
      this.varint(REGEXP_FLAGS.reduce((bits, flag, k) => (flag !== undefined && value.flags.includes(flag) ? bits | (1 << k) : bits), 0));
    } else if (value instanceof Map) {
      this.byte(TAG.map);
      for (const [key, entry] of value) {
        this.write(key);
        this.write(entry);
      }
      this.byte(TAG.endMap);
      this.varint(value.size * 2);
    } else if (value instanceof Set) {
      this.byte(TAG.set);
      for (const entry of value) this.write(entry);
      this.byte(TAG.endSet);
      this.varint(value.size);
    } else if (value instanceof ArrayBuffer) {
      this.byte(TAG.buffer);
      this.varint(value.byteLength);
      this.raw(new Uint8Array(value));
    } else if (value instanceof Error) this.#error(value);
    else if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) throw this.failure(notCloned(value));
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
    this.varint(keys.length);
  }

  #array(value: readonly unknown[]): void {
    const keys = Object.keys(value);
    const dense = keys.length >= value.length && value.every((_, k) => Object.hasOwn(value, k));
    this.byte(dense ? TAG.dense : TAG.sparse);
    this.varint(value.length);
    if (dense) for (const entry of value) this.write(entry);
    this.#varintOfProperties(value, dense ? keys.slice(value.length) : keys, dense ? TAG.endDense : TAG.endSparse);
    this.varint(value.length);
  }

  #view(value: ArrayBufferView): void {
    if (this.#beside) {
      const name = viewName.call(value) ?? "DataView";
      this.byte(TAG.view);
      this.varint(VIEWS.findIndex((View) => View?.name === name));
      this.#object(value.buffer);
      this.varint(value.byteOffset);
      this.varint(value instanceof DataView ? value.byteLength : (value as Uint8Array).length);
      return;
    }
    const at = value instanceof Buffer ? NODE_BUFFER : VIEWS.findIndex((View) => View?.name === (viewName.call(value) ?? "DataView"));
    if (at < 0) throw this.failure(notCloned(value));
    this.byte(TAG.host);
    this.varint(at);
    this.varint(value.byteLength);
    this.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
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

function isOneByte(text: string): boolean {
  for (let k = 0; k < text.length; k++) if (text.charCodeAt(k) > 0xff) return false;
  return true;
}

/** "Number" for an object around a number. */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function varintLength(value: number): number {
  return Math.max(1, Math.ceil(Math.log2(value + 1) / 7));
}
