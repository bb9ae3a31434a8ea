// A chat as a tree of exchanges: a message of the user and all that followed it. Editing or retrying a message begins
// another exchange beside it, so nothing is ever lost; `head` names the branch that is shown and sent. Plain data, pure
// functions; stored as it is.
import type { AgentEvent } from "./events.ts";

/** A message of the user and all that followed. */
export interface Exchange {
  /** "1", "2", … in the order they were begun. */
  readonly id: string;
  /** The exchange it follows; absent for the first of a branch that starts from nothing. */
  readonly parent?: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly events: readonly AgentEvent[];
}

/** The whole tree. */
export interface Conversation {
  readonly exchanges: readonly Exchange[];
  /** The last exchange of the branch that is shown; absent before the first and after going back to the start. */
  readonly head?: string;
}

export const EMPTY_CONVERSATION: Conversation = { exchanges: [] };

export function exchangeOf(chat: Conversation, id: string | undefined): Exchange | undefined {
  return chat.exchanges.find((exchange) => exchange.id === id);
}

/** The exchanges from the first to `id`, by default to the head. */
export function pathTo(chat: Conversation, id: string | undefined = chat.head): readonly Exchange[] {
  const path: Exchange[] = [];
  for (let at = exchangeOf(chat, id); at; at = exchangeOf(chat, at.parent)) path.unshift(at);
  return path;
}

/** All events of the branch that is shown, in order. */
export function eventsOf(chat: Conversation): AgentEvent[] {
  return pathTo(chat).flatMap(({ events }) => events);
}

/** A new exchange after `parent` (undefined: at the start), which becomes the head. */
export function beginExchange(chat: Conversation, parent: string | undefined, time: number): Conversation {
  const id = String(chat.exchanges.length + 1);
  return { exchanges: [...chat.exchanges, { id, ...(parent === undefined ? {} : { parent }), time, events: [] }], head: id };
}

/** One more event in the head exchange. Streamed words, and streamed output of one call, are kept as one event. */
export function addEvent(chat: Conversation, event: AgentEvent): Conversation {
  return { ...chat, exchanges: chat.exchanges.map((exchange) => (exchange.id === chat.head ? { ...exchange, events: joined(exchange.events, event) } : exchange)) };
}

function joined(events: readonly AgentEvent[], event: AgentEvent): readonly AgentEvent[] {
  const last = events.at(-1);
  if (event.type === "text" && last?.type === "text") return [...events.slice(0, -1), { ...last, text: last.text + event.text }];
  if (event.type === "tool-output" && last?.type === "tool-output" && last.id === event.id) return [...events.slice(0, -1), { ...last, text: last.text + event.text }];
  return [...events, event];
}

/** The exchanges that stand where `id` stands, itself included, oldest first. */
export function alternativesTo(chat: Conversation, id: string): readonly string[] {
  const parent = exchangeOf(chat, id)?.parent;
  return chat.exchanges.filter((exchange) => exchange.parent === parent).map((exchange) => exchange.id);
}

/** Shows the branch through `id`, down to its newest end. */
export function switchTo(chat: Conversation, id: string): Conversation {
  let head = id;
  for (;;) {
    const next = chat.exchanges.findLast(({ parent }) => parent === head);
    if (!next) return { ...chat, head };
    head = next.id;
  }
}

/** Ends the shown branch at `id`, or before the first exchange; what followed stays in the tree. */
export function rewindTo(chat: Conversation, id: string | undefined): Conversation {
  return { exchanges: chat.exchanges, ...(id === undefined ? {} : { head: id }) };
}

/** The first words of the first message: what a list of chats shows. */
export function titleOf(chat: Conversation): string {
  for (const { events } of chat.exchanges) {
    const first = events.find((event) => event.type === "user");
    if (first?.type === "user") return first.text.trim().replace(/\s+/g, " ").slice(0, 80);
  }
  return "";
}
