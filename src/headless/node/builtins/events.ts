// node:events: the emitter and the module's own functions - promises and iterators of events, limits, abort listeners.
import { activeRuntime } from "../active.ts";
import { abortError, checkFunction, invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { ERROR_MONITOR, EventEmitter, captureRejections, checkCount, defaults } from "./event-emitter.ts";
import { eventTargetListeners, setTargetMaxListeners, targetMaxListeners } from "./event-target.ts";

export { EventEmitter } from "./event-emitter.ts";

type Source = Emitter | EventTarget;

function signalOf(options: unknown): AbortSignal | undefined {
  if (options === null || typeof options !== "object") throw invalidArgType("options", "Object", options);
  const { signal } = options as { signal?: unknown };
  if (signal !== undefined && (typeof signal !== "object" || signal === null || !("aborted" in signal))) throw invalidArgType("options.signal", "AbortSignal", signal);
  return signal as AbortSignal | undefined;
}

const isEmitter = (source: unknown): source is Emitter => typeof (source as unknown as Dict | null)?.["on"] === "function";
const isTarget = (source: unknown): source is EventTarget => typeof (source as unknown as Dict | null)?.["addEventListener"] === "function";

/** Listens on either kind; returns what stops it. */
function listen(source: Source, event: string, listener: AnyFunction, once = false): () => void {
  if (isEmitter(source)) {
    if (once) source.once(event, listener);
    else source.on(event, listener);
    // Some that look like emitters cannot let go of a listener; Node does not mind either.
    return () => void (source as unknown as { removeListener?: AnyFunction }).removeListener?.(event, listener);
  }
  if (isTarget(source)) {
    source.addEventListener(event, listener, { once });
    return () => source.removeEventListener(event, listener);
  }
  throw invalidArgType("emitter", "EventEmitter", source);
}

async function once(emitter: Source, event: string, options: unknown = {}): Promise<unknown[]> {
  const signal = signalOf(options);
  if (signal?.aborted) throw abortError(signal);
  return new Promise((resolve, reject) => {
    const stops: (() => void)[] = [];
    const stop = (): void => stops.splice(0).forEach((each) => each());
    const settle = (run: () => void) => (): void => {
      stop();
      run();
    };
    stops.push(listen(emitter, event, (...args) => settle(() => resolve(args))(), true));
    if (event !== "error" && isEmitter(emitter)) stops.push(listen(emitter, "error", (error) => settle(() => reject(error as Error))(), true));
    if (signal) {
      const onAbort = settle(() => reject(abortError(signal)));
      signal.addEventListener("abort", onAbort, { once: true });
      stops.push(() => signal.removeEventListener("abort", onAbort));
    }
  });
}

interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void;
  readonly reject: (error: unknown) => void;
}
const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype as object) as object;

/** An endless async iterator over an event's arguments; an "error" event ends it by throwing. */
function on(emitter: Source, event: string, options: Dict = {}): object {
  const signal = signalOf(options);
  if (signal?.aborted) throw abortError(signal);
  const high = (options["highWaterMark"] ?? options["highWatermark"] ?? Number.MAX_SAFE_INTEGER) as number;
  const low = (options["lowWaterMark"] ?? options["lowWatermark"] ?? 1) as number;
  const queue: unknown[] = [];
  const waiting: Waiting[] = [];
  const stops: (() => void)[] = [];
  let failure: { error: unknown } | undefined;
  let finished = false;
  let paused = false;
  const done = { value: undefined, done: true as const };
  const close = (): Promise<IteratorResult<unknown>> => {
    stops.splice(0).forEach((each) => each());
    finished = true;
    for (const next of waiting.splice(0)) next.resolve(done);
    return Promise.resolve(done);
  };
  const fail = (error: unknown): void => {
    const next = waiting.shift();
    if (next) next.reject(error);
    else failure = { error };
    void close();
  };
  const take = (value: unknown): void => {
    const next = waiting.shift();
    if (next) {
      next.resolve({ value, done: false });
      return;
    }
    queue.push(value);
    if (queue.length > high) {
      paused = true;
      (emitter as unknown as { pause?: AnyFunction }).pause?.();
    }
  };
  stops.push(listen(emitter, event, (...args) => take(args)));
  if (event !== "error" && isEmitter(emitter)) stops.push(listen(emitter, "error", fail));
  for (const name of (options["close"] as string[] | undefined) ?? []) stops.push(listen(emitter, name, () => void close()));
  if (signal) {
    const onAbort = (): void => fail(abortError(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    stops.push(() => signal.removeEventListener("abort", onAbort));
  }
  return Object.setPrototypeOf({
    next: () => {
      if (queue.length > 0) {
        const value = queue.shift();
        if (paused && queue.length < low) {
          paused = false;
          (emitter as unknown as { resume?: AnyFunction }).resume?.();
        }
        return Promise.resolve({ value, done: false });
      }
      if (failure) {
        const { error } = failure;
        failure = undefined;
        return Promise.reject(error as Error);
      }
      if (finished) return close();
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return: close,
    throw: (error: unknown) => {
      if (!(error instanceof Error)) throw invalidArgType("EventEmitter.AsyncIterator", "Error", error);
      fail(error);
    },
    [Symbol.asyncIterator](): unknown {
      return this;
    },
  }, AsyncIteratorPrototype) as object;
}

function addAbortListener(signal: AbortSignal, listener: AnyFunction): object {
  if (typeof signal !== "object" || signal === null || !("aborted" in signal)) throw invalidArgType("signal", "AbortSignal", signal);
  checkFunction(listener, "listener");
  let stop: (() => void) | undefined;
  if (signal.aborted) queueMicrotask(() => void listener());
  else {
    signal.addEventListener("abort", listener, { once: true });
    stop = () => signal.removeEventListener("abort", listener);
  }
  const dispose = (Symbol as unknown as { dispose?: symbol }).dispose ?? Symbol.for("Symbol.dispose");
  return { __proto__: null, [dispose]: () => stop?.() };
}

function setMaxListeners(count: number = defaults.maxListeners, ...sources: unknown[]): void {
  checkCount("setMaxListeners", count);
  if (sources.length === 0) defaults.maxListeners = count;
  for (const source of sources) {
    if (source instanceof EventTarget) setTargetMaxListeners(source, count);
    else if (typeof (source as unknown as Dict | null)?.["setMaxListeners"] === "function") ((source as Dict)["setMaxListeners"] as AnyFunction)(count);
    else throw invalidArgType("eventTargets", ["EventEmitter", "EventTarget"], source);
  }
}

let resourceClass: AnyFunction | undefined;

/** An emitter whose listeners run in the async context that it was made in. */
function makeResourceClass(): AnyFunction {
  const { AsyncResource } = (activeRuntime() as Runtime).builtin("async_hooks") as { AsyncResource: new (type: string, options?: unknown) => Dict & { runInAsyncScope: AnyFunction } };
  class EventEmitterReferencingAsyncResource extends AsyncResource {
    readonly eventEmitter: unknown;

    constructor(emitter: unknown, type: string, options?: unknown) {
      super(type, options);
      this.eventEmitter = emitter;
    }
  }
  class EventEmitterAsyncResource extends (EventEmitter as unknown as new (options?: unknown) => Emitter) {
    readonly #resource: Dict & { runInAsyncScope: AnyFunction };

    static #of(self: object): Dict & { runInAsyncScope: AnyFunction } {
      if (#resource in self) return self.#resource;
      throw nodeError(TypeError, "ERR_INVALID_THIS", 'Value of "this" must be of type EventEmitterAsyncResource');
    }

    constructor(options?: string | Dict) {
      super(typeof options === "object" ? options : undefined);
      const name = typeof options === "string" ? options : ((options?.["name"] as string | undefined) ?? new.target.name);
      this.#resource = new EventEmitterReferencingAsyncResource(this, name, options);
    }

    override emit(event: string, ...args: unknown[]): boolean {
      return EventEmitterAsyncResource.#of(this).runInAsyncScope(super.emit, this, event, ...args) as boolean;
    }

    emitDestroy(): void {
      (EventEmitterAsyncResource.#of(this)["emitDestroy"] as AnyFunction)();
    }

    get asyncResource(): object {
      return EventEmitterAsyncResource.#of(this);
    }

    get asyncId(): unknown {
      return (EventEmitterAsyncResource.#of(this)["asyncId"] as AnyFunction)();
    }

    get triggerAsyncId(): unknown {
      return (EventEmitterAsyncResource.#of(this)["triggerAsyncId"] as AnyFunction)();
    }
  }
  return EventEmitterAsyncResource as unknown as AnyFunction;
}

let made = false;

export function createEvents(): Dict {
  if (made) return EventEmitter;
  made = true;
  Object.assign(EventEmitter, {
    addAbortListener, once, on,
    getEventListeners: (source: Source, type: string) => {
      if (typeof (source as unknown as Dict | null)?.["listeners"] === "function") return ((source as unknown as Dict)["listeners"] as AnyFunction)(type);
      if (source instanceof EventTarget) return eventTargetListeners(source, type);
      throw invalidArgType("emitter", ["EventEmitter", "EventTarget"], source);
    },
    getMaxListeners: (source: Source) => {
      if (typeof (source as unknown as Dict | null)?.["getMaxListeners"] === "function") return ((source as unknown as Dict)["getMaxListeners"] as AnyFunction)();
      if (source instanceof EventTarget) return targetMaxListeners(source);
      throw invalidArgType("emitter", ["EventEmitter", "EventTarget"], source);
    },
    EventEmitter, usingDomains: false, errorMonitor: ERROR_MONITOR, setMaxListeners,
    listenerCount: (emitter: Emitter, type: string) => (typeof emitter.listenerCount === "function" ? emitter.listenerCount(type) : (EventEmitter.prototype["listenerCount"] as AnyFunction).call(emitter, type)),
  });
  Object.defineProperties(EventEmitter, {
    captureRejections: {
      enumerable: true, configurable: true, get: () => defaults.captureRejections, set: (value: unknown) => {
        if (typeof value !== "boolean") throw invalidArgType("EventEmitter.captureRejections", "boolean", value);
        captureRejections(value);
      },
    },
    defaultMaxListeners: {
      enumerable: true, get: () => defaults.maxListeners, set: (value: unknown) => {
        checkCount("defaultMaxListeners", value);
        defaults.maxListeners = value as number;
      },
    },
    EventEmitterAsyncResource: { enumerable: true, get: () => (resourceClass ??= makeResourceClass()) },
    init: { enumerable: true, writable: true, configurable: true, value: EventEmitter["init"] },
  });
  return EventEmitter;
}
