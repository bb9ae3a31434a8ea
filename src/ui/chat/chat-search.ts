// Finds old chats by what was said in them. The words of each chat are put together once, when the list is opened; a
// search is then one look through each. Pure.
import type { Conversation } from "../../agent/conversation.ts";

/** What the search needs of a stored chat. */
export interface SearchedChat {
  readonly id: string;
  readonly title: string;
  readonly conversation: Conversation;
}

/** A chat with all its words as one text, and that in lower case. */
export interface IndexedChat<T extends SearchedChat> {
  readonly chat: T;
  readonly text: string;
  readonly lower: string;
}

/** A chat that has all the words looked for. */
export interface ChatHit<T extends SearchedChat> {
  readonly chat: T;
  /** The words around the first hit in the text; absent when only the title has it. */
  readonly snippet?: string;
}

/** A part of a text, and whether it is one of the words looked for. */
export interface MarkedPart {
  readonly text: string;
  readonly hit: boolean;
}

const SNIPPET_BEFORE = 50;
const SNIPPET_CHARACTERS = 160;

/** All that was said in any branch of each chat, ready to be searched. */
export function indexChats<T extends SearchedChat>(chats: readonly T[]): readonly IndexedChat<T>[] {
  return chats.map((chat) => {
    const words = chat.conversation.exchanges.flatMap(({ events }) => events.flatMap((event) => (event.type === "user" || event.type === "text" ? [event.text] : [])));
    const text = words.join("\n");
    return { chat, text, lower: text.toLowerCase() };
  });
}

/** The chats that hold all words of the query, those with one in the title first; all of them for an empty query. */
export function searchChats<T extends SearchedChat>(index: readonly IndexedChat<T>[], query: string): readonly ChatHit<T>[] {
  const words = wordsOf(query);
  if (words.length === 0) return index.map(({ chat }) => ({ chat }));
  const [titled, others]: [ChatHit<T>[], ChatHit<T>[]] = [[], []];
  for (const { chat, text, lower } of index) {
    const title = chat.title.toLowerCase();
    if (!words.every((word) => title.includes(word) || lower.includes(word))) continue;
    const at = words.map((word) => lower.indexOf(word)).find((found) => found >= 0);
    const hit: ChatHit<T> = at === undefined ? { chat } : { chat, snippet: snippetAt(text, at) };
    (words.some((word) => title.includes(word)) ? titled : others).push(hit);
  }
  return [...titled, ...others];
}

/** The text cut at the words of the query. */
export function markHits(text: string, query: string): readonly MarkedPart[] {
  const words = wordsOf(query);
  if (words.length === 0) return [{ text, hit: false }];
  const pattern = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).sort((a, b) => b.length - a.length).join("|"), "gi");
  const parts: MarkedPart[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > from) parts.push({ text: text.slice(from, match.index), hit: false });
    parts.push({ text: match[0], hit: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), hit: false });
  return parts;
}

function wordsOf(query: string): readonly string[] {
  return [...new Set(query.toLowerCase().split(/\s+/).filter(Boolean))];
}

function snippetAt(text: string, at: number): string {
  const from = Math.max(0, at - SNIPPET_BEFORE);
  const part = text.slice(from, from + SNIPPET_CHARACTERS).replace(/\s+/g, " ").trim();
  return `${from > 0 ? "… " : ""}${part}${from + SNIPPET_CHARACTERS < text.length ? " …" : ""}`;
}
