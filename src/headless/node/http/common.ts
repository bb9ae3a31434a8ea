// What the parts of node:http share: methods, status texts, checks of names and values, errors.
import { STATUS_TEXTS } from "./status.ts";
import { invalidArgType, nodeError, outOfRange } from "../errors.ts";

export { STATUS_TEXTS };

export const METHODS = [
  "ACL", "BIND", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "NOTIFY",
  "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
] as const;

export const MAX_HEADER_BYTES = 16 * 1024;

const TOKEN = /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/;
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

export function isToken(text: unknown): boolean {
  return typeof text === "string" && TOKEN.test(text);
}

export function isBadValue(value: string): boolean {
  return BAD_VALUE.test(value);
}

export function validateHeaderName(name: unknown, label = "Header name"): asserts name is string {
  if (!isToken(name)) throw nodeError(TypeError, "ERR_INVALID_HTTP_TOKEN", `${label} must be a valid HTTP token ["${String(name)}"]`);
}

export function validateHeaderValue(name: string, value: unknown, what = "header content"): void {
  if (value === undefined) throw nodeError(TypeError, "ERR_HTTP_INVALID_HEADER_VALUE", `Invalid value "undefined" for header "${name}"`);
  if (isBadValue(String(value))) throw nodeError(TypeError, "ERR_INVALID_CHAR", `Invalid character in ${what} ["${name}"]`);
}

/** The longest delay of a timer, in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

/** A time to wait for as Node's sockets and requests take it. */
export function timerMs(value: unknown, name: string): number {
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
  if (value < 0 || !Number.isFinite(value)) throw outOfRange(name, "a non-negative finite number", value);
  return Math.min(value, LONGEST_MS);
}

/** The connection ended before its time. */
export function resetError(message: string): Error & { code: string } {
  return Object.assign(new Error(message), { code: "ECONNRESET" });
}

export function checkChunk(chunk: unknown): void {
  if (chunk === null) throw nodeError(TypeError, "ERR_STREAM_NULL_VALUES", "May not write null values to stream");
  if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) throw invalidArgType("chunk", ["string", "Buffer", "Uint8Array"], chunk);
}

/** The fields of a message as an object: some are joined, some come once, `set-cookie` is a list. */
export function headersObject(raw: readonly string[], joinDuplicates: boolean): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (name === "set-cookie") headers[name] = Array.isArray(before) ? [...before, value] : [value];
    else if (before === undefined) headers[name] = value;
    else if (joinDuplicates || !SINGLE.has(name)) headers[name] = `${String(before)}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}

const SINGLE = new Set(
  ("age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since last-modified location " +
    "max-forwards proxy-authorization referer retry-after server user-agent").split(" "),
);
