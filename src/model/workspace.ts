// The buffers that every layer uses in turn: how large each is for a model, and making them.
import type { Gpu } from "../gpu/device.ts";
import { attentionParts, routingBytes, stepBytes } from "../kernels/index.ts";
import { TOKENS_AT_ONCE } from "./forward.ts";
import type { Workspace } from "./layers.ts";
import { type LayerWeights, type ModelPlan, mixerInputs } from "./weights.ts";

/** Bytes of each. */
export function workspaceBytes({ config, vocab, layers }: ModelPlan): Readonly<Record<keyof Workspace, number>> {
  const { attention, moe, hidden } = config;
  const largest = (floatsOf: (mixer: LayerWeights["mixer"]) => number): number => Math.max(...layers.map(({ mixer }) => floatsOf(mixer)));
  return {
    x: hidden * 4,
    proj: largest((mixer) => mixerInputs(mixer).reduce((sum, { rows }) => sum + rows, 0)) * 4,
    mixed: largest(({ out }) => out.columns) * 4,
    attentionParts: attentionParts(attention.heads, attention.headDim) * 4,
    routerLogits: (moe.experts + 1) * 4,
    act: (moe.topK * moe.width + moe.sharedWidth) * 4,
    logits: vocab * 4,
    step: stepBytes(attention.rotaryDim / 2),
    routing: routingBytes(config.layers, moe.topK, TOKENS_AT_ONCE),
  };
}

/** Throws `gpu/memory`; nothing stays then. Whoever opens it frees it. */
export async function openWorkspace(gpu: Gpu, plan: ModelPlan): Promise<Workspace> {
  const made: GPUBuffer[] = [];
  try {
    return await gpu.memory.within("the workspace", () => {
      const buffers = Object.entries(workspaceBytes(plan)).map(([name, bytes]) => {
        const buffer = gpu.memory.storage(name, bytes);
        made.push(buffer);
        return [name, buffer] as const;
      });
      return Object.fromEntries(buffers) as Record<keyof Workspace, GPUBuffer>;
    });
  } catch (error) {
    for (const buffer of made) gpu.memory.free(buffer);
    throw error;
  }
}
