// What makes a candidate a task: at least one test turns red, and the reference makes all of them green again. Both are
// runs of the real tests on the files that grading will use.
import type { FileTree } from "../../project/tree.ts";
import { hashText, Random } from "../random.ts";
import { gradingTree, solvedTree, type Task } from "../task.ts";
import type { DropReason } from "../task-line.ts";
import type { Candidate, Source } from "./candidate.ts";
import { runTests, type TestHost, type Verdict } from "./host.ts";
import { writeInstructions } from "./instructions.ts";

/** The task, or why it is none. */
export async function verify(candidate: Candidate, source: Pick<Source, "timeoutMs" | "readable">, host: TestHost): Promise<Task | DropReason> {
  const { path, inFunction } = candidate;
  const bare: Task = { ...candidate.task, instruction: "" };
  const red = await runTests(host, gradingTree(bare, bare.files), bare.test, source.timeoutMs);
  if (red.state === "hung") return "hung";
  if (red.state === "passed") return "survived";
  if (source.readable && !failsAsTest(red)) return "start";
  const green = await runTests(host, gradingTree(bare, solvedTree(bare)), bare.test, source.timeoutMs);
  if (green.state !== "passed") return "reference";
  const random = new Random(hashText(`instructions/${bare.origin?.source ?? ""}/${bare.origin?.seed ?? bare.id}`));
  const instructions = writeInstructions({ report: red.report, tail: red.tail, visible: bare.files, path, isChange: bare.origin?.commit !== undefined, ...(inFunction === undefined ? {} : { inFunction }) }, random);
  const { files, hidden, solution, packages, id, ...rest } = candidate.task;
  return { id, instruction: instructions.plain, instructions, ...rest, files, hidden: candidate.onlyRed ? redFiles(hidden, red) : hidden, solution, ...(packages ? { packages } : {}) };
}

/** All of them where the report does not say which. */
function redFiles(hidden: FileTree, { report }: Verdict): FileTree {
  const named = new Set(report?.failures.map(({ place }) => place?.file));
  const red = [...hidden].filter(([path]) => named.has(path));
  return red.length > 0 ? new Map(red) : hidden;
}

/** A test by name is red; a file that could not be loaded at all is a broken build and no bug to find. */
function failsAsTest({ report }: Verdict): boolean {
  return report !== undefined && report.failed > 0 && (report.failures.length === 0 || report.failures.some(({ name }) => !/\.[cm]?[jt]sx?$/.test(name)));
}
