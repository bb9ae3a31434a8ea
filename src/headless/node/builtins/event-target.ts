// What Node knows about event targets that the engine does not tell: who listens, and how many may.
import { inspect } from "node-inspect-extracted";
import { activeRuntime } from "../active.ts";
import { defaults } from "./event-emitter.ts";

interface Entry {
  readonly type: string;
  readonly listener: EventListenerOrEventListenerObject;
  readonly capture: boolean;
}

const listeners = new WeakMap<EventTarget, Entry[]>();
const limits = new WeakMap<EventTarget, number>();
const warned = new WeakSet<EventTarget>();
let recording = false;

const captureOf = (options: unknown): boolean => (typeof options === "boolean" ? options : Boolean((options as { capture?: boolean } | null | undefined)?.capture));

/** Keeps account of listeners from now on. Only in a Worker that is the process: it changes `EventTarget.prototype`. */
export function recordListeners(): void {
  if (recording) return;
  recording = true;
  const { prototype } = EventTarget;
  const { addEventListener, removeEventListener } = prototype;
  const forget = (target: EventTarget, type: string, listener: unknown, capture: boolean): void => {
    const list = listeners.get(target);
    const at = list?.findIndex((entry) => entry.type === type && entry.listener === listener && entry.capture === capture) ?? -1;
    if (at >= 0) list?.splice(at, 1);
  };
  const define = (name: string, value: unknown): void => void Object.defineProperty(prototype, name, { value, writable: true, configurable: true, enumerable: true });
  define("addEventListener", function addEventListener_(this: EventTarget, type: string, listener: EventListenerOrEventListenerObject | null, options?: AddEventListenerOptions | boolean): void {
    const target = this ?? globalThis;
    if (listener === null || (typeof options === "object" && options?.signal?.aborted)) return addEventListener.call(target, type, listener, options);
    const capture = captureOf(options);
    const list = listeners.get(target) ?? [];
    listeners.set(target, list);
    if (!list.some((entry) => entry.type === type && entry.listener === listener && entry.capture === capture)) {
      list.push({ type: String(type), listener, capture });
      warnOfLeak(target, String(type));
    }
    if (typeof options === "object" && options?.signal) addEventListener.call(options.signal, "abort", () => forget(target, type, listener, capture), { once: true });
    if (typeof options === "object" && options?.once === true) addEventListener.call(target, type, () => forget(target, type, listener, capture), { once: true, capture });
    return addEventListener.call(target, type, listener, options);
  });
  define("removeEventListener", function removeEventListener_(this: EventTarget, type: string, listener: EventListenerOrEventListenerObject | null, options?: EventListenerOptions | boolean): void {
    const target = this ?? globalThis;
    forget(target, type, listener, captureOf(options));
    return removeEventListener.call(target, type, listener, options);
  });
  for (const name of ["addEventListener", "removeEventListener"] as const) Object.defineProperty(prototype[name], "name", { value: name });
}

function warnOfLeak(target: EventTarget, type: string): void {
  const limit = targetMaxListeners(target);
  const count = eventTargetListeners(target, type).length;
  if (limit <= 0 || count <= limit || warned.has(target)) return;
  warned.add(target);
  const text = `Possible EventTarget memory leak detected. ${count} ${type} listeners added to ${inspect(target, { depth: -1 })}. MaxListeners is ${limit}. Use events.setMaxListeners() to increase limit`;
  activeRuntime()?.process.emitWarning(Object.assign(new Error(text), { name: "MaxListenersExceededWarning", target, type, count }));
}

export function eventTargetListeners(target: EventTarget, type: string): unknown[] {
  return (listeners.get(target) ?? []).filter((entry) => entry.type === type).map((entry) => entry.listener);
}

export const setTargetMaxListeners = (target: EventTarget, count: number): void => void limits.set(target, count);

export const targetMaxListeners = (target: EventTarget): number => limits.get(target) ?? defaults.maxListeners;
