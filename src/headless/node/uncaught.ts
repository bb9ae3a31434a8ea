// Who takes an error that nothing caught before the process's own listeners hear of it: a domain.
import type { Runtime } from "./runtime.ts";

type Capture = (error: unknown) => boolean;

const captures = new WeakMap<Runtime, Capture>();

/** The function says whether it has dealt with the error. */
export function captureUncaught(runtime: Runtime, capture: Capture): void {
  captures.set(runtime, capture);
}

export function isCaptured(runtime: Runtime, error: unknown): boolean {
  return captures.get(runtime)?.(error) ?? false;
}
