// The bugs of a git repository whose bugs are tagged commits (Bug-1, Bug-1-test, Bug-1-fix, …), read by git itself.
import { execFile } from "node:child_process";
import { basename, dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { unpackTar } from "modern-tar";
import { AppError } from "../base/errors.ts";
import type { FileTree } from "../project/tree.ts";
import { taggedBugTask } from "../tasks/adapters/tagged-bug.ts";
import type { Task } from "../tasks/task.ts";

const TAG = /^Bug-(\d+)$/;
const MAX_BYTES = 512 * 1024 * 1024;
const run = promisify(execFile);

async function git(folder: string, args: readonly string[]): Promise<Buffer> {
  // A snapshot may belong to another user; it is only read.
  const { stdout } = await run("git", ["-c", `safe.directory=${resolve(folder)}`, "-C", folder, ...args], { encoding: "buffer", maxBuffer: MAX_BYTES });
  return stdout;
}

/** The numbers of its bugs, in order; empty for a folder that is no repository or has no such tags. */
export async function taggedBugs(folder: string): Promise<number[]> {
  let tags: string;
  try {
    tags = (await git(folder, ["tag", "--list", "Bug-*"])).toString();
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "ENOENT") throw new AppError("command/usage", "git is not installed, and is needed to read a repository. Install it, or give task folders.", { cause });
    return [];
  }
  return tags.split("\n").flatMap((tag) => TAG.exec(tag)?.[1] ?? []).map(Number).sort((a, b) => a - b);
}

export interface RepositoryOptions {
  /** `{tests}` stands for the test files of a bug. */
  readonly test: string;
  readonly packages?: FileTree;
}

/** Every bug whose tags are whole; `skipped` is told of the others. */
export async function readRepository(folder: string, options: RepositoryOptions, skipped: (reason: string) => void): Promise<Task[]> {
  const path = resolve(folder);
  const project = (/^(?:repo|\.git)$/.test(basename(path)) ? repositoryName(path) : basename(path)).replace(/\.git$/, "");
  const tasks: Task[] = [];
  for (const number of await taggedBugs(folder)) {
    try {
      const tag = `Bug-${number}`;
      const [before, withTests, withFix] = await Promise.all([tag, `${tag}-test`, `${tag}-fix`].map((name) => treeAt(folder, name)));
      const message = (await git(folder, ["log", "-1", "--format=%B", await firstTag(folder, [`${tag}-original`, `${tag}-fix`])])).toString();
      tasks.push(taggedBugTask({ project, number, before: before!, withTests: withTests!, withFix: withFix!, message, ...options }));
    } catch (error) {
      skipped(`Bug-${number}: ${error instanceof AppError ? error.message : String((error as { stderr?: unknown }).stderr ?? error).trim()}`);
    }
  }
  return tasks;
}

function repositoryName(path: string): string {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) if (!/^(?:repo|\.git)$/.test(basename(folder))) return basename(folder);
  return "repository";
}

async function firstTag(folder: string, names: readonly string[]): Promise<string> {
  const known = new Set((await git(folder, ["tag", "--list", ...names])).toString().split("\n"));
  return names.find((name) => known.has(name)) ?? names.at(-1)!;
}

/** Regular files of a commit. */
async function treeAt(folder: string, tag: string): Promise<FileTree> {
  const entries = await unpackTar(await git(folder, ["archive", "--format=tar", tag]));
  return new Map(entries.filter(({ header, data }) => header.type === "file" && data !== undefined).map(({ header, data }) => [header.name, new Uint8Array(data!)] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}
