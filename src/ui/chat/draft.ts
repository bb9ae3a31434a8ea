// What is being written: words and what goes with them. Files are named only; their text is taken when the message is
// sent, so that it is the newest.
import type { Attachment } from "../../agent/attachment.ts";

/** An attachment whose text may still be to come: of a file of the project, or of the editor's selection. */
export type DraftAttachment = Omit<Attachment, "text"> & { readonly text?: string };

/** A message before it is sent. */
export interface Draft {
  readonly text: string;
  readonly attachments: readonly DraftAttachment[];
}

/** Text pasted longer than this becomes an attachment: the field stays readable. */
export const PASTE_CHARACTERS = 4_096;
/** The most that one attached file may hold. */
export const ATTACHED_BYTES = 2_000_000;
/** Characters of a token, roughly: enough to warn by. */
const TOKEN_CHARACTERS = 3.5;

/** With one more attachment; the same file or selection is attached once. */
export function attached(list: readonly DraftAttachment[], added: DraftAttachment): readonly DraftAttachment[] {
  const same = (other: DraftAttachment): boolean => other.kind === added.kind && other.path === added.path && (added.kind === "selection" || added.path !== undefined);
  return list.some(same) ? list : [...list, added];
}

/** A guess at how many tokens so many characters are. */
export function guessTokens(characters: number): number {
  return Math.ceil(characters / TOKEN_CHARACTERS);
}

/** Tokens an answer needs at least. */
export const ANSWER_TOKENS = 256;

/** The context of the model: how much of it the conversation takes, and how much there is. */
export interface Budget {
  readonly usedTokens: number;
  readonly limitTokens: number;
}

/** Would a message of so many tokens leave too little room for an answer? False while the context is unknown. */
export function overflows(budget: Budget | undefined, draftTokens: number): boolean {
  return budget !== undefined && draftTokens > 0 && budget.usedTokens + draftTokens + ANSWER_TOKENS > budget.limitTokens;
}

/** Why a dropped or chosen file cannot go with a message. */
export type Refusal = { readonly name: string; readonly reason: "large" | "binary" };

/** The files as attachments; what is no text, or too much of it, is refused by name. */
export async function readFiles(files: Iterable<File>): Promise<{ readonly attachments: readonly DraftAttachment[]; readonly refused: readonly Refusal[] }> {
  const attachments: DraftAttachment[] = [];
  const refused: Refusal[] = [];
  for (const file of files) {
    if (file.size > ATTACHED_BYTES) {
      refused.push({ name: file.name, reason: "large" });
      continue;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const text = textOf(bytes);
    if (text === undefined) refused.push({ name: file.name, reason: "binary" });
    else attachments.push({ kind: "text", title: file.name, text });
  }
  return { attachments, refused };
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.subarray(0, 8_000).includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined; // not UTF-8: no text that the model could read
  }
}
