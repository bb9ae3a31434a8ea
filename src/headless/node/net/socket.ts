// net.Socket over a wire: a Duplex whose back-pressure reaches the other end, with Node's events, errors and timeouts.
// (Over 300 lines: one class, and half of it is what Node lets a program ask a socket.)
import { resolvePath } from "../../posix-path.ts";
import { nodeError, unsupported } from "../errors.ts";
import { Buffer } from "../builtins/buffer.ts";
import { createStream } from "../builtins/stream.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { SOCKET_WINDOW_BYTES } from "../../protocol.ts";
import { isIP, isThisMachine, placeOf, type SocketPlace } from "./address.ts";
import { addressError, type NetError, streamError } from "./errors.ts";
import { netStack } from "./stack.ts";
import type { Wire, WireEvents } from "./wire.ts";

type Done = (error?: Error | null) => void;

/** What this file uses of a Duplex. */
export interface DuplexStream extends Emitter {
  destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  readonly readableEnded: boolean;
  readonly writableLength: number;
  push(chunk: Uint8Array | null): boolean;
  read(size?: number): unknown;
  write(chunk: unknown, ...rest: unknown[]): boolean;
  end(...args: unknown[]): this;
  destroy(error?: Error | null): this;
  pause(): this;
  resume(): this;
}

export interface ConnectOptions {
  readonly port?: number | string;
  readonly host?: string;
  readonly path?: string;
  readonly family?: number;
  readonly lookup?: AnyFunction;
  readonly autoSelectFamily?: boolean;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** `(options)`, `(port, host)` or `(path)`, each with a callback or without: as options and callback. */
export function connectArguments(args: readonly unknown[]): { readonly options: ConnectOptions; readonly done: AnyFunction | undefined } {
  const list = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  const done = list.findLast((x) => typeof x === "function") as AnyFunction | undefined;
  const [first, second] = list;
  if (typeof first === "object" && first !== null) return { options: first as ConnectOptions, done };
  if (typeof first === "string" && Number.isNaN(Number(first))) return { options: { path: first }, done };
  return { options: { port: first as number, ...(typeof second === "string" ? { host: second } : {}) }, done };
}

/** A port number, or Node's error for anything else. */
export function checkPort(port: unknown, name = "Port"): number {
  const number = typeof port === "string" && port.trim() !== "" ? Number(port) : port;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  const shown = typeof port === "number" || typeof port === "string" ? `type ${typeof port} (${typeof port === "string" ? `'${port}'` : port})` : String(port);
  throw nodeError(RangeError, "ERR_SOCKET_BAD_PORT", `${name} should be >= 0 and < 65536. Received ${shown}.`);
}

export type SocketClass = ReturnType<typeof createSocket>;
export type Socket = InstanceType<SocketClass>;

export function createSocket(runtime: Runtime) {
  const { loop } = runtime;
  const { Duplex } = createStream() as unknown as { Duplex: new (options: Dict) => DuplexStream };

  return class Socket extends Duplex {
    connecting = false;
    bytesRead = 0;
    server: unknown = undefined;
    _host: string | null = null;
    timeout: number | undefined;
    remotePlace: SocketPlace | undefined;
    localPlace: SocketPlace | undefined;
    /** Node's handle; programs only look whether it is there. */
    _handle: object | null = null;
    #wire: Wire | undefined;
    #bytesSent = 0;
    #inFlight = 0;
    #untaken = 0;
    #gone = false;
    #hadError = false;
    #reset = false;
    #blocked: (() => void) | undefined;
    #release: (() => void) | undefined;
    #referenced = true;
    #timer: { refresh(): void; close(): void } | undefined;

    constructor(options: Dict | number = {}) {
      const given = typeof options === "number" ? { fd: options } : options;
      if (given["fd"] !== undefined) throw unsupported("new net.Socket({ fd })", "a file descriptor is no connection here");
      super({ allowHalfOpen: given["allowHalfOpen"] === true, emitClose: false, autoDestroy: true, decodeStrings: true, ...(given["signal"] ? { signal: given["signal"] } : {}) });
    }

    /** An end that is connected already: a server's. Returns what the wire tells. */
    attach(local: SocketPlace | undefined, remote: SocketPlace | undefined): { events: WireEvents; use(wire: Wire): void } {
      this.localPlace = local;
      this.remotePlace = remote;
      return { events: this.#events(), use: (wire) => this.#open(wire) };
    }

    connect(...args: unknown[]): this {
      const { options, done } = connectArguments(args);
      const path = options.path ?? undefined;
      if (path === undefined && options.port === undefined) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "options" or "port" or "path" argument must be specified');
      const port = path === undefined ? checkPort(options.port) : 0;
      if (done) this.once("connect", done);
      this.connecting = true;
      this._handle = {};
      this.#hold();
      if (path !== undefined) loop.nextTick(() => this.#dial(path, -1));
      else this.#lookUp(options, port);
      return this;
    }

    #lookUp(options: ConnectOptions, port: number): void {
      const host = options.host ?? "localhost";
      this._host = host;
      if (isIP(host) !== 0) return loop.nextTick(() => this.#dial(host, port));
      const all = options.autoSelectFamily !== false && options.family !== 4 && options.family !== 6;
      const lookup = options.lookup ?? (runtime.builtin("dns")["lookup"] as AnyFunction);
      lookup(host, { family: options.family, hints: 0, ...(all ? { all } : {}) }, (error: Error | null, found: unknown, family: unknown) => {
        if (this.destroyed) return;
        const list = (Array.isArray(found) ? found : [{ address: found, family }]) as { address?: string; family?: number }[];
        const [first] = list;
        this.emit("lookup", error, first?.address, first?.family, host);
        if (error) return void this.destroy(Object.assign(error, {}));
        if (!first?.address) return void this.destroy(addressError("ENOENT", "connect", host, port));
        this.#dial(first.address, port);
      });
    }

    #dial(address: string, port: number): void {
      if (this.destroyed) return;
      if (port >= 0) this.emit("connectionAttempt", address, port, isIP(address));
      const fail = (code: string): void => void this.destroy(addressError(code, "connect", address, port));
      if (port >= 0 && !isThisMachine(address)) return loop.post(() => fail("ENETUNREACH"));
      const { wire, localPort } = netStack(runtime).connect(port < 0 ? resolvePath(address, runtime.cwd) : port, {
        ...this.#events(),
        connected: () => {
          if (this.destroyed) return;
          this.connecting = false;
          if (port >= 0) {
            this.remotePlace = placeOf(address, port);
            this.localPlace = placeOf(address === "::" ? "::1" : address === "0.0.0.0" ? "127.0.0.1" : address, localPort);
          }
          this.emit("connect");
          this.emit("ready");
          if (!this.destroyed) this.read(0);
        },
        failed: (code) => {
          this.#wire = undefined;
          if (!this.destroyed) fail(code);
        },
      });
      this.#wire = wire;
    }

    #open(wire: Wire): void {
      this.#wire = wire;
      this._handle = {};
      this.#hold();
    }

    #events(): WireEvents {
      return {
        data: (bytes) => {
          if (this.destroyed) return;
          this.bytesRead += bytes.length;
          this.#active();
          if (this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) this.#wire?.take(bytes.length);
          else this.#untaken += bytes.length;
        },
        taken: (bytes) => {
          this.#inFlight -= bytes;
          this.#active();
          if (this.#inFlight < SOCKET_WINDOW_BYTES) this.#unblock();
        },
        ended: () => this.#ended(),
        closed: (reset) => {
          this.#gone = true;
          this.#wire = undefined;
          this.#reset ||= reset;
          if (this.destroyed) return;
          if (reset) return void this.destroy(streamError("ECONNRESET", "read"));
          this.#ended();
          this.#unblock();
        },
      };
    }

    #ended(): void {
      if (this.destroyed || this.readableEnded) return;
      this.push(null);
      this.read(0);
    }

    #unblock(): void {
      const go = this.#blocked;
      this.#blocked = undefined;
      go?.();
    }

    _read(): void {
      if (this.#untaken === 0) return;
      this.#wire?.take(this.#untaken);
      this.#untaken = 0;
    }

    _write(chunk: Uint8Array, _encoding: string, done: Done): void {
      if (this.connecting) return void this.once("connect", () => this._write(chunk, _encoding, done));
      if (this.#gone || !this.#wire) return done(streamError("EPIPE", "write"));
      this.#active();
      this.#bytesSent += chunk.length;
      this.#pump(chunk, 0, done);
    }

    /** Sends as much as may be on its way, the rest when the other side has taken some. */
    #pump(chunk: Uint8Array, from: number, done: Done): void {
      if (this.#gone || !this.#wire) return done(streamError("EPIPE", "write"));
      const room = Math.max(0, SOCKET_WINDOW_BYTES - this.#inFlight);
      // Not `slice`: a Buffer's shares its memory.
      const piece = Uint8Array.prototype.slice.call(chunk, from, from + room);
      if (piece.length > 0) {
        this.#inFlight += piece.length;
        this.#wire.send(piece);
      }
      const next = from + piece.length;
      if (next >= chunk.length) done();
      else this.#blocked = () => this.#pump(chunk, next, done);
    }

    _final(done: Done): void {
      if (this.connecting) return void this.once("connect", () => this._final(done));
      this.#wire?.end();
      done();
    }

    _destroy(error: Error | null, done: Done): void {
      this.connecting = false;
      this.#hadError = error !== null;
      this.#timer?.close();
      this.#timer = undefined;
      this.#wire?.close(this.#reset);
      this.#wire = undefined;
      this._handle = null;
      done(error);
      const { server } = this as { server?: { connectionClosed?(): void } };
      loop.post(() => {
        this.#release?.();
        this.#release = undefined;
        this.emit("close", this.#hadError);
        server?.connectionClosed?.();
      });
    }

    #hold(): void {
      if (this.#referenced) this.#release ??= loop.hold();
    }

    #active(): void {
      this.#timer?.refresh();
    }

    _unrefTimer(): void {
      this.#active();
    }

    setTimeout(ms: number, done?: AnyFunction): this {
      this.timeout = ms;
      this.#timer?.close();
      this.#timer = undefined;
      if (ms > 0) {
        const start = runtime.builtin("timers")["setTimeout"] as (run: () => void, ms: number) => { refresh(): void; close(): void; unref(): void };
        const timer = start(() => this._onTimeout(), ms);
        timer.unref();
        this.#timer = timer;
        if (done) this.once("timeout", done);
      } else if (done) this.off("timeout", done);
      return this;
    }

    _onTimeout(): void {
      this.emit("timeout");
    }

    setNoDelay(): this {
      return this;
    }

    setKeepAlive(): this {
      return this;
    }

    ref(): this {
      this.#referenced = true;
      if (this._handle) this.#hold();
      return this;
    }

    unref(): this {
      this.#referenced = false;
      this.#release?.();
      this.#release = undefined;
      return this;
    }

    destroySoon(): void {
      if (!this.writableEnded) this.end();
      if (this.writableFinished) this.destroy();
      else this.once("finish", () => void this.destroy());
    }

    resetAndDestroy(): this {
      this.#reset = true;
      if (this.connecting) this.once("connect", () => void this.destroy());
      else this.destroy(this.#wire ? undefined : nodeError(Error, "ERR_SOCKET_CLOSED", "Socket is closed"));
      return this;
    }

    address(): SocketPlace | Record<string, never> {
      return this.localPlace ?? {};
    }

    get pending(): boolean {
      return !this._handle || this.connecting;
    }

    get readyState(): string {
      if (this.connecting) return "opening";
      const reads = !this.destroyed && !this.readableEnded && this._handle !== null;
      const writes = !this.destroyed && !this.writableEnded && this._handle !== null;
      return reads ? (writes ? "open" : "readOnly") : writes ? "writeOnly" : "closed";
    }

    get bytesWritten(): number {
      return this.#bytesSent + (this.destroyed ? 0 : this.writableLength);
    }

    get _bytesDispatched(): number {
      return this.#bytesSent;
    }

    get bufferSize(): number {
      return this.writableLength;
    }

    get remoteAddress(): string | undefined {
      return this.remotePlace?.address;
    }

    get remotePort(): number | undefined {
      return this.remotePlace?.port;
    }

    get remoteFamily(): string | undefined {
      return this.remotePlace?.family;
    }

    get localAddress(): string | undefined {
      return this.localPlace?.address;
    }

    get localPort(): number | undefined {
      return this.localPlace?.port;
    }

    get localFamily(): string | undefined {
      return this.localPlace?.family;
    }
  };
}

export type { NetError };
