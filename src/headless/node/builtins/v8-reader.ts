// Values out of V8's serialisation format.
import { Buffer } from "./buffer.ts";
import { bytesOf, NODE_BUFFER, REGEXP_FLAGS, TAG, VERSION, VIEW_LETTERS, VIEWS } from "./v8-format.ts";

const ERRORS: Readonly<Record<string, ErrorConstructor>> = { E: EvalError, R: RangeError, F: ReferenceError, S: SyntaxError, T: TypeError, U: URIError };

const PIECE = 8192;

function textOf(units: Uint8Array | Uint16Array): string {
  let text = "";
  for (let at = 0; at < units.length; at += PIECE) text += String.fromCharCode(...units.subarray(at, at + PIECE));
  return text;
}

function holes(length: number): unknown[] {
  const list: unknown[] = [];
  list.length = length;
  return list;
}

export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  readonly #objects: object[] = [];
  readonly #beside: readonly object[] | undefined;
  /** In place of Node's own way of reading views. */
  readHost: (() => object) | undefined;
  /** Buffers that the text has numbers of. */
  readonly transferred = new Map<number, object>();
  version = 0;

  /** With `beside`: a message's, and what came with it. */
  constructor(bytes: Uint8Array, beside?: readonly object[]) {
    this.#bytes = bytes;
    this.#beside = beside;
  }

  header(): void {
    const isVersion = this.#bytes[this.#at++] === TAG.version;
    if (isVersion) this.version = this.varint();
    if (!isVersion || this.version > VERSION) throw new Error("Unable to deserialize cloned data due to invalid or unsupported version.");
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

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Where the bytes begin that it goes past. */
  skip(length: number): number {
    if (this.#at + length > this.#bytes.length) throw this.#bad();
    this.#at += length;
    return this.#at - length;
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    if (this.#at + length > this.#bytes.length) throw this.#bad();
    const part = this.#bytes.slice(this.#at, this.#at + length) as Uint8Array<ArrayBuffer>;
    this.#at += length;
    return part;
  }

  double(): number {
    return new Float64Array(this.#take(8).buffer)[0] as number;
  }

  #text(): string {
    const value = this.read();
    if (typeof value !== "string") throw this.#bad();
    return value;
  }

  #bigint(): bigint {
    const bits = this.varint();
    let value = 0n;
    for (const byte of this.#take(bits >> 1).reverse()) value = (value << 8n) | BigInt(byte);
    return (bits & 1) === 1 ? -value : value;
  }

  #keep<T extends object>(value: T): T {
    this.#objects.push(value);
    return value;
  }

  read(): unknown {
    const value = this.#value();
    // A view follows its buffer.
    if (this.#beside || !(value instanceof ArrayBuffer) || this.#peek() !== TAG.view) return value;
    this.#at++;
    const View = VIEWS[VIEW_LETTERS.indexOf(String.fromCharCode(this.#byte()))];
    if (!View) throw this.#bad();
    const [offset, length] = [this.varint(), this.varint()];
    this.varint();
    return this.#keep(new (View as new (buffer: ArrayBuffer, offset: number, length: number) => object)(value, offset, length / bytesOf(View)));
  }

  #value(): unknown {
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
        const value = this.varint();
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      case TAG.uint32:
        return this.varint();
      case TAG.double:
        return this.double();
      case TAG.bigint:
        return this.#bigint();
      case TAG.oneByte:
        return textOf(this.#take(this.varint()));
      case TAG.twoByte:
        return textOf(new Uint16Array(this.#take(this.varint()).buffer));
      case TAG.utf8:
        return new TextDecoder().decode(this.#take(this.varint()));
      case TAG.reference: {
        const known = this.#objects[this.varint()];
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
        const list = this.#keep(holes(this.varint()));
        this.#properties(list, TAG.endSparse);
        this.varint();
        return list;
      }
      case TAG.dense: {
        const length = this.varint();
        const list = this.#keep(holes(length));
        for (let k = 0; k < length; k++) {
          if (this.#peek() === TAG.theHole) this.#at++;
          else list[k] = this.read();
        }
        this.#properties(list, TAG.endDense);
        this.varint();
        return list;
      }
      case TAG.date:
        return this.#keep(new Date(this.double()));
      case TAG.trueObject:
      case TAG.falseObject:
        return this.#keep(Object(tag === TAG.trueObject) as object);
      case TAG.numberObject:
        return this.#keep(Object(this.double()) as object);
      case TAG.bigintObject:
        return this.#keep(Object(this.#bigint()) as object);
      case TAG.stringObject:
        return this.#keep(Object(this.#text()) as object);
      case TAG.regexp: {
        const source = this.#text();
        const bits = this.varint();
        return this.#keep(new RegExp(source, REGEXP_FLAGS.filter((flag, k) => flag !== undefined && (bits & (1 << k)) !== 0).join("")));
      }
      case TAG.map: {
        const map = this.#keep(new Map<unknown, unknown>());
        while (this.#peek() !== TAG.endMap) map.set(this.read(), this.read());
        this.#at++;
        this.varint();
        return map;
      }
      case TAG.set: {
        const set = this.#keep(new Set<unknown>());
        while (this.#peek() !== TAG.endSet) set.add(this.read());
        this.#at++;
        this.varint();
        return set;
      }
      case TAG.buffer:
        return this.#keep(this.#take(this.varint()).buffer);
      case TAG.host:
        return this.#beside ? this.#keep(this.#beside[this.varint()] ?? {}) : this.readHost ? this.#host(this.readHost) : this.#view();
      case TAG.transferred: {
        const buffer = this.transferred.get(this.varint());
        if (!buffer) throw this.#bad();
        return this.#keep(buffer);
      }
      case TAG.view: {
        const View = VIEWS[this.varint()] as new (buffer: object, offset: number, length: number) => object;
        // The view's place among the objects is before its buffer's.
        const place = this.#objects.push({}) - 1;
        return (this.#objects[place] = new View(this.read() as object, this.varint(), this.varint()));
      }
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
    this.varint();
    return target;
  }

  #host(read: () => object): object {
    const place = this.#objects.push({}) - 1;
    return (this.#objects[place] = read());
  }

  #view(): object {
    const at = this.varint();
    const bytes = this.#take(this.varint());
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
