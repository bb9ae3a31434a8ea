// One turn of the model: streams its words, reads its tool call, keeps its raw text for the transcript.
// At most one call a turn: what follows a complete call is cut off and generation ended.
import type { GenerateRequest, GenerationStats, TextModel, TokenLogprobs } from "../engine/api.ts";
import { type MalformedReason, ToolCallParser } from "../tokenizer/tool-call-parser.ts";
import type { AgentEvent } from "./events.ts";
import type { Clock } from "./limits.ts";
import { untilStopped } from "./streams.ts";

export interface Turn {
  /** Raw, as the model wrote it, up to the end of its call. */
  readonly text: string;
  /** Of it, what is for the user: all but the call. */
  readonly words: string;
  readonly call?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
  /** Why a call could not be read. */
  readonly malformed?: string;
  /** The text ran into repeating itself and was ended. */
  readonly chanting: boolean;
  /** The model was stopped before it ended the turn: what it was writing must not be acted on. */
  readonly stopped: boolean;
  /** Written in this turn. */
  readonly tokens: number;
  readonly ms: number;
  /** As last told; absent where nothing was generated. */
  readonly stats?: GenerationStats;
  /** Of its tokens; empty where they were not asked for, or the turn was cut. */
  readonly logprobs: readonly TokenLogprobs[];
}

const MALFORMED: Readonly<Record<MalformedReason, string>> = {
  truncated: "it was not finished",
  "no-function": "it names no function",
  "bad-name": "the function's name is missing or impossible",
};

export async function* takeTurn(model: TextModel, request: GenerateRequest, signal: AbortSignal, clock: Clock): AsyncGenerator<AgentEvent, Turn, void> {
  const parser = request.tools?.length ? new ToolCallParser(request.tools) : undefined;
  const enough = new AbortController();
  let raw = "";
  let words = "";
  let calling = "";
  let tokens = 0;
  let stats: GenerationStats | undefined;
  let logprobs: readonly TokenLogprobs[] = [];
  const started = clock.now();
  let reason: "stop" | "length" | "aborted" = "aborted";
  let call: (Turn["call"] & { readonly raw: string }) | undefined;
  let malformed: string | undefined;

  function* read(events: ReturnType<ToolCallParser["push"]>): Generator<AgentEvent> {
    for (const event of events) {
      if (event.type === "text") {
        words += event.text;
        yield { type: "text", text: event.text };
      } else if (event.type === "call-started") {
        calling = event.name;
        yield { type: "call-streaming", name: calling, argument: "", text: "" };
      } else if (event.type === "argument-delta") yield { type: "call-streaming", name: calling, argument: event.name, text: event.text };
      else if (event.type === "call") call = event;
      else malformed = MALFORMED[event.reason];
    }
  }
  let chanting = false;
  const afterCall = () => (call ? raw.slice(words.length + call.raw.length) : "");

  const stream = model.complete(request, AbortSignal.any([signal, enough.signal]));
  for await (const event of untilStopped(stream, signal, clock)) {
    if (event.type === "prefill" || event.type === "notice") {
      yield event;
      continue;
    }
    tokens = event.stats.completionTokens;
    stats = event.stats;
    if (event.type === "done") {
      reason = event.reason;
      logprobs = event.logprobs ?? [];
    } else {
      raw += event.text;
      yield* parser ? read(parser.push(event.text)) : [{ type: "text" as const, text: event.text }];
    }
    yield { type: "stats", stats: event.stats };
    chanting = !call && repeatsItself(raw);
    if (chanting || afterCall().trim() !== "") {
      enough.abort();
      break;
    }
  }
  const stopped = signal.aborted || (reason === "aborted" && !call && !chanting);
  if (parser && !stopped && !chanting) yield* read(parser.end(reason === "length" ? "length" : "stop"));
  const text = afterCall().trim() === "" ? raw : words + call!.raw;
  return {
    text,
    words,
    stopped,
    chanting,
    tokens,
    ms: clock.now() - started,
    ...(stats ? { stats } : {}),
    logprobs,
    ...(call ? { call: { name: call.name, arguments: call.arguments } } : {}),
    ...(malformed !== undefined && !call ? { malformed: reason === "length" ? "it was cut off, the turn was too long" : malformed } : {}),
  };
}

/** Mean natural logarithm of the probabilities of the turn's tokens: how sure the model was. Undefined where it did not tell. */
export function certainty({ logprobs }: Pick<Turn, "logprobs">): number | undefined {
  return logprobs.length === 0 ? undefined : logprobs.reduce((sum, { logprob }) => sum + logprob, 0) / logprobs.length;
}

/** What a turn tells on its way, without its words: they are the chat's only if it is kept. */
export async function* unheard(turn: AsyncGenerator<AgentEvent, Turn, void>): AsyncGenerator<AgentEvent, Turn, void> {
  for (;;) {
    const next = await turn.next();
    if (next.done) return next.value;
    if (next.value.type === "stats" || next.value.type === "notice" || next.value.type === "prefill") yield next.value;
  }
}

/** Characters that one short pattern must fill before a text counts as stuck in it; code and tables repeat less. */
const CHANT_CHARS = 1_200;
const CHANT_PERIOD = 60;

/** Is the end of the text one pattern of at most 60 characters over and over? White space alone counts too. */
function repeatsItself(text: string): boolean {
  if (text.length < CHANT_CHARS) return false;
  const tail = text.slice(-CHANT_CHARS);
  for (let period = 1; period <= CHANT_PERIOD; period++) {
    if (tail.slice(period) === tail.slice(0, -period)) return true;
  }
  return false;
}
