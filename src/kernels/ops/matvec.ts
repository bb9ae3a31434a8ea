/**
 * Up to four matrices times one vector, the vector RMS-normed on the way in or the result added to what is there.
 * Formula and mapping: matvec.wgsl. Unused matrices: type "none", 0 rows, any buffer. Does nothing while `routing` is stalled.
 */
import type { Kernel, KernelFeatures } from "../../gpu/kernel.ts";
import { type Lanes, specialise } from "../weights.ts";
import source from "./matvec.wgsl?raw";

type Matrix = "w0" | "w1" | "w2" | "w3";
type Rows = "rows0" | "rows1" | "rows2" | "rows3";
type Constant = "matrices" | keyof Lanes | "normed" | "accumulate";

export const matvec = {
  name: "matvec",
  source,
  bindings: {
    w0: { access: "read", shape: "[rows0, columns] weights" },
    w1: { access: "read", shape: "[rows1, columns] weights" },
    w2: { access: "read", shape: "[rows2, columns] weights" },
    w3: { access: "read", shape: "[rows3, columns] weights" },
    x: { access: "read", shape: "[tokens, columns] f32" },
    norm: { access: "read", shape: "[columns] f32; any buffer when not normed" },
    routing: { access: "read", shape: "Routing" },
    y: { access: "write", shape: "[tokens, rows0 + rows1 + rows2 + rows3] f32" },
  },
  params: ["tokens", "columns", "rows0", "rows1", "rows2", "rows3", "eps"],
  floats: ["eps"],
  weights: ["w0", "w1", "w2", "w3"],
  /** `matrices`: how many there are; fewer is faster. `lanes` to `parts`: rowLanes(). `normed`, `accumulate`: 0 or 1. */
  constants: { matrices: 4, lanes: 64, lanes_per_row: 4, rows_per_lane: 4, parts: 0, normed: 0, accumulate: 0 },
  specialise: (types: Readonly<Record<Matrix, string>>, features: KernelFeatures) => specialise(source, types, features),
  /** Tiles of rows, never across two matrices, times tokens. */
  workgroups: (p: Readonly<Record<Rows | "tokens", number>>, { lanes, lanes_per_row, rows_per_lane }: Readonly<Record<Constant, number>>) => {
    const tile = (lanes / lanes_per_row) * rows_per_lane;
    return [[p.rows0, p.rows1, p.rows2, p.rows3].reduce((sum, rows) => sum + Math.ceil(rows / tile), 0), p.tokens, 1];
  },
} as const satisfies Kernel<Matrix | "x" | "norm" | "routing" | "y", "tokens" | "columns" | Rows | "eps", Matrix, Constant>;

export interface MatvecReferenceInput {
  /** Dequantised, each `[rows, columns]`. */
  readonly matrices: readonly Float32Array[];
  readonly x: Float32Array;
  /** Absent: not normed. */
  readonly norm?: Float32Array;
  /** What is there already; absent: nothing is added to. */
  readonly y?: Float32Array;
}

export function matvecReference({ matrices, x, norm, y }: MatvecReferenceInput, p: { tokens: number; columns: number; eps: number }): Float64Array {
  const { tokens, columns, eps } = p;
  const total = matrices.reduce((sum, matrix) => sum + matrix.length / columns, 0);
  const out = new Float64Array(tokens * total);
  for (let t = 0; t < tokens; t++) {
    let squares = 0;
    for (let c = 0; c < columns; c++) squares += x[t * columns + c]! ** 2;
    const scale = norm ? 1 / Math.sqrt(squares / columns + eps) : 1;
    let at = t * total;
    for (const matrix of matrices) {
      for (let r = 0; r < matrix.length / columns; r++, at++) {
        let sum = 0;
        for (let c = 0; c < columns; c++) sum += matrix[r * columns + c]! * x[t * columns + c]! * (norm ? norm[c]! : 1);
        out[at] = (y ? y[at]! : 0) + sum * scale;
      }
    }
  }
  return out;
}
