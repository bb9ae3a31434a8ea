// What each kind of key may be used for.
import { domError } from "./algorithms.ts";

interface Uses {
  readonly public: readonly string[];
  readonly private: readonly string[];
}
const signing: Uses = { public: ["verify"], private: ["sign"] };
const agreeing: Uses = { public: [], private: ["deriveKey", "deriveBits"] };
const PAIRS: Readonly<Record<string, Uses>> = {
  "RSASSA-PKCS1-v1_5": signing, "RSA-PSS": signing, "RSA-OAEP": { public: ["encrypt", "wrapKey"], private: ["decrypt", "unwrapKey"] },
  "ECDSA": signing, "Ed25519": signing, "Ed448": signing, "ECDH": agreeing, "X25519": agreeing, "X448": agreeing,
};
const WRAPPING = ["wrapKey", "unwrapKey"];
const SECRETS: Readonly<Record<string, readonly string[]>> = { "HMAC": ["sign", "verify"], "AES-KW": WRAPPING, "HKDF": agreeing.private, "PBKDF2": agreeing.private };

export const pairUses = (name: string): Uses => PAIRS[name] as Uses;
export const secretUses = (name: string): readonly string[] => SECRETS[name] ?? [...WRAPPING, "encrypt", "decrypt"];

/** `kind` is as Node words it: `a RSA`. */
export function checkUses(asked: readonly string[], possible: readonly string[], kind: string): void {
  if (asked.some((use) => !possible.includes(use))) throw domError(`Unsupported key usage for ${kind} key`, "SyntaxError");
}

/** In the order of `possible`. */
export const common = (possible: readonly string[], asked: readonly string[]): readonly string[] => possible.filter((use) => asked.includes(use));
