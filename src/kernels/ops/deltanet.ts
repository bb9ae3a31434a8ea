/**
 * One token of Gated DeltaNet between its two projections: convolution, L2 norms, gates, the state's update, the gated norm.
 * Formula, source and mapping: deltanet.wgsl, deltanet-wide.wgsl. Mutates `history` and `state`; does nothing while `routing` is stalled.
 */
import type { Kernel, KernelFeatures } from "../../gpu/kernel.ts";
import { lanesFor, specialise } from "../weights.ts";
import wideSource from "./deltanet-wide.wgsl?raw";
import source from "./deltanet.wgsl?raw";

type Param = "key_heads" | "value_heads" | "kernel" | "eps";

export const deltanet = {
  name: "deltanet",
  source,
  bindings: {
    proj: { access: "read", shape: "[q | k | v | z | ba] f32, as three or four matrices of matvec write it" },
    constants: { access: "read", shape: "packDeltanetConstants()" },
    step: { access: "read", shape: "Step" },
    routing: { access: "read", shape: "Routing" },
    history: { access: "write", shape: "[kernel, channels] f32, a ring over positions" },
    state: { access: "write", shape: "[value_heads, key_dim, value_dim] f32" },
    out: { access: "write", shape: "[value_heads, value_dim] f32" },
  },
  params: ["key_heads", "value_heads", "kernel", "eps"],
  floats: ["eps"],
  weights: [],
  specialise: (_types: unknown, features: KernelFeatures) => specialise(source, {}, features),
  /** `tiled`: 0 or 1. */
  constants: { key_dim: 128, value_dim: 128, lanes: 64, tiled: 0 },
  /** One workgroup a value head. */
  workgroups: (p: Readonly<Record<Param, number>>) => [p.value_heads, 1, 1],
} as const satisfies Kernel<"proj" | "constants" | "step" | "routing" | "history" | "state" | "out", Param, never, "key_dim" | "value_dim" | "lanes" | "tiled">;

/** The same with a lane for every 16 keys and 4 value columns. */
export const deltanetWide = {
  ...deltanet,
  name: "deltanet_wide",
  source: wideSource,
  specialise: (_types: unknown, features: KernelFeatures) => specialise(wideSource, {}, features),
  constants: { ...deltanet.constants, lanes: 256 },
} as const;

/** Lanes of a workgroup that every device can have. */
const MOST_LANES = 256;

/**
 * The kernel for this kind of adapter and heads of these sizes, and its lanes. With 64 lanes a head each lane went through 128 keys one
 * after the other, twice: by an H100's times of a layer and of its matrices (docs/measured.md) that took about 55 µs of 99; with deltanet_wide the whole layer
 * takes 65. The state's 4 MB, read and written, are 1.5 µs of its memory.
 */
export function deltanetFor(software: boolean, keyDim: number, valueDim: number): { readonly kernel: typeof deltanet | typeof deltanetWide; readonly lanes: number } {
  const lanes = (keyDim / 16) * (valueDim / 4);
  const takesAll = Number.isInteger(Math.log2(lanes)) && lanes >= valueDim && lanes <= MOST_LANES && keyDim % 16 === 0 && valueDim % 4 === 0;
  return software || !takesAll ? { kernel: deltanet, lanes: lanesFor(software) } : { kernel: deltanetWide, lanes };
}

export interface DeltanetConstants {
  /** GGUF `ssm_a`, −exp(A_log): [value_heads]. */
  readonly a: Float32Array;
  /** GGUF `ssm_dt.bias`: [value_heads]. */
  readonly dt: Float32Array;
  /** GGUF `ssm_norm.weight`: [value_dim]. */
  readonly norm: Float32Array;
  /** GGUF `ssm_conv1d.weight`: [channels, kernel]. */
  readonly conv: Float32Array;
}

export function packDeltanetConstants({ a, dt, norm, conv }: DeltanetConstants): Float32Array<ArrayBuffer> {
  const parts = [a, dt, norm, conv];
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export interface DeltanetShape {
  readonly key_heads: number;
  readonly value_heads: number;
  readonly key_dim: number;
  readonly value_dim: number;
  readonly kernel: number;
  readonly eps: number;
  readonly tiled: boolean;
}

/** Floats of each of the kernel's buffers. */
export function deltanetSizes({ key_heads, value_heads, key_dim, value_dim, kernel }: DeltanetShape) {
  const channels = 2 * key_heads * key_dim + value_heads * value_dim;
  const out = value_heads * value_dim;
  return { channels, proj: channels + out + 2 * value_heads, history: kernel * channels, state: out * key_dim, out };
}

/** All tokens of a sequence from its start: `proj` of each → `out` of each. */
export function deltanetReference(proj: readonly Float32Array[], { a, dt, norm, conv }: DeltanetConstants, p: DeltanetShape): readonly Float64Array[] {
  const { channels, out: width } = deltanetSizes(p);
  const { key_dim: dk, value_dim: dv } = p;
  const ratio = p.value_heads / p.key_heads;
  const keys = p.key_heads * dk;
  const silu = (x: number) => x / (1 + Math.exp(-x));
  const state = Array.from({ length: p.value_heads }, () => new Float64Array(dk * dv));
  return proj.map((now, t) => {
    const convolved = Float64Array.from({ length: channels }, (_, c) => {
      let sum = 0;
      for (let j = 0; j < p.kernel; j++) sum += conv[c * p.kernel + j]! * (proj[t - p.kernel + 1 + j]?.[c] ?? 0);
      return silu(sum);
    });
    const unit = (from: number) => {
      const head = convolved.subarray(from, from + dk);
      const length = Math.max(Math.hypot(...head), p.eps);
      return head.map((x) => x / length);
    };
    const result = new Float64Array(width);
    for (let h = 0; h < p.value_heads; h++) {
      const keyHead = p.tiled ? h % p.key_heads : Math.floor(h / ratio);
      const q = unit(keyHead * dk).map((x) => x / Math.sqrt(dk));
      const k = unit(keys + keyHead * dk);
      const v = convolved.subarray(2 * keys + h * dv, 2 * keys + (h + 1) * dv);
      const b = channels + width + (p.tiled ? h : keyHead * 2 * ratio + (h % ratio));
      const alpha = b + (p.tiled ? p.value_heads : ratio);
      const beta = 1 / (1 + Math.exp(-now[b]!));
      const decay = Math.exp(a[h]! * Math.log1p(Math.exp(now[alpha]! + dt[h]!)));
      const s = state[h]!;
      const o = new Float64Array(dv);
      for (let j = 0; j < dv; j++) {
        let recalled = 0;
        for (let i = 0; i < dk; i++) recalled += decay * s[i * dv + j]! * k[i]!;
        for (let i = 0; i < dk; i++) {
          s[i * dv + j] = decay * s[i * dv + j]! + k[i]! * beta * (v[j]! - recalled);
          o[j]! += s[i * dv + j]! * q[i]!;
        }
      }
      const rms = Math.sqrt(o.reduce((sum, x) => sum + x * x, 0) / dv + p.eps);
      for (let j = 0; j < dv; j++) result[h * dv + j] = (o[j]! / rms) * norm[j]! * silu(now[channels + h * dv + j]!);
    }
    return result;
  });
}
