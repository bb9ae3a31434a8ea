// Timers of the program's own objects, as Node's net once had them and old packages still do: `enroll` says how long,
// `active` starts it anew, `unenroll` ends it; `_onTimeout` is called. Deprecated, each with a warning.
import { monotonicMs } from "../../clock.ts";
import { invalidArgType, outOfRange } from "../errors.ts";
import type { LoopTimer } from "../event-loop.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

export const MAX_DELAY_MS = 2 ** 31 - 1;

export function warnOfOverflow(runtime: Runtime, asked: number, used: number): void {
  const what = used === 1 ? "Timeout duration was set to 1." : `Timer duration was truncated to ${used}.`;
  runtime.process.emitWarning(`${asked} does not fit into a 32-bit signed integer.\n${what}`, "TimeoutOverflowWarning");
}

interface Item extends Dict {
  _idleTimeout?: number;
  _onTimeout?: AnyFunction;
}

/** `timeoutOf`: the item, where it is a timer of `setTimeout`'s. */
export function createItemTimers(runtime: Runtime, timeoutOf: (item: unknown) => { close(): unknown } | false): Dict {
  const { loop } = runtime;
  const timers = new WeakMap<Item, LoopTimer>();
  const stop = (item: Item): void => {
    const timer = timers.get(item);
    if (timer) loop.stopTimer(timer);
  };
  const start = (item: Item, referenced: boolean): void => {
    const ms = item._idleTimeout;
    if (ms === undefined || !(ms >= 0)) return;
    stop(item);
    const fire = (): void => void item._onTimeout?.();
    const timer: LoopTimer = { dueMs: 0, order: 0, active: false, referenced, fire };
    timers.set(item, timer);
    // Programs look whether it is in a list.
    Object.assign(item, { _idleStart: Math.trunc(monotonicMs()), _idleNext: item, _idlePrev: item });
    loop.startTimer(timer, Math.max(1, Math.trunc(ms)));
  };
  const enroll = (item: Item, msecs: unknown): void => {
    if (typeof msecs !== "number") throw invalidArgType("msecs", "number", msecs);
    if (!(msecs >= 0 && Number.isFinite(msecs))) throw outOfRange("msecs", "a non-negative finite number", msecs);
    if (msecs > MAX_DELAY_MS) warnOfOverflow(runtime, msecs, MAX_DELAY_MS);
    stop(item);
    Object.assign(item, { _idleNext: item, _idlePrev: item, _idleTimeout: Math.min(msecs, MAX_DELAY_MS) });
  };
  const unenroll = (item: Item): void => {
    const timeout = timeoutOf(item);
    if (timeout) timeout.close();
    stop(item);
    item._idleTimeout = -1;
  };
  const deprecated: readonly (readonly [string, AnyFunction, string, string])[] = [
    ["_unrefActive", (item) => start(item as Item, false), "timers._unrefActive() is deprecated. Please use timeout.refresh() instead.", "DEP0127"],
    ["active", (item) => start(item as Item, true), "timers.active() is deprecated. Please use timeout.refresh() instead.", "DEP0126"],
    ["unenroll", unenroll as AnyFunction, "timers.unenroll() is deprecated. Please use clearTimeout instead.", "DEP0096"],
    ["enroll", enroll as AnyFunction, "timers.enroll() is deprecated. Please use setTimeout instead.", "DEP0095"],
  ];
  return Object.fromEntries(deprecated.map(([name, run, message, code]) => [name, warnsOnce(runtime, run, message, code)]));
}

/** Made without `node:util`, which needs the timers itself. */
function warnsOnce(runtime: Runtime, run: AnyFunction, message: string, code: string): AnyFunction {
  let warned = false;
  return (...args) => {
    if (!warned) runtime.process.emitWarning(message, { type: "DeprecationWarning", code });
    warned = true;
    return run(...args);
  };
}
