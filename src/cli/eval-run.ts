// One evaluation in the real page: controls and attempts of every task, graded by tests the assistant never had.
import { randomBytes } from "node:crypto";
import type { Sampling } from "../engine/api.ts";
import type { FileTree } from "../project/tree.ts";
import { type Grade, grade, type RunOn } from "../tasks/scoring/grading.ts";
import { type Attempt, controlsHold, reportOf, type Report } from "../tasks/scoring/report.ts";
import { brokenControls } from "../tasks/scoring/report-text.ts";
import { SOLVE_SCRIPT, solvedTree, type Task } from "../tasks/task.ts";
import type { SolveOptions } from "../ui/lab/lab-solve.ts";
import type { EvalJournal, TaskControls } from "./eval-journal.ts";
import type { LabPage } from "./lab-page.ts";

export interface EvalOptions {
  readonly withAgent: boolean;
  readonly samples: number;
  /** Edits that are tried before one is kept. */
  readonly tries: number;
  readonly temperature: number | undefined;
  readonly seed: number;
  readonly progress: (text: string) => void;
}

export async function evaluate(tasks: readonly Task[], lab: LabPage, journal: EvalJournal, options: EvalOptions): Promise<Report> {
  const results: Attempt[] = [];
  const total = tasks.length * options.samples;
  const bench = new Bench(lab);
  for (const task of tasks) {
    let controls = journal.controls.get(task.id);
    if (!controls) {
      controls = await bench.controls(task);
      await journal.addControls(controls);
    }
    for (let sample = 1; sample <= options.samples; sample++) {
      let attempt = journal.attempt(task.id, sample);
      const known = attempt !== undefined;
      if (!attempt) {
        attempt = options.withAgent ? await bench.attempt(task, controls, sample, { tries: options.tries, ...samplingOf(options, sample) }) : notRun(task, controls, sample);
        await journal.addAttempt(attempt);
      }
      results.push(attempt);
      options.progress(`${String(results.length).padStart(3)}/${total} ${describe(attempt, options.samples)}${known ? " (from the journal)" : ""}${sample === 1 ? controlNote(attempt) : ""}\n`);
    }
  }
  return reportOf(journal.facts, results);
}

/** Several attempts must differ: each has its own seed, all are drawn alike and more freely than greedy. One attempt is the model's own way. */
function samplingOf({ samples, temperature, seed }: EvalOptions, sample: number): { readonly sampling?: Sampling } {
  return samples === 1 && temperature === undefined ? {} : { sampling: { temperature: temperature ?? 0.7, topK: 0, topP: 0.95, seed: seed + sample - 1 } };
}

/** The page's container, where tasks are solved and graded. */
class Bench {
  readonly #lab: LabPage;

  constructor(lab: LabPage) {
    this.#lab = lab;
  }

  /** With the task's own packages, whatever was done to those of the run before: `node_modules` is in no snapshot. */
  #runWith({ packages }: Task): RunOn {
    const packed = pack(packages ?? new Map());
    return async (files, command) => {
      await this.#lab.install(packed);
      return this.#lab.test(pack(files), command);
    };
  }

  #grade(task: Task, after: FileTree, reference?: Grade): Promise<Grade> {
    return grade(task, after, this.#runWith(task), { key: randomBytes(32).toString("hex"), reference });
  }

  async controls(task: Task): Promise<TaskControls> {
    const reference = await this.#grade(task, task.kind === "terminal" ? await this.#solvedByScript(task) : solvedTree(task));
    const noOp = await this.#grade(task, task.files, reference);
    // A terminal task has no tests of its own to fail.
    const brokenStart = task.kind === "terminal" ? !noOp.passed : (await this.#startOutcome(task)) !== "passed";
    return { id: task.id, reference, controls: { reference: reference.passed, brokenStart, noOp: !noOp.passed } };
  }

  async #startOutcome(task: Task): Promise<string> {
    await this.#lab.install(pack(task.packages ?? new Map()));
    return (await this.#lab.test(pack(task.files), task.test)).outcome;
  }

  async #solvedByScript(task: Task): Promise<FileTree> {
    await this.#lab.install({});
    const { files } = await this.#lab.run(pack(solvedTree(task)), `sh ${SOLVE_SCRIPT}`);
    return new Map([...unpack(files)].filter(([path]) => path !== SOLVE_SCRIPT));
  }

  async attempt(task: Task, { controls, reference }: TaskControls, sample: number, options: SolveOptions): Promise<Attempt> {
    await this.#lab.install(pack(task.packages ?? new Map()));
    const started = performance.now();
    const { files, patch, done, error, tally } = await this.#lab.solve(task.id, pack(task.files), task.instruction, options);
    const seconds = Number(((performance.now() - started) / 1000).toFixed(2));
    const { passed, reason } = await this.#grade(task, unpack(files), reference);
    return {
      ...namesOf(task), sample, controls, solved: passed, verdict: reason,
      end: done?.reason ?? (error === undefined ? "unknown" : `error: ${error}`), steps: done?.steps ?? 0, tokens: done?.tokens ?? 0, seconds, ...tally, patch,
    };
  }
}

function namesOf({ id, set, family }: Task): Pick<Attempt, "id" | "set" | "family"> {
  return { id, set: set ?? "tasks", family: family ?? "" };
}

function notRun(task: Task, { controls }: TaskControls, sample: number): Attempt {
  return { ...namesOf(task), sample, controls, solved: false, verdict: "Not attempted.", end: "not-run", steps: 0, tokens: 0, promptTokens: 0, seconds: 0, calls: 0, validCalls: 0, patch: "" };
}

function describe({ id, sample, solved, end, steps, seconds }: Attempt, samples: number): string {
  const name = samples === 1 ? id : `${id} #${sample}`;
  return end === "not-run" ? `controls ${name}` : `${solved ? "solved" : "failed"} ${name} (${end}, ${steps} turns, ${seconds.toFixed(1)} s)`;
}

function controlNote(attempt: Attempt): string {
  return controlsHold(attempt) ? "" : `  CONTROL: ${brokenControls(attempt.controls).join(", ")}`;
}

function pack(files: FileTree): Record<string, string> {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString("base64")]));
}

function unpack(files: Readonly<Record<string, string>>): FileTree {
  return new Map(Object.entries(files).map(([path, text]) => [path, new Uint8Array(Buffer.from(text, "base64"))]));
}
