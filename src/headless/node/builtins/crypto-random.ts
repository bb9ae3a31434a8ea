// Random bytes and UUIDs, from the engine.

/** The engine fills at most this many bytes a call. */
const RANDOM_CHUNK_BYTES = 65_536;

/** Taken before a program's own `crypto` takes the engine's place. */
const engine = globalThis.crypto;

export function fillRandom<T extends Uint8Array>(bytes: T): T {
  for (let at = 0; at < bytes.length; at += RANDOM_CHUNK_BYTES) {
    const piece = new Uint8Array(Math.min(RANDOM_CHUNK_BYTES, bytes.length - at));
    bytes.set(engine.getRandomValues(piece), at);
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
