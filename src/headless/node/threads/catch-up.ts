// Who sleeps on shared memory hears of nothing meanwhile, of changed files neither. On waking, a program often reads what the
// one that woke it has written: so the kernel is asked for that.
import type { Runtime } from "../runtime.ts";

/** Between two questions: many small waits shall not cost one each. */
const CATCH_UP_MS = 5;

// Kept before a program can replace the globals.
const { wait } = Atomics;
const now = performance.now.bind(performance);

/** Where the page is isolated. Once, before any program code. */
export function catchUpAfterWaits({ host: { killSync, pid } }: Runtime): void {
  if (!killSync) return;
  let caughtUpMs = -Infinity;
  const waiting = {
    wait(array: Int32Array<SharedArrayBuffer>, index: number, value: number, timeout: number | undefined): ReturnType<typeof wait> {
      const woken = wait(array, index, value, timeout);
      if (now() - caughtUpMs >= CATCH_UP_MS) {
        killSync(pid, null);
        caughtUpMs = now();
      }
      return woken;
    },
  };
  Object.defineProperty(Atomics, "wait", { value: waiting.wait, writable: true, configurable: true, enumerable: false });
}
