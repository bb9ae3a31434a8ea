// node:perf_hooks.
import type { Dict } from "../runtime.ts";

export function createPerfHooks(): Dict {
  const { performance } = globalThis;
  const nodeTiming = { name: "node", entryType: "node", startTime: 0, duration: performance.now() };
  const extended = new Proxy(performance, {
    get: (target, key) => {
      if (key === "nodeTiming") return nodeTiming;
      if (key === "eventLoopUtilization") return () => ({ idle: 0, active: 0, utilization: 0 });
      if (key === "timerify") return (fn: unknown) => fn;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return {
    performance: extended, PerformanceObserver: globalThis.PerformanceObserver, PerformanceEntry: globalThis.PerformanceEntry, constants: {},
    monitorEventLoopDelay: () => ({ enable: () => true, disable: () => true, min: 0, max: 0, mean: 0, stddev: 0, percentile: () => 0, reset: () => undefined }),
  };
}
