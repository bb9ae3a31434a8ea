/**
 * The token's row of the embedding table becomes the residual stream. Formula and mapping: embedding.wgsl.
 * Does nothing while `routing` is stalled.
 */
import type { Kernel } from "../../gpu/kernel.ts";
import { specialise, UNIT } from "../weights.ts";
import source from "./embedding.wgsl?raw";

export const embedding = {
  name: "embedding",
  source,
  bindings: {
    table: { access: "read", shape: "[rows, columns] weights" },
    step: { access: "read", shape: "Step" },
    routing: { access: "read", shape: "Routing" },
    x: { access: "write", shape: "[columns] f32" },
  },
  params: ["rows", "columns"],
  weights: ["table"],
  constants: {},
  specialise: (types: Readonly<Record<"table", string>>) => specialise(source, types),
  workgroups: (p: { columns: number }) => [Math.ceil(p.columns / UNIT / 64), 1, 1],
} as const satisfies Kernel<"table" | "step" | "routing" | "x", "rows" | "columns", "table", never>;

/** `table` dequantised. A token past the table takes the last row. */
export function embeddingReference(table: Float32Array, token: number, p: { rows: number; columns: number }): Float32Array {
  const row = Math.min(token, p.rows - 1);
  return table.slice(row * p.columns, (row + 1) * p.columns);
}
