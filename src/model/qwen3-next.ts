// A loaded Qwen3-Next: token ids in, logits out, one sequence at a time. Owns what it allocates on the device it was
// given, not the device.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { ExpertCache, type ExpertStats } from "../experts/cache.ts";
import type { Gpu } from "../gpu/device.ts";
import { routingBytes, stepBytes } from "../kernels/index.ts";
import type { StoredModel } from "../storage/stored-model.ts";
import { type Qwen3NextConfig, layerKind } from "./config.ts";
import { Forward, type ForwardStats, type SequenceToken, TOKENS_AT_ONCE } from "./forward.ts";
import { type Workspace, prepareModel } from "./layers.ts";
import { ResidentWeights } from "./resident.ts";
import { SequenceState, type Snapshot, contextFor } from "./state.ts";
import { type ModelPlan, planStored } from "./weights.ts";

export interface ModelOptions {
  /** Bytes of GPU memory for expert slots. Absent: all experts if the device has room, else as many as it has. */
  readonly expertBudgetBytes?: number;
  /** Absent: what the model was made for, capped by memory. */
  readonly contextTokens?: number;
}

export interface ModelProgress {
  readonly phase: "upload" | "compile";
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ModelStats extends ForwardStats {
  readonly experts: ExpertStats;
}

export class Qwen3Next {
  readonly config: Qwen3NextConfig;
  readonly vocab: number;
  /** Tokens a sequence can have. */
  readonly contextTokens: number;
  readonly #state: SequenceState;
  readonly #experts: ExpertCache;
  readonly #forward: Forward;
  readonly #free: () => void;
  #position = 0;
  #busy = false;

  private constructor(plan: ModelPlan, state: SequenceState, experts: ExpertCache, forward: Forward, free: () => void) {
    this.config = plan.config;
    this.vocab = plan.vocab;
    this.contextTokens = state.contextTokens;
    this.#state = state;
    this.#experts = experts;
    this.#forward = forward;
    this.#free = free;
  }

  /** Throws `model/…`, `storage/…` or `gpu/memory` naming what stands in the way, or `aborted`; nothing stays allocated then. */
  static async load(gpu: Gpu, model: StoredModel, options: ModelOptions = {}, onProgress: (progress: ModelProgress) => void = () => {}, signal?: AbortSignal): Promise<Qwen3Next> {
    const plan = planStored(model);
    const contextTokens = contextFor(plan.config, options.contextTokens);
    const opened: { close(): void }[] = [];
    const own = <T extends { close(): void }>(item: T): T => {
      opened.push(item);
      return item;
    };
    const free = (): void => {
      for (const item of opened.reverse()) item.close();
    };
    try {
      const { topK } = plan.config.moe;
      const budget = options.expertBudgetBytes;
      const experts = own(await ExpertCache.open(gpu, model.experts, { topK, ...(budget === undefined ? {} : { budgetBytes: budget }) }));
      const state = own(await SequenceState.open(gpu, plan.config, contextTokens));
      const weights = own(await uploadAll(gpu, plan, model, experts, onProgress, signal));
      const space = workspace(gpu, plan);
      own({ close: () => Object.values(space).forEach((buffer) => gpu.memory.free(buffer)) });
      onProgress({ phase: "compile", doneBytes: 0, totalBytes: 0 });
      const prepared = await prepareModel({ gpu, plan, weights, state, experts, records: model.records, space });
      throwIfAborted(signal, "Loading the model");
      const { layers, attention } = plan.config;
      const shape = { layers, topK, vocab: plan.vocab, rotaryPairs: attention.rotaryDim / 2, ropeTheta: attention.theta };
      const forward = own(new Forward(gpu, prepared, space, experts, shape));
      return new Qwen3Next(plan, state, experts, forward, free);
    } catch (error) {
      free();
      throw error;
    }
  }

  /** Tokens of the sequence so far. One that was begun when an expert could not be read counts; the next call finishes it first. */
  get position(): number {
    return this.#position;
  }

  get stats(): ModelStats {
    return { ...this.#forward.stats, experts: this.#experts.stats };
  }

  /** Slots for experts, and experts in the model. */
  get expertSlots(): { readonly slots: number; readonly experts: number; readonly bytes: number } {
    return { slots: this.#experts.slots, experts: this.config.layers * this.config.moe.experts, bytes: this.#experts.bytes };
  }

  /**
   * Appends the tokens to the sequence; the logits `[vocab]` after the last one.
   * Throws `model/token` and `model/context` before anything is computed; `aborted` with the tokens done so far kept.
   */
  async forward(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    this.#check(tokens);
    return this.#append(tokens, signal);
  }

  /** As `forward`, with the logits after every token: `[tokens, vocab]`. */
  async forwardAll(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    this.#check(tokens);
    const out = new Float32Array(tokens.length * this.vocab);
    for (const [index, token] of tokens.entries()) out.set(await this.#append([token], signal), index * this.vocab);
    return out;
  }

  /** Begins a new sequence. */
  reset(): void {
    this.#idle();
    this.#forward.reset();
    this.#position = 0;
  }

  /** Keeps the recurrent state of this moment, so that the sequence can be cut back to it. The caller closes it. */
  snapshot(): Snapshot {
    this.#idle();
    if (this.#forward.begun) throw new AppError("bug", "A token is only half computed: finish it before taking a snapshot.");
    return this.#state.take(this.#position);
  }

  /** Cuts the sequence back to a snapshot of it. Without one only `reset` goes back: a recurrent state cannot be shortened. */
  truncate(snapshot: Snapshot): void {
    this.#idle();
    if (snapshot.position > this.#position) throw new AppError("bug", `A sequence of ${this.#position} tokens cannot be cut back to ${snapshot.position}.`);
    this.#forward.reset();
    this.#state.restore(snapshot);
    this.#position = snapshot.position;
  }

  close(): void {
    this.#free();
  }

  async #append(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    this.#idle();
    this.#busy = true;
    const last = tokens.length - 1;
    const sequence = tokens.map((token, index): SequenceToken => ({ token, position: this.#position + index, wanted: index === last }));
    this.#position += tokens.length;
    try {
      const logits = await this.#forward.run(sequence, signal);
      if (!logits) throw new AppError("bug", "The model computed no logits.");
      return logits;
    } catch (error) {
      this.#position -= this.#forward.dropUnbegun();
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  #check(tokens: readonly number[]): void {
    if (tokens.length === 0) throw new AppError("model/token", "There are no tokens to compute. Give at least one.");
    for (const token of tokens) {
      if (Number.isInteger(token) && token >= 0 && token < this.vocab) continue;
      throw new AppError("model/token", `Token id ${token} is not one of the model's ${this.vocab} (0 to ${this.vocab - 1}).`, { data: { token, vocab: this.vocab } });
    }
    const needed = this.#position + tokens.length;
    if (needed > this.contextTokens) {
      throw new AppError("model/context", `The conversation takes ${needed} tokens; the context holds ${this.contextTokens}. Start a new chat, or load the model with a longer context.`, {
        data: { needed, limit: this.contextTokens },
      });
    }
  }

  #idle(): void {
    if (this.#busy) throw new AppError("bug", "The model is still computing: one call at a time.");
  }
}

async function uploadAll(gpu: Gpu, plan: ModelPlan, model: StoredModel, experts: ExpertCache, onProgress: (progress: ModelProgress) => void, signal?: AbortSignal): Promise<ResidentWeights> {
  const layerBytes = model.records.map(({ bytes }) => bytes * model.experts.experts);
  const preloaded = experts.holdsAll ? layerBytes.reduce((sum, bytes) => sum + bytes, 0) : 0;
  const totalBytes = model.tensors.reduce((sum, { bytes }) => sum + bytes, 0) + preloaded;
  let doneBytes = 0;
  const done = (bytes: number): void => {
    doneBytes += bytes;
    onProgress({ phase: "upload", doneBytes, totalBytes });
  };
  const weights = await ResidentWeights.load(gpu, plan, model, done, signal);
  try {
    if (experts.holdsAll) await experts.fill((layer) => done(layerBytes[layer] ?? 0), signal);
    return weights;
  } catch (error) {
    weights.close();
    throw error;
  }
}

function workspace(gpu: Gpu, { config, vocab }: ModelPlan): Workspace {
  const { attention, gdn, moe } = config;
  const valueDim = gdn.valueHeads * gdn.headDim;
  const kinds = Array.from({ length: config.layers }, (_, layer) => layerKind(config, layer));
  const projected = (kind: (typeof kinds)[number]): number =>
    kind === "attention" ? 2 * (attention.heads + attention.kvHeads) * attention.headDim : 2 * gdn.keyHeads * gdn.headDim + 2 * valueDim + 2 * gdn.valueHeads;
  const mixed = (kind: (typeof kinds)[number]): number => (kind === "attention" ? attention.heads * attention.headDim : valueDim);
  const floats = (label: string, count: number): GPUBuffer => gpu.memory.storage(label, count * 4);
  return {
    x: floats("x", config.hidden),
    proj: floats("proj", Math.max(...kinds.map(projected))),
    mixed: floats("mixed", Math.max(...kinds.map(mixed))),
    routerLogits: floats("router logits", moe.experts + 1),
    act: floats("act", moe.topK * moe.width + moe.sharedWidth),
    logits: floats("logits", vocab),
    step: gpu.memory.storage("step", stepBytes(attention.rotaryDim / 2)),
    routing: gpu.memory.storage("routing", routingBytes(config.layers, moe.topK, TOKENS_AT_ONCE)),
  };
}
