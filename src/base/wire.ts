// Comlink 4.4 copies only message, name and stack of a thrown Error, so `code` and `data` would be lost at every
// worker seam. Its "throw" handler is replaced by one that keeps an AppError an AppError. Call installErrorWire()
// once on both sides. (Not for the /headless seam: that client brings its own Comlink 4.3.0.)
import { type TransferHandler, transferHandlers } from "comlink";
import { fromWireError, toWireError, type WireError } from "./wire-error.ts";

interface Thrown {
  readonly value: unknown;
}

/** Sent to a shared worker to end it: its page cannot terminate it. */
export const CLOSE_WORKER = "close";

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
