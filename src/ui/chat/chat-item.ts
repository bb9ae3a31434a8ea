// What the chat shows, as plain data: it is derived from the agent's events and can be stored as it is.
import type { Attachment } from "../../agent/attachment.ts";
import type { DoneReason } from "../../agent/events.ts";
import type { TryReport } from "../../agent/tries.ts";
import type { ChatMessage } from "../../engine/api.ts";

/** How far a tool call is; `stopped` by the user. */
export type ToolState = "running" | "done" | "failed" | "stopped";

/** One thing in the chat, in the order it came. `id` is its place in the chat. */
export type ChatItem =
  | {
      readonly kind: "user";
      readonly id: number;
      readonly text: string;
      readonly attachments: readonly Attachment[];
      /** The exchange it opens; empty while it is not known. */
      readonly exchange: string;
      /** The exchanges that stand in its place, itself included; more than one after an edit or a retry. */
      readonly alternatives: readonly string[];
    }
  | { readonly kind: "assistant"; readonly id: number; readonly text: string; readonly streaming: boolean; /** The model's name, where there are two. */ readonly by?: string }
  | {
      readonly kind: "tool";
      readonly id: number;
      readonly tool: string;
      /** What it acts on: a path or a command. */
      readonly target: string;
      readonly state: ToolState;
      readonly detail: string;
      readonly durationMs: number;
      /** "3 passed, 1 failed", "+1 −1": shown beside the target. */
      readonly summary: string;
      /** The name of the model that called, where there are two. */
      readonly by?: string;
    }
  /** Edits that are tried: the one at work, and when it is over all of them. */
  | { readonly kind: "tries"; readonly id: number; readonly number: number; readonly of: number; readonly phase: "draw" | "test" | "done" | "stopped"; readonly kept: number; readonly command: string; readonly tries: readonly TryReport[] }
  /** Older messages were condensed. */
  | { readonly kind: "compacted"; readonly id: number; readonly messages: readonly ChatMessage[]; readonly tokensBefore: number; readonly tokensAfter: number }
  | { readonly kind: "note"; readonly id: number; readonly tone: "info" | "good" | "bad"; readonly title: string; readonly text: string; /** How the exchange ended, where the note says so. */ readonly ended?: DoneReason };
