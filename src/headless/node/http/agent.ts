// http.Agent: connections to the same place used again, and no more of them than wished.
import { EventEmitter } from "../builtins/events.ts";
import { invalidArgType, invalidArgValue, outOfRange } from "../errors.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { isIP } from "../net/address.ts";
import type { Outgoing } from "./outgoing.ts";
import { type HttpSocket, isWritable } from "./response.ts";
import { oldClass, type OldClass } from "./old-class.ts";

/** The name that a certificate would have to bear: agents that programs make read it. */
function serverName({ host }: AgentOptions, request: AgentRequest): string | undefined {
  const field = request.getHeader("host");
  const name = typeof field === "string" ? (/^\[(.*?)\]/.exec(field)?.[1] ?? field.split(":", 1)[0]) : host;
  return isIP(name) === 0 ? name : "";
}

/** What a request that waits for its turn was to be connected to. */
const WISHED = Symbol("options");

export interface AgentRequest extends Outgoing {
  reusedSocket: boolean;
  timeout?: number;
  [WISHED]?: AgentOptions;
  onSocket(socket: HttpSocket | null, error?: Error | null): void;
}
export interface AgentOptions extends Dict {
  readonly host?: string;
  readonly port?: number | string;
  readonly localAddress?: string;
  readonly family?: number;
  readonly socketPath?: string;
  readonly timeout?: number;
}

export interface Agent extends Emitter {
  defaultPort: number;
  protocol: string;
  options: AgentOptions;
  requests: Record<string, AgentRequest[]>;
  sockets: Record<string, HttpSocket[]>;
  freeSockets: Record<string, HttpSocket[]>;
  keepAlive: boolean;
  keepAliveMsecs: number;
  maxSockets: number;
  maxFreeSockets: number;
  maxTotalSockets: number;
  scheduling: string;
  totalSocketCount: number;
  getName(options?: AgentOptions): string;
  addRequest(request: AgentRequest, options: AgentOptions): void;
  createConnection(options: AgentOptions, done: AnyFunction): HttpSocket | undefined;
  createSocket(request: AgentRequest, options: AgentOptions, done: (error: Error | null, socket?: HttpSocket) => void): void;
  keepSocketAlive(socket: HttpSocket): boolean;
  reuseSocket(socket: HttpSocket, request: AgentRequest): void;
  removeSocket(socket: HttpSocket, options: AgentOptions): void;
  destroy(): void;
}

export function createAgent(runtime: Runtime): OldClass<Agent> {
  const net = runtime.builtin("net") as { createConnection(options: AgentOptions, done: AnyFunction): HttpSocket };

  const take = (lists: Record<string, unknown[]>, name: string, item: unknown): void => {
    const list = lists[name];
    const at = list?.indexOf(item) ?? -1;
    if (!list || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) Reflect.deleteProperty(lists, name);
  };
  const give = (agent: Agent, request: AgentRequest, socket: HttpSocket): void => {
    request.onSocket(socket);
    if (request.timeout !== undefined && request.timeout !== (agent.options.timeout ?? 0)) socket.setTimeout(request.timeout);
  };
  /** A connection that fails while nobody uses it is nobody's error. */
  const onIdleError = function (this: HttpSocket): void {
    this.destroy();
    this.emit("agentRemove");
  } as AnyFunction;
  const everyOption = (agent: Agent, given: AgentOptions, request: AgentRequest): AgentOptions => {
    const options: AgentOptions = { ...given, ...agent.options, ...(given.socketPath ? { path: given.socketPath } : {}) };
    return { ...options, servername: options["servername"] ?? serverName(options, request) };
  };
  /** The socket's request is answered: the next one has it, or it waits, or it closes. */
  const onFree = (agent: Agent, socket: HttpSocket, options: AgentOptions): void => {
    const name = agent.getName(options);
    if (!isWritable(socket)) return void socket.destroy();
    const next = agent.requests[name]?.[0];
    if (next) {
      take(agent.requests as Record<string, unknown[]>, name, next);
      give(agent, next, socket);
      return;
    }
    const request = socket._httpMessage;
    const idle = agent.freeSockets[name] ?? [];
    const tooMany = idle.length >= agent.maxFreeSockets || agent.totalSocketCount > agent.maxTotalSockets || idle.length + (agent.sockets[name]?.length ?? 0) > agent.maxSockets;
    if (!request?.shouldKeepAlive || !agent.keepAlive || tooMany || !agent.keepSocketAlive(socket)) return void socket.destroy();
    agent.freeSockets[name] = idle;
    socket._httpMessage = null;
    agent.removeSocket(socket, options);
    socket.once("error", onIdleError);
    idle.push(socket);
  };
  const install = (agent: Agent, socket: HttpSocket, options: AgentOptions): void => {
    const timeout = (): void => {
      if (Object.values(agent.freeSockets).some((idle) => idle.includes(socket))) socket.destroy();
    };
    const leave = (): void => {
      agent.totalSocketCount--;
      agent.removeSocket(socket, options);
      for (const [event, listener] of listeners) socket.off(event, listener);
    };
    const listeners = [["free", () => void agent.emit("free", socket, options)], ["close", leave], ["timeout", timeout], ["agentRemove", leave]] as const;
    for (const [event, listener] of listeners) socket.on(event, listener);
  };
  const connect = (agent: Agent, request: AgentRequest, options: AgentOptions): void =>
    agent.createSocket(request, options, (error, made) => {
      if (error || !made) request.onSocket(null, error ?? null);
      else give(agent, request, made);
    });

  return oldClass<Agent>("Agent", EventEmitter as unknown as { readonly prototype: object }, (self, [given]) => {
    (EventEmitter as unknown as AnyFunction).call(self);
    if (given !== undefined && given !== null && typeof given !== "object") throw invalidArgType("options", "Object", given);
    const options = { ...(given as AgentOptions | undefined) } as AgentOptions;
    const number = (name: string, fallback: number): number => (typeof options[name] === "number" ? options[name] : fallback);
    const { maxTotalSockets: total, scheduling } = options as { maxTotalSockets?: unknown; scheduling?: unknown };
    if (total !== undefined && typeof total !== "number") throw invalidArgType("maxTotalSockets", "number", total);
    if (total !== undefined && !(total >= 1)) throw outOfRange("maxTotalSockets", ">= 1", total);
    if (scheduling !== undefined && scheduling !== "fifo" && scheduling !== "lifo") throw invalidArgValue("scheduling", scheduling, "must be one of: 'fifo', 'lifo'");
    Object.assign(self, {
      defaultPort: 80, protocol: "http:", options: Object.assign(Object.create(null), options, { noDelay: options["noDelay"] ?? true, path: null }), requests: Object.create(null), sockets: Object.create(null), freeSockets: Object.create(null),
      keepAlive: options["keepAlive"] === true, keepAliveMsecs: number("keepAliveMsecs", 1000), maxSockets: number("maxSockets", Infinity), maxFreeSockets: number("maxFreeSockets", 256),
      maxTotalSockets: number("maxTotalSockets", Infinity), scheduling: scheduling ?? "lifo", totalSocketCount: 0,
    });
    self.on("free", (socket, socketOptions) => onFree(self, socket as HttpSocket, socketOptions as AgentOptions));
  }, {
    getName(options: AgentOptions = {}) {
      const family = options.family === 4 || options.family === 6 ? `:${options.family}` : "";
      return `${options.host || "localhost"}:${options.port || ""}:${options.localAddress || ""}${family}${options.socketPath ? `:${options.socketPath}` : ""}`;
    },
    createConnection(options: AgentOptions, done: AnyFunction) {
      return net.createConnection(options, done);
    },
    addRequest(request: AgentRequest, given: AgentOptions | string, port?: number, localAddress?: string) {
      const options = everyOption(this, typeof given === "string" ? ({ host: given, port, localAddress } as AgentOptions) : given, request);
      const name = this.getName(options);
      const free = (this.freeSockets[name] ?? []).filter((socket) => !socket.destroyed);
      const socket = this.scheduling === "fifo" ? free.shift() : free.pop();
      if (free.length === 0) Reflect.deleteProperty(this.freeSockets, name);
      else this.freeSockets[name] = free;
      const used = (this.sockets[name] ??= []);
      if (socket) {
        this.reuseSocket(socket, request);
        give(this, request, socket);
        used.push(socket);
      } else if (free.length + used.length < this.maxSockets && this.totalSocketCount < this.maxTotalSockets) connect(this, request, options);
      else {
        (this.requests[name] ??= []).push(request);
        request[WISHED] = options;
      }
    },
    createSocket(request: AgentRequest, given: AgentOptions, done: (error: Error | null, socket?: HttpSocket) => void) {
      const options: AgentOptions = { ...everyOption(this, given, request), encoding: null, ...(this.keepAlive ? { keepAlive: true, keepAliveInitialDelay: this.keepAliveMsecs } : {}) };
      const name = this.getName(options);
      let called = false;
      const created = (error: Error | null, socket?: HttpSocket): void => {
        if (called) return;
        called = true;
        if (error || !socket) return done(error);
        (this.sockets[name] ??= []).push(socket);
        this.totalSocketCount++;
        install(this, socket, options);
        done(null, socket);
      };
      const socket = this.createConnection(options, created as AnyFunction);
      if (socket) created(null, socket);
    },
    removeSocket(socket: HttpSocket, options: AgentOptions) {
      const name = this.getName(options);
      take(this.sockets, name, socket);
      if (!isWritable(socket)) take(this.freeSockets, name, socket);
      // A place is free: for one that waits for the same server, else for one that waits for another and has no connection there.
      const waits = this.requests[name] ? name : Object.keys(this.requests).find((other) => !this.sockets[other]?.length);
      const next = waits === undefined ? undefined : this.requests[waits]?.[0];
      if (!next) return;
      // Whoever comes first, this or a connection that becomes free, takes it from the queue.
      const wished = next[WISHED] ?? options;
      this.createSocket(next, wished, (error, made) => {
        if (error || !made) next.onSocket(null, error ?? null);
        else made.emit("free");
      });
    },
    keepSocketAlive(socket: HttpSocket) {
      socket.setKeepAlive(true, this.keepAliveMsecs);
      socket.unref();
      const said = (socket._httpMessage as { res?: { headers: Record<string, unknown> } } | null)?.res?.headers["keep-alive"];
      const [, seconds] = /^timeout=(\d+)/.exec(String(said)) ?? [];
      let idleMs = this.options.timeout ?? 0;
      if (seconds !== undefined) {
        // To leave before the server closes the connection, which would cost a request.
        const serverMs = Number(seconds) * 1000 - 1000;
        if (serverMs <= 0) return false;
        if (serverMs < idleMs) idleMs = serverMs;
      }
      if (socket.timeout !== idleMs) socket.setTimeout(idleMs);
      return true;
    },
    reuseSocket(socket: HttpSocket, request: AgentRequest) {
      socket.off("error", onIdleError);
      request.reusedSocket = true;
      socket.ref();
    },
    destroy() {
      for (const lists of [this.freeSockets, this.sockets]) for (const list of Object.values(lists)) for (const socket of list) socket.destroy();
    },
  });
}
