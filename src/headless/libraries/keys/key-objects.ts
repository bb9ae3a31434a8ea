// KeyObjects of key pairs: made from PEM, DER and JSON Web Keys, exported to them, compared.
import type { Dict } from "../../node/runtime.ts";
import { type DerValue, readDer } from "./der.ts";
import { fromJwk, pkcs1Private, pkcs1Public, pkcs8, readPkcs1Private, readPkcs1Public, readPkcs8, readSec1, readSpki, sec1, spki, toJwk } from "./formats.ts";
import { isRsa, type Material, publicOf } from "./material.ts";
import { decryptOld, decryptPkcs8, encryptOld, encryptPkcs8, type Pem, readPem, writePem } from "./pem.ts";
import { modulusBits } from "./rsa.ts";
import { stacked, tools } from "./tools.ts";

type KeyBase = InstanceType<ReturnType<typeof tools>["KeyObject"]>;
export interface KeyPairObject extends KeyBase {
  readonly asymmetricKeyType: string;
  readonly asymmetricKeyDetails: Dict;
  export(options?: Dict): unknown;
}
type KeyClass = new (material: Material) => KeyPairObject;

const materials = new WeakMap<object, Material>();

/** Undefined for a secret key, and for what is no key. */
export const materialOf = (key: unknown): Material | undefined => (typeof key === "object" && key !== null ? materials.get(key) : undefined);

let classes: { readonly PublicKeyObject: KeyClass; readonly PrivateKeyObject: KeyClass } | undefined;

function keyClasses(): NonNullable<typeof classes> {
  if (classes) return classes;
  const { KeyObject } = tools();
  class AsymmetricKeyObject extends KeyObject {
    constructor(type: string, material: Material) {
      super(type);
      materials.set(this, material);
    }

    get asymmetricKeyType(): string {
      return (materials.get(this) as Material).type;
    }

    get asymmetricKeyDetails(): Dict {
      return detailsOf(materials.get(this) as Material);
    }

    override equals(other: unknown): boolean {
      if (!(other instanceof KeyObject)) throw tools().invalidArgType("otherKeyObject", "KeyObject", other);
      const [a, b] = [materials.get(this), materials.get(other)];
      if (!a || !b || this.type !== other.type || a.type !== b.type) return false;
      const bytes = this.type === "private" ? pkcs8 : spki;
      const [mine, theirs] = [bytes(a), bytes(b)];
      return mine.length === theirs.length && mine.every((byte, k) => byte === theirs[k]);
    }
  }
  const shown = (name: string, type: string): string => `${name} [KeyObject] { [Symbol(kKeyType)]: '${type}' }`;
  class PublicKeyObject extends AsymmetricKeyObject {
    constructor(material: Material) {
      super("public", publicOf(material));
    }

    export(options?: Dict): unknown {
      return exportPublic(materials.get(this) as Material, options);
    }

    [Symbol.for("nodejs.util.inspect.custom")](): string {
      return shown("PublicKeyObject", "public");
    }
  }
  class PrivateKeyObject extends AsymmetricKeyObject {
    constructor(material: Material) {
      super("private", material);
    }

    export(options?: Dict): unknown {
      return exportPrivate(materials.get(this) as Material, options);
    }

    [Symbol.for("nodejs.util.inspect.custom")](): string {
      return shown("PrivateKeyObject", "private");
    }
  }
  classes = { PublicKeyObject, PrivateKeyObject };
  return classes;
}

export const publicObject = (material: Material): KeyPairObject => new (keyClasses().PublicKeyObject)(material);
export const privateObject = (material: Material): KeyPairObject => new (keyClasses().PrivateKeyObject)(material);

function detailsOf(key: Material): Dict {
  if (key.type === "ec") return { namedCurve: key.curve };
  if (!isRsa(key)) return {};
  const { pss } = key;
  return { modulusLength: modulusBits(key), publicExponent: key.e, ...(pss ? { hashAlgorithm: pss.hash, mgf1HashAlgorithm: pss.mgfHash, saltLength: pss.saltLength } : {}) };
}

function formatOf(options: Dict, name: string): "pem" | "der" | "jwk" {
  const { format } = options;
  if (format !== undefined && format !== "pem" && format !== "der" && format !== "jwk") throw tools().invalidArgValue(name, format);
  return format ?? "pem";
}

const incompatible = (type: string, why: string): Error => tools().nodeError(Error, "ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS", `The selected key encoding ${type} ${why}.`);
const bufferOf = (bytes: Uint8Array): unknown => tools().Buffer.from(bytes);

export function exportPublic(key: Material, given: unknown): unknown {
  const options = optionsOf(given);
  const format = formatOf(options, "options.format");
  if (format === "jwk") return toJwk(publicOf(key));
  const { type } = options;
  if (type !== "pkcs1" && type !== "spki") throw tools().invalidArgValue("options.type", type);
  if (type === "pkcs1" && key.type !== "rsa") throw incompatible("pkcs1", "can only be used for RSA keys");
  const bytes = type === "pkcs1" && key.type === "rsa" ? pkcs1Public(key) : spki(key);
  return format === "der" ? bufferOf(bytes) : writePem(type === "pkcs1" ? "RSA PUBLIC KEY" : "PUBLIC KEY", bytes);
}

export function exportPrivate(key: Material, given: unknown): unknown {
  const options = optionsOf(given);
  const format = formatOf(options, "options.format");
  const { type, cipher, passphrase } = options;
  if (format === "jwk") {
    if (passphrase !== undefined) throw incompatible("jwk", "does not support encryption");
    return toJwk(key);
  }
  if (type !== "pkcs1" && type !== "pkcs8" && type !== "sec1") throw tools().invalidArgValue("options.type", type);
  if (type === "pkcs1" && key.type !== "rsa") throw incompatible("pkcs1", "can only be used for RSA keys");
  if (type === "sec1" && key.type !== "ec") throw incompatible("sec1", "can only be used for EC keys");
  const bytes = type === "pkcs1" && key.type === "rsa" ? pkcs1Private(key) : type === "sec1" && key.type === "ec" ? sec1(key) : pkcs8(key);
  const label = type === "pkcs1" ? "RSA PRIVATE KEY" : type === "sec1" ? "EC PRIVATE KEY" : "PRIVATE KEY";
  if (cipher === undefined || cipher === null) return format === "der" ? bufferOf(bytes) : writePem(label, bytes);
  if (typeof cipher !== "string") throw tools().invalidArgValue("options.cipher", cipher);
  const secret = secretBytes(passphrase, "options.passphrase");
  if (type !== "pkcs8") {
    if (format === "der") throw incompatible(type, "does not support encryption");
    return encryptOld(label, bytes, cipher, secret);
  }
  const encrypted = encryptPkcs8(bytes, cipher, secret);
  return format === "der" ? bufferOf(encrypted) : writePem("ENCRYPTED PRIVATE KEY", encrypted);
}

function optionsOf(given: unknown): Dict {
  if (typeof given !== "object" || given === null) throw tools().invalidArgType("options", "object", given);
  return given as Dict;
}

function secretBytes(passphrase: unknown, name = "key.passphrase"): Uint8Array {
  if (typeof passphrase !== "string" && !ArrayBuffer.isView(passphrase) && !(passphrase instanceof ArrayBuffer)) throw tools().invalidArgValue(name, passphrase);
  return tools().dataBytes(passphrase);
}

const unsupportedKey = (): Error => tools().opensslError("1E08010C", "DECODER routines", "unsupported", "ERR_OSSL_UNSUPPORTED");
const isBytes = (value: unknown): boolean => ArrayBuffer.isView(value) || value instanceof ArrayBuffer;

/** A CryptoKey counts as the KeyObject in it. */
const opened = (given: unknown): unknown => tools().partsOf(given)?.key ?? given;

/** What a program may pass where a key is wanted, sorted. */
function read(given: unknown, secret: boolean, name = "key"): Material {
  const { KeyObject, invalidArgType, invalidArgValue } = tools();
  const bare = typeof given === "string" || isBytes(given);
  const options = (bare ? { key: given } : given) as Dict | null;
  const kinds = ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string", ...(secret ? [] : ["KeyObject", "CryptoKey"])];
  if (typeof options !== "object" || options === null) throw invalidArgType(name, kinds, given);
  const { key, format, type, passphrase } = options;
  if (format === "jwk") {
    if (typeof key !== "object" || key === null) throw invalidArgType("key.key", "object", key);
    return fromJwk(key as Dict, secret);
  }
  if (key instanceof KeyObject) throw invalidArgType("key.key", ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string", "object"], key);
  if (typeof key !== "string" && !isBytes(key)) throw invalidArgType(bare ? name : "key.key", kinds, key);
  if (format !== undefined && format !== "pem" && format !== "der") throw invalidArgValue("options.format", format);
  const bytes = tools().dataBytes(key, options["encoding"]);
  const phrase = passphrase === undefined || passphrase === null ? undefined : secretBytes(passphrase);
  if (format === "der" && bytes.length < 2) throw tools().opensslError("0680007B", "asn1 encoding routines", "header too long", "ERR_OSSL_ASN1_HEADER_TOO_LONG");
  try {
    if (format === "der") return fromDer(bytes, type, secret, phrase);
    const pem = readPem(tools().Buffer.from(bytes).toString("latin1"));
    if (!pem) throw unsupportedKey();
    return fromPem(pem, secret, phrase);
  } catch (error) {
    if (error instanceof Error && "code" in error) throw error;
    throw unsupportedKey(); // no DER, or not of a key
  }
}

function fromDer(bytes: Uint8Array, type: unknown, secret: boolean, phrase: Uint8Array | undefined): Material {
  if (!secret) {
    if (type === "pkcs1") return readPkcs1Public(bytes);
    if (type === "spki") return readSpki(bytes);
  }
  if (type === "pkcs1") return readPkcs1Private(bytes);
  if (type === "sec1") return readSec1(bytes);
  if (type === "pkcs8") return readPkcs8(phrase ? decryptPkcs8(bytes, phrase) : bytes);
  throw tools().invalidArgValue("options.type", type);
}

function noPhrase(isPkcs8: boolean): Error {
  const interrupted = "error:07880109:common libcrypto routines::interrupted or cancelled";
  const error = tools().opensslError("07880109", "common libcrypto routines", "interrupted or cancelled", "ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED");
  return stacked(error, ["error:04800068:PEM routines::bad password read", interrupted, ...(isPkcs8 ? ["error:1C80009F:Provider routines::unable to get passphrase", interrupted] : [])]);
}

function fromPem(pem: Pem, secret: boolean, phrase: Uint8Array | undefined): Material {
  const { label, bytes } = pem;
  if (!secret) {
    if (label === "PUBLIC KEY") return readSpki(bytes);
    if (label === "RSA PUBLIC KEY") return readPkcs1Public(bytes);
    if (label === "CERTIFICATE") return readSpki(rawSpki(bytes));
  }
  if (label === "PRIVATE KEY") return readPkcs8(bytes);
  if (label === "ENCRYPTED PRIVATE KEY") {
    if (!phrase) throw noPhrase(true);
    return readPkcs8(decryptPkcs8(bytes, phrase));
  }
  const encrypted = pem.headers["DEK-Info"] !== undefined;
  if (encrypted && !phrase) throw noPhrase(false);
  const clear = encrypted && phrase ? decryptOld(pem, phrase) : bytes;
  if (label === "RSA PRIVATE KEY") return readPkcs1Private(clear);
  if (label === "EC PRIVATE KEY") return readSec1(clear);
  throw unsupportedKey();
}

/** The SubjectPublicKeyInfo of a certificate: the first part of it that is a pair of an algorithm and bits. */
export function rawSpki(bytes: Uint8Array): Uint8Array {
  const body = readDer(bytes).items[0] as DerValue;
  const found = body.items.find(({ tag, items }) => tag === 0x30 && items.length === 2 && items[0]?.tag === 0x30 && items[1]?.tag === 0x03);
  if (!found) throw unsupportedKey();
  return found.whole;
}

function wrongType(key: KeyBase, wanted: string): Error {
  return tools().nodeError(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${key.type}, expected ${wanted}.`);
}

/** Of `{ key, … }` too, where the key may be an object already. */
const innerKey = (given: unknown): unknown => opened(typeof given === "object" && given !== null && "key" in given ? (given as Dict)["key"] : given);

export function createPublicKey(given: unknown): KeyPairObject {
  const inner = innerKey(given);
  if (inner instanceof tools().KeyObject) {
    const material = materialOf(inner);
    if (!material || inner.type !== "private") throw wrongType(inner, "private");
    return publicObject(material);
  }
  return publicObject(read(given, false));
}

export function createPrivateKey(given: unknown): KeyPairObject {
  if (given instanceof tools().KeyObject) throw tools().invalidArgType("key", ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string"], given);
  return privateObject(read(given, true));
}

/** A key for one operation, given in any form, beside the operation's own options. */
export function keyFor(given: unknown, secret: boolean): Material {
  const inner = innerKey(given);
  if (inner instanceof tools().KeyObject) {
    const material = materialOf(inner);
    if (!material || (secret && inner.type !== "private")) throw wrongType(inner, secret ? "private" : "private or public");
    return material;
  }
  return read(given, secret);
}
