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
  /** Matrices that no binding holds as a whole, cut by rows. */
  readonly #cut = new Map<string, readonly JoinedMatrix[]>();
  readonly #packed = new Map<string, GPUBuffer>();
  readonly #joined = new Map<string, readonly JoinedMatrix[]>();
  readonly #vectors = new Map<string, Float32Array<ArrayBuffer>>();

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /**
   * Allocates room for every weight but the routed experts. The embedding and the output are cut by rows where one binding does
   * not hold them. Throws `gpu/memory` naming the tensor; nothing stays then.
   */
  static async open(gpu: Gpu, plan: ModelPlan): Promise<ResidentWeights> {
    const resident = new ResidentWeights(gpu);
    try {
      await gpu.memory.within("the weights that stay", () => {
        for (const weight of residentWeights(plan)) resident.#allocate(weight, weight === plan.embedding || weight === plan.output);
      });
      return resident;
    } catch (error) {
      resident.close();
      throw error;
    }
  }

  #allocate(weight: Weight, mayCut: boolean): void {
    const { name, type, rows, columns } = weight;
    const { report, memory } = this.#gpu;
    const storage = (label: string, count: number): GPUBuffer => memory.storage(label, gpuBytes(type, count, columns), "dense");
    if (!mayCut || gpuBytes(type, rows, columns) <= report.maxBindingBytes) {
      this.#buffers.set(name, storage(name, rows));
      return;
    }
    const most = rowsWithin(weight, report.maxBindingBytes);
    const pieces: JoinedMatrix[] = [];
    this.#cut.set(name, pieces); // before they are made: what was made is freed when one fails
    for (let first = 0; first < rows; first += most) {
      const count = Math.min(most, rows - first);
      pieces.push({ type, rows: count, buffer: storage(`${name}, rows ${first} to ${first + count - 1}`, count) });
    }
  }

  /** Reads and uploads them all. Throws `storage/…` naming the tensor, or `aborted`. */
  async load(plan: ModelPlan, model: StoredModel, onTensor: (bytes: number) => void, signal?: AbortSignal): Promise<void> {
    const weights = residentWeights(plan);
    for (let first = 0; first < weights.length; first += TOGETHER) {
      throwIfAborted(signal, "Loading the model");
      await Promise.all(
        weights.slice(first, first + TOGETHER).map(async (weight) => {
          const bytes = await model.readTensor(weight.source.tensor, signal);
          this.#take(weight, bytes);
          onTensor(bytes.byteLength);
        }),
      );
    }
  }

  #take(weight: Weight, bytes: Uint8Array<ArrayBuffer>): void {
    const { name, type, rows, columns } = weight;
    const expected = gpuBytes(type, rows, columns);
    if (bytes.byteLength !== expected) {
      throw new AppError("storage/corrupt", `Tensor ${name} has ${bytes.byteLength} bytes in the browser's storage; ${expected} are needed. Delete the model and load it again.`, { data: { tensor: name } });
    }
    const pieces = this.#cut.get(name);
    if (pieces) this.#fillPieces(weight, pieces, bytes);
    else this.#gpu.memory.write(this.matrix(weight), 0, bytes);
    if (type === "F32" || type === "F16" || type === "BF16") {
      if (isVector(weight)) this.#vectors.set(name, dequantise(type, bytes, rows * columns));
    }
  }

  /** Each plane of the layout is cut at the same rows. */
  #fillPieces({ type, rows, columns }: Weight, pieces: readonly JoinedMatrix[], bytes: Uint8Array<ArrayBuffer>): void {
    const whole = gpuPlanes(type, rows, columns);
    let first = 0;
    for (const { rows: count, buffer } of pieces) {
      let from = 0;
      let to = 0;
      for (const [plane, length] of gpuPlanes(type, count, columns).entries()) {
        const at = from + (whole[plane]! / rows) * first;
        this.#gpu.memory.write(buffer, to, bytes.subarray(at, at + length));
        from += whole[plane]!;
        to += length;
      }
      first += count;
    }
  }

  /** The matrix as it lies: one buffer, or several with the rows one after the other. */
  pieces(weight: Weight): readonly JoinedMatrix[] {
    return this.#cut.get(weight.name) ?? [{ type: weight.type, rows: weight.rows, buffer: this.matrix(weight) }];
  }

  matrix({ name }: Weight): GPUBuffer {
    const buffer = this.#buffers.get(name);
    if (!buffer) throw new AppError("bug", `The tensor ${name} was not loaded.`);
    return buffer;
  }

  /**
   * The same rows in fewer matrices: neighbours of one type become one, whose parts are then freed. Kernels choose among
   * fewer. A part with an odd number of scales stays alone, because GPU copies move whole words; so does one that would make
   * the whole larger than a binding. The same weights join once.
   */
  join(weights: readonly Weight[]): readonly JoinedMatrix[] {
    const key = weights.map(({ name }) => name).join(" + ");
    const known = this.#joined.get(key) ?? this.#joinNow(weights);
    this.#joined.set(key, known);
    return known;
  }

  #joinNow(weights: readonly Weight[]): readonly JoinedMatrix[] {
    const runs: Weight[][] = [];
    for (const weight of weights) {
      const run = runs.at(-1);
      const joinable = run !== undefined && run[0]!.type === weight.type && [...run, weight].every(movesInWords);
      if (joinable && bytesOf([...run, weight]) <= this.#gpu.report.maxBindingBytes) run.push(weight);
      else runs.push([weight]);
    }
    return runs.map((run) => ({ type: run[0]!.type, rows: run.reduce((sum, { rows }) => sum + rows, 0), buffer: run.length === 1 ? this.matrix(run[0]!) : this.#stack(run) }));
  }

  #stack(run: readonly Weight[]): GPUBuffer {
    const { type, columns } = run[0]!;
    const rows = run.reduce((sum, weight) => sum + weight.rows, 0);
    const label = run.map(({ name }) => name).join(" + ");
    const stacked = this.#gpu.memory.storage(label, gpuBytes(type, rows, columns), "dense");
    this.#packed.set(label, stacked);
    const encoder = this.#gpu.device.createCommandEncoder();
    let to = 0;
    const planes = run.map((weight) => ({ from: this.matrix(weight), bytes: gpuPlanes(type, weight.rows, columns) }));
    for (let plane = 0; plane < planes[0]!.bytes.length; plane++) {
      for (const { from, bytes } of planes) {
        const at = bytes.slice(0, plane).reduce((sum, before) => sum + before, 0);
        encoder.copyBufferToBuffer(from, at, stacked, to, bytes[plane]!);
        to += bytes[plane]!;
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

  /** A vector as f32, whatever the file has it in. */
  f32(weight: Weight): GPUBuffer {
    return weight.type === "F32" ? this.matrix(weight) : this.packed(weight.name, () => this.vector(weight));
  }

  /** Numbers that are no tensor of the file, made and uploaded once under their label. */
  packed(label: string, numbers: () => Float32Array<ArrayBuffer>): GPUBuffer {
    const known = this.#packed.get(label) ?? this.#gpu.memory.upload(label, numbers(), "dense");
    this.#packed.set(label, known);
    return known;
  }

  close(): void {
    const pieces = [...this.#cut.values()].flat().map(({ buffer }) => buffer);
    for (const buffer of [...this.#buffers.values(), ...pieces, ...this.#packed.values()]) this.#gpu.memory.free(buffer);
    this.#buffers.clear();
    this.#cut.clear();
    this.#packed.clear();
    this.#joined.clear();
  }
}

/** A multiple of what keeps both planes, and the results of the rows before, where bindings and copies may begin. */
const ROW_STEP = 64;

function rowsWithin({ name, type, columns }: Weight, bytes: number): number {
  const rows = Math.floor(bytes / gpuBytes(type, ROW_STEP, columns)) * ROW_STEP;
  if (rows > 0) return rows;
  throw new AppError("gpu/memory", `This GPU binds at most ${bytes} bytes at once, less than ${ROW_STEP} rows of ${name}. Use another device.`, { data: { label: name, maxBytes: bytes } });
}

/** Of matrices with the same columns as one. */
function bytesOf(run: readonly Weight[]): number {
  return gpuBytes(run[0]!.type, run.reduce((sum, { rows }) => sum + rows, 0), run[0]!.columns);
}

function movesInWords({ type, rows, columns }: Weight): boolean {
  return gpuPlanes(type, rows, columns).every((bytes) => bytes % 4 === 0);
}

/** Small enough to keep as numbers: vectors, and the convolution with its few taps a channel. */
function isVector({ rows, columns }: Weight): boolean {
  return rows === 1 || columns < 16;
}
