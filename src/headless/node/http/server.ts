// http.Server: requests of a connection one after the other, answers in the same order, connections kept or closed.
import { monotonicMs } from "../../clock.ts";
import { REJECTION } from "../builtins/event-emitter.ts";
import { channelOf } from "../channels.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import type { ServerClass } from "../net/server.ts";
import type { Socket } from "../net/socket.ts";
import { checkInteger, invalidArgType, nodeError, outOfRange } from "../errors.ts";
import { Buffer } from "../builtins/buffer.ts";
import { checkParsing } from "./client-options.ts";
import { STATUS_TEXTS, resetError } from "./common.ts";
import type { Incoming } from "./incoming.ts";
import { MessageParser, type ParseError, readingOptions } from "./message-parser.ts";
import type { OldClass } from "./old-class.ts";
import { type HttpSocket, isWritable, type Response } from "./response.ts";

type MessageClass<T> = OldClass<T>;

export function createHttpServer(runtime: Runtime, NetServer: ServerClass, IncomingMessage: OldClass<Incoming>, ServerResponse: OldClass<Response>) {
  const { loop } = runtime;
  const starts = channelOf(runtime, "http.server.request.start");
  const finishes = channelOf(runtime, "http.server.response.finish");

  class Connection {
    readonly #server: HttpServer;
    readonly #socket: HttpSocket;
    readonly #parser: MessageParser;
    readonly #requests: Incoming[] = [];
    readonly #waiting: Response[] = [];
    #served = 0;
    #idleSet = false;
    /** When the request that is being read began, or the connection. */
    #messageStart: number | undefined = monotonicMs();

    constructor(server: HttpServer, socket: HttpSocket) {
      this.#server = server;
      this.#socket = socket;
      socket._httpMessage = null;
      this.#parser = new MessageParser("REQUEST", socket, server.IncomingMessage, { message: (req, keepAlive, upgrade) => this.#incoming(req, keepAlive, upgrade) }, { ...readingOptions(runtime), ...server.httpOptions, maxHeadersCount: server.maxHeadersCount });
      socket.parser = this.#parser;
      (socket as unknown as { setEncoding: unknown }).setEncoding = () => {
        throw nodeError(Error, "ERR_HTTP_SOCKET_ENCODING", "Changing the socket encoding is not allowed per RFC7230 Section 3.");
      };
      if (server.timeout > 0) this.#setTimeout(server.timeout);
      socket.on("data", this.#onData as AnyFunction).on("end", this.#onEnd).on("close", this.#onClose).on("error", this.#onError as AnyFunction);
      socket.on("timeout", this.#onTimeout).on("drain", this.#onDrain);
    }

    /** Between two requests; one that has not sent its first is not, it is about to. */
    get idle(): boolean {
      return this.#messageStart === undefined && this.#requests.length === 0 && !this.#socket._httpMessage;
    }

    #setTimeout(ms: number): void {
      if (typeof this.#socket.setTimeout === "function") this.#socket.setTimeout(ms);
    }

    #endSocket(): void {
      if (typeof this.#socket.destroySoon === "function") this.#socket.destroySoon();
      else (this.#socket as Socket).end();
    }

    /** Gives up a client that is too slow with its head or its body. */
    checkTimeouts(): void {
      if (this.#messageStart === undefined) return;
      const waitedMs = monotonicMs() - this.#messageStart;
      const { headersTimeout, requestTimeout } = this.#server;
      if ((headersTimeout > 0 && !this.#parser.incoming && waitedMs >= headersTimeout) || (requestTimeout > 0 && waitedMs >= requestTimeout)) {
        this.#messageStart = undefined;
        this.#onError(nodeError(Error, "ERR_HTTP_REQUEST_TIMEOUT", "Request timeout"));
      }
    }

    get socket(): HttpSocket {
      return this.#socket;
    }

    readonly #onData = (data: Uint8Array): void => {
      if (this.#idleSet) {
        this.#idleSet = false;
        this.#setTimeout(this.#server.timeout);
      }
      this.#messageStart ??= monotonicMs();
      let rest: Uint8Array | undefined;
      try {
        rest = this.#parser.execute(data);
      } catch (error) {
        if (typeof (error as Partial<ParseError>).bytesParsed !== "number") throw error; // the program's own
        this.#onError(error as ParseError);
        return;
      }
      if (!this.#parser.reading) this.#messageStart = undefined;
      if (rest) this.#upgrade(rest);
    };

    readonly #onEnd = (): void => {
      try {
        this.#parser.finish();
      } catch (error) {
        this.#onError(error as ParseError);
        return;
      }
      const last = this.#waiting.at(-1) ?? this.#socket._httpMessage;
      if (this.#server.httpAllowHalfOpen && last) last._last = true;
      else if (!this.#socket.writableEnded) this.#socket.end();
    };

    readonly #onClose = (): void => {
      this.#server.connections.delete(this);
      this.#abort();
    };

    readonly #onError = (error: Error): void => {
      const socket = this.#socket;
      socket.off("error", this.#onError as AnyFunction);
      if (socket.listenerCount("error") === 0) socket.on("error", () => undefined);
      if (this.#server.emit("clientError", error, socket)) return;
      if (isWritable(socket) && !socket._httpMessage?._headerSent) {
        const status = ERROR_STATUS[(error as Error & { code?: string }).code ?? ""] ?? 400;
        socket.write(Buffer.from(`HTTP/1.1 ${status} ${STATUS_TEXTS[status]}\r\nConnection: close\r\n\r\n`, "latin1"));
      }
      socket.destroy(error);
    };

    readonly #onTimeout = (): void => {
      const socket = this.#socket;
      const request = this.#requests.at(-1);
      const heard = [request && !request.complete && request.emit("timeout", socket), socket._httpMessage?.emit("timeout", socket), this.#server.emit("timeout", socket)];
      if (!heard.includes(true)) socket.destroy();
    };

    readonly #onDrain = (): void => {
      const message = this.#socket._httpMessage;
      if (message && !message.finished && message._needDrain) {
        message._needDrain = false;
        message.emit("drain");
      }
    };

    #abort(): void {
      for (const request of this.#requests.splice(0)) {
        if (!request.destroyed) request.destroy(resetError("aborted"));
      }
    }

    #incoming(request: Incoming, keepAlive: boolean, upgrade: boolean): boolean | "upgrade" {
      const server = this.#server;
      if (upgrade) {
        request.upgrade = request.method === "CONNECT" || server.listenerCount("upgrade") > 0;
        if (request.upgrade) {
          this.#requests.push(request);
          return "upgrade";
        }
      }
      this.#requests.push(request);
      const response = new server.ServerResponse(...([request, server.httpOptions] as never[]));
      response._keepAliveTimeout = server.keepAliveTimeout;
      response._maxRequestsPerSocket = server.maxRequestsPerSocket;
      response.shouldKeepAlive = keepAlive;
      starts.publish({ request, response, socket: this.#socket, server });
      const limit = request.httpVersionMajor === 1 && request.httpVersionMinor === 1 ? server.maxRequestsPerSocket : 0;
      this.#served++;
      if (limit > 0 && this.#served >= limit) response.maxRequestsOnConnectionReached = true;
      if (this.#socket._httpMessage) this.#waiting.push(response);
      else response.assignSocket(this.#socket);
      response.on("finish", () => this.#answered(request, response));
      if (limit > 0 && this.#served > limit) {
        server.emit("dropRequest", request, this.#socket);
        response.writeHead(503);
        response.end();
      } else this.#dispatch(request, response);
      return false;
    }

    #dispatch(request: Incoming, response: Response): void {
      const server = this.#server;
      const modern = request.httpVersionMajor === 1 && request.httpVersionMinor === 1;
      if (modern && server.requireHostHeader && request.headers["host"] === undefined) {
        response.writeHead(400, ["Connection", "close"]);
        return void response.end();
      }
      const expect = modern ? request.headers["expect"] : undefined;
      if (expect === undefined) return void server.emit("request", request, response);
      if (/(?:^|\W)100-continue(?:$|\W)/i.test(String(expect))) {
        response._expect_continue = true;
        if (server.listenerCount("checkContinue") > 0) return void server.emit("checkContinue", request, response);
        response.writeContinue();
        return void server.emit("request", request, response);
      }
      if (server.listenerCount("checkExpectation") > 0) return void server.emit("checkExpectation", request, response);
      response.writeHead(417);
      response.end();
    }

    #answered(request: Incoming, response: Response): void {
      finishes.publish({ request, response, socket: this.#socket, server: this.#server });
      const at = this.#requests.indexOf(request);
      if (at >= 0) this.#requests.splice(at, 1);
      // What the program did not read of the request is in the way of the next one.
      if (!request._consuming && !request._readableState.resumeScheduled) request._dump();
      const socket = this.#socket;
      response.detachSocket(socket);
      loop.nextTick(() => {
        response.destroyed = true;
        response._closed = true;
        response.emit("close");
      });
      const next = this.#waiting.shift();
      if (response._last || (!next && !this.#server.listening && this.#server.closing)) {
        this.#endSocket();
      } else if (next) {
        next.assignSocket(socket);
      } else if (this.#server.keepAliveTimeout > 0) {
        this.#setTimeout(this.#server.keepAliveTimeout + KEEP_ALIVE_GRACE_MS);
        this.#idleSet = true;
      }
    }

    #upgrade(head: Uint8Array): void {
      const request = this.#requests.pop();
      const socket = this.#socket;
      if (!request) return;
      this.#server.connections.delete(this);
      socket.off("data", this.#onData as AnyFunction).off("end", this.#onEnd).off("close", this.#onClose).off("error", this.#onError as AnyFunction);
      socket.off("timeout", this.#onTimeout).off("drain", this.#onDrain);
      Reflect.deleteProperty(socket, "setEncoding");
      socket.parser = null;
      this.#setTimeout(0);
      const event = request.method === "CONNECT" ? "connect" : "upgrade";
      if (this.#server.listenerCount(event) === 0) return void socket.destroy();
      (socket as unknown as { readableFlowing: boolean | null }).readableFlowing = null;
      this.#server.emit(event, request, socket, Buffer.from(head));
    }
  }

  interface Outgoing {
    readonly headersSent: boolean;
    readonly writableEnded: boolean;
    statusCode: number;
    getHeaderNames(): readonly string[];
    removeHeader(name: string): void;
    end(text: string | undefined): void;
    destroy(): void;
  }

  class HttpServer extends NetServer {
    timeout = 0;
    keepAliveTimeout = 5000;
    headersTimeout = 60_000;
    requestTimeout = 300_000;
    connectionsCheckingInterval = 30_000;
    maxHeadersCount: number | null = null;
    maxRequestsPerSocket = 0;
    requireHostHeader = true;
    httpAllowHalfOpen = false;
    closing = false;
    readonly connections = new Set<Connection>();
    readonly httpOptions: { readonly maxHeaderSize?: number; readonly joinDuplicateHeaders?: boolean };
    readonly IncomingMessage: MessageClass<Incoming>;
    readonly ServerResponse: MessageClass<Response>;
    #checking: { unref(): void } | undefined;

    constructor(first?: Dict | AnyFunction, second?: AnyFunction) {
      if (Array.isArray(first) || (first !== undefined && first !== null && typeof first !== "object" && typeof first !== "function")) throw invalidArgType("options", "Object", first);
      const options = typeof first === "object" && first !== null ? first : {};
      // The other half stays open until an answer is written.
      super({ noDelay: true, ...options, allowHalfOpen: true });
      checkParsing(options, "options.");
      for (const name of ["keepAliveTimeout", "headersTimeout", "requestTimeout", "connectionsCheckingInterval", "maxRequestsPerSocket"] as const) {
        const value: unknown = options[name];
        if (value === undefined) continue;
        checkInteger(value, name, 0);
        this[name] = value;
      }
      if (options["requestTimeout"] !== undefined && options["headersTimeout"] === undefined && this.requestTimeout > 0) this.headersTimeout = Math.min(this.headersTimeout, this.requestTimeout);
      if (this.requestTimeout > 0 && this.headersTimeout > this.requestTimeout) throw outOfRange("headersTimeout", "<= requestTimeout", options["headersTimeout"]);
      const { requireHostHeader } = options;
      if (requireHostHeader !== undefined && typeof requireHostHeader !== "boolean") throw invalidArgType("options.requireHostHeader", "boolean", requireHostHeader);
      this.requireHostHeader = requireHostHeader ?? true;
      this.httpOptions = options;
      this.IncomingMessage = (options["IncomingMessage"] as MessageClass<Incoming> | undefined) ?? IncomingMessage;
      this.ServerResponse = (options["ServerResponse"] as MessageClass<Response> | undefined) ?? ServerResponse;
      const onRequest = typeof first === "function" ? first : second;
      if (onRequest) this.on("request", onRequest);
      this.on("connection", (socket) => void this.connections.add(new Connection(this, socket as HttpSocket)));
      this.on("listening", () => {
        this.closing = false;
        this.#check();
      });
    }

    /** A handler's promise failed: its request is answered with a 500 that says nothing more. */
    override [REJECTION](error: unknown, event: string, ...args: unknown[]): void {
      const response = args[1] as Outgoing;
      if (event !== "request") super[REJECTION](error, event, ...args);
      else if (response.headersSent || response.writableEnded) response.destroy();
      else {
        for (const name of response.getHeaderNames() as string[]) response.removeHeader(name);
        response.statusCode = 500;
        response.end(STATUS_TEXTS[500]);
      }
    }

    setTimeout(ms: number, done?: AnyFunction): this {
      this.timeout = ms;
      if (done) this.on("timeout", done);
      return this;
    }

    /** Now and then, who is too slow is given up. */
    #check(): void {
      const { setInterval, clearInterval } = runtime.builtin("timers") as { setInterval(run: () => void, ms: number): { unref(): void }; clearInterval(timer: unknown): void };
      clearInterval(this.#checking);
      this.#checking = undefined;
      if (this.closing || this.connectionsCheckingInterval <= 0) return;
      this.#checking = setInterval(() => {
        for (const connection of this.connections) connection.checkTimeouts();
      }, this.connectionsCheckingInterval);
      this.#checking.unref();
    }

    override close(done?: AnyFunction): this {
      this.closing = true;
      this.#check();
      super.close(done);
      this.closeIdleConnections();
      return this;
    }

    closeAllConnections(): void {
      for (const connection of this.connections) connection.socket.destroy();
    }

    closeIdleConnections(): void {
      for (const connection of this.connections) if (connection.idle) connection.socket.destroy();
    }

    override [Symbol.asyncDispose](): Promise<void> {
      return new Promise((resolve, reject) => void this.close(((error?: Error) => (error ? reject(error) : resolve())) as AnyFunction));
    }
  }

  return HttpServer;
}

/** An idle connection is kept this much longer than the client was told: what it sends at the last moment still arrives. */
const KEEP_ALIVE_GRACE_MS = 1000;

/** The answer to what a client did wrong; 400 to the rest. */
const ERROR_STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, HPE_CHUNK_EXTENSIONS_OVERFLOW: 413, ERR_HTTP_REQUEST_TIMEOUT: 408 };

