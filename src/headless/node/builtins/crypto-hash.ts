// The Hash and Hmac classes of node:crypto: objects to update, and streams.
import { hmac } from "@noble/hashes/hmac.js";
import { invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { type Digest, type Hasher, findDigest, needDigest, refuseKnown } from "./crypto-hashes.ts";
import { keyBytes } from "./crypto-secret-key.ts";
import { opensslError } from "./crypto-errors.ts";
import facts from "./facts.json" with { type: "json" };
import { createStream } from "./stream.ts";

interface HashState {
  readonly hasher: Hasher;
  readonly isMac: boolean;
  finished: boolean;
}
const states = new WeakMap<object, HashState>();

export function checkData(data: unknown, name = "data"): void {
  if (typeof data !== "string" && !ArrayBuffer.isView(data)) throw invalidArgType(name, ["string", "Buffer", "TypedArray", "DataView"], data);
}

/** An encoding that nobody knows counts as utf8, as in Node's C++. */
export function dataBytes(data: unknown, encoding?: unknown): Uint8Array {
  if (typeof data === "string" && typeof encoding === "string" && encoding.toLowerCase() === "hex" && data.length % 2 !== 0) throw invalidArgValue("encoding", encoding, `is invalid for data of length ${data.length}`);
  return toBytes(data, typeof encoding === "string" && Buffer.isEncoding(encoding) ? encoding : "utf8");
}

/** A Buffer, or text when an encoding is asked for. */
export function encoded(bytes: Uint8Array, encoding: unknown): unknown {
  const buffer = Buffer.from(bytes);
  return typeof encoding === "string" && encoding !== "buffer" && Buffer.isEncoding(encoding) ? buffer.toString(encoding) : buffer;
}

const finalized = (): Error => nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");

export interface HashClasses {
  readonly Hash: AnyFunction & { prototype: Dict };
  readonly Hmac: AnyFunction & { prototype: Dict };
}

let classes: HashClasses | undefined;

export function hashClasses(): HashClasses {
  return (classes ??= make());
}

function make(): HashClasses {
  const Transform = createStream()["Transform"] as AnyFunction & { prototype: object };
  const stateOf = (self: object): HashState => states.get(self) as HashState;

  function start(self: object, hasher: Hasher, isMac: boolean, options: unknown): void {
    Transform.call(self, options);
    states.set(self, { hasher, isMac, finished: false });
  }

  function Hash(this: object | undefined, algorithm: unknown, options?: Dict): unknown {
    if (!(this instanceof Hash)) return new (Hash as unknown as new (a: unknown, o?: Dict) => unknown)(algorithm, options);
    if (typeof algorithm !== "string") throw invalidArgType("algorithm", "string", algorithm);
    const length = options?.["outputLength"] as number | undefined;
    if (length !== undefined && (typeof length !== "number" || !Number.isInteger(length))) throw invalidArgType("options.outputLength", "number", length);
    const digest = findDigest(algorithm);
    if (!digest) {
      refuseKnown("createHash", algorithm, facts.hashes);
      throw new Error("Digest method not supported");
    }
    start(this, create(digest, length), false, options);
    return undefined;
  }

  function Hmac(this: object | undefined, algorithm: unknown, key: unknown, options?: Dict): unknown {
    if (!(this instanceof Hmac)) return new (Hmac as unknown as new (a: unknown, k: unknown, o?: Dict) => unknown)(algorithm, key, options);
    if (typeof algorithm !== "string") throw invalidArgType("hmac", "string", algorithm);
    const encoding = options?.["encoding"] as string | undefined;
    const bytes = keyBytes(key, encoding);
    const digest = needDigest(algorithm);
    if (digest.isXof) throw nodeError(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${algorithm}`);
    start(this, hmac.create(digest.hash, bytes) as unknown as Hasher, true, options);
    return undefined;
  }

  function update(this: object, data: unknown, encoding?: unknown): object {
    const state = stateOf(this);
    checkData(data);
    if (state.finished) throw finalized();
    state.hasher.update(dataBytes(data, encoding));
    return this;
  }

  function digest(this: object, encoding?: unknown): unknown {
    const state = stateOf(this);
    // A second digest of an Hmac is empty, for the sake of old programs.
    if (state.finished && state.isMac) return encoding === undefined || encoding === "buffer" ? Buffer.alloc(0) : "";
    if (state.finished) throw finalized();
    state.finished = true;
    return encoded(state.hasher.digest(), encoding);
  }

  const shared: Record<string, unknown> = {
    update, digest,
    _transform(this: { update: AnyFunction }, chunk: unknown, encoding: unknown, done: AnyFunction): void {
      this.update(chunk, encoding);
      done();
    },
    _flush(this: { digest: AnyFunction; push: AnyFunction }, done: AnyFunction): void {
      this.push(this.digest());
      done();
    },
  };
  for (const Class of [Hash, Hmac]) {
    Object.setPrototypeOf(Class.prototype as object, Transform.prototype);
    Object.setPrototypeOf(Class, Transform);
    for (const [name, value] of Object.entries(shared)) Object.defineProperty(Class.prototype, name, { value, writable: true, configurable: true, enumerable: true });
  }
  (Hash.prototype as Dict)["copy"] = function copy(this: object, options?: unknown): object {
    const state = stateOf(this);
    if (state.finished) throw finalized();
    const made = Object.create(Hash.prototype as object) as object;
    start(made, state.hasher.clone(), false, options);
    return made;
  };
  return { Hash: Hash as unknown as HashClasses["Hash"], Hmac: Hmac as unknown as HashClasses["Hmac"] };
}

function create(digest: Digest, length: number | undefined): Hasher {
  if (length === undefined || length === digest.outputLength) return digest.create();
  if (!digest.isXof) throw opensslError("030000B2", "digital envelope routines", "not XOF or invalid length", "ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH");
  return length === 0 ? { update: () => create(digest, 0), digest: () => new Uint8Array(), clone: () => create(digest, 0) } : digest.create(length);
}

/** `crypto.hash`: one shot. */
export function oneShot(algorithm: unknown, input: unknown, encoding: unknown = "hex"): unknown {
  if (typeof algorithm !== "string") throw invalidArgType("algorithm", "string", algorithm);
  if (typeof input !== "string" && !ArrayBuffer.isView(input)) throw invalidArgType("input", ["string", "Buffer", "TypedArray", "DataView"], input);
  const digest = findDigest(algorithm);
  if (!digest) {
    refuseKnown("hash", algorithm, facts.hashes);
    throw new Error(`Digest method ${algorithm} is not supported`);
  }
  return encoded(digest.create().update(dataBytes(input)).digest(), encoding);
}
