// node:async_hooks. Stores travel with the loop's scope: through timers, ticks and file callbacks by the loop itself,
// through promise handlers by `then` (replaced here, when a program first asks for this module), and through `await` by
// the loader's edits (loader/async-scope.ts).
import { checkFunction, checkString, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { type AsyncRecord, AsyncWatch, type HookCallbacks } from "./async-watch.ts";
import { keepScopesInPromises } from "./promise-scope.ts";

export function createAsyncHooks(runtime: Runtime): Dict {
  const { loop } = runtime;
  loop.keepsScopes = true;
  runtime.atEnd(keepScopesInPromises(loop));
  const watch = new AsyncWatch(runtime);

  class AsyncLocalStorage {
    readonly #defaultValue: unknown;
    readonly name: string;

    constructor(options: { defaultValue?: unknown; name?: string } = {}) {
      this.#defaultValue = options.defaultValue;
      this.name = options.name ?? "";
      Object.defineProperty(this, "name", { enumerable: false });
    }

    static bind(fn: AnyFunction): AnyFunction {
      return AsyncResource.bind(fn);
    }

    static snapshot(): (fn: AnyFunction, ...args: unknown[]) => unknown {
      const { scope } = loop;
      return (fn, ...args) => loop.within(scope, () => fn(...args));
    }

    getStore(): unknown {
      return loop.scope.has(this) ? loop.scope.get(this) : this.#defaultValue;
    }

    run(store: unknown, fn: AnyFunction, ...args: unknown[]): unknown {
      // Not `within`: programs nest these deeply, and each frame of ours is one of theirs less.
      const outer = loop.scope;
      loop.scope = new Map([...outer, [this, store]]);
      try {
        return Reflect.apply(fn, null, args);
      } finally {
        loop.scope = outer;
      }
    }

    exit(fn: AnyFunction, ...args: unknown[]): unknown {
      return loop.within(this.#without(), () => Reflect.apply(fn, null, args));
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
    readonly #scope: ReadonlyMap<object, unknown>;
    readonly #record: AsyncRecord;

    constructor(type: string, options: number | { triggerAsyncId?: number } = {}) {
      checkString(type, "type");
      const trigger = (typeof options === "number" ? options : options.triggerAsyncId) ?? watch.executionId();
      if (!Number.isSafeInteger(trigger) || trigger < -1) throw nodeError(RangeError, "ERR_INVALID_ASYNC_ID", `Invalid triggerAsyncId value: ${trigger}`);
      if (type === "" && watch.hasInit()) throw nodeError(TypeError, "ERR_ASYNC_TYPE", `Invalid name for async "type": ${type}`);
      this.#record = watch.record(this, trigger);
      this.#scope = watch.scopeOf(this.#record);
      watch.emit("init", this.#record.id, type, trigger, this);
    }

    static bind(fn: AnyFunction, type?: string, self?: unknown): AnyFunction {
      return new AsyncResource(type ?? (fn.name || "bound-anonymous-fn")).bind(fn, self);
    }

    runInAsyncScope(fn: AnyFunction, self?: unknown, ...args: unknown[]): unknown {
      const outer = loop.scope;
      loop.scope = this.#scope;
      watch.before(this.#record);
      try {
        return Reflect.apply(fn, self, args);
      } finally {
        watch.after(this.#record);
        loop.scope = outer;
      }
    }

    bind(fn: AnyFunction, self?: unknown): AnyFunction {
      checkFunction(fn, "fn");
      // oxlint-disable-next-line no-this-alias -- the bound function has a `this` of its own
      const resource = this;
      const bound = function (this: unknown, ...args: unknown[]): unknown {
        return resource.runInAsyncScope(fn, self === undefined ? this : self, ...args);
      };
      return Object.defineProperties(bound, { length: { value: fn.length, configurable: true }, asyncResource: { value: this, configurable: true, enumerable: true, writable: true } });
    }

    emitDestroy(): this {
      watch.destroy(this.#record);
      return this;
    }

    asyncId(): number {
      return this.#record.id;
    }

    triggerAsyncId(): number {
      return this.#record.trigger;
    }
  }

  const createHook = (callbacks: HookCallbacks): object => {
    for (const name of ["init", "before", "after", "destroy", "promiseResolve"] as const) {
      const given = (callbacks as Dict)[name];
      if (given !== undefined && typeof given !== "function") throw nodeError(TypeError, "ERR_ASYNC_CALLBACK", `hook.${name} must be a function`);
    }
    const hook = {
      enable: () => {
        watch.enable(callbacks);
        return hook;
      },
      disable: () => {
        watch.disable(callbacks);
        return hook;
      },
    };
    return hook;
  };
  return {
    AsyncLocalStorage, AsyncResource, createHook, executionAsyncId: () => watch.executionId(), triggerAsyncId: () => watch.current()?.trigger ?? 0,
    executionAsyncResource: () => watch.executionResource(),
  };
}
