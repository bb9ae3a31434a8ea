// What each tool does to the sandbox, and the words the model gets back. Results are short, plain and declarative, in
// the form the bundled model is trained on. A refused call is an answer, not an exception; only a dead sandbox throws.
import { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { formatBytes } from "../base/units.ts";
import type { RunResult, Sandbox } from "../container/sandbox.ts";
import { baseName, isIgnoredPath, isTestFile, normalizeFilePath, normalizePath } from "../project/paths.ts";
import { decodeText, encodeText, hasLoneSurrogate } from "../project/text.ts";
import type { FileTree } from "../project/tree.ts";
import { applyEdit, editReply, omission, rewrite } from "./edit.ts";
import { grep, listMatching } from "./search.ts";
import { gate } from "./syntax-gate.ts";
import { condense, cutMiddle, parseTestOutput } from "./test-output.ts";
import { outcomeOf, type TestOutcome, type TestReport } from "./test-report.ts";
import type { ToolName } from "./tool-specs.ts";

export interface ToolContext {
  readonly sandbox: Sandbox;
  /** May test files be changed? */
  readonly unlockTests: boolean;
  /** Files this agent made itself: its own new tests it may change. */
  readonly created: Set<string>;
  /** The project as it was just before the call, where that is known: saves reading it again. */
  readonly before?: FileTree;
}

export interface ToolOutcome {
  /** What the model reads. */
  readonly result: string;
  readonly ok: boolean;
  /** The file that was written, for the tools that write one. */
  readonly wrote?: { readonly path: string; readonly bytes: Uint8Array; readonly isNew: boolean };
  /** An edit that asks for what is there already. */
  readonly noop?: boolean;
  /** What a command proved, if it was a test run. */
  readonly tests?: TestOutcome;
  readonly report?: TestReport;
  readonly exitCode?: number | null;
  readonly aborted?: boolean;
}

type EditContext = Pick<ToolContext, "sandbox" | "unlockTests" | "created">;

type Arguments = Readonly<Record<string, unknown>>;

/** Runs one call of `resolveCall`'s. Throws `aborted`, and what the sandbox throws when it is gone. */
export async function runTool(name: ToolName, args: Arguments, context: ToolContext, onOutput: (text: string) => void, signal: AbortSignal): Promise<ToolOutcome> {
  try {
    switch (name) {
      case "read_file":
        return await readFile(args, context);
      case "write_file":
      case "edit":
        return await write(await planEdit(name, args, context), context);
      case "grep_search":
        return await grepSearch(args, context);
      case "glob":
        return { ok: true, result: listMatching(text(args, "pattern"), await context.sandbox.list()) };
      case "run_shell_command":
        return await runCommand(args, context, onOutput, signal);
      default:
        return name satisfies never;
    }
  } catch (error) {
    if (isRefusal(error)) return refused(error.message);
    throw error;
  }
}

/** What an edit would come to, with nothing written. Throws what the sandbox throws when it is gone. */
export async function planEdit(name: "edit" | "write_file", args: Arguments, context: EditContext): Promise<ToolOutcome> {
  try {
    return name === "edit" ? await editFile(args, context) : await writeFile(args, context);
  } catch (error) {
    if (isRefusal(error)) return refused(error.message);
    throw error;
  }
}

async function readFile(args: Arguments, { sandbox }: ToolContext): Promise<ToolOutcome> {
  const path = normalizeFilePath(text(args, "file_path"));
  const bytes = await bytesOf(sandbox, path);
  if (bytes === undefined) return refused(await missing(sandbox, path));
  const content = decodeText(bytes);
  if (content === undefined) return refused(`${path} is a binary file (${formatBytes(bytes.byteLength)}) and cannot be shown.`);
  const lines = content.replace(/\r?\n$/, "").split("\n");
  const from = Math.max(1, integer(args["offset"]) ?? 1);
  const wanted = lines.slice(from - 1, from - 1 + Math.max(1, integer(args["limit"]) ?? lines.length));
  if (wanted.length === 0) return refused(`${path} has only ${lines.length} lines.`);
  const shown = fitting(wanted);
  const to = from - 1 + shown.count;
  if (from === 1 && to === lines.length && !shown.cut) return { ok: true, result: shown.text };
  return { ok: true, result: `${shown.text}\n[lines ${from}-${to} of ${lines.length}]` };
}

/** As many lines as one result may hold; a single line longer than that is cut. */
function fitting(lines: readonly string[]): { text: string; count: number; cut: boolean } {
  let room = LIMITS.toolResultHead + LIMITS.toolResultTail;
  let count = 0;
  while (count < lines.length && lines[count]!.length < room) room -= lines[count++]!.length + 1;
  if (count === 0) return { text: cutMiddle(lines[0] ?? ""), count: 1, cut: true };
  return { text: lines.slice(0, count).join("\n"), count, cut: false };
}

async function writeFile(args: Arguments, context: EditContext): Promise<ToolOutcome> {
  const path = normalizeFilePath(text(args, "file_path"));
  const before = await bytesOf(context.sandbox, path);
  const locked = lockedFile(path, before, context);
  if (locked !== undefined) return refused(locked);
  const content = text(args, "content");
  const old = before && decodeText(before);
  if (before !== undefined && old === undefined) return refused(`${path} is a binary file and is not overwritten.`);
  if (hasLoneSurrogate(content)) return refused("content ends inside a character. Write it again in full.");
  const placeholder = omission(content, old ?? "");
  if (placeholder !== undefined) return refused(`content leaves code out ("${placeholder}"). Write the whole file, or use edit.`);
  const bytes = rewrite(before, content);
  const after = decodeText(bytes) ?? "";
  if (old === after) return { ok: false, noop: true, result: `${path} has this content already. It was not changed.` };
  const error = await gate(path, old, after);
  if (error !== undefined) return refused(`Not written: ${path} would not parse. ${error}`);
  return written(path, bytes, before, `Wrote ${path}. Run the tests.`);
}

async function editFile(args: Arguments, context: EditContext): Promise<ToolOutcome> {
  const path = normalizeFilePath(text(args, "file_path"));
  const before = await bytesOf(context.sandbox, path);
  const locked = lockedFile(path, before, context);
  if (locked !== undefined) return refused(locked);
  const oldText = text(args, "old_string");
  if (before === undefined) {
    if (oldText !== "") return refused(await missing(context.sandbox, path));
    return writeFile({ file_path: path, content: args["new_string"] }, context);
  }
  if (args["insert_line"] !== undefined) return insertLines(path, before, args);
  const replaceAll = args["replace_all"] === true || args["replace_all"] === "true";
  const outcome = applyEdit(before, { path, oldText, newText: text(args, "new_string"), replaceAll });
  if (!outcome.ok) return { ok: false, noop: outcome.noop, result: outcome.message };
  const error = await gate(path, decodeText(before), outcome.text);
  if (error !== undefined) return refused(`Not edited: ${path} would no longer parse. ${error}`);
  return written(path, encodeText(outcome.text), before, editReply(path, outcome));
}

/** `insert` of other scaffolds' editors: after the given line, 0 for the top. */
async function insertLines(path: string, before: Uint8Array, args: Arguments): Promise<ToolOutcome> {
  const content = decodeText(before);
  if (content === undefined) return refused(`${path} is a binary file and cannot be edited.`);
  const lines = content.split("\n");
  const at = integer(args["insert_line"]);
  if (at === undefined || at < 0 || at > lines.length) return refused(`insert_line must be a line of ${path}, from 0 to ${lines.length}.`);
  const added = text(args, "new_string").replace(/\n$/, "").split("\n");
  const after = [...lines.slice(0, at), ...added, ...lines.slice(at)].join("\n");
  const error = await gate(path, content, after);
  if (error !== undefined) return refused(`Not edited: ${path} would no longer parse. ${error}`);
  return written(path, rewrite(before, after), before, `Edited ${path}. Run the tests.`);
}

function written(path: string, bytes: Uint8Array, before: Uint8Array | undefined, result: string): ToolOutcome {
  return { ok: true, result, wrote: { path, bytes, isNew: before === undefined } };
}

async function write(outcome: ToolOutcome, { sandbox, created }: ToolContext): Promise<ToolOutcome> {
  if (!outcome.wrote) return outcome;
  const { path, bytes, isNew } = outcome.wrote;
  await sandbox.writeFile(path, bytes);
  if (isNew) created.add(path);
  return outcome;
}

function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && (error.code === "project/path" || error.code === "project/not-found");
}

async function grepSearch(args: Arguments, { sandbox }: ToolContext): Promise<ToolOutcome> {
  const under = normalizePath(typeof args["path"] === "string" ? args["path"] : "");
  const files = [...(await sandbox.snapshot())].filter(([file]) => under === "" || file === under || file.startsWith(`${under}/`)).sort(([a], [b]) => (a < b ? -1 : 1));
  if (files.length === 0) return refused(under === "" ? "The project has no files." : `There is nothing at ${under}.`);
  return { ok: true, result: cutMiddle(grep(text(args, "pattern"), textFiles(files))) };
}

function* textFiles(files: Iterable<readonly [string, Uint8Array]>): Generator<readonly [string, string]> {
  for (const [path, bytes] of files) {
    const content = decodeText(bytes);
    if (content !== undefined) yield [path, content];
  }
}

const TEST_COMMAND = /\b(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:-\S+\s+)*t(?:est)?\b|--test\b|\b(?:vitest|jest|mocha|ava|tap|tape)\b/;

async function runCommand(args: Arguments, { sandbox, before }: ToolContext, onOutput: (text: string) => void, signal: AbortSignal): Promise<ToolOutcome> {
  const command = text(args, "command").trim();
  if (command === "") return refused("command is empty.");
  const timeoutMs = commandTime(integer(args["timeout"]));
  const run: RunResult = await sandbox.run(command, { timeoutMs, onOutput }, signal);
  const looksLikeTests = parseTestOutput(run.output) !== undefined;
  const report = looksLikeTests ? parseTestOutput(run.output, before ? [...before.keys()] : await sandbox.list()) : undefined;
  const exitCode = run.end === "exit" ? run.exitCode : null;
  const failedBlind = TEST_COMMAND.test(command) && exitCode !== 0;
  const tests = report ? outcomeOf(report, exitCode) : failedBlind ? "failed" : undefined;
  return {
    ok: run.end === "exit" && run.exitCode === 0,
    result: condense(run, report, timeoutMs),
    exitCode: run.exitCode,
    aborted: run.end === "aborted",
    ...(tests ? { tests } : {}),
    ...(report ? { report } : {}),
  };
}

/** Milliseconds; a number too small to be meant as such is read as seconds. */
function commandTime(given: number | undefined): number {
  if (given === undefined || given <= 0) return LIMITS.commandMs;
  return Math.min(given < 1_000 ? given * 1_000 : given, LIMITS.commandMsMax);
}

function lockedFile(path: string, before: Uint8Array | undefined, { unlockTests, created }: EditContext): string | undefined {
  if (isIgnoredPath(path)) return `${path} is not part of the project: node_modules and .git are not edited.`;
  if (unlockTests || before === undefined || created.has(path) || !isTestFile(path)) return undefined;
  return `${path} is a test file and locked. Change the source so that the test passes; only the user can unlock tests.`;
}

async function bytesOf(sandbox: Sandbox, path: string): Promise<Uint8Array | undefined> {
  try {
    return await sandbox.readFile(path);
  } catch (error) {
    if (error instanceof AppError && error.code === "project/not-found") return undefined;
    throw error;
  }
}

/** Names files that may have been meant. */
async function missing(sandbox: Sandbox, path: string): Promise<string> {
  const files = await sandbox.list();
  const name = baseName(path).toLowerCase();
  const stem = name.replace(/\..*$/, "");
  const alike = files.filter((file) => baseName(file).toLowerCase() === name);
  const close = alike.length > 0 ? alike : files.filter((file) => stem.length > 2 && baseName(file).toLowerCase().startsWith(stem));
  return close.length === 0 ? `There is no file ${path}. Use glob to list files.` : `There is no file ${path}. There is ${close.slice(0, 5).join(", ")}.`;
}

function text(args: Arguments, key: string): string {
  const value = args[key];
  return typeof value === "string" ? value : "";
}

function integer(value: unknown): number | undefined {
  const number = typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? Math.trunc(number) : undefined;
}

function refused(result: string): ToolOutcome {
  return { ok: false, result };
}
