// File operations that were asked for and have not run yet. Node gives each to a thread and waits for its threads at the
// end: `fs.write(…); process.exit()` writes. So what is still pending when the process ends is done then, unanswered.
import { openRequest } from "../active-resources.ts";
import type { InputNeed, Runtime } from "../runtime.ts";

/** Node takes these in steps, each asked for by the one before: an end in between leaves the rest undone. */
const IN_STEPS = new Set(["readFile", "writeFile", "appendFile", "rm", "cp", "opendir"]);

/** `waits`: it reads the process's input. What is not synchronous waits first until there is some, or all of it. */
export type Work = (() => unknown) & { readonly waits?: InputNeed | undefined };

export const waiting = (waits: InputNeed | undefined, work: () => unknown): Work => (waits === undefined ? work : Object.assign(work, { waits }));

export type Later = (name: string, run: Work, settle: (error: unknown, value?: unknown) => void) => void;

const pendingOf = new WeakMap<Runtime, Set<() => unknown>>();

/** For a process that ends. */
export function finishPending(runtime: Runtime): void {
  const pending = pendingOf.get(runtime);
  for (const run of pending ?? []) {
    pending?.delete(run);
    try {
      run();
    } catch {
      // Nobody is left to tell.
    }
  }
}

/** Runs operations in the loop's poll phase. `settle` gets null and the value, or what was thrown. */
export function createLater(runtime: Runtime): Later {
  const pending = new Set<() => unknown>();
  pendingOf.set(runtime, pending);
  return (name, run, settle) => {
    if (!IN_STEPS.has(name) && run.waits === undefined) pending.add(run);
    const close = openRequest(runtime);
    const watched = runtime.loop.watch?.begin("FSREQCALLBACK", {});
    const attempt = (): void => {
      if (run.waits !== undefined && !runtime.input.has(run.waits)) return runtime.input.onMore(() => runtime.loop.post(attempt));
      close();
      pending.delete(run);
      let outcome: [error: unknown, value?: unknown];
      try {
        outcome = [null, run()];
      } catch (error) {
        outcome = [error];
      }
      if (watched) watched.run(() => settle(...outcome));
      else settle(...outcome);
      watched?.end();
    };
    runtime.loop.post(attempt);
  };
}
