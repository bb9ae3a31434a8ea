// subtle.generateKey: secret keys and key pairs.
import type { Dict } from "../../../node/runtime.ts";
import { newPair } from "../generate.ts";
import { tools } from "../tools.ts";
import { AES_LENGTHS, type Algorithm, blockSize, domError } from "./algorithms.ts";
import { job } from "./job.ts";
import { checkUses, common, pairUses, secretUses } from "./usages.ts";

export const WEB_CURVES: Readonly<Record<string, string>> = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" };

/** Undefined for what 32 bits cannot hold. */
function exponentOf(bytes: Uint8Array): number | undefined {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return value < 2 ** 32 ? value : undefined;
}

const noUses = (): Error => domError("Usages cannot be empty when creating a key.", "SyntaxError");

async function secretKey(type: "aes" | "hmac", algorithm: Dict & { readonly name: string; readonly length: number }, extractable: boolean, uses: readonly string[]): Promise<object> {
  checkUses(uses, secretUses(algorithm.name), type === "aes" ? "an AES" : "an HMAC");
  if (uses.length === 0) throw noUses();
  const key = await job(() => (tools().crypto["generateKeySync"] as (type: string, options: Dict) => InstanceType<ReturnType<typeof tools>["KeyObject"]>)(type, { length: algorithm.length }));
  return tools().makeCryptoKey({ key, algorithm, extractable, usages: [...new Set(uses)] });
}

interface Pair {
  readonly type: string;
  readonly options?: Dict;
  readonly algorithm: Dict & { readonly name: string };
  /** In an error's words. */
  readonly kind: string;
}

async function keyPair({ type, options, algorithm, kind }: Pair, extractable: boolean, uses: readonly string[]): Promise<object> {
  const possible = pairUses(algorithm.name);
  checkUses(uses, [...possible.public, ...possible.private], kind);
  const privateUses = common(possible.private, uses);
  if (privateUses.length === 0) throw noUses();
  const pair = await job(() => newPair(type, options));
  const { makeCryptoKey } = tools();
  const publicKey = makeCryptoKey({ key: pair.publicKey, algorithm, extractable: true, usages: common(possible.public, uses) });
  const privateKey = makeCryptoKey({ key: pair.privateKey, algorithm, extractable, usages: privateUses });
  // The order in which Node shows them.
  return Object.assign(Object.create(null) as object, options ? { publicKey, privateKey } : { privateKey, publicKey });
}

export async function generateKey(algorithm: Algorithm, extractable: boolean, uses: readonly string[]): Promise<object> {
  const { name, modulusLength, publicExponent, hash, namedCurve, length } = algorithm;
  switch (name) {
    case "RSASSA-PKCS1-v1_5":
    case "RSA-PSS":
    case "RSA-OAEP": {
      const exponent = exponentOf(publicExponent);
      if (exponent === undefined) throw domError("The publicExponent must be equivalent to an unsigned 32-bit value", "OperationError");
      return keyPair({ type: "rsa", options: { modulusLength, publicExponent: exponent }, algorithm: { name, modulusLength, publicExponent, hash: { name: hash.name } }, kind: "a RSA" }, extractable, uses);
    }
    case "ECDSA":
    case "ECDH":
      if (!Object.hasOwn(WEB_CURVES, namedCurve)) throw domError("Unrecognized namedCurve", "NotSupportedError");
      return keyPair({ type: "ec", options: { namedCurve }, algorithm: { name, namedCurve }, kind: `an ${name}` }, extractable, uses);
    case "HMAC": {
      const bitCount = length ?? blockSize(hash);
      if (bitCount % 8 !== 0) throw tools().invalidArgValue("algorithm.length", bitCount, "must be a multiple of 8");
      return secretKey("hmac", { name, length: bitCount, hash: { name: hash.name } }, extractable, uses);
    }
    case "Ed25519":
    case "Ed448":
    case "X25519":
    case "X448":
      return keyPair({ type: name.toLowerCase(), algorithm: { name }, kind: `an ${name}` }, extractable, uses);
    default:
      if (!AES_LENGTHS.includes(length)) throw domError("AES key length must be 128, 192, or 256 bits", "OperationError");
      return secretKey("aes", { name, length: length as number }, extractable, uses);
  }
}
