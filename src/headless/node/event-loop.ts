// The event loop of one Node process, in Node's order: next-ticks, due timers, finished operations, immediates.
// Every callback runs in a task of its own, so that the engine drains promises between two callbacks as Node does.
// It counts what keeps a process alive; when nothing does, it says so once (`onIdle`), and that is how programs end.

import { monotonicMs } from "../clock.ts";
import { type RawPlace, attempt } from "./attempt.ts";
import { LoopTimes } from "./loop-times.ts";
import type { LoopWatch } from "./loop-watch.ts";

const nativeSetTimeout = globalThis.setTimeout;
const nativeClearTimeout = globalThis.clearTimeout;

/** Runs `task` soon, in a task of its own, after all pending promise reactions and, where the engine has priorities, after it has told of rejections. */
const postTask: (task: () => void) => void = makePostTask();

function makePostTask(): (task: () => void) => void {
  const nodeImmediate = (globalThis as { setImmediate?: (task: () => void) => unknown }).setImmediate;
  if (nodeImmediate) return (task) => void nodeImmediate(task);
  // Behind the task that `unhandledrejection` comes in, which the engine posts when a callback and its promises are done:
  // Node tells of rejections before the next callback. A message would come first, and takes longer.
  const { scheduler } = globalThis as { scheduler?: { postTask(task: () => void, options: { priority: "background" }): unknown } };
  if (scheduler) return (task) => void scheduler.postTask(task, { priority: "background" });
  const channel = new MessageChannel();
  const queue: (() => void)[] = [];
  channel.port1.onmessage = () => queue.shift()?.();
  // The program's ports are Node's (threads/port-class.ts); this one stays the engine's.
  const post = channel.port2.postMessage.bind(channel.port2);
  return (task) => {
    queue.push(task);
    post(0);
  };
}

/** Turns without any work before the loop believes that nothing is left: promise chains may still start something. */
const QUIET_TURNS = 3;

export interface LoopTimer {
  /** Milliseconds on `monotonicMs()`'s clock. */
  dueMs: number;
  order: number;
  active: boolean;
  referenced: boolean;
  fire: () => void;
}

export interface LoopImmediate {
  active: boolean;
  referenced: boolean;
  fire: () => void;
}

type Phase = "timers" | "poll" | "check";
const NEXT_PHASE: Readonly<Record<Phase, Phase>> = { timers: "poll", poll: "check", check: "timers" };

export class EventLoop {
  /** Anything a callback throws. */
  onError: (error: unknown, place?: RawPlace) => void = () => undefined;
  /** Nothing is left to do. The loop goes on if the callback starts something. */
  onIdle: () => void = () => undefined;
  times = new LoopTimes();
  /** How many callbacks have run: tells whether anything happened between two idle moments. */
  callbacks = 0;
  /** What travels from the code that starts something to its callback: async-local stores, the running test. */
  scope: ReadonlyMap<object, unknown> = new Map();
  /** Whether a program looks at scopes: then an empty one has to be put back as well. */
  keepsScopes = false;
  /** Of promises that were made as rejected ones: what looks at the rejection later runs in it. */
  readonly rejectedIn = new WeakMap<object, ReadonlyMap<object, unknown>>();
  watch: LoopWatch | undefined;
  #ticks: (() => void)[] = [];
  #timers: LoopTimer[] = [];
  #poll: (() => void)[] = [];
  #immediates: LoopImmediate[] = [];
  #batch: (() => void)[] = [];
  #phase: Phase = "check";
  #operations = 0;
  #quietTurns = 0;
  #timerOrder = 0;
  /** The one whose callback runs, unless that has stopped it. */
  #firing: LoopTimer | undefined;
  #inTask = false;
  #scheduled = false;
  #stopped = false;
  #wakeUp: ReturnType<typeof setTimeout> | undefined;

  /** The callback, run later in the scope of now. */
  bind<T extends (...args: never[]) => unknown>(callback: T): T {
    const { scope } = this;
    if (scope.size === 0 && !this.keepsScopes) return callback;
    return ((...args: never[]) => this.within(scope, () => callback(...args))) as T;
  }

  #inScope(task: () => void): () => void {
    const { scope } = this;
    if (scope.size === 0) return task;
    return () => {
      this.scope = scope;
      task();
    };
  }

  within<T>(scope: ReadonlyMap<object, unknown>, run: () => T): T {
    const outer = this.scope;
    this.scope = scope;
    try {
      return run();
    } finally {
      this.scope = outer;
    }
  }

  /** Runs before any promise reaction that is queued later, and before every other callback. */
  nextTick(task: () => void): void {
    this.#ticks.push(this.#inScope(task));
    if (!this.#inTask) this.#schedule();
  }

  /** Queues the end of an operation; keeps the process alive until it has run. */
  post(task: () => void): void {
    this.#poll.push(this.#inScope(task));
    this.#schedule();
  }

  /** Keeps the process alive until the returned function is called (again: no effect). */
  hold(): () => void {
    this.#operations++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#operations--;
      this.#quietTurns = 0;
      this.#schedule();
    };
  }

  /** Keeps the process alive until the promise settles. */
  track<T>(promise: Promise<T>): Promise<T> {
    const release = this.hold();
    promise.then(release, release);
    return promise;
  }

  /** A new timer, or one started again after it fired or was cleared. */
  startTimer(timer: LoopTimer, afterMs: number): void {
    this.stopTimer(timer);
    timer.active = true;
    timer.dueMs = monotonicMs() + afterMs;
    timer.order = this.#timerOrder++;
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle] as LoopTimer;
      if (other.dueMs <= timer.dueMs) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    this.#schedule();
  }

  stopTimer(timer: LoopTimer): void {
    if (this.#firing === timer) this.#firing = undefined;
    if (!timer.active) return;
    timer.active = false;
    const at = this.#timers.indexOf(timer);
    if (at >= 0) this.#timers.splice(at, 1);
    this.#schedule();
  }

  addImmediate(immediate: LoopImmediate): void {
    this.#immediates.push(immediate);
    this.#schedule();
  }

  /** Something outside changed what keeps the loop alive (a timer's `unref`). */
  poke(): void {
    this.#schedule();
  }

  /** Runs `task` as the loop's own callback: its errors go to `onError`, its next-ticks run right after. */
  run(task: () => void): void {
    if (this.#stopped) return;
    const outer = this.#inTask;
    this.#inTask = true;
    this.times.wake();
    this.callbacks++;
    try {
      this.#guard(task);
      if (!outer) this.#drainTicks();
    } finally {
      this.#inTask = outer;
    }
    this.#quietTurns = 0;
    this.#schedule();
  }

  /** No callback runs any more. */
  stop(): void {
    this.#stopped = true;
    this.#ticks = [];
    this.#timers = [];
    this.#poll = [];
    this.#immediates = [];
    this.#batch = [];
    if (this.#wakeUp !== undefined) nativeClearTimeout(this.#wakeUp);
  }

  get #alive(): boolean {
    return this.#operations > 0 || this.#ticks.length > 0 || this.#poll.length > 0 || this.#batch.length > 0
      || this.#immediates.some((x) => x.active && x.referenced) || this.#timers.some((x) => x.referenced);
  }

  /** How many timers and immediates keep the process alive. */
  counted(): { readonly timers: number; readonly immediates: number } {
    const timers = this.#firing && !this.#firing.active ? [...this.#timers, this.#firing] : this.#timers;
    const count = (list: readonly { readonly referenced: boolean }[]): number => list.filter(({ referenced }) => referenced).length;
    return { timers: count(timers), immediates: count(this.#immediates.filter(({ active }) => active)) };
  }

  /** Calls it now; what it throws goes to `onError`. For callbacks that the engine itself runs. */
  attempt(task: () => void): void {
    if (!this.#stopped) attempt(task, (error, place) => this.onError(error, place));
  }

  #guard(task: () => void): void {
    // A callback that threw leaves its scope for the error's handler; it must not lend it to the next one.
    this.scope = new Map();
    this.attempt(task);
  }

  #drainTicks(): void {
    for (let tick = this.#ticks.shift(); tick && !this.#stopped; tick = this.#ticks.shift()) this.#guard(tick);
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    postTask(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    this.times.begin();
    this.times.wake();
    if (this.#ticks.length > 0) {
      this.run(() => undefined);
      return;
    }
    const task = this.#nextTask();
    if (task) {
      this.run(task);
      return;
    }
    if (this.#alive) {
      this.#quietTurns = 0;
      this.#sleep();
    } else if (++this.#quietTurns < QUIET_TURNS) {
      this.#schedule();
    } else {
      this.#quietTurns = 0;
      this.onIdle();
    }
  }

  #nextTask(): (() => void) | undefined {
    for (let phases = 0; phases <= 3; phases++) {
      const task = this.#batch.shift();
      if (task) return task;
      this.#phase = NEXT_PHASE[this.#phase];
      this.#batch = this.#collect(this.#phase);
    }
    return undefined;
  }

  #collect(phase: Phase): (() => void)[] {
    switch (phase) {
      case "timers": {
        // Half a millisecond of grace: native timers fire on whole milliseconds, sometimes just before the due time.
        const now = monotonicMs() + 0.5;
        const end = this.#timers.findIndex((timer) => timer.dueMs > now);
        const due = this.#timers.slice(0, end < 0 ? undefined : end);
        return due.map((timer) => () => {
          if (!timer.active) return;
          const at = this.#timers.indexOf(timer);
          if (at >= 0) this.#timers.splice(at, 1);
          timer.active = false;
          this.#firing = timer;
          timer.fire();
          this.#firing = undefined;
        });
      }
      case "poll":
        return this.#poll.splice(0);
      case "check":
        // Those that keep nothing alive only run beside something that does.
        if (!this.#alive) return [];
        return this.#immediates.splice(0).map((immediate) => () => {
          if (immediate.active) immediate.fire();
        });
      default:
        return phase satisfies never;
    }
  }

  #sleep(): void {
    this.times.rest();
    if (this.#wakeUp !== undefined) nativeClearTimeout(this.#wakeUp);
    this.#wakeUp = undefined;
    const next = this.#timers[0];
    if (!next) return;
    this.#wakeUp = nativeSetTimeout(() => this.#schedule(), Math.max(0, Math.ceil(next.dueMs - monotonicMs())));
  }
}
