/** SiLU of the gate times up, weighed, in place: between a feed-forward's matrices. Formula and mapping: swiglu.wgsl. */
import type { Kernel } from "../../gpu/kernel.ts";
import source from "./swiglu.wgsl?raw";

export const swiglu = {
  name: "swiglu",
  source,
  bindings: {
    up: { access: "read", shape: "[rows, width] f32" },
    scales: { access: "read", shape: "[pairs] of { token, weight }, or [chunk, scale_stride] f32; any buffer when neither" },
    plan: { access: "read", shape: "Segment; any buffer unless `sigmoid`" },
    gate: { access: "write", shape: "[rows, width] f32" },
  },
  /** `rows` only sizes the dispatch. */
  params: ["width", "scale_stride", "scale_at", "rows"],
  weights: [],
  constants: { paired: 0, sigmoid: 0 },
  workgroups: (p: Readonly<Record<"width" | "rows", number>>) => [Math.ceil(p.width / 64), p.rows, 1],
} as const satisfies Kernel<"up" | "scales" | "plan" | "gate", "width" | "scale_stride" | "scale_at" | "rows", never, "paired" | "sigmoid">;

/** `scale(i)` of row `i`. */
export function swigluReference(gate: Float32Array, up: Float32Array, width: number, scale: (row: number) => number): Float64Array {
  return Float64Array.from(gate, (g, at) => (g / (1 + Math.exp(-g))) * up[at]! * scale(Math.floor(at / width)));
}
