// Everything that happens while the agent works, as plain structured-cloneable data. The transcript is what these
// events reduce to, so a stored event log is a chat that can be shown again and gone on with.
import type { WireError } from "../base/wire-error.ts";
import type { ChatMessage, EngineNotice, GenerationStats } from "../engine/api.ts";
import { type Attachment, withAttachments } from "./attachment.ts";
import type { Mode } from "./permission.ts";
import type { HandoverReason } from "./routing.ts";
import type { TestReport } from "./test-report.ts";
import type { TryReport } from "./tries.ts";

/** A call as the agent understood it: the tool's own name and its arguments, aliases resolved. */
export interface ToolCall {
  /** Unique in one request, in order: "call-1". */
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export type DoneReason =
  /** Words alone: nothing was changed and no test was run. */
  | "answered"
  /** The last thing run was the tests, they passed, and nothing changed after. */
  | "verified"
  /** Files were changed, or tests were red, and no green run proves the state that is left. */
  | "not-verified"
  /** By the user. */
  | "stopped"
  /** Steps, minutes, tokens or context are used up. */
  | "limit"
  /** The model went in circles. */
  | "stuck";

export type AgentEvent =
  /** Opens a transcript: what the model is told about itself and the project. */
  | { readonly type: "system"; readonly text: string }
  | { readonly type: "user"; readonly text: string; readonly attachments?: readonly Attachment[]; readonly mode?: Mode }
  | { readonly type: "prefill"; readonly doneTokens: number; readonly totalTokens: number }
  /** What delays the answer; nothing of it belongs to the chat. */
  | { readonly type: "notice"; readonly notice: EngineNotice }
  /** Words for the user, as they stream; the text of a tool call is not among them. */
  | { readonly type: "text"; readonly text: string }
  /** A call is being written: its name, then its arguments as they come. */
  | { readonly type: "call-streaming"; readonly name: string; readonly argument: string; readonly text: string }
  | { readonly type: "stats"; readonly stats: GenerationStats }
  /** The large model answers in place of the small one; `meanLogprob`: of the draft that did not stand. */
  | { readonly type: "handover"; readonly reason: HandoverReason; readonly meanLogprob?: number }
  /** A whole turn of the model, raw: what the transcript keeps. `by`: the name of the model, where there are two. */
  | { readonly type: "assistant"; readonly text: string; readonly by?: string }
  | { readonly type: "tool-started"; readonly call: ToolCall; readonly by?: string }
  /** The call waits for the user's word; then what it was. */
  | { readonly type: "permission-asked"; readonly call: ToolCall }
  | { readonly type: "permission-answered"; readonly id: string; readonly allow: boolean; readonly reason?: string }
  | { readonly type: "tool-output"; readonly id: string; readonly text: string }
  | {
      readonly type: "tool-finished";
      readonly call: ToolCall;
      /** What the model reads. */
      readonly result: string;
      readonly ok: boolean;
      readonly report?: TestReport;
      readonly exitCode?: number | null;
      readonly durationMs: number;
    }
  /** The project before and after a tool changed it: checkpoint ids to restore. */
  | { readonly type: "checkpoint"; readonly before: string; readonly after: string; readonly label: string; readonly paths: readonly string[] }
  /** An edit is tried before it is made: drawn, or tested. */
  | { readonly type: "try"; readonly number: number; readonly of: number; readonly phase: "draw" | "test" }
  /** What came of them: `kept` is made now, and `words` are those that go with it. */
  | { readonly type: "tries"; readonly command: string; readonly kept: number; readonly of: number; readonly words: string; readonly tries: readonly TryReport[] }
  /** Said to the model by the agent, not by the user. */
  | { readonly type: "note"; readonly text: string }
  /** Older messages were condensed: from here on `messages` stand for all before. */
  | { readonly type: "compacted"; readonly messages: readonly ChatMessage[]; readonly tokensBefore: number; readonly tokensAfter: number }
  | { readonly type: "done"; readonly reason: DoneReason; readonly message: string; readonly steps: number; readonly tokens: number; readonly durationMs: number }
  | { readonly type: "error"; readonly error: WireError };

const PLAN_NOTE = "\n\n(Plan mode: change and run nothing. Read what you need, then answer with a plan as a Markdown task list.)";

/** The message an event adds to the transcript, if any. */
export function messageOf(event: AgentEvent): ChatMessage | undefined {
  switch (event.type) {
    case "system":
      return { role: "system", content: event.text };
    case "user":
      return { role: "user", content: withAttachments(event.text, event.attachments ?? []) + (event.mode === "plan" ? PLAN_NOTE : "") };
    case "note":
      return { role: "user", content: event.text };
    case "assistant":
      return { role: "assistant", content: event.text };
    case "tool-finished":
      return { role: "tool", content: event.result };
    default:
      return undefined;
  }
}

/** The messages a log of events comes to, as they are sent to the model. */
export function transcriptOf(events: Iterable<AgentEvent>): ChatMessage[] {
  let messages: ChatMessage[] = [];
  for (const event of events) {
    const message = messageOf(event);
    if (message) messages.push(message);
    if (event.type === "compacted") messages = [...event.messages];
  }
  return messages;
}
