// npm run eval: every task of a folder in the real page, container and engine; hidden tests decide.
// Controls run for every task: the reference passes, the broken start fails, doing nothing fails.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../base/errors.ts";
import { compareReports, controlsHold, type Report, REPORT_VERSION, type RunFacts } from "../tasks/scoring/report.ts";
import { htmlReport } from "../tasks/scoring/report-page.ts";
import { comparisonText, markdownReport, summaryTable } from "../tasks/scoring/report-text.ts";
import { atLevel, type Level, LEVELS, type Task } from "../tasks/task.ts";
import { numberOption, required, runCommand, type Values, wholeOption } from "./args.ts";
import { EvalJournal, runDigest } from "./eval-journal.ts";
import { evaluate } from "./eval-run.ts";
import { type LabPage, openLabPage } from "./lab-page.ts";
import { readAnyTasks } from "./read-tasks.ts";
import { writeTask } from "./task-folder.ts";

const HELP = `
Usage: npm run eval -- --tasks PATH [--model M] [--samples K] [--level L] [--out FILE [--resume]] [--limit N]
                   [--set NAME] [--no-agent]
       npm run eval -- --tasks PATH --write DIR [--test CMD] [--packages NODE_MODULES]
       npm run eval -- --compare A.json B.json

Gives every task to the assistant in the real page (headless browser, real container,
real engine), then runs the task's hidden tests on what it left. Tests that the assistant could
see, and what steers them, are put back first; what the project prints is not believed. Every run
proves its own controls, task by task: the reference solution passes, the broken start fails its
tests, and fails when graded unchanged.

  --tasks PATH       where the tasks are; what is there decides how they are read:
                     task folders (task.json, files/, hidden/, solution/), or one of them;
                     task lines, or lines of broken functions with tests and reference (HumanEvalPack, QuixBugs): a .jsonl file;
                     exercise folders in Exercism's form (.meta/config.json), or a whole track;
                     a git repository whose bugs are tagged Bug-N, Bug-N-test, Bug-N-fix (BugsJS)
  --test CMD         the test command of such a repository ({tests}: the files that show the bug; default: npm test)
  --packages DIR     its node_modules, for the container
  --write DIR        writes the tasks as task folders, and no more
  --model M          a .gguf file, or the id of a model in the page's list (default: the bundled one)
  --samples K        attempts at every task (default 1), for pass@k; more than one are drawn with seeds
  --tries N          edits that are tried before one is kept, the tests deciding (default 1, none)
  --temperature T    how freely they are drawn (default: the model's own for one attempt, 0.7 for more)
  --seed S           seed of the first attempt (default 1); the next has the next
  --level L          how vague the instruction is, where a task has levels: vague, plain or exact
  --limit N          only the first N tasks of every set
  --set NAME         only the tasks of this set ("known", "novel")
  --out FILE.json    the report, with FILE.md and FILE.html beside it, and FILE.jsonl as the run goes
  --resume           goes on with the FILE.jsonl of a run that was stopped
  --json             the whole report on stdout instead of the table
  --no-agent         only the controls
  --compare A B      two reports over the tasks they share: paired difference with its interval, McNemar's test
  --help             this text

Exit code: 0 if every task ran and every control held, whatever share was solved; 1 if a control
failed or the run broke; 2 for wrong arguments.
`;

await runCommand({
  help: HELP,
  options: {
    tasks: { type: "string" },
    model: { type: "string" },
    samples: { type: "string" },
    tries: { type: "string" },
    temperature: { type: "string" },
    seed: { type: "string" },
    level: { type: "string" },
    limit: { type: "string" },
    set: { type: "string" },
    test: { type: "string" },
    packages: { type: "string" },
    write: { type: "string" },
    out: { type: "string" },
    resume: { type: "boolean" },
    json: { type: "boolean" },
    "no-agent": { type: "boolean" },
    compare: { type: "string" },
  },
  run: (values, positionals) => (typeof values["compare"] === "string" ? compare(values["compare"], positionals, values["json"] === true) : score(values)),
});

async function score(values: Values): Promise<number> {
  const folder = required(values, "tasks");
  const level = levelOf(values["level"]);
  const tasks = choose((await readAnyTasks(folder, { test: text(values, "test"), packages: text(values, "packages") }, (reason) => void process.stderr.write(`left out: ${reason}\n`))).map((task) => (level === undefined ? task : atLevel(task, level))), text(values, "set"), numberOption(values, "limit", 1) ?? Number.POSITIVE_INFINITY);
  const write = text(values, "write");
  if (write !== undefined) {
    for (const task of tasks) await writeTask(join(write, task.id), task);
    process.stdout.write(`${tasks.length} task folders in ${write}\n`);
    return 0;
  }
  const withAgent = values["no-agent"] !== true;
  const model = text(values, "model");
  const samples = Math.floor(numberOption(values, "samples", 1) ?? 1);
  const tries = wholeOption(values, "tries") ?? 1;
  const temperature = numberOption(values, "temperature", 0);
  const settings = { model: withAgent ? (model === undefined ? "the bundled model" : basename(model)) : "none, controls only", samples, ...(tries === 1 ? {} : { tries }), ...(temperature === undefined && samples === 1 ? {} : { temperature: temperature ?? 0.7 }), seed: numberOption(values, "seed", 0) ?? 1 };
  const facts: RunFacts = { ...settings, tasks: `${tasks.length} of ${basename(folder)}${level === undefined ? "" : `, ${level} instructions`}`, started: new Date().toISOString() };
  const out = outputs(values);
  const journal = await EvalJournal.open(out?.journal, facts, runDigest(tasks, settings), values["resume"] === true);
  const lab = await openLabPage();
  let report: Report;
  try {
    await start(lab, model, withAgent);
    report = await evaluate(tasks, lab, journal, { withAgent, samples, tries, temperature, seed: settings.seed, progress: (text) => void process.stderr.write(text) });
  } finally {
    await lab.close();
  }
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (out) {
    await writeFile(out.json, json);
    await writeFile(out.markdown, markdownReport(report));
    await writeFile(out.page, htmlReport(report));
  }
  process.stdout.write(values["json"] === true ? json : summaryTable(report));
  return report.results.every(controlsHold) ? 0 : 1;
}

function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

function levelOf(value: Values[string]): Level | undefined {
  if (value === undefined) return undefined;
  const level = LEVELS.find((one) => one === value);
  if (level === undefined) throw new AppError("command/usage", `--level must be ${LEVELS.join(", ")}, not "${String(value)}".`);
  return level;
}

function outputs(values: Values): Record<"json" | "markdown" | "page" | "journal", string> | undefined {
  const { out } = values;
  if (typeof out !== "string") {
    if (values["resume"] === true) throw new AppError("command/usage", "--resume needs --out, the file of the run that goes on.");
    return undefined;
  }
  if (!existsSync(dirname(out))) throw new AppError("command/usage", `--out ${out}: there is no folder ${dirname(out)}. Make it first.`);
  const stem = out.replace(/\.json$/, "");
  return { json: out, markdown: `${stem}.md`, page: `${stem}.html`, journal: `${stem}.jsonl` };
}

function choose(tasks: readonly Task[], set: string | undefined, limit: number): Task[] {
  const taken = new Map<string, number>();
  const chosen = tasks.filter((task) => {
    const group = task.set ?? "tasks";
    if (set !== undefined && group !== set) return false;
    taken.set(group, (taken.get(group) ?? 0) + 1);
    return taken.get(group)! <= limit;
  });
  if (chosen.length === 0) throw new AppError("command/usage", `No task is left to run: there is none of the set "${set}".`);
  return chosen;
}

/** The controls alone need no model: without one they still run, and a container that is missing shows at the first of them. */
async function start(lab: LabPage, model: string | undefined, withAgent: boolean): Promise<void> {
  try {
    await lab.start(model);
  } catch (error) {
    if (withAgent) throw error;
  }
}

async function compare(first: string, positionals: readonly string[], asJson: boolean): Promise<number> {
  const [second] = positionals;
  if (second === undefined) throw new AppError("command/usage", "--compare needs two reports: --compare A.json B.json.");
  const found = compareReports(await readReport(first), await readReport(second));
  if (!found) throw new AppError("command/usage", `${first} and ${second} share no task: there is nothing to compare.`);
  process.stdout.write(asJson ? `${JSON.stringify(found, null, 2)}\n` : comparisonText(found, [first, second]));
  return 0;
}

async function readReport(path: string): Promise<Report> {
  if (!existsSync(path)) throw new AppError("command/usage", `There is no file ${path}.`);
  let report: Partial<Report>;
  try {
    report = JSON.parse(await readFile(path, "utf8")) as Partial<Report>;
  } catch (cause) {
    throw new AppError("command/usage", `${path} is not valid JSON. Give the FILE.json that --out wrote.`, { cause });
  }
  if (report.version !== REPORT_VERSION || !Array.isArray(report.results)) throw new AppError("command/usage", `${path} is no report of version ${REPORT_VERSION}. Run npm run eval with --out to make one.`);
  return report as Report;
}
