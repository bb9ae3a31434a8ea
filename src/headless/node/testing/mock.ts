// `mock` of node:test: functions, methods, getters and setters that remember their calls, and timers (mock-timers.ts).
import { invalidArgType, invalidArgValue } from "../errors.ts";
import type { AnyFunction, Runtime } from "../runtime.ts";
import { MockTimers } from "./mock-timers.ts";

export interface MockCall {
  readonly arguments: readonly unknown[];
  readonly error: unknown;
  readonly result: unknown;
  readonly stack: Error;
  readonly target: unknown;
  readonly this: unknown;
}

interface MockOptions {
  readonly times?: number;
  readonly getter?: boolean;
  readonly setter?: boolean;
}

export class MockFunctionContext {
  readonly #calls: MockCall[] = [];
  #implementation: AnyFunction;
  readonly #original: AnyFunction;
  readonly #once = new Map<number, AnyFunction>();
  readonly #putBack: (() => void) | undefined;
  readonly #times: number;

  constructor(implementation: AnyFunction, original: AnyFunction, times: number, putBack?: () => void) {
    this.#implementation = implementation;
    this.#original = original;
    this.#times = times;
    this.#putBack = putBack;
  }

  get calls(): readonly MockCall[] {
    return [...this.#calls];
  }

  callCount(): number {
    return this.#calls.length;
  }

  mockImplementation(implementation: AnyFunction): void {
    if (typeof implementation !== "function") throw invalidArgType("implementation", "function", implementation);
    this.#implementation = implementation;
  }

  mockImplementationOnce(implementation: AnyFunction, onCall?: number): void {
    if (typeof implementation !== "function") throw invalidArgType("implementation", "function", implementation);
    const next = this.#calls.length;
    this.#once.set(onCall === undefined ? next : Math.max(onCall, next), implementation);
  }

  resetCalls(): void {
    this.#calls.length = 0;
  }

  restore(): void {
    this.#putBack?.();
    this.#implementation = this.#original;
    this.#once.clear();
  }

  /** For the mock itself. */
  nextImplementation(): AnyFunction {
    const call = this.#calls.length;
    const once = this.#once.get(call);
    if (once) {
      this.#once.delete(call);
      return once;
    }
    return call < this.#times ? this.#implementation : this.#original;
  }

  record(call: MockCall): void {
    this.#calls.push(call);
  }
}

const ownDescriptor = (object: object, name: PropertyKey): PropertyDescriptor | undefined => {
  for (let at: object | null = object; at; at = Object.getPrototypeOf(at) as object | null) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found) return found;
  }
  return undefined;
};

export class MockTracker {
  readonly #runtime: Runtime;
  readonly #contexts: MockFunctionContext[] = [];
  #timers: MockTimers | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get timers(): MockTimers {
    return (this.#timers ??= new MockTimers(this.#runtime));
  }

  fn(original: unknown = () => undefined, implementation: unknown = original, options: MockOptions = {}): AnyFunction {
    let [base, act, settings] = [original, implementation, options];
    if (typeof base === "object" && base !== null) [base, act, settings] = [() => undefined, undefined, base as MockOptions];
    else if (typeof act === "object" && act !== null) [act, settings] = [base, act as MockOptions];
    act ??= base;
    if (typeof base !== "function") throw invalidArgType("original", "function", base);
    if (typeof act !== "function") throw invalidArgType("implementation", "function", act);
    return this.#make(base as AnyFunction, act as AnyFunction, settings.times ?? Number.POSITIVE_INFINITY);
  }

  method(object: object | AnyFunction, name: PropertyKey, implementation?: unknown, options: MockOptions = {}): AnyFunction {
    let [act, settings] = [implementation, options];
    if (typeof act === "object" && act !== null) [act, settings] = [undefined, act as MockOptions];
    if (object === null || (typeof object !== "object" && typeof object !== "function")) throw invalidArgType("object", ["object", "function"], object);
    if (settings.getter && settings.setter) throw invalidArgValue("options.setter", settings.setter, "cannot be used with 'options.getter'");
    const kind = settings.getter ? "get" : settings.setter ? "set" : "value";
    const descriptor = ownDescriptor(object, name);
    const original = descriptor?.[kind] as unknown;
    if (typeof original !== "function") throw invalidArgValue("methodName", original, "must be a method");
    const own = Object.getOwnPropertyDescriptor(object, name);
    const putBack = (): void => {
      if (own) Object.defineProperty(object, name, own);
      else Reflect.deleteProperty(object, name);
    };
    const mock = this.#make(original as AnyFunction, (act ?? original) as AnyFunction, settings.times ?? Number.POSITIVE_INFINITY, putBack);
    const common = { configurable: descriptor?.configurable ?? true, enumerable: descriptor?.enumerable ?? false };
    if (kind === "value") Object.defineProperty(object, name, { ...common, writable: descriptor?.writable ?? true, value: mock });
    else Object.defineProperty(object, name, { ...common, ...(descriptor?.get ? { get: descriptor.get } : {}), ...(descriptor?.set ? { set: descriptor.set as (value: unknown) => void } : {}), [kind]: mock });
    return mock;
  }

  getter(object: object, name: PropertyKey, implementation?: unknown, options: MockOptions = {}): AnyFunction {
    if (typeof implementation === "object") return this.method(object, name, undefined, { ...(implementation as MockOptions), getter: true });
    return this.method(object, name, implementation, { ...options, getter: true });
  }

  setter(object: object, name: PropertyKey, implementation?: unknown, options: MockOptions = {}): AnyFunction {
    if (typeof implementation === "object") return this.method(object, name, undefined, { ...(implementation as MockOptions), setter: true });
    return this.method(object, name, implementation, { ...options, setter: true });
  }

  reset(): void {
    this.restoreAll();
    this.#timers?.reset();
    this.#contexts.length = 0;
  }

  restoreAll(): void {
    for (const context of this.#contexts) context.restore();
  }

  #make(original: AnyFunction, implementation: AnyFunction, times: number, putBack?: () => void): AnyFunction {
    const context = new MockFunctionContext(implementation, original, times, putBack);
    this.#contexts.push(context);
    const call = (act: AnyFunction, self: unknown, args: unknown[], target: AnyFunction | undefined): unknown => {
      let result: unknown;
      let failure: { error: unknown } | undefined;
      try {
        result = target ? (Reflect.construct(act, args, target) as unknown) : (Reflect.apply(act, self, args) as unknown);
        return result;
      } catch (error) {
        failure = { error };
        throw error;
      } finally {
        context.record({ arguments: args, error: failure?.error, result, stack: new Error(), target: target ? original : undefined, this: target ? result : self });
      }
    };
    const mock: AnyFunction = new Proxy(original, {
      apply: (_, self, args: unknown[]) => call(context.nextImplementation(), self, args, undefined),
      construct: (_, args: unknown[], target) => call(context.nextImplementation(), undefined, args, (target as unknown) === mock ? original : (target as AnyFunction)) as object,
      get: (target, key, receiver) => (key === "mock" ? context : (Reflect.get(target, key, receiver) as unknown)),
    });
    return mock;
  }
}
