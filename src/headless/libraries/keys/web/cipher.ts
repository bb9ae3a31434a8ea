// subtle.encrypt and decrypt, and what wrapKey and unwrapKey do with them.
import { joined } from "../../../../base/bytes.ts";
import type { CryptoKeyParts } from "../../../node/builtins/crypto-secret-key.ts";
import { fromBigEndian, toBigEndian } from "../der.ts";
import { materialOf } from "../key-objects.ts";
import type { RsaKey } from "../material.ts";
import { decrypt, encrypt, PADDING } from "../rsa.ts";
import { stacked, tools } from "../tools.ts";
import { type Algorithm, digestName, domError, unrecognized } from "./algorithms.ts";
import { bufferOf, job } from "./job.ts";

const BLOCK = 16;
/** Node takes no shorter one. */
const NONCE = 12;
const TAG_BITS = [32, 64, 96, 104, 112, 120, 128];

interface Cipher {
  update(data: Uint8Array): Uint8Array;
  final(): Uint8Array;
  setAAD(data: Uint8Array): unknown;
  getAuthTag(): Uint8Array;
  setAuthTag(tag: Uint8Array): unknown;
}

function cipher(encrypts: boolean, { key, algorithm }: CryptoKeyParts, mode: string, iv: Uint8Array, tagBytes?: number): Cipher {
  const make = tools().crypto[encrypts ? "createCipheriv" : "createDecipheriv"] as (name: string, key: object, iv: Uint8Array, options?: object) => Cipher;
  return make(`${mode === "wrap" ? "id-aes" : "aes-"}${String(algorithm["length"])}-${mode}`, key, iv, tagBytes === undefined ? undefined : { authTagLength: tagBytes });
}

const all = (run: Cipher, data: Uint8Array): Uint8Array => joined([run.update(data), run.final()]);
const jobFailed = (): Error => new Error("Cipher job failed");

/** Only the counter's last `length` bits count up; past their end they begin at 0. */
function counted(parts: CryptoKeyParts, data: Uint8Array, counter: Uint8Array, length: number): Uint8Array {
  const size = 1n << BigInt(length);
  const start = fromBigEndian(counter);
  const left = size - (start % size);
  const blocks = BigInt(Math.ceil(data.length / BLOCK));
  if (blocks > size) throw jobFailed();
  const first = blocks > left ? Number(left) * BLOCK : data.length;
  const head = all(cipher(true, parts, "ctr", counter), data.subarray(0, first));
  if (first === data.length) return head;
  return joined([head, all(cipher(true, parts, "ctr", toBigEndian(start - (start % size), BLOCK)), data.subarray(first))]);
}

function gcm(encrypts: boolean, parts: CryptoKeyParts, data: Uint8Array, { iv, additionalData, tagLength = 128 }: Algorithm): () => Uint8Array {
  if (!TAG_BITS.includes(tagLength)) throw domError(`${tagLength} is not a valid AES-GCM tag length`, "OperationError");
  const tagBytes = tagLength / 8;
  if (!encrypts && data.length < tagBytes) throw domError("The provided data is too small.", "OperationError");
  return () => {
    if (iv.length < NONCE) throw tools().nodeError(TypeError, "ERR_CRYPTO_INVALID_IV", "Invalid initialization vector");
    const run = cipher(encrypts, parts, "gcm", iv, tagBytes);
    if (additionalData) run.setAAD(additionalData);
    if (encrypts) return joined([all(run, data), run.getAuthTag()]);
    run.setAuthTag(data.subarray(data.length - tagBytes));
    const text = run.update(data.subarray(0, data.length - tagBytes));
    try {
      return joined([text, run.final()]);
    } catch (cause) {
      throw Object.defineProperty(jobFailed(), "cause", { value: cause });
    }
  };
}

function wrapped(encrypts: boolean, parts: CryptoKeyParts, data: Uint8Array): Uint8Array {
  const run = cipher(encrypts, parts, "wrap", new Uint8Array(8).fill(0xa6));
  try {
    return all(run, data);
  } catch (cause) {
    const { opensslError } = tools();
    const isWhole = data.length % 8 === 0 && data.length >= (encrypts ? 16 : 24);
    const error = isWhole ? opensslError("1C800066", "Provider routines", "cipher operation failed", "ERR_OSSL_CIPHER_OPERATION_FAILED") : opensslError("1C8000E6", "Provider routines", "invalid input length", "ERR_OSSL_INVALID_INPUT_LENGTH");
    throw stacked(Object.defineProperty(error, "cause", { value: cause }), ["error:030000BD:digital envelope routines::update error"]);
  }
}

/** Checks, and what is then to be computed. */
function plan(encrypts: boolean, algorithm: Algorithm, parts: CryptoKeyParts, data: Uint8Array): () => Uint8Array {
  const { name, iv, counter, length = 0, label = new Uint8Array() } = algorithm;
  switch (name) {
    case "RSA-OAEP": {
      if (parts.key.type !== (encrypts ? "public" : "private")) throw notForKey();
      const oaep = { digest: digestName(parts.algorithm["hash"] as { name: string }), label };
      return () => (encrypts ? encrypt : decrypt)(materialOf(parts.key) as RsaKey, data, PADDING.oaep, oaep);
    }
    case "AES-CBC":
      if (iv.length !== BLOCK) throw domError("algorithm.iv must contain exactly 16 bytes", "OperationError");
      return () => all(cipher(encrypts, parts, "cbc", iv), data);
    case "AES-CTR":
      if (counter.length !== BLOCK) throw domError("algorithm.counter must contain exactly 16 bytes", "OperationError");
      if (length === 0 || length > 128) throw domError("AES-CTR algorithm.length must be between 1 and 128", "OperationError");
      return () => counted(parts, data, counter, length);
    case "AES-GCM":
      return gcm(encrypts, parts, data, algorithm);
    case "AES-KW":
      return () => wrapped(encrypts, parts, data);
    default:
      throw unrecognized();
  }
}

const notForKey = (): Error => domError("The requested operation is not valid for the provided key", "InvalidAccessError");

/** `use` is what the key must allow: encrypt and decrypt, or wrapKey and unwrapKey. */
export async function runCipher(use: "encrypt" | "decrypt" | "wrapKey" | "unwrapKey", algorithm: Algorithm, parts: CryptoKeyParts, data: Uint8Array): Promise<ArrayBuffer> {
  if (parts.algorithm.name !== algorithm.name || !parts.usages.includes(use)) throw notForKey();
  const run = plan(use === "encrypt" || use === "wrapKey", algorithm, parts, data);
  return job(() => bufferOf(run()));
}
