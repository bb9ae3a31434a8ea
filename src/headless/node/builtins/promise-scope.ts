// Promise handlers run in the scope in which they were given: `Promise.prototype.then` binds them. Replaced for as long as
// some process of the realm wants it, and not before one does.
import type { EventLoop } from "../event-loop.ts";
import type { AnyFunction } from "../runtime.ts";

const loops = new Set<EventLoop>();
let restore: (() => void) | undefined;

/** Returns what ends it. */
export function keepScopesInPromises(loop: EventLoop): () => void {
  loops.add(loop);
  restore ??= replaceThen();
  return () => {
    loops.delete(loop);
    if (loops.size > 0) return;
    restore?.();
    restore = undefined;
  };
}

function bindToAll(handler: unknown): unknown {
  if (typeof handler !== "function") return handler;
  let bound = handler as AnyFunction;
  for (const loop of loops) bound = loop.bind(bound);
  return bound;
}

function replaceThen(): () => void {
  const original = Object.getOwnPropertyDescriptor(Promise.prototype, "then") as PropertyDescriptor;
  const call = original.value as AnyFunction;
  const bound = function (this: unknown, onValue: unknown, onError: unknown): unknown {
    return Reflect.apply(call, this, [bindToAll(onValue), bindToAll(onError)]);
  };
  Object.defineProperty(bound, "name", { value: "then", configurable: true });
  // oxlint-disable-next-line no-thenable, no-extend-native -- it is the promise's own `then`
  const put = (value: unknown): void => void Object.defineProperty(Promise.prototype, "then", { ...original, value });
  put(bound);
  return () => put(call);
}
