// Something that runs and can be stopped: a script, a subshell, a job. Stopping one stops what it started.
import type { Signal } from "../protocol.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { Killed } from "./state.ts";

/** A process of the kernel that a task waits for. */
export interface Child {
  kill(signal: Signal): void;
}

export class Task {
  readonly #abort = new AbortController();
  readonly #parts = new Set<Task>();
  readonly #children = new Set<Child>();
  #parent: Task | undefined;
  /** While it is stopped. */
  #stopped: Deferred<void> | undefined;
  /** Signals that came and are to be answered by a trap, between two commands. */
  readonly pending: Signal[] = [];
  /** Given when the signal has a trap: true keeps the task alive. */
  onSignal: ((signal: Signal) => boolean) | undefined;

  /** A background job has a parent too: it ends with its shell. What is begun by one that was killed is killed. */
  constructor(parent?: Task) {
    this.#parent = parent;
    if (!parent) return;
    parent.#parts.add(this);
    if (parent.signal.aborted) this.#abort.abort(parent.signal.reason);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Processes below it. */
  get #running(): readonly Child[] {
    return [...this.#children, ...[...this.#parts].flatMap((part) => part.#running)];
  }

  /**
   * As a terminal or `kill` sends it. What handles it goes on. SIGINT waits for a process that may handle it: the script
   * ends when the process did not.
   */
  send(signal: Signal): void {
    if (/^SIG(STOP|TSTP|TTIN|TTOU)$/.test(signal)) return this.stop(signal);
    if (signal === "SIGCONT") return this.goOn();
    if (signal !== "SIGKILL" && this.onSignal?.(signal)) {
      this.pending.push(signal);
      for (const heard of this.#listeners) heard();
      // What is typed at a terminal goes to everything in the foreground.
      if (signal === "SIGINT") for (const child of this.#running) child.kill(signal);
      return;
    }
    const running = this.#running;
    if (signal === "SIGINT" && running.length > 0) {
      this.#interrupted = true;
      for (const child of running) child.kill(signal);
      return;
    }
    this.kill(signal);
  }

  #interrupted = false;
  readonly #listeners = new Set<() => void>();

  /** Resolves when a signal comes that has a trap. */
  nextSignal(): { readonly promise: Promise<void>; forget(): void } {
    const { promise, resolve } = deferred<void>();
    this.#listeners.add(resolve);
    if (this.pending.length > 0) resolve();
    return { promise, forget: () => void this.#listeners.delete(resolve) };
  }

  /** A job comes to the foreground: what is sent here, it gets. */
  adopt(job: Task): void {
    this.#parts.add(job);
  }

  /** A process of this task has ended with this code: whether an interrupt that waited for it ends the task too. */
  childEnded(code: number): void {
    if (this.#interrupted && this.#running.length === 0) {
      this.#interrupted = false;
      if (code === 130) this.kill("SIGINT");
    }
    if (this.#parent) this.#parent.childEnded(code);
  }

  /** Whether a process runs in it: only that can say no to being stopped. */
  get hasChildren(): boolean {
    return this.#running.length > 0;
  }

  /** Its processes are told; what the shell does itself waits where it next prints or begins something. */
  stop(signal: Signal): void {
    for (const child of this.#running) child.kill(signal);
    this.hold();
  }

  hold(): void {
    this.#stopped ??= deferred();
  }

  goOn(): void {
    this.#stopped?.resolve();
    this.#stopped = undefined;
    for (const part of this.#parts) part.goOn();
    for (const child of this.#children) child.kill("SIGCONT");
  }

  /** Undefined unless it, or what it is a part of, is stopped. */
  get held(): Promise<void> | undefined {
    return this.#stopped?.promise ?? this.#parent?.held;
  }

  isWithin(task: Task): boolean {
    return this === task || (this.#parent?.isWithin(task) ?? false);
  }

  /** It is a part of another from now on: a command that became a job. */
  moveTo(parent: Task): void {
    this.close();
    this.#parent = parent;
    parent.#parts.add(this);
  }

  kill(signal: Signal): void {
    for (const part of this.#parts) part.kill(signal);
    for (const child of this.#children) child.kill(signal);
    if (!this.#abort.signal.aborted) this.#abort.abort(new Killed(signal));
  }

  add(child: Child): void {
    this.#children.add(child);
  }

  remove(child: Child): void {
    this.#children.delete(child);
  }

  /** It is over. */
  close(): void {
    if (this.#parent) this.#parent.#parts.delete(this);
  }
}

/** The promise, or the signal's reason if that comes first. */
export function orKilled<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** Rejects with the signal's reason when that comes first. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = deferred<void>();
  const timer = setTimeout(resolve, Math.min(ms, 2_147_483_647));
  return orKilled(promise, signal).finally(() => clearTimeout(timer));
}
