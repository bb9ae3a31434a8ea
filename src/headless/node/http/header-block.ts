// The head of a message as text: the first line, the given fields, and those that say how the connection and the body go on.
import { wallMs } from "../../clock.ts";
import { invalidArgValue, nodeError } from "../errors.ts";
import { validateHeaderName, validateHeaderValue } from "./common.ts";
import type { Outgoing } from "./outgoing.ts";

interface Seen {
  connection: boolean;
  length: boolean;
  encoding: boolean;
  date: boolean;
  trailer: boolean;
}

/** Notes on the message what its own fields ask for. */
function notice(message: Outgoing, seen: Seen, name: string, value: string): void {
  switch (name.toLowerCase()) {
    case "connection":
      seen.connection = true;
      message._removedConnection = false;
      if (/(?:^|\W)close(?:$|\W)/i.test(value)) message._last = true;
      else message.shouldKeepAlive = true;
      break;
    case "transfer-encoding":
      seen.encoding = true;
      message._removedTE = false;
      if (/(?:^|\W)chunked(?:$|\W)/i.test(value)) message.chunkedEncoding = true;
      break;
    case "content-length":
      seen.length = true;
      message._contentLength = Number(value);
      message._removedContLen = false;
      break;
    case "date":
      seen.date = true;
      break;
    case "trailer":
      seen.trailer = true;
      break;
    case "keep-alive":
      message._defaultKeepAlive = false;
      break;
    default:
  }
}

/** `headers`: the message's own map, an object, a list of pairs, or a flat list of names and values. */
function* fieldsOf(headers: unknown): Generator<[string, unknown]> {
  if (headers instanceof Map) {
    for (const [name, value] of headers.values() as Iterable<[string, unknown]>) yield [name, value];
  } else if (Array.isArray(headers)) {
    if (headers.length > 0 && Array.isArray(headers[0])) yield* headers as [string, unknown][];
    else if (headers.length % 2 !== 0) throw invalidArgValue("headers", headers);
    else for (let i = 0; i + 1 < headers.length; i += 2) yield [String(headers[i]), headers[i + 1]];
  } else if (headers) {
    yield* Object.entries(headers as Record<string, unknown>);
  }
}

function connectionLines(message: Outgoing, seen: Seen): string {
  if (message._removedConnection) {
    message._last = !message.shouldKeepAlive;
    return "";
  }
  if (seen.connection) return "";
  const keep = message.shouldKeepAlive && (seen.length || message.useChunkedEncodingByDefault || Boolean(message.agent));
  if (!keep || message.maxRequestsOnConnectionReached) {
    if (!keep) message._last = true;
    return "Connection: close\r\n";
  }
  const lines = "Connection: keep-alive\r\n";
  if (!message._keepAliveTimeout || !message._defaultKeepAlive) return lines;
  const max = message._maxRequestsPerSocket > 0 ? `, max=${message._maxRequestsPerSocket}` : "";
  return `${lines}Keep-Alive: timeout=${Math.floor(message._keepAliveTimeout / 1000)}${max}\r\n`;
}

function bodyLines(message: Outgoing, seen: Seen): string {
  if (seen.length || seen.encoding) return "";
  if (!message._hasBody) {
    message.chunkedEncoding = false;
    return "";
  }
  if (!message.useChunkedEncodingByDefault) {
    message._last = true;
    return "";
  }
  if (!seen.trailer && !message._removedContLen && message._contentLength !== null) return `Content-Length: ${message._contentLength}\r\n`;
  if (!message._removedTE) {
    message.chunkedEncoding = true;
    return "Transfer-Encoding: chunked\r\n";
  }
  // Nothing says where the body ends: the connection's end does.
  message._last = true;
  return "";
}

export function headerBlock(message: Outgoing, firstLine: string, headers: unknown): string {
  const seen: Seen = { connection: false, length: false, encoding: false, date: false, trailer: false };
  let text = firstLine;
  const checked = headers instanceof Map;
  for (const [name, value] of fieldsOf(headers)) {
    if (!checked) validateHeaderName(name);
    // A cookie list of a request is one line; other lists are a line each.
    const values = Array.isArray(value) ? (value.length > 1 && name.toLowerCase() === "cookie" ? [(value as string[]).join("; ")] : (value as unknown[])) : [value];
    for (const one of values) {
      if (!checked) validateHeaderValue(name, one);
      text += `${name}: ${String(one)}\r\n`;
      notice(message, seen, name, String(one));
    }
  }
  if (message.sendDate && !seen.date) text += `Date: ${new Date(wallMs()).toUTCString()}\r\n`;
  if (message.chunkedEncoding && (message.statusCode === 204 || message.statusCode === 304)) {
    message.chunkedEncoding = false;
    message.shouldKeepAlive = false;
  }
  const rest = `${connectionLines(message, seen)}${bodyLines(message, seen)}`;
  if (seen.trailer && !message.chunkedEncoding) throw nodeError(Error, "ERR_HTTP_TRAILER_INVALID", "Trailers are invalid with this transfer encoding");
  return `${text}${rest}\r\n`;
}
