// node:crypto: hashes, random values, derived keys, secret keys, web crypto; ciphers, key pairs and signatures from a library
// that is loaded when first used.
import { checkInteger, invalidArgType, nodeError, outOfRange } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { type Derivation, deriveHkdf, derivePbkdf2, deriveScrypt } from "./crypto-derive.ts";
import { hashClasses, oneShot } from "./crypto-hash.ts";
import { hashNames } from "./crypto-hashes.ts";
import { createKeyFunctions } from "./crypto-keys.ts";
import { KeyObject, createSecretKey } from "./crypto-secret-key.ts";
import { fillRandom, randomUUID } from "./crypto-random.ts";
import { webCrypto } from "./web-crypto.ts";
import facts from "./facts.json" with { type: "json" };

const MAX_RANDOM_BYTES = 2 ** 31 - 1;
const MAX_RANGE = 2 ** 48 - 1;

function needCallback(value: unknown, name = "callback"): AnyFunction {
  if (typeof value !== "function") throw invalidArgType(name, "function", value);
  return value as AnyFunction;
}

function randomInt(low: number, high: number): number {
  const range = high - low;
  // Rejection keeps every value equally likely.
  const limit = 2 ** 48 - (2 ** 48 % range);
  for (;;) {
    const value = fillRandom(new Uint8Array(6)).reduce((sum, byte) => sum * 256 + byte, 0);
    if (value < limit) return low + (value % range);
  }
}

function checkedRange(first: unknown, second: unknown): [number, number] {
  const [low, high, one] = second === undefined ? [0, first, true] : [first, second, false];
  const unsafe = (name: string, value: unknown): Error => nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" argument must be a safe integer. ${received(value)}`);
  if (!Number.isSafeInteger(low)) throw unsafe("min", low);
  if (!Number.isSafeInteger(high)) throw unsafe("max", high);
  const [from, to] = [low as number, high as number];
  if (to <= from) throw outOfRange("max", `greater than the value of "min" (${from})`, to);
  if (to - from > MAX_RANGE) throw outOfRange(one ? "max" : "max - min", `<= ${MAX_RANGE}`, to - from);
  return [from, to];
}

const received = (value: unknown): string => invalidArgType("x", "string", value).message.replace(/^.*?Received/, "Received");

function bytesView(value: unknown, name: string): Uint8Array {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || (typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer)) return new Uint8Array(value);
  throw invalidArgType(name, ["ArrayBuffer", "ArrayBufferView"], value);
}

function fillSlice(value: unknown, offset: unknown = 0, size?: unknown): unknown {
  const bytes = bytesView(value, "buf");
  const element = ArrayBuffer.isView(value) && "BYTES_PER_ELEMENT" in value ? (value as Uint8Array).BYTES_PER_ELEMENT : 1;
  checkRange(offset, "offset", bytes.length);
  const from = (offset as number) * element;
  if (size !== undefined) checkRange(size, "size", bytes.length);
  const length = size === undefined ? bytes.length - from : (size as number) * element;
  if (from + length > bytes.length) throw outOfRange("size + offset", `<= ${bytes.length}`, from + length);
  fillRandom(bytes.subarray(from, from + length));
  return value;
}

function checkRange(value: unknown, name: string, high: number): void {
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
  if (Number.isNaN(value) || value < 0 || value > high) throw outOfRange(name, `>= 0 && <= ${high}`, value);
}

function sameInTime(a: unknown, b: unknown): boolean {
  for (const [name, value] of [["buf1", a], ["buf2", b]] as const) {
    if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`);
  }
  const [x, y] = [toBytes(a), toBytes(b)];
  if (x.length !== y.length) throw nodeError(RangeError, "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", "Input buffers must have the same byte length");
  return x.reduce((difference, byte, k) => difference | (byte ^ (y[k] as number)), 0) === 0;
}

export function createCrypto(runtime: Runtime): Dict {
  const { crypto: webcrypto } = webCrypto(runtime);
  const { Hash, Hmac } = hashClasses();
  type Maker = new (...args: unknown[]) => unknown;
  const later = (done: AnyFunction, run: () => unknown): void => runtime.loop.post(() => void done(null, run()));
  const randomBytes = (size: unknown, done?: unknown): unknown => {
    if (typeof size !== "number") throw invalidArgType("size", "number", size);
    if (Number.isNaN(size) || size < 0 || size > MAX_RANDOM_BYTES) throw outOfRange("size", `>= 0 && <= ${MAX_RANDOM_BYTES}`, size);
    if (done !== undefined) needCallback(done);
    const run = (): unknown => fillRandom(Buffer.alloc(Math.trunc(size)));
    return typeof done === "function" ? later(done as AnyFunction, run) : run();
  };
  /** The synchronous and the callback form. */
  const derived = (name: string, derive: Derivation): Dict => ({
    [`${name}Sync`]: Object.defineProperty((...args: unknown[]) => derive(...args)(), "name", { value: `${name}Sync` }),
    [name]: Object.defineProperty((...args: unknown[]) => {
      const at = args.findIndex((arg) => typeof arg === "function");
      if (at < 0) throw invalidArgType("callback", "function", name === "scrypt" ? args[4] : args[5]);
      later(args[at] as AnyFunction, derive(...args.slice(0, at)));
    }, "name", { value: name }),
  });
  const crypto: Dict = {
    createHash: (name: unknown, options?: unknown) => new (Hash as unknown as Maker)(name, options),
    createHmac: (name: unknown, key: unknown, options?: unknown) => new (Hmac as unknown as Maker)(name, key, options),
    hash: oneShot, getHashes: () => hashNames.slice(), getCurves: () => ["prime192v1", "prime256v1", "secp224r1", "secp256k1", "secp384r1", "secp521r1"], Hash, Hmac,
    randomBytes, pseudoRandomBytes: randomBytes, rng: randomBytes, prng: randomBytes,
    randomUUID: (options?: unknown) => {
      if (options !== undefined && (typeof options !== "object" || options === null)) throw invalidArgType("options", "Object", options);
      return randomUUID();
    },
    randomInt: (first: unknown, ...rest: unknown[]) => {
      const done = rest.find((each) => typeof each === "function") as AnyFunction | undefined;
      const second = typeof rest[0] === "function" ? undefined : rest[0];
      const [low, high] = checkedRange(first, second);
      if (!done) return randomInt(low, high);
      runtime.loop.nextTick(() => void done(undefined, randomInt(low, high)));
      return undefined;
    },
    randomFillSync: fillSlice,
    randomFill: (target: unknown, ...rest: unknown[]) => {
      bytesView(target, "buf");
      const done = needCallback(rest.find((each) => typeof each === "function"));
      later(done, () => fillSlice(target, ...rest.slice(0, rest.indexOf(done))));
    },
    timingSafeEqual: sameInTime,
    ...derived("pbkdf2", derivePbkdf2), ...derived("scrypt", deriveScrypt), ...derived("hkdf", deriveHkdf),
    KeyObject, createSecretKey,
    generateKeySync: (type: unknown, options: { length: number }) => generateSecret(type, options),
    generateKey: (type: unknown, options: { length: number }, done: unknown) => {
      const callback = needCallback(done);
      const key = generateSecret(type, options);
      later(callback, () => key);
    },
    constants: Object.freeze(Object.assign(Object.create(null) as Dict, facts.crypto)), getFips: () => 0, secureHeapUsed: () => ({ total: 0, used: 0, utilization: 0, min: 0 }),
    webcrypto, subtle: webcrypto.subtle, getRandomValues: (...args: [unknown]) => webcrypto.getRandomValues(...args),
  };
  return Object.assign(crypto, createKeyFunctions(runtime));
}

function generateSecret(type: unknown, options: { length: number }): unknown {
  if (typeof type !== "string") throw invalidArgType("type", "string", type);
  if (type !== "hmac" && type !== "aes") throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'type' must be a supported key type. Received '${type}'`);
  const { length } = options ?? {};
  if (type === "hmac") checkInteger(length, "options.length", 8, 2 ** 31 - 1);
  else if (![128, 192, 256].includes(length)) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The property 'options.length' must be one of: 128, 192, 256. Received ${length}`);
  return createSecretKey(fillRandom(new Uint8Array(Math.floor(length / 8))));
}
