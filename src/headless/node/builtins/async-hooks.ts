// node:async_hooks. Stores travel with the loop's scope: through timers, ticks and file callbacks by the loop itself,
// through promise handlers by `then` (replaced here, when a program first asks for this module), and through `await` by
// the loader's edits (loader/async-scope.ts).
import { checkFunction, checkString, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { keepScopesInPromises } from "./promise-scope.ts";

interface HookCallbacks {
  readonly init?: AnyFunction;
  readonly before?: AnyFunction;
  readonly after?: AnyFunction;
  readonly destroy?: AnyFunction;
}

/** Where `executionAsyncId` finds the resource whose callback runs. */
const currentResource = {};
/** The main program; callbacks of the loop come after it. */
const MAIN_ID = 1;

export function createAsyncHooks(runtime: Runtime): Dict {
  const { loop } = runtime;
  loop.keepsScopes = true;
  runtime.atEnd(keepScopesInPromises(loop));
  const hooks = new Set<HookCallbacks>();
  let ids = MAIN_ID;
  const emit = (event: keyof HookCallbacks, ...args: unknown[]): void => {
    for (const hook of hooks) hook[event]?.(...args);
  };
  const current = (): AsyncResource | undefined => loop.scope.get(currentResource) as AsyncResource | undefined;
  const executionAsyncId = (): number => current()?.asyncId() ?? (loop.callbacks <= 1 ? MAIN_ID : 0);

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
    readonly #id: number;
    readonly #trigger: number;

    constructor(type: string, options: number | { triggerAsyncId?: number } = {}) {
      checkString(type, "type");
      this.#trigger = (typeof options === "number" ? options : options.triggerAsyncId) ?? executionAsyncId();
      this.#id = ++ids;
      this.#scope = new Map([...loop.scope, [currentResource, this]]);
      emit("init", this.#id, type, this.#trigger, this);
    }

    static bind(fn: AnyFunction, type?: string, self?: unknown): AnyFunction {
      return new AsyncResource(type ?? (fn.name || "bound-anonymous-fn")).bind(fn, self);
    }

    runInAsyncScope(fn: AnyFunction, self?: unknown, ...args: unknown[]): unknown {
      const outer = loop.scope;
      emit("before", this.#id);
      loop.scope = this.#scope;
      try {
        return Reflect.apply(fn, self, args);
      } finally {
        loop.scope = outer;
        emit("after", this.#id);
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
      emit("destroy", this.#id);
      return this;
    }

    asyncId(): number {
      return this.#id;
    }

    triggerAsyncId(): number {
      return this.#trigger;
    }
  }

  /** Tells of resources that programs make (`AsyncResource`); the engine's own are not seen. */
  const createHook = (callbacks: HookCallbacks): object => {
    for (const name of ["init", "before", "after", "destroy", "promiseResolve"] as const) {
      const given = (callbacks as Dict)[name];
      if (given !== undefined && typeof given !== "function") throw nodeError(TypeError, "ERR_ASYNC_CALLBACK", `hook.${name} must be a function`);
    }
    const hook = {
      enable: () => {
        hooks.add(callbacks);
        return hook;
      },
      disable: () => {
        hooks.delete(callbacks);
        return hook;
      },
    };
    return hook;
  };
  const triggerAsyncId = (): number => current()?.triggerAsyncId() ?? 0;
  return { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId, triggerAsyncId, executionAsyncResource: () => current() ?? {} };
}
