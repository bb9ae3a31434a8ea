// What the hooks of node:async_hooks are told: which resources begin, when their callbacks run, and when they are done.
// Nothing here runs for a program without hooks: the loop's `watch` is set while one is enabled, and not before.
// Told of: timers, immediates, ticks, microtasks, file operations, handles, `AsyncResource`s, promises that are made by
// `new Promise`, its statics and `then`, and each `await` as a promise of its own. Not told of: the promise that an async
// function returns, and promises that the engine makes inside itself.
import { inspect } from "node-inspect-extracted";
import { ExitSignal } from "../errors.ts";
import type { EventLoop } from "../event-loop.ts";
import type { LoopWatch, Watched } from "../loop-watch.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

export interface HookCallbacks {
  readonly init?: AnyFunction;
  readonly before?: AnyFunction;
  readonly after?: AnyFunction;
  readonly destroy?: AnyFunction;
  readonly promiseResolve?: AnyFunction;
}

/** Of a resource; it lies in the scope of its callbacks. */
export interface AsyncRecord {
  readonly id: number;
  readonly trigger: number;
  readonly resource: object;
}

/** Where the scope has the record of the resource whose callback runs. */
const CURRENT = {};
/** The main program; callbacks of the loop that belong to no resource have 0. */
const MAIN_ID = 1;

type Scope = EventLoop["scope"];

const NativePromise = Promise;
const nativeQueueMicrotask = globalThis.queueMicrotask.bind(globalThis);

export class AsyncWatch implements LoopWatch {
  readonly #runtime: Runtime;
  /** Replaced on every change: who goes through it sees it as it was. */
  #enabled: readonly HookCallbacks[] = [];
  readonly #promises = new WeakMap<object, AsyncRecord>();
  readonly #resolved = new WeakSet<object>();
  /** Of an `await` that goes on: it ends where the next callback begins. */
  #resumed: AsyncRecord | undefined;
  #ids = MAIN_ID;
  #unowned = { callbacks: -1, resource: {} };
  #unwatch: (() => void) | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    runtime.atEnd(() => this.#unwatch?.());
  }

  enable(hook: HookCallbacks): void {
    if (!this.#enabled.includes(hook)) this.#enabled = [...this.#enabled, hook];
    const { loop } = this.#runtime;
    loop.watch = this;
    this.#unwatch ??= this.#watchPromises();
  }

  disable(hook: HookCallbacks): void {
    this.#enabled = this.#enabled.filter((each) => each !== hook);
    if (this.#enabled.length > 0) return;
    this.#runtime.loop.watch = undefined;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  hasInit(): boolean {
    return this.#enabled.some(({ init }) => init !== undefined);
  }

  current(): AsyncRecord | undefined {
    return this.#runtime.loop.scope.get(CURRENT) as AsyncRecord | undefined;
  }

  executionId(): number {
    return this.current()?.id ?? (this.#runtime.loop.callbacks <= 1 ? MAIN_ID : 0);
  }

  /** Outside of any resource: one object for each callback of the loop. */
  executionResource(): object {
    const record = this.current();
    if (record) return record.resource;
    const { callbacks } = this.#runtime.loop;
    if (this.#unowned.callbacks !== callbacks) this.#unowned = { callbacks, resource: {} };
    return this.#unowned.resource;
  }

  record(resource: object, trigger = this.executionId()): AsyncRecord {
    return { id: ++this.#ids, trigger, resource };
  }

  scopeOf(record: AsyncRecord, scope: Scope = this.#runtime.loop.scope): Scope {
    return new Map([...scope, [CURRENT, record]]);
  }

  /** What a hook throws ends the process. */
  emit(event: keyof HookCallbacks, id: number, ...args: unknown[]): void {
    for (const hook of this.#enabled) {
      try {
        hook[event]?.(id, ...args);
      } catch (error) {
        if (error instanceof ExitSignal) throw error;
        this.#runtime.complain(`${error instanceof Error ? error.stack : new Error(typeof error === "symbol" ? String(error) : inspect(error)).stack}\n`);
        this.#runtime.end(1);
      }
    }
  }

  before({ id }: AsyncRecord): void {
    const resumed = this.#resumed;
    this.#resumed = undefined;
    if (resumed) this.emit("after", resumed.id);
    this.emit("before", id);
  }

  after({ id }: AsyncRecord): void {
    this.#endResumed();
    this.emit("after", id);
  }

  begin(type: string, resource: object): Watched {
    const record = this.record(resource);
    this.emit("init", record.id, type, record.trigger, resource);
    const scope = this.scopeOf(record);
    let ended = false;
    return {
      run: (callback) => {
        this.#runtime.loop.scope = scope;
        this.before(record);
        try {
          callback();
        } finally {
          this.after(record);
        }
      },
      end: () => {
        if (!ended) this.destroy(record);
        ended = true;
      },
    };
  }

  /** Told in a callback of its own, as in Node. */
  destroy({ id }: AsyncRecord): void {
    if (this.#enabled.some(({ destroy }) => destroy)) this.#runtime.loop.post(() => this.emit("destroy", id));
  }

  /** One that was made before anyone watched has its record when it is first needed. */
  #recordOf(promise: object): AsyncRecord {
    const known = this.#promises.get(promise) ?? this.record(promise, 0);
    this.#promises.set(promise, known);
    return known;
  }

  #initPromise(promise: object, parent?: object): AsyncRecord {
    const record = this.record(promise, parent && this.#recordOf(parent).id);
    this.#promises.set(promise, record);
    this.emit("init", record.id, "PROMISE", record.trigger, promise);
    return record;
  }

  made(parent: object, made: object): void {
    if (!this.#promises.has(made)) this.#initPromise(made, parent);
  }

  job(made: object, scope: Scope, run: () => unknown): unknown {
    const record = this.#recordOf(made);
    return this.#runtime.loop.within(this.scopeOf(record, scope), () => {
      this.before(record);
      try {
        return run();
      } finally {
        this.afterJob(made);
      }
    });
  }

  afterJob(made: object): void {
    const record = this.#recordOf(made);
    this.#tellResolved(record);
    this.after(record);
  }

  /** Once for each. */
  #tellResolved({ id, resource }: AsyncRecord): void {
    if (this.#resolved.has(resource)) return;
    this.#resolved.add(resource);
    this.emit("promiseResolve", id);
  }

  suspend(): Scope {
    // The engine's own promise of an `await` is out of reach; this one stands for it.
    const record = this.#initPromise(new NativePromise(() => undefined));
    this.#endResumed();
    return this.scopeOf(record);
  }

  resume(scope: Scope): void {
    const record = scope.get(CURRENT) as AsyncRecord | undefined;
    if (!record || this.#promises.get(record.resource) !== record) return;
    this.before(record);
    this.#resumed = record;
    nativeQueueMicrotask(() => this.#resumed === record && this.#endResumed());
  }

  #endResumed(): void {
    const record = this.#resumed;
    this.#resumed = undefined;
    if (record) this.emit("after", record.id);
  }

  /** Puts a `Promise` that tells of what it makes in the place of the global one. Returns what ends that. */
  #watchPromises(): () => void {
    const global = this.#runtime.realm.global as Dict;
    const Real = global["Promise"] as PromiseConstructor;
    const statics = new Map<PropertyKey, unknown>();
    const told = (made: unknown, settled: boolean): unknown => {
      const { watch } = this.#runtime.loop;
      if (!watch || !(made instanceof NativePromise) || this.#promises.has(made)) return made;
      const record = this.#initPromise(made);
      if (settled) this.#tellResolved(record);
      return made;
    };
    const Watching: PromiseConstructor = new Proxy(Real, {
      construct: (target, args: unknown[], newTarget) => {
        const [executor] = args;
        const made = newTarget === Watching ? target : newTarget;
        if (typeof executor !== "function") return Reflect.construct(target, args, made) as object;
        let settle: AnyFunction[] = [];
        const promise = Reflect.construct(target, [(...both: AnyFunction[]) => (settle = both)], made) as object;
        const record = this.#initPromise(promise);
        const settled = settle.map((each) => (value: unknown) => {
          this.#tellResolved(record);
          each(value);
        });
        try {
          (executor as AnyFunction)(...settled);
        } catch (error) {
          (settled[1] as AnyFunction)(error);
        }
        return promise;
      },
      get: (target, key, receiver) => {
        const value = Reflect.get(target, key, receiver) as unknown;
        if (typeof value !== "function" || typeof key === "symbol" || key === "prototype") return value;
        const known = statics.get(key);
        if (known) return known;
        const call = { [key](this: unknown, ...args: unknown[]): unknown {
          return told(Reflect.apply(value, this === Watching ? target : this, args), key === "resolve" || key === "reject");
        } }[key as string];
        statics.set(key, call);
        return call;
      },
    });
    global["Promise"] = Watching;
    return () => {
      if (global["Promise"] === Watching) global["Promise"] = Real;
    };
  }
}
