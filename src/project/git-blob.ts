// Git's name for a file's content: SHA-1 over a short header and the bytes.
// Source: git's Documentation/gitformat-pack and hash-object: "blob <length>\0<bytes>".
import { toHex } from "../base/digest.ts";

/** 40 hex digits. */
export async function gitBlobId(bytes: Uint8Array): Promise<string> {
  const head = new TextEncoder().encode(`blob ${bytes.byteLength}\0`);
  const whole = new Uint8Array(head.byteLength + bytes.byteLength);
  whole.set(head);
  whole.set(bytes, head.byteLength);
  return toHex(await crypto.subtle.digest("SHA-1", whole));
}

/** Stands for "no such file" where git wants a blob's name. */
export const NO_BLOB = "0".repeat(40);
