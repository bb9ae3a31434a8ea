// What MLCEngine drives in place of its own LLMChatPipeline: one sequence of one MoE model. It keeps the model's state
// between requests and computes only what a prompt adds to it; `resetChat`, which the engine calls before every
// completion, therefore only ends the round. src/engine/webllm.ts says which of these methods the engine calls when.
import { AppError, toAppError } from "../base/errors.ts";
import type { TokenProfile } from "../model/profile.ts";
import { NO_PENALTIES } from "../model/penalties.ts";
import { seededRandom } from "../model/sampling.ts";
import { Detokenizer } from "../tokenizer/detokenizer.ts";
import type { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import type { GenerationStats, TokenLogprobs } from "./api.ts";
import { type Envelope, openEnvelope } from "./envelope.ts";
import { GREEDY, Sampler } from "./sampler.ts";
import { type Reviver, Sequence, type SequenceModel } from "./sequence.ts";
import { StopStrings } from "./stop-strings.ts";
import type { ToolCallGuide } from "./tool-call-guide.ts";

/** WebLLM's GenerationConfig, as far as we read it. */
export interface GenerationSettings {
  readonly max_tokens?: number | null;
  readonly stop?: null | string | readonly string[];
  readonly temperature?: number | null;
  readonly top_p?: number | null;
  readonly repetition_penalty?: number | null;
  readonly frequency_penalty?: number | null;
  readonly presence_penalty?: number | null;
  readonly logprobs?: boolean | null;
  readonly top_logprobs?: number | null;
}
export type FinishReason = "stop" | "length" | "abort";

/** A profile's mean is over so many tokens. */
const PROFILED_TOKENS = 8;

export class MoePipeline {
  /** Ends prefill and decode early; set for each request. */
  signal: AbortSignal | undefined;
  /** Holds the tool calls of the next answer to their form; set for each request. */
  guide: ToolCallGuide | undefined;
  readonly #sequence: Sequence;
  readonly #tokenizer: ModelTokenizer;
  readonly #now: () => number;
  #next = -1;
  #generated: number[] = [];
  #sampler: Sampler;
  #random = seededRandom(Date.now());
  #stops = new StopStrings();
  #detokenizer: Detokenizer;
  #finish: FinishReason | undefined;
  #conversation: unknown;
  #round = { prompt: 0, reused: 0, prefillMs: 0, decodeMs: 0, hits: 0, uses: 0, bytes: 0 };

  constructor(model: SequenceModel, tokenizer: ModelTokenizer, reviver?: Reviver, now: () => number = () => performance.now()) {
    this.#sequence = new Sequence(model, reviver);
    this.#tokenizer = tokenizer;
    this.#detokenizer = new Detokenizer(tokenizer);
    this.#sampler = new Sampler(tokenizer, GREEDY, []);
    this.#now = now;
  }

  /** Ids that a next prompt may continue, longest first: the whole sequence, its last word not yet computed, then every turn. */
  get continuations(): readonly (readonly number[])[] {
    const { ids, beginnings } = this.#sequence;
    return this.#next >= 0 ? [[...ids, this.#next], ...beginnings] : beginnings;
  }

  /** Ids whose state the model holds, and the one that was chosen after them (-1: none). */
  get held(): { readonly ids: readonly number[]; readonly next: number } {
    return { ids: this.#sequence.ids, next: this.#next };
  }

  /** The model's state was put in its place; undefined: it is of no use, and forgotten. */
  adopt(ids: readonly number[] | undefined): void {
    this.#next = -1;
    if (ids) this.#sequence.adopt(ids);
    else this.#sequence.forget();
  }

  /** Told after every chunk of the prompt, and of what is computed again after a loss of the GPU. */
  set onPrefill(told: (doneTokens: number, totalTokens: number) => void) {
    this.#sequence.onComputed = told;
  }

  /** Ids generated in this round, the one that ended it included. */
  get generatedIds(): readonly number[] {
    return this.#generated;
  }

  /** Of the tokens of this round; empty unless they were asked for. */
  get logprobs(): readonly TokenLogprobs[] {
    return this.#sampler.logprobs;
  }

  get stats(): GenerationStats {
    const { prompt, reused, prefillMs, decodeMs, hits, uses, bytes } = this.#round;
    const { experts } = this.#sequence;
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
    const envelope = openEnvelope(prompt);
    const { ids } = envelope;
    const { experts } = this.#sequence;
    this.#begin(config, envelope);
    this.#round = { prompt: ids.length, reused: 0, prefillMs: 0, decodeMs: 0, hits: experts.hits, uses: experts.uses, bytes: experts.loadedBytes };
    const started = this.#now();
    try {
      if (ids.length === 0) throw new AppError("model/token", "There is nothing to go on from: the prompt is empty.");
      this.#checkContext(ids.length);
      this.#round.reused = this.#sequence.rewind(ids);
      const logits = await this.#sequence.extend(ids, envelope.turns ?? [], this.signal);
      this.#accept(await this.#sampler.choose(logits, this.#generated, this.#random), config);
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
      const logits = await this.#sequence.compute([token], this.signal);
      this.#accept(await this.#sampler.choose(logits, this.#generated, this.#random), config);
    } catch (error) {
      this.#abort(error);
    } finally {
      this.#round.decodeMs += this.#now() - started;
    }
  }

  /** The logits after every token of a new sequence: `[tokens, vocab]`. For the commands; the engine never calls it. */
  async evaluateAll(ids: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    this.#next = -1;
    return this.#sequence.evaluateAll(ids, this.signal);
  }

  /** Times the token that would come next; the sequence stays as it is. */
  profile(signal: AbortSignal): Promise<TokenProfile> {
    return this.#model.profile(this.#next >= 0 ? this.#next : (this.#sequence.ids.at(-1) ?? 0), PROFILED_TOKENS, signal);
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
  /** As OpenAI's API has them. */
  getTokenLogprobArray(): readonly (Omit<TokenLogprobs, "top"> & { readonly top_logprobs: TokenLogprobs["top"] })[] {
    return this.logprobs.map(({ top, ...chosen }) => ({ ...chosen, top_logprobs: top }));
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
    this.#sequence.close();
  }
  async sync(): Promise<void> {}

  #begin(config: GenerationSettings | undefined, { ids, topK, minP, repeatLastN, forks = [] }: Envelope): void {
    const stops = typeof config?.stop === "string" ? [config.stop] : (config?.stop ?? []);
    this.#stops = new StopStrings(stops);
    this.#detokenizer = new Detokenizer(this.#tokenizer);
    const sampling = { temperature: config?.temperature ?? 1, topP: config?.top_p ?? 1, topK, minP };
    const penalties = {
      repeat: config?.repetition_penalty ?? NO_PENALTIES.repeat,
      lastN: repeatLastN ?? NO_PENALTIES.lastN,
      frequency: config?.frequency_penalty ?? NO_PENALTIES.frequency,
      presence: config?.presence_penalty ?? NO_PENALTIES.presence,
    };
    this.#sampler = new Sampler(this.#tokenizer, { sampling, penalties, forks, ...(config?.logprobs ? { logprobs: config.top_logprobs ?? 0 } : {}) }, ids, this.guide);
    this.#generated = [];
    this.#next = -1;
    this.#finish = undefined;
  }

  get #model(): SequenceModel {
    return this.#sequence.model;
  }

  #checkContext(tokens: number): void {
    const limit = this.#model.contextTokens;
    if (tokens < limit) return;
    throw new AppError("model/context", `The conversation takes ${tokens} tokens; the context holds ${limit}. Start a new chat, or load the model with a longer context.`, { data: { needed: tokens, limit } });
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
