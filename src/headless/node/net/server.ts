// net.Server: listening on a port of the container's one machine, and the connections that come of it.
import { parentPath, resolvePath } from "../../posix-path.ts";
import { closeHandle, openHandle } from "../active-resources.ts";
import { channelOf } from "../channels.ts";
import { REJECTION } from "../builtins/event-emitter.ts";
import { invalidArgType, invalidArgValue, nodeError, unsupported } from "../errors.ts";
import { EventEmitter } from "../builtins/events.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import type { NetAddress } from "../../protocol.ts";
import { isIP, isThisMachine, placeOf, type SocketPlace } from "./address.ts";
import { adopting } from "./callable.ts";
import { addressError, type NetError } from "./errors.ts";
import { checkPort } from "./connect-options.ts";
import type { Socket, SocketClass } from "./socket.ts";
import { type Listening, netStack } from "./stack.ts";
import type { Wire, WireEvents } from "./wire.ts";

const isPath = (value: unknown): value is string => typeof value === "string" && !(Number(value) >= 0);

/** `(options)`, `(path)` or `(port, host)`, each with a callback or without. */
function listenArguments(args: readonly unknown[]): { readonly options: Dict; readonly done: AnyFunction | undefined } {
  const last = args.at(-1);
  const done = typeof last === "function" ? (last as AnyFunction) : undefined;
  const [first, second] = args;
  if (args.length === 0 || typeof first === "function") return { options: { port: 0 }, done };
  if (typeof first === "object" && first !== null) return { options: first as Dict, done };
  return { options: isPath(first) ? { path: first } : { port: first, ...(typeof second === "string" ? { host: second } : {}) }, done };
}

/** Where to listen: a port that is there and undefined is any free one, and goes before a path. */
function listenPlace(options: Dict): { readonly port: number; readonly host: unknown } | { readonly path: string } {
  const { port, host, path } = options;
  if (port === null || (port === undefined && "port" in options)) return { port: 0, host };
  if (typeof port === "number" || typeof port === "string") return { port: checkPort(port, "options.port"), host };
  if (isPath(path) && path !== "") return { path };
  if ("port" in options || "path" in options) throw invalidArgValue("options", options);
  throw invalidArgValue("options", options, 'must have the property "port" or "path"');
}

/** Takes a connection. */
export type Sharer = (accept: (events: WireEvents) => Wire, remotePort: number) => void;

const ignore = (): void => undefined;

export type ServerClass = ReturnType<typeof createServerClass>;
export type Server = InstanceType<ServerClass>;

export function createServerClass(runtime: Runtime, Socket: SocketClass) {
  const { loop } = runtime;
  const connected = channelOf(runtime, "net.server.socket");
  const listens = { asyncStart: channelOf(runtime, "tracing:net.server.listen:asyncStart"), asyncEnd: channelOf(runtime, "tracing:net.server.listen:asyncEnd"), error: channelOf(runtime, "tracing:net.server.listen:error") };

  return class Server extends adopting(EventEmitter as unknown as new (options?: object) => Emitter) {
    allowHalfOpen: boolean;
    pauseOnConnect: boolean;
    noDelay: boolean;
    keepAlive: boolean;
    /** Seconds, as Node keeps it. */
    keepAliveInitialDelay: number;
    maxConnections: number | undefined;
    _connections = 0;
    /** Node's handle; programs only look whether it is there. */
    _handle: object | null = null;
    _connectionKey: string | undefined;
    #listening: Listening | undefined;
    /** Other processes that have this server, too: each takes connections in turn. */
    readonly #sharers: Sharer[] = [];
    #turn = 0;
    /** Node's list of them. */
    readonly _workers: readonly unknown[] = [];
    /** How often it was asked to listen or to close: who looks up a host listens only if it was the last. */
    #asked = 0;
    #host = "::";
    #referenced = true;
    /** Until `listen` is answered. */
    #awaited: (() => void) | undefined;
    #release: (() => void) | undefined;

    constructor(first?: Dict | AnyFunction, second?: AnyFunction) {
      super(typeof first === "object" && first !== null && first["captureRejections"] !== undefined ? { captureRejections: first["captureRejections"] } : undefined);
      const options = typeof first === "object" && first !== null ? first : {};
      const onConnection = typeof first === "function" ? first : second;
      if (first !== undefined && first !== null && typeof first !== "object" && typeof first !== "function") throw invalidArgType("options", "Object", first);
      this.allowHalfOpen = options["allowHalfOpen"] === true;
      this.pauseOnConnect = options["pauseOnConnect"] === true;
      this.noDelay = Boolean(options["noDelay"]);
      this.keepAlive = Boolean(options["keepAlive"]);
      this.keepAliveInitialDelay = Math.trunc(Math.max(0, Number(options["keepAliveInitialDelay"]) || 0) / 1000);
      if (onConnection) this.on("connection", onConnection);
    }

    /** What a listener's promise failed with: the connection pays for its own. */
    [REJECTION](error: unknown, event: string, ...args: unknown[]): void {
      if (event === "connection") (args[0] as { destroy(error: unknown): void }).destroy(error);
      else this.emit("error", error);
    }

    get listening(): boolean {
      return this._handle !== null;
    }

    listen(...args: unknown[]): this {
      const { options, done } = listenArguments(args);
      if (this._handle) throw nodeError(Error, "ERR_SERVER_ALREADY_LISTEN", "Listen method has been called more than once without closing.");
      listens.asyncStart.publish({ server: this, options });
      if (done) this.once("listening", done);
      this.#closeOnAbort(options["signal"]);
      const { fd } = options;
      if (typeof fd === "number" && fd >= 0) throw unsupported("net.Server.listen({ fd })", "a file descriptor is no server here");
      const place = listenPlace(options);
      const asked = ++this.#asked;
      if ("path" in place) this.#bind(place.path, -1);
      else if (!place.host || isIP(place.host) !== 0) this.#bind(String(place.host || "::"), place.port);
      else {
        (runtime.builtin("dns")["lookup"] as AnyFunction)(place.host, (error: NetError | null, address: string) => {
          if (asked !== this.#asked) return;
          if (error) this.emit("error", error);
          else this.#bind(address, place.port);
        });
      }
      return this;
    }

    #closeOnAbort(signal: unknown): void {
      if (signal === undefined) return;
      if (!(typeof signal === "object" && signal !== null && "aborted" in signal)) throw invalidArgType("options.signal", "AbortSignal", signal);
      if (signal.aborted) loop.nextTick(() => void this.close());
      else (signal as AbortSignal).addEventListener("abort", () => void this.close(), { once: true });
    }

    #bind(host: string, port: number): void {
      this.#host = host;
      const fail = (code: string): void => {
        this._handle = null;
        this.#listening = undefined;
        this.#letGo();
        const error = addressError(code, "listen", host, port);
        listens.error.publish({ server: this, error });
        loop.nextTick(() => void this.emit("error", error));
      };
      this._connectionKey = `${port < 0 ? -1 : isIP(host)}:${host}:${port}`;
      if (port < 0 && runtime.vfs.find(parentPath(resolvePath(host, runtime.cwd)))?.kind !== "dir") return fail("EACCES");
      if (port >= 0 && !isThisMachine(host)) return fail("EADDRNOTAVAIL");
      // Listening is a matter of an instant in Node, whether the server counts or not: the answer is always waited for.
      this.#awaited = loop.hold();
      const listening = netStack(runtime).listen(port < 0 ? resolvePath(host, runtime.cwd) : port, {
        listening: () => {
          this.#answered();
          if (this.#listening !== listening) return;
          listens.asyncEnd.publish({ server: this });
          this.emit("listening");
        },
        failed: (code) => {
          this.#answered();
          if (this.#listening === listening) fail(code);
        },
        connection: (accept, remotePort) => this.#deal(accept, remotePort),
      });
      if (!listening) {
        this.#answered();
        return fail("EADDRINUSE");
      }
      this.#opened(listening);
    }

    #answered(): void {
      this.#awaited?.();
      this.#awaited = undefined;
    }

    /** Connections go to `sharer` as well from now on. Where it listens; undefined when it does not. */
    share(sharer: Sharer): { readonly host: string; readonly address: NetAddress } | undefined {
      if (!this.#listening) return undefined;
      this.#sharers.push(sharer);
      return { host: this.#host, address: this.#listening.address };
    }

    /** It takes no more. When all are gone and this server is closed, nobody listens. */
    unshare(sharer: Sharer): void {
      const at = this.#sharers.indexOf(sharer);
      if (at >= 0) this.#sharers.splice(at, 1);
      if (!this._handle) this.#stop();
    }

    /** Another process's server, which hands its connections over at `address`. */
    adopt(address: string, place: { readonly host: string; readonly address: NetAddress }, closed: () => void): void {
      this.#host = place.host;
      const listening = netStack(runtime).listen(address, { listening: ignore, failed: ignore, connection: (accept, remotePort) => this.#accept(accept, remotePort) });
      const close = (): void => {
        listening?.close();
        closed();
      };
      this.#opened(listening && { address: place.address, close });
    }

    #opened(listening: Listening | undefined): void {
      this.#listening = listening;
      if (!listening) return;
      this._handle = {};
      openHandle(runtime, this, typeof listening.address === "string" ? "PipeServerWrap" : "TCPServerWrap", () => this.#referenced);
      if (this.#referenced) this.#release = loop.hold();
    }

    /** Whose turn it is. */
    #deal(accept: (events: WireEvents) => Wire, remotePort: number): void {
      const takers = this.#sharers.length + (this._handle ? 1 : 0);
      const sharer = takers === 0 ? undefined : this.#sharers[this.#turn++ % takers];
      if (sharer) sharer(accept, remotePort);
      else this.#accept(accept, remotePort);
    }

    #stop(): void {
      if (this.#sharers.length > 0) return;
      this.#listening?.close();
      this.#listening = undefined;
    }

    #accept(accept: (events: WireEvents) => Wire, remotePort: number): void {
      const seen = this.#host === "::" ? "::ffff:127.0.0.1" : this.#host === "0.0.0.0" ? "127.0.0.1" : this.#host;
      const address = this.#listening?.address;
      const local = typeof address === "number" ? placeOf(seen, address) : undefined;
      const remote = local ? placeOf(seen, remotePort) : undefined;
      const { allowHalfOpen, noDelay, keepAlive, keepAliveInitialDelay } = this;
      const socket: Socket = new Socket({ allowHalfOpen, pauseOnCreate: this.pauseOnConnect, noDelay, keepAlive, keepAliveInitialDelay: keepAliveInitialDelay * 1000 });
      const { events, use } = socket.attach(local, remote);
      const wire = accept(events);
      if (!this._handle || (this.maxConnections && this._connections >= this.maxConnections)) {
        if (this._handle) this.emit("drop", { localAddress: local?.address, localPort: local?.port, localFamily: local?.family, remoteAddress: remote?.address, remotePort: remote?.port, remoteFamily: remote?.family });
        wire.close(false);
        return;
      }
      use(wire);
      this._connections++;
      socket.server = this;
      if (this.pauseOnConnect) socket.pause();
      this.emit("connection", socket);
      connected.publish({ socket });
      if (!this.pauseOnConnect && !socket.destroyed) socket.read(0);
    }

    /** A socket of this server has closed. */
    connectionClosed(): void {
      this._connections--;
      this.#closeWhenEmpty();
    }

    close(done?: AnyFunction): this {
      if (typeof done === "function") {
        if (this._handle) this.once("close", done);
        else this.once("close", () => void done(nodeError(Error, "ERR_SERVER_NOT_RUNNING", "Server is not running.")));
      }
      this._handle = null;
      this.#asked++;
      this.#answered(); // none comes any more
      this.#stop();
      this.#letGo();
      this.#closeWhenEmpty();
      return this;
    }

    #closeWhenEmpty(): void {
      if (this._handle || this._connections > 0) return;
      loop.nextTick(() => void this.emit("close"));
    }

    #letGo(): void {
      if (!this._handle) closeHandle(runtime, this);
      this.#release?.();
      this.#release = undefined;
    }

    address(): SocketPlace | string | null {
      if (!this.#listening) return null;
      const { address } = this.#listening;
      return typeof address === "string" ? this.#host : placeOf(this.#host, address);
    }

    /** Nothing where it is closed already. */
    async [Symbol.asyncDispose](): Promise<void> {
      if (this._handle) await new Promise<void>((resolve) => void this.close(() => resolve()));
    }

    getConnections(done: AnyFunction): this {
      loop.nextTick(() => void done(null, this._connections));
      return this;
    }

    ref(): this {
      this.#referenced = true;
      if (this._handle) this.#release ??= loop.hold();
      return this;
    }

    unref(): this {
      this.#referenced = false;
      this.#letGo();
      return this;
    }
  };
}
