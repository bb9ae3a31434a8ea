// just-bash's sha1sum and sha256sum ask the browser for digests, which gives none to an opaque origin: it is no secure
// context (https://w3c.github.io/webappsec-secure-contexts/, seen in Chromium 143). Deletable when just-bash hashes itself.
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";

const HASHES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = { "SHA-1": sha1, "SHA-256": sha256 };

/** Gives this realm `crypto.subtle.digest` for the two, where it has none. */
export function provideDigests(): void {
  if ((globalThis.crypto as { readonly subtle?: SubtleCrypto }).subtle) return;
  const digest = async (algorithm: string, data: ArrayBuffer): Promise<ArrayBuffer> => {
    const hash = HASHES[algorithm];
    if (!hash) throw new TypeError(`There is no digest ${algorithm} in this shell.`);
    return hash(new Uint8Array(data)).slice().buffer as ArrayBuffer;
  };
  Object.defineProperty(globalThis.crypto, "subtle", { value: { digest }, configurable: true });
}
