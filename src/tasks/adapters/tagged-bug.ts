// A bug of a repository whose bugs are tagged commits (BugsJS's form) as a task: `Bug-N` is the state before,
// `Bug-N-test` the same with the tests that show the bug, `Bug-N-fix` the same with the fix alone. The history stays behind.
import { AppError } from "../../base/errors.ts";
import { changedPaths } from "../../project/changed-paths.ts";
import { isTestFile } from "../../project/paths.ts";
import type { FileTree } from "../../project/tree.ts";
import type { Task } from "../task.ts";

export interface TaggedBug {
  readonly project: string;
  readonly number: number;
  readonly before: FileTree;
  readonly withTests: FileTree;
  readonly withFix: FileTree;
  /** What the commit that fixed it said. */
  readonly message: string;
  /** How tests are run; `{tests}` stands for the files of tests that show the bug. */
  readonly test: string;
  readonly packages?: FileTree;
}

/** Throws `task/format` for a bug whose tags do not hold what they should. */
export function taggedBugTask(bug: TaggedBug): Task {
  const id = `${bug.project}-bug-${bug.number}`;
  const refuse = (reason: string): never => {
    throw new AppError("task/format", `${id}: ${reason}. Leave this bug out.`);
  };
  const tests = changedPaths(bug.before, bug.withTests).filter((path) => bug.withTests.has(path));
  // package.json decides how tests run and is put back for grading; what the fix deletes cannot be part of a reference.
  const fixed = changedPaths(bug.before, bug.withFix).filter((path) => bug.withFix.has(path) && !isTestFile(path) && !/(^|\/)(package|package-lock)\.json$/.test(path));
  if (tests.length === 0) refuse(`Bug-${bug.number}-test adds no test to Bug-${bug.number}`);
  if (fixed.length === 0) refuse(`Bug-${bug.number}-fix changes no file but tests`);
  const take = (tree: FileTree, paths: readonly string[]): FileTree => new Map(paths.map((path) => [path, tree.get(path)!]));
  const first = bug.message.trim().split("\n").find((line) => !/^Merge (pull request|branch)/.test(line) && line.trim() !== "");
  return {
    id, set: bug.project, family: "tagged bug",
    instruction: `A bug was reported${first === undefined ? "" : `: ${first.trim()}`}. The tests show it: ${tests.filter((path) => /\.[cm]?[jt]sx?$/.test(path)).join(", ")}. Fix the code.`,
    test: bug.test.replaceAll("{tests}", tests.filter((path) => /\.[cm]?[jt]sx?$/.test(path)).join(" ")),
    files: bug.withTests, hidden: take(bug.withTests, tests), solution: take(bug.withFix, fixed),
    ...(bug.packages ? { packages: bug.packages } : {}),
  };
}
