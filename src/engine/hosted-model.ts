// One model that is loaded into the engine, behind one face: count, generate, close. Here ours; WebLLM's are in prebuilt-model.ts.
import { AppError } from "../base/errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryByKind } from "../gpu/memory.ts";
import type { TokenProfile } from "../model/profile.ts";
import type { Transformer } from "../model/transformer.ts";
import type { ExpertStore } from "../storage/expert-store.ts";
import type { StoredValue } from "../storage/stored-model.ts";
import { continueIds } from "../tokenizer/prompt-reuse.ts";
import { type PromptPart, partIds, PromptRenderer } from "../tokenizer/prompt.ts";
import type { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import { turnStarts } from "../tokenizer/turn-starts.ts";
import type { EngineDetails, GenerateEvent, GenerateRequest, LoadedModel } from "./api.ts";
import { sealEnvelope } from "./envelope.ts";
import { MoePipeline } from "./pipeline.ts";
import { extrasOf, samplingOf } from "./sampling-request.ts";
import type { StateKeeper } from "./state-keeper.ts";
import { ToolCallGuide } from "./tool-call-guide.ts";
import type { EngineHost } from "./webllm.ts";
import type { ToolGrammars } from "./xgrammar.ts";

export type Emit = (event: GenerateEvent) => void;
export type PromptRequest = Pick<GenerateRequest, "messages" | "tools">;

/** What the engine asks of a loaded model, whichever kind. Owns what it was loaded into until `close`. */
export interface HostedModel {
  readonly loaded: LoadedModel;
  countTokens(request: PromptRequest): number;
  /** Emits `prefill`, `text` and exactly one `done`. Throws what stands in the way. */
  generate(request: GenerateRequest, emit: Emit, signal: AbortSignal): Promise<void>;
  details(): ModelDetails;
  close(): Promise<void>;
}

export type ModelDetails = Omit<EngineDetails, "errors">;

export const NO_MEMORY: MemoryByKind = { dense: 0, cache: 0, recurrent: 0, experts: 0, scratch: 0 };
/** Of an engine without a model. */
export const NO_DETAILS: ModelDetails = { modelId: "", kind: "none", memory: NO_MEMORY, contextTokens: 0, contextLimit: 0, tokens: 0, expertSlots: 0, cache: [] };

/** Our pipeline in the engine. Owns the model and its device, and those that take their place when the device is lost. */
export class MoeModel implements HostedModel {
  readonly loaded: LoadedModel;
  readonly tokenizer: ModelTokenizer;
  readonly #host: EngineHost;
  readonly #pipeline: MoePipeline;
  readonly #parts: MoeParts;
  #running: RunningModel;
  /** Of the request that runs. */
  #emit: Emit = () => undefined;
  readonly #metadata: Readonly<Record<string, StoredValue>>;
  #renderer: PromptRenderer | undefined;
  #grammars: ToolGrammars | undefined;
  #toldOfGrammar = false;
  /** Whose state the model holds. */
  #chat: string | undefined;

  private constructor(id: string, host: EngineHost, parts: MoeParts, running: RunningModel) {
    this.tokenizer = parts.tokenizer;
    this.#host = host;
    this.#parts = parts;
    this.#running = running;
    this.#metadata = parts.metadata;
    this.#pipeline = new MoePipeline(running.model, parts.tokenizer, { cause: (error) => this.#running.gpu.health.cause(error), revive: (lost) => this.#revive(lost) });
    const { model, gpu } = running;
    const { slots, experts } = model.expertSlots;
    const { lines, totalBytes, leastBytes } = model.memory;
    this.loaded = { id, contextLimit: model.contextTokens, expertSlots: slots, expertCount: experts, gpuBytes: gpu.memory.bytes, memory: gpu.memory.byKind, plan: { lines, totalBytes, leastBytes }, store: parts.store };
  }

  static async host(id: string, host: Promise<EngineHost>, parts: MoeParts, signal: AbortSignal): Promise<MoeModel> {
    const running = await parts.open(signal);
    try {
      const engine = await host;
      const hosted = new MoeModel(id, engine, parts, running);
      await engine.hostPipeline(id, hosted.#pipeline, running.model.contextTokens, running.model.vocab);
      return hosted;
    } catch (error) {
      running.gpu.close();
      throw error;
    }
  }

  /** The one that runs now. */
  get model(): Transformer {
    return this.#running.model;
  }

  /** Loads the model again on another device. Throws what `open` throws when it has been lost too often. */
  async #revive(lost: AppError): Promise<Transformer> {
    this.#emit({ type: "notice", notice: "gpu-lost" });
    this.#parts.onFault(lost);
    this.#running.gpu.close();
    this.#running = await this.#parts.open(this.#pipeline.signal, lost, () => this.#emit({ type: "notice", notice: "gpu-blocked" }));
    this.#listen();
    return this.#running.model;
  }

  #listen(): void {
    this.#running.gpu.health.onSlow = () => this.#emit({ type: "notice", notice: "gpu-slow" });
  }

  countTokens(request: PromptRequest): number {
    return this.promptIds(request).length;
  }

  promptIds({ messages, tools }: PromptRequest): readonly number[] {
    return this.#render().render(messages, tools);
  }

  async generate(request: GenerateRequest, emit: Emit, signal: AbortSignal): Promise<void> {
    const ids = await this.#continuedIds(this.#render().parts(request.messages, request.tools), request.keep);
    const guide = await this.#guideFor(request, emit);
    await this.generateFrom(ids, request, emit, signal, { turns: turnStarts(this.tokenizer, ids, request.messages), ...(guide ? { guide } : {}) });
  }

  /** As `generate`, from ids; `turns` are places in them worth going back to, `guide` holds tool calls to their form. Returns the generated ids, the one that ended the turn included. */
  async generateFrom(ids: readonly number[], request: Omit<GenerateRequest, "messages" | "tools">, emit: Emit, signal: AbortSignal, { turns = [], guide }: { readonly turns?: readonly number[]; readonly guide?: ToolCallGuide } = {}): Promise<readonly number[]> {
    const { temperature, topK, topP, minP } = samplingOf(this.#metadata, request.sampling);
    const extras = extrasOf(request);
    const seed = request.sampling?.seed;
    const pipeline = this.#pipeline;
    this.#emit = emit;
    this.#listen();
    pipeline.signal = signal;
    pipeline.guide = guide;
    pipeline.onPrefill = (doneTokens, totalTokens) => emit({ type: "prefill", doneTokens, totalTokens });
    const repeatLastN = request.sampling?.repeatLastN;
    const prompt = sealEnvelope({ ids, topK, minP, turns, ...(repeatLastN === undefined ? {} : { repeatLastN }), ...(request.forks ? { forks: request.forks } : {}) });
    const stream = this.#host.stream({ prompt, maxTokens: request.maxTokens, temperature, topP, ...extras, ...(seed === undefined ? {} : { seed }), ...(request.stop ? { stop: request.stop } : {}) });
    let sent = 0;
    const flush = (): void => {
      const text = pipeline.getMessage();
      if (text.length > sent) emit({ type: "text", text: text.slice(sent), stats: pipeline.stats });
      sent = text.length;
    };
    // The engine's own deltas hold back text that ends in U+FFFD, and the last one: ours come from the pipeline.
    for await (const _chunk of stream) flush();
    flush();
    if (!signal.aborted) {
      this.#running.gpu.check();
      this.#parts.completed();
    }
    const reason = pipeline.getFinishReason();
    emit({ type: "done", reason: reason === "stop" || reason === "length" ? reason : "aborted", text: pipeline.getMessage(), stats: pipeline.stats, ...(request.logprobs === undefined ? {} : { logprobs: pipeline.logprobs }) });
    return pipeline.generatedIds;
  }

  /** The logits after every id of a new sequence: `[ids, vocab]`. */
  async evaluate(ids: readonly number[], signal: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    this.#chat = undefined;
    this.#pipeline.signal = signal;
    const logits = await this.#pipeline.evaluateAll(ids);
    this.#running.gpu.check();
    return logits;
  }

  details(): ModelDetails {
    const { id, contextLimit, expertSlots } = this.loaded;
    const { model } = this;
    return { modelId: id, kind: "moe", memory: this.#running.gpu.memory.byKind, contextTokens: model.position, contextLimit, tokens: model.stats.tokens, expertSlots, cache: model.residents() };
  }

  /** Throws `aborted` between two of the tokens it times. */
  async profile(signal: AbortSignal): Promise<TokenProfile> {
    const profile = await this.#pipeline.profile(signal);
    this.#running.gpu.check();
    return profile;
  }

  async close(): Promise<void> {
    await this.#parts.keeper?.close();
    await this.#host.unload(); // disposes the pipeline, and with it the model
    this.#running.gpu.close();
  }

  /** Without the grammar generation goes on unguided: that is told once, the details say why, and each answer tries again. */
  async #guideFor({ tools = [], constrainCalls = true }: GenerateRequest, emit: Emit): Promise<ToolCallGuide | undefined> {
    if (!constrainCalls || tools.length === 0) return undefined;
    try {
      this.#grammars ??= new (await import("./xgrammar.ts")).ToolGrammars(this.tokenizer);
      const matcher = await this.#grammars.matcher(tools);
      return matcher && new ToolCallGuide(this.tokenizer, tools, matcher);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (!this.#toldOfGrammar) emit({ type: "notice", notice: "no-grammar" });
      this.#toldOfGrammar = true;
      this.#parts.onFault(new AppError("download/failed", `Tool calls are not held to their form: ${reason}`, { cause }));
      return undefined;
    }
  }

  #render(): PromptRenderer {
    this.#renderer ??= new PromptRenderer(this.tokenizer);
    return this.#renderer;
  }

  /** Brings what the model holds of the chat into storage, unless it holds that of another by now. Throws `aborted`. */
  async keep(chat: string, signal: AbortSignal): Promise<void> {
    if (chat === this.#chat) await this.#parts.keeper?.save(chat, this.#pipeline.held, this.model, signal);
  }

  /** The prompt's ids, kept the way the model wrote them as far as its state reaches: in the model, or else in storage. */
  async #continuedIds(parts: readonly PromptPart[], chat: string | undefined): Promise<readonly number[]> {
    const before = this.#chat;
    this.#chat = chat;
    const continued = this.#pipeline.continuations.flatMap((known) => {
      const ids = continueIds(this.tokenizer, known, parts);
      return ids ? [{ known, ids }] : [];
    })[0];
    const stored = chat === undefined || chat === before ? undefined : await this.#resumed(chat, parts, continued?.known.length ?? 0);
    return stored ?? continued?.ids ?? partIds(this.tokenizer, parts);
  }

  /** The prompt's ids where what is kept of the chat reaches further than `held` tokens: it is put into the model then. */
  async #resumed(chat: string, parts: readonly PromptPart[], held: number): Promise<readonly number[] | undefined> {
    const { keeper } = this.#parts;
    const kept = await keeper?.known(chat, this.model);
    if (!keeper || !kept || kept.ids.length <= held) return undefined;
    const ids = (kept.next < 0 ? undefined : continueIds(this.tokenizer, [...kept.ids, kept.next], parts)) ?? continueIds(this.tokenizer, kept.ids, parts);
    if (!ids) return undefined;
    const restored = await keeper.restore(chat, kept.ids, this.model);
    this.#pipeline.adopt(restored ? kept.ids : undefined);
    return restored ? ids : undefined;
  }
}

/** A model and the device it is on. */
export interface RunningModel {
  readonly model: Transformer;
  readonly gpu: Gpu;
}

/** What a MoeModel is made of, and how. */
export interface MoeParts {
  readonly tokenizer: ModelTokenizer;
  readonly metadata: Readonly<Record<string, StoredValue>>;
  readonly store: ExpertStore["kind"];
  /** Opens a device and loads the model on it; whoever calls owns both. `after`: the loss that made it necessary. `onWait`: there is no device for a while. */
  readonly open: (signal?: AbortSignal, after?: AppError, onWait?: () => void) => Promise<RunningModel>;
  /** Keeps states of chats; absent where the model lies in no storage. */
  readonly keeper?: StateKeeper;
  /** Something went wrong that ends nothing. */
  readonly onFault: (error: AppError) => void;
  /** An answer was completed: the device holds. */
  readonly completed: () => void;
}
