// Writes the held-out tasks, as folders or as lines of one file, each proven with this machine's own `node --test`: the
// reference passes, the start fails with and without the hidden tests.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import type { FileTree } from "../project/tree.ts";
import { HELD_OUT_SETS, type HeldOutSet, heldOutTasks } from "../tasks/held-out.ts";
import { gradingTree, solvedTree, type Task } from "../tasks/task.ts";
import { writeTaskLine } from "../tasks/task-line.ts";
import { writeTask, writeTree } from "./task-folder.ts";

/** Which sets a list names, "known,novel" for example. Throws `command/usage` for another name. */
export function heldOutSets(list: string): HeldOutSet[] {
  return list.split(",").map((name) => {
    const set = HELD_OUT_SETS.find((one) => one === name);
    if (!set) throw new AppError("command/usage", `--sets takes ${HELD_OUT_SETS.join(", ")}, not "${name}".`);
    return set;
  });
}

/** Returns the exit code of the command. */
export async function writeHeldOut(out: string, sets: readonly HeldOutSet[], count: number, seed: number): Promise<number> {
  const lines: string[] = [];
  for (const set of sets) {
    for (const task of heldOutTasks(set, count, seed)) {
      await prove(task);
      if (out.endsWith(".jsonl")) lines.push(await writeTaskLine(task));
      else await writeTask(join(out, task.id), task);
      process.stdout.write(`${task.id}: ${task.instruction}\n`);
    }
  }
  if (lines.length > 0) await writeFile(out, lines.join(""));
  return 0;
}

/** Throws if real Node does not agree with what the task promises. */
async function prove(task: Task): Promise<void> {
  const broken = (await runNodeTests(task.files)).exitCode;
  const idle = (await runNodeTests(gradingTree(task, task.files))).exitCode;
  const solved = (await runNodeTests(gradingTree(task, solvedTree(task)))).exitCode;
  if (broken === 0 || idle === 0 || solved !== 0) {
    throw new AppError("bug", `${task.id}: node --test ends with ${broken} at the start, ${idle} graded unchanged, ${solved} for the reference.`);
  }
}

/** Real `node --test` on these files in a folder of their own. */
export async function runNodeTests(files: FileTree): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "tabwright-task-"));
  try {
    await writeTree(folder, files);
    return await new Promise((resolve, reject) => {
      // NODE_TEST_CONTEXT would make the child report to a test runner that is not there.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const child = spawn(process.execPath, ["--test"], { cwd: folder, env });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
      child.on("error", reject);
      child.on("close", (exitCode) => resolve({ exitCode, output }));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
