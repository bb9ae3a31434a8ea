/**
 * The tokens' rows of the embedding table become the residual stream. Formula and mapping: embedding.wgsl.
 * Does nothing while `routing` is stalled.
 */
import type { Kernel, KernelFeatures } from "../../gpu/kernel.ts";
import { specialise, UNIT } from "../weights.ts";
import source from "./embedding.wgsl?raw";

export const embedding = {
  name: "embedding",
  source,
  bindings: {
    table: { access: "read", shape: "[rows, columns] weights" },
    step: { access: "read", shape: "Step, or [tokens] u32 ids" },
    routing: { access: "read", shape: "Routing" },
    x: { access: "write", shape: "[tokens, columns] f32" },
  },
  /** `tokens` only sizes the dispatch; 1 with a Step. */
  params: ["rows", "columns", "tokens"],
  weights: ["table"],
  /** `first`: the token of the table's first row. `whole`: 0 where other dispatches have other rows. */
  constants: { first: 0, whole: 1 },
  specialise: (types: Readonly<Record<"table", string>>, features: KernelFeatures) => specialise(source, types, features),
  workgroups: (p: Readonly<Record<"columns" | "tokens", number>>) => [Math.ceil(p.columns / UNIT / 64), p.tokens, 1],
} as const satisfies Kernel<"table" | "step" | "routing" | "x", "rows" | "columns" | "tokens", "table", "first" | "whole">;

/** `table` dequantised. A token past the table takes the last row. */
export function embeddingReference(table: Float32Array, token: number, p: { rows: number; columns: number }): Float32Array {
  const row = Math.min(token, p.rows - 1);
  return table.slice(row * p.columns, (row + 1) * p.columns);
}
