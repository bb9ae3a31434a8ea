// Everything that happens while the agent works, as plain structured-cloneable data. The transcript is what these
// events reduce to, so a stored event log is a chat that can be shown again and gone on with.
import type { WireError } from "../base/wire.ts";
import type { ChatMessage, GenerationStats } from "../engine/api.ts";
import type { TestReport } from "./test-report.ts";

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
  | { readonly type: "user"; readonly text: string }
  | { readonly type: "prefill"; readonly doneTokens: number; readonly totalTokens: number }
  /** Words for the user, as they stream; the text of a tool call is not among them. */
  | { readonly type: "text"; readonly text: string }
  /** A call is being written: its name, then its arguments as they come. */
  | { readonly type: "call-streaming"; readonly name: string; readonly argument: string; readonly text: string }
  | { readonly type: "stats"; readonly stats: GenerationStats }
  /** A whole turn of the model, raw: what the transcript keeps. */
  | { readonly type: "assistant"; readonly text: string }
  | { readonly type: "tool-started"; readonly call: ToolCall }
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
  /** Said to the model by the agent, not by the user. */
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "done"; readonly reason: DoneReason; readonly message: string; readonly steps: number; readonly tokens: number; readonly durationMs: number }
  | { readonly type: "error"; readonly error: WireError };

/** The message an event adds to the transcript, if any. */
export function messageOf(event: AgentEvent): ChatMessage | undefined {
  switch (event.type) {
    case "system":
      return { role: "system", content: event.text };
    case "user":
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
  return [...events].flatMap((event) => messageOf(event) ?? []);
}
