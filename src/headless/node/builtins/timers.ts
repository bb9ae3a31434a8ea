// node:timers and node:timers/promises on the process's own event loop.
import { abortError, checkFunction, nodeError } from "../errors.ts";
import type { LoopImmediate, LoopTimer } from "../event-loop.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { createItemTimers, MAX_DELAY_MS, warnOfOverflow } from "./timer-items.ts";

const timersOf = new WeakMap<Runtime, Dict>();

/** Timers that a program has put in place of the real ones (`mock.timers`), by function name. */
const overridesOf = new WeakMap<Runtime, Map<string, AnyFunction>>();

export function timerOverrides(runtime: Runtime): Map<string, AnyFunction> {
  const known = overridesOf.get(runtime) ?? new Map<string, AnyFunction>();
  overridesOf.set(runtime, known);
  return known;
}

const realSetTimeout = new WeakMap<Runtime, AnyFunction>();

/** The real setTimeout of the process, whatever the program has mocked. */
export function startTimer(runtime: Runtime, callback: () => void, delayMs: number): { unref(): void; close(): void } {
  createTimers(runtime);
  return (realSetTimeout.get(runtime) as AnyFunction)(callback, delayMs) as { unref(): void; close(): void };
}

export function createTimers(runtime: Runtime): Dict {
  const known = timersOf.get(runtime);
  if (known) return known;
  const { loop } = runtime;
  const byNumber = new Map<number, Timeout>();
  let numbers = 0;

  class Timeout {
    // Programs end a timer by these as well: below zero, or null.
    _idleTimeout: number;
    _onTimeout: AnyFunction | null;
    _repeat: number | null;
    readonly #timer: LoopTimer;
    readonly #args: unknown[];
    readonly #scope = loop.scope;
    readonly #watched = loop.watch?.begin("Timeout", this);
    #number: number | undefined;

    constructor(callback: AnyFunction, delay: unknown, args: unknown[], repeat: boolean) {
      const asked = Number(delay);
      const delayMs = asked >= 1 && asked <= MAX_DELAY_MS ? Math.trunc(asked) : 1;
      if (asked > MAX_DELAY_MS) warnOfOverflow(runtime, asked, 1);
      this._idleTimeout = delayMs;
      this._onTimeout = callback;
      this._repeat = repeat ? delayMs : null;
      this.#args = args;
      this.#timer = { dueMs: 0, order: 0, active: false, referenced: true, fire: () => this.#fire() };
      loop.startTimer(this.#timer, delayMs);
    }

    #fire(): void {
      loop.scope = this.#scope;
      const call = (): void => {
        if (this._onTimeout) Reflect.apply(this._onTimeout, this, this.#args);
      };
      try {
        if (this.#watched) this.#watched.run(call);
        else call();
      } finally {
        if (this._repeat && this._onTimeout && this._idleTimeout >= 0 && !this.#closed && !this.#timer.active) loop.startTimer(this.#timer, this._repeat);
        else if (!this.#timer.active) this.#end();
      }
    }

    #closed = false;

    #end(): void {
      if (this.#number !== undefined) byNumber.delete(this.#number);
      this.#watched?.end();
    }

    get _destroyed(): boolean {
      return this.#closed || !this.#timer.active;
    }

    // Programs bind these to anything.
    ref(): this {
      if (#timer in this) this.#timer.referenced = true;
      loop.poke();
      return this;
    }

    unref(): this {
      if (#timer in this) this.#timer.referenced = false;
      loop.poke();
      return this;
    }

    hasRef(): boolean {
      return this.#timer.referenced;
    }

    refresh(): this {
      if (!this.#closed) loop.startTimer(this.#timer, this._idleTimeout);
      return this;
    }

    close(): this {
      this.#closed = true;
      loop.stopTimer(this.#timer);
      this.#end();
      return this;
    }

    [Symbol.toPrimitive](): number {
      if (this.#number === undefined) {
        this.#number = ++numbers;
        byNumber.set(this.#number, this);
      }
      return this.#number;
    }

    [Symbol.for("nodejs.util.inspect.custom")](): string {
      return `Timeout { _idleTimeout: ${this._idleTimeout}, _repeat: ${this._repeat}, _destroyed: ${this._destroyed} }`;
    }
  }

  class Immediate {
    readonly #entry: LoopImmediate;
    readonly #watched = loop.watch?.begin("Immediate", this);

    constructor(callback: AnyFunction, args: unknown[]) {
      const { scope } = loop;
      this.#entry = {
        active: true, referenced: true, fire: () => {
          this.#entry.active = false;
          loop.scope = scope;
          const call = (): unknown => Reflect.apply(callback, this, args);
          if (this.#watched) this.#watched.run(call);
          else call();
          this.#watched?.end();
        },
      };
      loop.addImmediate(this.#entry);
    }

    ref(): this {
      this.#entry.referenced = true;
      loop.poke();
      return this;
    }

    unref(): this {
      this.#entry.referenced = false;
      loop.poke();
      return this;
    }

    hasRef(): boolean {
      return this.#entry.referenced;
    }

    get _destroyed(): boolean {
      return !this.#entry.active;
    }

    close(): void {
      this.#entry.active = false;
      this.#watched?.end();
      loop.poke();
    }
  }

  for (const [holder, method] of [[Timeout, "close"], [Immediate, "close"]] as const) {
    const { dispose } = Symbol as unknown as { dispose?: symbol };
    if (dispose) Object.defineProperty(holder.prototype, dispose, { value: (holder.prototype as unknown as Dict)[method], configurable: true, writable: true });
  }

  const clear = (handle: unknown): void => {
    if (handle instanceof Timeout || handle instanceof Immediate) handle.close();
    else if (typeof handle === "number" || typeof handle === "string") byNumber.get(Number(handle))?.close();
  };
  const checked = (callback: unknown): AnyFunction => {
    checkFunction(callback, "callback");
    return callback as AnyFunction;
  };
  const timers: Dict = {
    setTimeout: (callback: unknown, delay?: unknown, ...args: unknown[]) => new Timeout(checked(callback), delay, args, false),
    setInterval: (callback: unknown, delay?: unknown, ...args: unknown[]) => new Timeout(checked(callback), delay, args, true),
    setImmediate: (callback: unknown, ...args: unknown[]) => new Immediate(checked(callback), args),
    clearTimeout: clear, clearInterval: clear, clearImmediate: clear,
  };
  realSetTimeout.set(runtime, timers["setTimeout"] as AnyFunction);
  const overrides = timerOverrides(runtime);
  for (const [name, real] of Object.entries(timers) as [string, AnyFunction][]) {
    timers[name] = Object.defineProperty((...args: unknown[]) => (overrides.get(name) ?? real)(...args), "name", { value: name });
  }
  const promises = overridable(createTimersPromises(timers), overrides);
  timers["promises"] = { ...promises, scheduler: schedulerOf(promises["scheduler"] as Dict) };
  for (const [name, handle] of [["setTimeout", (timers["promises"] as Dict)["setTimeout"]], ["setImmediate", (timers["promises"] as Dict)["setImmediate"]]] as const) {
    Object.defineProperty(timers[name], Symbol.for("nodejs.util.promisify.custom"), { value: handle, enumerable: true });
  }
  Object.assign(timers, createItemTimers(runtime, (item) => item instanceof Timeout && item));
  timersOf.set(runtime, timers);
  return timers;
}

/** The same functions, each giving way to what a program has put in its place ("promises.setTimeout"). */
function overridable(promises: Dict, overrides: ReadonlyMap<string, AnyFunction>, path = "promises."): Dict {
  return Object.fromEntries(Object.entries(promises).map(([name, real]) => {
    if (typeof real !== "function") return [name, overridable(real as Dict, overrides, `${path}${name}.`)];
    const call = (...args: unknown[]): unknown => (overrides.get(path + name) ?? (real as AnyFunction))(...args);
    return [name, Object.defineProperty(call, "name", { value: name })];
  }));
}

interface WaitOptions {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

function createTimersPromises(timers: Dict): Dict {
  const wait = (start: (done: () => void) => unknown, value: unknown, options: WaitOptions = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { signal, ref = true } = options;
      if (signal?.aborted) {
        reject(abortError(signal));
        return;
      }
      const handle = start(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve(value);
      }) as { unref(): void };
      if (!ref) handle.unref();
      const onAbort = (): void => {
        (timers["clearTimeout"] as AnyFunction)(handle);
        reject(abortError(signal as AbortSignal));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  const setTimeout = (delay?: number, value?: unknown, options?: WaitOptions): Promise<unknown> => wait((done) => (timers["setTimeout"] as AnyFunction)(done, delay), value, options);
  const setImmediate = (value?: unknown, options?: WaitOptions): Promise<unknown> => wait((done) => (timers["setImmediate"] as AnyFunction)(done), value, options);
  async function* setInterval(delay?: number, value?: unknown, options?: WaitOptions): AsyncGenerator<unknown> {
    for (;;) yield await setTimeout(delay, value, options);
  }
  return { setTimeout, setImmediate, setInterval, scheduler: { wait: (delay: number, options?: WaitOptions) => setTimeout(delay, undefined, options), yield: () => setImmediate() } };
}

/** Of a class that nobody can make. */
function schedulerOf(methods: Dict): object {
  class Scheduler {
    constructor() {
      throw nodeError(TypeError, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
    }
  }
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(Scheduler.prototype, name, { value, writable: true, configurable: true });
  return Object.create(Scheduler.prototype) as object;
}
