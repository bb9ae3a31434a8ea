// Promise handlers run in the scope in which they were given: `Promise.prototype.then` binds them. Replaced for as long as
// some process of the realm wants it, and not before one does. While a process watches (async_hooks), it is told of the
// promise that `then` makes and of the handlers' runs.
import type { EventLoop } from "../event-loop.ts";
import type { AnyFunction } from "../runtime.ts";

const loops = new Set<EventLoop>();
let restore: (() => void) | undefined;

/** Returns what ends it. */
export function keepScopesInPromises(loop: EventLoop): () => void {
  loops.add(loop);
  restore ??= replace();
  return () => {
    loops.delete(loop);
    if (loops.size > 0) return;
    restore?.();
    restore = undefined;
  };
}

/** Of one call of `then`. */
interface Job {
  made: object | undefined;
}

const pass = (value: unknown): unknown => value;
const fail = (error: unknown): never => {
  throw error;
};

function bindToAll(handler: unknown, job: Job, instead: AnyFunction | undefined): unknown {
  const run = typeof handler === "function" ? (handler as AnyFunction) : instead;
  if (!run) return handler;
  let bound = run;
  for (const loop of loops) bound = bind(loop, bound, job);
  return bound;
}

function bind(loop: EventLoop, run: AnyFunction, job: Job): AnyFunction {
  const { scope } = loop;
  return (...args) => {
    const made = job.made as object;
    const { watch } = loop;
    if (watch) return watch.job(made, scope, () => run(...args));
    try {
      return loop.within(scope, () => run(...args));
    } finally {
      loop.watch?.afterJob(made);
    }
  };
}

function replace(): () => void {
  const restorers = [replaceThen(), replaceReject()];
  return () => restorers.forEach((undo) => undo());
}

/** A rejected promise remembers where it was made, for the listeners of `unhandledRejection`. */
function replaceReject(): () => void {
  const original = Object.getOwnPropertyDescriptor(Promise, "reject") as PropertyDescriptor;
  const reject = {
    reject(this: unknown, reason: unknown): unknown {
      const made = Reflect.apply(original.value as AnyFunction, this, [reason]) as object;
      for (const { rejectedIn, scope } of loops) rejectedIn.set(made, scope);
      return made;
    },
  }.reject;
  const put = (value: unknown): void => void Object.defineProperty(Promise, "reject", { ...original, value });
  put(reject);
  return () => put(original.value);
}

function replaceThen(): () => void {
  const original = Object.getOwnPropertyDescriptor(Promise.prototype, "then") as PropertyDescriptor;
  const call = original.value as AnyFunction;
  const bound = function (this: unknown, onValue: unknown, onError: unknown): unknown {
    const job: Job = { made: undefined };
    const watched = [...loops].some(({ watch }) => watch);
    const made = Reflect.apply(call, this, [bindToAll(onValue, job, watched ? pass : undefined), bindToAll(onError, job, watched ? fail : undefined)]) as object;
    job.made = made;
    if (watched) for (const { watch } of loops) watch?.made(this as object, made);
    return made;
  };
  Object.defineProperty(bound, "name", { value: "then", configurable: true });
  // oxlint-disable-next-line no-thenable, no-extend-native -- it is the promise's own `then`
  const put = (value: unknown): void => void Object.defineProperty(Promise.prototype, "then", { ...original, value });
  put(bound);
  return () => put(call);
}
