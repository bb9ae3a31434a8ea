// Between a preview page and the served document in its opaque frame. Window messages and no port: nothing is handed to
// the realm where the document's code runs. The page checks what comes from there as hostile.
import { bytes, type Fields, fields, integer, Malformed, text } from "../plain-data.ts";
import type { AnswerHead, HeaderList } from "./exchange.ts";
import { MESSAGE_BYTES } from "./web-socket-frames.ts";

/** What a document wants shown instead of itself; without a body a GET. */
export interface Navigation {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: HeaderList;
  readonly body: Uint8Array | null;
  /** The entry of the history is replaced. */
  readonly replace: boolean;
}

export type FromDocument =
  /** Our own script stands in the frame and waits for what it shall show. */
  | { readonly type: "ready" }
  /** Said whenever it has loaded. What loads in the frame and does not say so is another: its code has sent it elsewhere. */
  | { readonly type: "loaded" }
  | { readonly type: "request"; readonly id: number; readonly url: string; readonly method: string; readonly headers: HeaderList; readonly body: Uint8Array | null }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "navigate"; readonly to: Navigation }
  | { readonly type: "reload" }
  /** history.back() and the like. */
  | { readonly type: "go"; readonly by: number }
  /** It is now called so (history.pushState, a fragment); `key` is its own number for the entry. */
  | { readonly type: "at"; readonly url: string; readonly push: boolean; readonly key: number }
  | { readonly type: "cookie"; readonly text: string }
  | SocketFromDocument;

/** Of its WebSockets, each by its own number. */
export type SocketFromDocument =
  | { readonly type: "socket-open"; readonly id: number; readonly url: string; readonly protocols: readonly string[] }
  | { readonly type: "socket-send"; readonly id: number; readonly data: string | Uint8Array<ArrayBuffer> }
  | { readonly type: "socket-close"; readonly id: number; readonly code: number | null; readonly reason: string };

export type SocketToDocument =
  | { readonly type: "socket-opened"; readonly id: number; readonly protocol: string }
  | { readonly type: "socket-message"; readonly id: number; readonly data: string | Uint8Array<ArrayBuffer> }
  /** The oldest message that was not told of yet is on its way. */
  | { readonly type: "socket-taken"; readonly id: number }
  | { readonly type: "socket-closed"; readonly id: number; readonly code: number; readonly reason: string; readonly isClean: boolean };

export type ToDocument =
  | { readonly type: "show"; readonly url: string; readonly head: AnswerHead; readonly body: Uint8Array<ArrayBuffer>; readonly cookies: string }
  /** Back or forward to an entry that the document made itself. */
  | { readonly type: "popped"; readonly key: number; readonly url: string }
  | { readonly type: "head"; readonly id: number; readonly url: string; readonly head: AnswerHead }
  | { readonly type: "data"; readonly id: number; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly type: "end"; readonly id: number }
  | { readonly type: "failed"; readonly id: number; readonly code: string }
  | SocketToDocument;

const MAX_URL = 64 * 1024;
const MAX_HEADERS = 200;
const MAX_VALUE = 64 * 1024;
const MAX_PROTOCOLS = 64;
const MAX_REASON = 123;

/** The message rebuilt from its own fields, or undefined for anything else. */
export function checkFromDocument(value: unknown): FromDocument | undefined {
  try {
    return message(fields(value));
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function message(m: Fields): FromDocument {
  switch (m["type"]) {
    case "ready":
    case "loaded":
    case "reload":
      return { type: m["type"] };
    case "request":
      return { type: "request", id: integer(m["id"]), url: text(m["url"], MAX_URL), method: method(m["method"]), headers: headers(m["headers"]), body: body(m["body"]) };
    case "cancel":
      return { type: "cancel", id: integer(m["id"]) };
    case "navigate": {
      const to = fields(m["to"]);
      return { type: "navigate", to: { url: text(to["url"], MAX_URL), method: to["method"] === "POST" ? "POST" : "GET", headers: headers(to["headers"]), body: body(to["body"]), replace: to["replace"] === true } };
    }
    case "go":
      return { type: "go", by: integer(m["by"]) };
    case "at":
      return { type: "at", url: text(m["url"], MAX_URL), push: m["push"] === true, key: integer(m["key"]) };
    case "cookie":
      return { type: "cookie", text: text(m["text"], MAX_VALUE) };
    case "socket-open":
      return { type: "socket-open", id: integer(m["id"]), url: text(m["url"], MAX_URL), protocols: protocols(m["protocols"]) };
    case "socket-send":
      return { type: "socket-send", id: integer(m["id"]), data: typeof m["data"] === "string" ? text(m["data"], MESSAGE_BYTES) : bytes(m["data"]) };
    case "socket-close":
      return { type: "socket-close", id: integer(m["id"]), code: m["code"] === null ? null : closeCode(m["code"]), reason: text(m["reason"], MAX_REASON) };
    default:
      throw new Malformed();
  }
}

function protocols(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > MAX_PROTOCOLS) throw new Malformed();
  return value.map((name) => token(name));
}

/** A header's name and the like. */
function token(value: unknown): string {
  const name = text(value, 256);
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw new Malformed();
  return name;
}

function closeCode(value: unknown): number {
  const code = integer(value);
  if (code < 1000 || code > 4999) throw new Malformed();
  return code;
}

function method(value: unknown): string {
  const name = text(value, 32);
  if (!/^[A-Za-z-]+$/.test(name)) throw new Malformed();
  return name;
}

function headers(value: unknown): HeaderList {
  if (!Array.isArray(value) || value.length > MAX_HEADERS) throw new Malformed();
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair)) throw new Malformed();
    return [token(pair[0]), text(pair[1], MAX_VALUE).replace(/[^\t\x20-\x7e\x80-\xff]/g, " ")] as const;
  });
}

function body(value: unknown): Uint8Array | null {
  return value === null || value === undefined ? null : bytes(value);
}
