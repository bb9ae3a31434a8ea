// What is being written, and what was sent and waits its turn, survive a reload of the tab. Both are kept for this tab alone.
import type { QueuedMessage } from "../session/session-state.ts";
import type { Draft } from "./draft.ts";

/** A draft is written at every key. */
const KEPT_CHARACTERS = 200_000;
const EMPTY_DRAFT: Draft = { text: "", attachments: [] };

/** Keeps the draft of a session, without attachments that are too long. Where the browser stores nothing it stays in the page only. */
export function keepDraft(session: string, draft: Draft, storage: Storage | undefined = tabStorage()): void {
  let room = KEPT_CHARACTERS - draft.text.length;
  const attachments = draft.attachments.filter(({ text = "" }) => {
    room -= text.length;
    return room >= 0;
  });
  write(`draft ${session}`, draft.text === "" && attachments.length === 0 ? undefined : { text: draft.text.slice(0, KEPT_CHARACTERS), attachments }, storage);
}

/** What was being written before the reload. */
export function keptDraft(session: string, storage: Storage | undefined = tabStorage()): Draft {
  const kept = read(`draft ${session}`, storage);
  return isMessage(kept) ? kept : EMPTY_DRAFT;
}

/** Keeps the messages of a session that wait, whole or, where they are more than the browser takes, not at all. */
export function keepQueue(session: string, queue: readonly QueuedMessage[], storage: Storage | undefined = tabStorage()): void {
  write(`queue ${session}`, queue.length === 0 ? undefined : queue, storage);
}

/** The messages that waited when the page was left. */
export function keptQueue(session: string, storage: Storage | undefined = tabStorage()): readonly QueuedMessage[] {
  const kept = read(`queue ${session}`, storage);
  return Array.isArray(kept) && kept.every(isMessage) ? (kept as readonly QueuedMessage[]) : [];
}

function isMessage(value: unknown): value is Draft {
  const { text, attachments } = (value ?? {}) as Partial<Draft>;
  return typeof text === "string" && Array.isArray(attachments);
}

function write(key: string, value: unknown, storage: Storage | undefined): void {
  try {
    if (value === undefined) storage?.removeItem(`tabwright ${key}`);
    else storage?.setItem(`tabwright ${key}`, JSON.stringify(value));
  } catch {
    storage?.removeItem(`tabwright ${key}`); // full: better none than an old one
  }
}

function read(key: string, storage: Storage | undefined): unknown {
  try {
    return JSON.parse(storage?.getItem(`tabwright ${key}`) ?? "null");
  } catch {
    return undefined; // not ours
  }
}

function tabStorage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined; // storage is blocked for this site
  }
}
