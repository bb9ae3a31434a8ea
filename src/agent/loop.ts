// The whole agent: ask, act, append, repeat. Everything else in this room is a tool, a limit or a judgement.
// Yields plain events; the transcript is what they reduce to (events.ts), so a run can be stored, shown and gone on with.
// Ends with exactly one `done` or `error` event and never throws. Stop ends it within a second in every phase.
import { abortedError, AppError, toAppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { toWireError } from "../base/wire-error.ts";
import type { Sandbox } from "../container/sandbox.ts";
import type { ChatMessage, GenerateRequest, Sampling, TextModel } from "../engine/api.ts";
import type { Checkpoints } from "../project/checkpoints.ts";
import { act, type Workshop } from "./act.ts";
import type { Attachment } from "./attachment.ts";
import { compact } from "./compaction.ts";
import { condenseLog } from "./condense-log.ts";
import { type AgentEvent, type DoneReason, messageOf } from "./events.ts";
import { type AgentLimits, type Clock, DEFAULT_LIMITS, LEAST_TURN_TOKENS, systemClock, usedUp } from "./limits.ts";
import type { Mode, ToolRule } from "./permission.ts";
import { CHANTING_NOTE, CHAT_PROMPT, CONTINUE_NOTE, malformedNote, systemPrompt } from "./prompts.ts";
import { afterTool, review, UNTOUCHED } from "./review.ts";
import { StuckWatch } from "./stuck.ts";
import { TOOLS } from "./tool-specs.ts";
import { EditMemory, redraw } from "./redraw.ts";
import { bestOfTries } from "./tries.ts";
import { writeTurn } from "./draft-turn.ts";
import { ROUTE_START, routeAfter } from "./routing.ts";
import { takeTurn } from "./turn.ts";

export interface AgentOptions {
  readonly limits?: Partial<AgentLimits>;
  readonly sampling?: Sampling;
  /** Name of the chat, under which the engine may keep what the model holds of it. */
  readonly keep?: string;
  /** Lets test files be changed. */
  readonly unlockTests?: boolean;
  /** Where states of the project are kept, so that every change can be undone. */
  readonly checkpoints?: Checkpoints;
  readonly clock?: Clock;
  /** Edits that are tried before one is kept, the project's tests deciding; default 1, which tries none. */
  readonly tries?: number;
  /** Default `auto`. */
  readonly mode?: Mode;
  readonly rules?: readonly ToolRule[];
  /** Asks the user about a call; without it a call that must be asked about is not done. */
  readonly ask?: Workshop["ask"];
}

export interface AgentRequest {
  /** The transcript so far; empty for a new chat. */
  readonly history: readonly ChatMessage[];
  /** What the user wrote; reaches the model unchanged. Absent: go on where the transcript ends. */
  readonly task?: string;
  readonly attachments?: readonly Attachment[];
  readonly model: TextModel;
  /** A small model that drafts each turn (src/agent/routing.ts), and what the two are called. */
  readonly helper?: { readonly model: TextModel; readonly name: string; readonly modelName: string };
  /** Absent: plain chat, no tools. */
  readonly sandbox?: Sandbox;
  readonly options?: AgentOptions;
}

/** Another draw than the model's own first: freer with every one, and the same again for the same seed. */
function freer(asked: Sampling | undefined, draws: number, seed: number): { readonly sampling: Sampling } {
  return { sampling: { ...asked, temperature: Math.min(1.6, 0.7 + 0.3 * draws), topK: 20, topP: 0.95, seed } };
}

/** A turn after a change that changed nothing is drawn more freely, so that a greedy model does not say the same again. */
function samplingFor(asked: Sampling | undefined, stuck: StuckWatch, seed: number): { readonly sampling?: Sampling } {
  if (stuck.noops > 0) return freer(asked, stuck.noops, seed);
  return asked ? { sampling: asked } : {};
}

/** Tokens told beside each choice: what another try may choose in its place. */
const BESIDE = 3;
/** Draws of an edit, the first included, while what it makes is what is there, or was made before. */
const REDRAWS = 6;
/** Turns of a request whose edits are drawn again. After so many the model has no idea left, and is let go round until it is stopped. */
const REDRAWN_TURNS = 4;
/** Seeds of the draws of one turn lie so far from those of the next. */
const DRAWS = 100;

export async function* runAgent(request: AgentRequest, signal: AbortSignal): AsyncGenerator<AgentEvent, void, void> {
  const { model, helper, sandbox, attachments = [], options = {} } = request;
  const { mode = "auto", rules = [], ask, unlockTests = false, checkpoints, tries = 1 } = options;
  const clock = options.clock ?? systemClock;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const tools = sandbox ? TOOLS : [];
  const started = clock.now();
  const messages = [...request.history];
  const stuck = new StuckWatch();
  const memory = new EditMemory();
  const created = new Set<string>();
  let work = UNTOUCHED;
  let route = ROUTE_START;
  let [steps, tokens, pushes, askedMs, redrawnTurns] = [0, 0, 0, 0, 0];
  /** How long the last test run may take when it is run again. */
  let judgeMs: number | undefined;

  /** Every event passes here: what the transcript keeps is appended. */
  const log = (event: AgentEvent): AgentEvent => {
    const message = messageOf(event);
    if (message) messages.push(message);
    if (event.type === "tool-finished" && event.report) judgeMs = Math.min(LIMITS.commandMs, Math.max(LIMITS.judgeLeastMs, event.durationMs * LIMITS.judgeTimes));
    return event;
  };
  /** Condenses older messages; false if nothing is left to condense. */
  async function* makeRoom(before: number): AsyncGenerator<AgentEvent, boolean, void> {
    const shorter = compact(messages);
    if (!shorter) return false;
    const tokensAfter = await model.countTokens({ messages: shorter, tools });
    if (tokensAfter >= before) return false;
    messages.splice(0, messages.length, ...shorter);
    yield { type: "compacted", messages: shorter, tokensBefore: before, tokensAfter };
    return true;
  }
  const shop = sandbox && { sandbox, created, unlockTests, checkpoints, log, clock, mode, rules, ask, condense: helper && ((text: string, stop: AbortSignal) => condenseLog(helper, text, stop)) };
  const done = (reason: DoneReason, message: string): AgentEvent => ({ type: "done", reason, message, steps, tokens, durationMs: clock.now() - started });

  try {
    if (messages.length === 0) {
      yield log({ type: "system", text: sandbox ? systemPrompt(await sandbox.list(), { unlockTests }) : CHAT_PROMPT });
    }
    if (request.task !== undefined) {
      yield log({ type: "user", text: request.task, ...(attachments.length > 0 ? { attachments } : {}), ...(mode === "plan" ? { mode } : {}) });
    } else if (messages.at(-1)?.role === "assistant") yield log({ type: "note", text: CONTINUE_NOTE });
    for (;;) {
      const limit = usedUp({ steps, tokens, wallMs: clock.now() - started - askedMs }, limits);
      if (limit !== undefined) return yield done("limit", limit);
      const used = await model.countTokens({ messages, tools });
      const room = model.contextLimit - used;
      if (room < LEAST_TURN_TOKENS) {
        if (yield* makeRoom(used)) continue;
        if (steps === 0) throw new AppError("model/context", `The chat no longer fits into the model's ${model.contextLimit} tokens of context. Start a new chat.`);
        return yield done("limit", "Stopped because the model's context is full. Start a new chat to go on.");
      }

      const maxTokens = Math.min(limits.turnTokens, room, limits.tokens - tokens);
      const asked = { messages, tools, maxTokens, ...(options.keep === undefined ? {} : { keep: options.keep }), ...(tries > 1 ? { logprobs: BESIDE } : {}) };
      const sampling = samplingFor(options.sampling, stuck, steps);
      const written = yield* writeTurn({ ...asked, ...sampling }, route, { model, helper: helper?.model, clock }, signal);
      let { turn } = written;
      const by = helper && (written.by === "helper" ? helper.name : helper.modelName);
      steps++;
      tokens += turn.tokens + written.draftTokens;
      /** This turn again: as it was, with forks, or more freely. */
      const draw = (how: Pick<GenerateRequest, "forks" | "sampling">) => takeTurn(written.by === "helper" ? helper!.model : model, { ...asked, logprobs: BESIDE, ...how }, signal, clock);
      const freely = (number: number) => freer(options.sampling, number - 2, steps * DRAWS + number);
      const mayGoOn = (drawn: number): boolean => usedUp({ steps, tokens: tokens + drawn, wallMs: clock.now() - started - askedMs }, limits) === undefined;
      let aside: string | undefined;
      if (tries > 1 && shop && !turn.stopped) {
        const tried = yield* bestOfTries(
          turn,
          {
            tries,
            shop,
            judgeMs,
            draw: (number, forks) => draw(forks.length > 0 ? { ...sampling, forks } : freely(number)),
            mayGoOn,
          },
          signal,
        );
        tokens += tried.tokens;
        if (tried.stopped) return yield done("stopped", "Stopped.");
        turn = tried.turn;
        if (tried.of > 1) aside = `try ${tried.number} of ${tried.of}`;
      }
      if (tries === 1 && shop && !turn.stopped) {
        const redrawn = yield* redraw(turn, { memory, shop, most: redrawnTurns < REDRAWN_TURNS ? REDRAWS : 1, draw: (number, forks) => draw(number === 2 ? sampling : forks.length > 0 ? { ...sampling, forks } : freely(number)), mayGoOn }, signal);
        tokens += redrawn.tokens;
        turn = redrawn.turn;
        if (redrawn.tokens > 0) redrawnTurns++;
        if (redrawn.number > 1) aside = "drawn again";
      }
      if (turn.text !== "" || !turn.stopped) yield log({ type: "assistant", text: turn.text, ...(by === undefined ? {} : { by }) });
      if (turn.stopped) return yield done("stopped", "Stopped.");

      if (turn.malformed !== undefined || turn.chanting) {
        yield log({ type: "note", text: turn.malformed === undefined ? CHANTING_NOTE : malformedNote(turn.malformed) });
        const advice = stuck.afterMalformed();
        if (advice.do === "stop") return yield done("stuck", advice.text);
      } else if (turn.call && shop) {
        const id = `call-${steps}`;
        const step = yield* act({ id, ...turn.call }, { ...shop, aside, by }, signal);
        askedMs += step.askedMs;
        if (signal.aborted) return yield done("stopped", "Stopped.");
        work = afterTool(work, step);
        route = routeAfter(route, { ...step, by: written.by });
        const advice = stuck.afterStep(step);
        if (advice.do === "note") yield log({ type: "note", text: advice.text });
        if (advice.do === "stop") return yield done("stuck", advice.text);
      } else {
        const verdict = review(work, pushes);
        if (verdict.do === "finish") return yield done(verdict.reason, verdict.message);
        pushes++;
        yield log({ type: "note", text: verdict.text });
      }
    }
  } catch (thrown) {
    const error = signal.aborted ? abortedError("The request") : toAppError(thrown);
    if (error.code === "aborted") yield done("stopped", "Stopped.");
    else yield { type: "error", error: toWireError(error) };
  }
}
