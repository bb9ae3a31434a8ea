// The journal of an evaluation: one JSON line for the run, for every task's controls and for every attempt, written as soon
// as each is known. A run that was killed goes on from it and loses at most the attempt it was in.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { AppError } from "../base/errors.ts";
import type { Attempt, Controls, RunFacts } from "../tasks/scoring/report.ts";
import type { Grade } from "../tasks/scoring/grading.ts";
import type { Task } from "../tasks/task.ts";

/** What the reference's grade was: attempts are measured by it. */
export interface TaskControls {
  readonly id: string;
  readonly controls: Controls;
  readonly reference: Grade;
}

interface RunLine extends RunFacts {
  /** Of tasks, model and settings: a journal goes on only with the same. */
  readonly digest: string;
}

type Line = { readonly run: RunLine } | { readonly controls: TaskControls } | { readonly attempt: Attempt };

/** Everything that decides what a run would find: ids, files, and how the model is asked. */
export function runDigest(tasks: readonly Task[], facts: Omit<RunFacts, "started" | "tasks">): string {
  const hash = createHash("sha256").update(JSON.stringify(facts));
  for (const { files, hidden, solution, packages, ...manifest } of tasks) {
    hash.update(JSON.stringify(manifest));
    for (const tree of [files, hidden, solution, packages ?? new Map<string, Uint8Array>()]) for (const [path, bytes] of tree) hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

export class EvalJournal {
  readonly controls = new Map<string, TaskControls>();
  readonly attempts = new Map<string, Attempt>();
  /** Of the run that is gone on with, else of this one. */
  readonly facts: RunFacts;
  readonly #path: string | undefined;

  private constructor(path: string | undefined, facts: RunFacts, lines: readonly Line[]) {
    this.#path = path;
    this.facts = facts;
    for (const line of lines) {
      if ("controls" in line) this.controls.set(line.controls.id, line.controls);
      if ("attempt" in line) this.attempts.set(key(line.attempt.id, line.attempt.sample), line.attempt);
    }
  }

  /** Without a path nothing is written. Throws `command/usage` when `resume` meets the journal of another run. */
  static async open(path: string | undefined, facts: RunFacts, digest: string, resume: boolean): Promise<EvalJournal> {
    if (path === undefined) return new EvalJournal(undefined, facts, []);
    if (resume && existsSync(path)) {
      const { lines, whole } = readLines(await readFile(path, "utf8"));
      const run = lines.find((line): line is { run: RunLine } => "run" in line)?.run;
      if (run && run.digest !== digest) {
        throw new AppError("command/usage", `${path} is the journal of another run (${run.model}, ${run.tasks}, ${run.samples} attempts a task). Give the same tasks, model and settings, or another --out, or leave --resume out to begin anew.`);
      }
      if (run) {
        const { digest: _, ...known } = run;
        // What was being written when the run was killed is cut off.
        await writeFile(path, whole);
        return new EvalJournal(path, known, lines);
      }
    }
    await writeFile(path, `${JSON.stringify({ run: { ...facts, digest } })}\n`);
    return new EvalJournal(path, facts, []);
  }

  attempt(id: string, sample: number): Attempt | undefined {
    return this.attempts.get(key(id, sample));
  }

  async addControls(controls: TaskControls): Promise<void> {
    this.controls.set(controls.id, controls);
    await this.#append({ controls });
  }

  async addAttempt(attempt: Attempt): Promise<void> {
    this.attempts.set(key(attempt.id, attempt.sample), attempt);
    await this.#append({ attempt });
  }

  async #append(line: Line): Promise<void> {
    if (this.#path !== undefined) await appendFile(this.#path, `${JSON.stringify(line)}\n`);
  }
}

function key(id: string, sample: number): string {
  return `${sample} ${id}`;
}

function readLines(text: string): { lines: Line[]; whole: string } {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return { whole, lines: whole.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Line) };
}
