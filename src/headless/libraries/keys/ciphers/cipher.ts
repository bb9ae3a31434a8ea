// createCipheriv and createDecipheriv: padding, authentication tags, encodings, and streams.
import type { StringDecoder } from "../../../node/builtins/string-decoder.ts";
import type { AnyFunction, Dict } from "../../../node/runtime.ts";
import { joined } from "../../../../base/bytes.ts";
import { bytesFromPassword } from "../pem.ts";
import { tools } from "../tools.ts";
import { type CipherKind, type CipherMode, findCipher, sameBytes } from "./modes.ts";

const BLOCK = 16;
const TAG_BYTES = [4, 8, 12, 13, 14, 15, 16];

const badDecrypt = (): Error => tools().opensslError("1C800064", "Provider routines", "bad decrypt", "ERR_OSSL_BAD_DECRYPT");
const wrongBlockLength = (): Error => tools().opensslError("1C80006B", "Provider routines", "wrong final block length", "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH");
const invalidState = (operation: string): Error => tools().nodeError(Error, "ERR_CRYPTO_INVALID_STATE", `Invalid state for operation ${operation}`);
const invalidTag = (length: number): Error => tools().nodeError(TypeError, "ERR_CRYPTO_INVALID_AUTH_TAG", `Invalid authentication tag length: ${length}`);

/** One encryption or decryption under way. */
class CipherRun {
  readonly kind: CipherKind;
  readonly encrypts: boolean;
  readonly #mode: CipherMode;
  readonly #tagBytes: number;
  #pads = true;
  /** Block modes: what does not fill a block yet, or may be the padding. */
  #held = new Uint8Array();
  #tag: Uint8Array | undefined;
  #finished = false;

  constructor(kind: CipherKind, key: Uint8Array, iv: Uint8Array, encrypts: boolean, tagBytes: number | undefined) {
    this.kind = kind;
    this.encrypts = encrypts;
    this.#mode = kind.make(key, iv, encrypts);
    this.#tagBytes = tagBytes ?? BLOCK;
  }

  update(data: Uint8Array): Uint8Array {
    if (this.#finished) throw new Error(this.kind.isAuthenticated ? "Unsupported state or unable to authenticate data" : "Trying to add data in unsupported state");
    if (!this.kind.isBlock) return this.#mode.process(data);
    const all = joined([this.#held, data]);
    let whole = all.length - (all.length % BLOCK);
    // The last block may be padding: it is kept until it is known not to be.
    if (!this.encrypts && this.#pads && whole === all.length && whole > 0) whole -= BLOCK;
    this.#held = all.slice(whole);
    return this.#mode.process(all.subarray(0, whole));
  }

  final(): Uint8Array {
    if (this.#finished) throw tools().nodeError(Error, "ERR_CRYPTO_INVALID_STATE", "Invalid state");
    this.#finished = true;
    if (this.kind.isAuthenticated) return this.#authenticate();
    if (!this.kind.isBlock) return new Uint8Array();
    const left = this.#held.length;
    if (!this.#pads) {
      if (left > 0) throw wrongBlockLength();
      return new Uint8Array();
    }
    return this.encrypts ? this.#mode.process(joined([this.#held, new Uint8Array(BLOCK - left).fill(BLOCK - left)])) : this.#unpad();
  }

  #unpad(): Uint8Array {
    if (this.#held.length !== BLOCK) throw wrongBlockLength();
    const block = this.#mode.process(this.#held);
    const count = block[BLOCK - 1] as number;
    if (count === 0 || count > BLOCK || block.subarray(BLOCK - count).some((byte) => byte !== count)) throw badDecrypt();
    return block.subarray(0, BLOCK - count);
  }

  #authenticate(): Uint8Array {
    const tag = (this.#mode.tag as () => Uint8Array)();
    if (this.encrypts) this.#tag = tag.slice(0, this.#tagBytes);
    else if (!this.#tag || !sameBytes(this.#tag, tag.slice(0, this.#tag.length))) throw new Error("Unsupported state or unable to authenticate data");
    return new Uint8Array();
  }

  setAutoPadding(pads: boolean): void {
    if (this.#finished) throw invalidState("setAutoPadding");
    this.#pads = pads;
  }

  get tag(): Uint8Array {
    if (!this.kind.isAuthenticated || !this.#finished || !this.#tag) throw invalidState("getAuthTag");
    return this.#tag;
  }

  setTag(tag: Uint8Array, asked: number | undefined): void {
    if (!this.kind.isAuthenticated || this.#finished || this.#tag) throw invalidState("setAuthTag");
    const valid = asked === undefined ? (this.kind.mode === "gcm" ? TAG_BYTES.includes(tag.length) : tag.length > 0 && tag.length <= BLOCK) : tag.length === asked;
    if (!valid) throw invalidTag(tag.length);
    this.#tag = Uint8Array.from(tag);
  }

  setAad(data: Uint8Array): void {
    if (this.#finished || !this.#mode.authenticate) throw invalidState("setAAD");
    this.#mode.authenticate(data);
  }
}

interface Part {
  readonly run: CipherRun;
  readonly tagBytes: number | undefined;
  decoder: { encoding: string; decoder: StringDecoder } | undefined;
}
const parts = new WeakMap<object, Part>();
const partOf = (self: object): Part => parts.get(self) as Part;

function begin(name: unknown, key: unknown, iv: unknown, options: Dict | undefined, encrypts: boolean): Part {
  if (typeof name !== "string") throw tools().invalidArgType("cipher", "string", name);
  const encoding = options?.["encoding"] as string | undefined;
  const bytes = tools().keyBytes(key, encoding);
  if (iv !== null && typeof iv !== "string" && !ArrayBuffer.isView(iv) && !(iv instanceof ArrayBuffer)) throw tools().invalidArgType("iv", ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"], iv);
  const tagBytes = options?.["authTagLength"] as number | undefined;
  if (tagBytes !== undefined && (typeof tagBytes !== "number" || !Number.isInteger(tagBytes) || tagBytes < 0)) throw tools().invalidArgValue("options.authTagLength", tagBytes);
  const kind = findCipher(name);
  if (!kind) {
    tools().refuseKnown(encrypts ? "createCipheriv" : "createDecipheriv", name, tools().cipherNames);
    throw tools().nodeError(Error, "ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
  }
  const vector = iv === null ? new Uint8Array() : tools().toBytes(iv);
  const fits = kind.isAuthenticated ? vector.length > 0 && (kind.mode === "gcm" || vector.length <= kind.ivBytes) : vector.length === kind.ivBytes;
  if (!fits) throw tools().nodeError(TypeError, "ERR_CRYPTO_INVALID_IV", "Invalid initialization vector");
  if (bytes.length !== kind.keyBytes) throw tools().nodeError(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
  if (tagBytes !== undefined && kind.mode === "gcm" && !TAG_BYTES.includes(tagBytes)) throw invalidTag(tagBytes);
  return { run: new CipherRun(kind, Uint8Array.from(bytes), Uint8Array.from(vector), encrypts, tagBytes), tagBytes, decoder: undefined };
}

/** Text may end in the middle of a character or of a base64 group: one decoder serves all of a cipher's pieces. */
function output(part: Part, bytes: Uint8Array, encoding: unknown, last: boolean): unknown {
  if (!encoding || encoding === "buffer") return tools().Buffer.from(bytes);
  part.decoder ??= { encoding: String(encoding), decoder: new (tools().StringDecoder)(encoding) };
  if (part.decoder.encoding.toLowerCase() !== String(encoding).toLowerCase()) throw new Error("Cannot change encoding");
  const { decoder } = part.decoder;
  return last ? decoder.end(tools().Buffer.from(bytes)) : decoder.write(tools().Buffer.from(bytes));
}

const METHODS: Readonly<Record<string, (this: object, ...args: unknown[]) => unknown>> = {
  update(data, inputEncoding, outputEncoding) {
    tools().checkData(data);
    const part = partOf(this);
    return output(part, part.run.update(tools().dataBytes(data, inputEncoding)), outputEncoding, false);
  },
  final(outputEncoding) {
    const part = partOf(this);
    return output(part, part.run.final(), outputEncoding, true);
  },
  setAutoPadding(pads) {
    partOf(this).run.setAutoPadding(pads === undefined ? true : Boolean(pads));
    return this;
  },
  setAAD(data, options) {
    if (typeof data !== "string" && !ArrayBuffer.isView(data) && !(data instanceof ArrayBuffer)) throw tools().invalidArgType("buffer", ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string"], data);
    partOf(this).run.setAad(tools().toBytes(data, ((options as Dict | undefined)?.["encoding"] as string | undefined) ?? "utf8"));
    return this;
  },
  _transform(chunk, encoding, done) {
    (this as { push: AnyFunction }).push(METHODS["update"]?.call(this, chunk, encoding));
    (done as AnyFunction)();
  },
  _flush(done) {
    try {
      (this as { push: AnyFunction }).push(METHODS["final"]?.call(this));
    } catch (error) {
      (done as AnyFunction)(error);
      return;
    }
    (done as AnyFunction)();
  },
};

function getAuthTag(this: object): unknown {
  return tools().Buffer.from(partOf(this).run.tag);
}

function setAuthTag(this: object, tag: unknown, encoding?: unknown): object {
  if (typeof tag !== "string" && !ArrayBuffer.isView(tag) && !(tag instanceof ArrayBuffer)) throw tools().invalidArgType("buffer", ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string"], tag);
  const part = partOf(this);
  part.run.setTag(tools().toBytes(tag, typeof encoding === "string" ? encoding : "utf8"), part.tagBytes);
  return this;
}

type Class = AnyFunction & { prototype: Dict };

/** What stands for key and vector where a program gives a password: OpenSSL's EVP_BytesToKey with MD5, one round, no salt. */
function fromPassword(name: unknown, password: unknown): [key: Uint8Array, iv: Uint8Array] {
  if (typeof name !== "string") throw tools().invalidArgType("cipher", "string", name);
  if (typeof password !== "string" && !ArrayBuffer.isView(password) && !(password instanceof ArrayBuffer)) throw tools().invalidArgType("password", ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"], password);
  const kind = findCipher(name);
  if (!kind) return [new Uint8Array(), new Uint8Array()]; // refused by its name
  if (kind.mode === "ctr" || kind.mode === "gcm") tools().warn(`Use Cipheriv for counter mode of ${name}`, "Warning");
  const bytes = bytesFromPassword(tools().toBytes(password), kind.keyBytes + kind.ivBytes);
  return [bytes.subarray(0, kind.keyBytes), bytes.subarray(kind.keyBytes)];
}

/** `given` is a key and a vector, or a password, and then options. */
function makeClass(name: string, encrypts: boolean, keyed: (cipher: unknown, given: readonly unknown[]) => readonly [key: unknown, iv: unknown, options?: unknown]): Class {
  const { Transform } = tools();
  const Made = { [name]: function (this: object | undefined, cipher: unknown, ...given: unknown[]): unknown {
    if (!(this instanceof Made)) return new (Made as unknown as new (...args: unknown[]) => unknown)(cipher, ...given);
    const [key, iv, options] = keyed(cipher, given);
    const part = begin(cipher, key, iv, options as Dict | undefined, encrypts);
    Transform.call(this, options);
    parts.set(this, part);
    return undefined;
  } }[name] as unknown as Class;
  Object.setPrototypeOf(Made.prototype, Transform.prototype);
  Object.setPrototypeOf(Made, Transform);
  Object.assign(Made.prototype, METHODS, encrypts ? { getAuthTag } : { setAuthTag });
  return Made;
}

let isWarned = false;

/** Said once for both. */
function deprecated(name: string): void {
  if (!isWarned) tools().warn(`crypto.${name} is deprecated.`, "DeprecationWarning", "DEP0106");
  isWarned = true;
}

export function ciphers(): Dict {
  const withKey = (_cipher: unknown, [key, iv, options]: readonly unknown[]) => [key, iv, options] as const;
  const withPassword = (cipher: unknown, [password, options]: readonly unknown[]) => [...fromPassword(cipher, password), options] as const;
  const Cipheriv = makeClass("Cipheriv", true, withKey);
  const Decipheriv = makeClass("Decipheriv", false, withKey);
  const Cipher = makeClass("Cipher", true, withPassword);
  const Decipher = makeClass("Decipher", false, withPassword);
  type Maker = new (...args: unknown[]) => unknown;
  return {
    Cipheriv, Decipheriv, Cipher, Decipher,
    createCipher: (cipher: unknown, password: unknown, options?: unknown) => {
      deprecated("createCipher");
      return new (Cipher as unknown as Maker)(cipher, password, options);
    },
    createDecipher: (cipher: unknown, password: unknown, options?: unknown) => {
      deprecated("createDecipher");
      return new (Decipher as unknown as Maker)(cipher, password, options);
    },
    createCipheriv: (cipher: unknown, key: unknown, iv: unknown, options?: unknown) => new (Cipheriv as unknown as Maker)(cipher, key, iv, options),
    createDecipheriv: (cipher: unknown, key: unknown, iv: unknown, options?: unknown) => new (Decipheriv as unknown as Maker)(cipher, key, iv, options),
    getCiphers: () => tools().cipherNames.filter((name) => findCipher(name) !== undefined),
    getCipherInfo: (name: unknown) => {
      const kind = typeof name === "string" ? findCipher(name) : undefined;
      if (!kind) return undefined;
      const lower = String(name).toLowerCase();
      return { mode: kind.mode, name: kind.mode === "gcm" || kind.mode === "wrap" ? `id-aes${kind.keyBytes * 8}-${kind.mode}` : lower, nid: kind.nid, ...(kind.mode === "stream" ? {} : { blockSize: kind.isBlock ? BLOCK : kind.mode === "wrap" ? 8 : 1 }), ...(kind.ivBytes > 0 ? { ivLength: kind.ivBytes } : {}), keyLength: kind.keyBytes };
    },
  };
}
