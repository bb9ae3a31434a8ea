// GPU buffers with an account: what is allocated, under which name, how many bytes. Sizes are checked before the device sees them.
import { AppError } from "../base/errors.ts";
import { formatBytes } from "../base/units.ts";

/** writeBuffer copies through a staging area; larger uploads go in pieces of this size. */
const UPLOAD_BYTES = 32 * 1024 * 1024;

const padded = (bytes: number) => Math.max(16, Math.ceil(bytes / 16) * 16);

export class GpuMemory {
  readonly #device: GPUDevice;
  readonly #maxBindingBytes: number;
  readonly #buffers = new Map<GPUBuffer, number>();

  constructor(device: GPUDevice, maxBindingBytes: number) {
    this.#device = device;
    this.#maxBindingBytes = maxBindingBytes;
  }

  /** Bytes of all live buffers. */
  get bytes(): number {
    let sum = 0;
    for (const bytes of this.#buffers.values()) sum += bytes;
    return sum;
  }

  /** A storage buffer of at least `bytes`, zeroed, padded to 16. Throws `gpu/memory` when it cannot be bound as a whole. */
  storage(label: string, bytes: number): GPUBuffer {
    const size = padded(bytes);
    if (size > this.#maxBindingBytes) {
      throw new AppError("gpu/memory", `${label} takes ${formatBytes(size)}, but this GPU binds at most ${formatBytes(this.#maxBindingBytes)} at once. Use a smaller model, context or expert budget.`, {
        data: { label, neededBytes: size, maxBytes: this.#maxBindingBytes },
      });
    }
    return this.#create(label, size, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC);
  }

  /** A storage buffer with these bytes in it. */
  upload(label: string, data: ArrayBufferView<ArrayBuffer>): GPUBuffer {
    const buffer = this.storage(label, data.byteLength);
    this.write(buffer, 0, data);
    return buffer;
  }

  /** A uniform buffer with these bytes, fixed for its life. */
  uniform(label: string, data: ArrayBufferView<ArrayBuffer>): GPUBuffer {
    const buffer = this.#create(label, padded(data.byteLength), GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    this.write(buffer, 0, data);
    return buffer;
  }

  /** Queues `data` into `buffer` at `offset` (a multiple of 4). A length that is no multiple of 4 is filled up with zeros. */
  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>): void {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const whole = bytes.byteLength - (bytes.byteLength % 4);
    for (let at = 0; at < whole; at += UPLOAD_BYTES) {
      this.#device.queue.writeBuffer(buffer, offset + at, bytes, at, Math.min(UPLOAD_BYTES, whole - at));
    }
    if (whole < bytes.byteLength) {
      const tail = new Uint8Array(4);
      tail.set(bytes.subarray(whole));
      this.#device.queue.writeBuffer(buffer, offset + whole, tail);
    }
  }

  /** Runs `allocate` and waits until the GPU has said whether it had the memory. Throws `gpu/memory` naming `what`. */
  async within<T>(what: string, allocate: () => T | Promise<T>): Promise<T> {
    this.#device.pushErrorScope("out-of-memory");
    let result: T;
    try {
      result = await allocate();
    } catch (error) {
      await this.#device.popErrorScope();
      throw error;
    }
    const error = await this.#device.popErrorScope();
    if (error) throw new AppError("gpu/memory", `The GPU has too little memory for ${what}. Lower the expert budget or the context length.`, { data: { what }, cause: error });
    return result;
  }

  free(buffer: GPUBuffer): void {
    if (this.#buffers.delete(buffer)) buffer.destroy();
  }

  close(): void {
    for (const buffer of this.#buffers.keys()) buffer.destroy();
    this.#buffers.clear();
  }

  #create(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.#device.createBuffer({ label, size, usage });
    this.#buffers.set(buffer, size);
    return buffer;
  }
}
