// What a model of ours takes of a device, from its header alone: the same numbers as the plan it will be loaded by.
import { memoryNeeds, prefillNeed } from "../model/memory-needs.ts";
import { memoryBounds } from "../model/memory-plan.ts";
import { planStored } from "../model/weights.ts";
import type { CatalogueEntry } from "../storage/database.ts";
import type { ModelNeeds } from "./api.ts";

/** `f16`: of the device, whose keys and values take half as much then. Throws `model/…` for a model that cannot run at all. */
export function needsOf({ metadata, tensors, records, experts: count }: Pick<CatalogueEntry, "metadata" | "tensors" | "records" | "experts">, f16: boolean): ModelNeeds {
  const model = { metadata, tensors, records, experts: { experts: count } };
  const plan = planStored(model);
  const { most, least } = memoryBounds(memoryNeeds(plan, model, prefillNeed(plan), f16));
  const sum = (list: readonly { readonly bytes: number }[]): number => list.reduce((total, { bytes }) => total + bytes, 0);
  const largest = (list: readonly { readonly bytes: number }[]): number => list.reduce((found, { bytes }) => Math.max(found, bytes), 0);
  const { topK } = plan.config.moe;
  // Of the embedding a token reads one row, unless the output is made with it too.
  const output = tensors.some(({ name }) => name === "output.weight");
  const embedding = sum(tensors.filter(({ name }) => output && name === "token_embd.weight"));
  const whole = tensors.filter(({ name }) => name !== "token_embd.weight" && name !== "output.weight"); // those are cut where they must be
  return {
    gpuBytes: most,
    leastGpuBytes: least,
    bindingBytes: Math.max(largest(whole), largest(records) * topK),
    perToken: { denseBytes: sum(tensors) - embedding, expertBytes: sum(records) * topK },
  };
}
