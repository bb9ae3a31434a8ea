// How much to queue before looking at the result: layers of decode, tokens or pairs of prefill. Looking costs a round trip; not
// looking keeps Stop waiting and costs, after a miss, every dispatch queued behind it. Changes speed only, never results.

/** A submission longer than this is made shorter, down to the least: several fit into the second that Stop may take. */
const LONG_MS = 200;
const SHORT_MS = 80;

export class Pace {
  readonly #most: number;
  readonly #least: number;
  #amount: number;

  /** `least`: of one token, and of the first submission; `most`: of any. */
  constructor(least: number, most: number) {
    this.#most = most;
    this.#least = least;
    this.#amount = Math.min(least, most);
  }

  /** How much to queue next; at least 1. */
  get amount(): number {
    return this.#amount;
  }

  /** All that was `queued` ran, in `elapsedMs`. */
  passed(queued: number, elapsedMs: number): void {
    if (elapsedMs > LONG_MS) this.#amount = Math.min(this.#amount, Math.max(this.#least, Math.floor(queued / 2)));
    else if (elapsedMs < SHORT_MS && queued >= this.#amount) this.#amount = Math.min(this.#most, this.#amount * 2);
  }

  /** A miss came after `done` had run: about as many are worth queuing next time. */
  missed(done: number): void {
    this.#amount = Math.max(1, Math.min(this.#amount, done));
  }
}

/** What is queued since the host last waited, and how much may be. */
export class Flow {
  readonly #pace: Pace;
  #queued = 0;
  #started = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  get amount(): number {
    return this.#pace.amount;
  }

  /** So many are about to be queued: true when they are to be waited for. */
  add(count: number): boolean {
    if (this.#queued === 0) this.#started = performance.now();
    this.#queued += count;
    return this.#queued >= this.#pace.amount;
  }

  /** All that was queued has run. */
  waited(): void {
    if (this.#queued > 0) this.#pace.passed(this.#queued, performance.now() - this.#started);
    this.#queued = 0;
  }
}
