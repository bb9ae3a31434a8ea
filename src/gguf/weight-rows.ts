// Where the rows of a matrix lie in a file. Most matrices are a tensor of their own; some files keep several in one, or
// their rows in another order. Rows are whole blocks in every type, so choosing among them never takes a block apart.
import { AppError } from "../base/errors.ts";
import { type WeightType, fileBytes, repackToGpu } from "./blocks.ts";
import type { GgufFile, GgufTensor } from "./file.ts";
import type { ByteSource } from "./source.ts";

/** Neighbouring rows of a tensor. */
export interface RowRun {
  readonly first: number;
  readonly count: number;
}

export interface RowSource {
  /** As the file, or the store, has it. */
  readonly tensor: string;
  /** In the order they are wanted; absent: all rows as they are. */
  readonly runs?: readonly RowRun[];
}

/** A matrix by its dimensions and its place. */
export interface PlacedMatrix {
  readonly type: WeightType;
  readonly rows: number;
  readonly columns: number;
  readonly source: RowSource;
}

/** The tensor a matrix lies in. The plan that named it was made of this file. */
export function tensorOf(file: GgufFile, { source }: PlacedMatrix): GgufTensor {
  const tensor = file.tensors.find(({ name }) => name === source.tensor);
  if (!tensor) throw new AppError("bug", `The file has no tensor ${source.tensor}, although the plan was made of it.`);
  return tensor;
}

/** The rows that `runs` names out of the bytes of a whole matrix. */
export function pickRows(whole: Uint8Array, rowBytes: number, runs: readonly RowRun[] | undefined): Uint8Array {
  if (!runs) return whole;
  const out = new Uint8Array(runs.reduce((sum, { count }) => sum + count, 0) * rowBytes);
  let to = 0;
  for (const { first, count } of runs) {
    out.set(whole.subarray(first * rowBytes, (first + count) * rowBytes), to);
    to += count * rowBytes;
  }
  return out;
}

/** A resident matrix in the GPU layout: gpuBytes() of them. */
export async function readMatrix(source: ByteSource, file: GgufFile, matrix: PlacedMatrix, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const { type, rows, columns } = matrix;
  const tensor = tensorOf(file, matrix);
  const whole = await source.read(tensor.offset, tensor.bytes, signal);
  return repackToGpu(type, pickRows(whole, fileBytes(type, 1, columns), matrix.source.runs), rows, columns);
}
