// An AppError as plain data, for where only plain data goes: across a worker seam, into a stored log of events.
import { AppError, type ErrorCode, type ErrorData, toAppError } from "./errors.ts";

/** An AppError as plain, structured-cloneable data. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly data: ErrorData;
  readonly stack?: string;
}

/** Anything that was thrown; what is no AppError becomes `bug`. */
export function toWireError(error: unknown): WireError {
  const e = toAppError(error);
  return { code: e.code, message: e.message, data: e.data, ...(e.stack ? { stack: e.stack } : {}) };
}

/** The same error on this side; the other side's stack is its cause. */
export function fromWireError(wire: WireError): AppError {
  return new AppError(wire.code, wire.message, { data: wire.data, cause: wire.stack });
}
