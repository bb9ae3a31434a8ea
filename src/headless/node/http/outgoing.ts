// http.OutgoingMessage: what a server's response and a client's request share. Header fields, then the body: sized when it
// ends in the call that starts it, else chunked, else until the connection closes. What cannot be sent yet
// waits here. (Over 300 lines: one class with everything Node lets a program ask of it.)
import { Buffer } from "../builtins/buffer.ts";
import { createStream } from "../builtins/stream.ts";
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Emitter, Runtime } from "../runtime.ts";
import type { Socket } from "../net/socket.ts";
import { REJECTION } from "../builtins/event-emitter.ts";
import { checkChunk, validateHeaderName, validateHeaderValue } from "./common.ts";
import { headerBlock } from "./header-block.ts";
import { oldClass, type OldClass } from "./old-class.ts";

type HeaderValue = string | number | readonly string[];
type Piece = readonly [data: Uint8Array, done: AnyFunction | undefined];

export interface Outgoing extends Emitter {
  outputData: Piece[];
  outputSize: number;
  writable: boolean;
  destroyed: boolean;
  errored: Error | null | undefined;
  finished: boolean;
  _closed: boolean;
  _last: boolean;
  chunkedEncoding: boolean;
  shouldKeepAlive: boolean;
  maxRequestsOnConnectionReached: boolean;
  useChunkedEncodingByDefault: boolean;
  sendDate: boolean;
  _defaultKeepAlive: boolean;
  _removedConnection: boolean;
  _removedContLen: boolean;
  _removedTE: boolean;
  strictContentLength: boolean;
  _contentLength: number | null;
  _hasBody: boolean;
  _trailer: string;
  _headerSent: boolean;
  _header: string | null;
  _keepAliveTimeout: number;
  _maxRequestsPerSocket: number;
  _needDrain: boolean;
  _finishing: boolean;
  _bodyBytes: number;
  _corked: number;
  socket: Socket | null;
  statusCode?: number;
  agent?: unknown;
  /** The server's `rejectNonStandardBodyWrites`. */
  rejectsBody?: boolean;
  [FIELDS]: Map<string, [name: string, value: HeaderValue]> | null;
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  readonly writableLength: number;
  setHeader(name: string, value: unknown): this;
  getHeader(name: string): HeaderValue | undefined;
  hasHeader(name: string): boolean;
  removeHeader(name: string): void;
  write(chunk: unknown, ...rest: unknown[]): boolean;
  end(...args: unknown[]): this;
  destroy(error?: Error | null): this;
  _implicitHeader(): void;
  _storeHeader(firstLine: string, headers: unknown): void;
  _send(data: string | Uint8Array, encoding?: unknown, done?: unknown): boolean;
  _writeRaw(data: Uint8Array, done?: AnyFunction): boolean;
  _flush(): void;
  _flushOutput(socket: Socket): boolean;
  _finish(): void;
}

/** The set fields by lower-case name. */
export const FIELDS = Symbol("kOutHeaders");

const HIGH_WATER_BYTES = 16 * 1024;
const NOT_AFTER_SENT = (what: string): Error => nodeError(Error, "ERR_HTTP_HEADERS_SENT", `Cannot ${what} headers after they are sent to the client`);

function lengthMismatch(message: Outgoing, bytes: number): Error {
  return nodeError(Error, "ERR_HTTP_CONTENT_LENGTH_MISMATCH", `Response body's content-length of ${bytes} byte(s) does not match the content-length of ${message._contentLength} byte(s) set in header`);
}

export function createOutgoing(runtime: Runtime): OldClass<Outgoing> {
  const { loop } = runtime;
  const Stream = createStream() as unknown as { readonly prototype: object; call(self: unknown): void };

  const emitError = (self: Outgoing, error: Error, done: AnyFunction | undefined): void => {
    loop.nextTick(() => {
      done?.(error);
      if (!self.destroyed) self.emit("error", error);
    });
  };
  const finished = (self: Outgoing): void => {
    if (self.socket && (self.socket as { _hadError?: boolean })._hadError) return;
    self.emit("finish");
  };
  /** A piece of the body: true while the reader keeps up. */
  const writeBody = (self: Outgoing, chunk: string | Uint8Array, encoding: unknown, done: AnyFunction | undefined, last: boolean): boolean => {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8") : chunk;
    if (!self._header) {
      self._implicitHeader();
    }
    if (!self._hasBody) {
      if (self.rejectsBody) throw nodeError(Error, "ERR_HTTP_BODY_NOT_ALLOWED", "Adding content for this request method or response status is not allowed.");
      if (done) loop.nextTick(() => void done());
      return true;
    }
    // What a program writes in one go is one piece on its way.
    const { socket } = self;
    if (!last && socket && typeof socket.cork === "function" && !socket.writableCorked) {
      socket.cork();
      loop.nextTick(() => socket.uncork());
    }
    const total = self._bodyBytes + bytes.length;
    if (self.strictContentLength && self._contentLength !== null && total > self._contentLength) throw lengthMismatch(self, total);
    self._bodyBytes = total;
    if (!self.chunkedEncoding || bytes.length === 0) return self._send(bytes, undefined, done);
    return self._send(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`, "latin1"), bytes, Buffer.from("\r\n", "latin1")]), undefined, done);
  };

  const setUp = (self: Outgoing): void => {
    Stream.call(self);
    Object.assign(self, {
      outputData: [], outputSize: 0, writable: true, destroyed: false, errored: null, finished: false, _closed: false, _last: false,
      chunkedEncoding: false, shouldKeepAlive: true, maxRequestsOnConnectionReached: false, useChunkedEncodingByDefault: true, sendDate: false,
      _defaultKeepAlive: true, _removedConnection: false, _removedContLen: false, _removedTE: false, strictContentLength: false, _contentLength: null,
      _hasBody: true, _trailer: "", _headerSent: false, _header: null, _keepAliveTimeout: 0, _maxRequestsPerSocket: 0, _needDrain: false, _finishing: false, _bodyBytes: 0, _corked: 0, socket: null,
    });
    self[FIELDS] = null;
  };

  return oldClass<Outgoing>("OutgoingMessage", Stream, setUp, {
    get headersSent() {
      return this._header !== null;
    },
    get writableFinished() {
      return this.finished && this.outputSize === 0 && (!this.socket || this.socket.writableLength === 0);
    },
    get writableEnded() {
      return this.finished;
    },
    get writableLength() {
      return this.outputSize + (this.socket?.writableLength ?? 0);
    },
    get writableHighWaterMark() {
      return this.socket ? this.socket.writableHighWaterMark : HIGH_WATER_BYTES;
    },
    get writableObjectMode() {
      return false;
    },
    get writableNeedDrain() {
      return !this.destroyed && !this.finished && this._needDrain;
    },
    get writableCorked() {
      return this.socket ? this.socket.writableCorked : this._corked;
    },
    get connection() {
      return this.socket;
    },
    set connection(socket: Socket | null) {
      this.socket = socket;
    },
    get closed() {
      return this._closed;
    },
    get _headers() {
      return (this as unknown as { getHeaders(): object }).getHeaders();
    },
    setHeader(name: string, value: unknown) {
      if (this._header) throw NOT_AFTER_SENT("set");
      validateHeaderName(name);
      for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) validateHeaderValue(name, one);
      (this[FIELDS] ??= new Map()).set(name.toLowerCase(), [name, value as HeaderValue]);
      return this;
    },
    setHeaders(headers: Iterable<readonly [string, unknown]>) {
      if (this._header) throw NOT_AFTER_SENT("set");
      if (!(headers instanceof Map) && !(headers instanceof Headers)) throw invalidArgType("headers", ["Headers", "Map"], headers);
      const cookies = headers instanceof Headers ? headers.getSetCookie() : [];
      for (const [name, value] of headers as Iterable<readonly [string, unknown]>) if (cookies.length === 0 || name !== "set-cookie") this.setHeader(name, value);
      if (cookies.length > 0) this.setHeader("set-cookie", cookies);
      return this;
    },
    appendHeader(name: string, value: unknown) {
      if (this._header) throw NOT_AFTER_SENT("append");
      const before = this.getHeader(name);
      const more = Array.isArray(value) ? (value as string[]) : [value as string];
      return this.setHeader(name, before === undefined ? value : [...(Array.isArray(before) ? (before as string[]) : [before as string]), ...more]);
    },
    getHeader(name: string) {
      if (typeof name !== "string") throw invalidArgType("name", "string", name);
      return this[FIELDS]?.get(name.toLowerCase())?.[1];
    },
    hasHeader(name: string) {
      if (typeof name !== "string") throw invalidArgType("name", "string", name);
      return this[FIELDS]?.has(name.toLowerCase()) === true;
    },
    getHeaderNames() {
      return [...(this[FIELDS]?.keys() ?? [])];
    },
    getRawHeaderNames() {
      return [...(this[FIELDS]?.values() ?? [])].map(([name]) => name);
    },
    getHeaders() {
      const all = Object.create(null) as Record<string, HeaderValue>;
      for (const [key, [, value]] of this[FIELDS] ?? []) all[key] = value;
      return all;
    },
    removeHeader(name: string) {
      if (typeof name !== "string") throw invalidArgType("name", "string", name);
      if (this._header) throw NOT_AFTER_SENT("remove");
      const key = name.toLowerCase();
      if (key === "connection") this._removedConnection = true;
      if (key === "content-length") this._removedContLen = true;
      if (key === "transfer-encoding") this._removedTE = true;
      if (key === "date") this.sendDate = false;
      this[FIELDS]?.delete(key);
    },
    flushHeaders() {
      if (!this._header) this._implicitHeader();
      this._send("");
    },
    _implicitHeader() {
      throw nodeError(Error, "ERR_METHOD_NOT_IMPLEMENTED", "The _implicitHeader() method is not implemented");
    },
    _storeHeader(firstLine: string, headers: unknown) {
      this._header = headerBlock(this, firstLine, headers);
      this._headerSent = false;
      if (/\r\nexpect:/i.test(this._header)) this._send("");
    },
    write(chunk: unknown, encoding?: unknown, done?: unknown) {
      const callback = (typeof encoding === "function" ? encoding : done) as AnyFunction | undefined;
      checkChunk(chunk);
      if (this.finished || this.destroyed) {
        const error = this.finished ? nodeError(Error, "ERR_STREAM_WRITE_AFTER_END", "write after end") : nodeError(Error, "ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed");
        emitError(this, error, callback);
        return false;
      }
      const flowing = writeBody(this, chunk as string | Uint8Array, encoding, callback, false);
      if (!flowing) this._needDrain = true;
      return flowing;
    },
    addTrailers(trailers: Readonly<Record<string, unknown>> | readonly (readonly [string, unknown])[]) {
      this._trailer = "";
      for (const [name, value] of Array.isArray(trailers) ? (trailers as [string, unknown][]) : Object.entries(trailers)) {
        validateHeaderName(name, "Trailer name");
        validateHeaderValue(name, value, "trailer content");
        this._trailer += `${name}: ${String(value)}\r\n`;
      }
    },
    end(chunk?: unknown, encoding?: unknown, done?: unknown) {
      const callback = [chunk, encoding, done].find((x) => typeof x === "function") as AnyFunction | undefined;
      const data = typeof chunk === "function" || chunk === undefined ? null : chunk;
      if (data !== null) checkChunk(data);
      if (this.finished) {
        const error = data !== null ? nodeError(Error, "ERR_STREAM_WRITE_AFTER_END", "write after end") : nodeError(Error, "ERR_STREAM_ALREADY_FINISHED", "Cannot call end after a stream was finished");
        if (data !== null) emitError(this, error, callback);
        else if (callback) {
          if (this.writableFinished) callback(error);
          else this.once("finish", callback);
        }
        return this;
      }
      const bytes = data === null ? 0 : typeof data === "string" ? Buffer.byteLength(data, typeof encoding === "string" ? encoding : "utf8") : (data as Uint8Array).length;
      if (!this._header) {
        this._contentLength ??= bytes;
        this._implicitHeader();
      }
      if (this.strictContentLength && this._hasBody && this._contentLength !== null && this._bodyBytes + bytes !== this._contentLength) throw lengthMismatch(this, this._bodyBytes + bytes);
      if (callback) this.once("finish", callback);
      const { socket } = this;
      socket?.cork?.();
      if (data !== null) writeBody(this, data as string | Uint8Array, encoding, undefined, true);
      const end = (): void => finished(this);
      this._finishing = true;
      if (this._hasBody && this.chunkedEncoding) this._send(`0\r\n${this._trailer}\r\n`, "latin1", end);
      else if (!this._headerSent || this.writableLength > 0 || data !== null) this._send("", "latin1", end);
      else loop.nextTick(end);
      for (let corks = socket?.writableCorked ?? 0; corks > 0; corks--) socket?.uncork();
      this._corked = 0;
      this.finished = true;
      if (this.outputData.length === 0 && this.socket && (this.socket as { _httpMessage?: unknown })._httpMessage === this) this._finish();
      return this;
    },
    _finish() {
      this.emit("prefinish");
    },
    _send(data: string | Uint8Array, encoding?: unknown, done?: unknown) {
      const callback = (typeof encoding === "function" ? encoding : done) as AnyFunction | undefined;
      let bytes = typeof data === "string" ? Buffer.from(data, typeof encoding === "string" ? encoding : "utf8") : data;
      if (!this._headerSent) {
        const head = Buffer.from(this._header ?? "", "latin1");
        bytes = bytes.length === 0 ? head : Buffer.concat([head, bytes]);
        this._headerSent = true;
      }
      return this._writeRaw(bytes, callback);
    },
    _writeRaw(data: Uint8Array, done?: AnyFunction) {
      const { socket } = this;
      if (socket?.destroyed) return false;
      if (socket && (socket as { _httpMessage?: unknown })._httpMessage === this && (socket as unknown as { writable: boolean }).writable) {
        if (this.outputData.length > 0) this._flushOutput(socket);
        return socket.write(data, ...(done ? [done] : []));
      }
      this.outputData.push([data, done]);
      this.outputSize += data.length;
      return this.outputSize < HIGH_WATER_BYTES;
    },
    _flush() {
      const { socket } = this;
      if (!socket || !(socket as unknown as { writable: boolean }).writable) return;
      const flowing = this._flushOutput(socket);
      if (this.finished) this._finish();
      else if (flowing && this._needDrain) {
        this._needDrain = false;
        this.emit("drain");
      }
    },
    _flushOutput(socket: Socket) {
      const pieces = this.outputData.splice(0);
      this.outputSize = 0;
      let flowing = true;
      socket.cork?.();
      for (const [data, done] of pieces) flowing = socket.write(data, ...(done ? [done] : []));
      socket.uncork?.();
      return flowing;
    },
    setTimeout(ms: number, done?: AnyFunction) {
      if (done) this.on("timeout", done);
      if (this.socket) this.socket.setTimeout(ms);
      else this.once("socket", (socket) => void (socket as Socket).setTimeout(ms));
      return this;
    },
    destroy(error?: Error | null) {
      if (this.destroyed) return this;
      this.destroyed = true;
      this.errored = error;
      if (this.socket) this.socket.destroy(error ?? null);
      else this.once("socket", (socket) => void (socket as Socket).destroy(error ?? null));
      return this;
    },
    cork() {
      this._corked++;
      this.socket?.cork();
    },
    uncork() {
      this._corked = Math.max(0, this._corked - 1);
      this.socket?.uncork();
    },
    [REJECTION](error: Error) {
      this.destroy(error);
    },
    pipe() {
      this.emit("error", nodeError(Error, "ERR_STREAM_CANNOT_PIPE", "Cannot pipe, not readable"));
    },
  });
}
