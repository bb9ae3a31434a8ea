// What a model takes of the GPU, in bytes, from its plan and its header alone: what memory-plan.ts divides.
import { stagingBytes } from "../experts/loader.ts";
import { routingBytes, stepBytes } from "../kernels/index.ts";
import type { StoredModel } from "../storage/stored-model.ts";
import { TOKENS_AT_ONCE } from "./forward.ts";
import type { MemoryNeeds } from "./memory-plan.ts";
import { planPrefill, prefillFloats, type PrefillRoom } from "./prefill-plan.ts";
import { cacheBytesPerToken, cacheRowBytes, recurrentStateBytes } from "./state.ts";
import type { ModelPlan } from "./weights.ts";
import { workspaceBytes } from "./workspace.ts";

/** Copies of the recurrent state that are kept so that a conversation can go back. */
const SNAPSHOTS = 2;
/** To compute long prompts in, at most: as much as leaves an 80 B model chunks of thousands of tokens. */
const PREFILL_BYTES = 192 * 1024 * 1024;
/** Parameters of the dispatches and vectors that are packed anew: bytes a layer. */
const SMALL_BYTES = 16 * 1024;

/** What the longest chunk of a prompt takes. `budgetBytes`: at most so much. */
export function prefillNeed(plan: ModelPlan, { budgetBytes = PREFILL_BYTES, maxBindingBytes = Infinity, contextTokens = plan.config.contextTokens }: Partial<Omit<PrefillRoom, "mostTokens">> = {}): number {
  return Math.min(budgetBytes, planPrefill(prefillFloats(plan), { budgetBytes, maxBindingBytes, contextTokens }).bytes);
}

/** `half`: keys and values are f16. */
export function memoryNeeds(plan: ModelPlan, model: Pick<StoredModel, "tensors" | "records"> & { readonly experts: Pick<StoredModel["experts"], "experts"> }, prefillBytes: number, half: boolean): MemoryNeeds {
  const { config, vocab } = plan;
  const { moe, attention, layers } = config;
  const recordBytes = model.records.map(({ bytes }) => bytes);
  const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, bytes) => total + bytes, 0);
  const steps = TOKENS_AT_ONCE * stepBytes(attention.rotaryDim / 2);
  const readbacks = 2 * (routingBytes(layers, moe.topK) + routingBytes(layers, moe.topK, TOKENS_AT_ONCE) + vocab * 4);
  return {
    denseBytes: sum(model.tensors.map(({ bytes }) => bytes)),
    contextTokens: config.contextTokens,
    cacheBytesPerToken: cacheBytesPerToken(config, half),
    cacheRowBytes: cacheRowBytes(config, half),
    recurrentBytes: recurrentStateBytes(config),
    snapshots: SNAPSHOTS,
    scratchBytes: sum(Object.values(workspaceBytes(plan))) + steps + readbacks + layers * (SMALL_BYTES + moe.experts * 4),
    stagingBytes: recordBytes.length > 0 ? stagingBytes(recordBytes) : 0,
    prefillBytes,
    recordBytes,
    experts: model.experts.experts,
    topK: moe.topK,
  };
}
