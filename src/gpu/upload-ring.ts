// Bytes into GPU buffers without a copy in JavaScript and without a buffer per upload: a few staging buffers take turns. While
// one is mapped, whoever reads from storage fills it in place; then its parts are copied where they belong and it is mapped
// again when the GPU is through with it.
import { abortedError, throwIfAborted, toAppError } from "../base/errors.ts";
import type { Gpu } from "./device.ts";

/** A staging buffer to be filled. Its bytes may hold anything; nothing else touches them until it is given back. */
export interface Granule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the bytes are mapped from; absent where they are JavaScript's own. */
  readonly buffer?: GPUBuffer;
}

export interface GranuleCopy {
  /** Into the granule, the destination and the length: multiples of 4. */
  readonly from: number;
  readonly to: GPUBuffer;
  readonly at: number;
  readonly bytes: number;
}

/**
 * `mapped`: staging is GPU memory that the reader writes. `written`: staging is one block of JavaScript memory and the queue
 * copies out of it, which is right where mapping waits for a timer (quirks.ts).
 */
export type UploadMethod = "mapped" | "written";

export class UploadRing {
  readonly granuleBytes: number;
  readonly #gpu: Gpu;
  readonly #buffers: readonly GPUBuffer[];
  readonly #ready: Granule[];
  #waiting: { readonly take: (granule: Granule) => void; readonly fail: (error: unknown) => void }[] = [];
  #failure: unknown;
  #closed = false;

  private constructor(gpu: Gpu, granuleBytes: number, granules: readonly Granule[]) {
    this.#gpu = gpu;
    this.granuleBytes = granuleBytes;
    this.#buffers = granules.flatMap(({ buffer }) => (buffer ? [buffer] : []));
    this.#ready = [...granules];
  }

  /** Throws `gpu/memory`. */
  static async open(gpu: Gpu, granuleBytes: number, granules: number, method: UploadMethod = gpu.slowMaps ? "written" : "mapped"): Promise<UploadRing> {
    if (method === "written") return new UploadRing(gpu, granuleBytes, Array.from({ length: granules }, () => ({ bytes: new Uint8Array(granuleBytes) })));
    const made: GPUBuffer[] = [];
    try {
      await gpu.memory.within("the staging of experts", () => {
        for (let i = 0; i < granules; i++) made.push(gpu.memory.uploads(`expert staging ${i}`, granuleBytes));
      });
      return new UploadRing(gpu, granuleBytes, made.map(granuleOf));
    } catch (error) {
      for (const buffer of made) gpu.memory.free(buffer);
      throw error;
    }
  }

  /** Waits for a granule. It must be given back by `submit` or by `giveBack`. Throws `aborted`, or what made the GPU fail. */
  async take(signal?: AbortSignal): Promise<Granule> {
    throwIfAborted(signal, "Reading the model");
    if (this.#failure !== undefined) throw toAppError(this.#failure);
    const ready = this.#ready.pop();
    if (ready) return ready;
    return new Promise<Granule>((take, fail) => this.#waiting.push({ take, fail }));
  }

  /** Queues the copies out of the granule, in order and before anything that is submitted later, and gives it back. */
  submit(granule: Granule, copies: readonly GranuleCopy[]): void {
    if (this.#closed) return;
    const { buffer, bytes: staged } = granule;
    if (!buffer) {
      for (const { from, to, at, bytes } of copies) this.#gpu.memory.write(to, at, staged.subarray(from, from + bytes));
      return this.giveBack(granule);
    }
    buffer.unmap();
    const encoder = this.#gpu.device.createCommandEncoder();
    for (const { from, to, at, bytes } of copies) encoder.copyBufferToBuffer(buffer, from, to, at, bytes);
    this.#gpu.device.queue.submit([encoder.finish()]);
    void this.#mapAgain(buffer);
  }

  /** Gives a granule back from which nothing is copied. */
  giveBack(granule: Granule): void {
    const next = this.#waiting.shift();
    if (next) next.take(granule);
    else this.#ready.push(granule);
  }

  /** Whoever still waits for a granule is told `aborted`. */
  close(): void {
    this.#closed = true;
    this.#fail(abortedError("Reading the model"));
    for (const buffer of this.#buffers) this.#gpu.memory.free(buffer);
  }

  async #mapAgain(buffer: GPUBuffer): Promise<void> {
    try {
      await buffer.mapAsync(GPUMapMode.WRITE);
      if (!this.#closed) this.giveBack(granuleOf(buffer));
    } catch (cause) {
      // The device is gone or failed: whoever asks next hears why.
      this.#fail(this.#gpu.failure ?? cause);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { fail } of this.#waiting.splice(0)) fail(toAppError(error));
  }
}

function granuleOf(buffer: GPUBuffer): Granule {
  return { bytes: new Uint8Array(buffer.getMappedRange()), buffer };
}
