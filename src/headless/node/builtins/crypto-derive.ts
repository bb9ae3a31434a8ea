// Keys from passwords and from other keys: pbkdf2, scrypt, hkdf, each with Node's checks.
import { hkdf } from "@noble/hashes/hkdf.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { checkInteger, invalidArgType, nodeError, outOfRange } from "../errors.ts";
import type { Dict } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { needDigest } from "./crypto-hashes.ts";
import { keyBytes } from "./crypto-secret-key.ts";

const MAX_INT32 = 2 ** 31 - 1;
const BYTES = ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"];

export function bytesOf(value: unknown, name: string): Uint8Array {
  if (typeof value === "string" || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return Uint8Array.from(toBytes(value));
  throw invalidArgType(name, BYTES, value);
}

/** Checks now, computes when called. */
export type Derivation = (...args: unknown[]) => () => unknown;

export const derivePbkdf2: Derivation = (password, salt, iterations, length, digest) => {
  if (typeof digest !== "string") throw invalidArgType("digest", "string", digest);
  const key = bytesOf(password, "password");
  const salted = bytesOf(salt, "salt");
  checkInteger(iterations, "iterations", 1, MAX_INT32);
  checkInteger(length, "keylen", 0, MAX_INT32);
  const { hash } = needDigest(digest);
  return () => (length === 0 ? Buffer.alloc(0) : Buffer.from(pbkdf2(hash, key, salted, { c: iterations, dkLen: length })));
};

const scryptNumber = (options: Dict, short: string, long: string, otherwise: number): number => {
  const [a, b] = [options[short], options[long]];
  if (a !== undefined && b !== undefined) throw nodeError(Error, "ERR_INCOMPATIBLE_OPTION_PAIR", `Option "${short}" cannot be used in combination with option "${long}"`);
  const value = a ?? b;
  if (value === undefined) return otherwise;
  checkInteger(value, a === undefined ? long : short, 0, 2 ** 32 - 1);
  return value || otherwise;
};

export const deriveScrypt: Derivation = (password, salt, length, given) => {
  const options = (given ?? {}) as Dict;
  const key = bytesOf(password, "password");
  const salted = bytesOf(salt, "salt");
  checkInteger(length, "keylen", 0, MAX_INT32);
  const N = scryptNumber(options, "N", "cost", 16384);
  const r = scryptNumber(options, "r", "blockSize", 8);
  const p = scryptNumber(options, "p", "parallelization", 1);
  const maxmem = (options["maxmem"] as number | undefined) || 32 * 1024 * 1024;
  const invalid = (why = ""): Error => nodeError(RangeError, "ERR_CRYPTO_INVALID_SCRYPT_PARAMS", `Invalid scrypt params${why}`);
  if (N < 2 || (N & (N - 1)) !== 0 || p > (2 ** 30 - 1) / r) throw invalid();
  if (128 * r * (N + 2) + 128 * r * p > maxmem) throw invalid(": error:030000AC:digital envelope routines::memory limit exceeded");
  return () => (length === 0 ? Buffer.alloc(0) : Buffer.from(scrypt(key, salted, { N, r, p, dkLen: length, maxmem: maxmem + 1024 })));
};

const MAX_INFO_BYTES = 1024;

export const deriveHkdf: Derivation = (digest, key, salt, info, length) => {
  if (typeof digest !== "string") throw invalidArgType("digest", "string", digest);
  const input = Uint8Array.from(keyBytes(key, undefined, "ikm"));
  const salted = bytesOf(salt, "salt");
  const context = bytesOf(info, "info");
  checkInteger(length, "length", 0, MAX_INT32);
  if (context.length > MAX_INFO_BYTES) throw outOfRange("info", "must not contain more than 1024 bytes", context.length);
  const { hash } = needDigest(digest);
  if (length > 255 * hash.outputLen) throw nodeError(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
  return () => (length === 0 ? new ArrayBuffer(0) : Uint8Array.from(hkdf(hash, input, salted, context, length)).buffer);
};
