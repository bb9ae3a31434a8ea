// The global `crypto`. The container's frame is no secure context to the browser (its origin is opaque), so there the
// engine gives random values and nothing else; digests and UUIDs are then made here.
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { nodeError, unsupported } from "../errors.ts";
import type { EventLoop } from "../event-loop.ts";
import { heldCrypto } from "../natives.ts";
import type { Dict } from "../runtime.ts";

const DIGESTS = { "SHA-1": sha1, "SHA-256": sha256, "SHA-384": sha384, "SHA-512": sha512 } as const;
const OTHERS = ["decrypt", "deriveBits", "deriveKey", "encrypt", "exportKey", "generateKey", "importKey", "sign", "unwrapKey", "verify", "wrapKey"];

/** The engine fills at most this many bytes a call. */
const RANDOM_CHUNK_BYTES = 65_536;

export function fillRandom<T extends Uint8Array>(bytes: T): T {
  for (let at = 0; at < bytes.length; at += RANDOM_CHUNK_BYTES) {
    const piece = new Uint8Array(Math.min(RANDOM_CHUNK_BYTES, bytes.length - at));
    bytes.set(globalThis.crypto.getRandomValues(piece), at);
  }
  return bytes;
}

export function randomUUID(): string {
  const bytes = fillRandom(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function digest(algorithm: string | { name: string }, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer> {
  const name = (typeof algorithm === "string" ? algorithm : algorithm.name).toUpperCase();
  const hash = (DIGESTS as unknown as Readonly<Record<string, typeof sha256>>)[name];
  if (!hash) return Promise.reject(nodeError(Error, "ERR_CRYPTO_INVALID_DIGEST", `Unrecognized algorithm name: ${name}`));
  const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  return Promise.resolve(new Uint8Array(hash(Uint8Array.from(bytes))).buffer);
}

export function createWebCrypto(loop: EventLoop): object {
  const native = globalThis.crypto;
  if (typeof (native as { subtle?: unknown }).subtle === "object") return heldCrypto(loop);
  const subtle: Dict = { digest };
  for (const name of OTHERS) {
    subtle[name] = () => Promise.reject(unsupported(`crypto.subtle.${name}`, "the browser offers it in secure contexts only, and the container's frame is none"));
  }
  return { getRandomValues: (target: ArrayBufferView<ArrayBuffer>) => native.getRandomValues(target), randomUUID, subtle };
}
