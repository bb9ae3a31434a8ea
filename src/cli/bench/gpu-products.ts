// The product with many rows, which prefill is made of, at the full model's dimensions: a segment's tokens times a projection, and a
// batch's (token, expert) pairs times a matrix of each expert.
import { dequantise, gpuBytes, repackToGpu, type WeightType } from "../../gguf/blocks.ts";
import type { Gpu } from "../../gpu/device.ts";
import { prepare } from "../../gpu/dispatch.ts";
import { readBuffer } from "../../gpu/readback.ts";
import { matmulFor } from "../../kernels/index.ts";
import { matmulReference } from "../../kernels/ops/matmul.ts";
import { type Effort, errorOf, randomWeights, replicate, timeDispatches } from "./gpu-kernels.ts";

/** One product. */
export interface ProductFigure {
  readonly kernel: string;
  readonly shape: string;
  readonly type: string;
  /** Multiplications and additions of one dispatch. */
  readonly operations: number;
  /** Microseconds of one dispatch, in turn. */
  readonly inTurn: number;
  /** The largest difference from the f64 definition, as a part of the largest result. */
  readonly error: number;
}

interface Product {
  readonly type: WeightType;
  readonly rows: number;
  readonly columns: number;
  /** Tokens, or the pairs of each expert. */
  readonly inputs: number;
  /** More than 1: a matrix for each, as the experts of a layer have. */
  readonly experts: number;
}

/** A segment through a wide projection, in the types of the published files, and out of one; a prompt of 512 and of 2,048 tokens among experts. */
const FULL: readonly Product[] = [
  { type: "Q4_K", rows: 8192, columns: 2048, inputs: 512, experts: 1 },
  { type: "Q6_K", rows: 8192, columns: 2048, inputs: 512, experts: 1 },
  { type: "Q8_0", rows: 8192, columns: 2048, inputs: 512, experts: 1 },
  { type: "Q4_K", rows: 2048, columns: 4096, inputs: 512, experts: 1 },
  { type: "Q4_K", rows: 512, columns: 2048, inputs: 10, experts: 100 },
  { type: "Q4_K", rows: 512, columns: 2048, inputs: 40, experts: 100 },
];
/** For adapters that compute on the CPU. */
const SMALL: readonly Product[] = [
  { type: "Q4_K", rows: 96, columns: 256, inputs: 70, experts: 1 },
  { type: "Q4_K", rows: 96, columns: 256, inputs: 10, experts: 3 },
];
/** Rows of x that are computed in f64 as well: the first and the last so many. */
const CHECKED = 3;

/** A pass computes so many for each byte that a pass of the others reads: about as long. */
const OPERATIONS_PER_BYTE = 4;

const { kernel, tileRows } = matmulFor(false);

export async function productFigures(gpu: Gpu, effort: Effort): Promise<ProductFigure[]> {
  const figures: ProductFigure[] = [];
  for (const product of gpu.report.software ? SMALL : FULL) figures.push(await productFigure(gpu, product, effort));
  return figures;
}

async function productFigure(gpu: Gpu, { type, rows, columns, inputs, experts }: Product, effort: Effort): Promise<ProductFigure> {
  const { memory } = gpu;
  const file = randomWeights(type, rows, columns);
  const bytes = gpuBytes(type, rows, columns);
  const stride = Math.ceil(bytes / 256) * 256;
  const matrix = memory.storage("weights", experts * stride);
  replicate(gpu, matrix, repackToGpu(type, file, rows, columns), stride, experts);
  const all = experts * inputs;
  const x = Float32Array.from({ length: all * columns }, (_, i) => Math.sin(i * 1.7) + 0.1);
  const grouped = experts > 1;
  const tiles = Array.from({ length: experts }, (_, slot) =>
    Array.from({ length: Math.ceil(inputs / tileRows) }, (__, i) => [slot, slot * inputs + i * tileRows, Math.min(tileRows, inputs - i * tileRows), 0]),
  ).flat();
  const pairs = Uint32Array.from({ length: 2 * all }, (_, i) => (i % 2 === 0 ? i / 2 : 0));
  const buffers = { matrix, x: memory.upload("x", x), plan: memory.upload("plan", grouped ? Uint32Array.from(tiles.flat()) : Uint32Array.of(inputs, 0, 0, 0)), pairs: memory.upload("pairs", pairs), y: memory.storage("y", all * rows * 4) };
  const dispatch = await prepare(gpu, kernel, {
    label: kernel.name,
    params: { columns, rows, stride: rows, at: 0, x_first: 0, y_first: 0, slot_stride: stride / 16, matrix_at: 0, tiles: tiles.length },
    types: { matrix: type },
    constants: { grouped: grouped ? 1 : 0, gather: grouped ? 1 : 0 },
    buffers,
  });
  const operations = 2 * all * rows * columns;
  const inTurn = await timeDispatches(gpu, [dispatch], operations / OPERATIONS_PER_BYTE, effort);
  const y = new Float32Array(await readBuffer(gpu, buffers.y));
  const values = dequantise(type, file, rows * columns);
  const count = Math.min(CHECKED, all);
  const error = Math.max(
    ...[0, all - count].map((first) => errorOf(y.subarray(first * rows, (first + count) * rows), matmulReference(values, x.subarray(first * columns, (first + count) * columns), columns))),
  );
  for (const buffer of Object.values(buffers)) memory.free(buffer);
  const shape = grouped ? `${experts} experts of ${rows} × ${columns}, ${inputs} pairs each` : `${rows} × ${columns}, ${inputs} tokens`;
  return { kernel: kernel.name, shape, type, operations, inTurn, error };
}
