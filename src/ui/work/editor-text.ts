// Between a file's text and the editor's document. The editor knows one kind of line end and no byte order mark, the file
// may have others: what was not edited comes back exactly as it was. And two people's edits become one. Pure.
import { diffLines } from "../../project/diff.ts";
import { lineEnding } from "../../project/text.ts";

const BOM = "\ufeff";

/** What the editor shows: `\n` between lines, no byte order mark. A lone `\r` stays a character. */
export function toDocument(text: string): string {
  return (text.startsWith(BOM) ? text.slice(1) : text).replaceAll("\r\n", "\n");
}

/** The edited document as text of the file: lines that are still there keep their ends, new ones end as most of the file does. */
export function fromDocument(original: string, doc: string): string {
  const bom = original.startsWith(BOM) ? BOM : "";
  const body = original.slice(bom.length);
  if (!body.includes("\r\n")) return bom + doc;
  if (!/(?:^|[^\r])\n/.test(body)) return bom + doc.replaceAll("\n", "\r\n");
  const before = splitLines(body);
  const ending = lineEnding(body);
  const lines = diffLines(before.map((line) => line.replace(/\r\n$/, "\n")), splitLines(doc)).filter(({ kind }) => kind !== "removed");
  return bom + lines.map((line) => (line.before === undefined ? line.text.replace(/\n$/, ending) : before[line.before - 1]!)).join("");
}

/** One replacement; offsets are of the text before all of them. */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** What turns one document into another, line by line, so that a cursor elsewhere stays where it is. */
export function replacements(before: string, after: string): readonly Replacement[] {
  return lineEdits(before, after).map(({ at, end, lines }) => ({ from: at.offset, to: end.offset, insert: lines.join("") }));
}

/** Both texts in one, or the finding that the user has to decide. */
export type Merge = { readonly text: string; readonly conflict: false } | { readonly conflict: true };

/** Both sides' changes in one document; a conflict where they touch the same or neighbouring lines in different ways. */
export function mergeEdits(base: string, mine: string, theirs: string): Merge {
  if (mine === theirs || base === theirs) return { text: mine, conflict: false };
  if (base === mine) return { text: theirs, conflict: false };
  const ours = lineEdits(base, mine);
  const others = lineEdits(base, theirs).filter((edit) => !ours.some((own) => sameEdit(own, edit)));
  if (others.some((edit) => ours.some((own) => edit.at.line <= own.end.line && own.at.line <= edit.end.line))) return { conflict: true };
  let text = base;
  for (const edit of [...ours, ...others].sort((a, b) => b.at.line - a.at.line)) text = text.slice(0, edit.at.offset) + edit.lines.join("") + text.slice(edit.end.offset);
  return { text, conflict: false };
}

interface Position {
  /** Lines before it. */
  readonly line: number;
  readonly offset: number;
}

interface LineEdit {
  readonly at: Position;
  readonly end: Position;
  readonly lines: readonly string[];
}

function lineEdits(before: string, after: string): LineEdit[] {
  const edits: { at: Position; end: Position; lines: string[] }[] = [];
  let here: Position = { line: 0, offset: 0 };
  let current: { at: Position; end: Position; lines: string[] } | undefined;
  for (const line of diffLines(splitLines(before), splitLines(after))) {
    if (line.kind === "same") current = undefined;
    else if (!current) {
      current = { at: here, end: here, lines: [] };
      edits.push(current);
    }
    if (line.kind === "added") current?.lines.push(line.text);
    else here = { line: here.line + 1, offset: here.offset + line.text.length };
    if (current && line.kind === "removed") current.end = here;
  }
  return edits;
}

function sameEdit(a: LineEdit, b: LineEdit): boolean {
  return a.at.line === b.at.line && a.end.line === b.end.line && a.lines.join("") === b.lines.join("");
}

/** With their ends; "" has no lines. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
