/**
 * Joins what the splits of `attention` leave, and gates it. Formula, source and mapping: attention-join.wgsl. `lanes`, `splits`,
 * `gated` and `biased` as in the `attention` before it. Does nothing while `routing` is stalled.
 */
import type { Kernel } from "../../gpu/kernel.ts";
import source from "./attention-join.wgsl?raw";

type Constant = "head_dim" | "lanes" | "gated" | "biased" | "splits";

export const attentionJoin = {
  name: "attention_join",
  source,
  bindings: {
    parts: { access: "read", shape: "[heads, splits, head_dim + 2] f32, as attention writes it" },
    proj: { access: "read", shape: "as attention's" },
    constants: { access: "read", shape: "packAttentionConstants()" },
    step: { access: "read", shape: "Step" },
    routing: { access: "read", shape: "Routing" },
    out: { access: "write", shape: "[heads, head_dim] f32" },
  },
  params: ["context", "heads"],
  weights: [],
  constants: { head_dim: 256, lanes: 64, gated: 1, biased: 0, splits: 32 },
  workgroups: (p: Readonly<Record<"heads", number>>) => [p.heads, 1, 1],
} as const satisfies Kernel<"parts" | "proj" | "constants" | "step" | "routing" | "out", "context" | "heads", never, Constant>;

const GPU_SPLITS = 32;

/**
 * How many workgroups share the cached positions of two heads. One workgroup a pair leaves most of a GPU idle: on an H100 (Dawn,
 * 2026-11-26) a token's attention with 16 heads at 2,100 positions took 1.19 ms of one layer whose matrices took 0.1. Adapters that
 * compute on the CPU have no more than their cores, and a dispatch costs them more.
 */
export function attentionSplits(software: boolean): number {
  return software ? 1 : GPU_SPLITS;
}

/** Floats of what the splits of a GPU leave. */
export function attentionParts(heads: number, headDim: number): number {
  return heads * GPU_SPLITS * (headDim + 2);
}
