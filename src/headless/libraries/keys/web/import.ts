// subtle.importKey: keys from bytes, DER and JSON Web Keys.
import type { CryptoKeyParts } from "../../../node/builtins/crypto-secret-key.ts";
import type { Dict } from "../../../node/runtime.ts";
import { ecFromScalar, uncompressed } from "../formats.ts";
import { createPrivateKey, createPublicKey, type KeyPairObject, materialOf, publicObject } from "../key-objects.ts";
import { type CurveName, EDWARDS, type EcKey, type EdKey } from "../material.ts";
import { tools } from "../tools.ts";
import { AES_LENGTHS, type Algorithm, domError, jwkName } from "./algorithms.ts";
import { WEB_CURVES } from "./generate.ts";
import { checkUses, pairUses, secretUses } from "./usages.ts";

type KeyBase = CryptoKeyParts["key"];
const invalid = (cause?: unknown): Error => domError("Invalid keyData", "DataError", cause);
const noFormat = (kind: string, format: string): Error => domError(`Unable to import ${kind} key with format ${format}`, "NotSupportedError");

/** Node's own reader of keys; what it throws is the cause. */
function read<T>(reader: () => T): T {
  try {
    return reader();
  } catch (cause) {
    throw invalid(cause);
  }
}

interface Wish {
  readonly algorithm: Algorithm;
  readonly extractable: boolean;
  readonly uses: readonly string[];
}

/** What a JSON Web Key says of its use must suit how it is imported. */
function checkJwk(jwk: Dict, kty: string, { algorithm, extractable, uses }: Wish): void {
  const { name } = algorithm;
  if (!jwk["kty"]) throw invalid();
  if (jwk["kty"] !== kty) throw domError('Invalid JWK "kty" Parameter', "DataError");
  if (kty === "EC" && jwk["crv"] !== algorithm.namedCurve) throw domError('JWK "crv" does not match the requested algorithm', "DataError");
  if (kty === "OKP" && jwk["crv"] !== name) throw domError('JWK "crv" Parameter and algorithm name mismatch', "DataError");
  if (kty !== "oct") checkUses(uses, pairUses(name)[jwk["d"] === undefined ? "public" : "private"], article(name));
  const signs = name === "HMAC" || pairUses(name)?.private.includes("sign");
  if (uses.length > 0 && jwk["use"] !== undefined && jwk["use"] !== (signs ? "sig" : "enc")) throw domError('Invalid JWK "use" Parameter', "DataError");
  checkKeyOps(jwk["key_ops"] as readonly string[] | undefined, uses);
  if (jwk["ext"] === false && extractable) throw domError('JWK "ext" Parameter and extractable mismatch', "DataError");
}

const KNOWN_OPS = ["sign", "verify", "encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"];

function checkKeyOps(ops: readonly string[] | undefined, uses: readonly string[]): void {
  if (ops === undefined) return;
  const named = ops.filter((op) => KNOWN_OPS.includes(op));
  if (new Set(named).size < named.length) throw domError("Duplicate key operation", "DataError");
  if (uses.some((use) => !ops.includes(use))) throw domError("Key operations and usage mismatch", "DataError");
}

const article = (name: string): string => `${name.startsWith("RSA") ? "an" : "a"} ${name}`;
const wrongAlg = (): Error => domError('JWK "alg" does not match the requested algorithm', "DataError");

/** Every name that a digest has in web crypto and in JSON Web Keys. */
function digestOfAlg(alg: string): string {
  const [, digits = ""] = /^(?:sha-?|rs|ps|hs|rsa-oaep-?)(1|256|384|512|)$/i.exec(alg) ?? [undefined, "?"];
  return `SHA-${digits === "" ? "1" : digits}`;
}

const EC_ALGS: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

function suits(alg: string, { name, hash, namedCurve }: Algorithm): boolean {
  if (name.startsWith("RSA")) return digestOfAlg(alg) === hash.name;
  if (name === "ECDSA") return EC_ALGS[alg] === namedCurve;
  return name.startsWith("Ed") ? alg === name || alg === "EdDSA" : true;
}

function pairFromJwk(jwk: Dict, kty: string, wish: Wish): KeyPairObject {
  checkJwk(jwk, kty, wish);
  if (typeof jwk["alg"] === "string" && !suits(jwk["alg"], wish.algorithm)) throw wrongAlg();
  if (kty === "OKP" && jwk["d"] !== undefined && typeof jwk["x"] !== "string") throw domError("Invalid JWK", "DataError");
  const isOpen = jwk["d"] === undefined;
  const key = read(() => {
    try {
      return isOpen ? createPublicKey({ key: jwk, format: "jwk" }) : createPrivateKey({ key: jwk, format: "jwk" });
    } catch (cause) {
      throw (cause as { code?: string }).code === "ERR_INVALID_ARG_TYPE" ? invalidJwk(`${kty} key`) : cause;
    }
  });
  if (!isOpen) checkPoint(key, jwk);
  return key;
}

const invalidJwk = (what: string): Error => tools().nodeError(TypeError, "ERR_CRYPTO_INVALID_JWK", `Invalid JWK ${what}`);
const hex = (bytes: Uint8Array): string => tools().Buffer.from(bytes).toString("hex");

/** The public half must be the secret's own. */
function checkPoint(key: KeyPairObject, jwk: Dict): void {
  const material = materialOf(key);
  if (material?.type === "ec") {
    const own = pointOf(material.curve, material.private as Uint8Array);
    if (!own || hex(own) !== hex(material.point)) throw invalid();
  } else if (material && "public" in material && hex(Uint8Array.from(tools().Buffer.from(jwk["x"] as string, "base64url"))) !== hex(material.public)) throw invalid(invalidJwk("data"));
}

/** Undefined for what is no secret of the curve. */
function pointOf(curve: CurveName, secretScalar: Uint8Array): Uint8Array | undefined {
  try {
    return (ecFromScalar(curve, secretScalar) as EcKey).point;
  } catch {
    return undefined;
  }
}

function fromRaw({ name, namedCurve }: Algorithm, data: Uint8Array): KeyPairObject {
  if (namedCurve !== undefined) {
    const curve = WEB_CURVES[namedCurve] as CurveName;
    try {
      return publicObject({ type: "ec", curve, point: uncompressed(curve, data) });
    } catch {
      throw invalid(); // no point of the curve
    }
  }
  const type = name.toLowerCase() as EdKey["type"];
  const { bytes } = EDWARDS[type];
  if (data.length !== bytes) throw domError(`${name} raw keys must be exactly ${bytes}-bytes`, "DataError");
  return publicObject({ type, public: data });
}

function pair(format: string, data: Uint8Array | Dict, kty: string, wish: Wish): KeyPairObject {
  const { algorithm: { name }, uses } = wish;
  if (format === "jwk") return pairFromJwk(data as Dict, kty, wish);
  if (format === "raw" && kty === "RSA") throw noFormat("RSA", format);
  checkUses(uses, pairUses(name)[format === "pkcs8" ? "private" : "public"], article(name));
  if (format === "raw") return fromRaw(wish.algorithm, data as Uint8Array);
  return read(() => (format === "spki" ? createPublicKey : createPrivateKey)({ key: data, format: "der", type: format }));
}

function importPair(format: string, data: Uint8Array | Dict, kty: string, wish: Wish): { key: KeyBase; algorithm: Dict & { name: string } } {
  const { name, hash, namedCurve } = wish.algorithm;
  if (kty === "EC" && !Object.hasOwn(WEB_CURVES, namedCurve)) throw domError("Unrecognized namedCurve", "NotSupportedError");
  const key = pair(format, data, kty, wish);
  if (key.asymmetricKeyType !== (kty === "OKP" ? name.toLowerCase() : kty.toLowerCase())) throw domError("Invalid key type", "DataError");
  const { modulusLength, publicExponent, namedCurve: curve } = key.asymmetricKeyDetails as { modulusLength: number; publicExponent: bigint; namedCurve: string };
  if (kty === "RSA") return { key, algorithm: { name, modulusLength, publicExponent: Uint8Array.from(bigEndian(publicExponent)), hash } };
  if (kty === "OKP") return { key, algorithm: { name } };
  if (curve !== WEB_CURVES[namedCurve]) throw domError("Named curve mismatch", "DataError");
  return { key, algorithm: { name, namedCurve } };
}

const bigEndian = (value: bigint): number[] => (value === 0n ? [] : [...bigEndian(value >> 8n), Number(value & 0xffn)]);

function secret(format: string, data: Uint8Array | Dict, kind: string, wish: Wish): KeyBase {
  const { createSecretKey, Buffer, nodeError } = tools();
  if (format === "raw") return createSecretKey(data);
  if (format !== "jwk") throw noFormat(kind, format);
  const jwk = data as Dict;
  checkJwk(jwk, "oct", wish);
  return read(() => {
    if (typeof jwk["k"] !== "string") throw nodeError(TypeError, "ERR_CRYPTO_INVALID_JWK", "Invalid JWK secret key format");
    return createSecretKey(Buffer.from(jwk["k"], "base64url"));
  });
}

function checkAlg(format: string, data: Uint8Array | Dict, algorithm: Algorithm): void {
  const alg = format === "jwk" ? (data as Dict)["alg"] : undefined;
  if (alg !== undefined && alg !== jwkName(algorithm)) throw wrongAlg();
}

function importSecret(format: string, data: Uint8Array | Dict, wish: Wish): { key: KeyBase; algorithm: Dict & { name: string } } {
  const { algorithm, extractable, uses } = wish;
  const { name, hash, length: asked } = algorithm;
  const derives = name === "HKDF" || name === "PBKDF2";
  if (derives && extractable) throw domError(`${name} keys are not extractable`, "SyntaxError");
  checkUses(uses, secretUses(name), derives ? `a ${name}` : name === "HMAC" ? "an HMAC" : "an AES");
  if (derives) {
    if (format !== "raw") throw noFormat(name, format);
    return { key: tools().createSecretKey(data), algorithm: { name } };
  }
  if (name === "HMAC" && format === "raw") {
    const bitCount = (data as Uint8Array).length * 8;
    if (bitCount === 0 || asked === 0) throw domError("Zero-length key is not supported", "DataError");
    if (asked !== undefined && asked !== bitCount) throw domError("Invalid key length", "DataError");
  }
  const key = secret(format, data, name === "HMAC" ? "HMAC" : "AES", wish);
  const length = (key as unknown as { symmetricKeySize: number }).symmetricKeySize * 8;
  if (name !== "HMAC" && !AES_LENGTHS.includes(length)) throw domError("Invalid key length", "DataError");
  checkAlg(format, data, { ...algorithm, length });
  return { key, algorithm: name === "HMAC" ? { name, hash, length } : { name, length } };
}

/** `data` is bytes, or an object for the format jwk. */
export function importKey(format: string, data: Uint8Array | Dict, algorithm: Algorithm, extractable: boolean, uses: readonly string[]): object {
  const { name } = algorithm;
  const wish = { algorithm, extractable, uses };
  const kty = name.startsWith("RSA") ? "RSA" : name.startsWith("EC") ? "EC" : /^(?:Ed|X)\d/.test(name) ? "OKP" : undefined;
  const { key, algorithm: own } = kty === undefined ? importSecret(format, data, wish) : importPair(format, data, kty, wish);
  if (key.type !== "public" && uses.length === 0) throw domError(`Usages cannot be empty when importing a ${key.type} key.`, "SyntaxError");
  return tools().makeCryptoKey({ key, algorithm: own, extractable, usages: uses });
}
