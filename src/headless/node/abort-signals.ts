// Abort reasons as Node words them, and a time-out that is a timer of the process: it does not keep it alive, and its
// listeners run in the loop. Only in a Worker that is the process.
import type { AnyFunction, Runtime } from "./runtime.ts";

export function wordAborts(runtime: Runtime): void {
  const reason = (given: unknown): unknown => (given === undefined ? new DOMException("This operation was aborted", "AbortError") : given);
  const replace = (target: object, name: string, make: (original: AnyFunction) => AnyFunction): void => {
    const original = Reflect.get(target, name) as AnyFunction | undefined;
    if (original) Object.defineProperty(target, name, { value: Object.defineProperty(make(original), "name", { value: name }), writable: true, configurable: true });
  };
  replace(AbortController.prototype, "abort", (original) => function (this: unknown, given?: unknown): unknown {
    return original.call(this, reason(given));
  });
  replace(AbortSignal, "abort", (original) => (given?: unknown) => original.call(AbortSignal, reason(given)));
  replace(AbortSignal, "timeout", () => (ms: unknown): AbortSignal => {
    const controller = new AbortController();
    const start = runtime.builtin("timers")["setTimeout"] as (run: () => void, ms: unknown) => { unref(): void };
    start(() => controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError")), ms).unref();
    return controller.signal;
  });
}
