// http.ServerResponse.
import { inspect } from "node-inspect-extracted";
import { invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import { Buffer } from "../builtins/buffer.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import type { Socket } from "../net/socket.ts";
import { isBadValue, STATUS_TEXTS } from "./common.ts";
import type { Incoming } from "./incoming.ts";
import { oldClass, type OldClass } from "./old-class.ts";
import { FIELDS, type Outgoing } from "./outgoing.ts";

export interface Response extends Outgoing {
  req: Incoming;
  statusCode: number;
  statusMessage: string | undefined;
  _sent100: boolean;
  _expect_continue: boolean;
  assignSocket(socket: Socket): void;
  detachSocket(socket: Socket): void;
  writeHead(statusCode: number, ...rest: unknown[]): this;
  writeContinue(done?: AnyFunction): void;
}

export type HttpSocket = Socket & { _httpMessage: Outgoing | null; _hadError?: boolean; parser?: unknown };

/** A stream's own property, which the class's type does not tell. */
export const isWritable = (socket: object): boolean => (socket as { readonly writable: boolean }).writable;

/** `</styles.css>; rel=preload; as=style` */
const LINK = /^<[^>]*>(?:\s*;\s*[^;"\s]+(?:=(")?[^;"\s]*\1)?)*$/;

export function createResponse(OutgoingMessage: OldClass<Outgoing>): OldClass<Response> {
  function onSocketClose(this: HttpSocket): void {
    const message = this._httpMessage;
    if (!message) return;
    message.destroyed = true;
    message._closed = true;
    message.emit("close");
  }

  return oldClass<Response>("ServerResponse", OutgoingMessage, (self, [req, options]) => {
    OutgoingMessage.call(self);
    const request = req as Incoming;
    if (request.method === "HEAD") self._hasBody = false;
    self.req = request;
    self.rejectsBody = (options as { rejectNonStandardBodyWrites?: unknown } | undefined)?.rejectNonStandardBodyWrites === true;
    self.statusCode = 200;
    self.statusMessage = undefined;
    self.sendDate = true;
    self._sent100 = false;
    self._expect_continue = false;
    if (request.httpVersionMajor < 1 || (request.httpVersionMajor === 1 && request.httpVersionMinor < 1)) {
      self.useChunkedEncodingByDefault = /(?:^|\W)chunked(?:$|\W)/i.test(String(request.headers["te"] ?? ""));
      self.shouldKeepAlive = false;
    }
  }, {
    assignSocket(socket: HttpSocket) {
      if (socket._httpMessage) throw nodeError(Error, "ERR_HTTP_SOCKET_ASSIGNED", "ServerResponse has an already assigned socket");
      socket._httpMessage = this;
      socket.on("close", onSocketClose as unknown as AnyFunction);
      this.socket = socket;
      this.emit("socket", socket);
      this._flush();
    },
    detachSocket(socket: HttpSocket) {
      socket.off("close", onSocketClose as unknown as AnyFunction);
      socket._httpMessage = null;
      this.socket = null;
    },
    writeContinue(done?: AnyFunction) {
      this._writeRaw(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n", "latin1"), done);
      this._sent100 = true;
    },
    writeProcessing(done?: AnyFunction) {
      this._writeRaw(Buffer.from("HTTP/1.1 102 Processing\r\n\r\n", "latin1"), done);
    },
    writeEarlyHints(hints: Readonly<Record<string, string | readonly string[]>>, done?: AnyFunction) {
      if (typeof hints !== "object" || hints === null || Array.isArray(hints)) throw invalidArgType("hints", "Object", hints);
      const { link, ...others } = hints;
      if (link === undefined || link === null) return;
      const links = typeof link === "string" ? [link] : link;
      const wrong = Array.isArray(links) ? links.find((one) => !LINK.test(String(one))) : link;
      if (wrong !== undefined) throw invalidArgValue("hints", wrong, 'must be an array or string of format "</styles.css>; rel=preload; as=style"');
      if (links.length === 0) return;
      const lines = Object.entries(others).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      this._writeRaw(Buffer.from(`HTTP/1.1 103 Early Hints\r\nLink: ${links.join(", ")}\r\n${lines.join("")}\r\n`, "latin1"), done);
    },
    _implicitHeader() {
      this.writeHead(this.statusCode);
    },
    writeHead(statusCode: number, ...rest: unknown[]) {
      if (this._header) throw nodeError(Error, "ERR_HTTP_HEADERS_SENT", "Cannot write headers after they are sent to the client");
      const code = Number(statusCode) | 0;
      if (code < 100 || code > 999) throw nodeError(RangeError, "ERR_HTTP_INVALID_STATUS_CODE", `Invalid status code: ${typeof statusCode === "object" ? inspect(statusCode) : String(statusCode)}`);
      const [reason] = rest;
      const given = typeof reason === "string" ? rest[1] : (reason ?? rest[1]);
      if (typeof reason === "string") this.statusMessage = reason;
      else this.statusMessage ||= STATUS_TEXTS[code] ?? "unknown";
      this.statusCode = code;
      if (isBadValue(this.statusMessage ?? "")) throw nodeError(TypeError, "ERR_INVALID_CHAR", "Invalid character in statusMessage");
      let headers: unknown = this[FIELDS];
      if (this[FIELDS]) {
        if (Array.isArray(given)) {
          if (given.length > 0 && Array.isArray(given[0])) for (const [name, value] of given as [string, unknown][]) this.setHeader(name, value);
          else {
            if (given.length % 2 !== 0) throw invalidArgValue("headers", given);
            for (let i = 0; i < given.length; i += 2) this.removeHeader(String(given[i]));
            for (let i = 0; i < given.length; i += 2) (this as unknown as { appendHeader(name: string, value: unknown): void }).appendHeader(String(given[i]), given[i + 1]);
          }
        } else if (given) for (const [name, value] of Object.entries(given as Dict)) if (name) this.setHeader(name, value);
        headers = this[FIELDS];
      } else headers = given;
      if (code === 204 || code === 304 || (code >= 100 && code <= 199)) this._hasBody = false;
      if (this._expect_continue && !this._sent100) this.shouldKeepAlive = false;
      this._storeHeader(`HTTP/1.1 ${code} ${this.statusMessage}\r\n`, headers);
      return this;
    },
    writeHeader(this: Response, statusCode: number, ...rest: unknown[]) {
      return this.writeHead(statusCode, ...rest);
    },
  });
}
