/**
 * Down of all chosen experts and the shared one, weighted and added to the residual stream, in one dispatch.
 * Formula and mapping: experts-down.wgsl. Does nothing while `routing` is stalled.
 */
import type { Kernel, KernelFeatures } from "../../gpu/kernel.ts";
import { type Lanes, specialise } from "../weights.ts";
import source from "./experts-down.wgsl?raw";

type Constant = keyof Lanes | "scaled";
type Param = "hidden" | "ff" | "shared_ff" | "topk" | "slot_stride" | "down_at";

export const expertsDown = {
  name: "experts_down",
  source,
  bindings: {
    arena: { access: "read", shape: "slots of slot_stride × 16 bytes, records as imported" },
    shared_down: { access: "read", shape: "[hidden, shared_ff] weights" },
    act: { access: "read", shape: "[topk × ff + shared_ff] f32" },
    routing: { access: "read", shape: "Routing" },
    x: { access: "write", shape: "[hidden] f32, added to" },
  },
  /** `slot_stride` and `down_at` in units of 16 bytes. */
  params: ["hidden", "ff", "shared_ff", "topk", "slot_stride", "down_at"],
  /** `down` is the arena's. */
  weights: ["down", "shared_down"],
  /** `lanes` to `parts`: rowLanes(). `scaled`: 0 or 1, the shared expert counts as its choice says. */
  constants: { lanes: 64, lanes_per_row: 4, rows_per_lane: 4, parts: 0, scaled: 1 },
  specialise: (types: Readonly<Record<"down" | "shared_down", string>>, features: KernelFeatures) => specialise(source, types, features),
  workgroups: (p: Readonly<Record<Param, number>>, { lanes, lanes_per_row, rows_per_lane }: Readonly<Record<Constant, number>>) => [Math.ceil(p.hidden / ((lanes / lanes_per_row) * rows_per_lane)), 1, 1],
} as const satisfies Kernel<"arena" | "shared_down" | "act" | "routing" | "x", Param, "down" | "shared_down", Constant>;

/** Down of one expert, dequantised `[hidden, ff]`, its activations and its weight. */
export interface DownReferenceExpert {
  readonly down: Float32Array;
  readonly act: Float32Array;
  readonly weight: number;
}

/** `experts` in the order chosen, the shared one last. */
export function expertsDownReference(experts: readonly DownReferenceExpert[], x: Float32Array): Float64Array {
  return Float64Array.from(x, (value, r) => {
    let sum = value;
    for (const { down, act, weight } of experts) {
      for (let c = 0; c < act.length; c++) sum += weight * down[r * act.length + c]! * act[c]!;
    }
    return sum;
  });
}
