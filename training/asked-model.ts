// A TextModel whose tokens come from elsewhere: what `src/engine` does around a model (template, tokenizer, going on from
// the ids that were generated), with the question for the next turn sent out as ids. What it does not do is hold calls to
// their form while they are written (src/engine/tool-call-guide.ts): an invalid call is seen, counted and learnt from.
import { AppError } from "../src/base/errors.ts";
import type { ChatMessage, Fork, GenerateEvent, GenerateRequest, GenerationStats, Logprob, Sampling, TextModel, TokenLogprobs, ToolSpec } from "../src/engine/api.ts";
import { resolveCall } from "../src/agent/tool-specs.ts";
import { Detokenizer } from "../src/tokenizer/detokenizer.ts";
import { partIds, type PromptPart, PromptRenderer } from "../src/tokenizer/prompt.ts";
import { continueIds } from "../src/tokenizer/prompt-reuse.ts";
import { type ParserEvent, ToolCallParser } from "../src/tokenizer/tool-call-parser.ts";
import type { ModelTokenizer } from "../src/tokenizer/tokenizer.ts";

/** What the model is asked: all ids so far. `sampling`: what the loop asks for, beyond the file's own settings. */
export interface Question {
  readonly ids: readonly number[];
  readonly most: number;
  readonly sampling?: Sampling;
  readonly forks?: readonly Fork[];
  /** Tells what was most probable beside each token. */
  readonly beside: boolean;
}

export interface Answered {
  /** Generated ids, the one that ended the turn included. */
  readonly ids: readonly number[];
  /** Of each: the logarithm of its probability, the most probable ids, and the logarithms of theirs; where that was asked for. */
  readonly beside?: readonly (readonly [number, readonly number[], readonly number[]])[];
}

export type Ask = (question: Question) => Promise<Answered>;

/** Of a call that can be read, before it is made. */
export type IsVain = (call: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }) => Promise<boolean>;

export interface TurnCounts {
  /** Turns that were meant to call a tool. */
  calls: number;
  /** Which turns, counted from 0, hold a call that could not be read or names no tool, or lacks a parameter. */
  readonly invalid: number[];
  turns: number;
  /** Which turns hold an edit that changes nothing, or makes or asks for again what an earlier one did. */
  readonly vain: number[];
  /** Which turns are in no conversation, because another draw was kept. */
  readonly dropped: number[];
  /** Which turns are a try that turned the tests green where the first did not; and which were the best of tries, none of them green. */
  readonly found: number[];
  readonly red: number[];
}

type Conversation = { readonly messages: readonly ChatMessage[]; readonly tools?: readonly ToolSpec[] };

export class AskedModel implements TextModel {
  readonly contextLimit: number;
  readonly counts: TurnCounts = { calls: 0, invalid: [], turns: 0, vain: [], dropped: [], found: [], red: [] };
  /** Calls of the draws since a turn was kept. */
  #drawn: string[] = [];
  readonly #tokenizer: ModelTokenizer;
  readonly #renderer: PromptRenderer;
  readonly #ask: Ask;
  readonly #isVain: IsVain;
  /** Beginnings that a next prompt may continue, longest first: as the engine's sequence keeps them. */
  #beginnings: readonly (readonly number[])[] = [];
  #rendered: { readonly length: number; readonly parts: readonly PromptPart[] } | undefined;

  constructor(tokenizer: ModelTokenizer, renderer: PromptRenderer, contextLimit: number, ask: Ask, isVain: IsVain = () => Promise.resolve(false)) {
    this.#tokenizer = tokenizer;
    this.#renderer = renderer;
    this.contextLimit = contextLimit;
    this.#ask = ask;
    this.#isVain = isVain;
  }

  async countTokens(request: Conversation): Promise<number> {
    return partIds(this.#tokenizer, this.#parts(request)).length;
  }

  async *complete(request: GenerateRequest): AsyncGenerator<GenerateEvent> {
    const ids = this.#ids(this.#parts(request));
    // As the engine does: what was counted is the canonical tokens, what is asked may be the generated ones, which can be more.
    if (ids.length >= this.contextLimit) throw new AppError("model/context", `The conversation takes ${ids.length} tokens; the context holds ${this.contextLimit}.`);
    const { sampling, forks } = request;
    const { ids: answer, beside } = await this.#ask({ ids, most: request.maxTokens, beside: request.logprobs !== undefined, ...(sampling ? { sampling } : {}), ...(forks ? { forks } : {}) });
    const stopped = answer.length > 0 && this.#tokenizer.endTokens.has(answer.at(-1)!);
    this.#beginnings = [[...ids, ...answer], ids.slice(0, -1), ...this.#beginnings.slice(1)];
    const detokenizer = new Detokenizer(this.#tokenizer);
    const pieces = answer.map((id) => (this.#tokenizer.endTokens.has(id) ? "" : detokenizer.push(id)));
    pieces.push(detokenizer.end());
    await this.#count(pieces.join(""), request.tools ?? [], stopped);
    for (const text of pieces) if (text !== "") yield { type: "text", text, stats: NO_STATS };
    yield { type: "done", reason: stopped ? "stop" : "length", text: pieces.join(""), stats: { ...NO_STATS, completionTokens: answer.length }, ...(beside ? { logprobs: answer.map((id, at) => this.#logprobs(id, beside[at]!)) } : {}) };
  }

  #logprobs(id: number, [logprob, ids, logprobs]: NonNullable<Answered["beside"]>[number]): TokenLogprobs {
    const named = (token: number, probability: number): Logprob => {
      const bytes = this.#tokenizer.bytesOf(token);
      return { token: new TextDecoder().decode(bytes), bytes: [...bytes], logprob: probability };
    };
    return { ...named(id, logprob), top: ids.map((other, at) => named(other, logprobs[at]!)) };
  }

  /** Of what was drawn since the last time this is what the conversation keeps: the first that ends so, or the last. */
  keep(text: string): void {
    const { turns, dropped } = this.counts;
    const from = turns - this.#drawn.length;
    const at = this.#drawn.findIndex((drawn) => text.trim() !== "" && drawn.endsWith(text.slice(Math.max(0, text.indexOf("<tool_call>"))).trimEnd()));
    const kept = from + (at < 0 ? this.#drawn.length - 1 : at);
    for (let turn = from; turn < turns; turn++) if (turn !== kept) dropped.push(turn);
    this.#drawn = [];
  }

  /** Of the last draws, which were tries of one edit: number `kept`, from 1, is the one to go on with. */
  tried(count: number, kept: number, isGreen: boolean): void {
    const turn = this.counts.turns - count + kept - 1;
    if (!isGreen) this.counts.red.push(turn);
    else if (kept > 1) this.counts.found.push(turn);
  }

  #parts({ messages, tools }: Conversation): readonly PromptPart[] {
    if (this.#rendered?.length !== messages.length) this.#rendered = { length: messages.length, parts: this.#renderer.parts(messages, tools) };
    return this.#rendered.parts;
  }

  #ids(parts: readonly PromptPart[]): readonly number[] {
    for (const known of this.#beginnings) {
      const ids = known.length > 0 ? continueIds(this.#tokenizer, known, parts) : undefined;
      if (ids) return ids;
    }
    return partIds(this.#tokenizer, parts);
  }

  async #count(text: string, tools: readonly ToolSpec[], stopped: boolean): Promise<void> {
    const turn = this.counts.turns++;
    this.#drawn.push(text.trimEnd());
    if (tools.length === 0) return;
    const parser = new ToolCallParser(tools);
    const last = [...parser.push(text), ...parser.end(stopped ? "stop" : "length")].find((event): event is Extract<ParserEvent, { type: "call" | "malformed" }> => event.type === "call" || event.type === "malformed");
    if (!last) return;
    this.counts.calls++;
    if (last.type === "malformed" || !resolveCall(last.name, last.arguments).ok) this.counts.invalid.push(turn);
    else if (await this.#isVain(last)) this.counts.vain.push(turn);
  }
}

const NO_STATS: GenerationStats = {
  promptTokens: 0, reusedTokens: 0, completionTokens: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0,
  expertHits: 0, expertUses: 0, streamedBytes: 0, contextTokens: 0, contextLimit: 0,
};
