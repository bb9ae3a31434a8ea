// Histograms of node:perf_hooks, with the numbers that Node's (HdrHistogram) gives: values are kept to so many figures, as how
// often each was seen, so that one that runs for hours stays small. (https://hdrhistogram.org)
import { monotonicMs } from "../../clock.ts";
import { checkInteger, invalidArgType, outOfRange } from "../errors.ts";
import { HANDLE } from "../net/socket-address.ts";
import type { Dict } from "../runtime.ts";

const INSPECT = Symbol.for("nodejs.util.inspect.custom");
/** The least of no values, as Node says it: the largest 64-bit number. */
const NONE = 2n ** 63n - 1n;

interface Range {
  readonly low: number;
  readonly size: number;
}

export class Histogram {
  readonly [HANDLE] = {};
  readonly #highest: number;
  /** Bits of a value that are kept, and those at its end that never are. */
  readonly #keptBits: number;
  readonly #lostBits: number;
  /** By the least value that counts as the same. */
  readonly #counts = new Map<number, number>();
  #count = 0;
  #exceeds = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;

  constructor(lowest: number, highest: number, figures: number) {
    this.#highest = highest;
    this.#keptBits = Math.ceil(Math.log2(2 * 10 ** figures));
    this.#lostBits = Math.floor(Math.log2(lowest));
  }

  /** For those who may record. */
  protected note(value: number, times = 1): void {
    if (value > this.#highest) return void (this.#exceeds += times);
    const { low } = this.#range(value);
    this.#counts.set(low, (this.#counts.get(low) ?? 0) + times);
    this.#count += times;
    this.#least = Math.min(this.#least, value);
    this.#most = Math.max(this.#most, value);
  }

  protected take(other: Histogram): void {
    for (const [value, times] of other.#counts) this.note(value, times);
    this.#exceeds += other.#exceeds;
  }

  #range(value: number): Range {
    const high = Math.floor(value / 2 ** 32);
    const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(value);
    const size = 2 ** (Math.max(bits, this.#keptBits + this.#lostBits) - this.#keptBits);
    return { low: value - (value % size), size };
  }

  #highestSame(value: number): number {
    const { low, size } = this.#range(value);
    return low + size - 1;
  }

  #sorted(): (readonly [value: number, times: number])[] {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }

  #sum(of: (middle: number) => number): number {
    let sum = 0;
    for (const [value, times] of this.#counts) sum += times * of(value + Math.floor(this.#range(value).size / 2));
    return sum;
  }

  reset(): void {
    this.#counts.clear();
    this.#count = this.#exceeds = this.#most = 0;
    this.#least = Number.POSITIVE_INFINITY;
  }

  get count(): number {
    return this.#count;
  }

  get exceeds(): number {
    return this.#exceeds;
  }

  get min(): number {
    return Number(this.minBigInt);
  }

  get max(): number {
    return this.#highestSame(this.#most);
  }

  get mean(): number {
    return this.#sum((value) => value) / this.#count;
  }

  get stddev(): number {
    const { mean } = this;
    return Math.sqrt(this.#sum((value) => (value - mean) ** 2) / this.#count);
  }

  percentile(percent: number): number {
    if (typeof percent !== "number") throw invalidArgType("percentile", "number", percent);
    if (!(percent > 0 && percent <= 100)) throw outOfRange("percentile", "> 0 && <= 100", percent);
    let left = Math.max(1, Math.floor((percent / 100) * this.#count + 0.5));
    for (const [value, times] of this.#sorted()) if ((left -= times) <= 0) return this.#highestSame(value);
    return 0;
  }

  /** Halves what is left with every step. */
  get percentiles(): Map<number, number> {
    const all = new Map<number, number>();
    let seen = 0;
    let next = 0;
    let last = 0;
    for (const [value, times] of this.#sorted()) {
      seen += times;
      last = value;
      // The last value is told of once more at 100.
      while (next < 100 && next <= (100 * seen) / this.#count) {
        all.set(next, last);
        next += 100 / 2 ** (Math.floor(Math.log2(100 / (100 - next))) + 1);
        if (seen === this.#count) break;
      }
    }
    return all.set(100, last);
  }

  get countBigInt(): bigint {
    return BigInt(this.count);
  }

  get exceedsBigInt(): bigint {
    return BigInt(this.exceeds);
  }

  /** The exact one: a double cannot hold it. */
  get minBigInt(): bigint {
    return this.#count === 0 ? NONE : BigInt(this.#range(this.#least).low);
  }

  get maxBigInt(): bigint {
    return BigInt(this.max);
  }

  percentileBigInt(percent: number): bigint {
    return BigInt(this.percentile(percent));
  }

  get percentilesBigInt(): Map<number, bigint> {
    return new Map([...this.percentiles].map(([percent, value]) => [percent, BigInt(value)]));
  }

  [INSPECT](depth: number, options: Dict, inspect: (value: unknown, options: object) => string): unknown {
    if (depth < 0) return this;
    const { min, max, mean, exceeds, stddev, count, percentiles } = this;
    const given = options["depth"] as number | null;
    return `Histogram ${inspect({ min, max, mean, exceeds, stddev, count, percentiles }, { ...options, depth: given === null ? null : given - 1 })}`;
  }

  toJSON(): Dict {
    return { count: this.count, min: this.min, max: this.max, mean: this.mean, exceeds: this.exceeds, stddev: this.stddev, percentiles: Object.fromEntries(this.percentiles) };
  }
}

export class RecordableHistogram extends Histogram {
  #last: number | undefined;

  record(value: number | bigint): void {
    if (typeof value !== "bigint") checkInteger(value, "val", 1);
    this.note(Number(value));
  }

  recordDelta(): void {
    const now = monotonicMs();
    if (this.#last !== undefined) this.note(Math.max(1, Math.round((now - this.#last) * 1e6)));
    this.#last = now;
  }

  add(other: unknown): void {
    if (!(other instanceof RecordableHistogram)) throw invalidArgType("other", "RecordableHistogram", other);
    this.take(other);
  }
}

export function createHistogram(options: unknown = {}): RecordableHistogram {
  if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
  const { lowest = 1, highest = Number.MAX_SAFE_INTEGER, figures = 3 } = options as Dict;
  const whole = (value: unknown, name: string, least: number): number => {
    if (typeof value === "bigint") return Number(value);
    checkInteger(value, name, least);
    return value;
  };
  const low = whole(lowest, "options.lowest", 1);
  const high = whole(highest, "options.highest", 2 * low);
  checkInteger(figures, "options.figures", 1, 5);
  return new RecordableHistogram(low, high, figures);
}
