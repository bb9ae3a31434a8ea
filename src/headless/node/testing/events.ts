// What the runner tells its reporters, and how that crosses from a test file's process to the runner's.
import { inspect } from "node-inspect-extracted";
import { type FailureType, testFailure } from "./failure.ts";

export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface TestDetails {
  readonly duration_ms: number;
  readonly type?: string;
  readonly error?: unknown;
  readonly passed?: boolean;
}

export interface TestData {
  readonly nesting: number;
  /** Absent from plans, diagnostics and output. */
  readonly name?: string;
  readonly testNumber?: number;
  readonly details?: TestDetails;
  readonly skip?: string | true;
  readonly todo?: string | true;
  readonly message?: string;
  readonly count?: number;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export type TestEventType =
  | "test:enqueue" | "test:dequeue" | "test:start" | "test:pass" | "test:fail" | "test:plan" | "test:diagnostic" | "test:complete" | "test:stdout" | "test:stderr";

export interface TestEvent {
  readonly type: TestEventType;
  readonly data: TestData;
}

/** Marks the runner's messages among those that a test file sends itself. */
const MARK = "tabwright:test";

interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly own: Readonly<Record<string, unknown>>;
  /** Of an AggregateError. */
  readonly errors?: readonly unknown[];
  readonly isError: true;
}

function plainValue(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch (error) {
    // Functions, proxies and the like cannot be copied; their description can.
    if (error instanceof Error) return inspect(value);
    throw error;
  }
}

function plainError(value: unknown, depth = 0): unknown {
  // Node's way of sending errors finds no fields in a DOMException.
  if (typeof DOMException === "function" && value instanceof DOMException) return {};
  if (!(value instanceof Error)) return plainValue(value);
  const own = Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, key === "cause" && depth < 8 ? plainError(entry, depth + 1) : plainValue(entry)]));
  const { cause } = value;
  if (cause !== undefined && !("cause" in own) && depth < 8) own["cause"] = plainError(cause, depth + 1);
  const errors = value instanceof AggregateError && depth < 8 ? value.errors.map((error: unknown) => plainError(error, depth + 1)) : undefined;
  return { isError: true, name: value.name, message: value.message, stack: value.stack, own, ...(errors ? { errors } : {}) } satisfies PlainError;
}

const revived = new WeakSet<object>();

/** Whether the error has come from another process. */
export function isRevived(error: unknown): boolean {
  return typeof error === "object" && error !== null && revived.has(error);
}

const CLASSES: Readonly<Record<string, new (message?: string) => Error>> = { TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError };

function revivedError(value: unknown): unknown {
  const plain = value as PlainError | null | undefined;
  if (typeof plain !== "object" || plain === null || plain.isError !== true) return value;
  const { failureType } = plain.own;
  const own = Object.fromEntries(Object.entries(plain.own).map(([key, entry]) => [key, key === "cause" ? revivedError(entry) : entry]));
  const error = typeof failureType === "string" ? testFailure(own["cause"], failureType as FailureType) : new (CLASSES[plain.name] ?? Error)(plain.message);
  revived.add(error);
  const hide = (key: string, entry: unknown): void => void Object.defineProperty(error, key, { value: entry, writable: true, configurable: true, enumerable: false });
  hide("message", plain.message);
  hide("stack", plain.stack);
  if (error.name !== plain.name) hide("name", plain.name);
  for (const [key, entry] of Object.entries(own)) if (key !== "cause" || typeof failureType === "string") (error as unknown as Record<string, unknown>)[key] = entry;
  if ("cause" in own && typeof failureType !== "string") hide("cause", own["cause"]);
  if (plain.errors) hide("errors", plain.errors.map(revivedError));
  return error;
}

export function packEvent(event: TestEvent): unknown {
  const { details } = event.data;
  const data = details ? { ...event.data, details: { ...details, ...(details.error === undefined ? {} : { error: plainError(details.error) }) } } : event.data;
  return { [MARK]: { type: event.type, data } };
}

/** Undefined for a message that is not the runner's. */
export function unpackEvent(message: unknown): TestEvent | undefined {
  const event = (message as Record<string, TestEvent | undefined> | null)?.[MARK];
  if (typeof event !== "object") return undefined;
  const { details } = event.data;
  return details?.error === undefined ? event : { type: event.type, data: { ...event.data, details: { ...details, error: revivedError(details.error) } } };
}
