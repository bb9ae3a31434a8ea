// What the chat shows, as plain data: it is derived from the agent's events and can be stored as it is.

export type ToolState = "running" | "done" | "failed" | "stopped";

export type ChatItem =
  | { readonly kind: "user"; readonly id: number; readonly text: string }
  | { readonly kind: "assistant"; readonly id: number; readonly text: string; readonly streaming: boolean }
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
    }
  | { readonly kind: "note"; readonly id: number; readonly tone: "info" | "good" | "bad"; readonly title: string; readonly text: string };
