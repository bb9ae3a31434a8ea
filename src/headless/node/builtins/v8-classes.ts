// The classes of node:v8 that write and read V8's serialisation format piece by piece: test runners send what their workers
// find with them (tap, node:test's own children).
import { inspect } from "node-inspect-extracted";
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { bytesOf, NODE_BUFFER, TAG, VERSION, VIEW_LETTERS, VIEWS } from "./v8-format.ts";
import { Reader } from "./v8-reader.ts";
import { Writer } from "./v8-writer.ts";

type Hosts = Record<"_writeHostObject" | "_readHostObject", AnyFunction | undefined>;
type View = Uint8Array | DataView;
interface ViewClass {
  readonly name: string;
  new (buffer: ArrayBufferLike, offset: number, length: number): object;
}

const bytesIn = (view: View): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const shown = (view: object): string => Object.prototype.toString.call(view);
const numberOf = (view: ArrayBufferView): number => VIEWS.findIndex((Class) => shown(view) === `[object ${Class?.name}]`);
/** Whoever extends a serialiser may name a class of its own. */
const cloneError = (serializer: object, message: string): Error => new (serializer as { _getDataCloneError: new (message: string) => Error })._getDataCloneError(message);
const checkView: (value: unknown, name: string) => asserts value is View = (value, name) => {
  if (!ArrayBuffer.isView(value)) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `${name} must be a TypedArray or a DataView`);
};

class Serializer {
  readonly #writer = new Writer();
  #treatsViewsAsHosts = false;

  constructor() {
    const writer = this.#writer;
    writer.failure = (message) => cloneError(this, message);
    writer.writeView = (view) => {
      if (this.#treatsViewsAsHosts) {
        const write = (this as unknown as Hosts)._writeHostObject;
        if (typeof write !== "function") throw writer.failure(`${shown(view)} could not be cloned.`);
        writer.note(view);
        writer.byte(TAG.host);
        Reflect.apply(write, this, [view]);
        return;
      }
      writer.write(view.buffer);
      writer.note(view);
      writer.byte(TAG.view);
      writer.byte(VIEW_LETTERS.charCodeAt(numberOf(view)));
      for (const number of [view.byteOffset, view.byteLength, 0]) writer.varint(number);
    };
  }

  writeHeader(): void {
    this.#writer.byte(TAG.version);
    this.#writer.byte(VERSION);
  }

  writeValue(value: unknown): boolean {
    this.#writer.write(value);
    return true;
  }

  releaseBuffer(): unknown {
    const written = this.#writer.release();
    // Not of the pool: its buffer is the reader's to see.
    const buffer = Buffer.alloc(written.length) as Uint8Array;
    buffer.set(written);
    return buffer;
  }

  transferArrayBuffer(id: number, buffer: object): void {
    this.#writer.transferred.set(buffer, id >>> 0);
  }

  writeUint32(value: number): void {
    this.#writer.varint(value >>> 0);
  }

  writeUint64(high: number, low: number): void {
    let rest = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    for (; rest > 127n; rest >>= 7n) this.#writer.byte(Number(rest & 127n) | 128);
    this.#writer.byte(Number(rest));
  }

  writeDouble(value: number): void {
    this.#writer.double(Number(value));
  }

  writeRawBytes(source: unknown): void {
    checkView(source, "source");
    this.#writer.raw(bytesIn(source));
  }

  _setTreatArrayBufferViewsAsHostObjects(does: unknown): void {
    this.#treatsViewsAsHosts = Boolean(does);
  }
}
(Serializer.prototype as unknown as Dict)["_getDataCloneError"] = Error;

class Deserializer {
  readonly buffer: View;
  readonly #reader: Reader;

  constructor(buffer: unknown) {
    checkView(buffer, "buffer");
    this.buffer = buffer;
    this.#reader = new Reader(bytesIn(buffer));
    this.#reader.readHost = () => {
      const read = (this as unknown as Hosts)._readHostObject;
      if (typeof read !== "function") throw new Error("Unable to deserialize cloned data.");
      return Reflect.apply(read, this, []) as object;
    };
  }

  readHeader(): boolean {
    this.#reader.header();
    return true;
  }

  readValue(): unknown {
    return this.#reader.read();
  }

  getWireFormatVersion(): number {
    return this.#reader.version;
  }

  transferArrayBuffer(id: number, buffer: object): void {
    this.#reader.transferred.set(id >>> 0, buffer);
  }

  readUint32(): number {
    return attempt("ReadUint32", () => this.#reader.varint() >>> 0);
  }

  readUint64(): [number, number] {
    return attempt("ReadUint64", () => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytesIn(this.buffer)[this.#reader.skip(1)] as number;
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return [Number(value >> 32n), Number(value & 0xffffffffn)];
      }
    });
  }

  readDouble(): number {
    return attempt("ReadDouble", () => this.#reader.double());
  }

  _readRawBytes(length: number): number {
    return attempt("ReadRawBytes", () => this.#reader.skip(length));
  }

  readRawBytes(length: number): unknown {
    const offset = this._readRawBytes(length);
    return Buffer.from(this.buffer.buffer, this.buffer.byteOffset + offset, length);
  }
}

function attempt<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new Error(`${name}() failed`);
  }
}

class DefaultSerializer extends Serializer {
  constructor() {
    super();
    this._setTreatArrayBufferViewsAsHostObjects(true);
  }

  _writeHostObject(view: View): void {
    const number = view.constructor === Buffer ? NODE_BUFFER : numberOf(view);
    if (number < 0) throw cloneError(this, `Unserializable host object: ${inspect(view)}`);
    this.writeUint32(number);
    this.writeUint32(view.byteLength);
    this.writeRawBytes(bytesIn(view));
  }
}

class DefaultDeserializer extends Deserializer {
  _readHostObject(): object {
    const number = this.readUint32();
    const Class = VIEWS[number];
    const length = this.readUint32();
    const bytes = this.readRawBytes(length) as Uint8Array;
    if (number === NODE_BUFFER) return bytes;
    if (!Class) throw invalidArgType("Class", "view", number);
    const size = bytesOf(Class);
    const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
    return new (Class as unknown as ViewClass)(buffer, byteOffset, length / size);
  }
}

export const v8Classes = { Serializer, Deserializer, DefaultSerializer, DefaultDeserializer };
