// The items of a chat by turn: a message of the user and all that followed it. Pure.
import type { ChatItem } from "./chat-item.ts";
import type { Source } from "./markdown-text.ts";

/** A message of the user and what followed it. */
export interface Turn {
  /** Stays while the turn grows, and differs between branches. */
  readonly key: string;
  /** Empty for what stands before the first message, and while it is not known. */
  readonly exchange: string;
  readonly items: readonly ChatItem[];
  /** What its answer may cite, numbered from 1: the message's attachments. */
  readonly sources: readonly Source[];
  /** The assistant's words, for copying. */
  readonly text: string;
  /** Whether it was stopped, or ran into a limit, so that it could go on. */
  readonly unfinished: boolean;
}

/** The turns, oldest first; what stands before the first message is a turn of its own. */
export function turnsOf(items: readonly ChatItem[]): readonly Turn[] {
  const turns: ChatItem[][] = [];
  for (const item of items) {
    if (item.kind === "user" || turns.length === 0) turns.push([item]);
    else turns.at(-1)?.push(item);
  }
  return turns.map(turnOf);
}

function turnOf(items: readonly ChatItem[]): Turn {
  const [first] = items;
  const user = first?.kind === "user" ? first : undefined;
  const last = items.findLast((item) => item.kind !== "compacted");
  return {
    key: `${first?.id ?? 0} ${user?.exchange ?? ""}`,
    exchange: user?.exchange ?? "",
    items,
    sources: user?.attachments ?? [],
    text: items.flatMap((item) => (item.kind === "assistant" ? [item.text.trim()] : [])).join("\n\n"),
    unfinished: last?.kind === "note" && (last.ended === "stopped" || last.ended === "limit"),
  };
}
