// Who takes an error that nothing caught before the process's own listeners hear of it: the program's one callback, or a
// domain.
import { invalidArgType, nodeError } from "./errors.ts";
import type { AnyFunction, Runtime } from "./runtime.ts";

type Capture = (error: unknown) => boolean;

const captures = new WeakMap<Runtime, Capture>();
const callbacks = new WeakMap<Runtime, AnyFunction>();

/** The function says whether it has dealt with the error. */
export function captureUncaught(runtime: Runtime, capture: Capture): void {
  captures.set(runtime, capture);
}

/** `process.setUncaughtExceptionCaptureCallback`. */
export function setCaptureCallback(runtime: Runtime, run: unknown): void {
  if (run === null) return void callbacks.delete(runtime);
  if (typeof run !== "function") throw invalidArgType("fn", ["Function", "null"], run);
  if (captures.has(runtime)) {
    throw nodeError(Error, "ERR_DOMAIN_CANNOT_SET_UNCAUGHT_EXCEPTION_CAPTURE", "The `domain` module is in use, which is mutually exclusive with calling process.setUncaughtExceptionCaptureCallback()");
  }
  if (callbacks.has(runtime)) {
    throw nodeError(Error, "ERR_UNCAUGHT_EXCEPTION_CAPTURE_ALREADY_SET", "`process.setupUncaughtExceptionCapture()` was called while a capture callback was already active");
  }
  callbacks.set(runtime, run as AnyFunction);
}

export function hasCaptureCallback(runtime: Runtime): boolean {
  return callbacks.has(runtime) || captures.has(runtime);
}

export function isCaptured(runtime: Runtime, error: unknown): boolean {
  const callback = callbacks.get(runtime);
  callback?.(error);
  return callback !== undefined || (captures.get(runtime)?.(error) ?? false);
}
