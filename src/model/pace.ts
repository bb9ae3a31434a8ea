// How many layers to queue before looking at the result. Looking costs a round trip; not looking costs, after a miss,
// every dispatch queued behind it, and keeps Stop waiting. Changes speed only, never results.

/** A submission longer than this is made shorter, down to one token: several fit into the second that Stop may take. */
const LONG_MS = 200;
const SHORT_MS = 80;

export class Pace {
  readonly #most: number;
  readonly #token: number;
  #layers: number;

  /** `token`: layers of one token, and of the first submission; `most`: of any. */
  constructor(token: number, most: number) {
    this.#most = most;
    this.#token = token;
    this.#layers = token;
  }

  /** Layers to queue next; at least 1. */
  get layers(): number {
    return this.#layers;
  }

  /** All `queued` layers ran, in `elapsedMs`. */
  passed(queued: number, elapsedMs: number): void {
    if (elapsedMs > LONG_MS) this.#layers = Math.min(this.#layers, Math.max(this.#token, Math.floor(queued / 2)));
    else if (elapsedMs < SHORT_MS && queued >= this.#layers) this.#layers = Math.min(this.#most, this.#layers * 2);
  }

  /** A miss came after `done` layers had run: about as many are worth queuing next time. */
  missed(done: number): void {
    this.#layers = Math.max(1, Math.min(this.#layers, done));
  }
}
