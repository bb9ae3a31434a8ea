// npm run feedback: what the tests give at run time. Solves held-out tasks in the real page with one try per edit and with
// several, and keeps of every edit how sure the model was and whether it was right: what thresholds are measured from.
import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import type { AgentEvent } from "../agent/events.ts";
import type { FileTree } from "../project/tree.ts";
import { gradingTree, type Task } from "../tasks/task.ts";
import { numberOption, required, runCommand } from "./args.ts";
import { certaintyTable, type FeedbackLine, firstDrafts, triesTable } from "./feedback-tables.ts";
import { type LabPage, openLabPage } from "./lab-page.ts";
import { readTasks } from "./task-folder.ts";

const HELP = `
Usage: npm run feedback -- --tasks DIR --out FILE.jsonl [--set NAME] [--limit N] [--tries 1,4] [--model M]

Solves every task in DIR once for each number of tries, and appends a line to FILE for each: solved
or not, tokens, seconds, and of every edit its mean log-probability and what the tests made of it.
What FILE has already is not done again. Then prints two tables: solved tasks by tries, and
how well certainty tells right edits from wrong ones.

  --tasks DIR     a folder of task folders (npm run synthesise -- --held-out DIR makes some)
  --out FILE      JSON lines
  --set NAME      only the tasks of this set ("known", "novel")
  --limit N       only the first N of them
  --tries LIST    numbers of tries (default 1,4)
  --model M       a .gguf file, or the id of a model in the page's list (default: the bundled one)
  --help          this text
`;

await runCommand({
  help: HELP,
  options: { tasks: { type: "string" }, out: { type: "string" }, set: { type: "string" }, limit: { type: "string" }, tries: { type: "string" }, model: { type: "string" } },
  async run(values) {
    const out = required(values, "out");
    const all = await readTasks(required(values, "tasks"));
    const ofSet = all.filter(({ set }) => values["set"] === undefined || set === values["set"]);
    const tasks = ofSet.slice(0, numberOption(values, "limit", 1) ?? ofSet.length);
    const counts = String(values["tries"] ?? "1,4").split(",").map(Number);
    const lines = existsSync(out) ? readLines(await readFile(out, "utf8")) : [];
    const isDone = (task: Task, tries: number): boolean => lines.some((line) => line.task === task.id && line.tries === tries);
    const todo = tasks.flatMap((task) => counts.filter((tries) => !isDone(task, tries)).map((tries) => ({ task, tries })));
    if (todo.length > 0) {
      const lab = await openLabPage();
      try {
        await lab.start(typeof values["model"] === "string" ? values["model"] : undefined);
        for (const [index, { task, tries }] of todo.entries()) {
          const line = await solveOnce(lab, task, tries);
          lines.push(line);
          await appendFile(out, `${JSON.stringify(line)}\n`);
          process.stderr.write(`${index + 1}/${todo.length} ${task.id}, ${tries} tries: ${line.solved ? "solved" : line.end}, ${line.seconds.toFixed(0)} s\n`);
        }
      } finally {
        await lab.close();
      }
    }
    process.stdout.write(`${triesTable(lines)}\nThe first edit of each task:\n\n${certaintyTable(firstDrafts(lines, true))}\nEvery edit:\n\n${certaintyTable(firstDrafts(lines, false))}`);
    return 0;
  },
});

/** A line that a kill cut short is done again. */
function readLines(text: string): FeedbackLine[] {
  return text.split("\n").filter((line) => line.endsWith("}")).map((line) => JSON.parse(line) as FeedbackLine);
}

async function solveOnce(lab: LabPage, task: Task, tries: number): Promise<FeedbackLine> {
  const edits: FeedbackLine["edits"][number][] = [];
  const onEvent = (event: AgentEvent): void => {
    if (event.type === "tries") edits.push({ kept: event.kept, tries: event.tries.map(({ call: _call, problem: _problem, checkpoint: _checkpoint, ...report }) => report) });
  };
  const started = performance.now();
  const { files, done, error } = await lab.solve(task.id, pack(task.files), task.instruction, { onEvent, tries });
  const seconds = (performance.now() - started) / 1000;
  const graded = await lab.test(pack(gradingTree(task, unpack(files))), task.test);
  return { task: task.id, set: task.set ?? "tasks", tries, solved: graded.outcome === "passed", end: done?.reason ?? error ?? "unknown", steps: done?.steps ?? 0, tokens: done?.tokens ?? 0, seconds, edits };
}

function pack(files: FileTree): Record<string, string> {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString("base64")]));
}

function unpack(files: Readonly<Record<string, string>>): FileTree {
  return new Map(Object.entries(files).map(([path, text]) => [path, new Uint8Array(Buffer.from(text, "base64"))]));
}
