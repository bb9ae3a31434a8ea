// Key agreement: ECDH, Diffie-Hellman, the one-shot function for KeyObjects, and primes.
import { x25519 } from "@noble/curves/ed25519.js";
import { x448 } from "@noble/curves/ed448.js";
import { DHGroups } from "micro-rsa-dsa-dh/dh.js";
import { isProbablePrime, isProbablySafePrime } from "micro-rsa-dsa-dh/primality.js";
import type { AnyFunction, Dict } from "../../node/runtime.ts";
import { fromBigEndian, toBigEndian } from "./der.ts";
import { power } from "./formats.ts";
import { materialOf } from "./key-objects.ts";
import { CURVES, type CurveName, curveNamed } from "./material.ts";
import { randomPrime } from "./rsa.ts";
import { answer } from "./sign.ts";
import { randomBytes, tools } from "./tools.ts";

/** OpenSSL makes no smaller group. */
const MIN_DH_BITS = 512;
/** Rounds of Miller and Rabin's test. */
const ROUNDS = 20;

function bytesOf(value: unknown, encoding: unknown, name: string): Uint8Array {
  if (typeof value !== "string" && !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) throw tools().invalidArgType(name, ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"], value);
  return Uint8Array.from(tools().dataBytes(value, encoding));
}

const invalidKeyPair = (): Error => tools().nodeError(Error, "ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY", "Public key is not valid for specified curve");

function pointAs(curve: CurveName, point: Uint8Array, format: unknown): Uint8Array {
  if (format !== undefined && format !== "compressed" && format !== "uncompressed" && format !== "hybrid") throw tools().nodeError(TypeError, "ERR_CRYPTO_ECDH_INVALID_FORMAT", `Invalid ECDH format: ${String(format)}`);
  const found = CURVES[curve].curve.Point.fromBytes(point);
  if (format === "compressed") return found.toBytes(true);
  const whole = Uint8Array.from(found.toBytes(false));
  if (format === "hybrid") whole[0] = 6 + ((whole.at(-1) as number) & 1);
  return whole;
}

const readPoint = (point: Uint8Array): Uint8Array => (point[0] === 6 || point[0] === 7 ? Uint8Array.from(point, (byte, k) => (k === 0 ? 4 : byte)) : point);

class ECDH {
  readonly #curve: CurveName;
  #private: Uint8Array | undefined;
  #public: Uint8Array | undefined;

  constructor(name: unknown) {
    if (typeof name !== "string") throw tools().invalidArgType("curve", "string", name);
    this.#curve = curveNamed(name);
  }

  static convertKey(key: unknown, name: unknown, inputEncoding?: unknown, outputEncoding?: unknown, format?: unknown): unknown {
    if (typeof name !== "string") throw tools().invalidArgType("curve", "string", name);
    const point = bytesOf(key, inputEncoding, "key");
    return tools().encoded(pointAs(curveNamed(name), readPoint(point), format), outputEncoding);
  }

  generateKeys(encoding?: unknown, format?: unknown): unknown {
    this.#private = CURVES[this.#curve].curve.utils.randomSecretKey();
    this.#public = CURVES[this.#curve].curve.getPublicKey(this.#private, false);
    return this.getPublicKey(encoding, format);
  }

  computeSecret(other: unknown, inputEncoding?: unknown, outputEncoding?: unknown): unknown {
    const point = readPoint(bytesOf(other, inputEncoding, "otherPublicKey"));
    if (!this.#private) throw tools().nodeError(RangeError, "ERR_CRYPTO_INVALID_KEYPAIR", "Invalid key pair");
    const { curve, bytes } = CURVES[this.#curve];
    let shared: Uint8Array;
    try {
      shared = curve.getSharedSecret(this.#private, point, false);
    } catch (cause) {
      throw Object.assign(invalidKeyPair(), { cause });
    }
    return tools().encoded(shared.subarray(1, 1 + bytes), outputEncoding);
  }

  getPublicKey(encoding?: unknown, format?: unknown): unknown {
    if (!this.#public) throw tools().nodeError(Error, "ERR_CRYPTO_OPERATION_FAILED", "Failed to get ECDH public key");
    return tools().encoded(pointAs(this.#curve, this.#public, format), encoding);
  }

  getPrivateKey(encoding?: unknown): unknown {
    if (!this.#private) throw tools().nodeError(Error, "ERR_CRYPTO_OPERATION_FAILED", "Failed to get ECDH private key");
    return tools().encoded(toBigEndian(fromBigEndian(this.#private)), encoding);
  }

  setPrivateKey(key: unknown, encoding?: unknown): this {
    const { curve, bytes } = CURVES[this.#curve];
    const value = fromBigEndian(bytesOf(key, encoding, "key"));
    if (value <= 0n || value >= curve.Point.Fn.ORDER) throw tools().nodeError(RangeError, "ERR_CRYPTO_INVALID_KEYTYPE", "Private key is not valid for specified curve.");
    this.#private = toBigEndian(value, bytes);
    this.#public = curve.getPublicKey(this.#private, false);
    return this;
  }

  setPublicKey(key: unknown, encoding?: unknown): this {
    try {
      this.#public = pointAs(this.#curve, readPoint(bytesOf(key, encoding, "key")), undefined);
    } catch (cause) {
      throw Object.assign(new Error("Failed to convert Buffer to EC_POINT"), { cause });
    }
    return this;
  }
}

class DiffieHellman {
  #p = 0n;
  #g = 2n;
  #length = 0;
  #private: bigint | undefined;
  #public: bigint | undefined;
  readonly verifyError: number = 0;

  constructor(sizeOrPrime: unknown, ...rest: readonly unknown[]) {
    const [first, second, third] = rest;
    // An encoding comes second, where there is one.
    const encoded = typeof first === "string" && (first === "buffer" || tools().Buffer.isEncoding(first));
    const [primeEncoding, generator, generatorEncoding] = encoded ? [first, second, third] : [undefined, first, second];
    this.#g = generatorOf(generator, generatorEncoding);
    if (typeof sizeOrPrime === "number") {
      if (sizeOrPrime < MIN_DH_BITS) throw tools().opensslError("0280007E", "Diffie-Hellman routines", "modulus too small", "ERR_OSSL_DH_MODULUS_TOO_SMALL");
      this.#use(safePrime(sizeOrPrime));
    } else this.#use(fromBigEndian(bytesOf(sizeOrPrime, primeEncoding, "sizeOrKey")));
  }

  #use(p: bigint): void {
    this.#p = p;
    this.#length = Math.ceil(p.toString(2).length / 8);
  }

  generateKeys(encoding?: unknown): unknown {
    this.#private ??= (fromBigEndian(randomBytes(this.#length)) % (this.#p - 3n)) + 2n;
    this.#public = power(this.#g, this.#private, this.#p);
    return this.getPublicKey(encoding);
  }

  computeSecret(other: unknown, inputEncoding?: unknown, outputEncoding?: unknown): unknown {
    const key = fromBigEndian(bytesOf(other, inputEncoding, "otherPublicKey"));
    const { nodeError } = tools();
    if (key <= 1n) throw nodeError(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Supplied key is too small");
    if (key >= this.#p - 1n) throw nodeError(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Supplied key is too large");
    if (this.#private === undefined) throw nodeError(Error, "ERR_CRYPTO_INVALID_STATE", "No private key - did you forget to generate one?");
    return tools().encoded(toBigEndian(power(key, this.#private, this.#p), this.#length), outputEncoding);
  }

  getPrime(encoding?: unknown): unknown {
    return tools().encoded(toBigEndian(this.#p), encoding);
  }

  getGenerator(encoding?: unknown): unknown {
    return tools().encoded(toBigEndian(this.#g), encoding);
  }

  getPublicKey(encoding?: unknown): unknown {
    if (this.#public === undefined) throw tools().nodeError(Error, "ERR_CRYPTO_INVALID_STATE", "No public key - did you forget to generate one?");
    return tools().encoded(toBigEndian(this.#public), encoding);
  }

  getPrivateKey(encoding?: unknown): unknown {
    if (this.#private === undefined) throw tools().nodeError(Error, "ERR_CRYPTO_INVALID_STATE", "No private key - did you forget to generate one?");
    return tools().encoded(toBigEndian(this.#private), encoding);
  }

  setPublicKey(key: unknown, encoding?: unknown): void {
    this.#public = fromBigEndian(bytesOf(key, encoding, "key"));
  }

  setPrivateKey(key: unknown, encoding?: unknown): void {
    this.#private = fromBigEndian(bytesOf(key, encoding, "key"));
  }
}

function generatorOf(value: unknown, encoding: unknown): bigint {
  if (value === undefined || value === null || value === "") return 2n;
  if (typeof value === "number") {
    if (value < 2) throw tools().opensslError("0280006A", "Diffie-Hellman routines", "bad generator", "ERR_OSSL_DH_BAD_GENERATOR");
    return BigInt(value);
  }
  return fromBigEndian(bytesOf(value, encoding, "generator"));
}

const groupNamed = (name: unknown): { readonly p: bigint; readonly g: bigint } => {
  if (typeof name !== "string") throw tools().invalidArgType("name", "string", name);
  const group = Object.hasOwn(DHGroups, name) ? DHGroups[name] : undefined;
  if (!group) throw tools().nodeError(Error, "ERR_CRYPTO_UNKNOWN_DH_GROUP", "Unknown DH group");
  return group;
};

/** Its parameters are known to all, and cannot be set. */
class DiffieHellmanGroup extends DiffieHellman {
  constructor(name: unknown) {
    const { p, g } = groupNamed(name);
    super(toBigEndian(p), "buffer", Number(g));
  }
}
for (const name of Object.getOwnPropertyNames(DiffieHellman.prototype)) {
  const method = name.startsWith("set") ? undefined : (DiffieHellman.prototype as unknown as Dict)[name];
  if (name !== "constructor") Object.defineProperty(DiffieHellmanGroup.prototype, name, { value: method, writable: true, configurable: true });
}

/** `(p - 1) / 2` is prime too. */
function safePrime(bitCount: number): bigint {
  if (bitCount < 6) return bitCount < 3 ? 3n : bitCount === 3 ? 7n : bitCount === 4 ? 11n : 23n;
  for (;;) {
    const half = randomPrime(bitCount - 1, (prime) => isProbablePrime(2n * prime + 1n, 1, randomBytes));
    if (isProbablySafePrime(2n * half + 1n, ROUNDS, randomBytes)) return 2n * half + 1n;
  }
}

export const newDhPair = (p: bigint, g: bigint): { readonly y: bigint; readonly private: bigint } => {
  const secret = (fromBigEndian(randomBytes(Math.ceil(p.toString(2).length / 8))) % (p - 3n)) + 2n;
  return { y: power(g, secret, p), private: secret };
};

export { groupNamed, safePrime };

/** What two KeyObjects agree on. */
export function diffieHellman(options: unknown): unknown {
  const { invalidArgType, invalidArgValue, nodeError, Buffer } = tools();
  if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
  const { privateKey, publicKey } = options as { privateKey?: { type?: string }; publicKey?: { type?: string } };
  const [own, other] = [materialOf(privateKey), materialOf(publicKey)];
  if (!own) throw invalidArgValue("options.privateKey", privateKey);
  if (!other) throw invalidArgValue("options.publicKey", publicKey);
  if (privateKey?.type !== "private") throw nodeError(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${privateKey?.type}, expected private.`);
  if (own.type !== other.type || (own.type !== "ec" && own.type !== "dh" && own.type !== "x25519" && own.type !== "x448")) {
    throw nodeError(Error, "ERR_CRYPTO_INCOMPATIBLE_KEY", own.type === other.type ? `Incompatible key type for Diffie-Hellman: ${own.type}` : `Incompatible key types for Diffie-Hellman: ${own.type} and ${other.type}`);
  }
  if (own.type === "ec" && other.type === "ec") {
    const { curve, bytes } = CURVES[own.curve];
    if (own.curve !== other.curve) throw tools().opensslError("1C80006F", "Provider routines", "mismatching domain parameters", "ERR_OSSL_MISMATCHING_DOMAIN_PARAMETERS");
    return Buffer.from(curve.getSharedSecret(own.private as Uint8Array, other.point, false).subarray(1, 1 + bytes));
  }
  if (own.type === "dh" && other.type === "dh") return Buffer.from(toBigEndian(power(other.y, own.private as bigint, own.p), Math.ceil(own.p.toString(2).length / 8)));
  const [secret, theirs] = [(own as { private: Uint8Array }).private, (other as { public: Uint8Array }).public];
  return Buffer.from(own.type === "x25519" ? x25519.getSharedSecret(secret, theirs) : x448.getSharedSecret(secret, theirs));
}

function number(value: unknown, name: string): bigint | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "bigint") return value;
  if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) throw tools().invalidArgType(name, ["ArrayBuffer", "TypedArray", "Buffer", "DataView", "bigint"], value);
  return fromBigEndian(tools().dataBytes(value));
}

function prime(size: unknown, given: unknown): () => unknown {
  const { invalidArgType, outOfRange } = tools();
  if (typeof size !== "number") throw invalidArgType("size", "number", size);
  if (!Number.isInteger(size) || size < 1 || size > 2 ** 31 - 1) throw outOfRange("size", Number.isInteger(size) ? ">= 1 && <= 2147483647" : "an integer", size);
  const options = (given ?? {}) as Dict;
  const [add, rem] = [number(options["add"], "options.add"), number(options["rem"], "options.rem")];
  const fits = (found: bigint): boolean => add === undefined || found % add === (rem ?? (options["safe"] ? 3n : 1n)) % add;
  return () => {
    for (;;) {
      const found = options["safe"] ? safePrime(size) : size < 8 ? smallPrime(size) : randomPrime(size, fits);
      if (!fits(found)) continue;
      return options["bigint"] ? found : Uint8Array.from(toBigEndian(found, Math.ceil(size / 8))).buffer;
    }
  };
}

function smallPrime(bitCount: number): bigint {
  const all = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n, 53n, 59n, 61n, 67n, 71n, 73n, 79n, 83n, 89n, 97n, 101n, 103n, 107n, 109n, 113n, 127n].filter((each) => each.toString(2).length === Math.max(bitCount, 2));
  return all[(randomBytes(1)[0] as number) % all.length] as bigint;
}

function isPrime(candidate: unknown): () => boolean {
  const value = number(candidate, "candidate");
  if (value === undefined) throw tools().invalidArgType("candidate", ["ArrayBuffer", "TypedArray", "Buffer", "DataView", "bigint"], candidate);
  return () => value === 2n || value === 3n || (value > 3n && value % 2n === 1n && isProbablePrime(value, ROUNDS, randomBytes));
}

/** Options may be left out before a callback. */
const withCallback = (rest: readonly unknown[]): { options: unknown; done: unknown } => (typeof rest[0] === "function" ? { options: undefined, done: rest[0] } : { options: rest[0], done: rest[1] });

export function exchange(): Dict {
  const needed = (done: unknown): unknown => {
    if (typeof done !== "function") throw tools().invalidArgType("callback", "function", done);
    return done;
  };
  type Maker = new (...args: unknown[]) => unknown;
  const callable = (Class: unknown): AnyFunction => new Proxy(Class as AnyFunction, { apply: (target, _self, args: unknown[]) => new (target as unknown as Maker)(...args) });
  return {
    ECDH: callable(ECDH), DiffieHellman: callable(DiffieHellman), DiffieHellmanGroup: callable(DiffieHellmanGroup),
    createECDH: (name: unknown) => new ECDH(name),
    createDiffieHellman: (sizeOrPrime: unknown, ...rest: readonly unknown[]) => new DiffieHellman(sizeOrPrime, ...rest),
    createDiffieHellmanGroup: (name: unknown) => new DiffieHellmanGroup(name),
    getDiffieHellman: (name: unknown) => new DiffieHellmanGroup(name),
    diffieHellman,
    generatePrimeSync: (size: unknown, options?: unknown) => prime(size, options)(),
    generatePrime: (size: unknown, ...rest: readonly unknown[]) => {
      const { options, done } = withCallback(rest);
      return answer(prime(size, options), needed(done));
    },
    checkPrimeSync: (candidate: unknown) => isPrime(candidate)(),
    checkPrime: (candidate: unknown, ...rest: readonly unknown[]) => answer(isPrime(candidate), needed(withCallback(rest).done)),
  };
}
