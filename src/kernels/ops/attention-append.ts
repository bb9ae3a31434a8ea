/** A segment's keys and values into the cache, its queries made ready in place. Formula and mapping: attention-append.wgsl. */
import type { Kernel } from "../../gpu/kernel.ts";
import source from "./attention-append.wgsl?raw";

type Param = "heads" | "kv_heads" | "rotary" | "eps" | "tokens";
type Constant = "head_dim" | "lanes" | "gated" | "normed" | "biased" | "half";

export const attentionAppend = {
  name: "attention_append",
  source,
  bindings: {
    constants: { access: "read", shape: "packAttentionConstants()" },
    segment: { access: "read", shape: "Segment" },
    rope: { access: "read", shape: "[tokens, rotary / 2] (cos, sin)" },
    proj: { access: "write", shape: "[tokens, heads × (q | gate) | k | v] f32; the queries are replaced" },
    keys: { access: "write", shape: "[context, kv_heads, head_dim] f32 or f16" },
    values: { access: "write", shape: "[context, kv_heads, head_dim] f32 or f16" },
  },
  /** `tokens` only sizes the dispatch; none of them may lie past the context. */
  params: ["heads", "kv_heads", "rotary", "eps", "tokens"],
  floats: ["eps"],
  weights: [],
  /** `head_dim`: a multiple of 4. */
  constants: { head_dim: 256, lanes: 64, gated: 1, normed: 1, biased: 0, half: 0 },
  workgroups: (p: Readonly<Record<Param, number>>) => [p.tokens, p.heads + p.kv_heads, 1],
} as const satisfies Kernel<"constants" | "segment" | "rope" | "proj" | "keys" | "values", Param, never, Constant>;
