// Buffer.from, alloc, concat and the other functions of the class, as Node has them.
import { checkInteger, invalidArgType, nodeError, outOfRange, received } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { encodeText, encodedLength, encodingNamed } from "./buffer-encodings.ts";
import { compareBytes, unknownEncoding } from "./buffer-methods.ts";

export const MAX_LENGTH = 2 ** 32;

const outOfBounds = (name: string): Error => nodeError(RangeError, "ERR_BUFFER_OUT_OF_BOUNDS", `"${name}" is outside of buffer bounds`);
const isArrayBuffer = (value: unknown): value is ArrayBuffer => value instanceof ArrayBuffer || (typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer);

function checkSize(size: unknown): asserts size is number {
  if (typeof size !== "number") throw invalidArgType("size", "number", size);
  if (!(size >= 0 && size <= MAX_LENGTH)) throw outOfRange("size", `>= 0 && <= ${MAX_LENGTH}`, size);
}

/** Puts the functions onto the class; its species is what its instances are made as. */
export function patchStatics(Class: Dict & AnyFunction): void {
  const { [Symbol.species]: Bytes } = Class as unknown as { [Symbol.species]: Uint8ArrayConstructor };
  const wrap = (bytes: Uint8Array): Uint8Array => new Bytes(bytes.buffer, bytes.byteOffset, bytes.length);
  // The global's, asked each time: a process's memory is measured there (buffer-meter.ts).
  const make = (size: number): Uint8Array => new Bytes(new ArrayBuffer(size));

  const fromText = (text: string, encoding: unknown): Uint8Array => {
    const kind = typeof encoding !== "string" || encoding === "" ? "utf8" : encodingNamed(encoding);
    if (!kind) throw unknownEncoding(encoding);
    return wrap(encodeText(text, kind));
  };
  const fromMemory = (memory: ArrayBuffer, offset: unknown, length: unknown): Uint8Array => {
    const at = offset === undefined ? 0 : Number(offset) || 0;
    const most = memory.byteLength - at;
    if (most < 0) throw outOfBounds("offset");
    const size = length === undefined ? most : Number(length) > 0 ? Number(length) : 0;
    if (size > most) throw outOfBounds("length");
    return new Bytes(memory, at, Math.trunc(size));
  };
  const fromList = (list: ArrayLike<unknown>): Uint8Array => {
    const length = Number(list.length) > 0 ? Math.trunc(Number(list.length)) : 0;
    const made = make(length);
    for (let k = 0; k < length; k++) made[k] = list[k] as number;
    return made;
  };
  const fromObject = (value: Dict): Uint8Array | undefined => {
    if (value["length"] !== undefined || isArrayBuffer(value["buffer"])) return typeof value["length"] === "number" ? fromList(value as unknown as ArrayLike<unknown>) : make(0);
    return value["type"] === "Buffer" && Array.isArray(value["data"]) ? fromList(value["data"]) : undefined;
  };

  const from = (value: unknown, encodingOrOffset?: unknown, length?: unknown): Uint8Array => {
    if (typeof value === "string") return fromText(value, encodingOrOffset);
    if (typeof value === "object" && value !== null) {
      if (isArrayBuffer(value)) return fromMemory(value, encodingOrOffset, length);
      const primitive: unknown = typeof value.valueOf === "function" ? value.valueOf() : undefined;
      if (primitive != null && primitive !== value && (typeof primitive === "string" || typeof primitive === "object")) return from(primitive, encodingOrOffset, length);
      const made = fromObject(value as Dict);
      if (made) return made;
      const convert = (value as { [Symbol.toPrimitive]?: (hint: string) => unknown })[Symbol.toPrimitive];
      if (typeof convert === "function") {
        const text = convert.call(value, "string");
        if (typeof text === "string") return fromText(text, encodingOrOffset);
      }
    }
    throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. ${received(value)}`);
  };
  const unsafe = (size: unknown): Uint8Array => {
    checkSize(size);
    return make(size);
  };

  const statics: Dict = {
    poolSize: 8192, from,
    alloc: (size: unknown, fill?: unknown, encoding?: unknown) => {
      checkSize(size);
      const made = make(size) as Uint8Array & { fill: AnyFunction };
      if (fill === undefined || fill === 0 || size === 0) return made;
      if (encoding !== undefined && typeof encoding !== "string") throw invalidArgType("encoding", "string", encoding);
      return encoding === undefined ? made.fill(fill) : made.fill(fill, encoding);
    },
    allocUnsafe: unsafe, allocUnsafeSlow: (size: unknown) => unsafe(size),
    of: (...items: unknown[]) => fromList(items),
    copyBytesFrom: (view: unknown, offset?: number, length?: number) => {
      if (!ArrayBuffer.isView(view) || view instanceof DataView) throw invalidArgType("view", "TypedArray", view);
      const list = view as Uint8Array;
      if (offset !== undefined) checkInteger(offset, "offset", 0);
      if (length !== undefined) checkInteger(length, "length", 0);
      const piece = list.subarray(offset ?? 0, length === undefined ? undefined : (offset ?? 0) + length);
      return wrap(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength).slice());
    },
    compare: (a: unknown, b: unknown) => {
      if (!(a instanceof Uint8Array)) throw invalidArgType("buf1", ["Buffer", "Uint8Array"], a);
      if (!(b instanceof Uint8Array)) throw invalidArgType("buf2", ["Buffer", "Uint8Array"], b);
      return a === b ? 0 : compareBytes(a, b);
    },
    isBuffer: (value: unknown) => value instanceof Class,
    isEncoding: (encoding: unknown) => typeof encoding === "string" && encoding.length !== 0 && encodingNamed(encoding) !== undefined,
    concat: (list: unknown, length?: unknown) => {
      if (!Array.isArray(list)) throw invalidArgType("list", "Array", list);
      if (list.length === 0) return make(0);
      const pieces = list as { length?: number }[];
      if (length !== undefined) checkInteger(length, "length", 0);
      const size = (length as number | undefined) ?? pieces.reduce((sum, each) => sum + (each?.length || 0), 0);
      const whole = make(size);
      let at = 0;
      for (const [k, piece] of pieces.entries()) {
        if (!(piece instanceof Uint8Array)) throw invalidArgType(`list[${k}]`, ["Buffer", "Uint8Array"], piece);
        const fits = piece.subarray(0, Math.max(0, size - at));
        whole.set(fits, at);
        at += fits.length;
      }
      return whole;
    },
    byteLength: (value: unknown, encoding?: unknown) => {
      if (typeof value === "string") return encodedLength(value, encodingNamed(encoding) ?? "utf8");
      if (ArrayBuffer.isView(value) || isArrayBuffer(value)) return value.byteLength;
      throw invalidArgType("string", ["string", "Buffer", "ArrayBuffer"], value);
    },
  };
  for (const [name, value] of Object.entries(statics)) {
    Object.defineProperty(Class, name, { value: typeof value === "function" ? Object.defineProperty(value, "name", { value: name, configurable: true }) : value, writable: true, configurable: true, enumerable: true });
  }
}
