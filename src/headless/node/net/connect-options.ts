// What `net.connect` and `socket.connect` are asked: a place and how to reach it, read and checked as Node does.
import { checkFunction, checkInteger, invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { isIP } from "./address.ts";

export interface ConnectOptions {
  readonly port?: number | string;
  readonly host?: string;
  readonly path?: string;
  readonly family?: number;
  readonly hints?: number;
  readonly lookup?: AnyFunction;
  readonly autoSelectFamily?: boolean;
  readonly timeout?: number;
  readonly noDelay?: boolean;
  readonly signal?: AbortSignal;
}

/** `(options)`, `(port, host)` or `(path)`, each with a callback or without: as options and callback. */
export function connectArguments(args: readonly unknown[]): { readonly options: ConnectOptions; readonly done: AnyFunction | undefined } {
  const list = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  const done = list.findLast((x) => typeof x === "function") as AnyFunction | undefined;
  const [first, second] = list;
  if (typeof first === "object" && first !== null) return { options: first as ConnectOptions, done };
  if (typeof first === "string" && Number.isNaN(Number(first))) return { options: { path: first }, done };
  return { options: { port: first as number, ...(typeof second === "string" ? { host: second } : {}) }, done };
}

/** A port number, or Node's error for anything else. */
export function checkPort(port: unknown, name = "Port"): number {
  const number = typeof port === "string" && port.trim() !== "" ? Number(port) : port;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  const shown = typeof port === "number" || typeof port === "string" ? `type ${typeof port} (${typeof port === "string" ? `'${port}'` : port})` : String(port);
  throw nodeError(RangeError, "ERR_SOCKET_BAD_PORT", `${name} should be >= 0 and < 65536. Received ${shown}.`);
}

/** The options of `connect` beside the place. */
export function checkConnect({ localAddress, localPort, lookup, autoSelectFamily, autoSelectFamilyAttemptTimeout: attemptMs }: Dict): void {
  if (localAddress && isIP(localAddress) === 0) throw nodeError(TypeError, "ERR_INVALID_IP_ADDRESS", `Invalid IP address: ${String(localAddress)}`);
  if (localPort && typeof localPort !== "number") throw invalidArgType("options.localPort", "number", localPort);
  if (lookup !== undefined && lookup !== null) checkFunction(lookup, "options.lookup");
  if (autoSelectFamily !== undefined && autoSelectFamily !== null && typeof autoSelectFamily !== "boolean") throw invalidArgType("options.autoSelectFamily", "boolean", autoSelectFamily);
  if (attemptMs !== undefined && attemptMs !== null) checkInteger(attemptMs, "options.autoSelectFamilyAttemptTimeout", 1, 2 ** 31 - 1);
}
