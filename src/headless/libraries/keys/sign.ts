// Signatures: Sign and Verify, and the one-shot functions.
import { ed25519 } from "@noble/curves/ed25519.js";
import { ed448 } from "@noble/curves/ed448.js";
import type { AnyFunction, Dict } from "../../node/runtime.ts";
import { keyFor } from "./key-objects.ts";
import { CURVES, type EcKey, type Material } from "./material.ts";
import { PADDING, plainDigest, type Pss, signPkcs1, signPss, verifyPkcs1, verifyPss } from "./rsa.ts";
import { hashed, needDigest, tools } from "./tools.ts";

const DEFAULT_DIGEST: Readonly<Record<string, string>> = { "rsa": "sha256", "rsa-pss": "sha256", "ec": "sha256" };

interface How {
  readonly padding: number | undefined;
  readonly saltLength: number | undefined;
  readonly encoding: "der" | "ieee-p1363";
}

function howOf(given: unknown): How {
  const { padding, saltLength, dsaEncoding } = (typeof given === "object" && given !== null && !ArrayBuffer.isView(given) ? given : {}) as { padding?: unknown; saltLength?: unknown; dsaEncoding?: unknown };
  const { invalidArgValue } = tools();
  if (padding !== undefined && (typeof padding !== "number" || !Number.isInteger(padding))) throw invalidArgValue("options.padding", padding);
  if (saltLength !== undefined && (typeof saltLength !== "number" || !Number.isInteger(saltLength))) throw invalidArgValue("options.saltLength", saltLength);
  if (dsaEncoding !== undefined && dsaEncoding !== "der" && dsaEncoding !== "ieee-p1363") throw invalidArgValue("options.dsaEncoding", dsaEncoding);
  return { padding, saltLength, encoding: dsaEncoding ?? "der" };
}

/** OpenSSL's names for a salt as long as the digest, and for any. */
function pssOf(key: Material, digest: string, { saltLength }: How, signs: boolean): Pss {
  const own = key.type === "rsa-pss" ? key.pss : undefined;
  const asked = saltLength ?? (own ? own.saltLength : -2);
  return { digest, mgfHash: own?.mgfHash ?? digest, saltLength: asked === -3 ? -2 : !signs && asked === -2 ? -2 : asked };
}

const wrongKey = (): Error => tools().opensslError("03000096", "digital envelope routines", "operation not supported for this keytype", "ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE");

const ecOptions = (encoding: How["encoding"]) => ({ prehash: false, lowS: false, format: encoding === "der" ? "der" : "compact" }) as const;

function signHash(key: Material, digest: string, hash: Uint8Array, how: How): Uint8Array {
  if (key.type === "ec") return CURVES[key.curve].curve.sign(hash, key.private as Uint8Array, ecOptions(how.encoding));
  if (key.type === "rsa-pss" || (key.type === "rsa" && how.padding === PADDING.pss)) return signPss(key, pssOf(key, digest, how, true), hash);
  if (key.type === "rsa") return signPkcs1(key, digest, hash);
  throw wrongKey();
}

function verifyHash(key: Material, digest: string, hash: Uint8Array, signature: Uint8Array, how: How): boolean {
  if (key.type === "ec") return verifyEc(key, hash, signature, how);
  if (key.type === "rsa-pss" || (key.type === "rsa" && how.padding === PADDING.pss)) return verifyPss(key, pssOf(key, digest, how, false), hash, signature);
  if (key.type === "rsa") return verifyPkcs1(key, digest, hash, signature);
  throw wrongKey();
}

function verifyEc({ curve, point }: EcKey, hash: Uint8Array, signature: Uint8Array, { encoding }: How): boolean {
  try {
    return CURVES[curve].curve.verify(signature, hash, point, ecOptions(encoding));
  } catch (error) {
    if (error instanceof RangeError && /stack/.test(error.message)) throw error;
    return false; // no signature at all
  }
}

function checkAlgorithm(algorithm: unknown): string {
  if (typeof algorithm !== "string") throw tools().invalidArgType("algorithm", "string", algorithm);
  if (!tools().findDigest(algorithm)) throw tools().nodeError(TypeError, "ERR_CRYPTO_INVALID_DIGEST", "Invalid digest");
  return algorithm;
}

interface Running {
  readonly algorithm: string;
  readonly hasher: { update(data: Uint8Array): unknown; digest(): Uint8Array };
}
const running = new WeakMap<object, Running>();

type Class = AnyFunction & { prototype: Dict };

function makeClass(name: string, method: string, run: AnyFunction): Class {
  const { Writable, dataBytes, invalidArgType } = tools();
  const Made = { [name]: function (this: object | undefined, algorithm: unknown, options?: unknown): unknown {
    if (!(this instanceof Made)) return new (Made as unknown as new (...args: unknown[]) => unknown)(algorithm, options);
    const checked = checkAlgorithm(algorithm);
    Writable.call(this, options);
    running.set(this, { algorithm: checked, hasher: needDigest(checked).create() });
    return undefined;
  } }[name] as unknown as Class;
  Object.setPrototypeOf(Made.prototype, Writable.prototype);
  Object.setPrototypeOf(Made, Writable);
  Object.assign(Made.prototype, {
    _write(this: object, chunk: Uint8Array, _encoding: unknown, done: AnyFunction) {
      running.get(this)?.hasher.update(chunk);
      done();
    },
    update(this: object, data: unknown, encoding?: unknown) {
      if (typeof data !== "string" && !ArrayBuffer.isView(data)) throw invalidArgType("data", ["string", "Buffer", "TypedArray", "DataView"], data);
      running.get(this)?.hasher.update(dataBytes(data, encoding));
      return this;
    },
    [method](this: object, ...args: unknown[]) {
      return run.call(this, ...args);
    },
  });
  return Made;
}

export function signClasses(): Dict {
  const Sign = makeClass("Sign", "sign", function (this: unknown, ...[given, encoding]: unknown[]) {
    if (!given) throw tools().nodeError(Error, "ERR_CRYPTO_SIGN_KEY_REQUIRED", "No key provided to sign");
    const { algorithm, hasher } = running.get(this as object) as Running;
    const key = keyFor(given, true);
    if (!(key.type in DEFAULT_DIGEST)) throw wrongKey();
    return tools().encoded(signHash(key, plainDigest(algorithm), hasher.digest(), howOf(given)), encoding);
  });
  const Verify = makeClass("Verify", "verify", function (this: unknown, ...[given, signature, encoding]: unknown[]) {
    const { algorithm, hasher } = running.get(this as object) as Running;
    const key = keyFor(given, false);
    if (typeof signature !== "string" && !ArrayBuffer.isView(signature)) throw tools().invalidArgType("signature", ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"], signature);
    if (!(key.type in DEFAULT_DIGEST)) throw wrongKey();
    return verifyHash(key, plainDigest(algorithm), hasher.digest(), tools().dataBytes(signature, encoding), howOf(given));
  });
  type Maker = new (...args: unknown[]) => unknown;
  return {
    Sign, Verify,
    createSign: (algorithm: unknown, options?: unknown) => new (Sign as unknown as Maker)(algorithm, options),
    createVerify: (algorithm: unknown, options?: unknown) => new (Verify as unknown as Maker)(algorithm, options),
  };
}

function digestFor(algorithm: unknown, key: Material): string | undefined {
  if (algorithm !== null && algorithm !== undefined && typeof algorithm !== "string") throw tools().invalidArgType("algorithm", "string", algorithm);
  if (!(key.type in DEFAULT_DIGEST)) {
    if (algorithm && key.type.startsWith("ed")) throw tools().opensslError("1C80007A", "Provider routines", "invalid digest", "ERR_OSSL_INVALID_DIGEST");
    return undefined;
  }
  if (typeof algorithm === "string") needDigest(algorithm);
  return plainDigest((algorithm as string | null | undefined) ?? (key.type === "rsa-pss" && key.pss ? key.pss.hash : (DEFAULT_DIGEST[key.type] as string)));
}

function bytesOf(data: unknown, name: string): Uint8Array {
  if (typeof data !== "string" && !ArrayBuffer.isView(data) && !(data instanceof ArrayBuffer)) throw tools().invalidArgType(name, ["ArrayBuffer", "Buffer", "TypedArray", "DataView"], data);
  return Uint8Array.from(tools().dataBytes(data));
}

export function sign(algorithm: unknown, data: unknown, given: unknown, done?: unknown): unknown {
  const bytes = bytesOf(data, "data");
  if (!given) throw tools().nodeError(Error, "ERR_CRYPTO_SIGN_KEY_REQUIRED", "No key provided to sign");
  const how = howOf(given);
  const key = keyFor(given, true);
  const digest = digestFor(algorithm, key);
  const run = (): unknown => {
    if (digest !== undefined) return tools().Buffer.from(signHash(key, digest, hashed(digest, bytes), how));
    if (key.type === "ed25519") return tools().Buffer.from(ed25519.sign(bytes, key.private as Uint8Array));
    if (key.type === "ed448") return tools().Buffer.from(ed448.sign(bytes, key.private as Uint8Array));
    throw wrongKey();
  };
  return answer(run, done);
}

export function verify(algorithm: unknown, data: unknown, given: unknown, signature: unknown, done?: unknown): unknown {
  const bytes = bytesOf(data, "data");
  const how = howOf(given);
  const key = keyFor(given, false);
  const signed = bytesOf(signature, "signature");
  const digest = digestFor(algorithm, key);
  const run = (): unknown => {
    if (digest !== undefined) return verifyHash(key, digest, hashed(digest, bytes), signed, how);
    if (key.type !== "ed25519" && key.type !== "ed448") throw wrongKey();
    if (signed.length !== (key.type === "ed25519" ? 64 : 114)) return false;
    return key.type === "ed25519" ? ed25519.verify(signed, bytes, key.public, { zip215: false }) : ed448.verify(signed, bytes, key.public, { zip215: false });
  };
  return answer(run, done);
}

/** Returned, or given to a callback. */
export function answer(run: () => unknown, done: unknown): unknown {
  if (done === undefined) return run();
  if (typeof done !== "function") throw tools().invalidArgType("callback", "function", done);
  tools().later(() => {
    let value: unknown;
    try {
      value = run();
    } catch (error) {
      (done as AnyFunction)(error);
      return;
    }
    (done as AnyFunction)(null, value);
  });
  return undefined;
}
