// Waiting for a GPU that may never answer. A queue that hangs says nothing: after a while that is told, later the device is
// given up as lost. Only time awake counts: a laptop's lid may close in between.
import { type AwakeClock, afterAwake } from "../base/awake-timer.ts";

export interface Patience {
  /** Awake ms after which `onSlow` is told, once a wait. */
  readonly slowMs: number;
  /** Awake ms after which `onHung` is told. */
  readonly hungMs: number;
}

/** The outcome of `work`. `onHung` must make the wait end in another way, for nothing can end `work` itself. */
export async function watched<T>(work: Promise<T>, { slowMs, hungMs }: Patience, onSlow: () => void, onHung: () => void, clock?: AwakeClock): Promise<T> {
  let cancel = afterAwake(
    slowMs,
    () => {
      onSlow();
      cancel = afterAwake(Math.max(0, hungMs - slowMs), onHung, clock);
    },
    clock,
  );
  try {
    return await work;
  } finally {
    cancel();
  }
}
