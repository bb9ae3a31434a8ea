// Secret keys: KeyObject and the many forms in which a program may pass key bytes.
import { invalidArgType, invalidArgValue } from "../errors.ts";
import type { Dict } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";

const secrets = new WeakMap<object, Uint8Array>();

export class KeyObject {
  readonly #type: string;

  constructor(type: string, handle?: Uint8Array) {
    if (type !== "secret" && type !== "public" && type !== "private") throw invalidArgValue("type", type);
    if (type === "secret" && !(handle instanceof Uint8Array)) throw invalidArgType("handle", "object", handle);
    this.#type = type;
    if (handle) secrets.set(this, handle);
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

const ACCEPTED = ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string", "KeyObject", "CryptoKey"];

/** The bytes of a key given as text, bytes or a secret KeyObject. */
export function keyBytes(key: unknown, encoding?: string, name = "key"): Uint8Array {
  if (key instanceof KeyObject) {
    const bytes = secrets.get(key);
    if (!bytes || key.type !== "secret") throw Object.assign(new TypeError(`Invalid key object type ${key.type}, expected secret.`), { code: "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE" });
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

