// What this library takes from the runtime that loads it: classes that must be the same on both sides, and what is there
// already.
import type { Buffer, toBytes } from "../../node/builtins/buffer.ts";
import type { opensslError } from "../../node/builtins/crypto-errors.ts";
import type { checkData, dataBytes, encoded } from "../../node/builtins/crypto-hash.ts";
import type { findDigest, refuseKnown } from "../../node/builtins/crypto-hashes.ts";
import type { CryptoKey, createSecretKey, keyBytes, KeyObject, makeCryptoKey, partsOf, SecretKeyObject } from "../../node/builtins/crypto-secret-key.ts";
import type { inspect } from "node-inspect-extracted";
import type { StringDecoder } from "../../node/builtins/string-decoder.ts";
import type * as errors from "../../node/errors.ts";
import type { AnyFunction, Dict } from "../../node/runtime.ts";

export interface KeyTools extends Pick<typeof errors, "nodeError" | "invalidArgType" | "invalidArgValue" | "outOfRange" | "unsupported"> {
  readonly inspect: typeof inspect;
  readonly Buffer: typeof Buffer;
  readonly CryptoKey: typeof CryptoKey;
  readonly KeyObject: typeof KeyObject;
  readonly SecretKeyObject: typeof SecretKeyObject;
  readonly StringDecoder: typeof StringDecoder;
  readonly Transform: AnyFunction & { prototype: Dict };
  readonly Writable: AnyFunction & { prototype: Dict };
  readonly createSecretKey: typeof createSecretKey;
  readonly makeCryptoKey: typeof makeCryptoKey;
  readonly partsOf: typeof partsOf;
  readonly opensslError: typeof opensslError;
  readonly encoded: typeof encoded;
  readonly dataBytes: typeof dataBytes;
  readonly toBytes: typeof toBytes;
  readonly keyBytes: typeof keyBytes;
  readonly checkData: typeof checkData;
  readonly findDigest: typeof findDigest;
  readonly refuseKnown: typeof refuseKnown;
  /** All that Node has, by OpenSSL's names. */
  readonly cipherNames: readonly string[];
  readonly fillRandom: <T extends Uint8Array>(bytes: T) => T;
  /** The module itself: key derivation and more. */
  readonly crypto: Dict;
  /** A callback's turn. */
  readonly later: (task: () => void) => void;
  readonly warn: (text: string, kind: string, code?: string) => void;
}

let given: KeyTools | undefined;

export function useTools(tools: KeyTools): void {
  given = tools;
}

/** Set before anything of the library runs. */
export const tools = (): KeyTools => given as KeyTools;

export const randomBytes = (count: number): Uint8Array => tools().fillRandom(new Uint8Array(count));

/** One digest of all parts. */
export function hashed(name: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hasher = needDigest(name).create();
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

export function needDigest(name: string): NonNullable<ReturnType<typeof findDigest>> {
  const digest = tools().findDigest(name);
  if (!digest) throw tools().nodeError(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`);
  return digest;
}

/** An OpenSSL error with those that came before it, as Node lists them: before its other properties. */
export function stacked(error: Error, stack: readonly string[]): Error {
  const { library, reason, code } = error as unknown as Dict;
  for (const name of ["library", "reason", "code"]) Reflect.deleteProperty(error, name);
  return Object.assign(error, { opensslErrorStack: stack, library, reason, code });
}
