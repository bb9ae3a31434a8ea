/**
 * One token of attention between its two projections: biases, norms, rope, cache append, softmax over the cache, output gate.
 * Formula, source and mapping: attention.wgsl. Mutates `keys` and `values`; does nothing while `routing` is stalled.
 */
import type { Kernel, KernelFeatures } from "../../gpu/kernel.ts";
import { specialise } from "../weights.ts";
import source from "./attention.wgsl?raw";

type Constant = "head_dim" | "lanes" | "gated" | "normed" | "biased" | "half" | "splits";
type Param = "heads" | "kv_heads" | "rotary" | "context" | "eps";

export const attention = {
  name: "attention",
  source,
  bindings: {
    proj: { access: "read", shape: "[heads × (q | gate, if gated) | k | v] f32, as three matrices of matvec write it" },
    constants: { access: "read", shape: "packAttentionConstants()" },
    step: { access: "read", shape: "Step with rotary / 2 pairs" },
    routing: { access: "read", shape: "Routing" },
    keys: { access: "write", shape: "[context, kv_heads, head_dim] f32 or f16, after norm and rope" },
    values: { access: "write", shape: "[context, kv_heads, head_dim] f32 or f16" },
    out: { access: "write", shape: "[heads, head_dim] f32; with splits [heads, splits, head_dim + 2]" },
  },
  /** `rotary`: dimensions that turn, even. A position at or past `context` writes nothing. */
  params: ["heads", "kv_heads", "rotary", "context", "eps"],
  floats: ["eps"],
  weights: [],
  specialise: (_types: unknown, features: KernelFeatures) => specialise(source, {}, features),
  /** `head_dim`: a multiple of 4. `gated`, `normed`, `biased`, `half` (the cache is f16): 0 or 1. `splits`: attentionSplits(). */
  constants: { head_dim: 256, lanes: 64, gated: 1, normed: 1, biased: 0, half: 0, splits: 1 },
  /** Two query heads of one kv head each. */
  workgroups: (p: Readonly<Record<Param, number>>, { splits }: Readonly<Record<Constant, number>>) => [p.kv_heads * Math.ceil(p.heads / p.kv_heads / 2), splits, 1],
} as const satisfies Kernel<"proj" | "constants" | "step" | "routing" | "keys" | "values" | "out", Param, never, Constant>;

/** What the layer has of its own beside its matrices. */
export interface AttentionConstants {
  /** Of queries and keys: `[head_dim]` each. */
  readonly norms?: readonly [q: Float32Array, k: Float32Array];
  /** Of queries, keys, values, as long as the matrices have rows. */
  readonly biases?: readonly [q: Float32Array, k: Float32Array, v: Float32Array];
}

/** `headDim` numbers stand in for each norm that there is not: the kernel does not read them. */
export function packAttentionConstants({ norms, biases }: AttentionConstants, headDim: number): Float32Array<ArrayBuffer> {
  const parts = [...(norms ?? [new Float32Array(headDim), new Float32Array(headDim)]), ...(biases ?? [])];
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export interface AttentionShape {
  readonly heads: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  readonly rotary: number;
  readonly ropeBase: number;
  readonly eps: number;
  readonly gated: boolean;
}

/** All tokens of a sequence from its start: `proj` of each → `out` of each. */
export function attentionReference(proj: readonly Float32Array[], { norms, biases }: AttentionConstants, p: AttentionShape): readonly Float64Array[] {
  const { heads, kv_heads, head_dim: dim } = p;
  const stride = p.gated ? 2 * dim : dim;
  const kAt = heads * stride;
  const bias = biases && [...biases[0], ...biases[1], ...biases[2]];
  const rows = proj.map((row) => Float64Array.from(row, (x, i) => x + (bias?.[i] ?? 0)));
  const turned = (row: Float64Array, from: number, norm: Float32Array | undefined, position: number) => {
    const head = row.slice(from, from + dim);
    const rms = Math.sqrt(head.reduce((sum, x) => sum + x * x, 0) / dim + p.eps);
    const normed = norm ? head.map((x, d) => (x / rms) * norm[d]!) : head;
    const out = normed.slice();
    for (let i = 0; i < p.rotary / 2; i++) {
      const angle = position * p.ropeBase ** ((-2 * i) / p.rotary);
      const [x, y] = [normed[i]!, normed[i + p.rotary / 2]!];
      out[i] = x * Math.cos(angle) - y * Math.sin(angle);
      out[i + p.rotary / 2] = y * Math.cos(angle) + x * Math.sin(angle);
    }
    return out;
  };
  const keys = rows.map((row, s) => Array.from({ length: kv_heads }, (_, g) => turned(row, kAt + g * dim, norms?.[1], s)));
  return rows.map((row, t) => {
    const out = new Float64Array(heads * dim);
    for (let h = 0; h < heads; h++) {
      const g = Math.floor((h * kv_heads) / heads);
      const q = turned(row, h * stride, norms?.[0], t);
      const scores = keys.slice(0, t + 1).map((key) => key[g]!.reduce((sum, x, d) => sum + x * q[d]!, 0) / Math.sqrt(dim));
      const largest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((a, b) => a + b, 0);
      for (let d = 0; d < dim; d++) {
        const mixed = weights.reduce((sum, weight, s) => sum + weight * rows[s]![kAt + (kv_heads + g) * dim + d]!, 0) / total;
        out[h * dim + d] = p.gated ? mixed / (1 + Math.exp(-row[h * stride + dim + d]!)) : mixed;
      }
    }
    return out;
  });
}
