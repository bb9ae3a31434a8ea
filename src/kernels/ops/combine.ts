/** Adds what a batch of (token, expert) pairs gives to the residual stream, in a fixed order. Formula and mapping: combine.wgsl. */
import type { Kernel } from "../../gpu/kernel.ts";
import source from "./combine.wgsl?raw";

export const combine = {
  name: "combine",
  source,
  bindings: {
    sums: { access: "read", shape: "[tokens] of { token, start, count, – }" },
    order: { access: "read", shape: "[pairs] u32" },
    out: { access: "read", shape: "[pairs, columns] f32" },
    x: { access: "write", shape: "[chunk, columns] f32, added to" },
  },
  /** `tokens`: those that have a pair in the batch; only sizes the dispatch. */
  params: ["columns", "tokens"],
  weights: [],
  constants: {},
  workgroups: (p: Readonly<Record<"columns" | "tokens", number>>) => [Math.ceil(p.columns / 64), p.tokens, 1],
} as const satisfies Kernel<"sums" | "order" | "out" | "x", "columns" | "tokens", never, never>;
