// What a model's GPU memory is spent on, from one budget: pure arithmetic over the device's limits and the model's numbers.
// What must be there comes first, then the context, and what is left holds experts.
import { AppError } from "../base/errors.ts";
import { type Pool, planPools, smallestBudgetBytes, wholeBudgetBytes } from "../experts/pools.ts";

/** What the device allows. */
export interface MemoryRoom {
  /** Of one storage buffer as a kernel sees it. */
  readonly maxBindingBytes: number;
  /** What to use where the user did not say: a guess, which refuses nothing. */
  readonly defaultBytes: number;
}

/** The model's numbers. */
export interface MemoryNeeds {
  /** Weights that stay. */
  readonly denseBytes: number;
  /** The longest context the model was made for, and what a token of it takes: in all, and in the largest single buffer. */
  readonly contextTokens: number;
  readonly cacheBytesPerToken: number;
  readonly cacheRowBytes: number;
  /** The recurrent state, once, and how many copies of it are kept. */
  readonly recurrentBytes: number;
  readonly snapshots: number;
  /** Activations, logits, steps, routing, readbacks; and the staging of experts. */
  readonly scratchBytes: number;
  readonly stagingBytes: number;
  /** What the longest chunk of a prompt takes beside that; with less, chunks are shorter, and without any prompts go token by token. */
  readonly prefillBytes: number;
  /** Of an expert, per layer that has any; how many a layer has and a token takes. */
  readonly recordBytes: readonly number[];
  readonly experts: number;
  readonly topK: number;
}

/** What the user said. Budgets are ceilings. */
export interface MemoryAsk {
  readonly gpuBytes?: number | undefined;
  readonly expertBytes?: number | undefined;
  readonly contextTokens?: number | undefined;
}

export interface MemoryLines {
  readonly dense: number;
  readonly cache: number;
  readonly recurrent: number;
  readonly snapshots: number;
  readonly scratch: number;
  readonly staging: number;
  readonly prefill: number;
  readonly experts: number;
}

export interface MemoryPlan {
  readonly contextTokens: number;
  readonly lines: MemoryLines;
  readonly totalBytes: number;
  /** The smallest total with this context. */
  readonly leastBytes: number;
  readonly pools: readonly Pool[];
}

const MB = 1_000_000;
/** Keys and values take at most this much, and this part of what is left beside the rest, unless a longer context is asked for. */
const CACHE_BYTES = 1024 * 1024 * 1024;
const CACHE_PART = 0.25;
/** Of what is left beside the fewest experts, at most, for chunks of prompts; and at least, where the budget is only a guess. */
const PREFILL_PART = 0.25;
const GUESSED_PREFILL_BYTES = 32 * 1024 * 1024;
/** Below this an agent's prompt does not fit. */
const USEFUL_CONTEXT = 4096;

/** The contexts between which the plan chooses where the user did not: what an agent's prompt needs, and what the model allows and memory usually has. */
function usualContexts(contextTokens: number, cacheBytesPerToken: number): { readonly least: number; readonly most: number } {
  return { least: Math.min(USEFUL_CONTEXT, contextTokens), most: Math.max(1, Math.min(contextTokens, Math.floor(CACHE_BYTES / Math.max(1, cacheBytesPerToken)))) };
}

const mb = (bytes: number): number => Math.ceil(bytes / MB);

/** The most and the least that a model can be given: everything in GPU memory; a useful context, and the experts of one layer of one token. */
export function memoryBounds(needs: MemoryNeeds): { readonly most: number; readonly least: number } {
  const fixed = fixedBytes(needs);
  const contexts = usualContexts(needs.contextTokens, needs.cacheBytesPerToken);
  return {
    most: fixed + contexts.most * needs.cacheBytesPerToken + needs.prefillBytes + wholeBudgetBytes(needs),
    least: fixed + contexts.least * needs.cacheBytesPerToken + (needs.recordBytes.length > 0 ? smallestBudgetBytes(needs) : 0),
  };
}

/** Throws `gpu/memory` naming the smallest budget or the longest context that would do, or `model/context`. */
export function planMemory(needs: MemoryNeeds, room: MemoryRoom, ask: MemoryAsk = {}): MemoryPlan {
  const budget = ask.gpuBytes ?? room.defaultBytes;
  const fixed = fixedBytes(needs);
  const smallest = needs.recordBytes.length > 0 ? smallestBudgetBytes(needs) : 0;
  const contextTokens = contextOf(needs, room, ask, budget - fixed - smallest);
  const cache = contextTokens * needs.cacheBytesPerToken;
  const least = fixed + cache + smallest;
  if (ask.gpuBytes !== undefined && least > budget) throw tooSmall(needs, ask, contextTokens, least);
  const spare = Math.max(0, Math.floor((budget - least) * PREFILL_PART));
  const prefill = Math.min(needs.prefillBytes, ask.gpuBytes === undefined ? Math.max(spare, GUESSED_PREFILL_BYTES) : spare);
  const left = budget - fixed - cache - prefill;
  const experts = ask.expertBytes === undefined ? Math.max(smallest, left) : ask.gpuBytes === undefined ? ask.expertBytes : Math.min(ask.expertBytes, left);
  return planWith(needs, room, { contextTokens, experts, prefill });
}

/**
 * The next smaller plan, for when the device did not have the memory: half the experts and chunks of prompts, then half the context
 * unless the user chose it. Undefined when nothing smaller runs.
 */
export function smallerPlan(plan: MemoryPlan, needs: MemoryNeeds, room: MemoryRoom, ask: MemoryAsk = {}): MemoryPlan | undefined {
  const { lines, contextTokens } = plan;
  const smallest = plan.leastBytes - (plan.totalBytes - lines.experts - lines.prefill);
  const prefill = Math.floor(lines.prefill / 2);
  if (lines.experts > smallest) return planWith(needs, room, { contextTokens, experts: Math.max(smallest, Math.floor(lines.experts / 2)), prefill });
  const shorter = Math.max(Math.min(USEFUL_CONTEXT, needs.contextTokens), Math.floor(contextTokens / 2));
  if (ask.contextTokens !== undefined || shorter >= contextTokens) return undefined;
  return planWith(needs, room, { contextTokens: shorter, experts: smallest, prefill: 0 });
}

function fixedBytes({ denseBytes, recurrentBytes, snapshots, scratchBytes, stagingBytes }: MemoryNeeds): number {
  return denseBytes + recurrentBytes * (1 + snapshots) + scratchBytes + stagingBytes;
}

function planWith(needs: MemoryNeeds, { maxBindingBytes }: MemoryRoom, given: { readonly contextTokens: number; readonly experts: number; readonly prefill: number }): MemoryPlan {
  const { contextTokens } = given;
  const { recordBytes, experts, topK } = needs;
  const request = { recordBytes, experts, topK, maxPoolBytes: maxBindingBytes };
  const pools = recordBytes.length > 0 ? planPools({ ...request, budgetBytes: Math.min(given.experts, wholeBudgetBytes(request)) }) : [];
  const lines: MemoryLines = {
    dense: needs.denseBytes,
    cache: contextTokens * needs.cacheBytesPerToken,
    recurrent: needs.recurrentBytes,
    snapshots: needs.snapshots * needs.recurrentBytes,
    scratch: needs.scratchBytes,
    staging: needs.stagingBytes,
    prefill: given.prefill,
    experts: pools.reduce((sum, { slots, slotBytes }) => sum + slots * slotBytes, 0),
  };
  const totalBytes = Object.values(lines).reduce((sum, bytes) => sum + bytes, 0);
  const smallest = recordBytes.length > 0 ? smallestBudgetBytes(request) : 0;
  return { contextTokens, lines, totalBytes, leastBytes: totalBytes - lines.experts - lines.prefill + smallest, pools };
}

/** As asked for; else what the model was made for, capped by memory and by what one binding holds. */
function contextOf({ contextTokens, cacheBytesPerToken, cacheRowBytes }: MemoryNeeds, { maxBindingBytes }: MemoryRoom, { contextTokens: asked }: MemoryAsk, left: number): number {
  const bindable = cacheRowBytes > 0 ? Math.floor(maxBindingBytes / cacheRowBytes) : Infinity;
  if (asked === undefined) {
    const { least, most } = usualContexts(contextTokens, cacheBytesPerToken);
    const share = Math.floor((left * CACHE_PART) / Math.max(1, cacheBytesPerToken));
    return Math.max(1, Math.min(bindable, most, Math.max(least, share)));
  }
  if (!Number.isInteger(asked) || asked <= 0 || asked > contextTokens) {
    throw new AppError("model/context", `A context of ${asked} tokens was asked for; this model takes 1 to ${contextTokens}.`, { data: { asked, limit: contextTokens } });
  }
  if (asked <= bindable) return asked;
  throw new AppError("gpu/memory", `A context of ${asked} tokens does not fit into one buffer of this GPU. Lower the context to at most ${bindable} tokens.`, {
    data: { knob: "context", most: bindable },
  });
}

function tooSmall(needs: MemoryNeeds, { gpuBytes = 0, contextTokens: asked }: MemoryAsk, contextTokens: number, least: number): AppError {
  const shortest = Math.min(USEFUL_CONTEXT, contextTokens);
  const withoutCache = least - contextTokens * needs.cacheBytesPerToken;
  const fitting = needs.cacheBytesPerToken > 0 ? Math.floor((gpuBytes - withoutCache) / needs.cacheBytesPerToken) : 0;
  const begin = `The GPU budget of ${Math.floor(gpuBytes / MB)} MB is too small: with a context of ${contextTokens} tokens the model takes at least ${mb(least)} MB.`;
  if (asked !== undefined && fitting >= shortest) {
    return new AppError("gpu/memory", `${begin} Lower the context to ${fitting} tokens, or allow ${mb(least)} MB.`, { data: { knob: "context", most: fitting, smallestMb: mb(least) } });
  }
  const smallest = withoutCache + (asked === undefined ? contextTokens : shortest) * needs.cacheBytesPerToken;
  return new AppError("gpu/memory", `${begin} Allow at least ${mb(smallest)} MB, or choose a smaller model.`, { data: { knob: "gpuMb", smallestMb: mb(smallest) } });
}
