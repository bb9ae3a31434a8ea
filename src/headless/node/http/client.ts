// http.ClientRequest: one request over a connection of its agent's or its own, and the response that answers it.
import { abortError, nodeError } from "../errors.ts";
import { Buffer } from "../builtins/buffer.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import type { Agent, AgentRequest } from "./agent.ts";
import { checkRequest, requestArguments, type RequestOptions } from "./client-options.ts";
import { resetError } from "./common.ts";
import type { Incoming } from "./incoming.ts";
import { MessageParser } from "./message-parser.ts";
import { oldClass, type OldClass } from "./old-class.ts";
import { FIELDS, type Outgoing } from "./outgoing.ts";
import type { HttpSocket } from "./response.ts";

export interface ClientRequest extends AgentRequest {
  socket: HttpSocket | null;
  agent: Agent | undefined;
  method: string;
  path: string;
  host: string;
  protocol: string;
  timeout?: number;
  res: Incoming | null;
  aborted: boolean;
  socketPath: string | undefined;
  [PRIVATE]: { options: RequestOptions; error: Error | null; parser: MessageParser | undefined; listening: readonly (readonly [string, AnyFunction])[]; upgraded: boolean; answered: boolean; told: boolean };
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
    self.emit("error", error);
  };
  const letGo = (self: ClientRequest, socket: HttpSocket): void => {
    for (const [event, listener] of self[PRIVATE].listening) socket.off(event, listener);
    self[PRIVATE].listening = [];
  };
  /** Request and response are both done: the connection is free for another. */
  const finishExchange = (self: ClientRequest): void => {
    const { socket } = self;
    if (!socket || self[PRIVATE].answered) return;
    self[PRIVATE].answered = true;
    if (self.timeout) socket.setTimeout(0);
    letGo(self, socket);
    socket.emit("free");
    self.destroyed = true;
    if (self.res) loop.nextTick(() => close(self));
  };

  const onResponse = (self: ClientRequest, response: Incoming, keepAlive: boolean, upgrade: boolean): boolean | "upgrade" => {
    const own = self[PRIVATE];
    const { socket } = self;
    const status = response.statusCode ?? 0;
    if (self.res || !socket) {
      socket?.destroy();
      return false;
    }
    if (status === 101 || upgrade || (self.method === "CONNECT" && status >= 200 && status < 300)) {
      if (self.method === "CONNECT" || status === 101) {
        self.res = response;
        response.req = self;
        own.upgraded = true;
        return "upgrade";
      }
    }
    if (status >= 100 && status < 200) {
      if (status === 100) self.emit("continue");
      self.emit("information", { statusCode: status, statusMessage: response.statusMessage, httpVersion: response.httpVersion, httpVersionMajor: response.httpVersionMajor, httpVersionMinor: response.httpVersionMinor, headers: response.headers, rawHeaders: response.rawHeaders });
      return true;
    }
    if (!keepAlive) self.shouldKeepAlive = false;
    self.res = response;
    response.req = self;
    response.on("end", () => {
      if (!self.shouldKeepAlive) {
        if (!socket.destroyed) socket.destroySoon();
      } else if (self._ended && !response.aborted) finishExchange(self);
    });
    if (self.aborted || self.listenerCount("response") === 0 || !self.emit("response", response)) response._dump();
    return self.method === "HEAD";
  };

  const attach = (self: ClientRequest, socket: HttpSocket): void => {
    const own = self[PRIVATE];
    const parser = new MessageParser("RESPONSE", socket, IncomingMessage, { message: (response, keepAlive, upgrade) => onResponse(self, response, keepAlive, upgrade) }, own.options);
    own.parser = parser;
    self.socket = socket;
    socket._httpMessage = self;
    socket.parser = parser;
    const onError = (error: unknown): void => {
      socket._hadError = true;
      if (!self.res || self.listenerCount("error") > 0 || !self.res.complete) fail(self, error as Error);
      socket.destroy();
    };
    const onData = (data: unknown): void => {
      let rest: Uint8Array | undefined;
      try {
        rest = parser.execute(data as Uint8Array);
      } catch (error) {
        letGo(self, socket);
        socket._hadError = true;
        socket.on("error", () => undefined).destroy();
        fail(self, error as Error);
        loop.nextTick(() => close(self));
        return;
      }
      if (!rest) return;
      letGo(self, socket);
      if (self.timeout) socket.setTimeout(0);
      socket.emit("agentRemove");
      socket._httpMessage = null;
      const event = self.method === "CONNECT" ? "connect" : "upgrade";
      (socket as unknown as { readableFlowing: boolean | null }).readableFlowing = null;
      if (self.listenerCount(event) === 0) socket.destroy();
      else self.emit(event, self.res, socket, Buffer.from(rest));
      self.destroyed = true;
      loop.nextTick(() => close(self));
    };
    const onEnd = (): void => {
      try {
        parser.finish();
      } catch {
        // Cut short: the close says so, as an error of the response or of the request.
      }
      if (!self.res && !own.error && !socket._hadError) {
        socket._hadError = true;
        fail(self, resetError("socket hang up"));
      }
      socket.end();
    };
    const onClose = (): void => {
      const { res } = self;
      self.destroyed = true;
      if (res) {
        if (!res.complete) res.destroy(resetError("aborted"));
        close(self);
        if (!res.aborted && res.readable) res.push(null);
        return;
      }
      if (!socket._hadError) {
        socket._hadError = true;
        fail(self, own.error ?? resetError("socket hang up"));
      }
      close(self);
    };
    const onDrain = (): void => {
      if (!self.finished && self._needDrain) {
        self._needDrain = false;
        self.emit("drain");
      }
    };
    const onTimeout = (): void => void self.emit("timeout");
    own.listening = [["error", onError], ["data", onData], ["end", onEnd], ["close", onClose], ["drain", onDrain], ["timeout", onTimeout]];
    for (const [event, listener] of own.listening) socket.on(event, listener);
    socket._hadError = false;
    if (self.timeout) socket.setTimeout(self.timeout);
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
    else throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "options.agent" property must be one of Agent-like Object, undefined, or false. Received ${typeof options.agent === "object" ? "an instance of Object" : `type ${typeof options.agent} (${String(options.agent)})`}`);
    const expected = agent?.protocol ?? defaultAgent.protocol ?? "http:";
    const { method, path, host } = checkRequest(options, expected);
    const defaultPort = options.defaultPort ?? agent?.defaultPort ?? 80;
    const port = options.port || defaultPort;
    Object.assign(self, { agent, method, path, host, protocol: options.protocol ?? expected, socketPath: options.socketPath, res: null, aborted: false, reusedSocket: false, maxHeadersCount: null, maxHeaderSize: options.maxHeaderSize });
    self[PRIVATE] = { options, error: null, parser: undefined, listening: [], upgraded: false, answered: false, told: false };
    if (options.timeout !== undefined) self.timeout = Number(options.timeout);
    if (done) self.once("response", done);
    self.useChunkedEncodingByDefault = !NO_BODY.has(method);
    self.shouldKeepAlive = agent ? agent.keepAlive || Number.isFinite(agent.maxSockets) : false;
    self._last = !self.shouldKeepAlive;
    const flat = Array.isArray(options.headers);
    if (!flat) for (const [name, value] of Object.entries((options.headers ?? {}) as Dict)) self.setHeader(name, value);
    if (!flat && options.setHost !== false && !self.hasHeader("host")) {
      const shown = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
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
        const own = self(this);
        if (this.destroyed || error || !socket) {
          const why = error ?? own.error ?? resetError("socket hang up");
          // An unused connection of the agent's goes back to it.
          if (socket && !error && this.agent) socket.emit("free");
          else socket?.destroy();
          fail(this, why);
          close(this);
          return;
        }
        attach(this, socket);
      });
    },
    _implicitHeader() {
      if (this._header) throw nodeError(Error, "ERR_HTTP_HEADERS_SENT", "Cannot render headers after they are sent to the client");
      this._storeHeader(`${this.method} ${this.path} HTTP/1.1\r\n`, this[FIELDS]);
    },
    _finish() {
      OutgoingMessage.prototype._finish.call(this);
      // The response may have ended before the request did.
      this.once("finish", () => {
        if (this.shouldKeepAlive && this.res?.complete && this.res.readableEnded) finishExchange(this);
      });
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
      this.errored = error ?? null;
      this.res?._dump();
      self(this).error = error ?? null;
      if (this.socket) this.socket.destroy(error ?? null);
      return this;
    },
    setTimeout(ms: number, done?: AnyFunction) {
      if (this._ended) return this;
      this.timeout = ms;
      if (done) this.once("timeout", done);
      if (this.socket) this.socket.setTimeout(ms);
      return this;
    },
    clearTimeout(done?: AnyFunction) {
      this.setTimeout(0, done);
    },
    setNoDelay: () => undefined,
    setSocketKeepAlive: () => undefined,
  });

  function self(request: ClientRequest): ClientRequest[typeof PRIVATE] {
    return request[PRIVATE];
  }
}
