// One of WebLLM's own models in the engine. It runs as WebLLM made it: no experts, no turns to go back to, no grammar.
import type { GenerateRequest, GenerationStats, LoadedModel, TokenLogprobs } from "./api.ts";
import { type Emit, type HostedModel, type ModelDetails, NO_DETAILS, NO_MEMORY, type PromptRequest } from "./hosted-model.ts";
import { prebuiltPrompt } from "./prebuilt-prompt.ts";
import { extrasOf, logprobsOf, samplingOf } from "./sampling-request.ts";
import type { EngineHost } from "./webllm.ts";

/** Characters a token has on average in code; only for budgets, where WebLLM's tokenizer cannot be asked. */
const CHARACTERS_PER_TOKEN = 3;
/** What WebLLM's model records set for all of these. */
const PREBUILT_CONTEXT = 4096;

/** One of WebLLM's own models. It tells of no experts, and of tokens only at the end. */
export class PrebuiltModel implements HostedModel {
  readonly loaded: LoadedModel;
  readonly #host: EngineHost;
  #contextTokens = 0;

  constructor(id: string, host: EngineHost) {
    this.#host = host;
    this.loaded = { id, contextLimit: PREBUILT_CONTEXT, expertSlots: 0, expertCount: 0, gpuBytes: 0, memory: NO_MEMORY };
  }

  countTokens({ messages, tools }: PromptRequest): number {
    return Math.ceil(prebuiltPrompt(messages, tools).length / CHARACTERS_PER_TOKEN);
  }

  async generate(request: GenerateRequest, emit: Emit, signal: AbortSignal): Promise<void> {
    const [fork] = request.forks ?? [];
    const { temperature, topP } = samplingOf({}, fork ? { ...request.sampling, temperature: 1 } : request.sampling);
    const extras = extrasOf(request);
    const logprobs: TokenLogprobs[] = [];
    const seed = fork ? fork.at * 8 + fork.rank : request.sampling?.seed;
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
      for await (const chunk of this.#host.stream({ prompt, maxTokens: request.maxTokens, temperature, topP, ...extras, stop: ["<|im_end|>", ...(request.stop ?? [])], ...(seed === undefined ? {} : { seed }) })) {
        if (firstMs === 0) firstMs = performance.now() - started;
        if (chunk.usage) {
          tokens = chunk.usage.completion_tokens;
          counted = chunk.usage.prompt_tokens;
        }
        reason = chunk.reason ?? reason;
        logprobs.push(...logprobsOf(chunk.logprobs ?? []));
        if (chunk.text === "") continue;
        tokens++;
        text += chunk.text;
        emit({ type: "text", text: chunk.text, stats: stats() });
      }
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
    this.#contextTokens = counted + tokens;
    emit({ type: "done", reason: reason === "stop" || reason === "length" ? reason : "aborted", text, stats: stats(), ...(request.logprobs === undefined ? {} : { logprobs }) });
  }

  details(): ModelDetails {
    return { ...NO_DETAILS, modelId: this.loaded.id, kind: "webllm", contextTokens: this.#contextTokens, contextLimit: PREBUILT_CONTEXT };
  }

  close(): Promise<void> {
    return this.#host.unload();
  }
}
