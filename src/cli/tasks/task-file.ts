// A file of tasks that grows: lines are only ever added, so a run that is killed at any moment has lost at most half a
// line, which is cut off, and the run goes on where the last whole line was.
import { createReadStream, existsSync } from "node:fs";
import { type FileHandle, mkdir, open, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../base/errors.ts";
import type { Plan } from "../../tasks/making/production.ts";
import { type BaseLine, baseLine, type Dropped, type NumberedTask, TaskLineReader, writeTaskLine } from "../../tasks/task-line.ts";
import type { Source } from "../../tasks/making/candidate.ts";
import type { Task } from "../../tasks/task.ts";

/** The tasks of a file, in order. Throws `command/usage` where there is no file, `task/format` naming a line. */
export async function* readTaskLines(path: string): AsyncGenerator<NumberedTask> {
  if (!existsSync(path)) throw new AppError("command/usage", `There is no file ${path}.`);
  const reader = new TaskLineReader();
  for await (const { text } of linesOf(path)) {
    const found = reader.read(text, path);
    if (found) yield found;
  }
}

interface Line {
  readonly text: string;
  /** Bytes of the file up to its end, the line end included. */
  readonly end: number;
  readonly whole: boolean;
}

async function* linesOf(path: string): AsyncGenerator<Line> {
  let [parts, end]: [Buffer[], number] = [[], 0];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at));
      const bytes = Buffer.concat(parts);
      end += bytes.length + 1;
      yield { text: bytes.toString("utf8"), end, whole: true };
      parts = [];
      from = at + 1;
    }
    parts.push(chunk.subarray(from));
  }
  const rest = Buffer.concat(parts);
  if (rest.length > 0) yield { text: rest.toString("utf8"), end: end + rest.length, whole: false };
}

export class TaskFile {
  readonly path: string;
  /** Hashes of the tasks that are there. */
  readonly known: Set<string>;
  /** What is left of the plan. */
  readonly rest: Plan;
  /** Counts over the whole file, runs before this one included. */
  readonly dropped: Record<string, number>;
  kept: number;
  readonly #file: FileHandle;
  readonly #base: BaseLine | undefined;
  #hasBase: boolean;

  private constructor(path: string, file: FileHandle, base: BaseLine | undefined, found: Found, rest: Plan) {
    this.path = path;
    this.#file = file;
    this.#base = base;
    this.#hasBase = base !== undefined && found.bases.has(base.base);
    this.known = found.known;
    this.dropped = found.dropped;
    this.kept = found.known.size;
    this.rest = rest;
  }

  /** Opens or begins a file of tasks of one source. Throws `command/usage` if it holds those of another, or other numbers. */
  static async open(path: string, source: Pick<Source, "name" | "shared">, plan: Plan): Promise<TaskFile> {
    const base = source.shared ? await baseLine(source.shared.files, source.shared.packages) : undefined;
    await mkdir(dirname(path), { recursive: true });
    const found = existsSync(path) ? await look(path, source.name) : { known: new Set<string>(), bases: new Map(), dropped: {}, first: undefined, last: undefined };
    if (found.first !== undefined && (found.first < plan.seed || found.last! >= plan.until)) {
      throw new AppError("command/usage", `${path} holds tasks ${found.first} to ${found.last}, which are outside --seed ${plan.seed} and --until ${plan.until}. Choose another --out.`);
    }
    const rest = { seed: found.last === undefined ? plan.seed : found.last + 1, until: plan.until, count: Math.max(0, plan.count - found.known.size) };
    return new TaskFile(path, await open(path, "a"), base, found, rest);
  }

  /** One write, so that a line is never mixed with another. */
  async add(task: Task, hash: string, dropped: Dropped): Promise<void> {
    const head = this.#base && !this.#hasBase ? `${JSON.stringify(this.#base)}\n` : "";
    this.#hasBase = true;
    await this.#file.appendFile(head + (await writeTaskLine(task, { ...(this.#base ? { base: this.#base } : {}), dropped })));
    this.known.add(hash);
    this.kept++;
    addUp(this.dropped, dropped);
  }

  async close(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }
}

interface Found {
  readonly known: Set<string>;
  readonly bases: ReadonlyMap<string, unknown>;
  readonly dropped: Record<string, number>;
  readonly first: number | undefined;
  readonly last: number | undefined;
}

/** Reads what is there and cuts off half a line at its end. */
async function look(path: string, source: string): Promise<Found> {
  const reader = new TaskLineReader();
  const found = { known: new Set<string>(), bases: reader.bases, dropped: {} as Record<string, number>, first: undefined as number | undefined, last: undefined as number | undefined };
  let whole = 0;
  for await (const line of linesOf(path)) {
    if (!line.whole) {
      await truncate(path, whole);
      break;
    }
    whole = line.end;
    const read = reader.read(line.text, path);
    if (!read) continue;
    const { origin } = read.task;
    if (origin?.source !== source) throw new AppError("command/usage", `${path} holds tasks of ${origin?.source ?? "another kind"}, not of ${source}. Choose another --out; npm run tasks -- merge joins files.`);
    found.known.add(read.hash);
    found.first ??= origin.seed;
    found.last = origin.seed;
    addUp(found.dropped, read.dropped);
  }
  return found;
}

function addUp(sum: Record<string, number>, dropped: Dropped): void {
  for (const [reason, count] of Object.entries(dropped)) sum[reason] = (sum[reason] ?? 0) + count;
}

/** Joins files: their lines as they are, in order, bases and tasks that came before left out. Returns counts. */
export async function mergeFiles(out: string, inputs: readonly string[]): Promise<{ readonly kept: number; readonly duplicates: number }> {
  if (inputs.includes(out)) throw new AppError("command/usage", `${out} is among the files to join. Choose another name for the result.`);
  const missing = inputs.find((path) => !existsSync(path));
  if (missing !== undefined) throw new AppError("command/usage", `There is no file ${missing}.`);
  await mkdir(dirname(out), { recursive: true });
  const file = await open(out, "w");
  const seen = new Set<string>();
  let [kept, duplicates] = [0, 0];
  try {
    for (const path of inputs) {
      const reader = new TaskLineReader();
      for await (const { text } of linesOf(path)) {
        const read = reader.read(text, path);
        const key = read?.hash ?? `base ${reader.lastBase}`;
        if (text.trim() === "" || (seen.has(key) && !read)) continue;
        if (read && seen.has(key)) {
          duplicates++;
          continue;
        }
        seen.add(key);
        if (read) kept++;
        await file.appendFile(`${text}\n`);
      }
    }
  } finally {
    await file.close();
  }
  return { kept, duplicates };
}
