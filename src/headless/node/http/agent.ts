// http.Agent: connections to the same place used again, and no more of them than wished.
import { EventEmitter } from "../builtins/events.ts";
import { invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import type { Outgoing } from "./outgoing.ts";
import type { HttpSocket } from "./response.ts";
import { oldClass, type OldClass } from "./old-class.ts";

export interface AgentRequest extends Outgoing {
  reusedSocket: boolean;
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
  const { loop } = runtime;
  const net = runtime.builtin("net") as { createConnection(options: AgentOptions, done: AnyFunction): HttpSocket };

  const take = (lists: Record<string, unknown[]>, name: string, item: unknown): boolean => {
    const list = lists[name];
    const at = list?.indexOf(item) ?? -1;
    if (!list || at < 0) return false;
    list.splice(at, 1);
    if (list.length === 0) Reflect.deleteProperty(lists, name);
    return true;
  };
  const give = (agent: Agent, request: AgentRequest, socket: HttpSocket): void => {
    if (agent.options.timeout && !(request as { timeout?: number }).timeout) socket.setTimeout(agent.options.timeout);
    request.onSocket(socket);
  };
  /** The socket's request is answered: the next one has it, or it waits, or it closes. */
  const onFree = (agent: Agent, socket: HttpSocket, options: AgentOptions): void => {
    const name = agent.getName(options);
    if (!(socket as unknown as { writable: boolean }).writable) return void socket.destroy();
    const waiting = agent.requests[name];
    const next = waiting?.shift();
    if (waiting?.length === 0) Reflect.deleteProperty(agent.requests, name);
    if (next) {
      give(agent, next, socket);
      return;
    }
    const request = socket._httpMessage;
    socket._httpMessage = null;
    if (!request?.shouldKeepAlive || !agent.keepAlive || (agent.freeSockets[name]?.length ?? 0) >= agent.maxFreeSockets || !agent.keepSocketAlive(socket)) return void socket.destroy();
    take(agent.sockets, name, socket);
    (agent.freeSockets[name] ??= []).push(socket);
  };
  const install = (agent: Agent, socket: HttpSocket, options: AgentOptions): void => {
    const free = (): void => void agent.emit("free", socket, options);
    const timeout = (): void => {
      if (agent.freeSockets[agent.getName(options)]?.includes(socket)) socket.destroy();
    };
    const leave = (): void => {
      agent.totalSocketCount--;
      agent.removeSocket(socket, options);
      for (const [event, listener] of [["free", free], ["close", leave], ["timeout", timeout], ["agentRemove", leave]] as const) socket.off(event, listener);
    };
    for (const [event, listener] of [["free", free], ["close", leave], ["timeout", timeout], ["agentRemove", leave]] as const) socket.on(event, listener);
  };

  return oldClass<Agent>("Agent", EventEmitter as unknown as { readonly prototype: object }, (self, [given]) => {
    (EventEmitter as unknown as AnyFunction).call(self);
    if (given !== undefined && given !== null && typeof given !== "object") throw invalidArgType("options", "Object", given);
    const options = { path: null, ...(given as AgentOptions | undefined) } as AgentOptions;
    const number = (name: string, fallback: number): number => (typeof options[name] === "number" ? options[name] : fallback);
    Object.assign(self, {
      defaultPort: 80, protocol: "http:", options: { noDelay: true, ...options }, requests: Object.create(null), sockets: Object.create(null), freeSockets: Object.create(null),
      keepAlive: options["keepAlive"] === true, keepAliveMsecs: number("keepAliveMsecs", 1000), maxSockets: number("maxSockets", Infinity), maxFreeSockets: number("maxFreeSockets", 256),
      maxTotalSockets: number("maxTotalSockets", Infinity), scheduling: options["scheduling"] ?? "lifo", totalSocketCount: 0,
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
      const asked = typeof given === "string" ? { host: given, port, localAddress } as AgentOptions : given;
      const options: AgentOptions = { ...asked, ...this.options, ...(asked.socketPath ? { path: asked.socketPath } : {}) };
      const name = this.getName(options);
      const free = (this.freeSockets[name] ?? []).filter((socket) => !socket.destroyed && (socket as unknown as { writable: boolean }).writable);
      const socket = this.scheduling === "fifo" ? free.shift() : free.pop();
      if (socket) {
        if (free.length === 0) Reflect.deleteProperty(this.freeSockets, name);
        else this.freeSockets[name] = free;
        (this.sockets[name] ??= []).push(socket);
        this.reuseSocket(socket, request);
        give(this, request, socket);
        return;
      }
      Reflect.deleteProperty(this.freeSockets, name);
      if ((this.sockets[name]?.length ?? 0) >= this.maxSockets || this.totalSocketCount >= this.maxTotalSockets) {
        (this.requests[name] ??= []).push(request);
        (request as unknown as { agentOptions?: AgentOptions }).agentOptions = options;
        return;
      }
      this.createSocket(request, options, (error, made) => {
        if (error || !made) request.onSocket(null, error ?? null);
        else give(this, request, made);
      });
    },
    createSocket(request: AgentRequest, given: AgentOptions, done: (error: Error | null, socket?: HttpSocket) => void) {
      const options: AgentOptions = { ...given, ...this.options, ...(given.socketPath ? { path: given.socketPath } : {}) };
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
      void request;
      const socket = this.createConnection(options, created as AnyFunction);
      if (socket) created(null, socket);
    },
    removeSocket(socket: HttpSocket, options: AgentOptions) {
      const name = this.getName(options);
      take(this.sockets, name, socket);
      take(this.freeSockets, name, socket);
      const [next] = this.requests[name] ?? [];
      if (!next || (this.sockets[name]?.length ?? 0) >= this.maxSockets) return;
      take(this.requests as Record<string, unknown[]>, name, next);
      loop.nextTick(() => this.addRequest(next, (next as unknown as { agentOptions?: AgentOptions }).agentOptions ?? options));
    },
    keepSocketAlive(socket: HttpSocket) {
      socket.setKeepAlive();
      socket.unref();
      if (this.options.timeout) socket.setTimeout(this.options.timeout);
      return true;
    },
    reuseSocket(socket: HttpSocket, request: AgentRequest) {
      request.reusedSocket = true;
      socket.ref();
    },
    destroy() {
      for (const lists of [this.freeSockets, this.sockets]) for (const list of Object.values(lists)) for (const socket of list) socket.destroy();
    },
  });
}
