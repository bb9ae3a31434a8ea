// RSA on big integers: PKCS #1 v1.5 and PSS signatures, PKCS #1 and OAEP encryption (RFC 8017). Not in constant time: a
// container's keys protect nothing but its own tests.
import { joined } from "../../../base/bytes.ts";
import { isProbablePrimeRSA } from "micro-rsa-dsa-dh/primality.js";
import { gcd, invert, pow } from "micro-rsa-dsa-dh/utils.js";
import { fromBigEndian, nothing, octets, oid, sequence, toBigEndian } from "./der.ts";
import type { RsaKey } from "./material.ts";
import { hashed, needDigest, randomBytes, stacked, tools } from "./tools.ts";

export const modulusBits = ({ n }: RsaKey): number => n.toString(2).length;
const modulusBytes = (key: RsaKey): number => Math.ceil(modulusBits(key) / 8);

const RSA_LIB = "error:1C880004:Provider routines::RSA lib";
const tooLarge = (): Error => tools().opensslError("0200006E", "rsa routines", "data too large for key size", "ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE");
const decodingError = (): Error => tools().opensslError("02000079", "rsa routines", "oaep decoding error", "ERR_OSSL_RSA_OAEP_DECODING_ERROR");

export function publicOperation(key: RsaKey, block: Uint8Array): Uint8Array {
  const value = fromBigEndian(block);
  if (value >= key.n) throw tools().opensslError("02000084", "rsa routines", "data too large for modulus", "ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_MODULUS");
  return toBigEndian(pow(value, key.e, key.n), modulusBytes(key));
}

/** By the Chinese remainder theorem: two powers of half the length. */
export function privateOperation(key: RsaKey, block: Uint8Array): Uint8Array {
  const { p, q, dp, dq, qi } = key.private as NonNullable<RsaKey["private"]>;
  const value = fromBigEndian(block);
  if (value >= key.n) throw tools().opensslError("02000084", "rsa routines", "data too large for modulus", "ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_MODULUS");
  const [a, b] = [pow(value % p, dp, p), pow(value % q, dq, q)];
  const h = (qi * (((a - b) % p) + p)) % p;
  return toBigEndian(b + h * q, modulusBytes(key));
}

const OIDS: Readonly<Record<string, string>> = {
  "md5": "1.2.840.113549.2.5", "sha1": "1.3.14.3.2.26", "ripemd160": "1.3.36.3.2.1", "sha224": "2.16.840.1.101.3.4.2.4", "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3",
  "sha512-224": "2.16.840.1.101.3.4.2.5", "sha512-256": "2.16.840.1.101.3.4.2.6", "sha3-224": "2.16.840.1.101.3.4.2.7", "sha3-256": "2.16.840.1.101.3.4.2.8", "sha3-384": "2.16.840.1.101.3.4.2.9", "sha3-512": "2.16.840.1.101.3.4.2.10",
};
/** OpenSSL's names that mean one of the above. */
export const plainDigest = (name: string): string => name.toLowerCase().replace(/^rsa-/, "").replace(/^sha-/, "sha").replace(/^sha512\//, "sha512-").replace(/with(rsa|rsaencryption)$/, "").replace(/^(rmd160|ripemd)$/, "ripemd160");
export const digestOid = (name: string): string | undefined => OIDS[plainDigest(name)];
export const digestOfOid = (dotted: string): string | undefined => Object.entries(OIDS).find(([, value]) => value === dotted)?.[0];

/** `0 1 FF… 0 data`, or for encryption `0 2 random… 0 data`. */
function padded(kind: 1 | 2, data: Uint8Array, length: number): Uint8Array {
  const room = length - data.length - 3;
  if (room < 8) throw kind === 2 ? tooLarge() : tools().opensslError("02000070", "rsa routines", "digest too big for rsa key", "ERR_OSSL_RSA_DIGEST_TOO_BIG_FOR_RSA_KEY");
  const filling = kind === 1 ? new Uint8Array(room).fill(0xff) : randomBytes(room).map((byte) => byte || 1);
  return joined([Uint8Array.of(0, kind), filling, Uint8Array.of(0), data]);
}

function unpadded(block: Uint8Array): Uint8Array | undefined {
  const end = block.indexOf(0, 2);
  return block[0] === 0 && block[1] === 1 && end >= 10 ? block.subarray(end + 1) : undefined;
}

function digestInfo(digest: string, hash: Uint8Array): Uint8Array {
  const dotted = digestOid(digest);
  if (dotted === undefined) return hash; // md5-sha1 has none
  return sequence(sequence(oid(dotted), nothing()), octets(hash));
}

export function signPkcs1(key: RsaKey, digest: string, hash: Uint8Array): Uint8Array {
  return privateOperation(key, padded(1, digestInfo(digest, hash), modulusBytes(key)));
}

export function verifyPkcs1(key: RsaKey, digest: string, hash: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== modulusBytes(key) || fromBigEndian(signature) >= key.n) return false;
  return same(publicOperation(key, signature), padded(1, digestInfo(digest, hash), modulusBytes(key)));
}

function mask(digest: string, seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let k = 0, have = 0; have < length; k++) {
    const block = hashed(digest, seed, toBigEndian(BigInt(k), 4));
    blocks.push(block);
    have += block.length;
  }
  return joined(blocks).subarray(0, length);
}

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, k) => byte ^ (b[k] as number));
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, k) => byte === b[k]);

export interface Pss {
  readonly digest: string;
  readonly mgfHash: string;
  /** -1: as long as the digest; -2: as long as fits, or whatever a signature has. */
  readonly saltLength: number;
}

export function signPss(key: RsaKey, { digest, mgfHash, saltLength }: Pss, hash: Uint8Array): Uint8Array {
  const bitCount = modulusBits(key) - 1;
  const length = Math.ceil(bitCount / 8);
  const saltBytes = saltLength === -1 ? hash.length : saltLength === -2 ? length - hash.length - 2 : saltLength;
  if (saltBytes < 0 || length < hash.length + saltBytes + 2) throw tooLarge();
  const salt = randomBytes(saltBytes);
  const h = hashed(digest, new Uint8Array(8), hash, salt);
  const data = joined([new Uint8Array(length - saltBytes - hash.length - 2), Uint8Array.of(1), salt]);
  const masked = xor(data, mask(mgfHash, h, data.length));
  masked[0] = (masked[0] as number) & (0xff >> (8 * length - bitCount));
  return privateOperation(key, joined([masked, h, Uint8Array.of(0xbc)]));
}

export function verifyPss(key: RsaKey, { digest, mgfHash, saltLength }: Pss, hash: Uint8Array, signature: Uint8Array): boolean {
  const bitCount = modulusBits(key) - 1;
  const length = Math.ceil(bitCount / 8);
  if (signature.length !== modulusBytes(key) || fromBigEndian(signature) >= key.n) return false;
  const block = publicOperation(key, signature).subarray(-length);
  if (block.at(-1) !== 0xbc || length < hash.length + 2) return false;
  const h = block.subarray(length - hash.length - 1, length - 1);
  const masked = block.subarray(0, length - hash.length - 1);
  const clear = 0xff >> (8 * length - bitCount);
  if (((masked[0] as number) & ~clear & 0xff) !== 0) return false;
  const data = xor(masked, mask(mgfHash, h, masked.length));
  data[0] = (data[0] as number) & clear;
  const one = data.findIndex((byte) => byte !== 0);
  if (one < 0 || data[one] !== 1) return false;
  const salt = data.subarray(one + 1);
  if (saltLength !== -2 && salt.length !== (saltLength === -1 ? hash.length : saltLength)) return false;
  return same(h, hashed(digest, new Uint8Array(8), hash, salt));
}

export interface Oaep {
  readonly digest: string;
  readonly label: Uint8Array;
}

export const PADDING = { pkcs1: 1, none: 3, oaep: 4, pss: 6 } as const;

export function encrypt(key: RsaKey, data: Uint8Array, padding: number, { digest, label }: Oaep): Uint8Array {
  const length = modulusBytes(key);
  if (padding === PADDING.none) return publicOperation(key, whole(data, length));
  if (padding === PADDING.pkcs1) return publicOperation(key, padded(2, data, length));
  const { outputLength } = needDigest(digest);
  const room = length - data.length - 2 * outputLength - 2;
  if (room < 0) throw tooLarge();
  const seed = randomBytes(outputLength);
  const block = joined([hashed(digest, label), new Uint8Array(room), Uint8Array.of(1), data]);
  const masked = xor(block, mask(digest, seed, block.length));
  return publicOperation(key, joined([Uint8Array.of(0), xor(seed, mask(digest, masked, outputLength)), masked]));
}

/** By OAEP or without padding: PKCS #1's tells too much when it is wrong, and Node refuses it. */
export function decrypt(key: RsaKey, data: Uint8Array, padding: number, { digest, label }: Oaep): Uint8Array {
  if (data.length > modulusBytes(key)) throw tools().opensslError("0200006C", "rsa routines", "data greater than mod len", "ERR_OSSL_RSA_DATA_GREATER_THAN_MOD_LEN");
  const block = privateOperation(key, data);
  if (padding === PADDING.none) return block;
  const { outputLength } = needDigest(digest);
  const masked = block.subarray(1 + outputLength);
  const seed = xor(block.subarray(1, 1 + outputLength), mask(digest, masked, outputLength));
  const content = xor(masked, mask(digest, seed, masked.length));
  const one = content.indexOf(1, outputLength);
  const clean = block[0] === 0 && one >= 0 && content.subarray(outputLength, one).every((byte) => byte === 0);
  if (!clean || !same(content.subarray(0, outputLength), hashed(digest, label))) throw decodingError();
  return content.subarray(one + 1);
}

/** What `privateEncrypt` and `publicDecrypt` do: a signature of bytes as they are. */
export function encryptPrivately(key: RsaKey, data: Uint8Array, padding: number): Uint8Array {
  const length = modulusBytes(key);
  if (padding === PADDING.none) return privateOperation(key, whole(data, length));
  if (length - data.length - 3 < 8) throw stacked(tooLarge(), [RSA_LIB]);
  return privateOperation(key, padded(1, data, length));
}

export function decryptPublicly(key: RsaKey, data: Uint8Array, padding: number): Uint8Array {
  const block = publicOperation(key, data);
  const found = padding === PADDING.none ? block : unpadded(block);
  if (!found) throw stacked(tools().opensslError("0200008A", "rsa routines", "invalid padding", "ERR_OSSL_RSA_INVALID_PADDING"), [RSA_LIB, "error:02000072:rsa routines::padding check failed"]);
  return found;
}

function whole(data: Uint8Array, length: number): Uint8Array {
  if (data.length > length) throw tooLarge();
  if (data.length < length) throw tools().opensslError("0200007A", "rsa routines", "data too small for key size", "ERR_OSSL_RSA_DATA_TOO_SMALL_FOR_KEY_SIZE");
  return data;
}

/** Odd primes below 2000: most candidates fall here, without a power. */
const SMALL = Array.from({ length: 2000 }, (_, n) => n).filter((n) => n > 2 && n % 2 === 1 && Array.from({ length: Math.floor(Math.sqrt(n)) }, (_, k) => k + 1).every((d) => d === 1 || n % d !== 0));

/** With its two highest bits set, so that a product of two has exactly twice the bits. */
export function randomPrime(bitCount: number, suits: (prime: bigint) => boolean = () => true): bigint {
  for (;;) {
    const start = (fromBigEndian(randomBytes(Math.ceil(bitCount / 8))) & ((1n << BigInt(bitCount)) - 1n)) | (3n << BigInt(bitCount - 2)) | 1n;
    const rests = SMALL.map((prime) => Number(start % BigInt(prime)));
    for (let step = 0; step < 4096; step += 2) {
      if (rests.some((rest, k) => (rest + step) % (SMALL[k] as number) === 0 && start + BigInt(step) !== BigInt(SMALL[k] as number))) continue;
      const candidate = start + BigInt(step);
      if (candidate >> BigInt(bitCount) === 0n && suits(candidate) && isProbablePrimeRSA(candidate, randomBytes)) return candidate;
    }
  }
}

export function generateRsa(type: RsaKey["type"], bitCount: number, e: bigint): RsaKey {
  const suits = (prime: bigint): boolean => gcd(prime - 1n, e) === 1n;
  const p = randomPrime(Math.ceil(bitCount / 2), suits);
  for (;;) {
    const q = randomPrime(Math.floor(bitCount / 2), suits);
    if (p === q) continue;
    return withFactors(type, e, invert(e, ((p - 1n) * (q - 1n)) / gcd(p - 1n, q - 1n)), p > q ? p : q, p > q ? q : p);
  }
}

export function withFactors(type: RsaKey["type"], e: bigint, d: bigint, p: bigint, q: bigint): RsaKey {
  return { type, n: p * q, e, private: { d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: invert(q, p) } };
}
