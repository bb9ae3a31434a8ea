// Finds the place an edit means. Tries exact text first, then ever more tolerant readings, and stops at the first one
// that finds anything: two places are never chosen between, they are reported. Untouched bytes stay as they were.
// Positions are in the text with `\n` line endings; edit.ts maps them back.

export type Matcher = "exact" | "trailing-space" | "indentation" | "whitespace" | "similar";

/** How a tolerant match is reported: "Edited src/a.js (matched ignoring indentation)." */
export const MATCHER_WORDS: Readonly<Record<Matcher, string>> = {
  exact: "exactly",
  "trailing-space": "ignoring trailing spaces",
  indentation: "ignoring indentation",
  whitespace: "ignoring white space",
  similar: "by its first and last line",
};

export interface Span {
  readonly start: number;
  readonly end: number;
  /** What goes there: the new text, re-indented where the match was. */
  readonly replacement: string;
}

export type Placement =
  | { readonly found: "one"; readonly matcher: Matcher; readonly spans: readonly Span[] }
  /** `lines`: where the places begin, from 1. */
  | { readonly found: "many"; readonly matcher: Matcher; readonly lines: readonly number[] }
  | { readonly found: "none" };

interface Line {
  readonly text: string;
  readonly start: number;
}

/** Below this average likeness of the lines between the anchors, a block is another block. */
const SIMILAR_ENOUGH = 0.8;

export function placeEdit(text: string, oldText: string, newText: string, replaceAll: boolean): Placement {
  const rungs: readonly [Matcher, () => Span[]][] = [
    ["exact", () => exactSpans(text, oldText, newText, replaceAll)],
    ["trailing-space", () => lineSpans(text, oldText, newText, (line) => line.trimEnd())],
    ["indentation", () => indentationSpans(text, oldText, newText)],
    ["whitespace", () => whitespaceSpans(text, oldText, newText)],
    ["similar", () => similarSpans(text, oldText, newText)],
  ];
  for (const [matcher, find] of rungs) {
    const spans = find();
    if (spans.length === 0) continue;
    if (spans.length === 1 || (replaceAll && matcher !== "similar" && !overlap(spans))) return { found: "one", matcher, spans };
    return { found: "many", matcher, lines: spans.map(({ start }) => lineOf(text, start)) };
  }
  return { found: "none" };
}

export function lineOf(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

function overlap(spans: readonly Span[]): boolean {
  return spans.some((span, i) => i > 0 && span.start < spans[i - 1]!.end);
}

function linesOf(text: string): Line[] {
  let start = 0;
  return text.split("\n").map((line) => {
    const at = start;
    start += line.length + 1;
    return { text: line, start: at };
  });
}

/** Every occurrence, overlapping ones too, so that "unique" means unique; one after the other for replace_all. */
function exactSpans(text: string, oldText: string, newText: string, replaceAll: boolean): Span[] {
  if (oldText === "") return [];
  const spans: Span[] = [];
  for (let at = text.indexOf(oldText); at >= 0; at = text.indexOf(oldText, at + (replaceAll ? oldText.length : 1))) {
    spans.push({ start: at, end: at + oldText.length, replacement: newText });
  }
  return spans;
}

/** Old and new text without the blank lines around them: models add those. */
function trimBlankLines(text: string): string[] {
  const lines = text.split("\n");
  while (lines.length > 0 && lines[0]!.trim() === "") lines.shift();
  while (lines.length > 0 && lines.at(-1)!.trim() === "") lines.pop();
  return lines;
}

/** Whole lines equal after `view`. */
function lineSpans(text: string, oldText: string, newText: string, view: (line: string) => string): Span[] {
  const wanted = trimBlankLines(oldText).map(view);
  const replacement = trimBlankLines(newText).join("\n");
  return blocks(text, wanted.length, (line, i) => view(line) === wanted[i]).map((block) => ({ ...extent(block), replacement }));
}

/** Equal but for the indentation that all lines share; the new text gets the file's. */
function indentationSpans(text: string, oldText: string, newText: string): Span[] {
  const wanted = trimBlankLines(oldText);
  const replacement = trimBlankLines(newText);
  const remove = sharedIndent(wanted);
  const bare = wanted.map((line) => line.slice(remove.length).trimEnd());
  const trimmed = bare.map((line) => line.trim());
  return blocks(text, wanted.length, (line, i) => line.trim() === trimmed[i]).flatMap((block) => {
    const indent = sharedIndent(block.map((line) => line.text));
    if (!block.every((line, i) => line.text.slice(indent.length).trimEnd() === bare[i])) return [];
    const shift = shiftBetween(remove, indent);
    return [{ ...extent(block), replacement: replacement.map((line) => applyShift(line, shift)).join("\n") }];
  });
}

/** The words in their order, any white space between them. The new text moves with its first line. */
function whitespaceSpans(text: string, oldText: string, newText: string): Span[] {
  const words = oldText.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return [];
  const body = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("\\s+");
  const edge = (word: string, at: number) => (/\w/.test(word.at(at)!) ? "\\b" : "");
  const pattern = new RegExp(`${edge(words[0]!, 0)}${body}${edge(words.at(-1)!, -1)}`, "g");
  const given = trimBlankLines(newText);
  const oldIndent = indentOf(trimBlankLines(oldText)[0]!);
  return [...text.matchAll(pattern)].map((match) => {
    const lineStart = text.lastIndexOf("\n", match.index - 1) + 1;
    const shift = shiftBetween(oldIndent, indentOf(text.slice(lineStart, match.index)));
    const first = given[0]?.trimStart() ?? "";
    const rest = given.slice(1).map((line) => applyShift(line, shift));
    return { start: match.index, end: match.index + match[0].length, replacement: [first, ...rest].join("\n") };
  });
}

/** First and last line equal, the lines between alike. Of several alike places none is taken. */
function similarSpans(text: string, oldText: string, newText: string): Span[] {
  const wanted = trimBlankLines(oldText);
  if (wanted.length < 3) return [];
  const replacement = trimBlankLines(newText);
  const lines = linesOf(text);
  const first = wanted[0]!.trim();
  const last = wanted.at(-1)!.trim();
  const found: Span[] = [];
  for (let from = 0; from < lines.length; from++) {
    if (lines[from]!.text.trim() !== first) continue;
    for (const count of [wanted.length, wanted.length - 1, wanted.length + 1]) {
      const window = lines.slice(from, from + count);
      if (count < 3 || window.length < count || window.at(-1)!.text.trim() !== last) continue;
      const inner = window.slice(1, -1).map((line) => line.text);
      if (likeness(wanted.slice(1, -1), inner) < SIMILAR_ENOUGH) continue;
      const shift = shiftBetween(sharedIndent(wanted), sharedIndent(window.map((line) => line.text)));
      found.push({ ...extent(window), replacement: replacement.map((line) => applyShift(line, shift)).join("\n") });
      break;
    }
  }
  return found;
}

/** Every run of `count` lines that all fit. */
function blocks(text: string, count: number, fits: (line: string, index: number) => boolean): Line[][] {
  const lines = linesOf(text);
  const found: Line[][] = [];
  if (count === 0) return found;
  for (let from = 0; from + count <= lines.length; from++) {
    let fitting = 0;
    while (fitting < count && fits(lines[from + fitting]!.text, fitting)) fitting++;
    if (fitting === count) found.push(lines.slice(from, from + count));
  }
  return found;
}

function extent(block: readonly Line[]): { start: number; end: number } {
  const last = block.at(-1)!;
  return { start: block[0]!.start, end: last.start + last.text.length };
}

interface Shift {
  readonly add: string;
  readonly remove: string;
}

function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)![0];
}

/** What turns one indentation into the other, as little as does. */
function shiftBetween(from: string, to: string): Shift {
  let same = 0;
  while (same < Math.min(from.length, to.length) && from.at(-1 - same) === to.at(-1 - same)) same++;
  return { add: to.slice(0, to.length - same), remove: from.slice(0, from.length - same) };
}

/** The white space that every line that is not blank begins with. */
function sharedIndent(lines: readonly string[]): string {
  const indents = lines.filter((line) => line.trim() !== "").map(indentOf);
  let shared = indents[0] ?? "";
  for (const indent of indents) while (!indent.startsWith(shared)) shared = shared.slice(0, -1);
  return shared;
}

function applyShift(line: string, shift: Shift): string {
  if (line.trim() === "") return line.trim();
  return shift.add + (line.startsWith(shift.remove) ? line.slice(shift.remove.length) : line.trimStart());
}

/** Average likeness of lines, 0 to 1; lists of different length are compared in order as far as both go. */
function likeness(a: readonly string[], b: readonly string[]): number {
  const length = Math.max(a.length, b.length);
  if (length === 0) return 1;
  let sum = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) sum += lineLikeness(a[i]!.trim(), b[i]!.trim());
  return sum / length;
}

/** Dice's coefficient over pairs of neighbouring characters: cheap, and kind to a changed word. */
function lineLikeness(a: string, b: string): number {
  if (a === b) return 1;
  if (a.length < 2 || b.length < 2) return 0;
  const pairs = new Map<string, number>();
  for (let i = 0; i < a.length - 1; i++) pairs.set(a.slice(i, i + 2), (pairs.get(a.slice(i, i + 2)) ?? 0) + 1);
  let shared = 0;
  for (let i = 0; i < b.length - 1; i++) {
    const left = pairs.get(b.slice(i, i + 2)) ?? 0;
    if (left === 0) continue;
    pairs.set(b.slice(i, i + 2), left - 1);
    shared++;
  }
  return (2 * shared) / (a.length + b.length - 2);
}

/** Lines shown when nothing matched. */
const NEAREST_LINES = 20;
/** Places that are compared in full: those whose lines look most like the longest line looked for. */
const NEAREST_PLACES = 20;

/** The region most like `oldText`, each line with its number (from 1), at most 20 lines; "" for an empty file. */
export function nearestLines(text: string, oldText: string): string {
  if (text === "") return "";
  const lines = text.replace(/\n$/, "").split("\n");
  const wanted = trimBlankLines(oldText).slice(0, NEAREST_LINES);
  const anchor = wanted.reduce((best, line, i) => (line.trim().length > (wanted[best] ?? "").trim().length ? i : best), 0);
  const places = lines
    .map((line, at) => ({ at, score: lineLikeness(line.trim().slice(0, 200), (wanted[anchor] ?? "").trim().slice(0, 200)) }))
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, NEAREST_PLACES);
  let best = 0;
  let bestScore = -1;
  for (const { at } of places) {
    const from = Math.max(0, at - anchor);
    const score = likeness(wanted, lines.slice(from, from + wanted.length));
    if (score > bestScore) [best, bestScore] = [from, score];
  }
  const context = Math.floor((NEAREST_LINES - Math.max(1, wanted.length)) / 2);
  const start = Math.max(0, Math.min(best - context, lines.length - NEAREST_LINES));
  return lines.slice(start, start + NEAREST_LINES).map((line, i) => `${start + i + 1}: ${line.slice(0, 300)}`).join("\n");
}
