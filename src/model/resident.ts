// The weights that stay on the GPU while the model runs: matrices as buffers in the layout they were stored in, vectors
// as numbers, because several of them are packed together into one binding.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { type WeightType, dequantise, gpuBytes, gpuPlanes } from "../gguf/blocks.ts";
import type { Gpu } from "../gpu/device.ts";
import type { StoredModel } from "../storage/stored-model.ts";
import { type ModelPlan, type Weight, residentWeights } from "./weights.ts";

/** Tensors in flight at once: hides the store's latency without holding much of the model in memory. */
const TOGETHER = 4;

export interface JoinedMatrix {
  readonly type: WeightType;
  readonly rows: number;
  readonly buffer: GPUBuffer;
}

export class ResidentWeights {
  readonly #gpu: Gpu;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #packed: GPUBuffer[] = [];
  readonly #vectors = new Map<string, Float32Array<ArrayBuffer>>();

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Reads and uploads every weight but the routed experts. Throws `storage/…` or `gpu/memory` naming the tensor, or `aborted`. */
  static async load(gpu: Gpu, plan: ModelPlan, model: StoredModel, onTensor: (bytes: number) => void, signal?: AbortSignal): Promise<ResidentWeights> {
    const resident = new ResidentWeights(gpu);
    const weights = residentWeights(plan);
    try {
      for (let first = 0; first < weights.length; first += TOGETHER) {
        throwIfAborted(signal, "Loading the model");
        await Promise.all(
          weights.slice(first, first + TOGETHER).map(async (weight) => {
            const bytes = await model.readTensor(weight.name, signal);
            resident.#take(weight, bytes);
            onTensor(bytes.byteLength);
          }),
        );
      }
    } catch (error) {
      resident.close();
      throw error;
    }
    return resident;
  }

  #take(weight: Weight, bytes: Uint8Array<ArrayBuffer>): void {
    const { name, type, rows, columns } = weight;
    const expected = gpuBytes(type, rows, columns);
    if (bytes.byteLength !== expected) {
      throw new AppError("storage/corrupt", `Tensor ${name} has ${bytes.byteLength} bytes in the browser's storage; ${expected} are needed. Delete the model and load it again.`, { data: { tensor: name } });
    }
    this.#buffers.set(name, this.#gpu.memory.upload(name, bytes));
    if (type === "F32" || type === "F16" || type === "BF16") {
      if (isVector(weight)) this.#vectors.set(name, dequantise(type, bytes, rows * columns));
    }
  }

  matrix({ name }: Weight): GPUBuffer {
    const buffer = this.#buffers.get(name);
    if (!buffer) throw new AppError("bug", `The tensor ${name} was not loaded.`);
    return buffer;
  }

  /**
   * The same rows in fewer matrices: neighbours of one type become one, whose parts are then freed. Kernels choose among
   * fewer. A part with an odd number of scales stays alone: GPU copies move whole words.
   */
  join(weights: readonly Weight[]): readonly JoinedMatrix[] {
    const runs: Weight[][] = [];
    for (const weight of weights) {
      const last = runs.at(-1)?.at(-1);
      if (last && last.type === weight.type && [last, weight].every(movesInWords)) runs.at(-1)!.push(weight);
      else runs.push([weight]);
    }
    return runs.map((run) => ({ type: run[0]!.type, rows: run.reduce((sum, { rows }) => sum + rows, 0), buffer: run.length === 1 ? this.matrix(run[0]!) : this.#stack(run) }));
  }

  #stack(run: readonly Weight[]): GPUBuffer {
    const { type, columns } = run[0]!;
    const rows = run.reduce((sum, weight) => sum + weight.rows, 0);
    const stacked = this.keep(this.#gpu.memory.storage(run.map(({ name }) => name).join(" + "), gpuBytes(type, rows, columns)));
    const encoder = this.#gpu.device.createCommandEncoder();
    let to = 0;
    for (const plane of [0, 1] as const) {
      for (const weight of run) {
        const planes = gpuPlanes(type, weight.rows, columns);
        if (planes[plane] > 0) encoder.copyBufferToBuffer(this.matrix(weight), plane === 0 ? 0 : planes[0], stacked, to, planes[plane]);
        to += planes[plane];
      }
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
    for (const weight of run) {
      this.#gpu.memory.free(this.matrix(weight));
      this.#buffers.delete(weight.name);
    }
    return stacked;
  }

  /** The numbers of a vector or of the convolution's taps. */
  vector({ name }: Weight): Float32Array<ArrayBuffer> {
    const vector = this.#vectors.get(name);
    if (!vector) throw new AppError("bug", `The tensor ${name} was not loaded as numbers.`);
    return vector;
  }

  /** Frees this buffer too when the weights are closed. */
  keep(buffer: GPUBuffer): GPUBuffer {
    this.#packed.push(buffer);
    return buffer;
  }

  close(): void {
    for (const buffer of [...this.#buffers.values(), ...this.#packed]) this.#gpu.memory.free(buffer);
    this.#buffers.clear();
  }
}

function movesInWords({ type, rows, columns }: Weight): boolean {
  return gpuPlanes(type, rows, columns).every((bytes) => bytes % 4 === 0);
}

/** Small enough to keep as numbers: vectors, and the convolution with its few taps a channel. */
function isVector({ rows, columns }: Weight): boolean {
  return rows === 1 || columns < 16;
}
