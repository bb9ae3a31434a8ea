// The SHA-256 of bytes that come one after another and may be interrupted: its state can be kept and gone on with, which
// WebCrypto cannot. In WebAssembly (hash-wasm), because in JavaScript it would be slower than a disk.
import { createSHA256 } from "hash-wasm";

export interface Sha256Stream {
  update(bytes: Uint8Array): void;
  /** What `sha256Stream` goes on from. */
  state(): Uint8Array<ArrayBuffer>;
  /** Of all bytes so far, in hex. Nothing can be added afterwards. */
  digest(): string;
}

/** A new one, or one that goes on from the `state` of another. Throws for a state that is none. */
export async function sha256Stream(state?: Uint8Array): Promise<Sha256Stream> {
  const hasher = await createSHA256();
  if (state) hasher.load(state);
  else hasher.init();
  return {
    update: (bytes) => void hasher.update(bytes),
    state: () => Uint8Array.from(hasher.save()),
    digest: () => hasher.digest("hex"),
  };
}
