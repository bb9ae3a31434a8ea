// What programs pass to zlib's constructors, checked in Node's order and refused in Node's words.
import { invalidArgType, nodeError, outOfRange } from "../errors.ts";
import type { Dict } from "../runtime.ts";
import { constants } from "./zlib-constants.ts";
import type { EngineOptions, ZlibMode } from "./zlib-engine.ts";

/** What every stream has, zlib's or brotli's. */
export interface StreamOptions {
  readonly chunkSize: number;
  readonly flush: number;
  readonly finishFlush: number;
  readonly maxOutputLength: number;
  readonly info: boolean;
}
export type ZlibOptions = StreamOptions & EngineOptions;

/** Undefined and NaN mean the default; anything else must be a number in range. */
function finite(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
  if (Number.isNaN(value)) return undefined;
  if (!Number.isFinite(value)) throw outOfRange(name, "a finite number", value);
  return value;
}

function within(value: unknown, name: string, low: number, high: number, otherwise: number): number {
  const given = finite(value, name);
  if (given === undefined) return otherwise;
  if (given < low || given > high) throw outOfRange(name, high === Number.POSITIVE_INFINITY ? `>= ${low}` : `>= ${low} and <= ${high}`, given);
  return given;
}

const MAX_OUTPUT_BYTES = 2 ** 32;

/** `flushes`: the highest kind of flush, and the one at the end. */
export function readStreamOptions(options: Dict, flushes: { readonly highest: number; readonly finish: number }): StreamOptions {
  const { Z_MIN_CHUNK = 64, Z_DEFAULT_CHUNK = 16384 } = constants;
  const chunkSize = within(options["chunkSize"], "options.chunkSize", Z_MIN_CHUNK, Number.POSITIVE_INFINITY, Z_DEFAULT_CHUNK);
  const flush = within(options["flush"], "options.flush", 0, flushes.highest, 0);
  const finishFlush = within(options["finishFlush"], "options.finishFlush", 0, flushes.highest, flushes.finish);
  const maxOutputLength = within(options["maxOutputLength"], "options.maxOutputLength", 1, MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES);
  return { chunkSize, flush, finishFlush, maxOutputLength, info: Boolean(options["info"]) };
}

export function readZlibOptions(mode: ZlibMode, given: Dict | undefined): ZlibOptions {
  const options = given ?? {};
  const { Z_FINISH = 4, Z_BLOCK = 5 } = constants;
  const common = readStreamOptions(options, { highest: Z_BLOCK, finish: Z_FINISH });
  const reads = mode === "inflate" || mode === "gunzip" || mode === "unzip";
  const { windowBits: bits } = options;
  // Readers may say 0: the size is in the header.
  const windowBits = (bits == null || bits === 0) && reads ? 15 : within(bits, "options.windowBits", mode === "gzip" ? 9 : 8, 15, 15);
  const level = within(options["level"], "options.level", -1, 9, -1);
  const memLevel = within(options["memLevel"], "options.memLevel", 1, 9, 8);
  const strategy = within(options["strategy"], "options.strategy", 0, 4, 0);
  return { ...common, windowBits: mode === "deflateRaw" && windowBits === 8 ? 9 : windowBits, level, memLevel, strategy, dictionary: dictionaryOf(options["dictionary"]) };
}

function dictionaryOf(value: unknown): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || (typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer)) return new Uint8Array(value);
  throw invalidArgType("options.dictionary", ["Buffer", "TypedArray", "DataView", "ArrayBuffer"], value);
}

export const checkParameters = (level: unknown, strategy: unknown): void => {
  if (within(level, "level", -1, 9, Number.NaN) !== level) throw invalidArgType("level", "number", level);
  if (within(strategy, "strategy", 0, 4, Number.NaN) !== strategy) throw invalidArgType("strategy", "number", strategy);
};

export const tooLarge = (limit: number): Error => nodeError(RangeError, "ERR_BUFFER_TOO_LARGE", `Cannot create a Buffer larger than ${limit} bytes`);
