// Jobs: what `&` has started and what Ctrl+Z has stopped; `jobs`, `wait`, `fg`, `bg`, `%1`.
import type { TerminalTurn } from "./streams.ts";
import type { Task } from "./task.ts";

export interface Job {
  readonly id: number;
  readonly pid: number;
  /** As it was typed. */
  readonly text: string;
  readonly task: Task;
  readonly done: Promise<number>;
  /** Undefined while it runs. */
  status: number | undefined;
  stopped: boolean;
  /** Its share of the terminal's input, if it was in the foreground once: it reads while it is there. */
  readonly turn: TerminalTurn | undefined;
}

export class Jobs {
  /** What all jobs are parts of; a command in the foreground is not. */
  readonly root: Task;
  #jobs: Job[] = [];
  /** Statuses of jobs that `jobs` no longer lists, for `wait`. */
  readonly #past = new Map<number, number>();

  constructor(root: Task) {
    this.root = root;
  }

  get all(): readonly Job[] {
    return this.#jobs;
  }

  get running(): readonly Job[] {
    return this.#jobs.filter(({ status }) => status === undefined);
  }

  add(text: string, pid: number, task: Task, done: Promise<number>, stopped = false, turn?: TerminalTurn): Job {
    const job: Job = { id: Math.max(0, ...this.#jobs.map(({ id }) => id)) + 1, pid, text, task, done, status: undefined, stopped, turn };
    this.#jobs.push(job);
    void done.then((status) => {
      job.status = status;
      job.stopped = false;
      this.#past.set(pid, status);
    });
    return job;
  }

  /** `%1`, `%+`, `%-`, `%name`, `%?part`, or a process number. */
  find(spec: string): Job | undefined {
    if (!spec.startsWith("%")) return this.#jobs.find(({ pid }) => String(pid) === spec);
    const name = spec.slice(1);
    if (name === "" || name === "+" || name === "%") return this.#jobs.at(-1);
    if (name === "-") return this.#jobs.at(-2) ?? this.#jobs.at(-1);
    if (/^\d+$/.test(name)) return this.#jobs.find(({ id }) => id === Number(name));
    return this.#jobs.findLast(({ text }) => (name.startsWith("?") ? text.includes(name.slice(1)) : text.startsWith(name)));
  }

  past(pid: number): number | undefined {
    return this.#past.get(pid);
  }

  forget(job: Job): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
  }

  /** `+` the last, `-` the one before it. */
  mark(job: Job): string {
    return job === this.#jobs.at(-1) ? "+" : job === this.#jobs.at(-2) ? "-" : " ";
  }

  /** A line of `jobs`. */
  line(job: Job): string {
    const state = job.stopped ? "Stopped" : job.status === undefined ? "Running" : job.status === 0 ? "Done" : job.status === 143 ? "Terminated" : job.status === 130 ? "Interrupt" : job.status === 137 ? "Killed" : `Exit ${job.status}`;
    return `[${job.id}]${this.mark(job)}  ${state.padEnd(24)}${job.text}${job.status === undefined && !job.stopped ? " &" : ""}`;
  }
}
