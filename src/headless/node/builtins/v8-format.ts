// V8's serialisation format, version 15: its tags and numbers, for what writes it (v8-writer.ts) and reads it (v8-reader.ts).

export const VERSION = 15;

/** A byte each, named by the letters of V8's enumeration. */
export const TAG = {
  version: 0xff, padding: 0x00, theHole: 0x2d, undefined: 0x5f, null: 0x30, true: 0x54, false: 0x46, int32: 0x49, uint32: 0x55, double: 0x4e, bigint: 0x5a, oneByte: 0x22, twoByte: 0x63, utf8: 0x53,
  reference: 0x5e, object: 0x6f, endObject: 0x7b, sparse: 0x61, endSparse: 0x40, dense: 0x41, endDense: 0x24, date: 0x44, trueObject: 0x79, falseObject: 0x78, numberObject: 0x6e, bigintObject: 0x7a,
  stringObject: 0x73, regexp: 0x52, map: 0x3b, endMap: 0x3a, set: 0x27, endSet: 0x2c, buffer: 0x42, host: 0x5c, error: 0x72, view: 0x56, transferred: 0x74,
} as const;

/** Node's numbers for the classes of views. */
export const VIEWS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, DataView, undefined, BigInt64Array, BigUint64Array] as const;
export const NODE_BUFFER = 10;
/** V8's for the same. */
export const VIEW_LETTERS = "bBCwWdDfF?.qQ";
export const bytesOf = (View: object): number => (View as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
export const REGEXP_FLAGS = ["g", "i", "m", "y", "u", "s", "d", undefined, "v"] as const;
