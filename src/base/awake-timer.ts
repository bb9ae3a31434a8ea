// A time-out that counts only time in which this page could have noticed an answer. A machine that slept, a frozen tab, a
// clock that jumped: the gap counts as one step, so that nothing is given up because a lid was closed. Browsers let a
// hidden tab's timers fire once a minute at worst (Chrome's intensive throttling); messages still arrive there, so that
// time does count.

/** A gap of a hidden tab up to this is throttling, beyond it sleep. */
const THROTTLED_MS = 65_000;
const STEPS = 20;
const LONGEST_STEP_MS = 1000;

/** What the timer uses of the page, for tests to give. */
export interface AwakeClock {
  /** ms of a clock that should only grow. */
  now(): number;
  /** A page that is not seen. */
  hidden(): boolean;
  /** Calls after `ms`; returns how to take it back. */
  after(ms: number, call: () => void): () => void;
}

const PAGE_CLOCK: AwakeClock = {
  now: () => performance.now(),
  hidden: () => (globalThis as { readonly document?: { readonly hidden?: boolean } }).document?.hidden === true,
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** What of `elapsedMs` counts, when the next look was due after `stepMs`. Never negative, whatever the clock does. */
export function countedMs(elapsedMs: number, stepMs: number, hidden: boolean): number {
  const most = hidden ? Math.max(THROTTLED_MS, 2 * stepMs) : 2 * stepMs;
  return elapsedMs < 0 ? stepMs : elapsedMs > most ? stepMs : elapsedMs;
}

/** Calls `late` after `ms` awake. Returns the function that ends the wait. */
export function afterAwake(ms: number, late: () => void, clock: AwakeClock = PAGE_CLOCK): () => void {
  const stepMs = Math.min(LONGEST_STEP_MS, Math.max(1, ms / STEPS));
  let waited = 0;
  let last = clock.now();
  let cancel: () => void = () => undefined;
  const look = (): void => {
    const now = clock.now();
    waited += countedMs(now - last, stepMs, clock.hidden());
    last = now;
    if (waited >= ms) late();
    else cancel = clock.after(Math.min(stepMs, ms - waited), look);
  };
  cancel = clock.after(Math.min(stepMs, ms), look);
  return () => cancel();
}
