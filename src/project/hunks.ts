// A file's difference in pieces that can be judged one by one. Rejecting a hunk puts the lines of the text before back,
// byte for byte: line ends, byte order mark and a missing final newline included. Pure.
import { type DiffLine, diffFile, type FileDiff, hunksOf } from "./diff.ts";
import { encodeText } from "./text.ts";
import type { FileTree } from "./tree.ts";

/** A piece of a file's difference that is accepted or rejected as one. */
export interface Hunk {
  /** Changed lines with up to three lines around them. */
  readonly lines: readonly DiffLine[];
  /**
   * Names what changed and where in the text before, so it outlives changes elsewhere in the file. Where equal lines let
   * the difference be read another way, the key is new and the hunk open again: never the other way round.
   */
  readonly key: string;
}

/** A file to be written, or removed where `bytes` is undefined. */
export interface FileEdit {
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
}

const SIGNS = { same: " ", removed: "-", added: "+" } as const;

/** In order. Empty for a file without lines to show (binary, very large, empty): such a file is judged whole, by `fileKey`. */
export function fileHunks(diff: FileDiff): readonly Hunk[] {
  const known = hunksByDiff.get(diff);
  if (known) return known;
  const hunks = findHunks(diff);
  hunksByDiff.set(diff, hunks);
  return hunks;
}

/** A difference never changes, and its hunks are asked for whenever the page is drawn. */
const hunksByDiff = new WeakMap<FileDiff, readonly Hunk[]>();

function findHunks(diff: FileDiff): readonly Hunk[] {
  let beforeLine = 1;
  let at = 0;
  const all = diff.lines ?? [];
  return hunksOf(all).map((lines) => {
    const first = lines.findIndex(({ kind }) => kind !== "same");
    while (all[at] !== lines[first]) if (all[at++]?.kind !== "added") beforeLine++;
    const changed = lines.filter(({ kind }) => kind !== "same").map(({ kind, text }) => SIGNS[kind] + text);
    return { lines, key: JSON.stringify([diff.path, beforeLine, ...changed]) };
  });
}

/** The key of a change that has no hunks. */
export function fileKey(diff: FileDiff): string {
  return JSON.stringify([diff.path, diff.status, diff.added, diff.removed]);
}

/** What has to be accepted before the file counts as reviewed. */
export function keysOf(diff: FileDiff): readonly string[] {
  const hunks = fileHunks(diff);
  return hunks.length > 0 ? hunks.map(({ key }) => key) : [fileKey(diff)];
}

/** Keys of all changes that nobody has accepted yet, over all files. */
export function openKeys(diffs: readonly FileDiff[], accepted: ReadonlySet<string>): readonly string[] {
  return diffs.flatMap(keysOf).filter((key) => !accepted.has(key));
}

/**
 * The file's bytes once the hunks with these keys are taken back; undefined where there is no file then.
 * All of them: exactly `before`. None: exactly `after`.
 */
export function rejectHunks(path: string, before: Uint8Array | undefined, after: Uint8Array | undefined, keys: ReadonlySet<string>): Uint8Array | undefined {
  const diff = diffFile(path, before, after);
  const wanted = keysOf(diff).filter((key) => keys.has(key));
  if (wanted.length === 0) return after;
  if (wanted.length === keysOf(diff).length) return before;
  const rejected = new Set(fileHunks(diff).flatMap(({ lines, key }) => (keys.has(key) ? lines : [])));
  const kept = (diff.lines ?? []).filter((line) => line.kind === "same" || (line.kind === "removed") === rejected.has(line));
  return encodeText(kept.map(({ text }) => text).join(""));
}

/** The edits that take back the changes with these keys. Files none of whose changes are named are not among them. */
export function rejectionEdits(before: FileTree, after: FileTree, diffs: readonly FileDiff[], keys: ReadonlySet<string>): readonly FileEdit[] {
  return diffs
    .filter((diff) => keysOf(diff).some((key) => keys.has(key)))
    .map(({ path }) => ({ path, bytes: rejectHunks(path, before.get(path), after.get(path), keys) }));
}

/** Line of the text after where a hunk's first change stands, from 1: where an editor should open. */
export function hunkLine(hunk: Hunk): number {
  const first = hunk.lines.findIndex(({ kind }) => kind !== "same");
  const shown = hunk.lines.slice(Math.max(first, 0)).find(({ after }) => after !== undefined) ?? hunk.lines.findLast(({ after }) => after !== undefined);
  return shown?.after ?? 1;
}
