// An edit of one file's bytes, or the sentence the model gets when it cannot be made. Keeps line endings, byte order
// mark and a missing final newline; refuses binary files, placeholders for code left out, and halves of characters.
import { decodeText, encodeText, hasLoneSurrogate, lineEnding, withLineEnding } from "../project/text.ts";
import { MATCHER_WORDS, type Matcher, nearestLines, placeEdit } from "./edit-ladder.ts";

export interface EditRequest {
  readonly path: string;
  readonly oldText: string;
  readonly newText: string;
  readonly replaceAll: boolean;
}

export type EditOutcome =
  /** `snippet`: the lines as they are now, for matches that were not exact. */
  | { readonly ok: true; readonly text: string; readonly matcher: Matcher; readonly count: number; readonly snippet: string }
  /** `noop`: nothing to do, as opposed to something that could not be done. */
  | { readonly ok: false; readonly noop: boolean; readonly message: string };

/** The file after the edit as text; encode with `encodeText`. */
export function applyEdit(bytes: Uint8Array, request: EditRequest): EditOutcome {
  const { path } = request;
  const original = decodeText(bytes);
  if (original === undefined) return refused(`${path} is a binary file and cannot be edited.`);
  const oldText = withLineEnding(request.oldText, "\n");
  const newText = withLineEnding(request.newText, "\n");
  if (oldText === newText) return { ok: false, noop: true, message: `old_string and new_string are the same. ${path} was not changed.` };
  if (oldText.trim() === "" && original.trim() !== "") {
    return refused(`old_string is empty but ${path} is not. Give the lines to replace, or use write_file.`);
  }
  if (hasLoneSurrogate(newText)) return refused("new_string ends inside a character. Write it again in full.");
  const placeholder = omission(newText, original);
  if (placeholder !== undefined) {
    return refused(`new_string leaves code out ("${placeholder}"). Write every line that shall be in the file.`);
  }

  const text = withLineEnding(original, "\n");
  if (text.trim() === "") return done(newText, original, "exact", 1, "");
  const place = placeEdit(text, oldText, newText, request.replaceAll);
  if (place.found === "none") {
    return refused(`old_string was not found in ${path}. Nearest lines:\n${nearestLines(text, oldText)}`);
  }
  if (place.found === "many") {
    const lines = place.lines.slice(0, 10).join(", ");
    return refused(`old_string matches ${place.lines.length} places in ${path} (lines ${lines}). Add lines around it, or set replace_all.`);
  }
  const ending = lineEnding(original);
  const at = ending === "\n" && !original.includes("\r\n") ? (index: number) => index : originalIndex(original);
  let result = "";
  let from = 0;
  for (const span of place.spans) {
    const [start, end] = [at(span.start), at(span.end)];
    if (splitsCharacter(original, start) || splitsCharacter(original, end)) return refused("old_string begins or ends inside a character.");
    result += original.slice(from, start) + withLineEnding(span.replacement, ending);
    from = end;
  }
  result += original.slice(from);
  if (result === original) return { ok: false, noop: true, message: `The edit changes nothing in ${path}.` };
  return done(result, original, place.matcher, place.spans.length, place.matcher === "exact" ? "" : around(text, place.spans[0]!));
}

/** `Edited src/a.js. Run the tests.` */
export function editReply(path: string, outcome: EditOutcome & { ok: true }): string {
  const how = outcome.matcher === "exact" ? "" : ` (matched ${MATCHER_WORDS[outcome.matcher]})`;
  const times = outcome.count > 1 ? ` in ${outcome.count} places` : "";
  return `Edited ${path}${times}${how}. Run the tests.${outcome.snippet === "" ? "" : `\n${outcome.snippet}`}`;
}

/** What write_file puts into an existing file: its byte order mark, line ending and final newline stay as they were. */
export function rewrite(bytes: Uint8Array | undefined, content: string): Uint8Array {
  const before = bytes ? decodeText(bytes) : undefined;
  const ended = content === "" || content.endsWith("\n") || before?.endsWith("\n") === false ? content : `${content}\n`;
  if (before === undefined) return encodeText(ended);
  const mark = before.startsWith("\ufeff") && !content.startsWith("\ufeff") ? "\ufeff" : "";
  return encodeText(mark + withLineEnding(ended, lineEnding(before)));
}

const COMMENT = String.raw`^\s*(?:\/\/|#|\/\*+|<!--|--|\{\s*\/\*+|\*)\s*`;
const OMISSIONS = [
  new RegExp(`${COMMENT}(?:\\.{3}|…)\\s*(?:\\*\\/|-->|\\}|$)`),
  new RegExp(`${COMMENT}(?:\\.{3}|…).*\\b(?:existing|rest|remaining|remainder|unchanged|same|other|previous|before|code|omitted)\\b`, "i"),
  new RegExp(`${COMMENT}.*\\b(?:existing|rest|remaining|remainder|other|previous)\\b.*(?:unchanged|as before|stays? the same|remains? the same|omitted|\\.{3}|…)`, "i"),
  /^\s*(?:\.{3}|…)\s*$/,
  /^\s*[[(<]?\s*(?:rest|remainder) of (?:the )?(?:code|file|function|methods?)\b.*(?:unchanged|same|here)/i,
];

/** A line that stands for code left out, unless the file has that very line already. */
export function omission(newText: string, before: string): string | undefined {
  const known = new Set(before.split("\n").map((line) => line.trim()));
  return newText.split("\n").map((line) => line.trim()).find((line) => !known.has(line) && OMISSIONS.some((pattern) => pattern.test(line)));
}

function refused(message: string): EditOutcome {
  return { ok: false, noop: false, message };
}

function done(text: string, original: string, matcher: Matcher, count: number, snippet: string): EditOutcome {
  const mark = original.startsWith("\ufeff") && !text.startsWith("\ufeff") ? "\ufeff" : "";
  return { ok: true, text: mark + text, matcher, count, snippet };
}

/** Index in the text with `\n` → index in the original: each `\r\n` before it is one longer. */
function originalIndex(original: string): (index: number) => number {
  const returns: number[] = []; // where, in the `\n` text, an original `\r` was dropped
  for (let at = original.indexOf("\r\n"); at >= 0; at = original.indexOf("\r\n", at + 2)) returns.push(at - returns.length);
  return (index) => {
    let [low, high] = [0, returns.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (returns[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return index + low;
  };
}

function splitsCharacter(text: string, at: number): boolean {
  return /^[\ud800-\udbff]$/.test(text[at - 1] ?? "") && /^[\udc00-\udfff]$/.test(text[at] ?? "");
}

/** The new lines with one line of context on either side, at most 12. */
function around(text: string, span: { start: number; end: number; replacement: string }): string {
  const before = text.slice(0, span.start);
  const lineStart = before.lastIndexOf("\n") + 1;
  const previous = lineStart === 0 ? [] : before.slice(0, lineStart - 1).split("\n").slice(-1);
  const [rest = "", next] = text.slice(span.end).split("\n", 2);
  const middle = (before.slice(lineStart) + span.replacement + rest).split("\n");
  return [...previous, ...middle, ...(next === undefined ? [] : [next])].slice(0, 12).join("\n");
}
