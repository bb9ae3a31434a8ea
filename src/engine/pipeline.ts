// What MLCEngine drives in place of its own LLMChatPipeline: one sequence of one MoE model. It keeps the model's state
// between requests and computes only what a prompt adds to it; `resetChat`, which the engine calls before every
// completion, therefore only ends the round. src/engine/webllm.ts says which of these methods the engine calls when.
import { AppError, toAppError } from "../base/errors.ts";
import type { Qwen3Next } from "../model/qwen3-next.ts";
import { type SamplingSettings, sampleToken, seededRandom } from "../model/sampling.ts";
import type { Snapshot } from "../model/state.ts";
import { Detokenizer } from "../tokenizer/detokenizer.ts";
import type { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import type { GenerationStats } from "./api.ts";
import { openEnvelope } from "./envelope.ts";
import { StopStrings } from "./stop-strings.ts";

/** WebLLM's GenerationConfig, as far as we read it. */
export interface GenerationSettings {
  readonly max_tokens?: number | null;
  readonly stop?: null | string | readonly string[];
  readonly temperature?: number | null;
  readonly top_p?: number | null;
}
export type FinishReason = "stop" | "length" | "abort";

/** Tokens computed between two progress reports; the model looks at the stop button more often. */
const PREFILL_CHUNK = 32;

type PipelineModel = Pick<Qwen3Next, "forward" | "forwardAll" | "reset" | "snapshot" | "truncate" | "position" | "contextTokens" | "stats" | "close">;

export class MoePipeline {
  /** Told after every chunk of the prompt. */
  onPrefill: (doneTokens: number, totalTokens: number) => void = () => {};
  /** Ends prefill and decode early; set for each request. */
  signal: AbortSignal | undefined;
  readonly #model: PipelineModel;
  readonly #tokenizer: ModelTokenizer;
  readonly #now: () => number;
  /** Ids whose state the model holds. */
  #evaluated: number[] = [];
  /** The state just before the last prompt's last token: the nearest place to go back to. */
  #turn: { readonly snapshot: Snapshot; readonly tokens: number } | undefined;
  #next = -1;
  #generated: number[] = [];
  #settings: SamplingSettings = { temperature: 0, topK: 0, topP: 1, minP: 0 };
  #random = seededRandom(Date.now());
  #stops = new StopStrings();
  #detokenizer: Detokenizer;
  #finish: FinishReason | undefined;
  #conversation: unknown;
  #round = { prompt: 0, reused: 0, prefillMs: 0, decodeMs: 0, hits: 0, uses: 0, bytes: 0 };

  constructor(model: PipelineModel, tokenizer: ModelTokenizer, now: () => number = () => performance.now()) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#detokenizer = new Detokenizer(tokenizer);
    this.#now = now;
  }

  /** Ids that a next prompt may continue, longest first: the whole sequence, its last word not yet computed, the last turn. */
  get continuations(): readonly (readonly number[])[] {
    const whole = this.#next >= 0 ? [...this.#evaluated, this.#next] : this.#evaluated;
    return [whole, this.#evaluated, this.#evaluated.slice(0, this.#turn?.tokens ?? 0)];
  }

  /** Ids generated in this round, the one that ended it included. */
  get generatedIds(): readonly number[] {
    return this.#generated;
  }

  get stats(): GenerationStats {
    const { prompt, reused, prefillMs, decodeMs, hits, uses, bytes } = this.#round;
    const { experts } = this.#model.stats;
    return {
      promptTokens: prompt,
      reusedTokens: reused,
      completionTokens: this.#generated.length,
      prefillMs,
      decodeMs,
      firstTokenMs: prefillMs,
      expertHits: experts.hits - hits,
      expertUses: experts.uses - uses,
      streamedBytes: experts.loadedBytes - bytes,
      contextTokens: this.#model.position,
      contextLimit: this.#model.contextTokens,
    };
  }

  /** Computes the prompt and samples the first token. Stopping it is no error: the round then ends as `abort`. */
  async prefillStep(prompt: string, _role?: unknown, _roleName?: unknown, config?: GenerationSettings): Promise<void> {
    const { ids, topK, minP } = openEnvelope(prompt);
    const { experts } = this.#model.stats;
    this.#begin(config, topK, minP);
    this.#round = { prompt: ids.length, reused: 0, prefillMs: 0, decodeMs: 0, hits: experts.hits, uses: experts.uses, bytes: experts.loadedBytes };
    const started = this.#now();
    try {
      if (ids.length === 0) throw new AppError("model/token", "There is nothing to go on from: the prompt is empty.");
      this.#checkContext(ids.length);
      this.#round.reused = this.#rewind(ids);
      const last = ids.length - 1;
      for (let at = this.#round.reused; at < last; at = this.#evaluated.length) {
        await this.#compute(ids.slice(at, Math.min(last, at + PREFILL_CHUNK)));
        this.onPrefill(this.#evaluated.length, ids.length);
      }
      this.#turn?.snapshot.close();
      this.#turn = { snapshot: this.#model.snapshot(), tokens: this.#evaluated.length };
      const logits = await this.#compute([ids[last]!]);
      this.onPrefill(ids.length, ids.length);
      this.#accept(sampleToken(logits, this.#settings, this.#random), config);
    } catch (error) {
      this.#abort(error);
    } finally {
      this.#round.prefillMs = this.#now() - started;
    }
  }

  async decodeStep(config?: GenerationSettings): Promise<void> {
    if (this.stopped()) return;
    const started = this.#now();
    try {
      const token = this.#next;
      const logits = await this.#compute([token]);
      this.#accept(sampleToken(logits, this.#settings, this.#random), config);
    } catch (error) {
      this.#abort(error);
    } finally {
      this.#round.decodeMs += this.#now() - started;
    }
  }

  /** The logits after every token of a new sequence: `[tokens, vocab]`. For the commands; the engine never calls it. */
  async evaluateAll(ids: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    this.#forget();
    try {
      return await this.#model.forwardAll(ids, this.signal);
    } finally {
      this.#evaluated = ids.slice(0, this.#model.position);
    }
  }

  stopped(): boolean {
    return this.#finish !== undefined;
  }
  triggerStop(): void {
    if (!this.stopped()) this.#end("abort");
  }
  getFinishReason(): FinishReason | undefined {
    return this.#finish;
  }
  /** Text so far; never inside a character, never the beginning of a stop string. */
  getMessage(): string {
    return this.#stops.text;
  }
  /** The state is kept: the next prompt may go on from it. */
  resetChat(): void {
    this.#finish = undefined;
  }
  setSeed(seed: number): void {
    this.#random = seededRandom(seed);
  }
  getConversationObject(): unknown {
    return this.#conversation;
  }
  setConversation(conversation: unknown): void {
    this.#conversation = conversation;
  }
  getTokenLogprobArray(): readonly never[] {
    return [];
  }
  getCurRoundDecodingTotalTokens(): number {
    return Math.max(0, this.#generated.length - 1);
  }
  getCurRoundCompletionTotalTokens(): number {
    return this.#generated.length;
  }
  getCurRoundPrefillTotalTokens(): number {
    return this.#round.prompt;
  }
  /** Seconds. */
  getCurRoundDecodingTotalTime(): number {
    return this.#round.decodeMs / 1000;
  }
  /** Seconds. */
  getCurRoundPrefillTotalTime(): number {
    return this.#round.prefillMs / 1000;
  }
  getCurRoundPrefillTokensPerSec(): number {
    return perSecond(this.#round.prompt - this.#round.reused, this.#round.prefillMs);
  }
  getCurRoundDecodingTokensPerSec(): number {
    return perSecond(this.getCurRoundDecodingTotalTokens(), this.#round.decodeMs);
  }
  dispose(): void {
    this.#turn?.snapshot.close();
    this.#turn = undefined;
    this.#model.close();
  }
  async sync(): Promise<void> {}

  #begin(config: GenerationSettings | undefined, topK: number, minP: number): void {
    const stops = typeof config?.stop === "string" ? [config.stop] : (config?.stop ?? []);
    this.#stops = new StopStrings(stops);
    this.#detokenizer = new Detokenizer(this.#tokenizer);
    this.#settings = { temperature: config?.temperature ?? 1, topP: config?.top_p ?? 1, topK, minP };
    this.#generated = [];
    this.#next = -1;
    this.#finish = undefined;
  }

  #checkContext(tokens: number): void {
    const limit = this.#model.contextTokens;
    if (tokens < limit) return;
    throw new AppError("model/context", `The conversation takes ${tokens} tokens; the context holds ${limit}. Start a new chat, or load the model with a longer context.`, { data: { needed: tokens, limit } });
  }

  /** Cuts the model's sequence back to a beginning of `ids`, keeping as much as possible; returns how much was kept. */
  #rewind(ids: readonly number[]): number {
    const begins = (known: readonly number[], length: number): boolean => length < ids.length && known.slice(0, length).every((id, i) => id === ids[i]);
    if (begins(this.#evaluated, this.#evaluated.length)) return this.#evaluated.length;
    if (this.#turn && begins(this.#evaluated, this.#turn.tokens)) {
      this.#model.truncate(this.#turn.snapshot);
      this.#evaluated.length = this.#turn.tokens;
    } else this.#forget();
    return this.#evaluated.length;
  }

  #forget(): void {
    this.#turn?.snapshot.close();
    this.#turn = undefined;
    this.#next = -1;
    this.#evaluated = [];
    this.#model.reset();
  }

  async #compute(ids: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    this.#evaluated.push(...ids);
    try {
      return await this.#model.forward(ids, this.signal);
    } finally {
      // What was stopped, or refused, is not part of the sequence.
      this.#evaluated.length = this.#model.position;
    }
  }

  #accept(token: number, config: GenerationSettings | undefined): void {
    this.#next = token;
    this.#generated.push(token);
    if (this.#tokenizer.endTokens.has(token)) return this.#end("stop");
    this.#stops.push(this.#detokenizer.push(token));
    if (this.#stops.hit) this.#end("stop");
    else if (this.#generated.length >= (config?.max_tokens ?? Infinity)) this.#end("length");
    else if (this.#model.position >= this.#model.contextTokens) this.#end("length");
  }

  #end(reason: FinishReason): void {
    // A character that is not whole is left out.
    this.#stops.end();
    this.#finish = reason;
  }

  #abort(error: unknown): void {
    this.#end("abort");
    if (toAppError(error).code !== "aborted") throw error;
  }
}

function perSecond(tokens: number, ms: number): number {
  return ms > 0 ? (tokens * 1000) / ms : 0;
}
