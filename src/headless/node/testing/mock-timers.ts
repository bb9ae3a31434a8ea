// `mock.timers`: setTimeout, setInterval, setImmediate and Date that move only when told to.
import { invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import { timerOverrides } from "../builtins/timers.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

type Api = "setTimeout" | "setInterval" | "setImmediate" | "Date";
const APIS: readonly Api[] = ["setTimeout", "setInterval", "setImmediate", "Date"];

interface Entry {
  readonly id: number;
  readonly order: number;
  readonly callback: AnyFunction;
  readonly args: readonly unknown[];
  readonly everyMs: number | undefined;
  atMs: number;
}

export class MockTimers {
  readonly #runtime: Runtime;
  #nowMs = 0;
  #order = 0;
  #entries: Entry[] = [];
  readonly #undo: (() => void)[] = [];
  #enabled = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  enable(options: { apis?: readonly string[]; now?: number | Date } = {}): void {
    if (this.#enabled) throw nodeError(Error, "ERR_INVALID_STATE", "Invalid state: MockTimers is already enabled!");
    const { apis = APIS, now = 0 } = Array.isArray(options) ? { apis: options as readonly string[] } : options;
    for (const api of apis) if (!APIS.includes(api as Api)) throw invalidArgValue("options.apis", api, `option ${api} is not supported`);
    const start = now instanceof Date ? now.getTime() : now;
    if (typeof start !== "number" || start < 0) throw invalidArgValue("now", now, "epoch must be a positive integer received");
    this.#enabled = true;
    this.#nowMs = start;
    this.#runtime.process.emitWarning("The MockTimers API is an experimental feature and might change at any time", "ExperimentalWarning");
    const overrides = timerOverrides(this.#runtime);
    const replace = (target: Dict, name: string, value: unknown): void => {
      const before = target[name];
      target[name] = value;
      this.#undo.push(() => {
        target[name] = before;
      });
    };
    const global = this.#runtime.realm.global as Dict;
    const cancel = (handle: unknown): void => {
      const id = typeof handle === "object" && handle !== null ? (handle as { id?: number }).id : Number(handle);
      this.#entries = this.#entries.filter((entry) => entry.id !== id);
    };
    for (const api of apis as readonly Api[]) {
      if (api === "Date") {
        replace(global, "Date", this.#makeDate());
        continue;
      }
      const clear = api.replace("set", "clear");
      const set = (callback: AnyFunction, ...rest: unknown[]): object =>
        api === "setImmediate" ? this.#add(callback, -1, rest, false) : this.#add(callback, Math.max(1, Number(rest[0]) || 1), rest.slice(1), api === "setInterval");
      overrides.set(api, set as AnyFunction);
      overrides.set(clear, cancel);
      this.#undo.push(() => {
        overrides.delete(api);
        overrides.delete(clear);
      });
    }
  }

  #add(callback: AnyFunction, afterMs: number, args: readonly unknown[], repeat: boolean): object {
    if (typeof callback !== "function") throw invalidArgType("callback", "function", callback);
    const id = ++this.#order;
    this.#entries.push({ id, order: id, callback, args, everyMs: repeat ? afterMs : undefined, atMs: this.#nowMs + afterMs });
    const handle = { id, ref: () => handle, unref: () => handle, hasRef: () => true, refresh: () => handle, [Symbol.toPrimitive]: () => id };
    return handle;
  }

  #makeDate(): unknown {
    const now = (): number => this.#nowMs;
    const Real = Date;
    class MockDate extends Real {
      constructor(...args: unknown[]) {
        if (args.length === 0) super(now());
        else super(...(args as [number]));
      }

      static override now(): number {
        return now();
      }
    }
    Object.defineProperty(MockDate, "name", { value: "Date" });
    return MockDate;
  }

  #need(): void {
    if (!this.#enabled) throw nodeError(Error, "ERR_INVALID_STATE", "Invalid state: You should enable MockTimers first by calling the .enable function");
  }

  tick(ms = 1): void {
    this.#need();
    if (ms < 0) throw invalidArgValue("time", "positive integer", String(ms));
    const until = this.#nowMs + ms;
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      if (next.everyMs === undefined) this.#entries = this.#entries.filter((entry) => entry !== next);
      else next.atMs += next.everyMs;
      next.callback(...next.args);
    }
    this.#nowMs = until;
  }

  #next(untilMs: number): Entry | undefined {
    const due = this.#entries.filter((entry) => entry.atMs <= untilMs);
    return due.sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  }

  runAll(): void {
    this.#need();
    const last = this.#entries.reduce((latest, entry) => Math.max(latest, entry.atMs), this.#nowMs);
    this.tick(last - this.#nowMs);
  }

  setTime(ms = 0): void {
    this.#need();
    this.#nowMs = ms;
  }

  reset(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
    this.#entries = [];
    this.#enabled = false;
    this.#nowMs = 0;
  }

  [Symbol.for("Symbol.dispose")](): void {
    this.reset();
  }
}
