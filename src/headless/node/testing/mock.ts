// `mock` of node:test: functions, methods, getters and setters that remember their calls; timers (mock-timers.ts),
// properties (mock-property.ts), modules (loader/module-mocks.ts).
import { checkInteger, invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { harnessOf } from "./harness.ts";
import { MockPropertyContext } from "./mock-property.ts";
import { MockTimers } from "./mock-timers.ts";

/** Module mocks are behind a flag in Node, and absent without it. */
const MODULE_MOCKS = "--experimental-test-module-mocks";
/** Said once a process. */
const warned = new WeakSet<Runtime>();

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
    const call = onCall ?? next;
    checkInteger(call, "onCall", next);
    this.#once.set(call, implementation);
  }

  resetCalls(): void {
    this.#calls.length = 0;
  }

  restore(): void {
    if (this.#putBack) this.#putBack();
    else this.#implementation = this.#original;
  }

  /** For the mock itself. */
  nextImplementation(): AnyFunction {
    const call = this.#calls.length;
    const next = this.#once.get(call) ?? this.#implementation;
    this.#once.delete(call);
    // The last call that counts puts the original back before it runs.
    if (call + 1 === this.#times) this.restore();
    return next;
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

function timesOf({ times = Number.POSITIVE_INFINITY }: MockOptions): number {
  if (times !== Number.POSITIVE_INFINITY) checkInteger(times, "options.times", 1);
  return times;
}

/** A function that can also be constructed. Its name is what Node's has: that of the parameter it stands in for. */
function namelessMock(): AnyFunction {
  return Object.defineProperty(function () {
    // Mocks do nothing until they are told what to do.
  }, "name", { value: "original", configurable: true });
}

export class MockTracker {
  readonly #runtime: Runtime;
  readonly #contexts: { restore(): void }[] = [];
  #timers: MockTimers | undefined;
  readonly module: ((specifier: unknown, options?: unknown) => { restore(): void }) | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    const { execArgv } = runtime.options;
    const flagged = execArgv.includes(MODULE_MOCKS) || (runtime.process.env["NODE_OPTIONS"] ?? "").split(/\s+/).includes(MODULE_MOCKS);
    if (flagged) this.module = (specifier, options = {}) => this.#mockModule(specifier, options);
  }

  get timers(): MockTimers {
    return (this.#timers ??= new MockTimers(this.#runtime));
  }

  fn(original: unknown = namelessMock(), implementation: unknown = original, options: MockOptions = {}): AnyFunction {
    let [base, act, settings] = [original, implementation, options];
    if (typeof base === "object" && base !== null) {
      settings = base as MockOptions;
      base = act = namelessMock();
    } else if (typeof act === "object" && act !== null) [act, settings] = [base, act as MockOptions];
    if (typeof base !== "function") throw invalidArgType("original", "function", base);
    if (typeof act !== "function") throw invalidArgType("implementation", "function", act);
    return this.#make(base as AnyFunction, act as AnyFunction, timesOf(settings));
  }

  method(object: object | AnyFunction, name: PropertyKey, implementation?: unknown, options: MockOptions = {}): AnyFunction {
    let [act, settings] = [implementation, options];
    if (typeof act === "object" && act !== null) [act, settings] = [undefined, act as MockOptions];
    if (typeof name !== "string" && typeof name !== "symbol") throw invalidArgType("methodName", ["string", "symbol"], name);
    if (object === null || (typeof object !== "object" && typeof object !== "function")) throw invalidArgType("object", "object", object);
    if (act !== undefined && typeof act !== "function") throw invalidArgType("implementation", "function", act);
    for (const side of ["getter", "setter"] as const) if (settings[side] !== undefined && typeof settings[side] !== "boolean") throw invalidArgType(`options.${side}`, "boolean", settings[side]);
    const times = timesOf(settings);
    if (settings.getter && settings.setter) throw invalidArgValue("options.setter", settings.setter, "cannot be used with 'options.getter'");
    const kind = settings.getter ? "get" : settings.setter ? "set" : "value";
    const descriptor = ownDescriptor(object, name);
    const original = descriptor?.[kind] as unknown;
    if (typeof original !== "function") throw invalidArgValue("methodName", original, "must be a method");
    // As in Node 20: an inherited method becomes one of the object's own.
    const putBack = (): void => void Object.defineProperty(object, name, descriptor as PropertyDescriptor);
    const mock = this.#make(original as AnyFunction, (act ?? original) as AnyFunction, times, putBack);
    const common = { configurable: descriptor?.configurable ?? true, enumerable: descriptor?.enumerable ?? false };
    if (kind === "value") Object.defineProperty(object, name, { ...common, writable: descriptor?.writable ?? true, value: mock });
    else Object.defineProperty(object, name, { ...common, ...(descriptor?.get ? { get: descriptor.get } : {}), ...(descriptor?.set ? { set: descriptor.set as (value: unknown) => void } : {}), [kind]: mock });
    return mock;
  }

  getter(object: object, name: PropertyKey, implementation?: unknown, options: MockOptions = {}): AnyFunction {
    const [act, settings] = typeof implementation === "object" && implementation !== null ? [undefined, implementation as MockOptions] : [implementation, options];
    if (settings.getter === false) throw invalidArgValue("options.getter", false, "cannot be false");
    return this.method(object, name, act, { getter: true, ...settings });
  }

  setter(object: object, name: PropertyKey, implementation?: unknown, options: MockOptions = {}): AnyFunction {
    const [act, settings] = typeof implementation === "object" && implementation !== null ? [undefined, implementation as MockOptions] : [implementation, options];
    if (settings.setter === false) throw invalidArgValue("options.setter", false, "cannot be false");
    return this.method(object, name, act, { setter: true, ...settings });
  }

  /** The object itself, with `mock` on it. */
  property(object: unknown, name: PropertyKey, ...value: readonly unknown[]): object {
    if (typeof object !== "object" || object === null) throw invalidArgType("object", "object", object);
    if (typeof name !== "string" && typeof name !== "symbol") throw invalidArgType("propertyName", ["string", "symbol"], name);
    const context = new MockPropertyContext(object, name, value.length > 0 ? [value[0]] : undefined);
    this.#contexts.push(context);
    return new Proxy(object, { get: (target, key, receiver) => (key === "mock" ? context : (Reflect.get(target, key, receiver) as unknown)) });
  }

  #mockModule(specifier: unknown, options: unknown): { restore(): void } {
    const { loader, process } = this.#runtime;
    if (!warned.has(this.#runtime)) process.emitWarning("Module mocking is an experimental feature and might change at any time", "ExperimentalWarning");
    warned.add(this.#runtime);
    if (typeof specifier !== "string") throw invalidArgType("specifier", "string", specifier);
    if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
    const { cache = false, namedExports = {} } = options as { cache?: unknown; namedExports?: unknown };
    if (typeof cache !== "boolean") throw invalidArgType("options.cache", "boolean", cache);
    if (typeof namedExports !== "object" || namedExports === null) throw invalidArgType("options.namedExports", "object", namedExports);
    const from = harnessOf(this.#runtime).here()?.file ?? `${this.#runtime.cwd}/[eval]`;
    const place = loader.locate(specifier.replace(/^node:/, ""), from);
    if (loader.mocks.has(place.url)) throw nodeError(Error, "ERR_INVALID_STATE", `Invalid state: Cannot mock '${specifier}'. The module is already mocked.`);
    loader.mocks.add({ ...place, cache, namedExports: namedExports as Dict, defaultExport: "defaultExport" in options ? [options.defaultExport] : undefined });
    const context = { restore: () => loader.mocks.remove(place.url) };
    this.#contexts.push(context);
    return context;
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
