// Two small pieces that make Stop prompt and output live, whatever the other side does.
import type { Clock } from "./limits.ts";

/** How long after Stop a model or a command may still wind down by itself. */
export const GRACE_MS = 500;

export interface StopWatch {
  /** Resolves `GRACE_MS` after the signal fires; never if it does not. */
  readonly late: Promise<"late">;
  close(): void;
}

export function stopWatch(signal: AbortSignal, clock: Clock): StopWatch {
  let close = (): void => undefined;
  const late = new Promise<"late">((resolve) => {
    const onAbort = () => void clock.sleep(GRACE_MS).then(() => resolve("late"));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    close = () => signal.removeEventListener("abort", onAbort);
  });
  return { late, close };
}

/** The source's items; ends by itself soon after Stop even if the source does not. */
export async function* untilStopped<T>(source: AsyncIterable<T>, signal: AbortSignal, clock: Clock): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  const watch = stopWatch(signal, clock);
  let finished = false;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), watch.late]);
      finished = next === "late" || next.done === true;
      if (next === "late" || next.done) return;
      yield next.value;
    }
  } finally {
    watch.close();
    // Not awaited: a source that does not answer Stop would not answer this either.
    if (!finished) void iterator.return?.().then(undefined, () => undefined);
  }
}

/** Values pushed by a callback, read with `for await`; ends at `close`. */
export class Channel<T> {
  readonly #waiting: T[] = [];
  #closed = false;
  #wake: () => void = () => undefined;

  push(value: T): void {
    this.#waiting.push(value);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift()!;
      if (this.#closed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
