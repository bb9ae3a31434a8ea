/**
 * The router's choice: top-k, softmax, slots, the shared expert's gate; sets `routing.stalled` when an expert has no slot.
 * Formula and mapping: route.wgsl; the buffer and how to resume: routing.ts.
 */
import type { Kernel } from "../../gpu/kernel.ts";
import type { Choice } from "../routing.ts";
import source from "./route.wgsl?raw";

export const route = {
  name: "route",
  source,
  bindings: {
    logits: { access: "read", shape: "[tokens, experts + 1] f32: the router's, then the shared expert's gate" },
    slots: { access: "read", shape: "[experts] u32 of this layer, NO_SLOT where not resident; any buffer unless `stalls`" },
    step: { access: "read", shape: "Step" },
    routing: { access: "write", shape: "Routing" },
  },
  /** `tokens` only sizes the dispatch; 1 where it may stall. */
  params: ["experts", "topk", "layer", "tokens"],
  weights: [],
  /** `lanes`: a power of two. `stalls`: 0 where the host brings the experts after it has read the choices. */
  constants: { lanes: 64, stalls: 1 },
  workgroups: (p: Readonly<Record<"tokens", number>>) => [p.tokens, 1, 1],
} as const satisfies Kernel<"logits" | "slots" | "step" | "routing", "experts" | "topk" | "layer" | "tokens", never, "lanes" | "stalls">;

/** The chosen experts, best first, then the shared expert's choice (its `expert` is the number of experts). */
export function routeReference(logits: Float32Array, slots: Uint32Array, p: { experts: number; topk: number }): readonly Choice[] {
  const value = (e: number) => (Number.isNaN(logits[e]!) ? -Infinity : logits[e]!);
  const lowest = (e: number) => (Number.isNaN(logits[e]!) ? 1 : 0);
  const order = Array.from({ length: p.experts }, (_, e) => e).sort((a, b) => lowest(a) - lowest(b) || Number(value(b) > value(a)) - Number(value(b) < value(a)) || a - b);
  const chosen = order.slice(0, p.topk);
  const exps = chosen.map((e) => Math.exp(logits[e]! - logits[chosen[0]!]!));
  const sum = exps.reduce((a, b) => a + b, 0);
  return [
    ...chosen.map((expert, j) => ({ expert, slot: slots[expert]!, weight: exps[j]! / sum })),
    { expert: p.experts, slot: 0xffffffff, weight: 1 / (1 + Math.exp(-logits[p.experts]!)) },
  ];
}
