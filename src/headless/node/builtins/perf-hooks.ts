// node:perf_hooks: the engine's own clock and entries, with what Node adds: timed functions, histograms, the event loop's
// delay. Entries of Node's own inner work (dns, gc, http, net) are never made.
import { monotonicMs } from "../../clock.ts";
import { checkInteger, invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { Utilization } from "../loop-times.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import facts from "./facts.json" with { type: "json" };
import { createHistogram, Histogram, type RecordableHistogram } from "./histogram.ts";
import { startTimer } from "./timers.ts";

interface FunctionEntry {
  readonly name: string;
  readonly entryType: "function";
  readonly startTime: number;
  readonly duration: number;
  readonly detail: readonly unknown[];
}

interface Entry {
  readonly name: string;
  readonly entryType: string;
  readonly startTime: number;
}

/** Those that watch timed functions. */
const watchers = new Set<{ take(entries: readonly Entry[]): void }>();

function observerClass(runtime: Runtime): unknown {
  const Native = globalThis.PerformanceObserver;
  class Observer {
    static get supportedEntryTypes(): readonly string[] {
      return ["function", "mark", "measure", "resource"];
    }

    readonly #report: AnyFunction;
    readonly #native: PerformanceObserver;
    #held: Entry[] = [];
    #scheduled = false;

    constructor(report: AnyFunction) {
      if (typeof report !== "function") throw invalidArgType("callback", "function", report);
      this.#report = report;
      this.#native = new Native((list) => this.take(list.getEntries()));
    }

    observe(options: unknown = {}): void {
      if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
      const { entryTypes, type } = options as Dict;
      if (entryTypes === undefined && type === undefined) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "options.entryTypes" and "options.type" arguments must be specified');
      if (entryTypes != null && type != null) throw invalidArgValue("options.entryTypes", entryTypes, "options.entryTypes can not set with options.type together");
      if (entryTypes !== undefined && !Array.isArray(entryTypes)) throw invalidArgType("options.entryTypes", "string[]", entryTypes);
      const types = (entryTypes ?? [type]) as readonly string[];
      if (types.includes("function")) watchers.add(this);
      const others = types.filter((each) => each !== "function" && Native.supportedEntryTypes.includes(each));
      if (type !== undefined && others.length > 0) this.#native.observe({ ...options } as PerformanceObserverInit);
      else if (others.length > 0) this.#native.observe({ entryTypes: others });
    }

    /** The engine's entries and those of timed functions are told together. */
    take(entries: readonly Entry[]): void {
      this.#held.push(...entries);
      if (this.#scheduled) return;
      this.#scheduled = true;
      runtime.loop.post(() => {
        this.#scheduled = false;
        const list = this.takeRecords();
        if (list.length > 0) this.#report.call(this, listOf(list), this);
      });
    }

    takeRecords(): Entry[] {
      const entries = [...this.#held, ...this.#native.takeRecords()];
      this.#held = [];
      return entries.sort((a, b) => a.startTime - b.startTime);
    }

    disconnect(): void {
      watchers.delete(this);
      this.#held = [];
      this.#native.disconnect();
    }
  }
  return Object.defineProperty(Observer, "name", { value: "PerformanceObserver" });
}

const listOf = (entries: readonly Entry[]): Dict => ({
  getEntries: () => [...entries],
  getEntriesByName: (name: string, type?: string) => entries.filter((entry) => entry.name === name && (type === undefined || entry.entryType === type)),
  getEntriesByType: (type: string) => entries.filter((entry) => entry.entryType === type),
});

function timerify(fn: unknown, { histogram }: { readonly histogram?: RecordableHistogram } = {}): AnyFunction {
  if (typeof fn !== "function") throw invalidArgType("fn", "function", fn);
  const timed = function (this: unknown, ...args: unknown[]): unknown {
    const startTime = monotonicMs();
    const note = (): void => {
      const duration = monotonicMs() - startTime;
      histogram?.record(Math.max(1, Math.ceil(duration * 1e6)));
      for (const watcher of watchers) watcher.take([{ ...args, name: fn.name, entryType: "function", startTime, duration, detail: args } as FunctionEntry]);
    };
    const result = (new.target ? Reflect.construct(fn, args, fn) : Reflect.apply(fn, this, args)) as unknown;
    if (typeof (result as { finally?: unknown } | null)?.finally === "function") return (result as Promise<unknown>).finally(note);
    note();
    return result;
  };
  Object.defineProperties(timed, { length: { value: fn.length, configurable: true }, name: { value: `timerified ${fn.name}`, configurable: true } });
  return timed;
}

function loopDelayClass(runtime: Runtime): new (resolutionMs: number) => Histogram {
  return class ELDHistogram extends Histogram {
    readonly #resolutionMs: number;
    #timer: { unref(): void; close(): void } | undefined;

    constructor(resolutionMs: number) {
      super(1, Number.MAX_SAFE_INTEGER, 3);
      this.#resolutionMs = resolutionMs;
    }

    #sample(): void {
      const since = monotonicMs();
      this.#timer = startTimer(runtime, () => {
        this.note(Math.max(1, Math.round((monotonicMs() - since) * 1e6)));
        this.#sample();
      }, this.#resolutionMs);
      this.#timer.unref();
    }

    enable(): boolean {
      if (this.#timer) return false;
      this.#sample();
      return true;
    }

    disable(): boolean {
      if (!this.#timer) return false;
      this.#timer.close();
      this.#timer = undefined;
      return true;
    }
  };
}

export function createPerfHooks(runtime: Runtime): Dict {
  const { performance } = globalThis;
  const now = monotonicMs();
  const { loop } = runtime;
  const nodeTiming = {
    name: "node", entryType: "node", startTime: 0,
    get duration() {
      return monotonicMs();
    },
    nodeStart: 0, v8Start: 0, environment: 0, bootstrapComplete: now,
    get loopStart() {
      return loop.times.startMs;
    },
    loopExit: -1,
    get idleTime() {
      return loop.times.idleMs;
    },
  };
  const more = { nodeTiming, timerify, eventLoopUtilization: (from?: Utilization, before?: Utilization) => loop.times.utilization(from, before), markResourceTiming: () => undefined };
  for (const [name, value] of Object.entries(more)) if (!(name in performance)) Object.defineProperty(performance, name, { value, writable: true, configurable: true });
  const { Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceResourceTiming, PerformanceObserverEntryList } = globalThis as unknown as Dict;
  const LoopDelay = loopDelayClass(runtime);
  return {
    Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver: observerClass(runtime), PerformanceObserverEntryList, PerformanceResourceTiming,
    monitorEventLoopDelay: (options: unknown = {}) => {
      if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
      const { resolution = 10 } = options as Dict;
      checkInteger(resolution, "options.resolution", 1);
      return new LoopDelay(resolution);
    },
    createHistogram, performance, constants: { ...facts.performance },
  };
}
