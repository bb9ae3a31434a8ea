// A model that says what its script says: the oracle that stands in for a trained one. Streams its words in small
// pieces, obeys Stop, and keeps every request it was sent.
import type { GenerateEvent, GenerateRequest, GenerationStats, TextModel, TokenLogprobs } from "../../src/engine/api.ts";

/** One turn: its text, or a function of what the model was sent. `hang`: streams its text and then never ends. */
export type ScriptedTurn = string | { readonly text: string; readonly hang?: boolean; readonly reason?: "stop" | "length"; /** Of every piece, where they are asked for. */ readonly logprob?: number; readonly logprobs?: readonly TokenLogprobs[] } | ((request: GenerateRequest) => string);

export class ScriptedModel implements TextModel {
  readonly requests: GenerateRequest[] = [];
  readonly contextLimit: number;
  readonly #turns: ScriptedTurn[];
  readonly #pieceChars: number;
  /** Ignores Stop, as a broken engine would. */
  readonly deaf: boolean;

  constructor(turns: readonly ScriptedTurn[], init: { contextLimit?: number; pieceChars?: number; deaf?: boolean } = {}) {
    this.#turns = [...turns];
    this.contextLimit = init.contextLimit ?? 32_768;
    this.#pieceChars = init.pieceChars ?? 7;
    this.deaf = init.deaf ?? false;
  }

  /** Four characters are a token here. */
  countTokens(request: Pick<GenerateRequest, "messages">): Promise<number> {
    return Promise.resolve(Math.ceil(request.messages.reduce((sum, { content }) => sum + content.length + 20, 0) / 4));
  }

  async *complete(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.requests.push({ ...request, messages: [...request.messages] });
    const turn = this.#turns.shift() ?? "I have nothing more to say.";
    const { text, hang = false, reason = "stop", logprob, logprobs: told } = typeof turn === "string" ? { text: turn } : typeof turn === "function" ? { text: turn(request) } : turn;
    const promptTokens = await this.countTokens(request);
    const tokens = told ?? (logprob === undefined ? undefined : [{ token: text, bytes: [], logprob, top: [] }]);
    const logprobs = request.logprobs !== undefined && tokens ? { logprobs: tokens } : {};
    let said = "";
    const stats = (): GenerationStats => ({
      promptTokens,
      reusedTokens: 0,
      completionTokens: Math.ceil(said.length / 4),
      prefillMs: 1,
      decodeMs: 1,
      firstTokenMs: 1,
      expertHits: 0,
      expertUses: 0,
      streamedBytes: 0,
      contextTokens: promptTokens + Math.ceil(said.length / 4),
      contextLimit: this.contextLimit,
    });
    yield { type: "prefill", doneTokens: promptTokens, totalTokens: promptTokens };
    for (let at = 0; at < text.length; at += this.#pieceChars) {
      if (signal?.aborted && !this.deaf) return yield { type: "done", reason: "aborted", text: said, stats: stats() };
      const piece = text.slice(at, at + this.#pieceChars);
      said += piece;
      yield { type: "text", text: piece, stats: stats() };
      await Promise.resolve();
    }
    if (hang && this.deaf) await new Promise(() => undefined);
    if (hang) await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
    yield { type: "done", reason: signal?.aborted ? "aborted" : reason, text: said, stats: stats(), ...logprobs };
  }
}

/** A call in the models' format. */
export function toolCall(name: string, args: Readonly<Record<string, string>>): string {
  const parameters = Object.entries(args).map(([key, value]) => `<parameter=${key}>\n${value}\n</parameter>\n`).join("");
  return `<tool_call>\n<function=${name}>\n${parameters}</function>\n</tool_call>`;
}
