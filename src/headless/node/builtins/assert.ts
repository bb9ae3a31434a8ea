// node:assert and node:assert/strict.
import { inspect } from "node-inspect-extracted";
import { checkFunction, invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { AssertionError, type AssertionOptions } from "./assertion-error.ts";
import { CallTracker } from "./call-tracker.ts";
import { isDeepEqual } from "./deep-equal.ts";
import { falsyMessage } from "./assert-source.ts";
import { expectedError, matchesError } from "./assert-errors.ts";

const NOTHING_THROWN = Symbol("nothing thrown");

export function failAssertion(options: AssertionOptions): never {
  if (options.message instanceof Error) throw options.message;
  throw new AssertionError(options);
}

function needTwo(count: number): void {
  if (count < 2) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "actual" and "expected" arguments must be specified');
}

type Comparer = (actual: unknown, expected: unknown, message?: unknown) => void;

/** `operator` is also the function's name unless `name` says otherwise. */
function comparison(name: string, holds: (actual: unknown, expected: unknown) => boolean, operator = name): Comparer {
  const compare = (...args: [unknown, unknown, unknown?]): void => {
    needTwo(args.length);
    const [actual, expected, message] = args;
    if (!holds(actual, expected)) failAssertion({ actual, expected, message, operator, stackStartFn: compare });
  };
  return Object.defineProperty(compare, "name", { value: name }) as Comparer;
}

const isNaNPair = (a: unknown, b: unknown): boolean => typeof a === "number" && typeof b === "number" && Number.isNaN(a) && Number.isNaN(b);
// oxlint-disable-next-line eqeqeq -- assert.equal is defined by it
const looselyEqual = (a: unknown, b: unknown): boolean => a == b || isNaNPair(a, b);

function isPromiseLike(value: unknown): value is Promise<unknown> {
  return value instanceof Promise || (typeof value === "object" && value !== null && typeof (value as Dict)["then"] === "function" && typeof (value as Dict)["catch"] === "function");
}

function thrownBy(fn: unknown): unknown {
  checkFunction(fn, "fn");
  try {
    (fn as AnyFunction)();
  } catch (error) {
    return error;
  }
  return NOTHING_THROWN;
}

async function rejectionOf(source: unknown): Promise<unknown> {
  let promise: unknown = source;
  if (typeof source === "function") {
    promise = (source as AnyFunction)();
    if (!isPromiseLike(promise)) {
      const got = promise === undefined ? "undefined" : promise === null ? "null" : typeof promise === "object" ? `an instance of ${promise.constructor?.name}` : `type ${typeof promise} (${inspect(promise)})`;
      throw nodeError(TypeError, "ERR_INVALID_RETURN_VALUE", `Expected instance of Promise to be returned from the "promiseFn" function but got ${got}.`);
    }
  } else if (!isPromiseLike(source)) throw invalidArgType("promiseFn", ["function", "Promise"], source);
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return NOTHING_THROWN;
}

interface Caller {
  readonly fn: AnyFunction;
  readonly name: string;
  readonly noun: "exception" | "rejection";
}

function expectError(caller: Caller, actual: unknown, args: readonly unknown[]): void {
  let [error, message] = args;
  if (typeof error === "string") {
    if (args.length === 2) throw invalidArgType("error", ["Object", "Error", "Function", "RegExp"], error);
    const same = typeof actual === "object" && actual !== null ? (actual as Error).message === error : actual === error;
    if (same) {
      const what = typeof actual === "object" ? `The error message "${error}"` : `The error "${error}"`;
      throw nodeError(TypeError, "ERR_AMBIGUOUS_ARGUMENT", `The "error/message" argument is ambiguous. ${what} is identical to the message.`);
    }
    message = error;
    error = undefined;
  } else if (error != null && typeof error !== "object" && typeof error !== "function") throw invalidArgType("error", ["Object", "Error", "Function", "RegExp"], error);
  if (actual === NOTHING_THROWN) {
    const name = (error as { name?: string } | undefined)?.name;
    failAssertion({
      actual: undefined, expected: error, operator: caller.name, stackStartFn: caller.fn,
      message: `Missing expected ${caller.noun}${name ? ` (${name})` : ""}${message ? `: ${message as string}` : "."}`,
    });
  }
  if (error) expectedError(actual, error, message, caller);
}

function expectNoError(caller: Caller, actual: unknown, args: readonly unknown[]): void {
  if (actual === NOTHING_THROWN) return;
  const [error, message] = typeof args[0] === "string" ? [undefined, args[0]] : args;
  if (!error || matchesError(actual, error)) {
    failAssertion({
      actual, expected: error, operator: caller.name, stackStartFn: caller.fn,
      message: `Got unwanted ${caller.noun}${message ? `: ${message as string}` : "."}\nActual message: "${(actual as Error | undefined)?.message}"`,
    });
  }
  throw actual;
}

function matcher(name: "match" | "doesNotMatch"): AnyFunction {
  const wanted = name === "match";
  const check = (text: unknown, regexp: unknown, message?: unknown): void => {
    if (!(regexp instanceof RegExp)) throw invalidArgType("regexp", "RegExp", regexp);
    if (typeof text === "string" && (regexp.exec(text) !== null) === wanted) return;
    if (message instanceof Error) throw message;
    const said = typeof text !== "string"
      ? `The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
      : `The input ${wanted ? "did not match" : "was expected to not match"} the regular expression ${inspect(regexp)}. Input:\n\n${inspect(text)}\n`;
    const error = new AssertionError({ actual: text, expected: regexp, message: message || said, operator: name, stackStartFn: check });
    error.generatedMessage = !message;
    throw error;
  };
  return Object.defineProperty(check, "name", { value: name }) as AnyFunction;
}

export function createAssert(runtime: Runtime): Dict & AnyFunction {
  const truth = (fn: AnyFunction, args: readonly unknown[]): void => {
    const [value, message] = args;
    if (value) return;
    if (message instanceof Error) throw message;
    const generated = args.length === 0 ? "No value argument passed to `assert.ok()`" : message == null ? falsyMessage(runtime) : undefined;
    const error = new AssertionError({ actual: value, expected: true, message: generated ?? message, operator: "==", stackStartFn: fn });
    error.generatedMessage = args.length === 0 || message == null;
    throw error;
  };
  const ok = (...args: unknown[]): void => truth(ok as AnyFunction, args);
  const strict = (...args: unknown[]): void => truth(strict as AnyFunction, args);
  const errorChecks: Dict = {};
  const addErrorCheck = (name: string, noun: Caller["noun"], check: typeof expectError): void => {
    const run: AnyFunction = noun === "rejection"
      ? async (source, ...args) => check({ fn: run, name, noun }, await rejectionOf(source), args)
      : (source, ...args) => check({ fn: run, name, noun }, thrownBy(source), args);
    errorChecks[name] = Object.defineProperty(run, "name", { value: name });
  };
  addErrorCheck("throws", "exception", expectError);
  addErrorCheck("rejects", "rejection", expectError);
  addErrorCheck("doesNotThrow", "exception", expectNoError);
  addErrorCheck("doesNotReject", "rejection", expectNoError);

  const told = new Set<string>();
  const deprecated = (code: string, message: string): void => {
    if (told.has(code)) return;
    told.add(code);
    runtime.process.emitWarning(message, { type: "DeprecationWarning", code });
  };
  const fail = (...args: unknown[]): never => {
    const [actual, expected, message, operator, startsBelow] = args;
    if (args.length <= 1) {
      const error = actual == null ? new AssertionError({ message: "Failed", operator: "fail", stackStartFn: fail }) : undefined;
      if (!error) failAssertion({ message: actual, operator: "fail", stackStartFn: fail });
      error.generatedMessage = true;
      throw error;
    }
    deprecated("DEP0094", "assert.fail() with more than one argument is deprecated. Please use assert.strictEqual() instead or only pass a message.");
    return failAssertion({ actual, expected, message, operator: (operator as string | undefined) ?? (args.length === 2 ? "!=" : "fail"), stackStartFn: (startsBelow as AnyFunction | undefined) ?? fail });
  };
  const ifError = (value: unknown): void => {
    if (value == null) return;
    const given = value as { readonly message?: unknown; readonly constructor?: { readonly name: string } | null };
    const text = typeof value === "object" && typeof given.message === "string" ? given.message || (given.constructor?.name ?? "") : inspect(value);
    throw new AssertionError({ actual: value, expected: null, operator: "ifError", message: `ifError got unwanted exception: ${text}`, stackStartFn: ifError });
  };
  const methods: Dict = {
    fail, AssertionError, ok, CallTracker: class extends CallTracker {
      constructor() {
        super();
        deprecated("DEP0173", "assert.CallTracker is deprecated.");
      }
    },
    equal: comparison("equal", looselyEqual, "=="),
    notEqual: comparison("notEqual", (a, b) => !looselyEqual(a, b), "!="),
    deepEqual: comparison("deepEqual", (a, b) => isDeepEqual(a, b, false)),
    notDeepEqual: comparison("notDeepEqual", (a, b) => !isDeepEqual(a, b, false)),
    deepStrictEqual: comparison("deepStrictEqual", (a, b) => isDeepEqual(a, b, true)),
    notDeepStrictEqual: comparison("notDeepStrictEqual", (a, b) => !isDeepEqual(a, b, true)),
    strictEqual: comparison("strictEqual", Object.is),
    notStrictEqual: comparison("notStrictEqual", (a, b) => !Object.is(a, b)),
    ...errorChecks, ifError, match: matcher("match"), doesNotMatch: matcher("doesNotMatch"),
  };
  const assert = Object.assign(ok, methods) as unknown as Dict & AnyFunction;
  Object.assign(strict, methods, {
    equal: methods["strictEqual"], deepEqual: methods["deepStrictEqual"], notEqual: methods["notStrictEqual"], notDeepEqual: methods["notDeepStrictEqual"], strict,
  });
  assert["strict"] = strict;
  return assert;
}
