// The global `crypto` and its classes. The container's frame is no secure context to the browser (its origin is opaque), so
// there the engine gives random values and nothing else: what crypto.subtle does is in the library of key pairs
// (libraries/keys/web), on top of node:crypto.
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { keyLibrary } from "../later/crypto.ts";
import { fillRandom, randomUUID } from "./crypto-random.ts";
import { CryptoKey, illegalConstructor, invalidThis } from "./crypto-secret-key.ts";

const METHODS = ["encrypt", "decrypt", "sign", "verify", "digest", "generateKey", "deriveKey", "deriveBits", "importKey", "exportKey", "wrapKey", "unwrapKey"];
const MAX_BYTES = 65_536;

/** Whose process an object belongs to: nothing else is one. */
const owners = new WeakMap<object, Runtime>();

class SubtleCrypto {
  constructor() {
    throw illegalConstructor();
  }
}
for (const name of METHODS) {
  const value = {
    async [name](this: object, ...args: unknown[]): Promise<unknown> {
      const runtime = owners.get(this);
      if (!runtime) throw invalidThis("SubtleCrypto");
      return ((keyLibrary(runtime, `subtle.${name}`)["subtle"] as Dict)[name] as AnyFunction)(...args);
    },
  }[name];
  Object.defineProperty(SubtleCrypto.prototype, name, { value, writable: true, configurable: true, enumerable: true });
}

const subtles = new WeakMap<object, object>();

class Crypto {
  constructor() {
    throw illegalConstructor();
  }

  get subtle(): unknown {
    return subtles.get(owned(this));
  }

  getRandomValues(...args: [unknown]): unknown {
    owned(this);
    const [target] = args;
    if (args.length < 1) throw Object.assign(new TypeError("Failed to execute 'getRandomValues' on 'Crypto': 1 argument required, but only 0 present."), { code: "ERR_MISSING_ARGS" });
    if (!ArrayBuffer.isView(target) || target instanceof DataView || target instanceof Float32Array || target instanceof Float64Array) throw new DOMException("The data argument must be an integer-type TypedArray", "TypeMismatchError");
    if (target.byteLength > MAX_BYTES) throw new DOMException("The requested length exceeds 65,536 bytes", "QuotaExceededError");
    fillRandom(new Uint8Array(target.buffer, target.byteOffset, target.byteLength));
    return target;
  }

  randomUUID(): string {
    owned(this);
    return randomUUID();
  }
}
for (const name of ["subtle", "getRandomValues", "randomUUID"]) Object.defineProperty(Crypto.prototype, name, { enumerable: true });
for (const Class of [Crypto, SubtleCrypto]) Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });

function owned<T extends object>(crypto: T): T {
  if (!subtles.has(crypto)) throw invalidThis("Crypto");
  return crypto;
}

const made = new WeakMap<Runtime, { readonly crypto: Crypto } & Dict>();

/** The globals of one process: `crypto`, and the classes of it and of what it makes. */
export function webCrypto(runtime: Runtime): { readonly crypto: Crypto } & Dict {
  const known = made.get(runtime);
  if (known) return known;
  const crypto = Object.create(Crypto.prototype) as Crypto;
  const subtle = Object.create(SubtleCrypto.prototype) as object;
  owners.set(subtle, runtime);
  subtles.set(crypto, subtle);
  const globals = { crypto, Crypto, CryptoKey, SubtleCrypto };
  made.set(runtime, globals);
  return globals;
}
