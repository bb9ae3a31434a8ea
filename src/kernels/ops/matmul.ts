/**
 * One matrix times many rows: the tokens of a segment, or the (token, expert) pairs of a batch, expert by expert out of the
 * arena. Each weight is unpacked once for a tile of rows. Formula and mapping: matmul.wgsl, matmul-rows.wgsl.
 */
import type { Kernel, KernelFeatures, Workgroups } from "../../gpu/kernel.ts";
import { specialise } from "../weights.ts";
import rowsSource from "./matmul-rows.wgsl?raw";
import source from "./matmul.wgsl?raw";

type Param = "columns" | "rows" | "stride" | "at" | "x_first" | "y_first" | "slot_stride" | "matrix_at" | "tiles";
type Constant = "grouped" | "gather" | "accumulate";
export type Matmul = Kernel<"matrix" | "x" | "plan" | "pairs" | "y", Param, "matrix", Constant>;

const shared = {
  bindings: {
    matrix: { access: "read", shape: "[rows, columns] weights; grouped: slots with one such matrix in each" },
    x: { access: "read", shape: "[·, columns] f32" },
    plan: { access: "read", shape: "Segment; grouped: [tiles] of { slot, first pair, pairs, – }" },
    pairs: { access: "read", shape: "[pairs] of { token, weight }; any buffer unless `gather`" },
    y: { access: "write", shape: "[·, stride] f32" },
  },
  /** `x_first`, `y_first`: 1 where row 0 is the chunk's first token, 0 where it is the segment's. `slot_stride`, `matrix_at` in units of 16 bytes. `tiles` only sizes the dispatch. */
  params: ["columns", "rows", "stride", "at", "x_first", "y_first", "slot_stride", "matrix_at", "tiles"],
  weights: ["matrix"],
  constants: { grouped: 0, gather: 0, accumulate: 0 },
  workgroups: (p: Readonly<Record<"rows" | "tiles", number>>): Workgroups => [Math.ceil(p.rows / 64), p.tiles, 1],
} as const;

const tiled = { ...shared, name: "matmul", source, specialise: (types: Readonly<Record<"matrix", string>>, features: KernelFeatures) => specialise(source, types, features) } as const satisfies Matmul;
const byRows = { ...shared, name: "matmul_rows", source: rowsSource, specialise: (types: Readonly<Record<"matrix", string>>, features: KernelFeatures) => specialise(rowsSource, types, features) } as const satisfies Matmul;

/** The kernel for this kind of adapter, and how many rows of x one of its tiles takes. */
export interface MatmulChoice {
  readonly kernel: Matmul;
  readonly tileRows: number;
}

/**
 * On an adapter that computes on the CPU the tiled kernel's barriers and shared loads cost more than they save. Q8_0, in turns, the
 * best of 8, tiled / by rows / by rows with shared loads: 1024 × 256 by 256 tokens 148 / 55 / 30 ms, 256 × 256 by 256 35 / 15 / 9.5,
 * 832 × 256 by 64 20 / 10 / 5.9 (SwiftShader in Chromium 143 on two cores, its shared memory not zeroed, 2026-11-27).
 */
export function matmulFor(software: boolean): MatmulChoice {
  return software ? { kernel: byRows, tileRows: 16 } : { kernel: tiled, tileRows: 64 };
}

/** `rowsOfX` in, `[rowsOfX, rows]` out, added to `y` where it is given. `matrix` dequantised. */
export function matmulReference(matrix: Float32Array, x: Float32Array, columns: number, y?: Float32Array): Float64Array {
  const rows = matrix.length / columns;
  return Float64Array.from({ length: (x.length / columns) * rows }, (_, at) => {
    const [i, r] = [Math.floor(at / rows), at % rows];
    let sum = y ? y[at]! : 0;
    for (let c = 0; c < columns; c++) sum += matrix[r * columns + c]! * x[i * columns + c]!;
    return sum;
  });
}
