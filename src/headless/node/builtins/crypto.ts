// node:crypto, the part that projects use in tests: hashes, hmac, random values, comparison, web crypto.
import { hmac } from "@noble/hashes/hmac.js";
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { sha224, sha256, sha384, sha512, sha512_256 } from "@noble/hashes/sha2.js";
import { sha3_256, sha3_512 } from "@noble/hashes/sha3.js";
import { invalidArgType, nodeError, outOfRange, unsupported } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { createWebCrypto, fillRandom, randomUUID } from "./web-crypto.ts";

const HASHES = { md5, sha1, rmd160: ripemd160, ripemd160, sha224, sha256, sha384, sha512, "sha512-256": sha512_256, "sha3-256": sha3_256, "sha3-512": sha3_512 } as const;
type HashFunction = typeof sha256;

function hashOf(name: unknown): HashFunction {
  if (typeof name !== "string") throw invalidArgType("algorithm", "string", name);
  const found = (HASHES as unknown as Record<string, HashFunction>)[name.toLowerCase().replace(/^rsa-/, "").replace(/^sha-(\d)/, "sha$1")];
  if (!found) throw nodeError(Error, "ERR_OSSL_EVP_UNSUPPORTED", "Digest method not supported");
  return found;
}

interface Hasher {
  update(data: Uint8Array): Hasher;
  digest(): Uint8Array;
  clone(): Hasher;
}

class Hash {
  readonly #hasher: Hasher;
  #finished = false;

  constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  update(data: unknown, encoding?: string): this {
    if (this.#finished) throw nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    if (typeof data !== "string" && !ArrayBuffer.isView(data)) throw invalidArgType("data", ["string", "Buffer", "TypedArray", "DataView"], data);
    this.#hasher.update(Uint8Array.from(toBytes(data, encoding)));
    return this;
  }

  digest(encoding?: string): unknown {
    if (this.#finished) throw nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.#finished = true;
    const bytes = Buffer.from(this.#hasher.digest());
    return encoding === undefined || encoding === "buffer" ? bytes : bytes.toString(encoding);
  }

  copy(): Hash {
    return new Hash(this.#hasher.clone());
  }
}

function randomInt(low: number, high: number): number {
  const range = high - low;
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high)) throw invalidArgType("max", "number", high);
  if (range <= 0) throw outOfRange("max", `greater than the value of "min" (${low})`, high);
  // Rejection keeps every value equally likely.
  const limit = 2 ** 48 - (2 ** 48 % range);
  for (;;) {
    const value = fillRandom(new Uint8Array(6)).reduce((sum, byte) => sum * 256 + byte, 0);
    if (value < limit) return low + (value % range);
  }
}

export function createCrypto(runtime: Runtime): Dict {
  const webcrypto = createWebCrypto(runtime.loop);
  const later = (done: unknown, run: () => unknown): unknown => {
    if (typeof done !== "function") return run();
    runtime.loop.post(() => void (done as AnyFunction)(null, run()));
    return undefined;
  };
  const randomBytes = (size: number, done?: unknown): unknown => later(done, () => fillRandom(Buffer.alloc(size)));
  const pbkdf2Sync = (password: unknown, salt: unknown, iterations: number, length: number, digest: string): unknown =>
    Buffer.from(pbkdf2(hashOf(digest), toBytes(password), toBytes(salt), { c: iterations, dkLen: length }));
  const scryptSync = (password: unknown, salt: unknown, length: number, options: { N?: number; cost?: number; r?: number; blockSize?: number; p?: number; parallelization?: number } = {}): unknown =>
    Buffer.from(scrypt(toBytes(password), toBytes(salt), { N: options.N ?? options.cost ?? 16384, r: options.r ?? options.blockSize ?? 8, p: options.p ?? options.parallelization ?? 1, dkLen: length }));
  const missing = Object.fromEntries(["createCipheriv", "createDecipheriv", "createSign", "createVerify", "generateKeyPair", "generateKeyPairSync", "createDiffieHellman", "createECDH", "sign", "verify", "publicEncrypt", "privateDecrypt"].map((name) => [name, () => {
    throw unsupported(`crypto.${name}`, "use crypto.webcrypto.subtle");
  }]));
  return {
    ...missing,
    createHash: (name: unknown) => new Hash(hashOf(name).create() as unknown as Hasher),
    createHmac: (name: unknown, key: unknown) => new Hash(hmac.create(hashOf(name), Uint8Array.from(toBytes(key))) as unknown as Hasher),
    hash: (name: unknown, data: unknown, encoding = "hex") => new Hash(hashOf(name).create() as unknown as Hasher).update(data).digest(encoding),
    getHashes: () => Object.keys(HASHES), getCiphers: () => [], getCurves: () => [], Hash, constants: {},
    randomBytes, pseudoRandomBytes: randomBytes, randomUUID,
    randomInt: (a: number, b?: unknown, c?: unknown) => (typeof b === "number" ? later(c, () => randomInt(a, b)) : later(b, () => randomInt(0, a))),
    randomFillSync: (target: Uint8Array) => fillRandom(target),
    randomFill: (target: Uint8Array, done: unknown) => later(done, () => fillRandom(target)),
    getRandomValues: (target: Uint8Array) => fillRandom(target),
    timingSafeEqual: (a: Uint8Array, b: Uint8Array) => {
      if (a.byteLength !== b.byteLength) throw nodeError(RangeError, "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", "Input buffers must have the same byte length");
      const [x, y] = [toBytes(a), toBytes(b)];
      return x.reduce((difference, byte, k) => difference | (byte ^ (y[k] as number)), 0) === 0;
    },
    pbkdf2Sync, pbkdf2: (...args: unknown[]) => later(args.pop(), () => (pbkdf2Sync as AnyFunction)(...args)),
    scryptSync, scrypt: (...args: unknown[]) => later(args.pop(), () => (scryptSync as AnyFunction)(...args)),
    webcrypto, subtle: (webcrypto as { subtle?: unknown }).subtle,
  };
}
