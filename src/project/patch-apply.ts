// Applies a patch to a project: every hunk exactly, or none of it. A hunk's lines must be in the file letter for letter,
// at the line it names or, where lines above have moved, at the one other place there is. Two places are refused.
import { gitBlobId } from "./git-blob.ts";
import { Intake, INTAKE_LIMITS, type IntakeLimits } from "./intake.ts";
import { type FilePatch, patchError, type PatchHunk, readPatch } from "./patch-read.ts";
import { decodeText, encodeText } from "./text.ts";
import type { FileTree } from "./tree.ts";

/** The project after the patch. Throws `project/patch`, naming the hunk; `files` is as it was in any case. */
export async function applyPatch(files: FileTree, text: string, limits: IntakeLimits = INTAKE_LIMITS): Promise<FileTree> {
  // A text field gives every line end as "\n": a patch without any "\r" may be meant for a file with them.
  const lostReturns = !text.includes("\r");
  const result = new Map(files);
  for (const patch of readPatch(text)) {
    const { from, to } = patch;
    const before = from === undefined ? undefined : result.get(from);
    if (from !== undefined && !before) throw patchError(`The patch changes "${from}", which the project does not have. Open the project it was made for.`);
    if (to !== undefined && to !== from && result.has(to)) throw patchError(`The patch makes "${to}", but the project has a file of that name. It may have been applied already.`);
    const bytes = await patched(patch, before, lostReturns);
    if (from !== undefined) result.delete(from);
    if (to !== undefined) result.set(to, bytes);
  }
  return checked(result, limits);
}

async function patched(patch: FilePatch, before: Uint8Array | undefined, lostReturns: boolean): Promise<Uint8Array> {
  const path = patch.from ?? patch.to ?? "";
  if (patch.binary) {
    if (before && patch.binary.before !== (await gitBlobId(before))) throw patchError(`The patch was made for another version of the binary file "${path}". Open the project it was made for.`);
    if (patch.to === undefined) return before ?? new Uint8Array();
    if (patch.binary.after !== (await gitBlobId(patch.binary.bytes))) throw patchError(`The patch's bytes for the binary file "${path}" are damaged. Paste the patch in full.`);
    return patch.binary.bytes;
  }
  const text = before ? decodeText(before) : "";
  if (text === undefined) {
    if (patch.hunks.length === 0 && before) return before;
    throw patchError(`"${path}" is a binary file, but the patch changes it as text. Make the patch with "git diff --binary".`);
  }
  const after = applyHunks(path, text, patch.hunks, lostReturns);
  if (patch.to === undefined && after !== "") throw patchError(`The patch removes "${path}", but the file holds more than the patch says. Open the project it was made for.`);
  return before && after === text ? before : encodeText(after);
}

/** The text with all hunks applied. Throws `project/patch` naming the first that cannot be. */
export function applyHunks(path: string, text: string, hunks: readonly PatchHunk[], lostReturns = false): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const crlf = lostReturns && text.includes("\r\n") && lines.every((line) => line.endsWith("\r\n") || !line.endsWith("\n"));
  const result: string[] = [];
  let done = 0;
  let shift = 0; // how far the last hunk lay from where it was said to be: the next is looked for there first
  for (const [index, hunk] of hunks.entries()) {
    const own = crlf ? hunk.lines.map((line) => ({ ...line, text: line.text.replace(/(?<!\r)\n$/, "\r\n") })) : hunk.lines;
    const old = own.flatMap(({ kind, text }) => (kind === "added" ? [] : [text]));
    const said = hunk.start === 0 ? 0 : hunk.start - (old.length === 0 ? 0 : 1);
    const at = place(lines, old, said + shift, done);
    if (typeof at !== "number") throw patchError(`Hunk ${index + 1} of ${hunks.length} (${hunk.title}) does not fit "${path}": ${at}. Nothing was changed.`);
    shift = at - said;
    result.push(...lines.slice(done, at), ...own.flatMap(({ kind, text }) => (kind === "removed" ? [] : [text])));
    done = at + old.length;
  }
  const whole = [...result, ...lines.slice(done)];
  const open = whole.findIndex((line, i) => !line.endsWith("\n") && i < whole.length - 1);
  if (open >= 0) throw patchError(`A hunk for "${path}" ends the file before its end. Nothing was changed.`);
  return whole.join("");
}

/** The line index where `old` is, or why there is none. Never before `from`. */
function place(lines: readonly string[], old: readonly string[], expected: number, from: number): number | string {
  const fits = (at: number): boolean => at >= from && at + old.length <= lines.length && old.every((line, i) => lines[at + i] === line);
  if (old.length === 0) return lines.length === 0 || expected >= from ? Math.min(Math.max(expected, from), lines.length) : "it overlaps the hunk before";
  if (fits(expected)) return expected;
  const places: number[] = [];
  for (let at = from; at + old.length <= lines.length; at++) if (fits(at)) places.push(at);
  if (places.length === 1) return places[0]!;
  if (places.length > 1) return `its lines are not at line ${expected + 1} but in ${places.length} other places (lines ${places.slice(0, 5).map((at) => at + 1).join(", ")})`;
  return `its lines are not in the file${firstDifference(lines, old, expected)}`;
}

/** Where the file differs from the hunk at the place the hunk names, if most of it is there. */
function firstDifference(lines: readonly string[], old: readonly string[], at: number): string {
  const wrong = old.findIndex((line, i) => lines[at + i] !== line);
  const there = lines[at + wrong];
  return there === undefined ? " (it is shorter)" : ` (line ${at + wrong + 1} is ${JSON.stringify(there.replace(/\r?\n$/, "").slice(0, 60))})`;
}

/** Names and sizes as for everything that comes in. */
function checked(files: FileTree, limits: IntakeLimits): FileTree {
  const intake = new Intake("patched project", limits);
  for (const [path, bytes] of files) intake.add(intake.claim(path), bytes);
  return intake.finish();
}
