// A loaded model: token ids in, logits out, one sequence at a time. Owns what it allocates on the device it was
// given, not the device. Over 300 lines because it is the model's whole face: load, run, go back, measure.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { ExpertCache, type ExpertStats, type LayerResidents } from "../experts/cache.ts";
import { Prefetcher } from "../experts/prefetcher.ts";
import { defaultGpuBytes } from "../gpu/budget.ts";
import type { Gpu } from "../gpu/device.ts";
import type { StoredModel } from "../storage/stored-model.ts";
import type { ModelConfig } from "./config.ts";
import { Forward, type ForwardStats, type SequenceToken } from "./forward.ts";
import { prepareModel } from "./layers.ts";
import { LongPrompts } from "./long-prompts.ts";
import { memoryNeeds, prefillNeed } from "./memory-needs.ts";
import { type MemoryPlan, planMemory, smallerPlan } from "./memory-plan.ts";
import type { PrefillStats } from "./prefill.ts";
import { profileToken, type ProfilerParts, type TokenProfile } from "./profile.ts";
import { ResidentWeights } from "./resident.ts";
import { SequenceState, type Snapshot } from "./state.ts";
import { type ModelPlan, planStored } from "./weights.ts";
import { openWorkspace } from "./workspace.ts";

export interface ModelOptions {
  /** Bytes of GPU memory in all, at most. Absent: `defaultGpuBytes`, which is a guess: more is taken if it must be. */
  readonly gpuBudgetBytes?: number;
  readonly defaultGpuBytes?: number;
  /** Of it for expert slots, at most. Absent: what is left. */
  readonly expertBudgetBytes?: number;
  /** How often each expert was used in the past, layer by layer: what is read ahead while the storage is idle. Absent: nothing is. */
  readonly expertUses?: readonly ArrayLike<number>[];
  /** Absent: what the model was made for, capped by memory. */
  readonly contextTokens?: number;
  /** Keeps keys and values as f16, which halves what a long context takes. Absent: where the device computes with f16. */
  readonly halfCache?: boolean;
  /** Bytes of GPU memory to compute a long prompt in: the more, the longer its chunks, the fewer times an expert is read. */
  readonly prefillBytes?: number;
  /** Tokens of such a chunk, at most. Absent: as many as there is room for. */
  readonly prefillTokens?: number;
  /** Prompts of fewer tokens go one after the other. Absent: what is right for the adapter. */
  readonly prefillLeast?: number;
}

/** Tokens between two reports where a prompt is computed token by token. */
const REPORT_TOKENS = 32;

export interface ModelProgress {
  readonly phase: "upload" | "compile";
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ModelStats extends ForwardStats {
  readonly experts: ExpertStats;
  /** Of `tokens`, `dispatches` and `readbacks`, those of long prompts. */
  readonly prefill: PrefillStats;
}

/** Told how many of the tokens are computed. */
export type OnTokens = (doneTokens: number) => void;

export class Transformer {
  readonly config: ModelConfig;
  readonly vocab: number;
  /** Tokens a sequence can have. */
  readonly contextTokens: number;
  /** What its memory is spent on. */
  readonly memory: MemoryPlan;
  readonly #state: SequenceState;
  readonly #experts: ExpertCache;
  readonly #forward: Forward;
  readonly #profiler: ProfilerParts;
  readonly #prefill: LongPrompts;
  readonly #free: () => void;
  #position = 0;
  #busy = false;
  #prefetcher: Prefetcher | undefined;

  private constructor(plan: ModelPlan, memory: MemoryPlan, state: SequenceState, experts: ExpertCache, forward: Forward, profiler: ProfilerParts, prefill: LongPrompts, free: () => void) {
    this.config = plan.config;
    this.vocab = plan.vocab;
    this.contextTokens = state.contextTokens;
    this.memory = memory;
    this.#state = state;
    this.#experts = experts;
    this.#forward = forward;
    this.#profiler = profiler;
    this.#prefill = prefill;
    this.#free = free;
  }

  /**
   * Divides the GPU's memory (memory-plan.ts), allocates it, and brings the weights there. Where the device does not have what
   * was planned, a smaller plan is tried. Throws `model/…`, `storage/…` or `gpu/memory` naming what stands in the way, or
   * `aborted`; nothing stays allocated then.
   */
  static async load(gpu: Gpu, model: StoredModel, options: ModelOptions = {}, onProgress: (progress: ModelProgress) => void = () => {}, signal?: AbortSignal): Promise<Transformer> {
    const plan = planStored(model);
    const { maxBindingBytes } = gpu.report;
    const { prefillBytes: budgetBytes, contextTokens, halfCache: half = gpu.pipelines.features.f16 } = options;
    const needs = memoryNeeds(plan, model, prefillNeed(plan, { maxBindingBytes, ...(budgetBytes === undefined ? {} : { budgetBytes }), ...(contextTokens === undefined ? {} : { contextTokens }) }), half);
    const room = { maxBindingBytes, defaultBytes: options.defaultGpuBytes ?? defaultGpuBytes(gpu.report, undefined) };
    const ask = { gpuBytes: options.gpuBudgetBytes, expertBytes: options.expertBudgetBytes, contextTokens };
    for (let memory = planMemory(needs, room, ask); ; ) {
      try {
        const loaded = await Transformer.#open(gpu, plan, model, memory, { ...options, halfCache: half }, onProgress, signal);
        loaded.#readAhead(options.expertUses);
        return loaded;
      } catch (error) {
        const smaller = error instanceof AppError && error.code === "gpu/memory" ? smallerPlan(memory, needs, room, ask) : undefined;
        if (!smaller) throw error;
        memory = smaller;
      }
    }
  }

  static async #open(device: Gpu, plan: ModelPlan, model: StoredModel, memory: MemoryPlan, { prefillTokens, prefillLeast, halfCache = false }: ModelOptions, onProgress: (progress: ModelProgress) => void, signal?: AbortSignal): Promise<Transformer> {
    const gpu = device.leased();
    const opened: { close(): void }[] = [gpu.memory];
    const own = <T extends { close(): void }>(item: T): T => {
      opened.push(item);
      return item;
    };
    const free = (): void => {
      for (const item of opened.toReversed()) item.close();
    };
    try {
      // Everything is allocated before anything is read: what does not fit is known at once.
      const weights = own(await ResidentWeights.open(gpu, plan));
      const state = own(await SequenceState.open(gpu, plan.config, memory.contextTokens, halfCache));
      const space = await openWorkspace(gpu, plan);
      const experts = own(await ExpertCache.open(gpu, model.experts, memory.pools));
      await uploadAll(weights, plan, model, experts, onProgress, signal);
      onProgress({ phase: "compile", doneBytes: 0, totalBytes: 0 });
      const parts = { gpu, plan, weights, state, experts, records: model.records, space };
      const prepared = await gpu.memory.within("the model's parameters", () => prepareModel(parts));
      throwIfAborted(signal, "Loading the model");
      const { layers, attention, moe } = plan.config;
      const shape = { layers, topK: moe.topK, vocab: plan.vocab, rotaryPairs: attention.rotaryDim / 2, ropeTheta: attention.theta };
      const forward = await gpu.memory.within("the results of a token", () => own(new Forward(gpu, prepared, space, experts, shape)));
      const kinds = plan.layers.map(({ mixer }) => (mixer.kind === "attention" ? "attention" : "deltanet"));
      const prefill = own(new LongPrompts(parts, prepared.head, { budgetBytes: memory.lines.prefill, mostTokens: prefillTokens, least: prefillLeast }));
      return new Transformer(plan, memory, state, experts, forward, { gpu, model: prepared, space, experts, shape, kinds }, prefill, free);
    } catch (error) {
      free();
      throw error;
    }
  }

  /** Tokens of the sequence so far. One that was begun when an expert could not be read counts; the next call finishes it first. */
  get position(): number {
    return this.#position;
  }

  /** A token was left half computed because an expert could not be read: the next call finishes it first. */
  get begun(): boolean {
    return this.#forward.begun;
  }

  get stats(): ModelStats {
    const { stats: prefill } = this.#prefill;
    const { tokens, dispatches, readbacks } = this.#forward.stats;
    return { tokens: tokens + prefill.tokens, dispatches: dispatches + prefill.dispatches, readbacks: readbacks + prefill.readbacks, experts: this.#experts.stats, prefill };
  }

  /** Every expert has a slot. */
  get holdsAll(): boolean {
    return this.#experts.holdsAll;
  }

  /** Bytes of experts that were read before anybody asked for them. */
  get readAheadBytes(): number {
    return this.#prefetcher?.bytes ?? 0;
  }

  /** Slots for experts, and experts in the model. */
  get expertSlots(): { readonly slots: number; readonly experts: number; readonly bytes: number } {
    return { slots: this.#experts.slots, experts: this.config.layers * this.config.moe.experts, bytes: this.#experts.bytes };
  }

  /**
   * Appends the tokens to the sequence; the logits `[vocab]` after the last one.
   * Many tokens go through the model layer by layer (prefill.ts), few one after the other. Throws `model/token` and
   * `model/context` before anything is computed; `aborted` with the tokens done so far kept, whole chunks of many.
   */
  async forward(tokens: readonly number[], signal?: AbortSignal, onTokens: OnTokens = () => {}): Promise<Float32Array<ArrayBuffer>> {
    this.#check(tokens);
    const begun = this.#position;
    const logits = await this.#inChunks(tokens, onTokens, signal);
    return logits ?? this.#inTurn(tokens.slice(this.#position - begun), () => onTokens(this.#position - begun), signal);
  }

  /** As `forward`, with the logits after every token: `[tokens, vocab]`. While routing is recorded, one token after the other. */
  async forwardAll(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    this.#check(tokens);
    const begun = this.#position;
    const out = new Float32Array(tokens.length * this.vocab);
    let rows = 0;
    if (!this.#experts.onUse) {
      await this.#inChunks(tokens, () => {}, signal, (logits) => {
        if (!allFinite(logits)) throw this.#spoiled();
        out.set(logits, rows++ * this.vocab);
      });
    }
    for (let at = this.#position - begun; at < tokens.length; at++) out.set(await this.#append([tokens[at]!], signal), at * this.vocab);
    return out;
  }

  /** Begins a new sequence. */
  reset(): void {
    this.#idle();
    this.#forward.reset();
    this.#position = 0;
  }

  /** Keeps the recurrent state of this moment, so that the sequence can be cut back to it. The caller closes it. Throws `gpu/memory`. */
  async snapshot(): Promise<Snapshot> {
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

  /** Writes down which experts tokens take from now on, until the function that it gives is called: that gives them, layer by layer. */
  recordRouting(): () => readonly (readonly (readonly number[])[])[] {
    const taken = Array.from({ length: this.config.layers }, (): (readonly number[])[] => []);
    this.#experts.onUse = (layer, experts) => void taken[layer]!.push([...experts]);
    return () => {
      this.#experts.onUse = undefined;
      return taken;
    };
  }

  /** See Forward. For measurements. */
  startClock(passes: number): boolean {
    return this.#forward.startClock(passes);
  }

  stopClock(): Promise<readonly number[]> {
    return this.#forward.stopClock();
  }

  /** What one token leaves behind for good, and what is overwritten at each. */
  get stateLayout(): { readonly cacheBytesPerToken: number; readonly recurrentBytes: number } {
    return this.#state.layout;
  }

  /** Keys and values of the tokens `from` to `to`, to be put back by `writeCache`. */
  readCache(from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#idle();
    return this.#state.readCache(from, to);
  }

  writeCache(from: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#idle();
    this.#state.writeCache(from, bytes);
  }

  /** The recurrent state of this moment, to be put back by `resume`. */
  readRecurrent(): Promise<Uint8Array<ArrayBuffer>> {
    this.#idle();
    return this.#state.readRecurrent();
  }

  /** Goes on after `position` tokens, whose keys and values were written before. */
  resume(position: number, recurrent: Uint8Array<ArrayBuffer>): void {
    this.#idle();
    this.#forward.reset();
    this.#state.writeRecurrent(recurrent);
    this.#position = position;
  }

  /** What lies in the expert slots, and what was used of it, layer by layer. */
  residents(): readonly LayerResidents[] {
    return this.#experts.snapshot();
  }

  /**
   * Times the token `token` at the present position, a mean over `tokens` runs; the sequence stays as it is.
   * Throws `model/context` where no token fits any more, and `aborted` between two runs.
   */
  async profile(token: number, tokens: number, signal?: AbortSignal): Promise<TokenProfile> {
    this.#check([token]);
    if (this.#forward.begun) throw new AppError("storage/missing", "The last answer ended while an expert could not be read. Ask again, then measure.");
    const snapshot = await this.snapshot();
    this.#busy = true;
    const rewind = (): void => {
      this.#forward.reset();
      this.#state.restore(snapshot);
    };
    try {
      return await profileToken(this.#profiler, { token, position: this.#position }, tokens, rewind, signal);
    } finally {
      rewind();
      snapshot.close();
      this.#busy = false;
    }
  }

  close(): void {
    this.#prefetcher?.stop();
    this.#free();
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#idle();
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
      void this.#prefetcher?.run();
    }
  }

  /** Layer by layer as far as there is memory for that; the logits after the last token if it came so far. Too few tokens: none. */
  async #inChunks(tokens: readonly number[], onTokens: OnTokens, signal?: AbortSignal, each?: (logits: Float32Array<ArrayBuffer>) => void): Promise<Float32Array<ArrayBuffer> | undefined> {
    if (tokens.length < this.#prefill.least || this.begun) return undefined;
    const prefill = await this.#exclusively(() => this.#prefill.open());
    const logits = prefill && (await this.#exclusively(() => prefill.run(tokens, this.#position, (chunk) => (this.#position += chunk), onTokens, signal, each)));
    if (logits && !allFinite(logits)) throw this.#spoiled();
    return logits;
  }

  async #inTurn(tokens: readonly number[], onPart: () => void, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    for (let at = 0; ; at += REPORT_TOKENS) {
      const logits = await this.#append(tokens.slice(at, at + REPORT_TOKENS), signal);
      if (at + REPORT_TOKENS >= tokens.length) return logits;
      onPart();
    }
  }

  #append(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    return this.#exclusively(() => this.#oneByOne(tokens, signal));
  }

  async #oneByOne(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    const last = tokens.length - 1;
    const sequence = tokens.map((token, index): SequenceToken => ({ token, position: this.#position + index, wanted: index === last }));
    this.#position += tokens.length;
    try {
      const logits = await this.#forward.run(sequence, signal);
      if (!logits) throw new AppError("bug", "The model computed no logits.");
      if (!allFinite(logits)) throw this.#spoiled();
      return logits;
    } catch (error) {
      this.#position -= this.#forward.dropUnbegun();
      throw error;
    }
  }

  /** What was computed so far cannot be trusted either: the sequence begins anew. */
  #spoiled(): AppError {
    this.#forward.reset();
    this.#position = 0;
    return new AppError("gpu/wrong-results", "The GPU gave something that is no number, so the answer cannot go on. Ask again; if it happens again, the graphics driver or the model's file is broken.");
  }

  /** Begins at once: between loading and the first question the storage is idle. Goes on after each token. */
  #readAhead(uses: readonly ArrayLike<number>[] | undefined): void {
    if (!uses || this.holdsAll) return;
    this.#prefetcher = new Prefetcher(this.#experts, (layer) => uses[layer]);
    void this.#prefetcher.run();
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

function allFinite(numbers: Float32Array): boolean {
  return numbers.every((value) => Number.isFinite(value));
}

async function uploadAll(weights: ResidentWeights, plan: ModelPlan, model: StoredModel, experts: ExpertCache, onProgress: (progress: ModelProgress) => void, signal?: AbortSignal): Promise<void> {
  const layerBytes = model.records.map(({ bytes }) => bytes * model.experts.experts);
  const preloaded = experts.holdsAll ? layerBytes.reduce((sum, bytes) => sum + bytes, 0) : 0;
  const totalBytes = model.tensors.reduce((sum, { bytes }) => sum + bytes, 0) + preloaded;
  let doneBytes = 0;
  const done = (bytes: number): void => {
    doneBytes += bytes;
    onProgress({ phase: "upload", doneBytes, totalBytes });
  };
  await weights.load(plan, model, done, signal);
  if (experts.holdsAll) await experts.fill((layer) => done(layerBytes[layer] ?? 0), signal);
}
