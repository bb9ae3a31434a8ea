// Secret keys: KeyObject, web crypto's CryptoKey, and the many forms in which a program may pass key bytes.
import { inspect } from "node-inspect-extracted";
import { invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { type Kind, markCloneable, onLoad } from "../threads/cloneable.ts";
import { Buffer, toBytes } from "./buffer.ts";

const secrets = new WeakMap<object, Uint8Array>();

interface SavedKey {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const ENCODINGS: Readonly<Record<string, string>> = { public: "spki", private: "pkcs8" };

/** A key as plain data, for another thread. */
function saveKey(key: KeyObject): SavedKey {
  const { type } = key;
  const exported = secrets.get(key) ?? ((key as unknown as { export(options: Dict): Uint8Array }).export({ format: "der", type: ENCODINGS[type] }));
  return { type, bytes: Uint8Array.from(exported) };
}

function loadKey(runtime: Runtime, { type, bytes }: SavedKey): KeyObject {
  if (type === "secret") return new SecretKeyObject(bytes);
  const create = runtime.builtin("crypto")[type === "public" ? "createPublicKey" : "createPrivateKey"] as (options: Dict) => KeyObject;
  return create({ key: Buffer.from(bytes), format: "der", type: ENCODINGS[type] });
}

const KEY: Kind = { name: "KeyObject", builtin: "crypto", save: (key) => saveKey(key as KeyObject) };
onLoad(KEY.name, (runtime, saved) => loadKey(runtime, saved as SavedKey));

export class KeyObject {
  readonly #type: string;

  constructor(type: string, handle?: Uint8Array) {
    if (type !== "secret" && type !== "public" && type !== "private") throw invalidArgValue("type", type);
    if (type === "secret" && !(handle instanceof Uint8Array)) throw invalidArgType("handle", "object", handle);
    this.#type = type;
    if (handle) secrets.set(this, handle);
    markCloneable(this, KEY);
  }

  static from(key: unknown): KeyObject {
    const parts = partsOf(key);
    if (!parts) throw invalidArgType("key", "CryptoKey", key);
    return parts.key;
  }

  get type(): string {
    return this.#type;
  }

  equals(other: unknown): boolean {
    if (!(other instanceof KeyObject)) throw invalidArgType("otherKeyObject", "KeyObject", other);
    const [a, b] = [secrets.get(this), secrets.get(other)];
    return this.type === other.type && a !== undefined && b !== undefined && a.length === b.length && a.every((byte, k) => byte === b[k]);
  }
}
Object.defineProperty(KeyObject.prototype, Symbol.toStringTag, { value: "KeyObject", configurable: true });

export class SecretKeyObject extends KeyObject {
  constructor(bytes: Uint8Array) {
    super("secret", bytes);
  }

  get symmetricKeySize(): number {
    return (secrets.get(this) as Uint8Array).length;
  }

  export(options?: Dict): unknown {
    const bytes = secrets.get(this) as Uint8Array;
    if (options?.["format"] === "jwk") return { kty: "oct", k: Buffer.from(bytes).toString("base64url") };
    return Buffer.from(bytes);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "SecretKeyObject [KeyObject] { [Symbol(kKeyType)]: 'secret' }";
  }
}

export const illegalConstructor = (): Error => nodeError(TypeError, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
export const invalidThis = (type: string): Error => nodeError(TypeError, "ERR_INVALID_THIS", `Value of "this" must be of type ${type}`);

/** What a CryptoKey says of itself, and the key that it is. */
export interface CryptoKeyParts {
  readonly key: KeyObject;
  readonly algorithm: Dict & { readonly name: string };
  readonly extractable: boolean;
  readonly usages: readonly string[];
}
const cryptoKeys = new WeakMap<object, CryptoKeyParts>();

/** Undefined for what is no CryptoKey. */
export const partsOf = (key: unknown): CryptoKeyParts | undefined => (typeof key === "object" && key !== null ? cryptoKeys.get(key) : undefined);

export class CryptoKey {
  constructor() {
    throw illegalConstructor();
  }

  get type(): string {
    return known(this).key.type;
  }

  get extractable(): boolean {
    return known(this).extractable;
  }

  get algorithm(): Dict {
    return known(this).algorithm;
  }

  get usages(): readonly string[] {
    return known(this).usages;
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth: number, options: { depth?: number | null }): unknown {
    if (depth < 0) return this;
    const { type, extractable, algorithm, usages } = this;
    return `CryptoKey ${inspect({ type, extractable, algorithm, usages }, { ...options, depth: options.depth == null ? null : options.depth - 1 })}`;
  }
}
for (const name of ["type", "extractable", "algorithm", "usages"]) Object.defineProperty(CryptoKey.prototype, name, { enumerable: true });
Object.defineProperty(CryptoKey.prototype, Symbol.toStringTag, { value: "CryptoKey", configurable: true });

function known(key: object): CryptoKeyParts {
  const parts = cryptoKeys.get(key);
  if (!parts) throw invalidThis("CryptoKey");
  return parts;
}

/** Programs cannot make one. */
export function makeCryptoKey(parts: CryptoKeyParts): CryptoKey {
  const key = Object.create(CryptoKey.prototype) as CryptoKey;
  cryptoKeys.set(key, parts);
  markCloneable(key, CRYPTO_KEY);
  return key;
}

const CRYPTO_KEY: Kind = {
  name: "CryptoKey", builtin: "crypto",
  save: (key) => {
    const { key: inner, ...parts } = known(key);
    return { ...parts, key: saveKey(inner) };
  },
};
onLoad(CRYPTO_KEY.name, (runtime, saved) => {
  const { key, ...parts } = saved as Omit<CryptoKeyParts, "key"> & { readonly key: SavedKey };
  return makeCryptoKey({ ...parts, key: loadKey(runtime, key) });
});

const ACCEPTED = ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string", "KeyObject", "CryptoKey"];

/** The bytes of a key given as text, bytes or a secret KeyObject. */
export function keyBytes(given: unknown, encoding?: string, name = "key"): Uint8Array {
  const key = partsOf(given)?.key ?? given;
  if (key instanceof KeyObject) {
    const bytes = secrets.get(key);
    if (!bytes || key.type !== "secret") throw nodeError(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${key.type}, expected secret.`);
    return bytes;
  }
  if (typeof key === "string") return toBytes(key, encoding === undefined || encoding === "buffer" ? "utf8" : encoding);
  if (ArrayBuffer.isView(key) || key instanceof ArrayBuffer) return toBytes(key);
  throw invalidArgType(name, ACCEPTED, key);
}

export function createSecretKey(key: unknown, encoding?: unknown): SecretKeyObject {
  if (typeof key === "string" || ArrayBuffer.isView(key) || key instanceof ArrayBuffer) return new SecretKeyObject(Uint8Array.from(keyBytes(key, typeof encoding === "string" ? encoding : undefined)));
  throw invalidArgType("key", ["ArrayBuffer", "Buffer", "TypedArray", "DataView"], key);
}

export const isKeyObject = (value: unknown): boolean => value instanceof KeyObject;

