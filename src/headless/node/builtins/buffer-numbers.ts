// The numbers of a Buffer: readInt32LE, writeDoubleBE and all their kin, with Node's errors.
import { invalidArgType, nodeError, outOfRange } from "../errors.ts";
import type { Dict } from "../runtime.ts";

/** A place in a buffer is a number. */
export function checkOffset(value: unknown, name = "offset"): asserts value is number {
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
}

/** The error of a place outside the buffer, or of one that is no whole number. */
function outside(value: number, length: number, bytes: number): Error {
  if (Math.floor(value) !== value) return outOfRange("offset", "an integer", value);
  if (length - bytes < 0) return nodeError(RangeError, "ERR_BUFFER_OUT_OF_BOUNDS", "Attempt to access memory outside buffer bounds");
  return outOfRange("offset", `>= 0 and <= ${length - bytes}`, value);
}

type ViewMethod = "Int8" | "Uint8" | "Int16" | "Uint16" | "Int32" | "Uint32" | "BigInt64" | "BigUint64" | "Float32" | "Float64";

interface NumberKind {
  readonly view: ViewMethod;
  readonly bytes: number;
  readonly names: readonly string[];
  readonly low?: number | bigint;
  readonly high?: number | bigint;
}
const whole = (view: ViewMethod, bytes: number, names: readonly string[], signed: boolean): NumberKind => ({ view, bytes, names, low: signed ? -(2 ** (bytes * 8 - 1)) : 0, high: signed ? 2 ** (bytes * 8 - 1) - 1 : 2 ** (bytes * 8) - 1 });
const KINDS: readonly NumberKind[] = [
  whole("Uint8", 1, ["UInt8", "Uint8"], false), whole("Int8", 1, ["Int8"], true), whole("Uint16", 2, ["UInt16", "Uint16"], false), whole("Int16", 2, ["Int16"], true), whole("Uint32", 4, ["UInt32", "Uint32"], false), whole("Int32", 4, ["Int32"], true),
  { view: "BigUint64", bytes: 8, names: ["BigUInt64", "BigUint64"], low: 0n, high: 2n ** 64n - 1n }, { view: "BigInt64", bytes: 8, names: ["BigInt64"], low: -(2n ** 63n), high: 2n ** 63n - 1n },
  { view: "Float32", bytes: 4, names: ["Float"] }, { view: "Float64", bytes: 8, names: ["Double"] },
];

const viewOf = (buffer: Uint8Array): DataView => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** How the limits of a number's kind are told. */
function rangeText(low: number | bigint, high: number | bigint, bytes: number): string {
  const n = typeof low === "bigint" ? "n" : "";
  if (bytes > 4) return low === 0 || low === 0n ? `>= 0${n} and < 2${n} ** ${bytes * 8}${n}` : `>= -(2${n} ** ${bytes * 8 - 1}${n}) and < 2${n} ** ${bytes * 8 - 1}${n}`;
  if (bytes > 3) return low === 0 ? `>= 0 and <= ${high}` : `>= ${low} and <= ${high}`;
  return `>= ${low}${n} and <= ${high}${n}`;
}

function checkValue(value: number | bigint, low: number | bigint, high: number | bigint, bytes: number): void {
  if (value > high || value < low) throw outOfRange("value", rangeText(low, high, bytes), value);
}

export function numberMethods(): Dict {
  const methods: Dict = {};
  for (const { view, bytes, names, low, high } of KINDS) {
    for (const order of bytes === 1 ? [""] : ["LE", "BE"]) {
      const little = order === "LE";
      const read = function (this: Uint8Array, offset: unknown = 0): number | bigint {
        checkOffset(offset);
        if (!Number.isInteger(offset) || offset < 0 || offset + bytes > this.length) throw outside(offset, this.length, bytes);
        return viewOf(this)[`get${view}`](offset, little);
      };
      const write = function (this: Uint8Array, value: unknown, offset: unknown = 0): number {
        const number = typeof low === "bigint" ? value : Number(value);
        if (low !== undefined && high !== undefined) checkValue(number as number, low, high, bytes);
        checkOffset(offset);
        if (!Number.isInteger(offset) || offset < 0 || offset + bytes > this.length) throw outside(offset, this.length, bytes);
        if (typeof low === "bigint" && typeof value !== "bigint") throw new TypeError("Cannot mix BigInt and other types, use explicit conversions");
        (viewOf(this)[`set${view}`] as (offset: number, value: unknown, little: boolean) => void)(offset, number, little);
        return offset + bytes;
      };
      for (const name of names) Object.assign(methods, { [`read${name}${order}`]: read, [`write${name}${order}`]: write });
    }
  }
  return methods;
}

/** readUIntLE and its kin: whole numbers of one to six bytes. */
export function variableMethods(): Dict {
  const methods: Dict = {};
  const check = (offset: unknown, byteLength: unknown): [number, number] => {
    if (byteLength === undefined) throw invalidArgType("byteLength", "number", byteLength);
    checkOffset(byteLength, "byteLength");
    if (Math.floor(byteLength) !== byteLength) throw outOfRange("byteLength", "an integer", byteLength);
    if (byteLength < 1 || byteLength > 6) throw outOfRange("byteLength", ">= 1 and <= 6", byteLength);
    if (offset === undefined) throw invalidArgType("offset", "number", offset);
    checkOffset(offset);
    return [offset, byteLength];
  };
  for (const signed of [false, true]) {
    for (const little of [false, true]) {
      const read = function (this: Uint8Array, offset: unknown, byteLength: unknown): number {
        const [at, bytes] = check(offset, byteLength);
        if (!Number.isInteger(at) || at < 0 || at + bytes > this.length) throw outside(at, this.length, bytes);
        let value = 0;
        for (let k = 0; k < bytes; k++) value = value * 256 + (this[at + (little ? bytes - 1 - k : k)] as number);
        return signed && value >= 2 ** (bytes * 8 - 1) ? value - 2 ** (bytes * 8) : value;
      };
      const write = function (this: Uint8Array, given: unknown, offset: unknown, byteLength: unknown): number {
        const [at, bytes] = check(offset, byteLength);
        const value = Number(given);
        const [low, high] = signed ? [-(2 ** (bytes * 8 - 1)), 2 ** (bytes * 8 - 1) - 1] : [0, 2 ** (bytes * 8) - 1];
        checkValue(value, low, high, bytes);
        if (!Number.isInteger(at) || at < 0 || at + bytes > this.length) throw outside(at, this.length, bytes);
        let rest = value < 0 ? value + 2 ** (bytes * 8) : value;
        for (let k = 0; k < bytes; k++) {
          this[at + (little ? k : bytes - 1 - k)] = rest % 256;
          rest = Math.floor(rest / 256);
        }
        return at + bytes;
      };
      for (const name of signed ? ["Int"] : ["UInt", "Uint"]) Object.assign(methods, { [`read${name}${little ? "LE" : "BE"}`]: read, [`write${name}${little ? "LE" : "BE"}`]: write });
    }
  }
  return methods;
}

