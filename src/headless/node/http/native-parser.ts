// The parser under node:http as `_http_common` shows it: libraries that stand in for the network (nock, msw) drive it
// with the bytes of their own sockets. It reads no connection itself: `consume` and the like are not here.
import { Buffer } from "../builtins/buffer.ts";
import { type HeadEvents, HttpParser, type ParseError } from "./parser.ts";

/** In the order of their numbers; QUERY's is apart. */
export const NUMBERED_METHODS = [
  "DELETE", "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "SEARCH", "UNLOCK", "BIND", "REBIND",
  "UNBIND", "ACL", "REPORT", "MKACTIVITY", "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PATCH", "PURGE", "MKCALENDAR", "LINK", "UNLINK", "SOURCE", "QUERY",
] as const;
const QUERY_NUMBER = 46;
const REQUEST = 1;
const RESPONSE = 2;
const ON = { kOnMessageBegin: 0, kOnHeaders: 1, kOnHeadersComplete: 2, kOnBody: 3, kOnMessageComplete: 4, kOnExecute: 5, kOnTimeout: 6 } as const;
const LENIENT = {
  kLenientNone: 0, kLenientHeaders: 1, kLenientChunkedLength: 2, kLenientKeepAlive: 4, kLenientTransferEncoding: 8, kLenientVersion: 16, kLenientDataAfterClose: 32,
  kLenientOptionalLFAfterCR: 64, kLenientOptionalCRLFAfterChunk: 128, kLenientOptionalCRBeforeLF: 256, kLenientSpacesAfterChunkSize: 512, kLenientAll: 1023,
} as const;

const numberOf = (method: string): number => (method === "QUERY" ? QUERY_NUMBER : (NUMBERED_METHODS as readonly string[]).indexOf(method));

/** Functions under the numbers of `kOn…` are called with it as `this`. */
export class HTTPParser {
  [on: number]: ((...args: unknown[]) => unknown) | null | undefined;
  #parser: HttpParser | undefined;
  #begun = false;
  #headersCompleted = false;
  #url = "";

  /** `type` is REQUEST or RESPONSE. `maxHeaderBytes` of 0 means the process's own limit. */
  initialize(type: number, _resource?: unknown, maxHeaderBytes = 0, lenient = 0): void {
    this.#begun = this.#headersCompleted = false;
    this.#parser = new HttpParser(type === REQUEST ? "REQUEST" : "RESPONSE", this.#events(type === REQUEST), { maxHeaderSize: maxHeaderBytes, insecureHTTPParser: lenient !== 0 });
  }

  #events(isRequest: boolean): HeadEvents {
    return {
      head: ({ major, minor, fields, method, url, status, reason, upgrade, keepAlive }) => {
        this.#headersCompleted = true;
        this.#url = url;
        const own = isRequest ? [numberOf(method), url, undefined, undefined] : [undefined, undefined, status, reason];
        const answer = this[ON.kOnHeadersComplete]?.(major, minor, fields, ...own, upgrade, keepAlive);
        const names = fields.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
        const hasBody = names.includes("content-length") || names.includes("transfer-encoding");
        if (answer === 2 || (upgrade && (method === "CONNECT" || answer === 1 || !hasBody))) return "upgrade";
        return answer === 1 || answer === true ? "bodiless" : undefined;
      },
      body: (bytes) => void this[ON.kOnBody]?.(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
      end: (trailers) => {
        this.#begun = false;
        if (trailers.length > 0) this[ON.kOnHeaders]?.(trailers, this.#url);
        this[ON.kOnMessageComplete]?.();
      },
    };
  }

  /** How many bytes were read, or what is wrong with them: that is returned, not thrown. */
  execute(data: Uint8Array): number | Error {
    const parser = this.#parser;
    if (!parser) return 0;
    if (!this.#begun && data.length > 0) {
      this.#begun = true;
      this.#headersCompleted = false;
      this[ON.kOnMessageBegin]?.();
    }
    return failing(() => parser.execute(data));
  }

  /** The bytes have ended; says what is wrong when a message has not. */
  finish(): Error | undefined {
    return failing((): undefined => this.#parser?.finish() as undefined);
  }

  headersCompleted(): boolean {
    return this.#headersCompleted;
  }

  close(): void {
    this.#parser = undefined;
  }

  free(): void {
    // Its memory is the engine's.
  }

  remove(): void {
    // It is in no list.
  }
}

/** Runs the parser; an error of the peer's is the result. */
function failing<T>(run: () => T): T | Error {
  try {
    return run();
  } catch (error) {
    if (typeof (error as Partial<ParseError>).bytesParsed === "number") return Object.assign(error as ParseError, { message: "Parse Error" });
    throw error;
  }
}

Object.assign(HTTPParser, { REQUEST, RESPONSE }, ON, LENIENT);
