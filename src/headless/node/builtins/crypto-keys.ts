// The half of node:crypto that needs the library of ciphers and key pairs: each name is a stand-in that loads it when first used.
import { inspect } from "node-inspect-extracted";
import * as errors from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { opensslError } from "./crypto-errors.ts";
import { checkData, dataBytes, encoded } from "./crypto-hash.ts";
import { findDigest, refuseKnown } from "./crypto-hashes.ts";
import { fillRandom } from "./crypto-random.ts";
import { CryptoKey, KeyObject, SecretKeyObject, createSecretKey, keyBytes, makeCryptoKey, partsOf } from "./crypto-secret-key.ts";
import facts from "./facts.json" with { type: "json" };
import { createStream } from "./stream.ts";
import { StringDecoder } from "./string-decoder.ts";

const FUNCTIONS = [
  "createPublicKey", "createPrivateKey", "sign", "verify", "createSign", "createVerify", "generateKeyPair", "generateKeyPairSync", "createECDH", "createDiffieHellman", "createDiffieHellmanGroup", "getDiffieHellman",
  "diffieHellman", "generatePrime", "generatePrimeSync", "checkPrime", "checkPrimeSync", "publicEncrypt", "publicDecrypt", "privateEncrypt", "privateDecrypt",
  "createCipher", "createDecipher", "createCipheriv", "createDecipheriv", "getCiphers", "getCipherInfo",
];
/** With what they do without an instance. */
const CLASSES: Readonly<Record<string, readonly string[]>> = { Cipher: [], Decipher: [], Cipheriv: [], Decipheriv: [], Sign: [], Verify: [], ECDH: ["convertKey"], DiffieHellman: [], DiffieHellmanGroup: [], X509Certificate: [] };

const WHY = "a process gets ciphers, key pairs, signatures and crypto.subtle when a file of the project, or its command, names a function of them as it starts: run it again";

const made = new WeakMap<Runtime, Dict>();

/** Loaded when first asked for. Throws the named error of `crypto.name` in a process that has not got it. */
export function keyLibrary(runtime: Runtime, name: string): Dict {
  const known = made.get(runtime);
  if (known) return known;
  const load = runtime.host.library("keys");
  if (!load) throw errors.unsupported(`crypto.${name}`, WHY);
  const crypto = runtime.builtin("crypto");
  const { Transform, Writable } = createStream() as unknown as Record<"Transform" | "Writable", AnyFunction & { prototype: Dict }>;
  const library = load({
    ...errors, inspect, Buffer, CryptoKey, KeyObject, SecretKeyObject, StringDecoder, Transform, Writable, createSecretKey, makeCryptoKey, partsOf, opensslError, encoded, checkData, dataBytes, toBytes, keyBytes, findDigest, refuseKnown, fillRandom, crypto,
    cipherNames: facts.ciphers,
    later: (task) => runtime.loop.post(task),
    warn: (text, type, code) => runtime.process.emitWarning(text, { type, code }),
  });
  for (const each of Object.keys(CLASSES)) (crypto[each] as { prototype: unknown }).prototype = (library[each] as { prototype: unknown }).prototype;
  made.set(runtime, library);
  return library;
}

export function createKeyFunctions(runtime: Runtime): Dict {
  const all: Dict = {};
  for (const name of FUNCTIONS) all[name] = Object.defineProperty((...args: unknown[]) => (keyLibrary(runtime, name)[name] as AnyFunction)(...args), "name", { value: name });
  Object.defineProperty(all["generateKeyPair"], Symbol.for("nodejs.util.promisify.customArgs"), { value: ["publicKey", "privateKey"] });
  for (const [name, statics] of Object.entries(CLASSES)) {
    const StandIn = { [name]: function (...args: unknown[]): unknown {
      return new (keyLibrary(runtime, name)[name] as new (...args: unknown[]) => object)(...args);
    } }[name] as unknown as AnyFunction & Dict;
    for (const each of statics) StandIn[each] = (...args: unknown[]) => ((keyLibrary(runtime, name)[name] as Dict)[each] as AnyFunction)(...args);
    all[name] = StandIn;
  }
  return all;
}
