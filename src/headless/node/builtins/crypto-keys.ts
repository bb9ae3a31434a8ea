// The half of node:crypto that needs the library of key pairs: each name is a stand-in that loads it when first used.
import * as errors from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { opensslError } from "./crypto-errors.ts";
import { dataBytes, encoded } from "./crypto-hash.ts";
import { findDigest } from "./crypto-hashes.ts";
import { KeyObject, SecretKeyObject } from "./crypto-secret-key.ts";
import { createStream } from "./stream.ts";
import { fillRandom } from "./web-crypto.ts";

const FUNCTIONS = [
  "createPublicKey", "createPrivateKey", "sign", "verify", "createSign", "createVerify", "generateKeyPair", "generateKeyPairSync", "createECDH", "createDiffieHellman", "createDiffieHellmanGroup", "getDiffieHellman",
  "diffieHellman", "generatePrime", "generatePrimeSync", "checkPrime", "checkPrimeSync", "publicEncrypt", "publicDecrypt", "privateEncrypt", "privateDecrypt",
];
/** With what they do without an instance. */
const CLASSES: Readonly<Record<string, readonly string[]>> = { Sign: [], Verify: [], ECDH: ["convertKey"], DiffieHellman: [], DiffieHellmanGroup: [] };

const WHY = "a process gets key pairs and signatures when a file of the project, or its command, names a function of them as it starts: run it again";

export function createKeyFunctions(runtime: Runtime, crypto: () => Dict): Dict {
  const all: Dict = {};
  let made: Dict | undefined;
  const library = (name: string): Dict => {
    if (made) return made;
    const load = runtime.host.library("keys");
    if (!load) throw errors.unsupported(`crypto.${name}`, WHY);
    const Writable = createStream()["Writable"] as unknown as AnyFunction & { prototype: Dict };
    made = load({ ...errors, Buffer, KeyObject, SecretKeyObject, Writable, opensslError, encoded, dataBytes, findDigest, fillRandom, crypto: crypto(), later: (task) => runtime.loop.post(task) });
    for (const each of Object.keys(CLASSES)) (all[each] as { prototype: unknown }).prototype = (made[each] as { prototype: unknown }).prototype;
    return made;
  };
  for (const name of FUNCTIONS) all[name] = Object.defineProperty((...args: unknown[]) => (library(name)[name] as AnyFunction)(...args), "name", { value: name });
  Object.defineProperty(all["generateKeyPair"], Symbol.for("nodejs.util.promisify.customArgs"), { value: ["publicKey", "privateKey"] });
  for (const [name, statics] of Object.entries(CLASSES)) {
    const StandIn = { [name]: function (...args: unknown[]): unknown {
      return new (library(name)[name] as new (...args: unknown[]) => object)(...args);
    } }[name] as unknown as AnyFunction & Dict;
    for (const each of statics) StandIn[each] = (...args: unknown[]) => ((library(name)[name] as Dict)[each] as AnyFunction)(...args);
    all[name] = StandIn;
  }
  return all;
}
