// How long something still takes, from how it went lately. A clock that jumps, a machine that slept, a tab that was
// throttled, a count that starts over: each begins the window anew, so that no estimate is made across it. Pure.

/** How much was done at a time. */
export interface Sample {
  /** Of a clock that should only grow. */
  readonly atMs: number;
  readonly doneBytes: number;
}

/** Old enough to smooth, young enough to follow. */
const WINDOW_MS = 10_000;
/** Without a sample for longer, nothing is known of the time between. */
const GAP_MS = 5_000;
/** Less than this says nothing yet. */
const LEAST_MS = 1_000;
/** Longer than a day is no estimate. */
const MOST_MS = 24 * 3_600_000;

/** The window with one more sample. */
export function addSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  const broken = last !== undefined && (sample.atMs < last.atMs || sample.atMs - last.atMs > GAP_MS || sample.doneBytes < last.doneBytes);
  return broken ? [sample] : [...samples.filter(({ atMs }) => sample.atMs - atMs <= WINDOW_MS), sample];
}

/** Bytes a second over the window; undefined while too little is known. */
export function rateOf(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.atMs - first.atMs < LEAST_MS || last.doneBytes <= first.doneBytes) return undefined;
  return ((last.doneBytes - first.doneBytes) * 1000) / (last.atMs - first.atMs);
}

/** Milliseconds until `totalBytes` are done; undefined rather than nonsense. */
export function leftMs(samples: readonly Sample[], totalBytes: number): number | undefined {
  const rate = rateOf(samples);
  const done = samples.at(-1)?.doneBytes ?? 0;
  if (rate === undefined || !(totalBytes > done)) return undefined;
  const ms = ((totalBytes - done) * 1000) / rate;
  return ms <= MOST_MS ? ms : undefined;
}
