// Arguments of crypto.subtle turned into what its functions take, by the rules of Web IDL, with Node's errors
// (https://webidl.spec.whatwg.org/#es-type-mapping).
import type { Dict } from "../../../node/runtime.ts";
import { tools } from "../tools.ts";

/** For the error's text: which call, and which part of what it was given. */
export interface Where {
  readonly call: string;
  readonly what: string;
}
export type Convert<T = unknown> = (value: unknown, where: Where) => T;

export function refused({ call, what }: Where, why: string, code = "ERR_INVALID_ARG_TYPE"): TypeError {
  return Object.assign(new TypeError(`${call}: ${what === "" ? "" : `${what} `}${why}`), { code });
}

const isObject = (value: unknown): value is object => (typeof value === "object" && value !== null) || typeof value === "function";

export const text: Convert<string> = (value, where) => {
  if (typeof value === "symbol") throw refused(where, "is a Symbol and cannot be converted to a string.");
  return String(value);
};

export const flag: Convert<boolean> = (value) => Boolean(value);

/** From 0 to 2^bitCount - 1, and nothing else. */
export const whole = (bitCount: number): Convert<number> => (value, where) => {
  if (typeof value === "bigint" || typeof value === "symbol") throw refused(where, `is a ${typeof value === "bigint" ? "BigInt" : "Symbol"} and cannot be converted to a number.`);
  const number = Math.trunc(Number(value));
  if (!Number.isFinite(number)) throw refused(where, "is not a finite number.");
  if (number < 0 || number > 2 ** bitCount - 1) throw refused(where, `is outside the expected range of 0 to ${2 ** bitCount - 1}.`, "ERR_OUT_OF_RANGE");
  return number;
};

/** A number however large: only its low 32 bits count. */
export const wrapped: Convert<number> = (value, where) => {
  if (typeof value === "bigint" || typeof value === "symbol") throw refused(where, `is a ${typeof value === "bigint" ? "BigInt" : "Symbol"} and cannot be converted to a number.`);
  const number = Math.trunc(Number(value));
  return Number.isFinite(number) ? (number >= 0 && number < 2 ** 32 ? number : number % 2 ** 32) : 0;
};

const isShared = (buffer: ArrayBufferLike): boolean => typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;

/** A copy: what the program does to its own later changes nothing. */
export const bytes: Convert<Uint8Array<ArrayBuffer>> = (value, where) => {
  if (ArrayBuffer.isView(value)) {
    if (isShared(value.buffer)) throw refused(where, "is a view on a SharedArrayBuffer, which is not allowed.");
    return Uint8Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  // Another realm's buffer (vm, jest) counts too.
  if (!(value instanceof ArrayBuffer) && Object.prototype.toString.call(value) !== "[object ArrayBuffer]") throw refused(where, "is not instance of ArrayBuffer, Buffer, TypedArray, or DataView.");
  return Uint8Array.from(new Uint8Array(value as ArrayBuffer));
};

/** A number in bytes, big-endian. The program's own object, which the key shows again. */
export const bigInteger: Convert<Uint8Array> = (value, where) => {
  if (!ArrayBuffer.isView(value) || Object.prototype.toString.call(value) !== "[object Uint8Array]") throw refused(where, "is not an Uint8Array object.");
  if (isShared(value.buffer)) throw refused(where, "is a view on a SharedArrayBuffer, which is not allowed.");
  return value as Uint8Array;
};

export const cryptoKey: Convert<InstanceType<ReturnType<typeof tools>["CryptoKey"]>> = (value, where) => {
  if (!(value instanceof tools().CryptoKey)) throw refused(where, "is not of type CryptoKey.");
  return value;
};

/** An algorithm's name, or an object that has it. */
export const algorithm: Convert<string | object> = (value, where) => (isObject(value) ? value : text(value, where));

export const oneOf = (type: string, values: readonly string[]): Convert<string> => (value, where) => {
  const found = String(value);
  if (!values.includes(found)) throw refused(where, `value '${found}' is not a valid enum value of type ${type}.`, "ERR_INVALID_ARG_VALUE");
  return found;
};

export const list = <T>(item: Convert<T>): Convert<T[]> => (value, where) => {
  const make = isObject(value) ? (value as Partial<Iterable<unknown>>)[Symbol.iterator] : undefined;
  if (typeof make !== "function") throw refused(where, "can not be converted to sequence.");
  return Array.from(value as Iterable<unknown>, (each, k) => item(each, { ...where, what: `${where.what}, index ${k}` }));
};

/** A member whose name ends in `?` may be absent. Read in the order of their names, as the standard says. */
export const dictionary = (type: string, members: Readonly<Record<string, Convert>>): Convert<Dict> => {
  const sorted = Object.entries(members).map(([name, convert]) => ({ name: name.replace("?", ""), isNeeded: !name.endsWith("?"), convert })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return (value, where) => {
    if (value != null && !isObject(value)) throw refused(where, "can not be converted to a dictionary");
    const found: Dict = {};
    for (const { name, isNeeded, convert } of sorted) {
      const member = (value as Dict | null | undefined)?.[name];
      if (member !== undefined) found[name] = convert(member, { ...where, what: `'${name}' of '${type}' (${where.what})` });
      else if (isNeeded) throw refused(where, `can not be converted to '${type}' because '${name}' is required in '${type}'.`, "ERR_MISSING_OPTION");
    }
    return found;
  };
};

export const format = oneOf("KeyFormat", ["raw", "pkcs8", "spki", "jwk"]);
export const usages = list(oneOf("KeyUsage", ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"]));

const otherPrimes = list(dictionary("RsaOtherPrimesInfo", { "r?": text, "d?": text, "t?": text }));
export const jsonWebKey = dictionary("JsonWebKey", {
  ...Object.fromEntries(["kty", "use", "alg", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k"].map((name) => [`${name}?`, text])),
  "key_ops?": list(text), "ext?": flag, "oth?": otherPrimes,
});
