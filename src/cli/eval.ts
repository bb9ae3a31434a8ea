// npm run eval: every task of a folder in the real page, container and engine; hidden tests decide.
// Controls run for every task: the reference passes, the broken start fails, doing nothing fails.
import { writeFile } from "node:fs/promises";
import { AppError } from "../base/errors.ts";
import type { FileTree } from "../project/tree.ts";
import { gradingTree, solvedTree, type Task } from "../tasks/task.ts";
import { numberOption, required, runCommand } from "./args.ts";
import { type LabPage, openLabPage } from "./lab-page.ts";
import { readTasks } from "./task-folder.ts";

const HELP = `
Usage: npm run eval -- --tasks DIR [--model M] [--limit N] [--set NAME] [--json] [--out FILE] [--no-agent]

Gives every task in DIR to the assistant in the real page (headless browser, real container,
real engine), then runs the task's hidden tests on what it left. Tests that the assistant could
see are restored first. Every run proves its own controls, task by task: the reference solution
passes, the broken start fails its tests, and fails when graded unchanged.

  --tasks DIR   a folder of task folders, or one task folder (task.json, files/, hidden/, solution/)
  --model M     a .gguf file, or the id of a model in the page's list (default: the bundled one)
  --limit N     only the first N tasks of every set
  --set NAME    only the tasks of this set ("known", "novel")
  --json        the whole result as JSON instead of the table
  --out FILE    also write the JSON to a file
  --no-agent    only the controls
  --help        this text

Exit code: 0 if every task ran and every control held, whatever share was solved; 1 if a control
failed or the run broke; 2 for wrong arguments.
`;

interface Controls {
  readonly reference: boolean;
  readonly brokenStart: boolean;
  readonly noOp: boolean;
}

interface TaskResult {
  readonly id: string;
  readonly set: string;
  readonly family: string;
  readonly controls: Controls;
  readonly solved: boolean;
  /** Why the assistant ended: a `done` reason, "error", or "not-run". */
  readonly end: string;
  readonly steps: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly patch: string;
}

await runCommand({
  help: HELP,
  options: {
    tasks: { type: "string" },
    model: { type: "string" },
    limit: { type: "string" },
    set: { type: "string" },
    out: { type: "string" },
    json: { type: "boolean" },
    "no-agent": { type: "boolean" },
  },
  async run(values) {
    const folder = required(values, "tasks");
    const limit = numberOption(values, "limit", 1) ?? Number.POSITIVE_INFINITY;
    const tasks = choose(await readTasks(folder), typeof values["set"] === "string" ? values["set"] : undefined, limit);
    const withAgent = values["no-agent"] !== true;
    const progress = (text: string): void => void process.stderr.write(text);
    const lab = await openLabPage();
    const results: TaskResult[] = [];
    try {
      await start(lab, typeof values["model"] === "string" ? values["model"] : undefined, withAgent);
      for (const task of tasks) {
        const result = await runTask(task, lab, withAgent);
        results.push(result);
        progress(`${String(results.length).padStart(3)}/${tasks.length} ${describe(result)}${controlNote(result)}\n`);
      }
    } finally {
      await lab.close();
    }
    const summary = summarise(results);
    const json = `${JSON.stringify({ summary, results }, null, 2)}\n`;
    if (typeof values["out"] === "string") await writeFile(values["out"], json);
    process.stdout.write(values["json"] === true ? json : table(summary));
    return results.every(controlsHold) ? 0 : 1;
  },
});

function choose(tasks: readonly Task[], set: string | undefined, limit: number): Task[] {
  const taken = new Map<string, number>();
  const chosen = tasks.filter((task) => {
    const group = setOf(task);
    if (set !== undefined && group !== set) return false;
    taken.set(group, (taken.get(group) ?? 0) + 1);
    return taken.get(group)! <= limit;
  });
  if (chosen.length === 0) throw new AppError("command/usage", `No task is left to run: there is none of the set "${set}".`);
  return chosen;
}

function describe({ id, solved, end, steps, seconds }: TaskResult): string {
  return end === "not-run" ? `controls ${id}` : `${solved ? "solved" : "failed"} ${id} (${end}, ${steps} steps, ${seconds.toFixed(1)} s)`;
}

/** The controls alone need no model: without one they still run, and a container that is missing shows at the first of them. */
async function start(lab: LabPage, model: string | undefined, withAgent: boolean): Promise<void> {
  try {
    await lab.start(model);
  } catch (error) {
    if (withAgent) throw error;
  }
}

function setOf(task: Task): string {
  return task.set ?? "tasks";
}

async function runTask(task: Task, lab: LabPage, withAgent: boolean): Promise<TaskResult> {
  const passes = async (files: FileTree): Promise<boolean> => (await lab.test(pack(files), task.test)).outcome === "passed";
  const controls: Controls = {
    reference: await passes(gradingTree(task, solvedTree(task))),
    brokenStart: !(await passes(task.files)),
    noOp: !(await passes(gradingTree(task, task.files))),
  };
  const known = { id: task.id, set: setOf(task), family: task.family ?? "", controls };
  if (!withAgent) return { ...known, solved: false, end: "not-run", steps: 0, tokens: 0, seconds: 0, patch: "" };
  const started = performance.now();
  const { files, patch, done, error } = await lab.solve(task.id, pack(task.files), task.instruction);
  const seconds = (performance.now() - started) / 1000;
  const solved = await passes(gradingTree(task, unpack(files)));
  return { ...known, solved, end: done?.reason ?? (error === undefined ? "unknown" : `error: ${error}`), steps: done?.steps ?? 0, tokens: done?.tokens ?? 0, seconds, patch };
}

function pack(files: FileTree): Record<string, string> {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString("base64")]));
}

function unpack(files: Readonly<Record<string, string>>): FileTree {
  return new Map(Object.entries(files).map(([path, text]) => [path, new Uint8Array(Buffer.from(text, "base64"))]));
}

function controlsHold({ controls }: TaskResult): boolean {
  return controls.reference && controls.brokenStart && controls.noOp;
}

function controlNote(result: TaskResult): string {
  const { reference, brokenStart, noOp } = result.controls;
  const broken = [reference ? "" : "the reference fails", brokenStart ? "" : "the broken start passes", noOp ? "" : "doing nothing passes"].filter(Boolean);
  return broken.length === 0 ? "" : `  CONTROL: ${broken.join(", ")}`;
}

interface SetSummary {
  readonly set: string;
  readonly tasks: number;
  readonly solved: number;
  readonly share: number;
  readonly referencePasses: number;
  readonly brokenFails: number;
  readonly noOpFails: number;
  readonly meanSteps: number;
  readonly meanSeconds: number;
}

function summarise(results: readonly TaskResult[]): SetSummary[] {
  const sets = [...new Set(results.map((one) => one.set))];
  const groups = sets.map((set): [string, readonly TaskResult[]] => [set, results.filter((one) => one.set === set)]);
  if (groups.length > 1) groups.push(["all", results]);
  return groups.map(([set, group]) => {
    const count = (test: (one: TaskResult) => boolean): number => group.filter(test).length;
    const mean = (of: (one: TaskResult) => number): number => Number((group.reduce((sum, one) => sum + of(one), 0) / group.length).toFixed(2));
    const solved = count((one) => one.solved);
    return {
      set,
      tasks: group.length,
      solved,
      share: Number((solved / group.length).toFixed(3)),
      referencePasses: count((one) => one.controls.reference),
      brokenFails: count((one) => one.controls.brokenStart),
      noOpFails: count((one) => one.controls.noOp),
      meanSteps: mean((one) => one.steps),
      meanSeconds: mean((one) => one.seconds),
    };
  });
}

function table(summary: readonly SetSummary[]): string {
  const rows = summary.map((one) => [one.set, one.tasks, one.solved, `${(one.share * 100).toFixed(1)} %`, one.referencePasses, one.brokenFails, one.noOpFails, one.meanSteps, one.meanSeconds].map(String));
  const head = ["set", "tasks", "solved", "share", "reference passes", "broken fails", "no-op fails", "steps", "seconds"];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return `${[line(head), ...rows.map(line)].join("\n")}\n`;
}
