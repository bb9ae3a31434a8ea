// The GPU's own clock around passes, where the device has one.
import type { Gpu } from "./device.ts";
import { readBuffer } from "./readback.ts";

/** Two timestamps around each of a number of passes; one that runs again overwrites its own. */
export class Stamps {
  readonly #gpu: Gpu;
  readonly #count: number;
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;

  /** `count`: passes, at most 2048. The device must have `timestamp-query`. */
  constructor(gpu: Gpu, count: number) {
    this.#gpu = gpu;
    this.#count = count;
    this.#set = gpu.device.createQuerySet({ type: "timestamp", count: 2 * count });
    this.#resolved = gpu.device.createBuffer({ label: "timestamps", size: 16 * count, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  }

  of(pass: number): GPUComputePassTimestampWrites {
    return { querySet: this.#set, beginningOfPassWriteIndex: 2 * pass, endOfPassWriteIndex: 2 * pass + 1 };
  }

  /** Milliseconds of each pass. Chrome rounds timestamps to 0.1 ms, which the mean over several tokens evens out. */
  async read(): Promise<readonly number[]> {
    const encoder = this.#gpu.device.createCommandEncoder();
    encoder.resolveQuerySet(this.#set, 0, 2 * this.#count, this.#resolved, 0);
    this.#gpu.device.queue.submit([encoder.finish()]);
    const times = new BigUint64Array(await readBuffer(this.#gpu, this.#resolved));
    // Some drivers count backwards across a reset; such a pair says nothing.
    return Array.from({ length: this.#count }, (_, pass) => Math.max(0, Number(times[2 * pass + 1]! - times[2 * pass]!)) / 1e6);
  }

  close(): void {
    this.#set.destroy();
    this.#resolved.destroy();
  }
}
