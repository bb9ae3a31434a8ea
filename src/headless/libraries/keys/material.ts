// What a key is made of, whatever form it came in; the curves that there are, by their names.
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { ed448, x448 } from "@noble/curves/ed448.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { secp192r1, secp224r1 } from "./small-curves.ts";
import { tools } from "./tools.ts";

export interface RsaKey {
  readonly type: "rsa" | "rsa-pss";
  readonly n: bigint;
  readonly e: bigint;
  /** Absent in a public key. */
  readonly private?: { readonly d: bigint; readonly p: bigint; readonly q: bigint; readonly dp: bigint; readonly dq: bigint; readonly qi: bigint };
  /** The only way that an rsa-pss key may be used, where it says so. */
  readonly pss?: { readonly hash: string; readonly mgfHash: string; readonly saltLength: number };
}
export interface EcKey {
  readonly type: "ec";
  readonly curve: CurveName;
  /** Uncompressed. */
  readonly point: Uint8Array;
  readonly private?: Uint8Array;
}
export interface EdKey {
  readonly type: "ed25519" | "ed448" | "x25519" | "x448";
  readonly public: Uint8Array;
  readonly private?: Uint8Array;
}
export interface DhKey {
  readonly type: "dh";
  readonly p: bigint;
  readonly g: bigint;
  readonly y: bigint;
  readonly private?: bigint;
}
export type Material = RsaKey | EcKey | EdKey | DhKey;

export const isRsa = (key: Material): key is RsaKey => key.type === "rsa" || key.type === "rsa-pss";

export const CURVES = {
  prime256v1: { curve: p256, oid: "1.2.840.10045.3.1.7", jwk: "P-256", bytes: 32 },
  secp384r1: { curve: p384, oid: "1.3.132.0.34", jwk: "P-384", bytes: 48 },
  secp521r1: { curve: p521, oid: "1.3.132.0.35", jwk: "P-521", bytes: 66 },
  secp256k1: { curve: secp256k1, oid: "1.3.132.0.10", jwk: "secp256k1", bytes: 32 },
  secp224r1: { curve: secp224r1, oid: "1.3.132.0.33", jwk: undefined, bytes: 28 },
  prime192v1: { curve: secp192r1, oid: "1.2.840.10045.3.1.1", jwk: undefined, bytes: 24 },
} as const;
export type CurveName = keyof typeof CURVES;

export const EDWARDS = {
  ed25519: { oid: "1.3.101.112", jwk: "Ed25519", bytes: 32, publicOf: (key: Uint8Array) => ed25519.getPublicKey(key) },
  ed448: { oid: "1.3.101.113", jwk: "Ed448", bytes: 57, publicOf: (key: Uint8Array) => ed448.getPublicKey(key) },
  x25519: { oid: "1.3.101.110", jwk: "X25519", bytes: 32, publicOf: (key: Uint8Array) => x25519.getPublicKey(key) },
  x448: { oid: "1.3.101.111", jwk: "X448", bytes: 56, publicOf: (key: Uint8Array) => x448.getPublicKey(key) },
} as const;

const ALIASES: Readonly<Record<string, CurveName>> = { "p-256": "prime256v1", "p-384": "secp384r1", "p-521": "secp521r1", "p-224": "secp224r1", "p-192": "prime192v1", "secp256r1": "prime256v1" };

/** By OpenSSL's or NIST's name. Throws Node's error for any other. */
export function curveNamed(name: string): CurveName {
  if (Object.hasOwn(CURVES, name)) return name as CurveName;
  const alias = ALIASES[name.toLowerCase()];
  if (alias) return alias;
  const { nodeError } = tools();
  throw nodeError(TypeError, "ERR_CRYPTO_INVALID_CURVE", "Invalid EC curve name");
}

/** The same key without its secret. */
export function publicOf(key: Material): Material {
  const { private: _secret, ...rest } = key;
  return rest as Material;
}
