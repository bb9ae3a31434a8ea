// How long an event loop has run and how much of that it had nothing to do, in memory that another thread may read.
import { monotonicMs } from "../clock.ts";

/** Milliseconds since 1970: when its first turn began, how long it has rested before now, and since when it rests (0: it does not). */
const START = 0;
const IDLE = 1;
const SINCE = 2;

export interface Utilization {
  readonly idle: number;
  readonly active: number;
  readonly utilization: number;
}

const origin = performance.timeOrigin;
const nowMs = (): number => origin + monotonicMs();

export class LoopTimes {
  static readonly BYTES = 24;
  readonly #times: Float64Array;

  constructor(memory: ArrayBufferLike = new ArrayBuffer(LoopTimes.BYTES)) {
    this.#times = new Float64Array(memory);
  }

  /** The loop does something. */
  wake(): void {
    const times = this.#times;
    const since = times[SINCE] as number;
    if (since === 0) return;
    times[IDLE] = (times[IDLE] as number) + nowMs() - since;
    times[SINCE] = 0;
  }

  rest(): void {
    if (this.#times[SINCE] === 0) this.#times[SINCE] = nowMs();
  }

  /** The first turn: the main program has run. */
  begin(): void {
    if (this.#times[START] === 0) this.#times[START] = nowMs();
  }

  /** On this process's clock; -1 before. */
  get startMs(): number {
    const start = this.#times[START] as number;
    return start === 0 ? -1 : start - origin;
  }

  get idleMs(): number {
    const since = this.#times[SINCE] as number;
    return (this.#times[IDLE] as number) + (since === 0 ? 0 : nowMs() - since);
  }

  /** As Node's `eventLoopUtilization`: of all, since one, or between two. */
  utilization(from?: Utilization, before?: Utilization): Utilization {
    const start = this.#times[START] as number;
    if (start === 0) return { idle: 0, active: 0, utilization: 0 };
    const idle = this.idleMs;
    const all = { idle, active: nowMs() - start - idle };
    const [last, first] = before ? [from ?? all, before] : [all, from ?? { idle: 0, active: 0 }];
    const passed = { idle: last.idle - first.idle, active: last.active - first.active };
    return { ...passed, utilization: passed.active / (passed.idle + passed.active) };
  }
}
