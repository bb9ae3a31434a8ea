// What Node's web streams have and the browser's have not. Only in a Worker that is the process. ReadableStream.from can go when
// Chromium has it (https://streams.spec.whatwg.org/#rs-from).
import { inspect } from "node-inspect-extracted";
import { nodeError, unsupported } from "./errors.ts";
import type { AnyFunction, Dict } from "./runtime.ts";

interface Source {
  next(): unknown;
  return?: (reason: unknown) => unknown;
}

function checkObject<T>(value: T, what: string): T {
  if (typeof value !== "object" || value === null) throw nodeError(TypeError, "ERR_INVALID_STATE", `Invalid state: ${what} must return an object`);
  return value;
}

function streamFrom(given: Dict): ReadableStream<unknown> {
  const methods = given as unknown as { readonly [Symbol.asyncIterator]?: AnyFunction; readonly [Symbol.iterator]?: AnyFunction };
  const isAsync = methods[Symbol.asyncIterator] != null;
  const method = isAsync ? methods[Symbol.asyncIterator] : methods[Symbol.iterator];
  if (typeof method !== "function") throw nodeError(TypeError, "ERR_ARG_NOT_ITERABLE", `${inspect(given)} must be iterable`);
  const source = checkObject(method.call(given), "The iterator method") as Source;
  return new ReadableStream<unknown>({
    pull: async (controller) => {
      const { done, value } = checkObject(await source.next(), "The iterator.next() method") as IteratorResult<unknown>;
      if (done === true) controller.close();
      else controller.enqueue(isAsync ? value : await value);
    },
    cancel: async (reason) => {
      const result = await source.return?.(reason);
      if (source.return) checkObject(result, "The iterator.return() method");
    },
  }, { highWaterMark: 0 });
}

export function addStreamFrom(): void {
  if ("from" in ReadableStream) return;
  Object.defineProperty(ReadableStream, "from", { value: Object.defineProperty(streamFrom, "name", { value: "from" }), writable: true, configurable: true, enumerable: true });
}

/**
 * Node's `finished` asks a web stream for this, which Node's give themselves (under Node, where unit tests run, they still do). The
 * browser tells a stream's end to its reader alone.
 */
export function refuseFinished(): void {
  const ended = Symbol.for("nodejs.webstream.isClosedPromise");
  const get = (): never => {
    throw unsupported("stream.finished of a web stream", "await its reader.closed");
  };
  const set = function (this: object, value: unknown): void {
    Object.defineProperty(this, ended, { value });
  };
  for (const { prototype } of [ReadableStream, WritableStream]) Object.defineProperty(prototype, ended, { get, set, configurable: true });
}
