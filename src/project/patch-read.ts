// Reads unified diffs, git's and plain ones, text and binary, as data. What is not understood is refused by its line:
// half a patch is never applied. Text around the patch (a mail, a commit message) is passed over, as git does.
import { unzlibSync } from "fflate";
import { AppError } from "../base/errors.ts";
import { decodeBase85 } from "./base85.ts";
import { normalizeFilePath } from "./paths.ts";

export interface PatchHunk {
  /** "@@ -1,3 +1,4 @@": how a refusal names it. */
  readonly title: string;
  /** The first line's number before the change, from 1; 0 where there are no lines before. */
  readonly start: number;
  /** With their ends; the last one has none where the patch says so. */
  readonly lines: readonly { readonly kind: "same" | "removed" | "added"; readonly text: string }[];
}

export interface FilePatch {
  /** Absent for a new file. */
  readonly from?: string;
  /** Absent for a file that goes. */
  readonly to?: string;
  readonly hunks: readonly PatchHunk[];
  /** The new bytes of a binary file (none where it goes), and git's names of those it replaces and of these. */
  readonly binary?: { readonly bytes: Uint8Array; readonly before: string; readonly after: string };
}

export function patchError(message: string): AppError {
  return new AppError("project/patch", message);
}

/** Does this look like a patch at all? */
export function isPatch(text: string): boolean {
  return /^diff --git .+$/m.test(text) || (/^--- .+\r?\n\+\+\+ .+\r?\n@@ /m.test(text));
}

/** The files of a patch in its order. Throws `project/patch`. */
export function readPatch(text: string): FilePatch[] {
  const lines = new Lines(text);
  const patches: FilePatch[] = [];
  while (!lines.atEnd) {
    if (lines.peek.startsWith("diff --git ")) patches.push(gitFile(lines));
    else if (lines.peek.startsWith("--- ") && lines.at(1).startsWith("+++ ") && lines.at(2).startsWith("@@ ")) patches.push(plainFile(lines));
    else if (/^@@ -\d/.test(lines.peek)) throw patchError(`Line ${lines.number} of the patch begins a hunk, but no file is named before it. Paste the patch with its "---" and "+++" lines.`);
    else lines.take();
  }
  if (patches.length === 0) throw patchError('This is no patch: it has no "---" and "+++" lines. Paste the output of "git diff".');
  return patches;
}

/** A cursor over lines; their ends are kept beside them. */
class Lines {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  }
  get atEnd(): boolean {
    return this.#at >= this.#lines.length;
  }
  /** From 1. */
  get number(): number {
    return this.#at + 1;
  }
  /** The line without its end, whichever. */
  get peek(): string {
    return this.at(0);
  }
  at(ahead: number): string {
    return (this.#lines[this.#at + ahead] ?? "").replace(/\r?\n$/, "");
  }
  /** With its end. */
  get raw(): string {
    return this.#lines[this.#at] ?? "";
  }
  take(): string {
    const line = this.peek;
    this.#at++;
    return line;
  }
}

function gitFile(lines: Lines): FilePatch {
  const title = lines.take();
  const head = new Map<string, string>();
  while (!lines.atEnd) {
    const match = /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|index) ?(.*)$/.exec(lines.peek);
    if (!match) break;
    head.set(match[1]!, match[2]!);
    lines.take();
  }
  if (head.has("copy from")) throw patchError(`The patch copies "${head.get("copy from")}". Make it without -C.`);
  for (const mode of [head.get("new file mode"), head.get("new mode")]) {
    if (mode === "120000" || mode === "160000") throw patchError(`The patch makes a ${mode === "120000" ? "symbolic link" : "submodule"} (${title}), which a project here cannot hold.`);
  }
  const renamed = head.has("rename from") ? ([head.get("rename from")!, head.get("rename to") ?? ""].map((name) => checked(unquoted(name), lines)) as [string, string]) : undefined;
  if (lines.peek === "GIT binary patch") {
    const [, before = "", after = ""] = /^([0-9a-f]{40})\.\.([0-9a-f]{40})/.exec(head.get("index") ?? "") ?? [];
    return { ...sides(renamed ?? titleNames(title, lines), head), hunks: [], binary: { bytes: binary(lines), before, after } };
  }
  if (lines.peek.startsWith("Binary files ")) throw patchError(`The patch names the binary file of "${title}" without its bytes. Make it with "git diff --binary".`);
  if (lines.peek.startsWith("--- ")) {
    const plain = plainFile(lines);
    return renamed ? { ...plain, from: renamed[0], to: renamed[1] } : plain;
  }
  return { ...sides(renamed ?? titleNames(title, lines), head), hunks: [] };
}

function sides([from, to]: readonly [string, string], head: ReadonlyMap<string, string>): { from?: string; to?: string } {
  return { ...(head.has("new file mode") ? {} : { from }), ...(head.has("deleted file mode") ? {} : { to }) };
}

/** `diff --git a/x b/x`: where no other line names the file, both names are the same. */
function titleNames(title: string, lines: Lines): [string, string] {
  const rest = title.slice("diff --git ".length);
  const quotedName = /^("(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*")$/.exec(rest);
  const [from, to] = quotedName ? [unquoted(quotedName[1]!), unquoted(quotedName[2]!)] : [rest.slice(0, (rest.length - 1) / 2), rest.slice((rest.length + 1) / 2)];
  if (withoutPrefix(from) !== withoutPrefix(to)) throw patchError(`The line "${title}" names two files. Make the patch again with "git diff".`);
  return [checked(withoutPrefix(from), lines), checked(withoutPrefix(to), lines)];
}

function plainFile(lines: Lines): FilePatch {
  const [from, to] = [name(lines, "--- "), name(lines, "+++ ")];
  const hunks: PatchHunk[] = [];
  while (/^@@ -\d/.test(lines.peek)) hunks.push(hunk(lines));
  if (from === undefined && to === undefined) throw patchError(`The patch names no file before line ${lines.number}. Paste the patch with its "---" and "+++" lines.`);
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), hunks };
}

function name(lines: Lines, mark: "--- " | "+++ "): string | undefined {
  if (!lines.peek.startsWith(mark)) throw patchError(`Line ${lines.number} of the patch should begin with "${mark.trim()}". Paste the patch in full.`);
  const given = lines.peek.slice(mark.length);
  const bare = given.startsWith('"') ? unquoted(given.slice(0, given.lastIndexOf('"') + 1)) : given.replace(/\t.*$/, "");
  const named = bare === "/dev/null" ? undefined : checked(withoutPrefix(bare), lines);
  lines.take();
  return named;
}

function withoutPrefix(name: string): string {
  return name.replace(/^[abciow]\//, "");
}

function checked(name: string, lines: Lines): string {
  try {
    return normalizeFilePath(name);
  } catch (error) {
    if (error instanceof AppError && error.code === "project/path") throw patchError(`Line ${lines.number} of the patch: ${error.message}`);
    throw error;
  }
}

/** Git's C notation: `"\303\274"` are bytes of UTF-8. */
function unquoted(name: string): string {
  if (!name.startsWith('"')) return name;
  const bytes: number[] = [];
  for (const [piece, octal, letter] of name.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|[^\\]/gsu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else bytes.push(...new TextEncoder().encode(letter === undefined ? piece : ({ n: "\n", t: "\t", r: "\r" }[letter] ?? letter)));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

function hunk(lines: Lines): PatchHunk {
  const number = lines.number;
  const title = lines.take();
  const match = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(title);
  if (!match) throw patchError(`Line ${number} of the patch is no hunk's head: "${title}". Paste the patch in full.`);
  let [before, after] = [Number(match[2] ?? 1), Number(match[4] ?? 1)];
  const found: PatchHunk["lines"][number][] = [];
  while (before > 0 || after > 0) {
    const raw = lines.raw;
    // An empty line is an empty context line whose space an editor or a mail took off.
    const kind = raw.startsWith("-") ? "removed" : raw.startsWith("+") ? "added" : raw.startsWith(" ") || /^\r?\n$/.test(raw) ? "same" : undefined;
    if (kind === undefined || lines.atEnd) throw patchError(`The hunk "${shown(title)}" of the patch ends too soon, at line ${lines.number}. Paste the patch in full.`);
    if (kind !== "added") before--;
    if (kind !== "removed") after--;
    if (before < 0 || after < 0) throw patchError(`The hunk "${shown(title)}" of the patch has other lines than its head says (line ${lines.number}). Paste the patch as it was made.`);
    lines.take();
    let text = /^\r?\n$/.test(raw) ? raw : raw.slice(1);
    if (lines.peek.startsWith("\\ ")) {
      lines.take();
      text = text.replace(/\n$/, "");
    } else if (!text.endsWith("\n")) text += "\n"; // the pasted text's own last line
    found.push({ kind, text });
  }
  return { title: shown(title), start: Number(match[1]), lines: found };
}

function shown(title: string): string {
  return /^@@ .*? @@/.exec(title)?.[0] ?? title;
}

/** The new side of a binary patch; the old one is passed over. */
function binary(lines: Lines): Uint8Array {
  lines.take();
  const bytes = binarySide(lines);
  if (/^(?:literal|delta) \d+$/.test(lines.peek)) binarySide(lines, true);
  return bytes;
}

function binarySide(lines: Lines, unread = false): Uint8Array {
  const number = lines.number;
  const match = /^(literal|delta) (\d+)$/.exec(lines.take());
  const data: string[] = [];
  while (!lines.atEnd && lines.peek !== "") data.push(lines.take());
  if (!lines.atEnd) lines.take();
  if (unread) return new Uint8Array();
  if (!match || match[1] === "delta") throw patchError(`Line ${number} of the patch: this kind of binary patch is not understood. Send the file itself.`);
  const size = Number(match[2]);
  const packed = decodeBase85(data);
  const bytes = packed && inflated(packed, size);
  if (!bytes) throw patchError(`Line ${number} of the patch: the binary data is damaged. Paste the patch in full.`);
  return bytes;
}

/** Undefined where it is not exactly `size` bytes. */
function inflated(packed: Uint8Array, size: number): Uint8Array | undefined {
  if (size > packed.byteLength * 1_100 + 64) return undefined; // deflate packs by at most 1,032
  try {
    const bytes = unzlibSync(packed, { out: new Uint8Array(size) });
    return bytes.byteLength === size ? bytes : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
