// Block and stream cipher modes over AES and ChaCha20, fed piece by piece. They know nothing of padding rules' errors.
import { unsafe } from "@noble/ciphers/aes.js";
import { poly1305 } from "@noble/ciphers/_poly1305.js";
import { ghash } from "@noble/ciphers/_polyval.js";
import { chacha20 } from "@noble/ciphers/chacha.js";
import { equalBytes } from "@noble/ciphers/utils.js";

const BLOCK = 16;
type Aes = (block: Uint8Array) => void;

/** Encrypts (or decrypts) one block in place. */
function aes(key: Uint8Array, encrypts: boolean): Aes {
  const expanded = encrypts ? unsafe.expandKeyLE(key) : unsafe.expandKeyDecLE(key);
  const step = encrypts ? unsafe.encrypt : unsafe.decrypt;
  const aligned = new Uint8Array(BLOCK);
  const words = new Uint32Array(aligned.buffer);
  return (block) => {
    aligned.set(block);
    const { s0, s1, s2, s3 } = step(expanded, words[0] as number, words[1] as number, words[2] as number, words[3] as number);
    words[0] = s0;
    words[1] = s1;
    words[2] = s2;
    words[3] = s3;
    block.set(aligned);
  };
}

export interface CipherMode {
  /** Whole blocks for the block modes, any length for the others; the input is not changed. */
  process(data: Uint8Array): Uint8Array;
  /** Data that is authenticated and not encrypted; before any `process`. */
  authenticate?(data: Uint8Array): void;
  /** After the last `process`. */
  tag?(): Uint8Array;
}

function xorInto(target: Uint8Array, other: Uint8Array): void {
  for (let k = 0; k < BLOCK; k++) (target[k] as number) ^= other[k] as number;
}

/** Applies `step` to every block of a copy. */
function blocks(data: Uint8Array, step: (block: Uint8Array) => void): Uint8Array {
  const output = Uint8Array.from(data);
  for (let at = 0; at < output.length; at += BLOCK) step(output.subarray(at, at + BLOCK));
  return output;
}

function ecb(key: Uint8Array, encrypts: boolean): CipherMode {
  const cipher = aes(key, encrypts);
  return { process: (data) => blocks(data, cipher) };
}

function cbc(key: Uint8Array, iv: Uint8Array, encrypts: boolean): CipherMode {
  const cipher = aes(key, encrypts);
  const previous = Uint8Array.from(iv);
  const encryptBlock = (block: Uint8Array): void => {
    xorInto(block, previous);
    cipher(block);
    previous.set(block);
  };
  const decryptBlock = (block: Uint8Array): void => {
    const input = Uint8Array.from(block);
    cipher(block);
    xorInto(block, previous);
    previous.set(input);
  };
  return { process: (data) => blocks(data, encrypts ? encryptBlock : decryptBlock) };
}

const unwrappable = (): Error => new Error("Trying to add data in unsupported state");

/** AES key wrap (RFC 3394): all at once, 8 bytes longer than what is in it. */
function wrap(key: Uint8Array, iv: Uint8Array, encrypts: boolean): CipherMode {
  const cipher = aes(key, encrypts);
  const block = new Uint8Array(BLOCK);
  return { process: (data) => {
    const count = data.length / 8 - (encrypts ? 0 : 1);
    if (!Number.isInteger(count) || count < 2) throw unwrappable();
    const output = encrypts ? new Uint8Array(data.length + 8) : Uint8Array.from(data);
    if (encrypts) output.set(data, 8);
    block.set(encrypts ? iv : data.subarray(0, 8));
    for (let step = 0; step < 6 * count; step++) {
      const at = encrypts ? step : 6 * count - 1 - step;
      const part = output.subarray(8 * ((at % count) + 1)).subarray(0, 8);
      const mark = (): void => new DataView(block.buffer).setUint32(4, new DataView(block.buffer).getUint32(4) ^ (at + 1));
      if (!encrypts) mark();
      block.set(part, 8);
      cipher(block);
      if (encrypts) mark();
      part.set(block.subarray(8));
    }
    if (!encrypts && !sameBytes(block.subarray(0, 8), iv)) throw unwrappable();
    output.set(block.subarray(0, 8));
    return encrypts ? output : output.subarray(8);
  } };
}

/** XOR with a stream that comes `size` bytes at a time. */
function keyStream(size: number, next: (stream: Uint8Array) => void): (data: Uint8Array) => Uint8Array {
  const stream = new Uint8Array(size);
  let used = size;
  return (data) => {
    const output = new Uint8Array(data.length);
    for (let k = 0; k < data.length; k++) {
      if (used === size) {
        next(stream);
        used = 0;
      }
      output[k] = (data[k] as number) ^ (stream[used++] as number);
    }
    return output;
  };
}

/** Counts up the last `bytes` bytes, big-endian. */
function increment(counter: Uint8Array, bytes: number): void {
  for (let k = counter.length - 1; k >= counter.length - bytes; k--) {
    counter[k] = (counter[k] as number) + 1;
    if (counter[k] !== 0) return;
  }
}

function ctr(key: Uint8Array, iv: Uint8Array, counterBytes = BLOCK): CipherMode {
  const cipher = aes(key, true);
  const counter = Uint8Array.from(iv);
  return { process: keyStream(BLOCK, (stream) => {
    stream.set(counter);
    cipher(stream);
    increment(counter, counterBytes);
  }) };
}

function ofb(key: Uint8Array, iv: Uint8Array): CipherMode {
  const cipher = aes(key, true);
  const feedback = Uint8Array.from(iv);
  return { process: keyStream(BLOCK, (stream) => {
    cipher(feedback);
    stream.set(feedback);
  }) };
}

function cfb(key: Uint8Array, iv: Uint8Array, encrypts: boolean): CipherMode {
  const cipher = aes(key, true);
  const feedback = Uint8Array.from(iv);
  let used = BLOCK;
  const stream = new Uint8Array(BLOCK);
  return { process: (data) => data.map((byte) => {
    if (used === BLOCK) {
      stream.set(feedback);
      cipher(stream);
      used = 0;
    }
    const output = byte ^ (stream[used] as number);
    feedback[used++] = encrypts ? output : byte;
    return output;
  }) };
}

function cfb8(key: Uint8Array, iv: Uint8Array, encrypts: boolean): CipherMode {
  const cipher = aes(key, true);
  const feedback = Uint8Array.from(iv);
  const stream = new Uint8Array(BLOCK);
  return { process: (data) => data.map((byte) => {
    stream.set(feedback);
    cipher(stream);
    const output = byte ^ (stream[0] as number);
    feedback.copyWithin(0, 1);
    feedback[BLOCK - 1] = encrypts ? output : byte;
    return output;
  }) };
}

interface Mac {
  update(data: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** Feeds a MAC whole blocks, with zeros after the end of a part. */
class Blocks {
  readonly #mac: Mac;
  #rest = new Uint8Array();
  length = 0;

  constructor(mac: Mac) {
    this.#mac = mac;
  }

  add(data: Uint8Array): void {
    this.length += data.length;
    const all = new Uint8Array(this.#rest.length + data.length);
    all.set(this.#rest);
    all.set(data, this.#rest.length);
    const whole = all.length - (all.length % BLOCK);
    if (whole > 0) this.#mac.update(all.subarray(0, whole));
    this.#rest = all.slice(whole);
  }

  pad(): void {
    if (this.#rest.length > 0) {
      const last = new Uint8Array(BLOCK);
      last.set(this.#rest);
      this.#mac.update(last);
    }
    this.#rest = new Uint8Array();
  }
}

/** Authenticates the ciphertext, whichever way it goes. `lengths` ends the authenticated bytes. */
function authenticated(mac: Mac, process: CipherMode["process"], encrypts: boolean, lengths: (aad: number, text: number) => Uint8Array, finish: (digest: Uint8Array) => Uint8Array): CipherMode {
  const aad = new Blocks(mac);
  const text = new Blocks(mac);
  let begun = false;
  const begin = (): void => {
    if (!begun) aad.pad();
    begun = true;
  };
  return {
    authenticate: (data) => aad.add(data),
    process: (data) => {
      begin();
      const output = process(data);
      text.add(encrypts ? output : data);
      return output;
    },
    tag: () => {
      begin();
      text.pad();
      mac.update(lengths(aad.length, text.length));
      return finish(mac.digest());
    },
  };
}

function lengthBlock(aad: number, text: number, scale: number, littleEndian: boolean): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const view = new DataView(block.buffer);
  view.setBigUint64(0, BigInt(aad * scale), littleEndian);
  view.setBigUint64(8, BigInt(text * scale), littleEndian);
  return block;
}

function gcm(key: Uint8Array, iv: Uint8Array, encrypts: boolean): CipherMode {
  const cipher = aes(key, true);
  const hashKey = new Uint8Array(BLOCK);
  cipher(hashKey);
  const counter = new Uint8Array(BLOCK);
  if (iv.length === 12) {
    counter.set(iv);
    counter[BLOCK - 1] = 1;
  } else {
    const hash = ghash.create(hashKey) as unknown as Mac;
    const padded = new Blocks(hash);
    padded.add(iv);
    padded.pad();
    hash.update(lengthBlock(0, iv.length, 8, false));
    counter.set(hash.digest());
  }
  const mask = Uint8Array.from(counter);
  cipher(mask);
  increment(counter, 4);
  return authenticated(ghash.create(hashKey) as unknown as Mac, ctr(key, counter, 4).process, encrypts, (aad, text) => lengthBlock(aad, text, 8, false), (digest) => {
    xorInto(digest, mask);
    return digest;
  });
}

const CHACHA_BLOCK = 64;

function chacha(key: Uint8Array, nonce: Uint8Array, from: number): CipherMode["process"] {
  let counter = from;
  const zeros = new Uint8Array(CHACHA_BLOCK);
  return keyStream(CHACHA_BLOCK, (stream) => stream.set(chacha20(key, nonce, zeros, undefined, counter++)));
}

function chachaPoly(key: Uint8Array, nonce: Uint8Array, encrypts: boolean): CipherMode {
  const whole = new Uint8Array(12);
  whole.set(nonce, 12 - nonce.length);
  const macKey = chacha20(key, whole, new Uint8Array(32));
  return authenticated(poly1305.create(macKey) as unknown as Mac, chacha(key, whole, 1), encrypts, (aad, text) => lengthBlock(aad, text, 1, true), (digest) => digest);
}

/** OpenSSL's chacha20 takes its counter in front of the nonce. */
function chachaPlain(key: Uint8Array, iv: Uint8Array): CipherMode {
  return { process: chacha(key, iv.subarray(4), new DataView(iv.buffer, iv.byteOffset).getUint32(0, true)) };
}

export interface CipherKind {
  readonly mode: "ecb" | "cbc" | "ctr" | "ofb" | "cfb" | "gcm" | "wrap" | "stream";
  readonly keyBytes: number;
  /** 0: none; authenticated modes take others as well. */
  readonly ivBytes: number;
  readonly isBlock: boolean;
  readonly isAuthenticated: boolean;
  readonly nid: number;
  readonly make: (key: Uint8Array, iv: Uint8Array, encrypts: boolean) => CipherMode;
}

const MODES: Readonly<Record<string, { readonly ivBytes: number; readonly make: CipherKind["make"]; readonly nids: readonly [number, number, number]; readonly as?: CipherKind["mode"] }>> = {
  ecb: { ivBytes: 0, make: (key, _iv, encrypts) => ecb(key, encrypts), nids: [418, 422, 426] }, cbc: { ivBytes: 16, make: cbc, nids: [419, 423, 427] }, ctr: { ivBytes: 16, make: (key, iv) => ctr(key, iv), nids: [904, 905, 906] },
  ofb: { ivBytes: 16, make: ofb, nids: [420, 424, 428] }, cfb: { ivBytes: 16, make: cfb, nids: [421, 425, 429] }, cfb8: { ivBytes: 16, make: cfb8, nids: [653, 654, 655], as: "cfb" }, gcm: { ivBytes: 12, make: gcm, nids: [895, 898, 901] }, wrap: { ivBytes: 8, make: wrap, nids: [788, 789, 790] },
};

/** Undefined for a name that nothing here answers to. */
export function findCipher(name: string): CipherKind | undefined {
  const lower = name.toLowerCase();
  if (lower === "chacha20-poly1305") return { mode: "stream", keyBytes: 32, ivBytes: 12, isBlock: false, isAuthenticated: true, nid: 1018, make: chachaPoly };
  if (lower === "chacha20") return { mode: "stream", keyBytes: 32, ivBytes: 16, isBlock: false, isAuthenticated: false, nid: 1019, make: chachaPlain };
  const [, bits = "", named = "cbc"] = /^(?:id-)?aes-?(128|192|256)(?:-([a-z0-9]+))?$/.exec(lower) ?? [];
  const mode = Object.hasOwn(MODES, named) ? MODES[named] : undefined;
  if (bits === "" || !mode) return undefined;
  const isAuthenticated = named === "gcm";
  return { mode: mode.as ?? (named as CipherKind["mode"]), keyBytes: Number(bits) / 8, ivBytes: mode.ivBytes, isBlock: named === "ecb" || named === "cbc", isAuthenticated, nid: mode.nids[Number(bits) / 64 - 2] as number, make: mode.make };
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && equalBytes(a, b);
