// node:async_hooks: AsyncLocalStorage through timers, ticks, file callbacks and promise handlers made with `then`.
// Known limit: the engine's own `await` tells nobody, so a store is lost after an `await` inside `run` unless the
// awaited promise was made by code that keeps it.
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

type Stores = ReadonlyMap<object, unknown>;
let current: Stores = new Map();

/** The callback, run with the stores that were current when it was handed over. */
export function bindStores<T extends AnyFunction>(callback: T): T {
  const stores = current;
  if (stores.size === 0) return callback;
  return function (this: unknown, ...args: unknown[]): unknown {
    const before = current;
    current = stores;
    try {
      return callback.apply(this, args);
    } finally {
      current = before;
    }
  } as T;
}

function withStores<T>(stores: Stores, run: () => T): T {
  const before = current;
  current = stores;
  try {
    return run();
  } finally {
    current = before;
  }
}

class AsyncLocalStorage {
  static bind(fn: AnyFunction): AnyFunction {
    return bindStores(fn);
  }

  static snapshot(): (fn: AnyFunction, ...args: unknown[]) => unknown {
    const stores = current;
    return (fn, ...args) => withStores(stores, () => fn(...args));
  }

  getStore(): unknown {
    return current.get(this);
  }

  run(store: unknown, fn: AnyFunction, ...args: unknown[]): unknown {
    return withStores(new Map([...current, [this, store]]), () => fn(...args));
  }

  exit(fn: AnyFunction, ...args: unknown[]): unknown {
    return withStores(new Map([...current].filter(([key]) => key !== this)), () => fn(...args));
  }

  enterWith(store: unknown): void {
    current = new Map([...current, [this, store]]);
  }

  disable(): void {
    current = new Map([...current].filter(([key]) => key !== this));
  }
}

class AsyncResource {
  readonly type: string;
  readonly #stores = current;

  constructor(type: string) {
    this.type = type;
  }

  static bind(fn: AnyFunction): AnyFunction {
    return bindStores(fn);
  }

  runInAsyncScope(fn: AnyFunction, self?: unknown, ...args: unknown[]): unknown {
    return withStores(this.#stores, () => fn.apply(self, args));
  }

  bind(fn: AnyFunction): AnyFunction {
    return (...args) => this.runInAsyncScope(fn, undefined, ...args);
  }

  emitDestroy(): this {
    return this;
  }

  asyncId(): number {
    return 1;
  }

  triggerAsyncId(): number {
    return 0;
  }
}

const patched = Symbol.for("tabwright.asyncHooks");

/** Promise handlers given to `then` keep the stores. Done only when a program asks for async_hooks. */
function keepStoresInPromises(): void {
  const prototype = Promise.prototype as unknown as Dict & { [patched]?: boolean };
  if (prototype[patched]) return;
  const then = prototype["then"] as AnyFunction;
  const bind = (handler: unknown): unknown => (typeof handler === "function" ? bindStores(handler as AnyFunction) : handler);
  Object.defineProperty(prototype, "then", {
    value(this: unknown, onValue: unknown, onError: unknown) {
      return then.call(this, bind(onValue), bind(onError));
    }, writable: true, configurable: true,
  });
  Object.defineProperty(prototype, patched, { value: true });
}

export function createAsyncHooks(runtime: Runtime): Dict {
  if (runtime.host.ownsRealm) keepStoresInPromises();
  const hook = { enable: () => hook, disable: () => hook };
  return { AsyncLocalStorage, AsyncResource, createHook: () => hook, executionAsyncId: () => 1, triggerAsyncId: () => 0, executionAsyncResource: () => ({}) };
}
