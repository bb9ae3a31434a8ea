// http.IncomingMessage: a request as its server sees it, a response as its client does.
import { createStream } from "../builtins/stream.ts";
import type { Dict, Emitter, Runtime } from "../runtime.ts";
import type { Socket } from "../net/socket.ts";
import { headersObject } from "./common.ts";
import { oldClass, type OldClass } from "./old-class.ts";

export interface Incoming extends Emitter {
  socket: Socket;
  httpVersionMajor: number;
  httpVersionMinor: number;
  httpVersion: string;
  complete: boolean;
  rawHeaders: string[];
  rawTrailers: string[];
  headers: Record<string, string | string[]>;
  url: string;
  method: string | null;
  statusCode: number | null;
  statusMessage: string | null;
  aborted: boolean;
  upgrade: boolean | null;
  client: Socket;
  req?: unknown;
  joinDuplicateHeaders: boolean;
  _consuming: boolean;
  _dumped: boolean;
  readonly _readableState: { readonly resumeScheduled: boolean };
  readonly readable: boolean;
  readonly readableEnded: boolean;
  destroyed: boolean;
  push(chunk: Uint8Array | null): boolean;
  resume(): void;
  destroy(error?: Error | null): void;
  _dump(): void;
}

interface Hidden extends Incoming {
  [HEADERS]: Record<string, string | string[]> | undefined;
  [TRAILERS]: Record<string, string | string[]> | undefined;
  [LIMIT]: number;
}

const HEADERS = Symbol("headers");
const TRAILERS = Symbol("trailers");
const LIMIT = Symbol("maxHeaders");
/** Node's, when a program sets none. */
const MAX_HEADERS = 1000;

/** How many fields `headers` has at most; `rawHeaders` has all. 0: no limit. */
export function setMaxHeaders(message: Incoming, count: number | null | undefined): void {
  (message as Hidden)[LIMIT] = count ?? MAX_HEADERS;
}

export function createIncoming(runtime: Runtime): OldClass<Incoming> {
  const { Readable } = createStream() as unknown as { Readable: { readonly prototype: object; call(self: unknown, options: Dict): void } };

  return oldClass<Incoming>("IncomingMessage", Readable, (self, [socket]) => {
    const { readableHighWaterMark: highWaterMark } = (socket ?? {}) as { readableHighWaterMark?: number };
    Readable.call(self, { autoDestroy: true, ...(highWaterMark === undefined ? {} : { highWaterMark }) });
    Object.assign(self, {
      socket, client: socket, httpVersionMajor: null, httpVersionMinor: null, httpVersion: null, complete: false, rawHeaders: [], rawTrailers: [],
      aborted: false, upgrade: null, url: "", method: null, statusCode: null, statusMessage: null, joinDuplicateHeaders: false, _consuming: false, _dumped: false,
      [HEADERS]: undefined, [TRAILERS]: undefined, [LIMIT]: 0,
    });
  }, {
    get connection() {
      return this.socket;
    },
    set connection(value: Socket) {
      this.socket = value;
    },
    get headers() {
      return ((this as Hidden)[HEADERS] ??= headersObject((this as Hidden)[LIMIT] > 0 ? this.rawHeaders.slice(0, 2 * (this as Hidden)[LIMIT]) : this.rawHeaders, this.joinDuplicateHeaders));
    },
    set headers(value: Record<string, string | string[]>) {
      (this as Hidden)[HEADERS] = value;
    },
    get headersDistinct() {
      return distinct(this.rawHeaders);
    },
    get trailers() {
      return ((this as Hidden)[TRAILERS] ??= headersObject(this.rawTrailers, this.joinDuplicateHeaders));
    },
    set trailers(value: Record<string, string | string[]>) {
      (this as Hidden)[TRAILERS] = value;
    },
    get trailersDistinct() {
      return distinct(this.rawTrailers);
    },
    setTimeout(ms: number, done?: (...args: unknown[]) => void) {
      if (done) this.on("timeout", done as never);
      this.socket.setTimeout(ms);
      return this;
    },
    _read() {
      this._consuming = true;
      if (this.socket?.destroyed === false) this.socket.resume();
    },
    _destroy(error: Error | null, done: (error?: Error | null) => void) {
      if (!this.readableEnded || !this.complete) {
        this.aborted = true;
        this.emit("aborted");
      }
      // A message's error is told to those who listen by then; nobody else can do anything about it.
      const end = (why: Error | null): void => runtime.loop.nextTick(() => done(this.listenerCount("error") > 0 ? why : null));
      const { socket } = this;
      if (socket?.destroyed !== false || !this.aborted) return end(error);
      socket.destroy(error);
      if (typeof socket.once === "function") socket.once("close", () => end(error));
      else end(error);
    },
    _dump() {
      if (this._dumped) return;
      this._dumped = true;
      // What is buffered is nobody's any more.
      (this as unknown as { removeAllListeners(event: string): void }).removeAllListeners("data");
      this.resume();
    },
  });
}

function distinct(raw: readonly string[]): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) (all[(raw[i] as string).toLowerCase()] ??= []).push(raw[i + 1] as string);
  return all;
}
