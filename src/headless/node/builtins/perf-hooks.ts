// node:perf_hooks: the engine's own clock and entries, with what Node adds: timed functions, histograms, the event loop's
// delay. Entries of Node's own inner work (dns, gc, http, net) are never made.
import { invalidArgType, outOfRange } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import facts from "./facts.json" with { type: "json" };
import { startTimer } from "./timers.ts";

/** What a histogram has as long as nothing was recorded: the largest 64-bit number. */
const NONE = 2 ** 63;

/** Keeps every value: exact where Node's is to three digits. */
class Histogram {
  #values: number[] = [];
  #exceeds = 0;
  #last: number | undefined;

  record(value: number | bigint): void {
    if (typeof value !== "number" && typeof value !== "bigint") throw invalidArgType("val", "number", value);
    const number = Number(value);
    if (!Number.isInteger(number)) throw outOfRange("val", "an integer", value);
    if (number < 1 || number > Number.MAX_SAFE_INTEGER) throw outOfRange("val", `>= 1 && <= ${Number.MAX_SAFE_INTEGER}`, value);
    this.#values.push(number);
  }

  recordDelta(): void {
    const now = performance.now();
    if (this.#last !== undefined) this.record(Math.max(1, Math.round((now - this.#last) * 1e6)));
    this.#last = now;
  }

  add(other: Histogram): void {
    this.#values.push(...other.#values);
    this.#exceeds += other.#exceeds;
  }

  reset(): void {
    this.#values = [];
    this.#exceeds = 0;
  }

  get count(): number {
    return this.#values.length;
  }

  get exceeds(): number {
    return this.#exceeds;
  }

  get min(): number {
    return this.#values.reduce((low, value) => Math.min(low, value), NONE);
  }

  get max(): number {
    return this.#values.reduce((high, value) => Math.max(high, value), 0);
  }

  get mean(): number {
    return this.#values.reduce((sum, value) => sum + value, 0) / this.count;
  }

  get stddev(): number {
    const { mean } = this;
    return Math.sqrt(this.#values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / this.count);
  }

  percentile(percent: number): number {
    if (typeof percent !== "number") throw invalidArgType("percentile", "number", percent);
    if (!(percent > 0 && percent <= 100)) throw outOfRange("percentile", "> 0 && <= 100", percent);
    const sorted = this.#values.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  }

  /** Halves what is left with every step, as Node's. */
  get percentiles(): Map<number, number> {
    const all = new Map([[0, this.count === 0 ? 0 : this.min]]);
    if (this.count === 0) return all.set(100, 0);
    for (let left = 50; left * this.count >= 100; left /= 2) all.set(100 - left, this.percentile(100 - left));
    return all.set(100, this.max);
  }

  get countBigInt(): bigint {
    return BigInt(this.count);
  }

  get exceedsBigInt(): bigint {
    return BigInt(this.exceeds);
  }

  /** The exact one: a double cannot hold it. */
  get minBigInt(): bigint {
    return this.count === 0 ? 2n ** 63n - 1n : BigInt(this.min);
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

  [Symbol.for("nodejs.util.inspect.custom")](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { min, max, mean, exceeds, stddev, count, percentiles } = this;
    return `Histogram ${inspect({ min, max, mean, exceeds, stddev, count, percentiles }, options)}`;
  }

  toJSON(): Dict {
    return { count: this.count, min: this.min, max: this.max, mean: this.mean, exceeds: this.exceeds, stddev: this.stddev, percentiles: Object.fromEntries(this.percentiles) };
  }
}

interface FunctionEntry {
  readonly name: string;
  readonly entryType: "function";
  readonly startTime: number;
  readonly duration: number;
  readonly detail: readonly unknown[];
}

interface ObserverList {
  getEntries(): readonly unknown[];
}

/** Those that watch timed functions. */
const watchers = new Set<{ take(entry: FunctionEntry): void }>();

function observerClass(runtime: Runtime): unknown {
  const Native = globalThis.PerformanceObserver;
  class Observer {
    static get supportedEntryTypes(): readonly string[] {
      return ["function", "mark", "measure", "resource"];
    }

    readonly #report: (list: ObserverList) => void;
    readonly #native: PerformanceObserver;
    #held: FunctionEntry[] = [];

    constructor(report: AnyFunction) {
      if (typeof report !== "function") throw invalidArgType("callback", "function", report);
      // oxlint-disable-next-line no-this-alias -- its listener gets the observer as `this`, from inside an arrow
      const self: unknown = this;
      this.#report = (list) => runtime.loop.run(() => void report.call(self, list, self));
      this.#native = new Native((list) => this.#report(list));
    }

    observe(options: { readonly entryTypes?: readonly string[]; readonly type?: string }): void {
      if (options?.entryTypes === undefined && options?.type === undefined) throw invalidArgType("options.entryTypes", "string[]", undefined);
      const types = options.entryTypes ?? [options.type as string];
      if (types.includes("function")) watchers.add(this);
      const others = types.filter((type) => type !== "function" && Native.supportedEntryTypes.includes(type));
      if (options.type !== undefined && others.length > 0) this.#native.observe({ ...options } as PerformanceObserverInit);
      else if (others.length > 0) this.#native.observe({ entryTypes: others });
    }

    take(entry: FunctionEntry): void {
      this.#held.push(entry);
      if (this.#held.length > 1) return;
      runtime.loop.post(() => {
        const entries = this.#held;
        this.#held = [];
        if (watchers.has(this)) this.#report({ getEntries: () => entries, ...by(entries) });
      });
    }

    takeRecords(): unknown[] {
      return this.#native.takeRecords();
    }

    disconnect(): void {
      watchers.delete(this);
      this.#native.disconnect();
    }
  }
  return Object.defineProperty(Observer, "name", { value: "PerformanceObserver" });
}

const by = (entries: readonly FunctionEntry[]): Dict => ({
  getEntriesByName: (name: string) => entries.filter((entry) => entry.name === name), getEntriesByType: (type: string) => entries.filter((entry) => entry.entryType === type),
});

function timerify(fn: unknown, { histogram }: { readonly histogram?: Histogram } = {}): AnyFunction {
  if (typeof fn !== "function") throw invalidArgType("fn", "function", fn);
  const timed = function (this: unknown, ...args: unknown[]): unknown {
    const startTime = performance.now();
    const note = (): void => {
      const duration = performance.now() - startTime;
      histogram?.record(Math.max(1, Math.ceil(duration * 1e6)));
      for (const watcher of watchers) watcher.take({ ...args, name: fn.name, entryType: "function", startTime, duration, detail: args });
    };
    const result = (new.target ? Reflect.construct(fn, args, fn) : Reflect.apply(fn, this, args)) as unknown;
    if (typeof (result as { finally?: unknown } | null)?.finally === "function") return (result as Promise<unknown>).finally(note);
    note();
    return result;
  };
  Object.defineProperties(timed, { length: { value: fn.length, configurable: true }, name: { value: `timerified ${fn.name}`, configurable: true } });
  return timed;
}

function loopDelay(runtime: Runtime, resolutionMs: number): Histogram & Dict {
  const histogram = new Histogram();
  let timer: { unref(): void; close(): void } | undefined;
  const sample = (): void => {
    const since = performance.now();
    timer = startTimer(runtime, () => {
      histogram.record(Math.max(1, Math.round((performance.now() - since) * 1e6)));
      sample();
    }, resolutionMs);
    timer.unref();
  };
  return Object.assign(histogram, {
    enable: () => {
      if (timer) return false;
      sample();
      return true;
    },
    disable: () => {
      if (!timer) return false;
      timer.close();
      timer = undefined;
      return true;
    },
  }) as unknown as Histogram & Dict;
}

export function createPerfHooks(runtime: Runtime): Dict {
  const { performance } = globalThis;
  const now = performance.now();
  const nodeTiming = { name: "node", entryType: "node", startTime: 0, duration: now, nodeStart: 0, v8Start: 0, environment: 0, bootstrapComplete: now, loopStart: now, loopExit: -1, idleTime: 0 };
  const more = { nodeTiming, timerify, eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }), markResourceTiming: () => undefined };
  for (const [name, value] of Object.entries(more)) if (!(name in performance)) Object.defineProperty(performance, name, { value, writable: true, configurable: true });
  const { Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceResourceTiming, PerformanceObserverEntryList } = globalThis as unknown as Dict;
  return {
    Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver: observerClass(runtime), PerformanceObserverEntryList, PerformanceResourceTiming,
    monitorEventLoopDelay: ({ resolution = 10 }: { resolution?: number } = {}) => loopDelay(runtime, resolution), createHistogram: () => new Histogram(), performance, constants: { ...facts.performance },
  };
}
