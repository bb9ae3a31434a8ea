// node:querystring.
import { nodeError } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { Buffer } from "./buffer.ts";

const HEX = /^[\da-f]{2}$/i;

/** As `encodeURIComponent`, of whatever a program passes. */
function escape(value: unknown): string {
  const text = typeof value === "string" ? value : typeof value === "object" ? String(value) : `${value as string}`;
  if ((text as string & { isWellFormed(): boolean }).isWellFormed()) return encodeURIComponent(text);
  // As Node: half a pair takes whatever follows for its other half.
  return encodeURIComponent(text.replace(/[\ud800-\udfff][^]?/g, (pair) => {
    if (pair.length < 2) throw nodeError(URIError, "ERR_INVALID_URI", "URI malformed");
    return String.fromCodePoint(0x10000 + (((pair.charCodeAt(0) & 0x3ff) << 10) | (pair.charCodeAt(1) & 0x3ff)));
  }));
}

/** Bytes, with what is no escape left as it is. */
function unescapeBuffer(text: string, plusIsSpace = false): Uint8Array {
  const input = Buffer.from(text);
  const output = Buffer.alloc(input.length);
  let length = 0;
  for (let k = 0; k < input.length; k++) {
    const byte = input[k] as number;
    const digits = byte === 37 ? String.fromCharCode(input[k + 1] ?? 0, input[k + 2] ?? 0) : "";
    if (HEX.test(digits)) {
      output[length++] = Number.parseInt(digits, 16);
      k += 2;
    } else output[length++] = byte === 43 && plusIsSpace ? 32 : byte;
  }
  return output.subarray(0, length);
}

function unescape(text: string, plusIsSpace?: boolean): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return Buffer.from(unescapeBuffer(text, plusIsSpace === true)).toString();
    throw error;
  }
}

function asText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? `${value}` : "";
  return typeof value === "bigint" || typeof value === "boolean" ? `${value}` : "";
}

function stringify(value: unknown, separator?: string | null, equals?: string | null, options?: { encodeURIComponent?: (text: string) => string } | null): string {
  if (typeof value !== "object" || value === null) return "";
  // A program may put its own `escape` onto the module.
  const encode = typeof options?.encodeURIComponent === "function" ? options.encodeURIComponent : (querystring["escape"] as (text: string) => string);
  return Object.entries(value).flatMap(([key, entry]) => (Array.isArray(entry) ? (entry as unknown[]) : [entry]).map((one) => `${encode(key)}${equals || "="}${encode(asText(one))}`)).join(separator || "&");
}

function parse(text: unknown, separator?: unknown, equals?: unknown, options?: { maxKeys?: number; decodeURIComponent?: (text: string) => string } | null): Dict {
  const result = Object.create(null) as Dict;
  if (typeof text !== "string" || text === "") return result;
  const [between, sign] = [separator ? String(separator) : "&", equals ? String(equals) : "="];
  const maxKeys = typeof options?.maxKeys === "number" ? options.maxKeys : 1000;
  const custom = typeof options?.decodeURIComponent === "function" ? options.decodeURIComponent : (querystring["unescape"] as (text: string) => string);
  const decode = (given: string): string => {
    const piece = given.replace(/\+/g, custom === (unescape as AnyFunction) || options?.decodeURIComponent === undefined ? " " : "%20");
    if (custom === (unescape as AnyFunction) && !piece.includes("%")) return piece;
    try {
      return custom(piece);
    } catch (error) {
      if (error instanceof Error) return unescape(piece, true);
      throw error;
    }
  };
  const parts = text.split(between);
  for (const part of (maxKeys > 0 ? parts.slice(0, maxKeys) : parts).filter((each) => each !== "")) {
    const at = part.indexOf(sign);
    const key = decode(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? "" : decode(part.slice(at + sign.length));
    const known = result[key];
    result[key] = known === undefined ? value : Array.isArray(known) ? [...(known as unknown[]), value] : [known, value];
  }
  return result;
}

export const querystring: Dict = { unescapeBuffer, unescape, escape, stringify, encode: stringify, parse, decode: parse };
