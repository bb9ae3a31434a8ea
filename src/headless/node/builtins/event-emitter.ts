// Node's EventEmitter. A plain function with a prototype, because programs call it without `new`, and with the fields
// `_events`, `_eventsCount` and `_maxListeners`, because streams and programs look into them.
import { inspect } from "node-inspect-extracted";
import { activeRuntime } from "../active.ts";
import { checkFunction, invalidArgType, nodeError, outOfRange } from "../errors.ts";
import type { AnyFunction, Dict, Emitter } from "../runtime.ts";

type Name = string | symbol;
/** A listener; one added by `once` is a wrapper that carries the original. */
type Listener = AnyFunction & { listener?: AnyFunction };
type Listeners = Record<Name, Listener | Listener[] | undefined>;

interface Fields {
  _events: Listeners | undefined;
  _eventsCount: number;
  _maxListeners: number | undefined;
  [CAPTURE]?: boolean;
}
type Self = Fields & Emitter & { [REJECTION]?: AnyFunction };

const CAPTURE = Symbol("kCapture");
const SHAPE = Symbol("shapeMode");
export const REJECTION = Symbol.for("nodejs.rejection");
export const ERROR_MONITOR = Symbol("events.errorMonitor");

/** What `EventEmitter.captureRejections` and `EventEmitter.defaultMaxListeners` set. */
export const defaults = { captureRejections: false, maxListeners: 10 };

export function checkCount(name: string, value: unknown): void {
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
  if (!(value >= 0)) throw outOfRange(name, ">= 0", value);
}

interface EventEmitterClass {
  new (options?: Dict): Emitter;
  (this: unknown, options?: Dict): void;
  readonly prototype: Dict;
  init(this: unknown, options?: Dict): void;
}

export const EventEmitter = function EventEmitter(this: Self, options?: Dict): void {
  (EventEmitter as unknown as EventEmitterClass).init.call(this, options);
} as unknown as EventEmitterClass & Dict;

(EventEmitter as Dict)["init"] = function init(this: Self & { [SHAPE]?: boolean }, options?: Dict): void {
  if (this._events === undefined || this._events === (Object.getPrototypeOf(this) as Fields)._events) {
    this._events = Object.create(null) as Listeners;
    this._eventsCount = 0;
    this._maxListeners ||= undefined;
    this[SHAPE] = false;
  }
  const asked = options?.["captureRejections"];
  if (asked) {
    if (typeof asked !== "boolean") throw invalidArgType("options.captureRejections", "boolean", asked);
    this[CAPTURE] = asked;
  } else this[CAPTURE] = defaults.captureRejections;
};

const listOf = (handlers: Listener | Listener[] | undefined): Listener[] => (handlers === undefined ? [] : typeof handlers === "function" ? [handlers] : handlers);
const limitOf = (emitter: Fields): number => emitter._maxListeners ?? defaults.maxListeners;

function unhandledError(given: unknown): Error {
  if (given instanceof Error) return given;
  let shown: unknown;
  try {
    shown = inspect(given);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    shown = given;
  }
  return nodeError(Error, "ERR_UNHANDLED_ERROR", `Unhandled error. (${shown as string})`, { context: given });
}

/** Where errors that nobody listened to were emitted: as text for what is printed when one ends the process. */
const emissions = new WeakMap<Error, string>();

export const emissionOf = (error: Error): string | undefined => emissions.get(error);

/** As Node's `enhanceStackTrace` words it. */
function noteEmission(emitter: Self, error: Error): void {
  try {
    const place = { stack: "" };
    Error.captureStackTrace(place, emit);
    const name = (emitter.constructor as { readonly name?: unknown } | undefined)?.name;
    const frames = place.stack.split("\n").slice(1);
    emissions.set(error, [`Emitted 'error' event${name === undefined || name === "EventEmitter" ? "" : ` on ${String(name)} instance`} at:`, ...frames].join("\n"));
  } catch {
    // A program's own `prepareStackTrace` may throw, and make no text.
  }
}

/** A listener that returned a promise: its rejection becomes the emitter's `error` (or its rejection method's call). */
function catchRejection(emitter: Self, promise: unknown, type: Name, args: unknown[]): void {
  try {
    const then = (promise as Dict)["then"];
    if (typeof then !== "function") return;
    (then as AnyFunction).call(promise, undefined, (error: unknown) => activeRuntime()?.loop.nextTick(() => {
      if (typeof emitter[REJECTION] === "function") {
        emitter[REJECTION](error, type, ...args);
        return;
      }
      const before = emitter[CAPTURE];
      try {
        // Otherwise an `error` listener that rejects would be called for ever.
        emitter[CAPTURE] = false;
        emitter.emit("error", error);
      } finally {
        emitter[CAPTURE] = before ?? false;
      }
    }));
  } catch (error) {
    emitter.emit("error", error);
  }
}

function emit(this: Self, type: Name, ...args: unknown[]): boolean {
  const events = this._events;
  if (type === "error") {
    if (events?.[ERROR_MONITOR] !== undefined) emit.call(this, ERROR_MONITOR, ...args);
    if (events?.["error"] === undefined) {
      const error = unhandledError(args[0]);
      if (error === args[0]) noteEmission(this, error);
      throw error;
    }
  }
  const handlers = events?.[type];
  if (handlers === undefined) return false;
  const call = (handler: Listener): void => {
    const result = Reflect.apply(handler, this, args);
    if (result != null && this[CAPTURE] === true) catchRejection(this, result, type, args);
  };
  if (typeof handlers === "function") call(handlers);
  else for (const handler of handlers.slice()) call(handler);
  return true;
}

function warnOfLeak(emitter: Self, type: Name, list: Listener[] & { warned?: boolean }): void {
  const limit = limitOf(emitter);
  if (limit <= 0 || list.length <= limit || list.warned === true) return;
  list.warned = true;
  const text = `Possible EventEmitter memory leak detected. ${list.length} ${String(type)} listeners added to ${inspect(emitter, { depth: -1 })}. MaxListeners is ${limit}. Use emitter.setMaxListeners() to increase limit`;
  const warning = Object.assign(new Error(text), { emitter, type, count: list.length });
  Object.defineProperty(warning, "name", { value: "MaxListenersExceededWarning", configurable: true, writable: true, enumerable: true });
  activeRuntime()?.process.emitWarning(warning);
}

function add(emitter: Self, type: Name, listener: Listener, prepend: boolean): Self {
  checkFunction(listener, "listener");
  let events = emitter._events;
  if (events === undefined) {
    events = emitter._events = Object.create(null) as Listeners;
    emitter._eventsCount = 0;
  } else if (events["newListener"] !== undefined) {
    emitter.emit("newListener", type as string, listener.listener ?? listener);
    // The listener may have replaced them all.
    events = emitter._events as Listeners;
  }
  const before = events[type];
  if (before === undefined) {
    events[type] = listener;
    emitter._eventsCount++;
    return emitter;
  }
  const list = typeof before === "function" ? (prepend ? [listener, before] : [before, listener]) : before;
  if (list === before) {
    if (prepend) list.unshift(listener);
    else list.push(listener);
  }
  events[type] = list;
  warnOfLeak(emitter, type, list);
  return emitter;
}

function wrapOnce(emitter: Self, type: Name, listener: Listener): Listener {
  checkFunction(listener, "listener");
  let fired = false;
  const wrapped: Listener = function (this: unknown, ...args: unknown[]): unknown {
    if (fired) return undefined;
    emitter.off(type as string, wrapped);
    fired = true;
    return Reflect.apply(listener, emitter, args);
  };
  Object.defineProperty(wrapped, "name", { value: "bound onceWrapper", configurable: true });
  wrapped.listener = listener;
  return wrapped;
}

function forget(emitter: Self, type: Name): void {
  if (--emitter._eventsCount === 0) emitter._events = Object.create(null) as Listeners;
  else Reflect.deleteProperty(emitter._events as Listeners, type);
}

function removeListener(this: Self, type: Name, listener: Listener): Self {
  checkFunction(listener, "listener");
  const handlers = this._events?.[type];
  if (handlers === undefined) return this;
  const list = listOf(handlers);
  const at = list.findLastIndex((each) => each === listener || each.listener === listener);
  if (at < 0) return this;
  const removed = list[at] as Listener;
  if (list.length === 1) forget(this, type);
  else {
    list.splice(at, 1);
    if (list.length === 1) (this._events as Listeners)[type] = list[0];
  }
  if (this._events?.["removeListener"] !== undefined) this.emit("removeListener", type as string, removed.listener ?? listener);
  return this;
}

function removeAllListeners(this: Self, ...args: [Name?]): Self {
  const events = this._events;
  if (events === undefined) return this;
  const [type] = args;
  if (events["removeListener"] === undefined) {
    if (args.length === 0) {
      this._events = Object.create(null) as Listeners;
      this._eventsCount = 0;
    } else if (events[type as Name] !== undefined) forget(this, type as Name);
    return this;
  }
  if (args.length === 0) {
    for (const each of Reflect.ownKeys(events)) if (each !== "removeListener") removeAllListeners.call(this, each);
    removeAllListeners.call(this, "removeListener");
    this._events = Object.create(null) as Listeners;
    this._eventsCount = 0;
    return this;
  }
  for (const listener of listOf(events[type as Name]).slice().reverse()) removeListener.call(this, type as Name, listener);
  return this;
}

function listenerCount(this: Self, type: Name, listener?: AnyFunction | null): number {
  const list = listOf(this._events?.[type]);
  return listener == null ? list.length : list.filter((each) => each === listener || each.listener === listener).length;
}

const methods: Record<string, unknown> = {
  _events: undefined, _eventsCount: 0, _maxListeners: undefined,
  setMaxListeners(this: Self, n: number): Self {
    checkCount("setMaxListeners", n);
    this._maxListeners = n;
    return this;
  },
  getMaxListeners(this: Self): number {
    return limitOf(this);
  },
  emit,
  addListener(this: Self, type: Name, listener: Listener): Self {
    return add(this, type, listener, false);
  },
  on: undefined,
  prependListener(this: Self, type: Name, listener: Listener): Self {
    return add(this, type, listener, true);
  },
  once(this: Self, type: Name, listener: Listener): Self {
    return this.on(type as string, wrapOnce(this, type, listener));
  },
  prependOnceListener(this: Self & { prependListener(type: Name, listener: Listener): Self }, type: Name, listener: Listener): Self {
    return this.prependListener(type, wrapOnce(this, type, listener));
  },
  removeListener, off: removeListener, removeAllListeners,
  listeners(this: Self, type: Name): AnyFunction[] {
    return listOf(this._events?.[type]).map((each) => each.listener ?? each);
  },
  rawListeners(this: Self, type: Name): AnyFunction[] {
    return listOf(this._events?.[type]).slice();
  },
  listenerCount,
  eventNames(this: Self): Name[] {
    return this._eventsCount > 0 ? Reflect.ownKeys(this._events as Listeners) : [];
  },
};
methods["on"] = methods["addListener"];
// The kept streams ask for it when they load.
(EventEmitter as Dict)["captureRejectionSymbol"] = REJECTION;
for (const [name, value] of Object.entries(methods)) Object.defineProperty(EventEmitter.prototype, name, { value, writable: true, configurable: true, enumerable: true });
Object.defineProperty(EventEmitter.prototype, CAPTURE, { value: false, writable: true, enumerable: false });

/** For emitters made from now on, and those that never called the constructor. */
export function captureRejections(value: boolean): void {
  defaults.captureRejections = value;
  EventEmitter.prototype[CAPTURE as unknown as string] = value;
}
