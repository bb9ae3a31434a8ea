/** RMS norm of every token of a segment, once for all the matrices that take it. Formula and mapping: rmsnorm.wgsl. */
import type { Kernel } from "../../gpu/kernel.ts";
import source from "./rmsnorm.wgsl?raw";

export const rmsnorm = {
  name: "rmsnorm",
  source,
  bindings: {
    x: { access: "read", shape: "[chunk, columns] f32" },
    weight: { access: "read", shape: "[columns] f32" },
    segment: { access: "read", shape: "Segment" },
    y: { access: "write", shape: "[chunk, columns] f32" },
  },
  /** `tokens` only sizes the dispatch. */
  params: ["columns", "eps", "tokens"],
  floats: ["eps"],
  weights: [],
  constants: { lanes: 64 },
  workgroups: (p: Readonly<Record<"tokens", number>>) => [p.tokens, 1, 1],
} as const satisfies Kernel<"x" | "weight" | "segment" | "y", "columns" | "eps" | "tokens", never, "lanes">;

export function rmsnormReference(x: Float32Array, weight: Float32Array, eps: number): Float64Array {
  const columns = weight.length;
  const out = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += columns) {
    let squares = 0;
    for (let c = 0; c < columns; c++) squares += x[at + c]! ** 2;
    const scale = 1 / Math.sqrt(squares / columns + eps);
    for (let c = 0; c < columns; c++) out[at + c] = x[at + c]! * scale * weight[c]!;
  }
  return out;
}
