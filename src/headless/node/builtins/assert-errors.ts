// What `assert.throws` and its kin accept as the error: a class, a pattern, an object of properties, or a predicate.
import { inspect } from "node-inspect-extracted";
import { invalidArgType, invalidArgValue } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { AssertionError } from "./assertion-error.ts";
import { isDeepEqual } from "./deep-equal.ts";

interface Caller {
  readonly fn: AnyFunction;
  readonly name: string;
}

type MaybeClass = AnyFunction & { prototype?: object };

const isErrorClass = (value: AnyFunction): boolean => value === (Error as unknown) || Object.prototype.isPrototypeOf.call(Error, value);

export function matchesError(actual: unknown, expected: unknown): boolean {
  if (expected instanceof RegExp) return expected.exec(String(actual)) !== null;
  if (typeof expected !== "function") throw invalidArgType("expected", ["function", "RegExp"], expected);
  if ((expected as MaybeClass).prototype !== undefined && actual instanceof expected) return true;
  return !isErrorClass(expected as AnyFunction) && (expected as AnyFunction).call({}, actual) === true;
}

/** The named properties of an error, so that the message compares those and nothing else. */
class Comparison {
  constructor(source: Dict, keys: readonly string[], actual?: Dict) {
    for (const key of keys) {
      if (!(key in source)) continue;
      const value = source[key];
      const matched = actual !== undefined && typeof actual[key] === "string" && value instanceof RegExp && value.exec(actual[key]) !== null;
      (this as unknown as Dict)[key] = matched ? actual[key] : value;
    }
  }
}

/** Throws unless the error is what was expected. */
export function expectedError(actual: unknown, expected: unknown, message: unknown, caller: Caller): void {
  if (typeof expected === "function") {
    const problem = functionProblem(actual, expected as MaybeClass);
    if (problem !== undefined) refuse(problem, actual, expected, message, caller);
    return;
  }
  if (expected instanceof RegExp) {
    const text = String(actual);
    if (expected.exec(text) === null) refuse(`The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(text)}\n`, actual, expected, message, caller);
    return;
  }
  if (typeof actual !== "object" || actual === null) {
    const error = new AssertionError({ actual, expected, message, operator: "deepStrictEqual", stackStartFn: caller.fn });
    error.operator = caller.name;
    throw error;
  }
  const keys = Object.keys(expected as object);
  if (expected instanceof Error) keys.push("name", "message");
  else if (keys.length === 0) throw invalidArgValue("error", expected, "may not be an empty object");
  for (const key of keys) compareKey(actual as Dict, expected as Dict, key, keys, message, caller);
}

function compareKey(actual: Dict, expected: Dict, key: string, keys: readonly string[], message: unknown, caller: Caller): void {
  const want = expected[key];
  if (typeof actual[key] === "string" && want instanceof RegExp && want.exec(actual[key]) !== null) return;
  if (key in actual && isDeepEqual(actual[key], want, true)) return;
  if (message instanceof Error) throw message;
  if (message) throw new AssertionError({ actual, expected, message, operator: caller.name, stackStartFn: caller.fn });
  const error = new AssertionError({ actual: new Comparison(actual, keys), expected: new Comparison(expected, keys, actual), operator: "deepStrictEqual", stackStartFn: caller.fn });
  error.actual = actual;
  error.expected = expected;
  error.operator = caller.name;
  throw error;
}

function functionProblem(actual: unknown, expected: MaybeClass): string | undefined {
  if (expected.prototype !== undefined && actual instanceof expected) return undefined;
  if (isErrorClass(expected)) {
    const head = `The error is expected to be an instance of "${expected.name}". Received `;
    if (!(actual instanceof Error)) return `${head}"${inspect(actual, { depth: -1 })}"`;
    const name = actual.constructor?.name || actual.name;
    const kind = expected.name === name ? "an error with identical name but a different prototype." : `"${name}"`;
    return `${head}${kind}${actual.message ? `\n\nError message:\n\n${actual.message}` : ""}`;
  }
  const answer = expected.call({}, actual);
  if (answer === true) return undefined;
  const name = expected.name ? `"${expected.name}" ` : "";
  return `The ${name}validation function is expected to return "true". Received ${inspect(answer)}${actual instanceof Error ? `\n\nCaught error:\n\n${actual}` : ""}`;
}

function refuse(generated: string, actual: unknown, expected: unknown, message: unknown, caller: Caller): never {
  if (message instanceof Error) throw message;
  const error = new AssertionError({ actual, expected, message: message || generated, operator: caller.name, stackStartFn: caller.fn });
  error.generatedMessage = !message;
  throw error;
}
