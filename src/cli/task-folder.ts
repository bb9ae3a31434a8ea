// Task folders on disk: reading one or a folder of them, and writing one.
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../base/errors.ts";
import type { FileTree } from "../project/tree.ts";
import { checkTask, parseManifest, type Task } from "../tasks/task.ts";

/** Every task below `folder`, by name; or the one task that `folder` is. Throws `task/format` for the first that is not whole. */
export async function readTasks(folder: string): Promise<Task[]> {
  if (!existsSync(folder)) throw new AppError("command/usage", `There is no folder ${folder}.`);
  if (existsSync(join(folder, "task.json"))) return [await readTask(folder)];
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (names.length === 0) throw new AppError("task/format", `${folder} holds no task: a task is a folder with a task.json.`);
  return Promise.all(names.sort().map((name) => readTask(join(folder, name))));
}

export async function readTask(folder: string): Promise<Task> {
  const path = join(folder, "task.json");
  if (!existsSync(path)) throw new AppError("task/format", `${folder} has no task.json. A task is a folder with task.json, files/, hidden/ and solution/.`);
  const manifest = parseManifest(await readFile(path, "utf8"), folder);
  const [files, hidden, solution, packages] = await Promise.all(["files", "hidden", "solution", "packages"].map((part) => readTree(join(folder, part))));
  const task: Task = { ...manifest, files: files!, hidden: hidden!, solution: solution!, ...(packages!.size > 0 ? { packages: packages! } : {}) };
  checkTask(task, folder);
  return task;
}

/** All files below a folder; empty if there is none. */
export async function readTree(folder: string): Promise<FileTree> {
  const tree = new Map<string, Uint8Array>();
  const visit = async (under: string): Promise<void> => {
    for (const entry of await readdir(join(folder, under), { withFileTypes: true })) {
      const path = under === "" ? entry.name : `${under}/${entry.name}`;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile()) tree.set(path, new Uint8Array(await readFile(join(folder, path))));
    }
  };
  if (existsSync(folder)) await visit("");
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Writes a task to `folder`, replacing what was there. */
export async function writeTask(folder: string, task: Task): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const { files, hidden, solution, packages, ...manifest } = task;
  await writeTree(folder, new Map([["task.json", new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)]]));
  await writeTree(join(folder, "files"), files);
  await writeTree(join(folder, "hidden"), hidden);
  await writeTree(join(folder, "solution"), solution);
  if (packages) await writeTree(join(folder, "packages"), packages);
}

/** Writes all files of a tree below `folder`. */
export async function writeTree(folder: string, tree: FileTree): Promise<void> {
  for (const [path, bytes] of tree) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}
