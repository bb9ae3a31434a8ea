// generateKeyPair: new pairs of every kind, as KeyObjects or in the forms asked for.
import type { AnyFunction, Dict } from "../../node/runtime.ts";
import { fromBigEndian } from "./der.ts";
import { groupNamed, newDhPair, safePrime } from "./exchange.ts";
import { ecFromScalar } from "./formats.ts";
import { exportPrivate, exportPublic, type KeyPairObject, privateObject, publicObject } from "./key-objects.ts";
import { CURVES, curveNamed, EDWARDS, type EdKey, type Material } from "./material.ts";
import { generateRsa, plainDigest } from "./rsa.ts";
import { needDigest, randomBytes, tools } from "./tools.ts";

function uint32(value: unknown, name: string): number {
  const { invalidArgType, outOfRange } = tools();
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
  if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  if (value < 0 || value > 2 ** 32 - 1) throw outOfRange(name, ">= 0 && <= 4294967295", value);
  return value;
}

/** Checks now, makes the key when called. */
function maker(type: unknown, options: Dict): () => Material {
  const { invalidArgType, invalidArgValue, unsupported } = tools();
  switch (type) {
    case "rsa":
    case "rsa-pss": {
      const bitCount = uint32(options["modulusLength"], "options.modulusLength");
      const exponent = options["publicExponent"] === undefined ? 65537 : uint32(options["publicExponent"], "options.publicExponent");
      if (bitCount < 512) throw tools().opensslError("1C8000AB", "Provider routines", "key size too small", "ERR_OSSL_KEY_SIZE_TOO_SMALL");
      if (exponent < 3 || exponent % 2 === 0) throw tools().opensslError("020000B2", "rsa routines", "pub exponent out of range", "ERR_OSSL_RSA_PUB_EXPONENT_OUT_OF_RANGE");
      return () => ({ ...generateRsa(type, bitCount, BigInt(exponent)), ...(type === "rsa-pss" ? pssOf(options) : {}) });
    }
    case "ec": {
      const { namedCurve } = options;
      if (typeof namedCurve !== "string") throw invalidArgType("options.namedCurve", "string", namedCurve);
      const curve = curveNamed(namedCurve);
      return () => ecFromScalar(curve, CURVES[curve].curve.utils.randomSecretKey());
    }
    case "ed25519":
    case "ed448":
    case "x25519":
    case "x448":
      return () => edwards(type);
    case "dh": {
      const { group, prime, primeLength, generator } = options;
      const g = BigInt(generator === undefined ? 2 : uint32(generator, "options.generator"));
      const parameters = group !== undefined ? groupNamed(group) : prime !== undefined ? { p: fromBigEndian(tools().dataBytes(prime)), g } : undefined;
      const length = parameters ? 0 : uint32(primeLength, "options.primeLength");
      return () => {
        const { p, g: base } = parameters ?? { p: safePrime(length), g };
        return { type: "dh", p, g: base, ...newDhPair(p, base) };
      };
    }
    case "dsa":
      throw unsupported(`crypto.generateKeyPair("dsa")`, "DSA keys are out of use; the container has RSA, EC, Ed25519, Ed448, X25519, X448 and DH");
    default:
      if (typeof type !== "string") throw invalidArgType("type", "string", type);
      throw invalidArgValue("type", type, "must be a supported key type");
  }
}

function edwards(type: EdKey["type"]): Material {
  const secret = randomBytes(EDWARDS[type].bytes);
  return { type, public: EDWARDS[type].publicOf(secret), private: secret };
}

function pssOf(options: Dict): Dict {
  const { hashAlgorithm, mgf1HashAlgorithm, saltLength } = options as { hashAlgorithm?: string; mgf1HashAlgorithm?: string; saltLength?: number };
  if (hashAlgorithm === undefined && mgf1HashAlgorithm === undefined && saltLength === undefined) return {};
  const hash = plainDigest(hashAlgorithm ?? mgf1HashAlgorithm ?? "sha1");
  return { pss: { hash, mgfHash: plainDigest(mgf1HashAlgorithm ?? hash), saltLength: saltLength ?? needDigest(hash).outputLength } };
}

function encodings(options: Dict): (key: Material) => { publicKey: unknown; privateKey: unknown } {
  const { publicKeyEncoding, privateKeyEncoding } = options;
  for (const [name, value] of Object.entries({ publicKeyEncoding, privateKeyEncoding })) {
    if (value !== undefined && value !== null && typeof value !== "object") throw tools().invalidArgValue(`options.${name}`, value);
  }
  return (key) => ({
    publicKey: publicKeyEncoding ? exportPublic(key, publicKeyEncoding) : publicObject(key),
    privateKey: privateKeyEncoding ? exportPrivate(key, privateKeyEncoding) : privateObject(key),
  });
}

/** Both as KeyObjects. */
export const newPair = (type: string, options?: Dict): { publicKey: KeyPairObject; privateKey: KeyPairObject } => plan(type, options)() as { publicKey: KeyPairObject; privateKey: KeyPairObject };

function plan(type: unknown, given: unknown): () => { publicKey: unknown; privateKey: unknown } {
  if (given !== undefined && (typeof given !== "object" || given === null)) throw tools().invalidArgType("options", "object", given);
  const options = (given ?? {}) as Dict;
  const make = maker(type, options);
  const shape = encodings(options);
  return () => shape(make());
}

export function generation(): Dict {
  return {
    generateKeyPairSync: (type: unknown, options?: unknown) => plan(type, options)(),
    generateKeyPair: (type: unknown, ...rest: readonly unknown[]) => {
      const [options, done] = typeof rest[0] === "function" ? [undefined, rest[0]] : rest;
      if (typeof done !== "function") throw tools().invalidArgType("callback", "function", done);
      const make = plan(type, options);
      tools().later(() => {
        const { publicKey, privateKey } = make();
        (done as AnyFunction)(null, publicKey, privateKey);
      });
    },
  };
}
