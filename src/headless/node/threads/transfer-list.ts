// The list of what a message hands over: how it is read, and what Node says to one that cannot be.
import { nodeError } from "../errors.ts";
import { isTransferable } from "./cloneable.ts";
import { isDetached } from "./port-state.ts";

const untransferable = new WeakSet<object>();

export function markAsUntransferable(value: unknown): void {
  if ((typeof value === "object" && value !== null) || typeof value === "function") untransferable.add(value);
}

export const isMarkedAsUntransferable = (value: unknown): boolean => typeof value === "object" && value !== null && untransferable.has(value);

export const isPort = (value: unknown): value is MessagePort => Object.prototype.toString.call(value) === "[object MessagePort]" && value instanceof MessagePort;

export const cloneFailure = (message: string): DOMException => new DOMException(message, "DataCloneError");

export const missingTransferable = (): Error =>
  nodeError(TypeError, "ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST", "Object that needs transfer was found in message but not listed in transferList");

function listOf(given: unknown, name: string): object[] {
  try {
    if (typeof given === "object" && given !== null) return [...(given as Iterable<object>)];
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `Optional ${name} argument must be an iterable`);
}

/** The second argument of `postMessage`: a list, or options with one. */
export function transferListOf(given: unknown): object[] {
  if (given == null) return [];
  if (typeof given !== "object") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", "Optional transferList argument must be an iterable");
  if (Symbol.iterator in given) return listOf(given, "transferList");
  const { transfer } = given as { transfer?: unknown };
  return transfer === undefined ? [] : listOf(transfer, "options.transfer");
}

/** The options of `structuredClone`. */
export function cloneOptions(given: unknown): object[] {
  if (given == null) return [];
  if (typeof given !== "object") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", "The options argument must be either an object or undefined");
  const { transfer } = given as { transfer?: unknown };
  return transfer == null ? [] : listOf(transfer, "transferList");
}

const TRANSFERABLE = /^\[object (?:ArrayBuffer|MessagePort|ReadableStream|WritableStream|TransformStream)\]$/;

/** Those that are handed over; throws, before any of them is, what is wrong with one. */
export function checkTransfer(list: readonly object[], source?: MessagePort): object[] {
  const seen = new Set<object>();
  return list.filter((item) => {
    if (isMarkedAsUntransferable(item)) return false;
    const kind = Object.prototype.toString.call(item);
    if (isTransferable(item)) return true;
    if (!TRANSFERABLE.test(kind)) throw nodeError(TypeError, "ERR_INVALID_TRANSFER_OBJECT", "Found invalid object in transferList");
    if (seen.has(item)) throw cloneFailure(`Transfer list contains duplicate ${kind.slice(8, -1)}`);
    seen.add(item);
    if (item === source) throw cloneFailure("Transfer list contains source port");
    if (isPort(item) && isDetached(item)) throw cloneFailure("MessagePort in transfer list is already detached");
    return true;
  });
}
