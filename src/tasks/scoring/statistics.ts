// The few numbers that a report needs, each with the formula's source. Shares are between 0 and 1; intervals are 95 %.
import { Random } from "../random.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Estimate extends Interval {
  readonly value: number;
}

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959964;
const RESAMPLES = 2_000;

/**
 * Probability that at least one of `k` attempts solves a task, from `n` attempts of which `c` did; `k` is at most `n`.
 * Unbiased: 1 - C(n - c, k) / C(n, k), multiplied out so that nothing overflows.
 * Source: Chen et al., Evaluating Large Language Models Trained on Code, arXiv 2107.03374, equation 1.
 */
export function passAtK(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let none = 1;
  for (let i = n - c + 1; i <= n; i++) none *= 1 - k / i;
  return 1 - none;
}

/** Wilson's score interval of a share (JASA 22, 1927): right for few tasks, and at 0 and 1. */
export function wilson(successes: number, trials: number): Estimate {
  if (trials === 0) return { value: 0, low: 0, high: 1 };
  const share = successes / trials;
  const centre = (share + Z ** 2 / (2 * trials)) / (1 + Z ** 2 / trials);
  const half = (Z * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2))) / (1 + Z ** 2 / trials);
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Mean of one value a task, with the percentile bootstrap over tasks (Efron 1979): attempts at one task are no independent
 * draws, tasks are. The same values give the same interval.
 */
export function bootstrapMean(values: readonly number[]): Estimate {
  const count = values.length;
  if (count === 0) return { value: 0, low: 0, high: 0 };
  const random = new Random(count);
  const means: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += values[random.int(0, count - 1)]!;
    means.push(sum / count);
  }
  means.sort((a, b) => a - b);
  return { value: values.reduce((sum, value) => sum + value, 0) / count, low: means[Math.floor(RESAMPLES * 0.025)]!, high: means[Math.ceil(RESAMPLES * 0.975) - 1]! };
}

/**
 * McNemar's exact test: two-sided probability of a split of the discordant pairs at least as uneven as this one, if
 * neither run were better. `b`: only the first solved it; `c`: only the second. Source: McNemar, Psychometrika 12, 1947,
 * with the binomial distribution in place of chi-square.
 */
export function mcnemar(b: number, c: number): number {
  const n = b + c;
  let tail = 0;
  let term = 0.5 ** n;
  for (let i = 0; i <= Math.min(b, c); i++) {
    tail += term;
    term *= (n - i) / (i + 1);
  }
  return Math.min(1, 2 * tail);
}
