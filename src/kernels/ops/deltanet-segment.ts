/**
 * Gated DeltaNet over the tokens of a segment, as the chunked delta rule with chunks of 64: four kernels, one after the other.
 * Formulas and mappings: deltanet-conv.wgsl, deltanet-chunks.wgsl, deltanet-scan.wgsl, deltanet-out.wgsl; the definition is
 * deltanetReference. They leave `history` and `state` as the same tokens through `deltanet` would.
 */
import type { Kernel } from "../../gpu/kernel.ts";
import chunksSource from "./deltanet-chunks.wgsl?raw";
import convSource from "./deltanet-conv.wgsl?raw";
import outSource from "./deltanet-out.wgsl?raw";
import scanSource from "./deltanet-scan.wgsl?raw";

/** Tokens of a chunk of the delta rule. */
export const DELTA_CHUNK = 64;
/** Numbers of `mats` a chunk takes per value head. */
export const DELTA_MATS = 2 * DELTA_CHUNK * DELTA_CHUNK;

/** What the scan holds of the state must fit the 16 KiB of shared memory that every device has, beside the updates. */
const MOST_KEY_DIM = 176;

/** Whether these kernels can run heads of these sizes: they take four numbers at a time. */
export function takesDeltaHeads(keyDim: number, valueDim: number): boolean {
  return keyDim % 4 === 0 && valueDim % 4 === 0 && keyDim <= MOST_KEY_DIM;
}

type Dims = "key_dim" | "value_dim";
type Tokens = Readonly<Record<"tokens", number>>;
type ValueHeads = Readonly<Record<"value_heads", number>>;

export const deltanetConv = {
  name: "deltanet_conv",
  source: convSource,
  bindings: {
    proj: { access: "read", shape: "[tokens, q | k | v | z | ba] f32" },
    constants: { access: "read", shape: "packDeltanetConstants()" },
    segment: { access: "read", shape: "Segment" },
    history: { access: "read", shape: "[kernel, channels] f32, a ring over positions" },
    conv: { access: "write", shape: "[tokens, q | k | v] f32" },
    gates: { access: "write", shape: "[tokens, value_heads] (beta, decay)" },
  },
  /** `tokens` only sizes the dispatch, here and below. */
  params: ["key_heads", "value_heads", "kernel", "eps", "tokens"],
  floats: ["eps"],
  weights: [],
  /** `tiled`: value head h reads key head h % key_heads, here and below; else h / (value_heads / key_heads). */
  constants: { key_dim: 128, value_dim: 128, lanes: 64, tiled: 0 },
  workgroups: (p: Tokens & ValueHeads & Readonly<Record<"key_heads", number>>) => [p.tokens, p.key_heads + p.value_heads, 1],
} as const satisfies Kernel<"proj" | "constants" | "segment" | "history" | "conv" | "gates", "key_heads" | "value_heads" | "kernel" | "eps" | "tokens", never, Dims | "lanes" | "tiled">;

export const deltanetChunks = {
  name: "deltanet_chunks",
  source: chunksSource,
  bindings: {
    conv: { access: "read", shape: "[tokens, q | k | v] f32" },
    gates: { access: "read", shape: "[tokens, value_heads] (beta, decay)" },
    segment: { access: "read", shape: "Segment" },
    mats: { access: "write", shape: "[chunks, value_heads, solve | attend, 64, 64] f32" },
  },
  params: ["key_heads", "value_heads", "channels", "tokens"],
  weights: [],
  constants: { key_dim: 128, tiled: 0 },
  workgroups: (p: Tokens & ValueHeads) => [Math.ceil(p.tokens / DELTA_CHUNK), p.value_heads, 1],
} as const satisfies Kernel<"conv" | "gates" | "segment" | "mats", "key_heads" | "value_heads" | "channels" | "tokens", never, "key_dim" | "tiled">;

export const deltanetScan = {
  name: "deltanet_scan",
  source: scanSource,
  bindings: {
    mats: { access: "read", shape: "[chunks, value_heads, solve | attend, 64, 64] f32" },
    gates: { access: "read", shape: "[tokens, value_heads] (beta, decay)" },
    segment: { access: "read", shape: "Segment" },
    conv: { access: "write", shape: "[tokens, q | k | v] f32; v is replaced by the state's answer" },
    state: { access: "write", shape: "[value_heads, key_dim, value_dim] f32" },
  },
  params: ["key_heads", "value_heads"],
  weights: [],
  constants: { key_dim: 128, value_dim: 128, tiled: 0 },
  /** 16 value columns a workgroup. */
  workgroups: (p: ValueHeads, { value_dim }: Readonly<Record<Dims | "tiled", number>>) => [Math.ceil(value_dim / 16), p.value_heads, 1],
} as const satisfies Kernel<"mats" | "gates" | "segment" | "conv" | "state", "key_heads" | "value_heads", never, Dims | "tiled">;

export const deltanetOut = {
  name: "deltanet_out",
  source: outSource,
  bindings: {
    proj: { access: "read", shape: "[tokens, q | k | v | z | ba] f32" },
    conv: { access: "read", shape: "[tokens, q | k | o] f32" },
    constants: { access: "read", shape: "packDeltanetConstants()" },
    segment: { access: "read", shape: "Segment" },
    out: { access: "write", shape: "[tokens, value_heads, value_dim] f32" },
    history: { access: "write", shape: "[kernel, channels] f32" },
  },
  params: ["value_heads", "channels", "kernel", "eps", "tokens"],
  floats: ["eps"],
  weights: [],
  constants: { value_dim: 128, lanes: 64 },
  workgroups: (p: Tokens & ValueHeads) => [p.tokens, p.value_heads, 1],
} as const satisfies Kernel<"proj" | "conv" | "constants" | "segment" | "out" | "history", "value_heads" | "channels" | "kernel" | "eps" | "tokens", never, "value_dim" | "lanes">;
