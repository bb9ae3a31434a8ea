// Bytes from the GPU back to JavaScript: the copies are encoded behind the work, then one map waits for all of it.
// In Chrome a map costs about half a millisecond, in Firefox 100 (bugzilla 1870699): ask once a token, not once a layer.
import { toAppError } from "../base/errors.ts";
import type { Gpu } from "./device.ts";

export interface ReadbackPart {
  readonly buffer: GPUBuffer;
  /** Multiples of 4. */
  readonly offset: number;
  readonly bytes: number;
}

/** A fixed set of ranges, read together. One read at a time: encode, submit, then await read(). */
export class Readback {
  readonly #gpu: Gpu;
  readonly #parts: readonly ReadbackPart[];
  readonly #staging: GPUBuffer;

  constructor(gpu: Gpu, label: string, parts: readonly ReadbackPart[]) {
    this.#gpu = gpu;
    this.#parts = parts;
    const size = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#staging = gpu.device.createBuffer({ label, size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  encode(encoder: GPUCommandEncoder): void {
    let at = 0;
    for (const { buffer, offset, bytes } of this.#parts) {
      encoder.copyBufferToBuffer(buffer, offset, this.#staging, at, bytes);
      at += bytes;
    }
  }

  /** The parts' bytes, in order, as the encoded commands left them. Throws what made the GPU fail. */
  async read(): Promise<readonly ArrayBuffer[]> {
    try {
      await this.#staging.mapAsync(GPUMapMode.READ);
    } catch (cause) {
      this.#gpu.check();
      throw toAppError(cause);
    }
    const all = this.#staging.getMappedRange();
    let at = 0;
    const out = this.#parts.map(({ bytes }) => all.slice(at, (at += bytes)));
    this.#staging.unmap();
    this.#gpu.check();
    return out;
  }

  close(): void {
    this.#staging.destroy();
  }
}

/** Bytes of one buffer, once: for tests and for reading state out. */
export async function readBuffer(gpu: Gpu, buffer: GPUBuffer, offset = 0, bytes = buffer.size - offset): Promise<ArrayBuffer> {
  const readback = new Readback(gpu, `read ${buffer.label}`, [{ buffer, offset, bytes }]);
  const encoder = gpu.device.createCommandEncoder();
  readback.encode(encoder);
  gpu.device.queue.submit([encoder.finish()]);
  try {
    const [data] = await readback.read();
    return data!;
  } finally {
    readback.close();
  }
}
