// The guest's memory, read and written with bounds: every address comes from the program. It may be shared with threads,
// which is no memory for the engine's own text and random functions: what they get is copied.
import { WasiError } from "./constants.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class GuestMemory {
  readonly #memory: WebAssembly.Memory;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** `count` bytes at `at`, not copied. Throws EOVERFLOW past the end. */
  bytes(at: number, count: number): Uint8Array {
    const { buffer } = this.#memory;
    if (at + count > buffer.byteLength) throw new WasiError("EOVERFLOW");
    return new Uint8Array(buffer, at, count);
  }

  view(at: number, count: number): DataView {
    const { buffer } = this.#memory;
    if (at + count > buffer.byteLength) throw new WasiError("EOVERFLOW");
    return new DataView(buffer, at, count);
  }

  text(at: number, count: number): string {
    return decoder.decode(this.bytes(at, count).slice());
  }

  /** Buffers that an array of pointer and length pairs names. */
  vectors(at: number, count: number): Uint8Array[] {
    const list = this.view(at, count * 8);
    return Array.from({ length: count }, (_, k) => this.bytes(list.getUint32(k * 8, true), list.getUint32(k * 8 + 4, true)));
  }

  putU32(at: number, value: number): void {
    this.view(at, 4).setUint32(0, value, true);
  }

  putU64(at: number, value: bigint): void {
    this.view(at, 8).setBigUint64(0, value, true);
  }

  /** Each text with a zero behind it, one after the other, and their addresses. */
  putTexts(texts: readonly Uint8Array[], pointers: number, at: number): void {
    this.view(pointers, texts.length * 4);
    this.bytes(at, sizeOfTexts(texts));
    let next = at;
    for (const [k, text] of texts.entries()) {
      this.putU32(pointers + k * 4, next);
      this.bytes(next, text.length + 1).set([...text, 0]);
      next += text.length + 1;
    }
  }
}

export const encodeText = (text: string): Uint8Array => encoder.encode(text);

export const sizeOfTexts = (texts: readonly Uint8Array[]): number => texts.reduce((sum, text) => sum + text.length + 1, 0);
