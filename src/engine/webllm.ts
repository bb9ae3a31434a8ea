// The one file that imports @mlc-ai/web-llm (6 MB: load it with `await import`). MLCEngine stays the engine: requests,
// locking, streaming, interrupts, usage. Our pipeline takes the place of its LLMChatPipeline for models it cannot run.
//
// MLCEngine 0.2.86 has no public way to bring a pipeline, so four of its private maps are filled and `getLLMStates`,
// whose instanceof check is all that refuses a foreign pipeline, is replaced on the instance.
// test/contract/webllm.test.ts fails when a release moves any of this. Source: web-llm/src/engine.ts.
import { type ChatOptions, type Completion, type CompletionCreateParamsStreaming, MLCEngine, ModelType, prebuiltAppConfig } from "@mlc-ai/web-llm";
import { AppError } from "../base/errors.ts";
import type { MoePipeline } from "./pipeline.ts";

/** What is private in MLCEngine and used here. */
interface EngineInternals {
  readonly loadedModelIdToPipeline: Map<string, unknown>;
  readonly loadedModelIdToChatConfig: Map<string, ChatOptions>;
  readonly loadedModelIdToModelType: Map<string, ModelType>;
  readonly loadedModelIdToLock: Map<string, Lock>;
  getLLMStates(request: string, modelId?: string): readonly [string, unknown, ChatOptions];
}

/** WebLLM keeps its own lock class to itself. */
class Lock {
  #tail: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  async acquire(): Promise<void> {
    const before = this.#tail;
    let release: () => void = () => {};
    this.#tail = new Promise((resolve) => (release = resolve));
    await before;
    this.#release = release;
  }

  async release(): Promise<void> {
    this.#release();
  }
}

export interface HostRequest {
  /** Text; for our pipeline, an envelope. */
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly repeatPenalty?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  /** How many of the most probable tokens to tell beside each. */
  readonly logprobs?: number;
}

/** What one step of the engine brought. */
export interface HostChunk {
  readonly text: string;
  readonly reason?: string;
  readonly usage?: Completion["usage"];
  /** As OpenAI's API has them. */
  readonly logprobs?: readonly OpenAiLogprob[];
}

export type OpenAiLogprob = NonNullable<NonNullable<Completion["choices"][number]["logprobs"]>["content"]>[number];

export interface PrebuiltProgress {
  /** 0 to 1 */
  readonly progress: number;
  readonly text: string;
}

export class EngineHost {
  readonly engine = new MLCEngine({ logLevel: "ERROR" });
  #modelId: string | undefined;
  #pipeline: MoePipeline | undefined;

  get modelId(): string | undefined {
    return this.#modelId;
  }

  /** Our pipeline, when it is the one that is hosted. */
  get pipeline(): MoePipeline | undefined {
    return this.#pipeline;
  }

  /** Makes the engine answer with our pipeline. What was loaded before is unloaded. */
  async hostPipeline(modelId: string, pipeline: MoePipeline, contextTokens: number, vocab: number): Promise<void> {
    await this.unload();
    const internals = this.#internals();
    internals.loadedModelIdToPipeline.set(modelId, pipeline);
    internals.loadedModelIdToChatConfig.set(modelId, chatConfig(contextTokens, vocab));
    internals.loadedModelIdToModelType.set(modelId, ModelType.LLM);
    internals.loadedModelIdToLock.set(modelId, new Lock());
    const ofEngine = MLCEngine.prototype as unknown as EngineInternals;
    internals.getLLMStates = (request, asked) => {
      const config = internals.loadedModelIdToChatConfig.get(modelId);
      if (this.#pipeline === undefined || config === undefined) return ofEngine.getLLMStates.call(this.engine, request, asked);
      return [modelId, this.#pipeline, config];
    };
    this.#modelId = modelId;
    this.#pipeline = pipeline;
  }

  /** Loads one of WebLLM's own models; `unload` stops it. Throws `download/failed` or `gpu/unavailable`. */
  async loadPrebuilt(modelId: string, onProgress: (progress: PrebuiltProgress) => void): Promise<void> {
    await this.unload();
    this.engine.setInitProgressCallback(({ progress, text }) => onProgress({ progress, text }));
    try {
      await this.engine.reload(modelId);
    } catch (cause) {
      throw prebuiltError(modelId, cause);
    }
    // A reload that `unload` stopped ends without an error and without a model.
    if (!this.#internals().loadedModelIdToPipeline.has(modelId)) throw new AppError("aborted", "Loading the model was stopped.");
    this.#modelId = modelId;
  }

  /** Text as it is generated; ends early after `interrupt`. The last value is the reason it ended. */
  async *stream(request: HostRequest): AsyncGenerator<HostChunk, void, void> {
    const params: CompletionCreateParamsStreaming = {
      stream: true,
      stream_options: { include_usage: true },
      prompt: request.prompt,
      max_tokens: request.maxTokens,
      temperature: request.temperature,
      top_p: request.topP,
      ...(request.seed === undefined ? {} : { seed: request.seed }),
      ...(request.stop && request.stop.length > 0 ? { stop: [...request.stop] } : {}),
      ...(request.repeatPenalty === undefined ? {} : { repetition_penalty: request.repeatPenalty }),
      // The engine logs a warning when only one of the two is given.
      ...(request.frequencyPenalty === undefined && request.presencePenalty === undefined ? {} : { frequency_penalty: request.frequencyPenalty ?? 0, presence_penalty: request.presencePenalty ?? 0 }),
      ...(request.logprobs === undefined ? {} : { logprobs: true, top_logprobs: request.logprobs }),
    };
    for await (const { choices, usage } of await this.engine.completions.create(params)) {
      const choice = choices[0];
      const logprobs = choice?.logprobs?.content;
      yield { text: choice?.text ?? "", ...(choice?.finish_reason ? { reason: choice.finish_reason } : {}), ...(usage ? { usage } : {}), ...(logprobs ? { logprobs } : {}) };
    }
  }

  async interrupt(): Promise<void> {
    await this.engine.interruptGenerate();
  }

  async unload(): Promise<void> {
    this.#modelId = undefined;
    this.#pipeline = undefined;
    await this.engine.unload();
  }

  #internals(): EngineInternals {
    return this.engine as unknown as EngineInternals;
  }
}

/** The engine makes a conversation of this before every completion and then uses none of it. */
function chatConfig(contextTokens: number, vocab: number): ChatOptions {
  return {
    tokenizer_files: [],
    vocab_size: vocab,
    conv_template: {
      system_template: "{system_message}",
      system_message: "",
      roles: { user: "user", assistant: "assistant", tool: "tool" } as NonNullable<ChatOptions["conv_template"]>["roles"],
      seps: [""],
      stop_str: [],
      stop_token_ids: [],
    },
    context_window_size: contextTokens,
    sliding_window_size: -1,
    attention_sink_size: 0,
    repetition_penalty: 1,
    frequency_penalty: 0,
    presence_penalty: 0,
    top_p: 1,
    temperature: 1,
  };
}

function prebuiltError(modelId: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/webgpu|shader-f16|feature|device/i.test(reason)) return new AppError("gpu/unavailable", `${modelId} cannot run on this GPU: ${reason}`, { cause });
  return new AppError("download/failed", `${modelId} could not be loaded: ${reason}. Check the connection and try again.`, { cause });
}

/** WebLLM's record of one of its models; undefined when this release has none of that id. */
export function prebuiltRecord(modelId: string): { readonly vramMb: number } | undefined {
  const record = prebuiltAppConfig.model_list.find(({ model_id }) => model_id === modelId);
  return record && { vramMb: record.vram_required_MB ?? 0 };
}
