// What changed between two states of a project, as data; patch.ts prints it. Lines are compared with Myers' algorithm
// (E. W. Myers, "An O(ND) Difference Algorithm", 1986).
import { changedPaths } from "./changed-paths.ts";
import { decodeText } from "./text.ts";
import type { FileTree } from "./tree.ts";

export interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
  /** Line numbers from 1; absent on the side that has no such line. */
  readonly before?: number;
  readonly after?: number;
}

export interface FileDiff {
  readonly path: string;
  readonly status: "added" | "removed" | "changed";
  /** Absent for binary files and for files too large to compare by line. */
  readonly lines?: readonly DiffLine[];
  readonly added: number;
  readonly removed: number;
}

/** The differences of all files that differ, sorted by path. */
export function diffTrees(before: FileTree, after: FileTree): FileDiff[] {
  return changedPaths(before, after).map((path) => diffFile(path, before.get(path), after.get(path)));
}

/** Lines of both sides together past which a file is reported without its lines. */
const COMPARED_LINES = 100_000;

export function diffFile(path: string, before: Uint8Array | undefined, after: Uint8Array | undefined): FileDiff {
  const status = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  const [a, b] = [before ? decodeText(before) : "", after ? decodeText(after) : ""];
  if (a === undefined || b === undefined) return { path, status, added: 0, removed: 0 };
  const [left, right] = [splitLines(a), splitLines(b)];
  if (left.length + right.length > COMPARED_LINES) return { path, status, added: right.length, removed: left.length };
  const lines = diffLines(left, right);
  return { path, status, lines, added: lines.filter(({ kind }) => kind === "added").length, removed: lines.filter(({ kind }) => kind === "removed").length };
}

/** Lines with their ends, so that a missing final newline is a difference; "" has no lines. */
function splitLines(text: string): string[] {
  return text === "" ? [] : text.match(/[^\n]*\n|[^\n]+$/g)!;
}

/** The shortest way from one list to the other, removals before additions. Texts keep their line ends. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const kept = matches(before.slice(start, before.length - end), after.slice(start, after.length - end));
  const pairs: (readonly [number, number])[] = [
    ...Array.from({ length: start }, (_, i) => [i, i] as const),
    ...kept.map(([x, y]) => [x + start, y + start] as const),
    ...Array.from({ length: end }, (_, i) => [before.length - end + i, after.length - end + i] as const),
    [before.length, after.length],
  ];
  const lines: DiffLine[] = [];
  let [x, y] = [0, 0];
  for (const [toX, toY] of pairs) {
    while (x < toX) lines.push({ kind: "removed", text: before[x]!, before: ++x });
    while (y < toY) lines.push({ kind: "added", text: after[y]!, after: ++y });
    if (x < before.length && y < after.length) lines.push({ kind: "same", text: before[x]!, before: ++x, after: ++y });
  }
  return lines;
}

/** Differences past which the search gives up and calls the whole region changed: time and memory grow with its square. */
const MAX_EDITS = 2_000;

/** Index pairs of equal lines on a shortest path, in order. */
function matches(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const trace: Int32Array[] = [];
  const limit = Math.min(a.length + b.length, MAX_EDITS);
  for (let d = 0; d <= limit; d++) {
    // ends[k + d]: the furthest x on diagonal k = x - y that d edits reach.
    const ends = new Int32Array(2 * d + 1);
    const last = trace.at(-1);
    for (let k = -d; k <= d; k += 2) {
      const fromAbove = d > 0 && (k === -d || (k !== d && last![k - 1 + d - 1]! < last![k + 1 + d - 1]!));
      let x = d === 0 ? 0 : fromAbove ? last![k + 1 + d - 1]! : last![k - 1 + d - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      ends[k + d] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(a.length, b.length, [...trace, ends]);
    }
    trace.push(ends);
  }
  return [];
}

function walkBack(endX: number, endY: number, trace: readonly Int32Array[]): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  let [x, y] = [endX, endY];
  for (let d = trace.length - 1; d >= 0; d--) {
    const k = x - y;
    const last = trace[d - 1];
    const fromAbove = d > 0 && (k === -d || (k !== d && last![k - 1 + d - 1]! < last![k + 1 + d - 1]!));
    const previousX = d === 0 ? 0 : fromAbove ? last![k + 1 + d - 1]! : last![k - 1 + d - 1]!;
    const previousY = d === 0 ? 0 : previousX - (fromAbove ? k + 1 : k - 1);
    const snakeX = d === 0 || fromAbove ? previousX : previousX + 1;
    while (x > snakeX) found.push([--x, --y]);
    [x, y] = [previousX, previousY];
  }
  return found.reverse();
}

const CONTEXT = 3;

/** The changed lines with three lines around them; groups that touch are one. */
export function hunksOf(lines: readonly DiffLine[]): DiffLine[][] {
  const hunks: DiffLine[][] = [];
  let until = -1;
  for (const [i, line] of lines.entries()) {
    if (line.kind === "same") continue;
    const from = Math.max(i - CONTEXT, until);
    const to = Math.min(i + CONTEXT + 1, lines.length);
    if (i - CONTEXT > until || hunks.length === 0) hunks.push(lines.slice(Math.max(0, i - CONTEXT), to));
    else hunks.at(-1)!.push(...lines.slice(from, to));
    until = to;
  }
  return hunks;
}
