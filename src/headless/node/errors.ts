// Errors as Node words them: a code, the code in the printed name, and the sentences that programs match on.
import { inspect } from "node-inspect-extracted";

/** Thrown by `process.exit` to leave the running code. Nothing catches it on purpose; the process has ended already. */
export class ExitSignal extends Error {
  override readonly name = "ExitSignal";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`process.exit(${exitCode})`);
    this.exitCode = exitCode;
  }
}

/** Where a reader finds it in this project. */
const MISSING_LIST = "src/headless/node/builtins/missing.json";

export type CodedError = Error & { code: string };

/** An error with Node's `code`, printed as `TypeError [CODE]: message`. */
export function nodeError(base: new (message: string) => Error, code: string, message: string, extra: object = {}): CodedError {
  const error = new base(message) as CodedError;
  const name = error.name;
  Object.defineProperty(error, "name", { value: `${name} [${code}]`, configurable: true, writable: true, enumerable: false });
  // Reading the stack writes the name with the code into it, once; then the name is the plain one again.
  void error.stack;
  Reflect.deleteProperty(error, "name");
  if (typeof error.stack === "string" && !error.stack.includes(`[${code}]`)) {
    const stack = error.stack.replace(name, `${name} [${code}]`);
    Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true, enumerable: false });
  }
  error.code = code;
  // Programs look for the code in the text of an error: `assert.throws(call, /ERR_/)`. Node's URL parser is no JavaScript.
  if (code.startsWith("ERR_") && code !== "ERR_INVALID_URL") Object.defineProperty(error, "toString", { value: textWithCode, configurable: true, writable: true, enumerable: false });
  return Object.assign(error, extra);
}

function textWithCode(this: CodedError): string {
  return `${this.name} [${this.code}]: ${this.message}`;
}

/** What a value is, in the words of Node's "Received …". */
export function received(value: unknown): string {
  if (value == null) return `Received ${value}`;
  if (typeof value === "function") return `Received function ${value.name}`;
  if (typeof value === "object") {
    const name = (value as { constructor?: { name?: string } }).constructor?.name;
    return name ? `Received an instance of ${name}` : `Received ${inspect(value, { depth: -1 })}`;
  }
  const shown = inspect(value, { colors: false });
  return `Received type ${typeof value} (${shown.length > 28 ? `${shown.slice(0, 25)}...` : shown})`;
}

const PRIMITIVES = new Set(["string", "function", "number", "object", "Function", "Object", "boolean", "bigint", "symbol"]);

const CLASS_NAME = /^[A-Z][A-Za-z0-9]*$/;

function expectedText(expected: string | readonly string[]): string {
  const all = typeof expected === "string" ? [expected] : expected;
  let types = all.filter((x) => PRIMITIVES.has(x)).map((x) => x.toLowerCase());
  const instances = all.filter((x) => CLASS_NAME.test(x) && !PRIMITIVES.has(x));
  const others = all.filter((x) => !CLASS_NAME.test(x) && !PRIMITIVES.has(x));
  if (instances.length > 0 && types.includes("object")) {
    // Beside classes, an object counts as one of them.
    types = types.filter((x) => x !== "object");
    instances.push("Object");
  }
  const list = (words: string[]): string => (words.length > 2 ? `${words.slice(0, -1).join(", ")}, or ${words.at(-1)}` : words.join(" or "));
  const parts: string[] = [];
  if (types.length > 0) parts.push(`${types.length > 1 ? "one of type" : "of type"} ${list(types)}`);
  if (instances.length > 0) parts.push(`an instance of ${list(instances)}`);
  const [other, ...more] = others;
  if (other !== undefined) parts.push(more.length > 0 ? `one of ${list(others)}` : `${other.toLowerCase() === other ? "" : "an "}${other}`);
  return parts.join(" or ");
}

export function invalidArgType(name: string, expected: string | readonly string[], value: unknown): CodedError {
  const what = name.endsWith(" argument") ? `The ${name}` : `The "${name}" ${name.includes(".") ? "property" : "argument"}`;
  return nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `${what} must be ${expectedText(expected)}. ${received(value)}`);
}

export function invalidArgValue(name: string, value: unknown, reason = "is invalid"): CodedError {
  const shown = inspect(value);
  const what = name.includes(".") ? "property" : "argument";
  return nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The ${what} '${name}' ${reason}. Received ${shown.length > 128 ? `${shown.slice(0, 128)}...` : shown}`);
}

/** Large numbers are told with their digits in groups. */
function shownNumber(value: unknown): string {
  const large = (Number.isInteger(value) && Math.abs(value as number) > 2 ** 32) || (typeof value === "bigint" && (value > 2n ** 32n || value < -(2n ** 32n)));
  if (!large) return inspect(value);
  return `${String(value).replace(/\B(?=(\d{3})+$)/g, "_")}${typeof value === "bigint" ? "n" : ""}`;
}

export function outOfRange(name: string, range: string, value: unknown): CodedError {
  return nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "${name}" is out of range. It must be ${range}. Received ${shownNumber(value)}`);
}

/** For what this runtime does not have: the message names the module, the function and the list of all that is missing. */
export function unsupported(name: string, why = "this container does not have it"): CodedError {
  return nodeError(Error, "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM", `${name} is not available: ${why}. The whole list of what is missing: ${MISSING_LIST}.`);
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== "function") throw invalidArgType(name, "function", value);
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== "string") throw invalidArgType(name, "string", value);
}

export function checkInteger(value: unknown, name: string, low = Number.MIN_SAFE_INTEGER, high = Number.MAX_SAFE_INTEGER): asserts value is number {
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
  if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  if (value < low || value > high) throw outOfRange(name, `>= ${low} && <= ${high}`, value);
}

/** What an operation that was aborted fails with: `AbortError`, the signal's reason as its cause. */
export function abortError(signal?: AbortSignal): CodedError {
  const error = new Error("The operation was aborted", signal ? { cause: signal.reason as unknown } : undefined) as CodedError;
  error.code = "ABORT_ERR";
  error.name = "AbortError";
  return error;
}
