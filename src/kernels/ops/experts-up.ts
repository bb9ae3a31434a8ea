/**
 * Gate, up and SiLU of all chosen experts and the shared one, in one dispatch, out of the arena's slots.
 * Formula and mapping: experts-up.wgsl. Does nothing while `routing` is stalled.
 */
import type { Kernel, KernelFeatures } from "../../gpu/kernel.ts";
import { type Lanes, specialise } from "../weights.ts";
import source from "./experts-up.wgsl?raw";

type Matrix = "gate" | "up" | "shared_gate" | "shared_up";
type Constant = keyof Lanes;
type Param = "hidden" | "ff" | "shared_ff" | "topk" | "slot_stride" | "gate_at" | "up_at" | "eps";

export const expertsUp = {
  name: "experts_up",
  source,
  bindings: {
    arena: { access: "read", shape: "slots of slot_stride × 16 bytes, records as imported" },
    shared_gate: { access: "read", shape: "[shared_ff, hidden] weights" },
    shared_up: { access: "read", shape: "[shared_ff, hidden] weights" },
    x: { access: "read", shape: "[hidden] f32, before the norm" },
    norm: { access: "read", shape: "[hidden] f32" },
    routing: { access: "read", shape: "Routing" },
    act: { access: "write", shape: "[topk × ff + shared_ff] f32" },
  },
  /** `slot_stride`, `gate_at`, `up_at` in units of 16 bytes. */
  params: ["hidden", "ff", "shared_ff", "topk", "slot_stride", "gate_at", "up_at", "eps"],
  floats: ["eps"],
  /** `gate` and `up` are the arena's. */
  weights: ["gate", "up", "shared_gate", "shared_up"],
  /** rowLanes() */
  constants: { lanes: 64, lanes_per_row: 4, rows_per_lane: 4, parts: 0 },
  specialise: (types: Readonly<Record<Matrix, string>>, features: KernelFeatures) => specialise(source, types, features),
  /** Tiles of rows, times the chosen experts and the shared one. */
  workgroups: (p: Readonly<Record<Param, number>>, { lanes, lanes_per_row, rows_per_lane }: Readonly<Record<Constant, number>>) => [
    Math.ceil(Math.max(p.ff, p.shared_ff) / ((lanes / lanes_per_row) * rows_per_lane)),
    p.topk + (p.shared_ff > 0 ? 1 : 0),
    1,
  ],
} as const satisfies Kernel<"arena" | "shared_gate" | "shared_up" | "x" | "norm" | "routing" | "act", Param, Matrix, Constant>;

/** Gate and up of one expert, dequantised, `[ff, hidden]` each. */
export interface UpReferenceExpert {
  readonly gate: Float32Array;
  readonly up: Float32Array;
}

/** `experts` in the order chosen, the shared one last. */
export function expertsUpReference(experts: readonly UpReferenceExpert[], x: Float32Array, norm: Float32Array, p: { hidden: number; eps: number }): Float64Array {
  let squares = 0;
  for (const value of x) squares += value ** 2;
  const scale = 1 / Math.sqrt(squares / p.hidden + p.eps);
  const h = Float64Array.from(x, (value, c) => value * norm[c]! * scale);
  const dot = (matrix: Float32Array, row: number) => h.reduce((sum, value, c) => sum + value * matrix[row * p.hidden + c]!, 0);
  return Float64Array.from(
    experts.flatMap(({ gate, up }) =>
      Array.from({ length: gate.length / p.hidden }, (_, r) => {
        const g = dot(gate, r);
        return (g / (1 + Math.exp(-g))) * dot(up, r);
      }),
    ),
  );
}
