// Reads the little-endian primitives of a GGUF header from a window of the file's first bytes. Every count and length is
// checked against the bytes the file really has before anything is allocated, so a hostile header costs no memory.
import { AppError } from "../base/errors.ts";

/** Thrown when the header goes on past the window: read more of the file and start again. Never leaves src/gguf. */
export class NeedMore extends Error {
  readonly bytes: number;
  constructor(bytes: number) {
    super("the header is longer than the window");
    this.bytes = bytes;
  }
}

export class Cursor {
  at = 0;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #name: string;
  readonly #fileBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(window: Uint8Array, name: string, fileBytes: number) {
    this.#bytes = window;
    this.#view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    this.#name = name;
    this.#fileBytes = fileBytes;
  }

  /** Claims `count` items of at least `size` bytes each. Throws `model/format` if the file cannot hold them. */
  need(count: number, size: number, what: string): void {
    const end = this.at + count * size;
    if (end > this.#fileBytes) {
      throw new AppError("model/format", `${this.#name} is cut off or damaged: its header says ${what} goes on to byte ${end}, but the file ends at byte ${this.#fileBytes}. Get the file again.`, {
        data: { fileBytes: this.#fileBytes, neededBytes: end },
      });
    }
  }

  #take(size: number): number {
    const start = this.at;
    this.need(1, size, "a value");
    if (start + size > this.#bytes.byteLength) throw new NeedMore(start + size);
    this.at += size;
    return start;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  i16(): number {
    return this.#view.getInt16(this.#take(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }
  f32(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }
  /** A 64-bit integer as a number; past 2^53 it is rounded, which no length that fits a file can be. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }
  i64(): number {
    return Number(this.#view.getBigInt64(this.#take(8), true));
  }
  string(what: string): string {
    const length = this.u64();
    this.need(1, length, what);
    const start = this.#take(length);
    return this.#decoder.decode(this.#bytes.subarray(start, start + length));
  }
}
