// net.Server: listening on a port of the container's one machine, and the connections that come of it.
import { resolvePath } from "../../posix-path.ts";
import { REJECTION } from "../builtins/event-emitter.ts";
import { invalidArgType, invalidArgValue, nodeError, unsupported } from "../errors.ts";
import { EventEmitter } from "../builtins/events.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { isIP, isThisMachine, placeOf, type SocketPlace } from "./address.ts";
import { adopting } from "./callable.ts";
import { addressError, type NetError } from "./errors.ts";
import { checkPort } from "./connect-options.ts";
import type { Socket, SocketClass } from "./socket.ts";
import { type Listening, netStack } from "./stack.ts";
import type { Wire, WireEvents } from "./wire.ts";

interface ListenOptions {
  readonly port?: number | string;
  readonly host?: string;
  readonly path?: string;
  readonly fd?: number;
  readonly signal?: AbortSignal;
}

function listenArguments(args: readonly unknown[]): { readonly options: ListenOptions; readonly done: AnyFunction | undefined } {
  const done = args.findLast((x) => typeof x === "function") as AnyFunction | undefined;
  const [first, second] = args;
  if (first === undefined || first === null || typeof first === "function") return { options: { port: 0 }, done };
  if (typeof first === "object") return { options: first as ListenOptions, done };
  if (typeof first === "string" && Number.isNaN(Number(first))) return { options: { path: first }, done };
  if (typeof first !== "number" && typeof first !== "string") throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'options' is invalid. Received ${String(first)}`);
  return { options: { port: first, ...(typeof second === "string" ? { host: second } : {}) }, done };
}

function checkListen(given: unknown): void {
  if (typeof given === "boolean" || typeof given === "bigint" || typeof given === "symbol") throw invalidArgValue("options", { port: given });
  if (typeof given !== "object" || given === null) return;
  const { port, path, fd, signal, _handle } = given as Dict;
  if (signal !== undefined && !(typeof signal === "object" && signal !== null && "aborted" in signal)) throw invalidArgType("options.signal", "AbortSignal", signal);
  if (port !== undefined && port !== null && typeof port !== "number" && typeof port !== "string") throw invalidArgValue("options", given);
  if (port !== undefined || typeof path === "string" || typeof fd === "number" || _handle) return;
  // A port that is undefined is any; one that is not there at all is forgotten.
  if (!("port" in given || "path" in given)) throw invalidArgValue("options", given, 'must have the property "port" or "path"');
  if (!("port" in given)) throw invalidArgValue("options", given);
}

export type ServerClass = ReturnType<typeof createServerClass>;
export type Server = InstanceType<ServerClass>;

export function createServerClass(runtime: Runtime, Socket: SocketClass) {
  const { loop } = runtime;

  return class Server extends adopting(EventEmitter as unknown as new (options?: object) => Emitter) {
    allowHalfOpen: boolean;
    pauseOnConnect: boolean;
    noDelay: boolean;
    keepAlive: boolean;
    keepAliveInitialDelay: number;
    maxConnections: number | undefined;
    _connections = 0;
    /** Node's handle; programs only look whether it is there. */
    _handle: object | null = null;
    #listening: Listening | undefined;
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
      this.keepAliveInitialDelay = Math.trunc(Number(options["keepAliveInitialDelay"]) || 0);
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
      checkListen(args[0]);
      const { options, done } = listenArguments(args);
      if (this._handle) throw nodeError(Error, "ERR_SERVER_ALREADY_LISTEN", "Listen method has been called more than once without closing.");
      if (done) this.once("listening", done);
      const { signal } = options;
      if (signal?.aborted) loop.nextTick(() => void this.close());
      else signal?.addEventListener("abort", () => void this.close(), { once: true });
      if (options.fd !== undefined) throw unsupported("net.Server.listen({ fd })", "a file descriptor is no server here");
      if (options.path !== undefined && (options.port === undefined || options.port === null)) {
        this.#bind(options.path, -1);
        return this;
      }
      const port = options.port === undefined || options.port === null ? 0 : checkPort(options.port, "options.port");
      const { host } = options;
      if (host === undefined || host === "" || isIP(host) !== 0) this.#bind(host || "::", port);
      else {
        (runtime.builtin("dns")["lookup"] as AnyFunction)(host, (error: NetError | null, address: string) => {
          if (error) this.emit("error", error);
          else this.#bind(address, port);
        });
      }
      return this;
    }

    #bind(host: string, port: number): void {
      this.#host = host;
      const fail = (code: string): void => {
        this._handle = null;
        this.#listening = undefined;
        this.#letGo();
        this.emit("error", addressError(code, "listen", host, port < 0 ? undefined : port));
      };
      if (port >= 0 && !isThisMachine(host)) return loop.nextTick(() => fail("EADDRNOTAVAIL"));
      // Listening is a matter of an instant in Node, whether the server counts or not: the answer is always waited for.
      this.#awaited = loop.hold();
      const listening = netStack(runtime).listen(port < 0 ? resolvePath(host, runtime.cwd) : port, {
        listening: () => {
          this.#answered();
          if (this.#listening !== listening) return;
          this.emit("listening");
        },
        failed: (code) => {
          this.#answered();
          if (this.#listening === listening) fail(code);
        },
        connection: (accept, remotePort) => this.#accept(accept, remotePort),
      });
      if (!listening) {
        this.#answered();
        return loop.nextTick(() => fail("EADDRINUSE"));
      }
      this.#listening = listening;
      this._handle = {};
      if (this.#referenced) this.#release = loop.hold();
    }

    #answered(): void {
      this.#awaited?.();
      this.#awaited = undefined;
    }

    #accept(accept: (events: WireEvents) => Wire, remotePort: number): void {
      const seen = this.#host === "::" ? "::ffff:127.0.0.1" : this.#host === "0.0.0.0" ? "127.0.0.1" : this.#host;
      const address = this.#listening?.address;
      const local = typeof address === "number" ? placeOf(seen, address) : undefined;
      const remote = local ? placeOf(seen, remotePort) : undefined;
      const socket: Socket = new Socket({ allowHalfOpen: this.allowHalfOpen });
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
      if (this.noDelay) socket.setNoDelay(true);
      if (this.keepAlive) socket.setKeepAlive(true, this.keepAliveInitialDelay);
      this.emit("connection", socket);
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
      this.#answered(); // none comes any more
      this.#listening?.close();
      this.#listening = undefined;
      this.#letGo();
      this.#closeWhenEmpty();
      return this;
    }

    #closeWhenEmpty(): void {
      if (this._handle || this._connections > 0) return;
      loop.nextTick(() => void this.emit("close"));
    }

    #letGo(): void {
      this.#release?.();
      this.#release = undefined;
    }

    address(): SocketPlace | string | null {
      if (!this.#listening) return null;
      const { address } = this.#listening;
      return typeof address === "string" ? this.#host : placeOf(this.#host, address);
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
