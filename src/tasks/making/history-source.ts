// Candidates from a repository's own history: a commit that changes code and tests together. The start is its parent with
// the commit's tests, the reference the commit's code. Kept when the start fails and the end passes.
import { AppError } from "../../base/errors.ts";
import { isTestFile } from "../../project/paths.ts";
import { findTestCommand } from "../../project/test-command.ts";
import type { FileTree } from "../../project/tree.ts";
import { isSourceFile } from "../operators/index.ts";
import type { DropReason } from "../task-line.ts";
import type { Candidate, Source } from "./candidate.ts";
import type { Commit, GitHistory } from "./git-history.ts";

const TIMEOUT_MS = 120_000;

/** `test`: the command that decides; the project's own at that commit if absent. Throws `task/format` for a history without commits. */
export async function historySource(name: string, history: GitHistory, test?: string): Promise<Source> {
  const commits = await history.commits();
  const first = commits[0];
  if (!first) throw new AppError("task/format", `${name} has no commits to make tasks of.`);
  const label = `history/${name}@${first.id.slice(0, 12)}`;
  return {
    name: label,
    size: commits.length,
    timeoutMs: TIMEOUT_MS,
    // A test of something new cannot even load at the start: that is red enough.
    readable: false,
    candidate: (seed) => historyCandidate(seed, commits[seed]!, name, label, history, test),
  };
}

async function historyCandidate(seed: number, commit: Commit, name: string, label: string, history: GitHistory, test: string | undefined): Promise<Candidate | DropReason> {
  const [parent, other] = commit.parents;
  if (parent === undefined || other !== undefined) return "unfit";
  const changed = await history.changed(parent, commit.id);
  if (!changed.some((path) => isTestFile(path) && isSourceFile(path)) || !changed.some(isCode)) return "unfit";
  const [before, after] = await Promise.all([history.tree(parent), history.tree(commit.id)]);
  const part = (fits: (path: string) => boolean): FileTree => new Map(changed.filter((path) => fits(path) && after.has(path)).map((path) => [path, after.get(path)!]));
  const [tests, solution] = [part(isTestFile), part((path) => !isTestFile(path))];
  const code = [...solution.keys()].find(isCode);
  const command = test ?? commandOf(after);
  if (tests.size === 0 || code === undefined || command === undefined) return "unfit";
  const files = new Map([...[...before].filter(([path]) => !isTestFile(path) || after.has(path)), ...tests]);
  return {
    path: code,
    task: { id: `${name}-${commit.id.slice(0, 10)}`, test: command, set: name, family: "history", origin: { source: label, seed, commit: commit.id }, files: new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))), hidden: tests, solution },
  };
}

const isCode = (path: string): boolean => isSourceFile(path) && !isTestFile(path);

function commandOf(files: FileTree): string | undefined {
  try {
    return findTestCommand(files);
  } catch (error) {
    if (error instanceof AppError && error.code === "project/no-test-command") return undefined;
    throw error;
  }
}
