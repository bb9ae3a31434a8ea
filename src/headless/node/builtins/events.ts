// node:events: the kept emitter plus what it lacks of Node 20's module functions.
import eventsModule from "events";
import { nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Emitter } from "../runtime.ts";

export const EventEmitter = eventsModule as unknown as (new () => Emitter) & Dict;

interface AbortOptions {
  readonly signal?: AbortSignal;
}

function abortError(signal: AbortSignal): Error {
  const error = nodeError(Error, "ABORT_ERR", "The operation was aborted", { cause: signal.reason as unknown });
  error.name = "AbortError";
  return error;
}

function once(emitter: Emitter | EventTarget, event: string, options: AbortOptions = {}): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    if (emitter instanceof EventTarget) {
      emitter.addEventListener(event, (...args) => resolve(args), { once: true });
      return;
    }
    const onEvent = (...args: unknown[]): void => {
      emitter.off("error", onError);
      resolve(args);
    };
    const onError = (error: unknown): void => {
      emitter.off(event, onEvent);
      reject(error);
    };
    emitter.once(event, onEvent);
    if (event !== "error") emitter.once("error", onError);
    signal?.addEventListener("abort", () => {
      emitter.off(event, onEvent);
      emitter.off("error", onError);
      reject(abortError(signal));
    }, { once: true });
  });
}

/** An endless async iterator over an event's arguments; an "error" event ends it by throwing. */
function on(emitter: Emitter, event: string, options: AbortOptions & { close?: string[] } = {}): AsyncIterableIterator<unknown[]> {
  const queue: unknown[][] = [];
  const waiting: { resolve: (result: IteratorResult<unknown[]>) => void; reject: (error: unknown) => void }[] = [];
  let failure: { error: unknown } | undefined;
  let ended = false;
  const onEvent = (...args: unknown[]): void => {
    const next = waiting.shift();
    if (next) next.resolve({ value: args, done: false });
    else queue.push(args);
  };
  const finish = (): void => {
    ended = true;
    emitter.off(event, onEvent);
    emitter.off("error", onError);
    for (const next of waiting.splice(0)) next.resolve({ value: undefined, done: true });
  };
  const onError = (error: unknown): void => {
    const next = waiting.shift();
    if (next) next.reject(error);
    else failure = { error };
    finish();
  };
  emitter.on(event, onEvent);
  if (event !== "error") emitter.on("error", onError);
  for (const name of options.close ?? []) emitter.once(name, finish);
  options.signal?.addEventListener("abort", () => onError(abortError(options.signal as AbortSignal)), { once: true });
  return {
    next: () => {
      const value = queue.shift();
      if (value) return Promise.resolve({ value, done: false });
      if (failure) {
        const { error } = failure;
        failure = undefined;
        return Promise.reject(error as Error);
      }
      if (ended) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return: () => {
      finish();
      return Promise.resolve({ value: undefined, done: true });
    },
    throw: (error: unknown) => {
      onError(error);
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

export function createEvents(): Dict {
  const statics: Dict = {
    once, on,
    errorMonitor: Symbol.for("events.errorMonitor"),
    captureRejectionSymbol: Symbol.for("nodejs.rejection"),
    captureRejections: false,
    usingDomains: false,
    getEventListeners: (emitter: Dict, event: string) => (typeof emitter["listeners"] === "function" ? (emitter["listeners"] as AnyFunction)(event) : []),
    getMaxListeners: (emitter: Dict) => (typeof emitter["getMaxListeners"] === "function" ? (emitter["getMaxListeners"] as AnyFunction)() : 10),
    setMaxListeners: (count: number, ...emitters: Dict[]) => {
      for (const emitter of emitters) if (typeof emitter["setMaxListeners"] === "function") (emitter["setMaxListeners"] as AnyFunction)(count);
    },
    listenerCount: (emitter: Emitter, event: string) => emitter.listenerCount(event),
    addAbortListener: (signal: AbortSignal, listener: () => void) => {
      signal.addEventListener("abort", listener, { once: true });
      return { [Symbol.for("Symbol.dispose")]: () => signal.removeEventListener("abort", listener) };
    },
    EventEmitter,
  };
  for (const [name, value] of Object.entries(statics)) {
    if (name in EventEmitter && typeof EventEmitter[name] !== "undefined" && name !== "once") continue;
    Object.defineProperty(EventEmitter, name, { value, writable: true, configurable: true, enumerable: true });
  }
  return EventEmitter;
}
