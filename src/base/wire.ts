// Comlink 4.4 copies only message, name and stack of a thrown Error, so `code` and `data` would be lost at every
// worker seam. Its "throw" handler is replaced by one that keeps an AppError an AppError. Call installErrorWire()
// once on both sides. (Not for the /headless seam: that client brings its own Comlink 4.3.0.)
import { type TransferHandler, transferHandlers } from "comlink";
import { AppError, type ErrorCode, type ErrorData, toAppError } from "./errors.ts";

interface Thrown {
  readonly value: unknown;
}
/** An AppError as plain, structured-cloneable data. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly data: ErrorData;
  readonly stack?: string;
}

export function toWireError(error: unknown): WireError {
  const e = toAppError(error);
  return { code: e.code, message: e.message, data: e.data, ...(e.stack ? { stack: e.stack } : {}) };
}

export function fromWireError(wire: WireError): AppError {
  return new AppError(wire.code, wire.message, { data: wire.data, cause: wire.stack });
}

export function installErrorWire(): void {
  const builtin = transferHandlers.get("throw") as TransferHandler<Thrown, unknown>;
  const handler: TransferHandler<Thrown, WireError> = {
    canHandle: (value): value is Thrown => builtin.canHandle(value),
    serialize: ({ value }) => [toWireError(value), []],
    deserialize: (wire) => {
      throw fromWireError(wire);
    },
  };
  transferHandlers.set("throw", handler as TransferHandler<unknown, unknown>);
}
