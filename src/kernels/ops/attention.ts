/**
 * One token of gated attention between its two projections: norms, rope, cache append, softmax over the cache, output gate.
 * Formula, source and mapping: attention.wgsl. Mutates `keys` and `values`; does nothing while `routing` is stalled.
 */
import type { Kernel } from "../../gpu/kernel.ts";
import source from "./attention.wgsl?raw";

type Param = "heads" | "kv_heads" | "rotary" | "context" | "eps";

export const attention = {
  name: "attention",
  source,
  bindings: {
    proj: { access: "read", shape: "[heads × (q | gate) | k | v] f32, as three matrices of matvec write it" },
    norms: { access: "read", shape: "[q norm: head_dim | k norm: head_dim] f32" },
    step: { access: "read", shape: "Step with rotary / 2 pairs" },
    routing: { access: "read", shape: "Routing" },
    keys: { access: "write", shape: "[context, kv_heads, head_dim] f32, after norm and rope" },
    values: { access: "write", shape: "[context, kv_heads, head_dim] f32" },
    out: { access: "write", shape: "[heads, head_dim] f32" },
  },
  /** `rotary`: dimensions that turn, even. A position at or past `context` writes nothing. */
  params: ["heads", "kv_heads", "rotary", "context", "eps"],
  floats: ["eps"],
  weights: [],
  /** `head_dim`: a multiple of 4. */
  constants: { head_dim: 256, lanes: 64 },
  /** Two query heads of one kv head each. */
  workgroups: (p: Readonly<Record<Param, number>>) => [p.kv_heads * Math.ceil(p.heads / p.kv_heads / 2), 1, 1],
} as const satisfies Kernel<"proj" | "norms" | "step" | "routing" | "keys" | "values" | "out", Param, never, "head_dim" | "lanes">;

export interface AttentionShape {
  readonly heads: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  readonly rotary: number;
  readonly ropeBase: number;
  readonly eps: number;
}

/** All tokens of a sequence from its start: `proj` of each → `out` of each. `norms` is [q norm | k norm]. */
export function attentionReference(proj: readonly Float32Array[], norms: Float32Array, p: AttentionShape): readonly Float64Array[] {
  const { heads, kv_heads, head_dim: dim } = p;
  const kAt = heads * 2 * dim;
  const turned = (row: Float32Array, from: number, normAt: number, position: number) => {
    const head = Float64Array.from(row.subarray(from, from + dim));
    const rms = Math.sqrt(head.reduce((sum, x) => sum + x * x, 0) / dim + p.eps);
    const normed = head.map((x, d) => (x / rms) * norms[normAt + d]!);
    const out = normed.slice();
    for (let i = 0; i < p.rotary / 2; i++) {
      const angle = position * p.ropeBase ** ((-2 * i) / p.rotary);
      const [x, y] = [normed[i]!, normed[i + p.rotary / 2]!];
      out[i] = x * Math.cos(angle) - y * Math.sin(angle);
      out[i + p.rotary / 2] = y * Math.cos(angle) + x * Math.sin(angle);
    }
    return out;
  };
  const keys = proj.map((row, s) => Array.from({ length: kv_heads }, (_, g) => turned(row, kAt + g * dim, dim, s)));
  return proj.map((row, t) => {
    const out = new Float64Array(heads * dim);
    for (let h = 0; h < heads; h++) {
      const g = Math.floor((h * kv_heads) / heads);
      const q = turned(row, h * 2 * dim, 0, t);
      const scores = keys.slice(0, t + 1).map((key) => key[g]!.reduce((sum, x, d) => sum + x * q[d]!, 0) / Math.sqrt(dim));
      const largest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((a, b) => a + b, 0);
      for (let d = 0; d < dim; d++) {
        const mixed = weights.reduce((sum, weight, s) => sum + weight * proj[s]![kAt + (kv_heads + g) * dim + d]!, 0) / total;
        out[h * dim + d] = mixed / (1 + Math.exp(-row[h * 2 * dim + dim + d]!));
      }
    }
    return out;
  });
}
