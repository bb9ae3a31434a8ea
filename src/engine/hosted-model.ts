// One model that is loaded into the engine, ours or WebLLM's, behind one face: count, generate, close.
import { AppError } from "../base/errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Qwen3Next } from "../model/qwen3-next.ts";
import { checkSampling, PLAIN_SAMPLING, type SamplingSettings } from "../model/sampling.ts";
import type { StoredValue } from "../storage/stored-model.ts";
import { continueIds } from "../tokenizer/prompt-reuse.ts";
import { type PromptPart, partIds, PromptRenderer } from "../tokenizer/prompt.ts";
import type { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import type { GenerateEvent, GenerateRequest, GenerationStats, LoadedModel, Sampling } from "./api.ts";
import { sealEnvelope } from "./envelope.ts";
import { MoePipeline } from "./pipeline.ts";
import { prebuiltPrompt } from "./prebuilt-prompt.ts";
import type { EngineHost } from "./webllm.ts";

export type Emit = (event: GenerateEvent) => void;
type PromptRequest = Pick<GenerateRequest, "messages" | "tools">;

export interface HostedModel {
  readonly loaded: LoadedModel;
  countTokens(request: PromptRequest): number;
  /** Emits `prefill`, `text` and exactly one `done`. Throws what stands in the way. */
  generate(request: GenerateRequest, emit: Emit, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The file's own settings (`general.sampling.*`), overridden by the request's. Throws `command/usage` for one out of its range. */
export function samplingOf(metadata: Readonly<Record<string, StoredValue>>, asked: Sampling = {}): SamplingSettings {
  const own = (key: string, fallback: number): number => {
    const value = metadata[`general.sampling.${key}`];
    return typeof value === "number" ? value : fallback;
  };
  const settings = {
    temperature: asked.temperature ?? own("temp", PLAIN_SAMPLING.temperature),
    topK: asked.topK ?? own("top_k", PLAIN_SAMPLING.topK),
    topP: asked.topP ?? own("top_p", PLAIN_SAMPLING.topP),
    minP: asked.minP ?? own("min_p", PLAIN_SAMPLING.minP),
  };
  checkSampling(settings);
  if (asked.seed !== undefined && !Number.isInteger(asked.seed)) throw new AppError("command/usage", "The sampling setting seed must be a whole number. Correct it and ask again.");
  return settings;
}

/** Our pipeline in the engine. Owns the model and its device. */
export class MoeModel implements HostedModel {
  readonly loaded: LoadedModel;
  readonly model: Qwen3Next;
  readonly tokenizer: ModelTokenizer;
  readonly #host: EngineHost;
  readonly #pipeline: MoePipeline;
  readonly #gpu: Gpu;
  readonly #metadata: Readonly<Record<string, StoredValue>>;
  #renderer: PromptRenderer | undefined;

  private constructor(id: string, host: EngineHost, pipeline: MoePipeline, parts: MoeParts) {
    this.model = parts.model;
    this.tokenizer = parts.tokenizer;
    this.#host = host;
    this.#pipeline = pipeline;
    this.#gpu = parts.gpu;
    this.#metadata = parts.metadata;
    const { slots, experts } = parts.model.expertSlots;
    this.loaded = { id, contextLimit: parts.model.contextTokens, expertSlots: slots, expertCount: experts, gpuBytes: parts.gpu.memory.bytes };
  }

  static async host(id: string, host: EngineHost, parts: MoeParts): Promise<MoeModel> {
    const pipeline = new MoePipeline(parts.model, parts.tokenizer);
    await host.hostPipeline(id, pipeline, parts.model.contextTokens, parts.model.vocab);
    return new MoeModel(id, host, pipeline, parts);
  }

  countTokens(request: PromptRequest): number {
    return this.promptIds(request).length;
  }

  promptIds({ messages, tools }: PromptRequest): readonly number[] {
    return this.#render().render(messages, tools);
  }

  async generate(request: GenerateRequest, emit: Emit, signal: AbortSignal): Promise<void> {
    await this.generateFrom(this.#continuedIds(this.#render().parts(request.messages, request.tools)), request, emit, signal);
  }

  /** As `generate`, from ids. Returns the generated ids, the one that ended the turn included. */
  async generateFrom(ids: readonly number[], request: Omit<GenerateRequest, "messages" | "tools">, emit: Emit, signal: AbortSignal): Promise<readonly number[]> {
    const { temperature, topK, topP, minP } = samplingOf(this.#metadata, request.sampling);
    const seed = request.sampling?.seed;
    const pipeline = this.#pipeline;
    pipeline.signal = signal;
    pipeline.onPrefill = (doneTokens, totalTokens) => emit({ type: "prefill", doneTokens, totalTokens });
    const prompt = sealEnvelope({ ids, topK, minP });
    const stream = this.#host.stream({ prompt, maxTokens: request.maxTokens, temperature, topP, ...(seed === undefined ? {} : { seed }), ...(request.stop ? { stop: request.stop } : {}) });
    let sent = 0;
    const flush = (): void => {
      const text = pipeline.getMessage();
      if (text.length > sent) emit({ type: "text", text: text.slice(sent), stats: pipeline.stats });
      sent = text.length;
    };
    // The engine's own deltas hold back text that ends in U+FFFD, and the last one: ours come from the pipeline.
    for await (const _chunk of stream) flush();
    flush();
    this.#gpu.check();
    const reason = pipeline.getFinishReason();
    emit({ type: "done", reason: reason === "stop" || reason === "length" ? reason : "aborted", text: pipeline.getMessage(), stats: pipeline.stats });
    return pipeline.generatedIds;
  }

  /** The logits after every id of a new sequence: `[ids, vocab]`. */
  async evaluate(ids: readonly number[], signal: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    this.#pipeline.signal = signal;
    const logits = await this.#pipeline.evaluateAll(ids);
    this.#gpu.check();
    return logits;
  }

  async close(): Promise<void> {
    await this.#host.unload(); // disposes the pipeline, and with it the model
    this.#gpu.close();
  }

  #render(): PromptRenderer {
    this.#renderer ??= new PromptRenderer(this.tokenizer);
    return this.#renderer;
  }

  /** The prompt's ids, kept the way the model wrote them as far as its state reaches. */
  #continuedIds(parts: readonly PromptPart[]): readonly number[] {
    for (const known of this.#pipeline.continuations) {
      const ids = continueIds(this.tokenizer, known, parts);
      if (ids) return ids;
    }
    return partIds(this.tokenizer, parts);
  }
}

export interface MoeParts {
  readonly model: Qwen3Next;
  readonly tokenizer: ModelTokenizer;
  readonly gpu: Gpu;
  readonly metadata: Readonly<Record<string, StoredValue>>;
}

/** Characters a token has on average in code; only for budgets, where WebLLM's tokenizer cannot be asked. */
const CHARACTERS_PER_TOKEN = 3;
/** What WebLLM's model records set for all of these. */
const PREBUILT_CONTEXT = 4096;

/** One of WebLLM's own models. It tells of no experts, and of tokens only at the end. */
export class PrebuiltModel implements HostedModel {
  readonly loaded: LoadedModel;
  readonly #host: EngineHost;

  constructor(id: string, host: EngineHost) {
    this.#host = host;
    this.loaded = { id, contextLimit: PREBUILT_CONTEXT, expertSlots: 0, expertCount: 0, gpuBytes: 0 };
  }

  countTokens({ messages, tools }: PromptRequest): number {
    return Math.ceil(prebuiltPrompt(messages, tools).length / CHARACTERS_PER_TOKEN);
  }

  async generate(request: GenerateRequest, emit: Emit, signal: AbortSignal): Promise<void> {
    const { temperature, topP } = samplingOf({}, request.sampling);
    const seed = request.sampling?.seed;
    const prompt = prebuiltPrompt(request.messages, request.tools);
    const promptTokens = this.countTokens(request);
    const started = performance.now();
    const interrupt = (): void => void this.#host.interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    let text = "";
    let tokens = 0;
    let firstMs = 0;
    let reason = "abort";
    let counted = promptTokens;
    const stats = (): GenerationStats => ({
      promptTokens: counted, reusedTokens: 0, completionTokens: tokens, prefillMs: firstMs, decodeMs: Math.max(0, performance.now() - started - firstMs), firstTokenMs: firstMs,
      expertHits: 0, expertUses: 0, streamedBytes: 0, contextTokens: counted + tokens, contextLimit: PREBUILT_CONTEXT,
    });
    try {
      emit({ type: "prefill", doneTokens: 0, totalTokens: promptTokens });
      for await (const chunk of this.#host.stream({ prompt, maxTokens: request.maxTokens, temperature, topP, stop: ["<|im_end|>", ...(request.stop ?? [])], ...(seed === undefined ? {} : { seed }) })) {
        if (firstMs === 0) firstMs = performance.now() - started;
        if (chunk.usage) {
          tokens = chunk.usage.completion_tokens;
          counted = chunk.usage.prompt_tokens;
        }
        reason = chunk.reason ?? reason;
        if (chunk.text === "") continue;
        tokens++;
        text += chunk.text;
        emit({ type: "text", text: chunk.text, stats: stats() });
      }
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
    emit({ type: "done", reason: reason === "stop" || reason === "length" ? reason : "aborted", text, stats: stats() });
  }

  close(): Promise<void> {
    return this.#host.unload();
  }
}
