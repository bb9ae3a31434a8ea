// `mock.timers`: timers, their promises, scheduler.wait and Date that move only when told to. As in Node 20 a tick moves
// the clock first and then runs what is due, so callbacks all see the time at the tick's end.
import { abortError, invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import { timerOverrides } from "../builtins/timers.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

type Api = "setTimeout" | "setInterval" | "setImmediate" | "Date" | "scheduler.wait";
const APIS: readonly Api[] = ["setTimeout", "setInterval", "setImmediate", "Date", "scheduler.wait"];
const MAX_DELAY_MS = 2 ** 31 - 1;
/** An immediate is due before every timer. */
const IMMEDIATE_MS = -1;

/** Processes that have been told once. */
const warned = new WeakSet<Runtime>();

interface Entry {
  readonly id: number;
  readonly callback: AnyFunction;
  readonly args: readonly unknown[];
  readonly everyMs: number | undefined;
  atMs: number;
}

interface WaitOptions {
  readonly signal?: AbortSignal;
}

/** What the mocked functions return. */
class MockTimer {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  hasRef(): boolean {
    return true;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  refresh(): this {
    return this;
  }

  [Symbol.toPrimitive](): number {
    return this.id;
  }
}

export class MockTimers {
  readonly #runtime: Runtime;
  #nowMs = 0;
  #lastId = 0;
  #entries: Entry[] = [];
  readonly #undo: (() => void)[] = [];
  #enabled = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    if (warned.has(runtime)) return;
    warned.add(runtime);
    runtime.process.emitWarning("The MockTimers API is an experimental feature and might change at any time", "ExperimentalWarning");
  }

  enable(options: { apis?: unknown; now?: unknown } = {}): void {
    if (this.#enabled) throw invalidState("MockTimers is already enabled!");
    const { apis = APIS, now } = options;
    if (Number.isNaN(now)) throw invalidArgValue("now", now, "epoch must be a positive integer received NaN");
    if (!Array.isArray(apis)) throw invalidArgType("options.apis", "Array", apis);
    for (const [k, api] of apis.entries()) if (typeof api !== "string") throw invalidArgType(`options.apis[${k}]`, "string", api);
    for (const api of apis) if (!APIS.includes(api as Api)) throw invalidArgValue("options.apis", api, `option ${String(api)} is not supported`);
    const start = isDate(now) ? now.getTime() : (now ?? 0);
    if (typeof start !== "number") throw invalidArgType("initialTime", "number", start);
    checkTime(start);
    this.#enabled = true;
    this.#nowMs = start;
    for (const api of apis as readonly Api[]) this.#replace(api);
  }

  #replace(api: Api): void {
    const overrides = timerOverrides(this.#runtime);
    const put = (name: string, mocked: unknown): void => {
      overrides.set(name, mocked as AnyFunction);
      this.#undo.push(() => overrides.delete(name));
    };
    const start = (repeat: boolean) => (callback: AnyFunction, delay: unknown, ...args: unknown[]) => this.#add(callback, delay, args, repeat);
    const cancel = (handle: unknown): void => {
      const id = handle instanceof MockTimer ? handle.id : undefined;
      this.#entries = this.#entries.filter((entry) => entry.id !== id);
    };
    switch (api) {
      case "setTimeout":
        put("setTimeout", start(false));
        put("clearTimeout", cancel);
        put("promises.setTimeout", (delay: unknown, value: unknown, wait?: WaitOptions) => this.#wait(delay, value, wait));
        return;
      case "setInterval":
        put("setInterval", start(true));
        put("clearInterval", cancel);
        put("promises.setInterval", (delay: unknown, value: unknown, wait?: WaitOptions) => this.#everyInterval(delay, value, wait));
        return;
      case "setImmediate":
        put("setImmediate", (callback: AnyFunction, ...args: unknown[]) => this.#add(callback, IMMEDIATE_MS, args, false));
        put("clearImmediate", cancel);
        put("promises.setImmediate", (value: unknown, wait?: WaitOptions) => this.#wait(IMMEDIATE_MS, value, wait));
        return;
      case "scheduler.wait":
        put("promises.scheduler.wait", (delay: unknown, wait?: WaitOptions) => this.#wait(delay, undefined, wait));
        return;
      case "Date": {
        const global = this.#runtime.realm.global as Dict;
        const real = global["Date"] as DateConstructor & { isMock?: boolean };
        if (real.isMock === true) throw invalidState("Date is already being mocked!");
        global["Date"] = mockDate(real, () => this.#nowMs);
        this.#undo.push(() => {
          global["Date"] = real;
        });
        return;
      }
      default:
        api satisfies never;
    }
  }

  #add(callback: AnyFunction, delay: unknown, args: readonly unknown[], repeat: boolean): MockTimer {
    const asked = Number(delay);
    const delayMs = asked > MAX_DELAY_MS ? 1 : asked || 0;
    const id = ++this.#lastId;
    this.#entries.push({ id, callback, args, everyMs: repeat ? delayMs : undefined, atMs: this.#nowMs + delayMs });
    return new MockTimer(id);
  }

  #remove(id: number): void {
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
  }

  #wait(delay: unknown, value: unknown, { signal }: WaitOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal !== undefined && typeof (signal as { aborted?: unknown } | null)?.aborted !== "boolean") throw invalidArgType("options.signal", "AbortSignal", signal);
      if (signal?.aborted) {
        reject(abortError(signal));
        return;
      }
      const { id } = this.#add(() => resolve(value), delay, [], false);
      signal?.addEventListener("abort", () => {
        this.#remove(id);
        reject(abortError(signal));
      }, { once: true });
    });
  }

  async *#everyInterval(delay: unknown, value: unknown, { signal }: WaitOptions = {}): AsyncGenerator<unknown> {
    if (signal?.aborted) throw abortError(signal);
    let due = 0;
    let wake: () => void = () => undefined;
    const { id } = this.#add(() => {
      due++;
      wake();
    }, delay, [], true);
    const onAbort = (): void => wake();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        if (due > 0) {
          due--;
          yield value;
        } else if (signal?.aborted) throw abortError(signal);
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#remove(id);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #need(): void {
    if (!this.#enabled) throw invalidState("You should enable MockTimers first by calling the .enable function");
  }

  tick(ms = 1): void {
    this.#need();
    checkTime(ms);
    this.#nowMs += ms;
    for (let next = this.#due(); next; next = this.#due()) {
      Reflect.apply(next.callback, undefined, next.args);
      this.#remove(next.id);
      // As in Node 20 even an interval that its own callback has cleared goes on.
      if (next.everyMs === undefined) continue;
      next.atMs += next.everyMs;
      this.#entries.push(next);
    }
  }

  #due(): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries) if (!first || entry.atMs < first.atMs || (entry.atMs === first.atMs && entry.id < first.id)) first = entry;
    return first !== undefined && first.atMs <= this.#nowMs ? first : undefined;
  }

  runAll(): void {
    this.#need();
    if (this.#entries.length === 0) return;
    const last = Math.max(...this.#entries.map((entry) => entry.atMs));
    this.tick(Math.max(0, last - this.#nowMs));
  }

  setTime(ms: unknown = 0): void {
    if (typeof ms !== "number") throw invalidArgType("time", "number", ms);
    checkTime(ms);
    this.#need();
    this.#nowMs = ms;
  }

  reset(): void {
    if (!this.#enabled) return;
    for (const undo of this.#undo.splice(0).reverse()) undo();
    this.#entries = [];
    this.#enabled = false;
    this.#nowMs = 0;
  }
}

const { dispose } = Symbol as unknown as { dispose?: symbol };
if (dispose) Object.defineProperty(MockTimers.prototype, dispose, { value: MockTimers.prototype.reset, configurable: true, writable: true });

function invalidState(message: string): Error {
  return nodeError(Error, "ERR_INVALID_STATE", `Invalid state: ${message}`);
}

function checkTime(ms: number): void {
  if (ms < 0) throw invalidArgValue("time", "positive integer", String(ms));
}

function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === "[object Date]";
}

/** A Date whose present is the mock's; every other way to make one is the real class's. */
function mockDate(Real: DateConstructor, now: () => number): DateConstructor {
  function MockDate(...args: unknown[]): string | Date {
    if (!new.target) return new Real(now()).toString();
    return args.length === 0 ? new Real(now()) : new Real(...(args as [number]));
  }
  const { prototype: _, ...statics } = Object.getOwnPropertyDescriptors(Real);
  Object.defineProperties(MockDate, statics as PropertyDescriptorMap);
  Object.assign(MockDate, { now: Object.defineProperty(now, "name", { value: "now" }), toString: () => Function.prototype.toString.call(Real) });
  MockDate.prototype = Real.prototype;
  Object.defineProperty(MockDate, "isMock", { value: true, enumerable: true });
  return MockDate as unknown as DateConstructor;
}
