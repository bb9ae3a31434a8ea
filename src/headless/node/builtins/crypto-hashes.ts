// The digests of node:crypto by every name that OpenSSL gives them.
import { blake2b, blake2s } from "@noble/hashes/blake2.js";
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { sha224, sha256, sha384, sha512, sha512_224, sha512_256 } from "@noble/hashes/sha2.js";
import { sha3_224, sha3_256, sha3_384, sha3_512, shake128, shake256 } from "@noble/hashes/sha3.js";
import { nodeError, unsupported } from "../errors.ts";
import facts from "./facts.json" with { type: "json" };

/** One digest under way. */
export interface Hasher {
  update(data: Uint8Array): Hasher;
  digest(): Uint8Array;
  clone(): Hasher;
}
/** A noble hash function. */
export type HashFunction = typeof sha256;

export interface Digest {
  readonly create: (outputLength?: number) => Hasher;
  readonly hash: HashFunction;
  readonly outputLength: number;
  /** Its output may have any length. */
  readonly isXof: boolean;
}

const plain = (hash: unknown): Digest => {
  const fn = hash as HashFunction;
  return { create: () => fn.create() as unknown as Hasher, hash: fn, outputLength: fn.outputLen, isXof: false };
};
const xof = (hash: typeof shake128, outputLength: number): Digest => ({
  create: (length = outputLength) => hash.create({ dkLen: length }) as unknown as Hasher, hash: hash as unknown as HashFunction, outputLength, isXof: true,
});

/** OpenSSL's md5-sha1 is both, one after the other. */
class Both implements Hasher {
  readonly #parts: readonly Hasher[];

  constructor(parts: readonly Hasher[]) {
    this.#parts = parts;
  }

  update(data: Uint8Array): this {
    for (const part of this.#parts) part.update(data);
    return this;
  }

  digest(): Uint8Array {
    return Uint8Array.from(this.#parts.flatMap((part) => [...part.digest()]));
  }

  clone(): Both {
    return new Both(this.#parts.map((part) => part.clone()));
  }
}
const md5Sha1: Digest = { create: () => new Both([md5.create(), sha1.create()] as unknown as Hasher[]), hash: md5 as unknown as HashFunction, outputLength: 36, isXof: false };

const DIGESTS: Readonly<Record<string, Digest>> = {
  "md5": plain(md5), "sha1": plain(sha1), "ripemd160": plain(ripemd160), "sha224": plain(sha224), "sha256": plain(sha256), "sha384": plain(sha384), "sha512": plain(sha512),
  "sha512-224": plain(sha512_224), "sha512-256": plain(sha512_256), "sha3-224": plain(sha3_224), "sha3-256": plain(sha3_256), "sha3-384": plain(sha3_384), "sha3-512": plain(sha3_512),
  "shake128": xof(shake128, 16), "shake256": xof(shake256, 32), "blake2b512": plain(blake2b), "blake2s256": plain(blake2s), "md5-sha1": md5Sha1,
};

function canonical(name: string): string {
  const bare = name.toLowerCase().replace(/^(?:rsa-|id-rsassa-pkcs1-v1_5-with-|ssl3-)/, "").replace(/with(?:rsa|rsaencryption)$/, "").replace(/^sha1-2$/, "sha1").replace(/^sha2?-(1|224|256|384|512)\b/, "sha$1").replace(/^(?:ripemd|rmd)(?:-?160)?$/, "ripemd160");
  return bare.replace(/^sha512[/-](224|256)$/, "sha512-$1");
}

/** Undefined for a name that nothing here answers to. */
export function findDigest(name: string): Digest | undefined {
  return Object.hasOwn(DIGESTS, canonical(name)) ? DIGESTS[canonical(name)] : undefined;
}

/** Node's own list, without what is not here. */
export const hashNames: readonly string[] = facts.hashes.filter((name) => findDigest(name) !== undefined);

/** For the functions that take a digest's name among others. */
export function needDigest(name: string): Digest {
  const found = findDigest(name);
  if (!found) throw nodeError(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`);
  return found;
}

/** A name that Node knows and this runtime does not. */
export function refuseKnown(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name.toLowerCase())) throw unsupported(`crypto.${what}("${name}")`, "no implementation of this algorithm is part of the container");
}
