// node:async_hooks: AsyncLocalStorage through timers, ticks, file callbacks and promise handlers made with `then`.
// Known limit: the engine's own `await` tells nobody, so a store is lost after an `await` inside `run` unless the
// awaited promise was made by code that keeps it.
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

const patched = Symbol.for("tabwright.asyncHooks");

/** Promise handlers given to `then` keep the stores. Done only when a program asks for async_hooks. */
function keepStoresInPromises({ loop }: Runtime): void {
  const prototype = Promise.prototype as unknown as Dict & { [patched]?: boolean };
  if (prototype[patched]) return;
  const original = prototype["then"] as AnyFunction;
  const bind = (handler: unknown): unknown => (typeof handler === "function" ? loop.bind(handler as AnyFunction) : handler);
  const replaced: PropertyDescriptorMap = {
    ["then" as string]: {
      value(this: unknown, onValue: unknown, onError: unknown) {
        return original.call(this, bind(onValue), bind(onError));
      }, writable: true, configurable: true,
    },
    [patched]: { value: true },
  };
  Object.defineProperties(prototype, replaced);
}

export function createAsyncHooks(runtime: Runtime): Dict {
  const { loop } = runtime;
  if (runtime.host.ownsRealm) keepStoresInPromises(runtime);

  class AsyncLocalStorage {
    static bind(fn: AnyFunction): AnyFunction {
      return loop.bind(fn);
    }

    static snapshot(): (fn: AnyFunction, ...args: unknown[]) => unknown {
      const { scope } = loop;
      return (fn, ...args) => loop.within(scope, () => fn(...args));
    }

    getStore(): unknown {
      return loop.scope.get(this);
    }

    run(store: unknown, fn: AnyFunction, ...args: unknown[]): unknown {
      return loop.within(new Map([...loop.scope, [this, store]]), () => fn(...args));
    }

    exit(fn: AnyFunction, ...args: unknown[]): unknown {
      return loop.within(this.#without(), () => fn(...args));
    }

    enterWith(store: unknown): void {
      loop.scope = new Map([...loop.scope, [this, store]]);
    }

    disable(): void {
      loop.scope = this.#without();
    }

    #without(): ReadonlyMap<object, unknown> {
      return new Map([...loop.scope].filter(([key]) => key !== this));
    }
  }

  class AsyncResource {
    readonly type: string;
    readonly #scope = loop.scope;

    constructor(type: string) {
      this.type = type;
    }

    static bind(fn: AnyFunction): AnyFunction {
      return loop.bind(fn);
    }

    runInAsyncScope(fn: AnyFunction, self?: unknown, ...args: unknown[]): unknown {
      return loop.within(this.#scope, () => fn.apply(self, args));
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
  const hook = { enable: () => hook, disable: () => hook };
  return { AsyncLocalStorage, AsyncResource, createHook: () => hook, executionAsyncId: () => 1, triggerAsyncId: () => 0, executionAsyncResource: () => ({}) };
}
