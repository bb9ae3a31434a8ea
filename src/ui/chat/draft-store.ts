// What is being written survives a reload of the tab. It is kept for this tab alone, and only while it is small enough
// to be written at every key.
import type { Draft } from "./draft.ts";

const KEY = "tabwright-draft";
const KEPT_CHARACTERS = 200_000;
const EMPTY_DRAFT: Draft = { text: "", attachments: [] };

/** Keeps the draft, without attachments that are too long. Where the browser stores nothing it stays in the page only. */
export function keepDraft(draft: Draft, storage: Storage | undefined = tabStorage()): void {
  let room = KEPT_CHARACTERS - draft.text.length;
  const attachments = draft.attachments.filter(({ text = "" }) => {
    room -= text.length;
    return room >= 0;
  });
  try {
    if (draft.text === "" && attachments.length === 0) storage?.removeItem(KEY);
    else storage?.setItem(KEY, JSON.stringify({ text: draft.text.slice(0, KEPT_CHARACTERS), attachments }));
  } catch {
    storage?.removeItem(KEY); // full: better none than an old one
  }
}

/** What was being written before the reload. */
export function keptDraft(storage: Storage | undefined = tabStorage()): Draft {
  const kept = storage?.getItem(KEY);
  if (!kept) return EMPTY_DRAFT;
  try {
    const { text, attachments } = JSON.parse(kept) as Partial<Draft>;
    return typeof text === "string" && Array.isArray(attachments) ? { text, attachments } : EMPTY_DRAFT;
  } catch {
    return EMPTY_DRAFT; // not ours
  }
}

function tabStorage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined; // storage is blocked for this site
  }
}
