// assert.CallTracker: functions that must be called a number of times.
import { invalidArgType, invalidArgValue, outOfRange } from "../errors.ts";
import type { AnyFunction } from "../runtime.ts";
import { AssertionError } from "./assertion-error.ts";

interface Call {
  readonly thisArg: unknown;
  readonly arguments: readonly unknown[];
}
interface Tracked {
  readonly name: string;
  readonly expected: number;
  readonly stack: Error;
  calls: Call[];
}
interface Report {
  readonly message: string;
  readonly actual: number;
  readonly expected: number;
  readonly operator: string;
  readonly stack: Error;
}

const nothing = (): void => undefined;

export class CallTracker {
  readonly #tracked = new Map<unknown, Tracked>();

  calls(given?: unknown, times: unknown = 1): AnyFunction {
    const [fn, expected] = typeof given === "number" ? [nothing, given] : [given === undefined ? nothing : given, times];
    if (typeof fn !== "function") throw invalidArgType("fn", "function", fn);
    if (typeof expected !== "number") throw invalidArgType("expected", "number", expected);
    if (!Number.isInteger(expected) || expected < 1) throw outOfRange("expected", Number.isInteger(expected) ? ">= 1 && <= 4294967295" : "an integer", expected);
    const tracked: Tracked = { name: fn.name || "calls", expected, stack: new Error(), calls: [] };
    const wrapped = function (this: unknown, ...args: unknown[]): unknown {
      tracked.calls.push(Object.freeze({ thisArg: this, arguments: Object.freeze(args) }));
      return Reflect.apply(fn, this, args) as unknown;
    };
    Object.defineProperty(wrapped, "length", { value: fn.length, configurable: true });
    Object.defineProperty(wrapped, "name", { value: fn.name, configurable: true });
    this.#tracked.set(wrapped, tracked);
    return wrapped;
  }

  #of(fn: unknown): Tracked {
    const tracked = this.#tracked.get(fn);
    if (!tracked) throw invalidArgValue("tracked", fn, "is not a tracked function");
    return tracked;
  }

  getCalls(fn: unknown): readonly Call[] {
    return Object.freeze(this.#of(fn).calls.slice());
  }

  reset(fn?: unknown): void {
    for (const tracked of fn === undefined ? this.#tracked.values() : [this.#of(fn)]) tracked.calls = [];
  }

  report(): Report[] {
    return [...this.#tracked.values()].filter(({ calls, expected }) => calls.length !== expected).map(({ name, calls, expected, stack }) => ({
      message: `Expected the ${name} function to be executed ${expected} time(s) but was executed ${calls.length} time(s).`, actual: calls.length, expected, operator: name, stack,
    }));
  }

  verify(): void {
    const reports = this.report();
    const [first] = reports;
    if (!first) return;
    const error = new AssertionError({ message: reports.length === 1 ? first.message : "Functions were not called the expected number of times", operator: undefined } as never);
    for (const [k, report] of reports.entries()) Object.assign(error, { [`message ${k}`]: report.message, [`actual ${k}`]: report.actual, [`expected ${k}`]: report.expected, [`operator ${k}`]: report.operator, [`stack trace ${k}`]: report.stack });
    throw error;
  }
}
