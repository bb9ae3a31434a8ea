// File operations that were asked for and have not run yet. Node gives each to a thread and waits for its threads at the
// end: `fs.write(…); process.exit()` writes. So what is still pending when the process ends is done then, unanswered.
import { openRequest } from "../active-resources.ts";
import type { Input, InputNeed, Runtime } from "../runtime.ts";

/** Node takes these in steps, each asked for by the one before: an end in between leaves the rest undone. */
const IN_STEPS = new Set(["readFile", "writeFile", "appendFile", "rm", "cp", "opendir"]);

/** `waits`: it reads the process's input. What is not synchronous waits first until there is some, or all of it. */
export type Work = (() => unknown) & { readonly waits?: InputNeed | undefined; readonly input?: Input | undefined; readonly fd?: number };

/** It writes to this descriptor, or closes it: what is asked for after it and does not wait comes after it all the same. */
export const inOrder = (fd: number, work: () => unknown): Work => Object.assign(work, { fd });

/** `input`: the process's own, or a pipe. Undefined: nothing is waited for. */
export const waiting = (input: Input | undefined, waits: InputNeed | undefined, work: () => unknown): Work => (waits === undefined || !input ? work : Object.assign(work, { waits, input }));

export type Later = (name: string, run: Work, settle: (error: unknown, value?: unknown) => void) => void;

type Outcome = readonly [error: unknown, value?: unknown];

/** With what came of it, once it has run. */
const pendingOf = new WeakMap<Runtime, Map<Work, Outcome | undefined>>();

function outcomeOf(run: Work): Outcome {
  try {
    return [null, run()];
  } catch (error) {
    return [error];
  }
}

/** Runs what is pending, or what is of one descriptor: for a process that ends, and before a synchronous write. */
export function finishPending(runtime: Runtime, fd?: number): void {
  const pending = pendingOf.get(runtime);
  for (const [run, outcome] of pending ?? []) if (!outcome && (fd === undefined || run.fd === fd)) pending?.set(run, outcomeOf(run));
}

/** Runs operations in the loop's poll phase. `settle` gets null and the value, or what was thrown. */
export function createLater(runtime: Runtime): Later {
  const pending = new Map<Work, Outcome | undefined>();
  pendingOf.set(runtime, pending);
  return (name, run, settle) => {
    if (!IN_STEPS.has(name) && run.waits === undefined) pending.set(run, undefined);
    const close = openRequest(runtime);
    const watched = runtime.loop.watch?.begin("FSREQCALLBACK", {});
    const attempt = (): void => {
      if (run.waits !== undefined && run.input?.has(run.waits) === false) return run.input.onMore(() => runtime.loop.post(attempt));
      close();
      const outcome = pending.get(run) ?? outcomeOf(run);
      pending.delete(run);
      if (watched) watched.run(() => settle(...outcome));
      else settle(...outcome);
      watched?.end();
    };
    runtime.loop.post(attempt);
  };
}
