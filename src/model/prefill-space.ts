// The buffers of prefill: as long as a chunk, a segment or a batch of pairs (prefill-plan.ts).
import type { Gpu } from "../gpu/device.ts";
import { DELTA_CHUNK, DELTA_MATS, routingBytes } from "../kernels/index.ts";
import type { PrefillSizes } from "./prefill-plan.ts";
import { type ModelPlan, mixerInputs } from "./weights.ts";

export interface PrefillSpace {
  readonly ids: GPUBuffer; // [chunk] u32
  /** The residual stream. */
  readonly x: GPUBuffer; // [chunk, hidden] f32
  /** The residual stream, normed for what takes it next. */
  readonly h: GPUBuffer; // [chunk, hidden] f32
  readonly logits: GPUBuffer; // [chunk, experts + 1] f32
  readonly routing: GPUBuffer; // src/kernels/routing.ts, of one layer and a chunk's tokens
  /** { tokens, position, first token in the chunk, – } */
  readonly segment: GPUBuffer; // [4] u32
  readonly rope: GPUBuffer; // [segment, rotaryPairs] (cos, sin) f32
  readonly proj: GPUBuffer; // [segment, largest of all layers] f32
  readonly mixed: GPUBuffer; // [segment, largest of all layers] f32
  readonly conv: GPUBuffer; // [segment, channels] f32
  readonly gates: GPUBuffer; // [segment, valueHeads] (beta, decay) f32
  readonly mats: GPUBuffer; // [segment / 64, valueHeads, 2, 64, 64] f32
  readonly sharedGate: GPUBuffer; // [segment, sharedWidth] f32
  readonly sharedUp: GPUBuffer; // [segment, sharedWidth] f32
  readonly tiles: GPUBuffer; // [tiles] of { slot, first pair, pairs, – } u32
  readonly pairs: GPUBuffer; // [pairs] of { token, weight }
  readonly sums: GPUBuffer; // [pairs] of { token, start, count, – } u32
  readonly order: GPUBuffer; // [pairs] u32
  readonly gate: GPUBuffer; // [pairs, width] f32
  readonly up: GPUBuffer; // [pairs, width] f32
  readonly out: GPUBuffer; // [pairs, hidden] f32
  /** Never stalled, no slots, no step: what kernels shared with decode ask for. */
  readonly idle: GPUBuffer; // [4] u32
}

/** Numbers of each buffer. */
function floatsOf({ config, layers }: ModelPlan, { tokens, segment, pairs }: PrefillSizes): Readonly<Record<keyof PrefillSpace, number>> {
  const { hidden, moe, gdn, attention } = config;
  const largest = (count: (layer: (typeof layers)[number]) => number): number => Math.max(...layers.map(count));
  const valueHeads = gdn?.valueHeads ?? 0;
  return {
    ids: tokens,
    x: tokens * hidden,
    h: tokens * hidden,
    logits: moe.experts > 0 ? tokens * (moe.experts + 1) : 0,
    routing: routingBytes(1, moe.topK, moe.experts > 0 ? tokens : 0) / 4,
    segment: 4,
    rope: segment * attention.rotaryDim,
    proj: segment * largest(({ mixer }) => mixerInputs(mixer).reduce((sum, { rows }) => sum + rows, 0)),
    mixed: segment * largest(({ mixer }) => mixer.out.columns),
    conv: gdn ? segment * (2 * gdn.keyHeads + gdn.valueHeads) * gdn.headDim : 0,
    gates: segment * 2 * valueHeads,
    mats: Math.ceil(segment / DELTA_CHUNK) * DELTA_MATS * valueHeads,
    sharedGate: segment * moe.sharedWidth,
    sharedUp: segment * moe.sharedWidth,
    // No tile is empty.
    tiles: pairs * 4,
    pairs: pairs * 2,
    sums: pairs * 4,
    order: pairs,
    gate: pairs * moe.width,
    up: pairs * moe.width,
    out: pairs * hidden,
    idle: 4,
  };
}

/** Throws `gpu/memory`; nothing stays then. Whoever opens it frees it. */
export async function openPrefillSpace(gpu: Gpu, plan: ModelPlan, sizes: PrefillSizes): Promise<PrefillSpace> {
  const made: GPUBuffer[] = [];
  try {
    return await gpu.memory.within("computing many tokens of a prompt at once", () => {
      const buffers = Object.entries(floatsOf(plan, sizes)).map(([name, floats]) => {
        const buffer = gpu.memory.storage(`prefill ${name}`, floats * 4);
        made.push(buffer);
        return [name, buffer] as const;
      });
      return Object.fromEntries(buffers) as Record<keyof PrefillSpace, GPUBuffer>;
    });
  } catch (error) {
    for (const buffer of made) gpu.memory.free(buffer);
    throw error;
  }
}
