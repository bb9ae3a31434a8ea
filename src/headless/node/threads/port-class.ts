// MessagePort and MessageChannel as Node has them, on the engine's own prototype. Only in a Worker that is the process.
import { inspect } from "node-inspect-extracted";
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { eventTargetListeners, setTargetMaxListeners, targetMaxListeners } from "../builtins/event-target.ts";
import { show } from "../builtins/web-inspect.ts";
import { newState, type PortState, stateOf } from "./port-state.ts";
import { watchPort } from "./port-transfer.ts";
import { close, dispatch, plainValueOf, post, ref, start, stop, unref } from "./ports.ts";

const NativeChannel = MessageChannel;
const native = MessagePort.prototype;

/** What counts its listeners to one event (a port's to messages, which keep the process alive and have it start). */
export interface Listening {
  changed(type: string, count: number): void;
  readonly listeners: Map<string, Map<AnyFunction, EventListener>>;
}

/** Node's names for listening, between a class and EventTarget. `of`: undefined for one that is no more. */
export function nodeEventTarget(of: (target: EventTarget) => Listening | undefined): object {
  const count = (target: EventTarget, type: string): number => eventTargetListeners(target, type).length;
  const wrappersOf = (target: EventTarget, type: string): Map<AnyFunction, EventListener> => {
    const all = of(target)?.listeners ?? new Map<string, Map<AnyFunction, EventListener>>();
    const known = all.get(type) ?? new Map<AnyFunction, EventListener>();
    all.set(type, known);
    return known;
  };
  const prototype = Object.create(EventTarget.prototype) as EventTarget & Dict;
  const add = (target: EventTarget, type: string, listener: unknown, once: boolean): EventTarget => {
    if (typeof listener !== "function" && (typeof listener !== "object" || listener === null)) throw invalidArgType("listener", "EventListener", listener);
    const wrappers = wrappersOf(target, type);
    if (wrappers.has(listener as AnyFunction)) return target;
    const run = (event: Event): void => {
      if (once) remove(target, type, listener);
      const value = plainValueOf(event);
      if (typeof listener === "function") listener.call(target, value);
      else (listener as { handleEvent?: AnyFunction }).handleEvent?.(value);
    };
    wrappers.set(listener as AnyFunction, run);
    target.addEventListener(type, run);
    return target;
  };
  const remove = (target: EventTarget, type: string, listener: unknown): EventTarget => {
    const wrappers = wrappersOf(target, type);
    target.removeEventListener(type, wrappers.get(listener as AnyFunction) ?? (listener as EventListener));
    wrappers.delete(listener as AnyFunction);
    return target;
  };
  const methods = {
    setMaxListeners(this: EventTarget, most: number) {
      setTargetMaxListeners(this, most);
    },
    getMaxListeners(this: EventTarget) {
      return targetMaxListeners(this);
    },
    eventNames(this: EventTarget) {
      return [...(of(this)?.listeners.keys() ?? [])].filter((type) => count(this, type) > 0);
    },
    listenerCount(this: EventTarget, type: string) {
      return count(this, type);
    },
    off(this: EventTarget, type: string, listener: unknown) {
      return remove(this, type, listener);
    },
    removeListener(this: EventTarget, type: string, listener: unknown) {
      return remove(this, type, listener);
    },
    on(this: EventTarget, type: string, listener: unknown) {
      return add(this, type, listener, false);
    },
    addListener(this: EventTarget, type: string, listener: unknown) {
      return add(this, type, listener, false);
    },
    emit(this: EventTarget, type: string, value: unknown) {
      const listened = count(this, type) > 0;
      dispatch(this, type === "message" || type === "messageerror" ? new MessageEvent(type, { data: value }) : new CustomEvent(type, { detail: value }), value);
      return listened;
    },
    once(this: EventTarget, type: string, listener: unknown) {
      return add(this, type, listener, true);
    },
    removeAllListeners(this: EventTarget, type?: string) {
      for (const each of type === undefined ? methods.eventNames.call(this) : [type]) {
        for (const listener of eventTargetListeners(this, each)) this.removeEventListener(each, listener as EventListener);
        wrappersOf(this, each).clear();
      }
      return this;
    },
    addEventListener(this: EventTarget, type: string, listener: EventListener | null, options?: AddEventListenerOptions) {
      wrappersOf(this, type);
      const once = typeof options === "object" && options?.once === true;
      EventTarget.prototype.addEventListener.call(this, type, listener, options);
      of(this)?.changed(type, count(this, type));
      if (once) EventTarget.prototype.addEventListener.call(this, type, () => of(this)?.changed(type, count(this, type)), { once: true });
    },
    removeEventListener(this: EventTarget, type: string, listener: EventListener | null, options?: EventListenerOptions) {
      EventTarget.prototype.removeEventListener.call(this, type, listener, options);
      of(this)?.changed(type, count(this, type));
    },
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(prototype, name, { value, writable: true, configurable: true, enumerable: !name.endsWith("EventListener") });
  return prototype;
}

/** `onmessage` and its like, as properties of the prototype. */
export function handlerProperty(prototype: object, type: string, handlersOf: (target: EventTarget) => Map<string, unknown> | undefined): void {
  const name = `on${type}`;
  const wrappers = new WeakMap<EventTarget, EventListener>();
  Object.defineProperty(prototype, name, {
    get(this: EventTarget): unknown {
      return handlersOf(this)?.get(type) ?? null;
    },
    set(this: EventTarget, handler: unknown) {
      const before = wrappers.get(this);
      handlersOf(this)?.set(type, handler);
      if (before) this.removeEventListener(type, before);
      wrappers.delete(this);
      if (typeof handler !== "function") return;
      const run = (event: Event): void => void (handler as AnyFunction).call(this, event);
      wrappers.set(this, run);
      this.addEventListener(type, run);
    },
    enumerable: true, configurable: true,
  });
}

/** Gives a port of the engine's what makes it one of Node's. */
export function makePort(runtime: Runtime, port: MessagePort): PortState {
  const state = newState(port);
  watchPort(runtime, port);
  return state;
}

export function teachPorts(runtime: Runtime): { readonly MessagePort: unknown; readonly MessageChannel: unknown } {
  const own = (port: unknown): PortState | undefined => {
    if (!(port instanceof native.constructor)) throw new TypeError("Illegal invocation");
    return stateOf(port);
  };
  const methods = {
    postMessage(this: MessagePort, ...args: unknown[]) {
      const state = own(this);
      if (args.length === 0) throw nodeError(TypeError, "ERR_MISSING_ARGS", "Not enough arguments to MessagePort.postMessage");
      post(runtime, state, this, args[0], args[1]);
    },
    start(this: MessagePort) {
      const state = own(this);
      if (state) start(runtime, state);
    },
    close(this: MessagePort, callback?: AnyFunction) {
      const state = own(this);
      if (typeof callback === "function") (this as unknown as { once(type: string, listener: AnyFunction): void }).once("close", callback);
      if (state) close(runtime, state);
    },
    ref(this: MessagePort) {
      const state = own(this);
      if (state) ref(runtime, state);
    },
    unref(this: MessagePort) {
      const state = own(this);
      if (state) unref(state);
    },
    hasRef(this: MessagePort) {
      return own(this)?.release !== undefined;
    },
  };
  for (const name of Object.getOwnPropertyNames(native)) if (name !== "constructor") Reflect.deleteProperty(native, name);
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(native, name, { value, writable: true, configurable: true, enumerable: true });
  for (const type of ["message", "messageerror"]) handlerProperty(native, type, (port) => stateOf(port)?.handlers);
  const listening = (state: PortState): Listening => ({
    listeners: state.listeners,
    changed: (type, count) => {
      if (type !== "message") return;
      if (count > 0) {
        // The first listener alone: a later `unref` stands when another comes.
        if (!state.started) ref(runtime, state);
        start(runtime, state);
      } else {
        stop(state);
        unref(state);
      }
    },
  });
  Object.setPrototypeOf(native, nodeEventTarget((port) => {
    const state = stateOf(port);
    return state && listening(state);
  }));
  show(native, function (this: MessagePort, _depth, options) {
    const state = stateOf(this);
    return `MessagePort [EventTarget] ${inspect(state && !state.gone ? { active: true, refed: state.release !== undefined } : { active: false }, options as never)}`;
  });

  function Port(): never {
    throw nodeError(TypeError, "ERR_CONSTRUCT_CALL_INVALID", "Constructor cannot be called");
  }
  function Channel(this: Dict): void {
    if (!new.target) throw nodeError(TypeError, "ERR_CONSTRUCT_CALL_REQUIRED", "Cannot call constructor without `new`");
    const { port1, port2 } = new NativeChannel();
    const [one, other] = [makePort(runtime, port1), makePort(runtime, port2)];
    one.peer = other;
    other.peer = one;
    Object.assign(this, { port1, port2 });
  }
  Object.defineProperty(Port, "prototype", { value: native, writable: false });
  Object.defineProperty(native, "constructor", { value: Port, writable: true, configurable: true, enumerable: false });
  Object.defineProperty(Port, "name", { value: "MessagePort" });
  Object.defineProperty(Channel, "name", { value: "MessageChannel" });
  return { MessagePort: Port, MessageChannel: Channel };
}
