// The methods of crypto.subtle (https://w3c.github.io/webcrypto/#subtlecrypto-interface): arguments checked, keys asked whether
// they may, then done.
import type { CryptoKeyParts } from "../../../node/builtins/crypto-secret-key.ts";
import type { Dict } from "../../../node/runtime.ts";
import { hashed, tools } from "../tools.ts";
import { type Algorithm, digestName, domError, keyLength, normalized, type Operation } from "./algorithms.ts";
import { runCipher } from "./cipher.ts";
import { checkBase, deriveBits } from "./derive.ts";
import { exportKey } from "./export.ts";
import { generateKey } from "./generate.ts";
import { algorithm, bytes, type Convert, cryptoKey, flag, format, jsonWebKey, refused, usages, wrapped } from "./idl.ts";
import { importKey } from "./import.ts";
import { bufferOf, job } from "./job.ts";
import { signOrVerify } from "./signature.ts";

type Named = string | object;
const ORDINALS = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th"];

const parts: Convert<CryptoKeyParts> = (value, where) => tools().partsOf(cryptoKey(value, where)) as CryptoKeyParts;
const bitCount: Convert<number | null> = (value, where) => (value === undefined || value === null ? null : wrapped(value, where));

type Converted<C extends readonly Convert[]> = { -readonly [K in keyof C]: C[K] extends Convert<infer T> ? T : never };

/** The arguments as the method takes them; fewer than `needed` are an error. */
function taken<const C extends readonly Convert[]>(method: string, given: readonly unknown[], converts: C, needed = converts.length): Converted<C> {
  const call = `Failed to execute '${method}' on 'SubtleCrypto'`;
  if (given.length < needed) throw refused({ call, what: "" }, `${needed} argument${needed === 1 ? "" : "s"} required, but only ${given.length} present.`, "ERR_MISSING_ARGS");
  return converts.map((convert, k) => convert(given[k], { call, what: `${ORDINALS[k]} argument` })) as Converted<C>;
}

/** Keys are wrapped by algorithms made for it, or by those that encrypt. */
function wrapping(given: Named, operation: "wrapKey" | "unwrapKey", otherwise: Operation): Algorithm {
  try {
    return normalized(given, operation);
  } catch {
    return normalized(given, otherwise); // its error is the one to see
  }
}

/** AES-KW wraps whole blocks of 8 bytes only: blanks fill a JSON Web Key up. */
function jwkBytes(jwk: unknown, name: string): Uint8Array {
  const text = JSON.stringify(jwk);
  return new TextEncoder().encode(name === "AES-KW" ? text.padEnd(Math.ceil(text.length / 8) * 8) : text);
}

function jwkOf(data: ArrayBuffer): Dict {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data)) as Dict;
  } catch {
    throw domError("Invalid wrapped JWK key", "DataError");
  }
}

const keyData = (keyFormat: unknown): Convert<Uint8Array | Dict> => (keyFormat === "jwk" ? jsonWebKey : bytes);

async function imported(method: string, given: readonly unknown[]): Promise<object> {
  const [kind, data, asked, extractable, uses] = taken(method, given, [format, keyData(given[0]), algorithm, flag, usages], 4);
  return importKey(kind, data, normalized(asked, "importKey"), extractable, uses);
}

export const subtle: Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>> = {
  async digest(...args) {
    const [asked, data] = taken("digest", args, [algorithm, bytes]);
    const name = digestName(normalized(asked, "digest"));
    return job(() => bufferOf(hashed(name, data)));
  },
  async generateKey(...args) {
    const [asked, extractable, uses] = taken("generateKey", args, [algorithm, flag, usages]);
    return generateKey(normalized(asked, "generateKey"), extractable, uses);
  },
  async importKey(...args) {
    return imported("importKey", args);
  },
  async exportKey(...args) {
    const [kind, key] = taken("exportKey", args, [format, parts]);
    return exportKey(kind, key);
  },
  async sign(...args) {
    const [asked, key, data] = taken("sign", args, [algorithm, parts, bytes]);
    return signOrVerify(normalized(asked, "sign"), key, data);
  },
  async verify(...args) {
    const [asked, key, signature, data] = taken("verify", args, [algorithm, parts, bytes, bytes]);
    return signOrVerify(normalized(asked, "verify"), key, data, signature);
  },
  async encrypt(...args) {
    const [asked, key, data] = taken("encrypt", args, [algorithm, parts, bytes]);
    return runCipher("encrypt", normalized(asked, "encrypt"), key, data);
  },
  async decrypt(...args) {
    const [asked, key, data] = taken("decrypt", args, [algorithm, parts, bytes]);
    return runCipher("decrypt", normalized(asked, "decrypt"), key, data);
  },
  async deriveBits(...args) {
    const [asked, base, length] = taken("deriveBits", args, [algorithm, parts, bitCount], 2);
    const how = normalized(asked, "deriveBits");
    checkBase(base, how, "deriveBits");
    return deriveBits(how, base, length);
  },
  async deriveKey(...args) {
    const [asked, base, wanted, extractable, uses] = taken("deriveKey", args, [algorithm, parts, algorithm, flag, usages]);
    const how = normalized(asked, "deriveBits");
    const target = normalized(wanted, "importKey");
    checkBase(base, how, "deriveKey");
    const bits = await deriveBits(how, base, keyLength(normalized(wanted, "get key length")));
    return importKey("raw", new Uint8Array(bits), target, extractable, uses);
  },
  async wrapKey(...args) {
    const [kind, key, by, asked] = taken("wrapKey", args, [format, parts, parts, algorithm]);
    const how = wrapping(asked, "wrapKey", "encrypt");
    const exported = await exportKey(kind, key);
    return runCipher("wrapKey", how, by, kind === "jwk" ? jwkBytes(exported, how.name) : new Uint8Array(exported as ArrayBuffer));
  },
  async unwrapKey(...args) {
    const [kind, data, by, asked, target, extractable, uses] = taken("unwrapKey", args, [format, bytes, parts, algorithm, algorithm, flag, usages]);
    const found = await runCipher("unwrapKey", wrapping(asked, "unwrapKey", "decrypt"), by, data);
    return imported("importKey", [kind, kind === "jwk" ? jwkOf(found) : found, target, extractable, uses]);
  },
};
