// Block hashes of stored bytes: SHA-256 of each LIMITS.blockBytes, joined. Bytes shorter than a block are one block.
import { LIMITS } from "../base/limits.ts";

export const HASH_BYTES = 32;

export function blockCount(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / LIMITS.blockBytes));
}

export async function hashBlocks(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const count = blockCount(bytes.byteLength);
  const hashes = new Uint8Array(count * HASH_BYTES);
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const block = bytes.subarray(i * LIMITS.blockBytes, (i + 1) * LIMITS.blockBytes);
      hashes.set(new Uint8Array(await crypto.subtle.digest("SHA-256", block)), i * HASH_BYTES);
    }),
  );
  return hashes;
}

/** Whether the bytes are the ones that were hashed. */
export async function hashesMatch(bytes: Uint8Array<ArrayBuffer>, hashes: Uint8Array): Promise<boolean> {
  return sameHashes(await hashBlocks(bytes), hashes);
}

/** Byte for byte. */
export function sameHashes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
