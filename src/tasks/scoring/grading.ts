// Was a task solved? Decided without believing what the project prints.
// `node --test`: every file runs by itself under our own reporter (seal.ts), and exactly the tests that pass for the
// reference must have passed. Any other command: its exit code, and the same project must fail as soon as its tests cannot
// pass (the canaries), so that a run that only says "ok" is found out. A terminal task: the exit code of its check script.
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { isTestFile } from "../../project/paths.ts";
import { decodeText, encodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";
import { gradingTree, type Task } from "../task.ts";
import { nodeTests } from "./node-tests.ts";
import { RECORD, type SealedRecord, sealSource, type TestKey } from "./seal.ts";

/** Runs `sh -c command` on exactly these files. */
export type RunOn = (files: FileTree, command: string) => Promise<{ readonly exitCode: number | null; readonly output: string }>;

export interface Grade {
  readonly passed: boolean;
  /** One sentence; for a pass: what it rests on. */
  readonly reason: string;
  /** The tests that passed, where the runner is ours; what a later grade must equal. */
  readonly tests?: readonly TestKey[];
  /** The canaries that the project heeds, where the runner is not ours: a later grade must heed them too. */
  readonly canaries?: readonly string[];
}

export interface GradeOptions {
  /** The grade of the reference: what passed there must have passed. Absent for the reference itself. */
  readonly reference?: Grade | undefined;
  /** A new one for each grading; hex. */
  readonly key: string;
}

/** `after`: the files that the agent left. */
export async function grade(task: Task, after: FileTree, run: RunOn, options: GradeOptions): Promise<Grade> {
  const tree = gradingTree(task, after);
  if (task.kind === "terminal") {
    const { exitCode } = await run(tree, task.test);
    return { passed: exitCode === 0, reason: exitCode === 0 ? "The check script is satisfied." : `The check script ends with exit code ${exitCode ?? "none"}.` };
  }
  const tests = nodeTests(task.test, tree);
  return tests ? sealedGrade(tests, tree, run, options) : commandGrade(task, tree, run, options);
}

async function sealedGrade({ files, flags, before }: NonNullable<ReturnType<typeof nodeTests>>, tree: FileTree, run: RunOn, { reference, key }: GradeOptions): Promise<Grade> {
  if (files.length === 0) return { passed: false, reason: "There is no test file." };
  const all: TestKey[] = [];
  for (const [at, file] of files.entries()) {
    // A run of its own, on the files as they were: what one test file's process does or reads is no use in the next.
    const own = digest(`${key} ${at}`);
    const [preload, reporter] = ["preload", "reporter"].map((part) => `.${digest(`${own} ${part}`).slice(0, 16)}.mjs`) as [string, string];
    const seal = sealSource(own, reporter);
    const sealed = new Map(tree).set(preload, encodeText(seal.preload)).set(reporter, encodeText(seal.reporter));
    const words = ["node", "--import", `./${preload}`, ...flags, `--test-reporter=./${reporter}`, "--test-reporter-destination=stdout", file];
    const { exitCode, output } = await run(sealed, `${before === undefined ? "" : `${before} && `}${words.map(quote).join(" ")}`);
    const record = recordOf(output, own);
    if (!record) return { passed: false, reason: `The tests of ${file} did not run to their end.` };
    if (record.failed.length > 0) return { passed: false, reason: `${record.failed.length} of the tests of ${file} failed.` };
    if (exitCode !== 0) return { passed: false, reason: `${file} ends with exit code ${exitCode ?? "none"}.` };
    all.push(...record.passed);
  }
  if (all.length === 0) return { passed: false, reason: "No test ran." };
  const missing = reference?.tests && without(reference.tests, all);
  if (missing && missing.length > 0) return { passed: false, reason: `${missing.length} tests that pass for the reference did not run.` };
  return { passed: true, reason: `All ${all.length} tests passed under our own reporter.`, tests: all };
}

function digest(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/** The record that this key signed; undefined if there is none, or more than one. */
function recordOf(output: string, key: string): SealedRecord | undefined {
  const signed = output.split("\n").flatMap((line) => {
    const match = /^(\S+) ([0-9a-f]{64}) (\{.*\})$/.exec(line);
    return match?.[1] === RECORD && bytesToHex(hmac(sha256, utf8ToBytes(key), utf8ToBytes(match[3]!))) === match[2] ? [match[3]!] : [];
  });
  return signed.length === 1 ? (JSON.parse(signed[0]!) as SealedRecord) : undefined;
}

/** What of `wanted` is not in `given`, each as often as it is wanted. */
function without(wanted: readonly TestKey[], given: readonly TestKey[]): TestKey[] {
  const left = new Map<TestKey, number>();
  for (const key of given) left.set(key, (left.get(key) ?? 0) + 1);
  return wanted.filter((key) => {
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
}

/** Ends of a test file after which its run must fail, whatever the tests say. Which of them a runner heeds, the reference shows. */
const CANARIES: Readonly<Record<string, string>> = {
  throws: 'throw new Error("This file cannot pass.");',
  "exit code": "process.exitCode = 1;",
  "exit code at the end": 'process.on("exit", () => { process.exitCode = 1; });',
};

async function commandGrade(task: Task, tree: FileTree, run: RunOn, { reference }: GradeOptions): Promise<Grade> {
  const { exitCode } = await run(tree, task.test);
  if (exitCode !== 0) return { passed: false, reason: `"${task.test}" ends with exit code ${exitCode ?? "none"}.` };
  const heeded: string[] = [];
  for (const name of reference?.canaries ?? Object.keys(CANARIES)) {
    if ((await run(withEnd(task, tree, CANARIES[name]!), task.test)).exitCode !== 0) heeded.push(name);
    else if (reference) return { passed: false, reason: `"${task.test}" ends with exit code 0 even when its tests cannot pass (${name}).` };
  }
  if (heeded.length === 0) return { passed: false, reason: `"${task.test}" ends with exit code 0 even when its tests cannot pass: it decides nothing.` };
  return { passed: true, reason: `"${task.test}" ends with exit code 0, and with another when its tests cannot pass.`, canaries: heeded };
}

function withEnd(task: Task, tree: FileTree, end: string): FileTree {
  const spoilt = new Map(tree);
  for (const [path, bytes] of tree) {
    if (/\.[cm]?[jt]sx?$/.test(path) && (isTestFile(path) || task.hidden.has(path))) spoilt.set(path, encodeText(`${decodeText(bytes) ?? ""}\n;${end}\n`));
  }
  return spoilt;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
