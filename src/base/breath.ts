// Long work on the page's own thread, cut into pieces: between two of them the page paints and answers. A message is
// waited for, not a timer: timers are slowed to one a second in background tabs.
import { throwIfAborted } from "./errors.ts";

/** Longest stretch of work in ms: two pieces and a paint fit into what people take for instant (100 ms), with slow machines in mind. */
const STRETCH_MS = 12;

/** One for each piece of work, made when it begins. */
export class Breath {
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  /** `what` names the work in the error of a stop: "Opening the zip file". */
  constructor(what: string, signal?: AbortSignal) {
    this.#what = what;
    this.#signal = signal;
  }

  /** Call it often: it returns at once until the stretch is over. Throws `aborted` after a stop. */
  async pause(): Promise<void> {
    if (performance.now() - this.#since < STRETCH_MS) return;
    await nextTask();
    throwIfAborted(this.#signal, this.#what);
    this.#since = performance.now();
  }
}

/** Resolves on the next turn of the event loop. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
