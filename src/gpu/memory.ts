// GPU buffers with an account: what is allocated, under which name, how many bytes. Sizes are checked before the device sees them.
import { AppError } from "../base/errors.ts";
import { formatBytes } from "../base/units.ts";

/** writeBuffer copies through a staging area; larger uploads go in pieces of this size. */
const UPLOAD_BYTES = 32 * 1024 * 1024;

/** What GPU memory is spent on: weights that stay, keys and values, recurrent state, expert slots, and everything else. */
export type MemoryKind = "dense" | "cache" | "recurrent" | "experts" | "scratch";
export type MemoryByKind = Readonly<Record<MemoryKind, number>>;

interface Account {
  readonly bytes: number;
  readonly kind: MemoryKind;
}

const padded = (bytes: number) => Math.max(16, Math.ceil(bytes / 16) * 16);

export class GpuMemory {
  readonly #device: GPUDevice;
  readonly #maxBindingBytes: number;
  readonly #buffers = new Map<GPUBuffer, Account>();
  readonly #whole: GpuMemory | undefined;

  /** `whole`: the account that this one is a part of. */
  constructor(device: GPUDevice, maxBindingBytes: number, whole?: GpuMemory) {
    this.#device = device;
    this.#maxBindingBytes = maxBindingBytes;
    this.#whole = whole;
  }

  /** An account within this one, which can be closed alone. */
  part(): GpuMemory {
    return new GpuMemory(this.#device, this.#maxBindingBytes, this);
  }

  /** How many buffers are alive. */
  get count(): number {
    return this.#buffers.size;
  }

  /** Bytes of all live buffers. */
  get bytes(): number {
    return Object.values(this.byKind).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The same, by what it is spent on. */
  get byKind(): MemoryByKind {
    const sums: Record<MemoryKind, number> = { dense: 0, cache: 0, recurrent: 0, experts: 0, scratch: 0 };
    for (const { bytes, kind } of this.#buffers.values()) sums[kind] += bytes;
    return sums;
  }

  /** A storage buffer of at least `bytes`, zeroed, padded to 16. Throws `gpu/memory` when it cannot be bound as a whole. */
  storage(label: string, bytes: number, kind: MemoryKind = "scratch"): GPUBuffer {
    const size = padded(bytes);
    if (size > this.#maxBindingBytes) {
      throw new AppError("gpu/memory", `${label} takes ${formatBytes(size)}, but this GPU binds at most ${formatBytes(this.#maxBindingBytes)} at once. Use a smaller model, context or expert budget.`, {
        data: { label, neededBytes: size, maxBytes: this.#maxBindingBytes },
      });
    }
    return this.#create(label, size, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC, kind);
  }

  /** A storage buffer with these bytes in it. */
  upload(label: string, data: ArrayBufferView<ArrayBuffer>, kind: MemoryKind = "scratch"): GPUBuffer {
    const buffer = this.storage(label, data.byteLength, kind);
    this.write(buffer, 0, data);
    return buffer;
  }

  /** A uniform buffer with these bytes, fixed for its life. */
  uniform(label: string, data: ArrayBufferView<ArrayBuffer>): GPUBuffer {
    const buffer = this.#create(label, padded(data.byteLength), GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, "scratch");
    this.write(buffer, 0, data);
    return buffer;
  }

  /** A buffer that results are copied into and read from. */
  staging(label: string, bytes: number): GPUBuffer {
    return this.#create(label, bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, "scratch");
  }

  /** A mapped buffer that JavaScript writes into and copies go out of. Throws `gpu/memory` where there is no room to map it. */
  uploads(label: string, bytes: number): GPUBuffer {
    try {
      return this.#create(label, padded(bytes), GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC, "scratch", true);
    } catch (cause) {
      // The one size error that WebGPU throws at once: a RangeError.
      throw new AppError("gpu/memory", `There is no memory for ${label}. Lower the GPU budget.`, { data: { label, neededBytes: bytes }, cause });
    }
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
    if (!this.#buffers.has(buffer)) return;
    this.#forget(buffer);
    buffer.destroy();
  }

  /** Frees everything. */
  close(): void {
    for (const buffer of this.#buffers.keys()) this.free(buffer);
  }

  #create(label: string, size: number, usage: GPUBufferUsageFlags, kind: MemoryKind, mappedAtCreation = false): GPUBuffer {
    const buffer = this.#device.createBuffer({ label, size, usage, mappedAtCreation });
    this.#account(buffer, { bytes: size, kind });
    return buffer;
  }

  #account(buffer: GPUBuffer, account: Account): void {
    this.#buffers.set(buffer, account);
    if (this.#whole) this.#whole.#account(buffer, account);
  }

  #forget(buffer: GPUBuffer): void {
    this.#buffers.delete(buffer);
    if (this.#whole) this.#whole.#forget(buffer);
  }
}
