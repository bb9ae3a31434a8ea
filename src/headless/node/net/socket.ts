// net.Socket over a wire: a Duplex whose back-pressure reaches the other end, with Node's events, errors and timeouts.
// (Over 300 lines: one class, and half of it is what Node lets a program ask a socket.)
import { resolvePath } from "../../posix-path.ts";
import { closeHandle } from "../active-resources.ts";
import { checkFunction, checkString, invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import { Buffer } from "../builtins/buffer.ts";
import { createStream } from "../builtins/stream.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { SOCKET_WINDOW_BYTES } from "../../protocol.ts";
import { isIP, isThisMachine, placeOf, type SocketPlace } from "./address.ts";
import { timerMs } from "../http/common.ts";
import type { DuplexStream } from "./duplex-stream.ts";
import { addressError, familyError, streamError } from "./errors.ts";
import { type Handle, HandleOptions, openSocket } from "./handle.ts";
import { adopting } from "./callable.ts";
import { ADDRCONFIG } from "./dns.ts";
import { checkConnect, checkPort, connectArguments, type ConnectOptions } from "./connect-options.ts";
import { openDescriptor } from "../later/pipes.ts";
import type { Server } from "./server.ts";
import { netStack } from "./stack.ts";
import { UserBuffer } from "./user-buffer.ts";
import type { Wire, WireEvents } from "./wire.ts";

type Done = (error?: Error | null) => void;

export type SocketClass = ReturnType<typeof createSocket>;
export type Socket = InstanceType<SocketClass>;

export function createSocket(runtime: Runtime) {
  const { loop } = runtime;
  const { Duplex, addAbortSignal } = createStream() as unknown as { Duplex: new (options: Dict) => DuplexStream; addAbortSignal(signal: unknown, stream: object): void };

  return class Socket extends adopting(Duplex) {
    connecting = false;
    bytesRead = 0;
    server: unknown = undefined;
    _host: string | null = null;
    timeout: number | undefined;
    remotePlace: SocketPlace | undefined;
    localPlace: SocketPlace | undefined;
    _handle: object | null = null;
    readonly #handleOptions: HandleOptions;
    readonly #userBuffer: UserBuffer | undefined;
    /** What has come while nobody reads: before a server that pauses has begun, or after an `onread` that said stop. Null is the end. */
    readonly #held: (Uint8Array | null)[] = [];
    #holds: boolean;
    #wire: Wire | undefined;
    /** Who has the connection now, where it was given away. */
    #relay: WireEvents | undefined;
    #bytesSent = 0;
    /** Of those sent, what the stream still counts as its own. */
    #writing = 0;
    #inFlight = 0;
    #untaken = 0;
    #gone = false;
    #hadError = false;
    #closed = false;
    #reset = false;
    #blocked: (() => void) | undefined;
    /** As in Node, a connection keeps its process alive while it reads or has something to send: not when its buffer is full or the other side has ended. */
    #reading = false;
    #release: (() => void) | undefined;
    #referenced = true;
    #timer: { refresh(): void; close(): void } | undefined;

    constructor(options: Dict | number = {}) {
      const given = typeof options === "number" ? { fd: options } : options;
      const { signal, highWaterMark, readableHighWaterMark, writableHighWaterMark } = given;
      super({ allowHalfOpen: given["allowHalfOpen"] === true, emitClose: false, autoDestroy: true, decodeStrings: true, highWaterMark, readableHighWaterMark, writableHighWaterMark });
      for (const name of ["objectMode", "readableObjectMode", "writableObjectMode"]) if (given[name]) throw invalidArgValue(`options.${name}`, given[name], "is not supported");
      this.allowHalfOpen = given["allowHalfOpen"] === true;
      this.#handleOptions = new HandleOptions(given);
      this.#userBuffer = UserBuffer.of(given["onread"], this);
      this.#holds = given["pauseOnCreate"] === true;
      if (given["fd"] !== undefined) openDescriptor(runtime, this, given);
      // Not by the parent: a signal that has been aborted already destroys at once.
      if (signal) addAbortSignal(signal, this);
      // When the other side has ended the connection, a write after the own end says so.
      this.on("end", () => {
        if (!this.allowHalfOpen) this.write = (chunk: unknown, ...rest: unknown[]) => this.#writeAfterEnd(chunk, rest);
      });
    }

    #writeAfterEnd(chunk: unknown, rest: unknown[]): boolean {
      if (!this.writableEnded) return super.write(chunk, ...rest);
      const error = Object.assign(new Error("This socket has been ended by the other party"), { code: "EPIPE" });
      const done = rest.find((x) => typeof x === "function") as AnyFunction | undefined;
      if (done) loop.nextTick(() => void done(error));
      this.destroy(error);
      return false;
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
      if (path !== undefined) checkString(path, "options.path");
      else if (typeof options.port !== "number" && typeof options.port !== "string") throw invalidArgType("options.port", ["number", "string"], options.port);
      const port = path === undefined ? checkPort(options.port) : 0;
      checkConnect(options as Dict);
      if (options.timeout) this.setTimeout(options.timeout);
      if (options.noDelay) this.setNoDelay(true);
      if (done) this.once("connect", done);
      this.#startAnew();
      if (this.destroyed) return this;
      this.connecting = true;
      this._handle = openSocket(runtime, this, path === undefined, () => this.#referenced);
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
      const hints = options.hints || (options.family === 4 || options.family === 6 ? 0 : ADDRCONFIG);
      lookup(host, { family: options.family, hints, ...(all ? { all } : {}) }, (error: Error | null, found: unknown, family: unknown) => {
        if (this.destroyed) return;
        const list = (Array.isArray(found) ? found : [{ address: found, family }]) as { address?: string; family?: number }[];
        const [first] = list;
        this.emit("lookup", error, first?.address, first?.family, host);
        if (error) return void this.destroy(Object.assign(error, {}));
        if (first && isIP(first.address) === 0) return void this.destroy(nodeError(TypeError, "ERR_INVALID_IP_ADDRESS", `Invalid IP address: ${String(first.address)}`));
        if (first && first.family !== 4 && first.family !== 6) return void this.destroy(familyError(first.family, host, port));
        if (!first?.address) return void this.destroy(addressError("ENOENT", "connect", host, port));
        this.#dial(first.address, port);
      });
    }

    #dial(address: string, port: number): void {
      if (this.destroyed) return;
      if (port >= 0) this.emit("connectionAttempt", address, port, isIP(address));
      const fail = (code: string): void => void this.destroy(addressError(code, "connect", address, port > 0 ? port : undefined));
      if (port === 0) return loop.post(() => fail("ECONNREFUSED"));
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
          this.#handleOptions.tell(this._handle as Handle);
          this.emit("connect");
          this.emit("ready");
          this.#holdOrRelease();
          if (!this.destroyed && !this.isPaused()) this.read(0);
        },
        failed: (code) => {
          this.#wire = undefined;
          if (!this.destroyed) fail(code);
        },
      });
      this.#wire = wire;
      this.#holdOrRelease();
    }

    /** A socket that was closed may connect again. */
    #startAnew(): void {
      if (!this.#closed) return;
      this.#closed = false;
      this._undestroy();
      Reflect.deleteProperty(this, "write");
      this.#gone = this.#reset = this.#hadError = this.#reading = false;
      this.#bytesSent = this.#writing = this.#inFlight = this.#untaken = this.bytesRead = 0;
      this.#blocked = undefined;
    }

    #open(wire: Wire): void {
      this.#wire = wire;
      this._handle = openSocket(runtime, this, this.remotePlace !== undefined, () => this.#referenced);
      this.#handleOptions.tell(this._handle as Handle);
    }

    /** Gives the connection away; undefined when there is none. `relay` is told what comes; `kept`: the program goes on writing here. `taken`: of what is told at once, this much is acknowledged already. */
    handOver(relay: WireEvents, kept: boolean): { readonly wire: Wire; readonly taken: number; readonly server: Server | undefined } | undefined {
      const wire = this.#wire;
      if (!wire || this.connecting) return undefined;
      const server = this.server as Server | undefined;
      const unread = this.read() as Uint8Array | null;
      if (unread) relay.data(unread);
      const taken = Math.max(0, (unread?.length ?? 0) - this.#untaken);
      for (const bytes of this.#held.splice(0)) if (bytes) relay.data(bytes);
      this.#relay = relay;
      this.#untaken = 0;
      if (!kept) {
        this.setTimeout(0);
        this.#wire = undefined;
        this._handle = null;
        this.server = undefined;
        closeHandle(runtime, this);
      }
      this.#holdOrRelease();
      return { wire, taken, server: kept ? undefined : server };
    }

    #events(): WireEvents {
      return {
        data: (bytes) => (this.#relay ? this.#relay.data(bytes) : this.#receive(bytes)),
        taken: (count) => {
          const bytes = this.#relay ? Math.min(count, this.#inFlight) : count;
          if (count > bytes) this.#relay?.taken(count - bytes);
          this.#inFlight -= bytes;
          this.#active();
          if (this.#inFlight < SOCKET_WINDOW_BYTES) this.#unblock();
        },
        ended: () => (this.#relay ? this.#relay.ended() : this.#ended()),
        closed: (reset) => {
          this.#relay?.closed(reset);
          if (this.#relay && !this.#wire) return;
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

    #receive(bytes: Uint8Array): void {
      if (this.destroyed) return;
      if (this.#holds) return void this.#held.push(bytes);
      this.#active();
      if (this.#userBuffer) return this.#fill(this.#userBuffer, bytes);
      this.bytesRead += bytes.length;
      if (this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) return void this.#wire?.take(bytes.length);
      this.#untaken += bytes.length;
      this.#read(false);
    }

    #fill(buffer: UserBuffer, bytes: Uint8Array): void {
      let at = 0;
      while (at < bytes.length && !this.#holds) {
        const piece = bytes.subarray(at, at + buffer.size);
        at += piece.length;
        this.bytesRead += piece.length;
        if (!buffer.take(piece)) this.#holds = true;
      }
      this.#wire?.take(at);
      if (at < bytes.length) this.#held.unshift(bytes.subarray(at));
      if (this.#holds) this.#read(false);
    }

    /** Reading begins, or goes on: what was held comes first. */
    #letIn(): void {
      this.#holds = false;
      this.#read(true);
      while (!this.#holds && this.#held.length > 0) {
        const next = this.#held.shift();
        if (next) this.#receive(next);
        else this.#ended();
      }
    }

    #ended(): void {
      if (this.destroyed || this.readableEnded) return;
      if (this.#holds) return void this.#held.push(null);
      this.push(null);
      this.read(0);
      this.#read(false);
    }

    #read(on: boolean): void {
      this.#reading = on;
      this.#holdOrRelease();
    }

    #unblock(): void {
      const go = this.#blocked;
      this.#blocked = undefined;
      go?.();
      this.#holdOrRelease();
    }

    _read(): void {
      // A stream asks once: what was asked on the way there is done when it is there.
      if (this.connecting) return void this.once("connect", () => this._read());
      if (this.#wire) this.#read(true);
      if (this.#holds) loop.post(() => this.#letIn());
      if (this.#untaken === 0) return;
      this.#wire?.take(this.#untaken);
      this.#untaken = 0;
    }

    _write(chunk: Uint8Array, _encoding: string, done: Done): void {
      if (this.connecting) {
        const closed = (): void => done(nodeError(Error, "ERR_SOCKET_CLOSED_BEFORE_CONNECTION", "Socket closed before the connection was established"));
        this.once("close", closed);
        this.once("connect", () => {
          this.off("close", closed);
          this._write(chunk, _encoding, done);
        });
        return;
      }
      if (this.#gone || !this.#wire) return done(streamError("EPIPE", "write"));
      this.#active();
      this.#bytesSent += chunk.length;
      this.#writing = chunk.length;
      this.#pump(chunk, 0, (error) => {
        this.#writing = 0;
        done(error);
      });
    }

    /** What was written while the stream was corked goes as one. */
    _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: Done): void {
      this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "buffer", done);
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
      if (next >= chunk.length) return done();
      this.#blocked = () => this.#pump(chunk, next, done);
      this.#holdOrRelease();
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
      closeHandle(runtime, this);
      done(error);
      const { server } = this as { server?: { connectionClosed?(): void } };
      loop.post(() => {
        this.#release?.();
        this.#release = undefined;
        this.#closed = true;
        this.emit("close", this.#hadError);
        server?.connectionClosed?.();
      });
    }

    #holdOrRelease(): void {
      if (this.#referenced && this.#wire && (this.connecting || this.#reading || this.#blocked)) return void (this.#release ??= loop.hold());
      this.#release?.();
      this.#release = undefined;
    }

    #active(): void {
      this.#timer?.refresh();
    }

    _unrefTimer(): void {
      this.#active();
    }

    setTimeout(given: number, done?: AnyFunction): this {
      if (this.destroyed) return this;
      const ms = timerMs(given, "msecs");
      if (done !== undefined) checkFunction(done, "callback");
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

    override resume(): this {
      if (this.#userBuffer && this.#holds && !this.connecting) loop.post(() => this.#letIn());
      return super.resume();
    }

    override pause(): this {
      if (this.#userBuffer && !this.connecting) this.#holds = true;
      return super.pause();
    }

    setNoDelay(on: unknown = true): this {
      this.#handleOptions.setNoDelay(Boolean(on), this._handle as Handle | null);
      return this;
    }

    setKeepAlive(on?: unknown, initialDelayMs?: number): this {
      this.#handleOptions.setKeepAlive(Boolean(on), Number(initialDelayMs), this._handle as Handle | null);
      return this;
    }

    ref(): this {
      this.#referenced = true;
      this.#holdOrRelease();
      return this;
    }

    unref(): this {
      this.#referenced = false;
      this.#holdOrRelease();
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

    get _connecting(): boolean {
      return this.connecting;
    }

    get pending(): boolean {
      return !this._handle || this.connecting;
    }

    get readyState(): string {
      if (this.connecting) return "opening";
      const { readable, writable } = this;
      return readable ? (writable ? "open" : "readOnly") : writable ? "writeOnly" : "closed";
    }

    get bytesWritten(): number {
      return this.#bytesSent + (this.destroyed ? 0 : Math.max(0, this.writableLength - this.#writing));
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
