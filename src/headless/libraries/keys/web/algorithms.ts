// Which algorithms crypto.subtle has for which operation, and what each is to be told
// (https://w3c.github.io/webcrypto/#algorithm-overview).
import type { Dict } from "../../../node/runtime.ts";
import { tools } from "../tools.ts";
import { algorithm, bigInteger, bytes, type Convert, cryptoKey, dictionary, text, whole } from "./idl.ts";

export type Operation = "digest" | "generateKey" | "sign" | "verify" | "importKey" | "deriveBits" | "encrypt" | "decrypt" | "get key length" | "wrapKey" | "unwrapKey";

export const domError = (message: string, name: string, cause?: unknown): Error => {
  const error = new DOMException(message, name);
  return cause === undefined ? error : Object.defineProperty(error, "cause", { value: cause, writable: true, configurable: true });
};
/** What a computation itself failed with becomes its cause. */
export const failed = (cause: unknown): Error => domError("The operation failed for an operation-specific reason", "OperationError", cause);
export const unrecognized = (): Error => domError("Unrecognized algorithm name", "NotSupportedError");

const PARAMETERS: Readonly<Record<string, Readonly<Record<string, Convert>>>> = {
  RsaHashedKeyGenParams: { modulusLength: whole(32), publicExponent: bigInteger, hash: algorithm }, RsaHashedImportParams: { hash: algorithm }, RsaPssParams: { saltLength: whole(32) }, RsaOaepParams: { "label?": bytes },
  EcKeyGenParams: { namedCurve: text }, EcKeyImportParams: { namedCurve: text }, EcdsaParams: { hash: algorithm }, EcdhKeyDeriveParams: { public: cryptoKey }, Ed448Params: { "context?": bytes },
  AesKeyGenParams: { length: whole(16) }, AesDerivedKeyParams: { length: whole(16) }, AesCbcParams: { iv: bytes }, AesGcmParams: { iv: bytes, "tagLength?": whole(8), "additionalData?": bytes }, AesCtrParams: { counter: bytes, length: whole(8) },
  HmacKeyGenParams: { hash: algorithm, "length?": whole(32) }, HmacImportParams: { hash: algorithm, "length?": whole(32) }, HkdfParams: { hash: algorithm, salt: bytes, info: bytes }, Pbkdf2Params: { hash: algorithm, iterations: whole(32), salt: bytes },
};

/** Null where there is nothing to tell but the name. */
type Row = Readonly<Partial<Record<Operation, keyof typeof PARAMETERS | null>>>;
const rsa = { generateKey: "RsaHashedKeyGenParams", importKey: "RsaHashedImportParams" } as const;
const ec = { generateKey: "EcKeyGenParams", importKey: "EcKeyImportParams" } as const;
const aes = { "generateKey": "AesKeyGenParams", "importKey": null, "get key length": "AesDerivedKeyParams" } as const;
const agreement = { generateKey: null, importKey: null, deriveBits: "EcdhKeyDeriveParams" } as const;
const ALGORITHMS: Readonly<Record<string, Row>> = {
  "SHA-1": { digest: null }, "SHA-256": { digest: null }, "SHA-384": { digest: null }, "SHA-512": { digest: null },
  "RSASSA-PKCS1-v1_5": { ...rsa, sign: null, verify: null }, "RSA-PSS": { ...rsa, sign: "RsaPssParams", verify: "RsaPssParams" }, "RSA-OAEP": { ...rsa, encrypt: "RsaOaepParams", decrypt: "RsaOaepParams" },
  "ECDSA": { ...ec, sign: "EcdsaParams", verify: "EcdsaParams" }, "ECDH": { ...ec, deriveBits: "EcdhKeyDeriveParams" },
  "AES-CBC": { ...aes, encrypt: "AesCbcParams", decrypt: "AesCbcParams" }, "AES-GCM": { ...aes, encrypt: "AesGcmParams", decrypt: "AesGcmParams" },
  "AES-CTR": { ...aes, encrypt: "AesCtrParams", decrypt: "AesCtrParams" }, "AES-KW": { ...aes, wrapKey: null, unwrapKey: null },
  "HMAC": { "generateKey": "HmacKeyGenParams", "importKey": "HmacImportParams", "get key length": "HmacImportParams", "sign": null, "verify": null },
  "HKDF": { "importKey": null, "deriveBits": "HkdfParams", "get key length": null }, "PBKDF2": { "importKey": null, "deriveBits": "Pbkdf2Params", "get key length": null },
  "Ed25519": { generateKey: null, importKey: null, sign: null, verify: null }, "Ed448": { generateKey: null, importKey: null, sign: "Ed448Params", verify: "Ed448Params" }, "X25519": agreement, "X448": agreement,
};
/** Node warns of them, once each. */
const unwarned = new Set(["Ed448", "X448"]);

/** An algorithm as the operations read it. */
export interface Algorithm {
  readonly name: string;
  readonly hash: { readonly name: string };
  readonly namedCurve: string;
  readonly length?: number;
  readonly modulusLength: number;
  readonly publicExponent: Uint8Array;
  readonly saltLength: number;
  readonly label?: Uint8Array;
  readonly iv: Uint8Array;
  readonly counter: Uint8Array;
  readonly tagLength?: number;
  readonly additionalData?: Uint8Array;
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
  readonly iterations: number;
  readonly public: object;
  readonly context?: Uint8Array;
}

const WHERE = { call: "Failed to normalize algorithm", what: "passed algorithm" };
const named = dictionary("Algorithm", { name: text });

/** https://w3c.github.io/webcrypto/#algorithm-normalization-normalize-an-algorithm */
export function normalized(given: string | object, operation: Operation): Algorithm {
  const source = typeof given === "string" ? { name: given } : given;
  const asked = (named(source, WHERE)["name"] as string).toUpperCase();
  const [name, row] = Object.entries(ALGORITHMS).find(([each, operations]) => each.toUpperCase() === asked && operation in operations) ?? [];
  if (name === undefined || row === undefined) throw unrecognized();
  if (unwarned.delete(name)) tools().warn(`The ${name} Web Crypto API algorithm is an experimental feature and might change at any time`, "ExperimentalWarning");
  const parameters = row[operation];
  if (parameters == null) return { name } as unknown as Algorithm;
  const found: Dict = dictionary(parameters, { name: text, ...PARAMETERS[parameters] })(source, WHERE);
  if ("hash" in found) found["hash"] = normalized(found["hash"] as string | object, "digest");
  return { ...found, name } as unknown as Algorithm;
}

/** As node:crypto calls it. */
export const digestName = ({ name }: { readonly name: string }): string => name.toLowerCase().replace("-", "");
/** Bits. */
export const blockSize = ({ name }: { readonly name: string }): number => (name === "SHA-1" || name === "SHA-256" ? 512 : 1024);
export const AES_LENGTHS: readonly unknown[] = [128, 192, 256];

/** What must be told to HMAC and AES keys that are derived; null: they take any. */
export function keyLength({ name, length, hash }: Algorithm): number | null {
  if (name === "HKDF" || name === "PBKDF2") return null;
  if (name === "HMAC" && length === undefined) return blockSize(hash);
  if (name === "HMAC" ? length !== 0 : AES_LENGTHS.includes(length)) return length as number;
  throw domError("Invalid key length", "OperationError");
}

/** The name of an algorithm with this key in a JSON Web Key. */
export function jwkName({ name, hash, length }: Algorithm): string | undefined {
  const digits = hash?.name.slice(4);
  switch (name) {
    case "RSASSA-PKCS1-v1_5":
      return `RS${digits}`;
    case "RSA-PSS":
      return `PS${digits}`;
    case "RSA-OAEP":
      return digits === "1" ? "RSA-OAEP" : `RSA-OAEP-${digits}`;
    case "HMAC":
      return `HS${digits}`;
    case "Ed25519":
    case "Ed448":
      return name;
    default:
      return name.startsWith("AES-") ? `A${length}${name.slice(4)}` : undefined;
  }
}
