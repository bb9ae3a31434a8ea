// Tasks from wherever they are: task folders, task lines, and three public forms, told apart by what is there.
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { AppError } from "../base/errors.ts";
import { encodeText } from "../project/text.ts";
import type { FileTree } from "../project/tree.ts";
import { exerciseTask, isExercise } from "../tasks/adapters/exercise.ts";
import { functionTask } from "../tasks/adapters/function-line.ts";
import { checkTask, type Task } from "../tasks/task.ts";
import { TaskLineReader } from "../tasks/task-line.ts";
import { jestGlobals } from "./jest-globals.ts";
import { readRepository, taggedBugs } from "./tagged-repository.ts";
import { readTasks, readTree } from "./task-folder.ts";

export interface ReadOptions {
  /** The test command of a repository; `{tests}` stands for the test files of a bug. */
  readonly test?: string | undefined;
  /** A node_modules folder for the tasks of a repository. */
  readonly packages?: string | undefined;
}

/** `skipped` is told, one sentence each, of exercises and bugs that cannot be tasks. Throws `command/usage` and `task/format`. */
export async function readAnyTasks(path: string, options: ReadOptions, skipped: (reason: string) => void): Promise<Task[]> {
  if (!existsSync(path)) throw new AppError("command/usage", `There is no folder or file ${path}.`);
  const tasks = (await stat(path)).isFile() ? await readLines(path) : await readFolder(path, options, skipped);
  if (tasks.length === 0) throw new AppError("task/format", `${path} holds no task.`);
  for (const task of tasks) checkTask(task, task.id);
  return tasks;
}

async function readFolder(path: string, options: ReadOptions, skipped: (reason: string) => void): Promise<Task[]> {
  const exercises = await exerciseFolders(path);
  if (exercises.length > 0) return readExercises(exercises, skipped);
  if (existsSync(join(path, "task.json")) || !(existsSync(join(path, ".git")) || existsSync(join(path, "objects")))) return readTasks(path);
  if ((await taggedBugs(path)).length === 0) throw new AppError("task/format", `${path} is a git repository without tags named Bug-1, Bug-1-test and Bug-1-fix. Give one whose bugs are tagged, or a folder of tasks.`);
  const packages = options.packages === undefined ? {} : { packages: await readPackages(options.packages) };
  return readRepository(path, { test: options.test ?? "npm test", ...packages }, skipped);
}

/** The folder itself, those in it, or those of a whole track. */
async function exerciseFolders(path: string): Promise<string[]> {
  if (existsSync(join(path, ".meta/config.json"))) return [path];
  for (const under of ["", "exercises/practice"]) {
    const folder = join(path, under);
    if (!existsSync(folder)) continue;
    const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, ".meta/config.json"))).map((entry) => entry.name);
    if (names.length > 0) return names.sort().map((name) => join(folder, name));
  }
  return [];
}

async function readExercises(folders: readonly string[], skipped: (reason: string) => void): Promise<Task[]> {
  const globals = await jestGlobals();
  const tasks: Task[] = [];
  for (const folder of folders) {
    const files = await readTree(folder);
    try {
      if (isExercise(files)) tasks.push(exerciseTask(basename(folder), files, globals));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      skipped(error.message);
    }
  }
  return tasks;
}

/** Task lines (they have a version), or one broken function a line. */
async function readLines(path: string): Promise<Task[]> {
  const lines = (await readFile(path, "utf8")).split("\n");
  const name = basename(path);
  const parsed = (line: string, at: number): Readonly<Record<string, unknown>> => {
    try {
      return JSON.parse(line) as Readonly<Record<string, unknown>>;
    } catch (cause) {
      throw new AppError("task/format", `${name}, line ${at + 1} is no JSON. Correct it.`, { cause });
    }
  };
  const first = lines.findIndex((line) => line.trim() !== "");
  if (first < 0) return [];
  if ("version" in parsed(lines[first]!, first)) {
    const reader = new TaskLineReader();
    return lines.flatMap((line) => reader.read(line, name)?.task ?? []);
  }
  return lines.flatMap((line, at) => (line.trim() === "" ? [] : [functionTask(parsed(line, at), `${name}, line ${at + 1}`)]));
}

/** Files of a node_modules folder; its programs, which are links there, as small files that load them. */
async function readPackages(folder: string): Promise<FileTree> {
  if (basename(folder) !== "node_modules" || !existsSync(folder)) throw new AppError("command/usage", `--packages ${folder} is no node_modules folder. Run npm install where its package.json is, and give its node_modules.`);
  const tree = new Map<string, Uint8Array>();
  for (const [path, bytes] of await readTree(folder)) if (!path.startsWith(".")) tree.set(`node_modules/${path}`, bytes);
  for (const [path, bytes] of tree) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(path)?.[1];
    if (name === undefined) continue;
    const { bin } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly bin?: string | Readonly<Record<string, string>> };
    for (const [command, target] of Object.entries(typeof bin === "string" ? { [name.replace(/^@[^/]+\//, "")]: bin } : (bin ?? {}))) {
      tree.set(`node_modules/.bin/${command}`, encodeText(`#!/usr/bin/env node\nrequire(${JSON.stringify(`../${name}/${target.replace(/^\.\//, "")}`)});\n`));
    }
  }
  return tree;
}
