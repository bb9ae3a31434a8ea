// Bytes from the GPU back to JavaScript: the copies are encoded behind the work, then one map waits for all of it.
// In Chrome a map costs about half a millisecond, in Firefox 100 (bugzilla 1870699): ask once a token, not once a layer.
import { nextTask } from "../base/breath.ts";
import type { Gpu } from "./device.ts";
import { nudgeUntil } from "./quirks.ts";

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
    this.#staging = gpu.memory.staging(label, size);
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
    await this.#gpu.health.answer(mapped(this.#gpu, this.#staging));
    const all = this.#staging.getMappedRange();
    let at = 0;
    const out = this.#parts.map(({ bytes }) => all.slice(at, (at += bytes)));
    this.#staging.unmap();
    return out;
  }

  close(): void {
    this.#gpu.memory.free(this.#staging);
  }
}

/** Maps for reading: by waiting, and where that takes a timer's time (quirks.ts) by asking again and again. */
function mapped({ device, slowMaps }: Gpu, buffer: GPUBuffer): Promise<unknown> {
  const map = buffer.mapAsync(GPUMapMode.READ);
  if (!slowMaps) return map;
  return nudgeUntil(map, { submitNothing: () => device.queue.submit([device.createCommandEncoder().finish()]), now: () => performance.now(), nextTask, wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) });
}

/** Bytes of one buffer, once: for tests and for reading state out. */
export async function readBuffer(gpu: Gpu, buffer: GPUBuffer, offset = 0, bytes = buffer.size - offset): Promise<ArrayBuffer> {
  const [data] = await readBuffers(gpu, `read ${buffer.label}`, [{ buffer, offset, bytes }]);
  return data!;
}

/** Bytes of several buffers, once. */
export async function readBuffers(gpu: Gpu, label: string, parts: readonly ReadbackPart[]): Promise<readonly ArrayBuffer[]> {
  const readback = new Readback(gpu, label, parts);
  const encoder = gpu.device.createCommandEncoder();
  readback.encode(encoder);
  gpu.device.queue.submit([encoder.finish()]);
  try {
    return await readback.read();
  } finally {
    readback.close();
  }
}
