// The last failures of the engine, for the details panel; the same list in the worker and, for what ended a worker, in the page.
import type { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { EngineFault } from "./api.ts";

/** The list with `error` at its end; the oldest go. */
export function withFault(faults: readonly EngineFault[], { code, message }: AppError): readonly EngineFault[] {
  return [...faults.slice(1 - LIMITS.engineFaults), { code, message, at: Date.now() }];
}
