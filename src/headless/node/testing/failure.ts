// The error of a test that failed: what kind of failure, and the program's own error as its cause.
import { inspect } from "node-inspect-extracted";
import { nodeError, type CodedError } from "../errors.ts";

export type FailureType =
  | "testCodeFailure" | "subtestsFailed" | "hookFailed" | "testTimeoutFailure" | "cancelledByParent" | "testAborted" | "parentAlreadyFinished"
  | "callbackAndPromisePresent" | "multipleCallbackInvocations" | "uncaughtException" | "unhandledRejection";

export interface TestFailure extends CodedError {
  failureType: FailureType;
  cause: unknown;
}

/** Kinds whose error report shows the cause, not the wrapper. */
export const UNWRAPPED: ReadonlySet<string> = new Set<FailureType>(["testCodeFailure", "hookFailed", "uncaughtException", "unhandledRejection"]);
export const CANCELLED: ReadonlySet<string> = new Set<FailureType>(["cancelledByParent", "testAborted", "testTimeoutFailure"]);

const made = new WeakSet<object>();

export function testFailure(cause: unknown, failureType: FailureType): TestFailure {
  const given = (cause as { message?: unknown } | null | undefined)?.message ?? cause;
  const message = typeof given === "string" ? given : inspect(given);
  const error = nodeError(Error, "ERR_TEST_FAILURE", message) as TestFailure;
  error.failureType = failureType;
  error.cause = cause;
  made.add(error);
  return error;
}

export function isTestFailure(error: unknown): error is TestFailure {
  return typeof error === "object" && error !== null && made.has(error);
}
