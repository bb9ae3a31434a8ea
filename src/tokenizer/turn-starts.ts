// Where the user's messages begin in a rendered prompt: the places that editing, branching and undo go back to.
import type { ModelTokenizer } from "./tokenizer.ts";

/**
 * Positions in `ids`, in order. Templates open each message with one control token, and what the assistant is to write with
 * another; tools' answers that follow each other share a message (Qwen). A template that does otherwise gives other positions,
 * which cost a little and break nothing.
 */
export function turnStarts(tokenizer: ModelTokenizer, ids: readonly number[], messages: readonly { readonly role: string }[]): readonly number[] {
  const opening = ids.find((id) => tokenizer.special(id)?.kind === "control");
  if (opening === undefined) return [];
  const starts = ids.flatMap((id, at) => (id === opening ? [at] : []));
  const blocks = messages.filter(({ role }, i) => role !== "tool" || messages[i - 1]?.role !== "tool");
  const first = starts.length - 1 - blocks.length;
  return blocks.flatMap(({ role }, i) => (role === "user" && starts[first + i] !== undefined ? [starts[first + i]!] : []));
}
