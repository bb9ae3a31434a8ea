// One turn of two models: the small one drafts, unheard; where its draft stands its words are said as if it had been alone,
// else the large one answers the same transcript. src/agent/routing.ts decides.
import { LIMITS } from "../base/limits.ts";
import type { GenerateRequest, TextModel } from "../engine/api.ts";
import type { AgentEvent } from "./events.ts";
import { type Clock, LEAST_TURN_TOKENS } from "./limits.ts";
import { type HandoverReason, handover, nextWriter, type Route, type Writer } from "./routing.ts";
import { resolveCall } from "./tool-specs.ts";
import { certainty, takeTurn, type Turn, unheard } from "./turn.ts";

export interface Writers {
  readonly model: TextModel;
  readonly helper: TextModel | undefined;
  readonly clock: Clock;
}

/** A turn and who wrote it. */
export interface WrittenTurn {
  readonly turn: Turn;
  readonly by: Writer;
  /** Of a draft that did not stand. */
  readonly draftTokens: number;
}

/** `request` is what the large model is asked; the small one is asked the same, and how probable its words were. */
export async function* writeTurn(request: GenerateRequest, route: Route, { model, helper, clock }: Writers, signal: AbortSignal): AsyncGenerator<AgentEvent, WrittenTurn, void> {
  let reason: HandoverReason | undefined;
  let draft: Turn | undefined;
  if (helper) {
    if (nextWriter(route) === "model") reason = "red";
    else {
      const room = helper.contextLimit - (await helper.countTokens(request));
      if (room < LEAST_TURN_TOKENS) reason = "context";
      else {
        draft = yield* unheard(takeTurn(helper, { ...request, maxTokens: Math.min(request.maxTokens, room, LIMITS.draftTokens), logprobs: request.logprobs ?? 0 }, signal, clock));
        if (draft.stopped) return { turn: draft, by: "helper", draftTokens: 0 };
        reason = handover(readDraft(draft), route);
      }
    }
    if (draft && reason === undefined) {
      if (draft.words !== "") yield { type: "text", text: draft.words };
      return { turn: draft, by: "helper", draftTokens: 0 };
    }
    const meanLogprob = draft && certainty(draft);
    yield { type: "handover", reason: reason!, ...(meanLogprob === undefined ? {} : { meanLogprob }) };
  }
  return { turn: yield* takeTurn(model, request, signal, clock), by: "model", draftTokens: draft?.tokens ?? 0 };
}

function readDraft(turn: Turn): Parameters<typeof handover>[0] {
  const resolved = turn.call && resolveCall(turn.call.name, turn.call.arguments);
  const isWhole = turn.malformed === undefined && !turn.chanting && turn.tokens < LIMITS.draftTokens;
  const isReadable = isWhole && (resolved ? resolved.ok : turn.text.trim() !== "");
  return { isReadable, ...(resolved?.ok ? { tool: resolved.name } : {}), meanLogprob: certainty(turn) };
}
