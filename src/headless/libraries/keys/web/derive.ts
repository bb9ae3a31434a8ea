// subtle.deriveBits, and what deriveKey makes its key of.
import type { CryptoKeyParts } from "../../../node/builtins/crypto-secret-key.ts";
import { diffieHellman } from "../exchange.ts";
import { tools } from "../tools.ts";
import { type Algorithm, digestName, domError } from "./algorithms.ts";
import { secretBytes } from "./export.ts";
import { bufferOf, job } from "./job.ts";

/** A length of null: all of it. Bits that were not asked for are 0. */
async function agree({ public: given }: Algorithm, base: CryptoKeyParts, length: number | null): Promise<ArrayBuffer> {
  const other = tools().partsOf(given) as CryptoKeyParts;
  if (other.key.type !== "public") throw domError("algorithm.public must be a public key", "InvalidAccessError");
  if (base.key.type !== "private") throw domError("baseKey must be a private key", "InvalidAccessError");
  const { name } = other.algorithm;
  if (name !== "ECDH" && name !== "X25519" && name !== "X448") throw domError("Keys must be ECDH, X25519, or X448 keys", "InvalidAccessError");
  if (name !== base.algorithm.name) throw domError("The public and private keys must be of the same type", "InvalidAccessError");
  if (other.algorithm["namedCurve"] !== base.algorithm["namedCurve"]) throw domError("Named curve mismatch", "InvalidAccessError");
  const bits = await job(() => Uint8Array.from(diffieHellman({ privateKey: base.key, publicKey: other.key }) as Uint8Array));
  if (length === null) return bits.buffer;
  const count = Math.ceil(length / 8);
  if (bits.length < count) throw domError("derived bit length is too small", "OperationError");
  const found = bits.slice(0, count);
  if (length % 8 !== 0) found[count - 1] = (found[count - 1] as number) & (0xff << (8 - (length % 8)));
  return found.buffer;
}

type Derive = (...args: unknown[]) => Uint8Array | ArrayBuffer;

export async function deriveBits(algorithm: Algorithm, base: CryptoKeyParts, length: number | null): Promise<ArrayBuffer> {
  const { name, hash, salt, info, iterations } = algorithm;
  if (name !== "HKDF" && name !== "PBKDF2") return agree(algorithm, base, length);
  if (name === "PBKDF2" && iterations === 0) throw domError("iterations cannot be zero", "OperationError");
  if (length === 0) return new ArrayBuffer(0);
  if (length === null) throw domError("length cannot be null", "OperationError");
  if (length % 8 !== 0) throw domError("length must be a multiple of 8", "OperationError");
  const { crypto } = tools();
  const digest = digestName(hash);
  return job(() => bufferOf(new Uint8Array(name === "HKDF"
    ? (crypto["hkdfSync"] as Derive)(digest, base.key, salt, info, length / 8)
    : (crypto["pbkdf2Sync"] as Derive)(secretBytes(base), salt, iterations, length / 8, digest))));
}

export function checkBase(base: CryptoKeyParts, algorithm: Algorithm, use: string): void {
  if (!base.usages.includes(use)) throw domError(`baseKey does not have ${use} usage`, "InvalidAccessError");
  if (base.algorithm.name !== algorithm.name) throw domError("Key algorithm mismatch", "InvalidAccessError");
}
