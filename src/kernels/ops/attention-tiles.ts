/** Attention of many tokens at once over the cache, with online softmax. Formula and mapping: attention-tiles.wgsl. */
import type { Kernel } from "../../gpu/kernel.ts";
import source from "./attention-tiles.wgsl?raw";

type Param = "heads" | "kv_heads" | "tokens";
type Constant = "head_dim" | "lanes" | "splits" | "gated" | "half";

/** The widest head that a workgroup's lanes cover, 4 dimensions each. */
export const ATTENTION_TILES_MOST_DIM = 256;

export const attentionTiles = {
  name: "attention_tiles",
  source,
  bindings: {
    proj: { access: "read", shape: "[tokens, heads × (q | gate) | k | v] f32, after attention_append" },
    segment: { access: "read", shape: "Segment" },
    keys: { access: "read", shape: "[context, kv_heads, head_dim] f32 or f16" },
    values: { access: "read", shape: "[context, kv_heads, head_dim] f32 or f16" },
    out: { access: "write", shape: "[tokens, heads, head_dim] f32" },
  },
  /** `tokens` only sizes the dispatch. */
  params: ["heads", "kv_heads", "tokens"],
  weights: [],
  /** `head_dim`: a multiple of 4, at most ATTENTION_TILES_MOST_DIM. `lanes`, `splits`: attentionTilesLanes(). */
  constants: { head_dim: 256, lanes: 64, splits: 1, gated: 1, half: 0 },
  workgroups: (p: Readonly<Record<Param, number>>) => [Math.ceil(p.tokens / 8), p.heads, 1],
} as const satisfies Kernel<"proj" | "segment" | "keys" | "values" | "out", Param, never, Constant>;

/** How the kernel's lanes share a head of so many dimensions. */
export function attentionTilesLanes(software: boolean, headDim: number): { readonly lanes: 16 | 64; readonly splits: 1 | 2 } {
  const lanes = software && headDim <= 64 ? 16 : 64;
  return { lanes, splits: headDim / 2 <= lanes ? 2 : 1 };
}
