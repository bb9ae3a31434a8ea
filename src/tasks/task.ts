// A coding task: a project with something broken, what is asked, and what decides whether it was done.
// On disk: `task.json` { id, instruction, test }, `files/` (the start), `hidden/` (tests copied in for grading),
// `solution/` (files of the reference), and `packages/` (its node_modules) where it needs any.
// A terminal task (`"kind": "terminal"`) is decided by `hidden/check.sh`; its reference is a script, `solution/solve.sh`.
import { AppError } from "../base/errors.ts";
import { isIgnoredPath, isTestFile } from "../project/paths.ts";
import type { FileTree } from "../project/tree.ts";

export interface TaskManifest {
  readonly id: string;
  /** What the agent is asked. */
  readonly instruction: string;
  /** The command that decides; its exit code is the verdict. */
  readonly test: string;
  /** Absent: code. */
  readonly kind?: "terminal";
  /** Names the group in reports, such as "known" or "novel"; absent for tasks that belong to none. */
  readonly set?: string;
  /** What kind of task it is, for reports by kind. */
  readonly family?: string;
  /** The instruction at three levels of vagueness, for tasks that have them; `instruction` is one of these. */
  readonly instructions?: Instructions;
  /** Where it comes from, for tasks that were made here. */
  readonly origin?: Origin;
  /** Whose work it is and under which licence, for tasks that are not our own. */
  readonly notice?: string;
}

/** From "something is broken" to the call, the wrong value and the file. */
export interface Instructions {
  readonly vague: string;
  readonly plain: string;
  readonly exact: string;
}
export const LEVELS = ["vague", "plain", "exact"] as const satisfies readonly (keyof Instructions)[];
export type Level = (typeof LEVELS)[number];

export interface Origin {
  /** What it was drawn from, and how: `families/train`, `mutants/NAME@HASH`, `history/NAME`. */
  readonly source: string;
  /** Its number in that source: the same number gives the same task. */
  readonly seed: number;
  /** The operator that broke it. */
  readonly operator?: string;
  /** The commit that it was, for tasks from history. */
  readonly commit?: string;
}

export interface Task extends TaskManifest {
  readonly files: FileTree;
  readonly hidden: FileTree;
  readonly solution: FileTree;
  /** Files of `node_modules`, by path below the project. */
  readonly packages?: FileTree;
}

export const CHECK_SCRIPT = "check.sh";
export const SOLVE_SCRIPT = "solve.sh";
export const CHECK_COMMAND = `sh ${CHECK_SCRIPT}`;

/** Reads `task.json`. Throws `task/format` naming the folder and the field. */
export function parseManifest(text: string, folder: string): TaskManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError("task/format", `${folder}/task.json is not valid JSON. Correct it.`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AppError("task/format", `${folder}/task.json must hold an object with id, instruction and test.`);
  }
  const fields = value as Record<string, unknown>;
  const text_ = (name: string): string => {
    const field = fields[name];
    if (typeof field === "string" && field.trim() !== "") return field;
    throw new AppError("task/format", `${folder}/task.json has no "${name}": it must be a text that is not empty.`);
  };
  const [id, instruction, test] = [text_("id"), text_("instruction"), text_("test")];
  if (fields["kind"] !== undefined && fields["kind"] !== "terminal") throw new AppError("task/format", `${folder}/task.json has an unknown "kind": it must be "terminal" or absent.`);
  const kind = fields["kind"] === "terminal" ? { kind: "terminal" as const } : {};
  const optional = (name: "set" | "family" | "notice"): object => (typeof fields[name] === "string" ? { [name]: fields[name] } : {});
  return { id, instruction, test, ...kind, ...optional("set"), ...optional("family"), ...optional("notice"), ...readInstructions(fields["instructions"]), ...readOrigin(fields["origin"]) };
}

function readInstructions(value: unknown): { readonly instructions?: Instructions } {
  if (typeof value !== "object" || value === null) return {};
  const given = value as Partial<Record<Level, unknown>>;
  const [vague, plain, exact] = LEVELS.map((level) => given[level]);
  return typeof vague === "string" && typeof plain === "string" && typeof exact === "string" ? { instructions: { vague, plain, exact } } : {};
}

function readOrigin(value: unknown): { readonly origin?: Origin } {
  if (typeof value !== "object" || value === null) return {};
  const { source, seed, operator, commit } = value as Readonly<Record<string, unknown>>;
  if (typeof source !== "string" || typeof seed !== "number") return {};
  return { origin: { source, seed, ...(typeof operator === "string" ? { operator } : {}), ...(typeof commit === "string" ? { commit } : {}) } };
}

/** The task with the instruction of a level, where it has levels. */
export function atLevel(task: Task, level: Level): Task {
  return task.instructions ? { ...task, instruction: task.instructions[level] } : task;
}

/** Throws `task/format` for a task that could not be graded, or that gives its own answer away. */
export function checkTask(task: Task, folder: string): void {
  const terminal = task.kind === "terminal";
  for (const part of ["files", "hidden", "solution"] as const) {
    if (task[part].size === 0) throw new AppError("task/format", `${folder}/${part} is missing or empty. A task needs files/, hidden/ and solution/.`);
    const history = historyIn(task[part]);
    if (history !== undefined) throw new AppError("task/format", `${folder}/${part}/${history} is version control's: its history may hold the answer. Remove it.`);
  }
  for (const path of task.solution.keys()) {
    if (isTestFile(path) && !terminal) throw new AppError("task/format", `${folder}/solution/${path} is a test file. The solution must not bring its own tests.`);
  }
  if (terminal && !(task.hidden.has(CHECK_SCRIPT) && task.solution.has(SOLVE_SCRIPT))) {
    throw new AppError("task/format", `${folder} is a terminal task and needs hidden/${CHECK_SCRIPT} and solution/${SOLVE_SCRIPT}.`);
  }
}

/** A path of version control in a tree: its folders, a bare repository under any name, or a bundle. */
function historyIn(tree: FileTree): string | undefined {
  for (const path of tree.keys()) {
    if (path.split("/").some((segment) => [".git", ".hg", ".svn", ".jj", "CVS"].includes(segment)) || path.endsWith(".bundle")) return path;
    const bare = /^(.*\/)?objects\/(?:pack|info|[0-9a-f]{2})\//.exec(path);
    if (bare && tree.has(`${bare[1] ?? ""}HEAD`)) return path;
  }
  return undefined;
}

/** Files that steer a test run from outside the tests. */
const STEERING = /(^|\/)(package\.json|\.npmrc|\.mocharc(\.\w+)?|\.taprc|\.env|\.nycrc|\.c8rc|(jest|vitest|ava|babel|tap)\.config\.[cm]?[jt]s)$/;

/** What is graded: the agent's files, with the visible tests and what steers them as they were, and the hidden ones added. */
export function gradingTree(task: Task, after: FileTree): FileTree {
  // A package.json that the agent adds in a folder of its own belongs to its work; one that was there is put back.
  const kept = (path: string): boolean => task.kind === "terminal" || !(isTestFile(path) || (STEERING.test(path) && (task.files.has(path) || !path.endsWith("/package.json"))));
  const graded = new Map([...after].filter(([path]) => !isIgnoredPath(path) && kept(path)));
  for (const [path, bytes] of task.files) if (!kept(path)) graded.set(path, bytes);
  for (const [path, bytes] of task.hidden) graded.set(path, bytes);
  return graded;
}

/** The start with the reference's files in place. Of a terminal task: with its script, which is still to be run. */
export function solvedTree(task: Task): FileTree {
  return new Map([...task.files, ...task.solution]);
}
