// http.ClientRequest: one request over a connection of its agent's or its own, and the response that answers it.
import { channelOf } from "../channels.ts";
import { abortError, invalidArgType, nodeError, received } from "../errors.ts";
import { Buffer } from "../builtins/buffer.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import type { Agent, AgentRequest } from "./agent.ts";
import { checkRequest, requestArguments, type RequestOptions } from "./client-options.ts";
import { resetError, timerMs } from "./common.ts";
import type { Incoming } from "./incoming.ts";
import { MessageParser, readingOptions } from "./message-parser.ts";
import { oldClass, type OldClass } from "./old-class.ts";
import { FIELDS, type Outgoing } from "./outgoing.ts";
import { type HttpSocket, isWritable } from "./response.ts";
import type { Socket } from "../net/socket.ts";

export interface ClientRequest extends AgentRequest {
  socket: HttpSocket | null;
  agent: Agent | undefined;
  method: string;
  path: string;
  host: string;
  protocol: string;
  timeout?: number;
  timeoutCb: AnyFunction | null;
  res: Incoming | null;
  aborted: boolean;
  /** The streams tell a client's response from a server's request by it. */
  upgradeOrConnect: boolean;
  maxHeadersCount: number | null;
  socketPath: string | undefined;
  [PRIVATE]: { options: RequestOptions; error: Error | null; parser: MessageParser | undefined; listening: readonly (readonly [string, AnyFunction])[]; onTimeout: (() => void) | undefined; ended: boolean; answered: boolean; told: boolean };
  setTimeout(ms: number, done?: AnyFunction): this;
}

const PRIVATE = Symbol("request");
const NO_BODY = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"]);

interface Parts {
  readonly OutgoingMessage: OldClass<Outgoing>;
  readonly IncomingMessage: OldClass<Incoming>;
  globalAgent(): Agent;
}

export function createClientRequest(runtime: Runtime, { OutgoingMessage, IncomingMessage, globalAgent }: Parts): OldClass<ClientRequest> {
  const { loop } = runtime;
  const starts = channelOf(runtime, "http.client.request.start");
  const failures = channelOf(runtime, "http.client.request.error");
  const responses = channelOf(runtime, "http.client.response.finish");

  const close = (self: ClientRequest): void => {
    if (self._closed) return;
    self._closed = true;
    self.destroyed = true;
    self.emit("close");
  };
  const fail = (self: ClientRequest, error: Error): void => {
    const own = self[PRIVATE];
    if (own.told) return;
    own.told = true;
    failures.publish({ request: self, error });
    self.emit("error", error);
  };
  const letGo = (self: ClientRequest, socket: HttpSocket): void => {
    for (const [event, listener] of self[PRIVATE].listening) socket.off(event, listener);
    self[PRIVATE].listening = [];
  };
  const onRequestTimeout = function (this: HttpSocket): void {
    this._httpMessage?.emit("timeout");
  } as AnyFunction;
  const listenForTimeout = (self: ClientRequest): void => {
    if (self.timeoutCb) return;
    self.timeoutCb = onRequestTimeout;
    if (self.socket) self.socket.once("timeout", onRequestTimeout);
    else self.on("socket", (socket) => void (socket as HttpSocket).once("timeout", onRequestTimeout));
  };
  /** The time to wait for an answer starts when there is a connection. */
  const setSocketTimeout = (socket: HttpSocket, ms: number): void => {
    if (socket.connecting) socket.once("connect", () => void socket.setTimeout(ms));
    else socket.setTimeout(ms);
  };
  /** Request and response are both done: the connection is free for another, after the listeners of "end" have run. */
  const finishExchange = (self: ClientRequest): void => {
    const { socket } = self;
    if (!socket || self[PRIVATE].answered) return;
    self[PRIVATE].answered = true;
    if (self.timeoutCb) {
      socket.setTimeout(0, self.timeoutCb);
      self.timeoutCb = null;
    }
    letGo(self, socket);
    self.destroyed = true;
    // To destroy the response must not destroy a connection that is another's.
    if (self.res) (self.res as { socket: unknown }).socket = null;
    loop.nextTick(() => {
      close(self);
      socket.emit("free");
    });
  };

  const onResponse = (self: ClientRequest, response: Incoming, keepAlive: boolean, upgrade: boolean): boolean | "upgrade" => {
    const { socket } = self;
    const status = response.statusCode ?? 0;
    if (self.res || !socket) {
      socket?.destroy();
      return false;
    }
    if (upgrade || self.method === "CONNECT") {
      self.res = response;
      response.req = self;
      response.upgrade = true;
      self.upgradeOrConnect = true;
      return "upgrade";
    }
    // 101 to a request that asked for nothing is an answer like any other.
    if (status >= 100 && status < 200 && status !== 101) {
      if (status === 100) self.emit("continue");
      self.emit("information", { statusCode: status, statusMessage: response.statusMessage, httpVersion: response.httpVersion, httpVersionMajor: response.httpVersionMajor, httpVersionMinor: response.httpVersionMinor, headers: response.headers, rawHeaders: response.rawHeaders });
      return true;
    }
    if (!keepAlive) self.shouldKeepAlive = false;
    responses.publish({ request: self, response });
    self.res = response;
    response.req = self;
    if (self[PRIVATE].onTimeout) socket.on("timeout", self[PRIVATE].onTimeout);
    response.on("end", () => {
      if (self.timeoutCb) socket.off("timeout", self.timeoutCb);
      self[PRIVATE].ended = true;
      if (!self.shouldKeepAlive) {
        if (!isWritable(socket)) return;
        if (typeof socket.destroySoon === "function") socket.destroySoon();
        else (socket as Socket).end();
      } else if (self.writableFinished && !response.aborted) finishExchange(self);
    });
    self.on("finish", () => {
      if (self.shouldKeepAlive && self[PRIVATE].ended) finishExchange(self);
    });
    if (self.aborted || !self.emit("response", response)) response._dump();
    return self.method === "HEAD" || status === 304;
  };

  const attach = (self: ClientRequest, socket: HttpSocket): void => {
    const own = self[PRIVATE];
    const parser = new MessageParser("RESPONSE", socket, IncomingMessage, { message: (response, keepAlive, upgrade) => onResponse(self, response, keepAlive, upgrade) }, { ...readingOptions(runtime), ...own.options, maxHeadersCount: self.maxHeadersCount });
    own.parser = parser;
    self.socket = socket;
    socket._httpMessage = self;
    socket.parser = parser;
    const onError = (error: unknown): void => {
      socket._hadError = true;
      fail(self, error as Error);
      socket.off("data", onData as AnyFunction).off("end", onEnd);
      socket.destroy();
    };
    const onData = (data: unknown): void => {
      let rest: Uint8Array | undefined;
      try {
        rest = parser.execute(data as Uint8Array);
      } catch (error) {
        socket.off("data", onData as AnyFunction).off("end", onEnd);
        socket.destroy();
        socket._hadError = true;
        fail(self, error as Error);
        return;
      }
      if (!rest) return;
      socket.off("data", onData as AnyFunction).off("end", onEnd).off("drain", onDrain).off("timeout", onTimeout);
      if (self.timeoutCb) socket.off("timeout", self.timeoutCb);
      (socket as unknown as { readableFlowing: boolean | null }).readableFlowing = null;
      const event = self.method === "CONNECT" ? "connect" : "upgrade";
      if (self.listenerCount(event) === 0) return void socket.destroy();
      letGo(self, socket);
      socket.emit("agentRemove");
      socket._httpMessage = null;
      self.emit(event, self.res, socket, Buffer.from(rest));
      close(self);
    };
    const onEnd = (): void => {
      if (!self.res && !socket._hadError) {
        socket._hadError = true;
        fail(self, resetError("socket hang up"));
      }
      try {
        parser.finish();
      } catch {
        // Cut short: the close says so, as an error of the response or of the request.
      }
      socket.end();
    };
    const onClose = (): void => {
      const { res } = self;
      self.destroyed = true;
      try {
        // A body without a length ends with its connection.
        parser.finish();
      } catch {
        // As above.
      }
      if (res) {
        if (!res.complete) res.destroy(resetError("aborted"));
        close(self);
        if (!res.aborted && res.readable) res.push(null);
        return;
      }
      if (!socket._hadError) {
        socket._hadError = true;
        fail(self, resetError("socket hang up"));
      }
      close(self);
    };
    const onDrain = (): void => {
      if (!self.finished && self._needDrain) {
        self._needDrain = false;
        self.emit("drain");
      }
    };
    const onTimeout = (): void => void self.res?.emit("timeout");
    own.onTimeout = onTimeout;
    const listening = [["error", onError], ["data", onData], ["end", onEnd], ["close", onClose], ["drain", onDrain]] as const;
    for (const [event, listener] of listening) socket.on(event, listener);
    own.listening = [...listening, ["timeout", onTimeout]];
    socket._hadError = false;
    if (self.timeout !== undefined || self.agent?.options.timeout) listenForTimeout(self);
    self.emit("socket", socket);
    self._flush();
  };

  const isAgent = (value: unknown): value is Agent => typeof (value as Agent | null)?.addRequest === "function";

  return oldClass<ClientRequest>("ClientRequest", OutgoingMessage, (self, args) => {
    OutgoingMessage.call(self);
    const { options, done } = requestArguments(args);
    const defaultAgent = (options._defaultAgent as Agent | undefined) ?? globalAgent();
    let agent: Agent | undefined;
    if (options.agent === false) agent = new (defaultAgent.constructor as unknown as new () => Agent)();
    else if (options.agent === undefined || options.agent === null) agent = typeof options.createConnection === "function" ? undefined : defaultAgent;
    else if (isAgent(options.agent)) ({ agent } = options as { agent: Agent });
    else throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "options.agent" property must be one of Agent-like Object, undefined, or false. ${received(options.agent)}`);
    const expected = agent?.protocol ?? defaultAgent.protocol ?? "http:";
    const { method, path, host } = checkRequest(options, expected, defaultAgent.protocol ?? expected);
    const defaultPort = options.defaultPort ?? agent?.defaultPort;
    const port = options.port || defaultPort || 80;
    Object.assign(self, { timeoutCb: null, agent, method, path, host, protocol: options.protocol ?? expected, socketPath: options.socketPath, res: null, aborted: false, upgradeOrConnect: false, reusedSocket: false, maxHeadersCount: null, maxHeaderSize: options.maxHeaderSize });
    self[PRIVATE] = { options, error: null, parser: undefined, listening: [], onTimeout: undefined, ended: false, answered: false, told: false };
    if (options.timeout !== undefined) self.timeout = timerMs(options.timeout, "timeout");
    if (done) self.once("response", done);
    self.useChunkedEncodingByDefault = !NO_BODY.has(method);
    self.shouldKeepAlive = agent ? agent.keepAlive || Number.isFinite(agent.maxSockets) : false;
    self._last = !self.shouldKeepAlive;
    const flat = Array.isArray(options.headers);
    if (options.setDefaultHeaders === false) self._removedConnection = self._removedContLen = self._removedTE = true;
    const givenHost = flat ? undefined : (options.headers as Dict | undefined)?.["host"];
    if (Array.isArray(givenHost)) throw invalidArgType("options.headers.host", "string", givenHost);
    if (!flat) for (const [name, value] of Object.entries((options.headers ?? {}) as Dict)) self.setHeader(name, value);
    if (!flat && (options.setHost ?? options.setDefaultHeaders) !== false && !self.hasHeader("host")) {
      const shown = host.indexOf(":") !== host.lastIndexOf(":") && !host.startsWith("[") ? `[${host}]` : host;
      self.setHeader("Host", Number(port) === defaultPort ? shown : `${shown}:${port}`);
    }
    if (options.auth && !self.hasHeader("authorization")) self.setHeader("Authorization", `Basic ${Buffer.from(options.auth).toString("base64")}`);
    if (flat) self._storeHeader(`${method} ${path} HTTP/1.1\r\n`, options.headers);
    else if (self.hasHeader("expect")) self._storeHeader(`${method} ${path} HTTP/1.1\r\n`, self[FIELDS]);
    const signal = options.signal;
    if (signal) {
      const abort = (): void => {
        self.destroy(abortError(signal));
      };
      if (signal.aborted) loop.nextTick(abort);
      else {
        signal.addEventListener("abort", abort, { once: true });
        self.once("close", () => signal.removeEventListener("abort", abort));
      }
    }
    const { signal: _signal, ...plain } = options;
    // To a socket a path is a local socket's; an agent takes the request's out.
    const place = { ...plain, host, port, path: options.socketPath ?? (agent ? path : undefined) };
    if (agent) return agent.addRequest(self, place);
    const connect = options.createConnection ?? (runtime.builtin("net")["createConnection"] as AnyFunction);
    let called = false;
    const created = (error: Error | null, socket?: HttpSocket): void => {
      if (called) return;
      called = true;
      self.onSocket(socket ?? null, error);
    };
    const socket = connect(place, created as AnyFunction) as HttpSocket | undefined;
    if (socket) created(null, socket);
  }, {
    onSocket(socket: HttpSocket | null, error?: Error | null) {
      loop.nextTick(() => {
        if (!this.destroyed && !error && socket) return attach(this, socket);
        const end = (why: Error | null): void => {
          const told = why ?? (this.aborted ? null : resetError("socket hang up"));
          if (told) fail(this, told);
          close(this);
        };
        const own = this[PRIVATE].error;
        if (!socket) return end(error ?? own);
        // An unused connection of the agent's goes back to it.
        if (!error && this.agent && !socket.destroyed) {
          socket.emit("free");
          return end(own);
        }
        // Whoever else hears of it, the request has its end when the connection has.
        let heard: Error | null = null;
        socket.on("error", (why) => void (heard ??= why as Error)).once("close", () => end(error ?? own ?? heard));
        socket.destroy(error ?? own);
      });
    },
    _finish() {
      OutgoingMessage.prototype._finish.call(this);
      starts.publish({ request: this });
    },
    _implicitHeader() {
      if (this._header) throw nodeError(Error, "ERR_HTTP_HEADERS_SENT", "Cannot render headers after they are sent to the client");
      this._storeHeader(`${this.method} ${this.path} HTTP/1.1\r\n`, this[FIELDS]);
    },
    abort() {
      if (this.aborted) return;
      this.aborted = true;
      loop.nextTick(() => void this.emit("abort"));
      this.destroy();
    },
    destroy(error?: Error | null) {
      if (this.destroyed) return this;
      this.destroyed = true;
      this.res?._dump();
      // Packages stand in for requests with objects that only OutgoingMessage has set up.
      const own = this[PRIVATE] as ClientRequest[typeof PRIVATE] | undefined;
      if (own) own.error = error ?? null;
      this.socket?.destroy(error ?? null);
      return this;
    },
    setTimeout(given: number, done?: AnyFunction) {
      if ((this[PRIVATE] as ClientRequest[typeof PRIVATE] | undefined)?.ended) return this;
      listenForTimeout(this);
      const ms = timerMs(given, "msecs");
      if (done) this.once("timeout", done);
      if (this.socket) setSocketTimeout(this.socket, ms);
      else this.once("socket", (socket) => setSocketTimeout(socket as HttpSocket, ms));
      return this;
    },
    clearTimeout(done?: AnyFunction) {
      this.setTimeout(0, done);
    },
    setNoDelay(on?: boolean) {
      whenConnected(this, (socket) => void socket.setNoDelay(on));
    },
    setSocketKeepAlive(on?: boolean, ms?: number) {
      whenConnected(this, (socket) => void socket.setKeepAlive(on, ms));
    },
  });
}

function whenConnected(request: ClientRequest, act: (socket: HttpSocket) => void): void {
  const wait = (socket: HttpSocket): void => {
    if (socket.connecting) socket.once("connect", () => act(socket));
    else act(socket);
  };
  if (request.socket) wait(request.socket);
  else request.once("socket", wait as AnyFunction);
}
