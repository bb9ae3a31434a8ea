// One WebSocket to a server of the container, written out over a plain connection (RFC 6455; no extensions).
import { HttpParser } from "../node/http/parser.ts";
import type { Connection, DeskLink } from "./desk-link.ts";
import type { HeaderList } from "./exchange.ts";
import { FrameError, FrameReader, frameBytes, MESSAGE_BYTES, OPCODES } from "./web-socket-frames.ts";

/** Section 1.3: what a server proves with that it has understood. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** A server that does not answer our goodbye is left. */
const GOODBYE_MS = 3000;
/** No code: nothing was said, or the connection was lost. */
const NO_STATUS = 1005;
const LOST = 1006;

export interface SocketRequest {
  /** http, of this machine: its port is the server's. */
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly headers: HeaderList;
}

/** After `closed` none follows. */
export interface SocketEvents {
  opened(protocol: string): void;
  message(data: string | Uint8Array<ArrayBuffer>): void;
  closed(code: number, reason: string, isClean: boolean): void;
}

export class WebSocketClient {
  readonly #events: SocketEvents;
  readonly #protocols: readonly string[];
  readonly #connection: Connection;
  readonly #key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  readonly #parser: HttpParser;
  readonly #frames = new FrameReader(({ final, opcode, payload }) => this.#frame(final, opcode, payload));
  /** What came before the proof of the first answer was computed. */
  #early: Uint8Array[] | undefined;
  #isOpen = false;
  #over = false;
  /** Whether we have said goodbye. */
  #leaves = false;
  /** The message that is under way. */
  #opcode: number | undefined;
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  constructor(desk: Pick<DeskLink, "connect">, { url, protocols, headers }: SocketRequest, events: SocketEvents) {
    this.#events = events;
    this.#protocols = protocols;
    this.#parser = new HttpParser("RESPONSE", {
      head: ({ status, fields }) => {
        const headersOf = (name: string): string | undefined => fields.find((_, at) => at % 2 === 1 && fields[at - 1]!.toLowerCase() === name);
        if (status !== 101) this.#end(LOST, "", false);
        else void this.#prove(headersOf("sec-websocket-accept"), headersOf("sec-websocket-protocol"));
        return "upgrade";
      },
      body: () => undefined,
      end: () => undefined,
    });
    const fields: HeaderList = [
      ["Host", url.host], ["Connection", "Upgrade"], ["Upgrade", "websocket"], ["Sec-WebSocket-Version", "13"], ["Sec-WebSocket-Key", this.#key],
      ...(protocols.length > 0 ? [["Sec-WebSocket-Protocol", protocols.join(", ")] as const] : []), ...headers,
    ];
    const head = `GET ${url.pathname}${url.search} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
    this.#connection = desk.connect(Number(url.port) || 80, Uint8Array.from(head, (c) => c.charCodeAt(0)), {
      data: (bytes) => this.#read(bytes),
      ended: () => this.#end(LOST, "", false),
      failed: () => this.#end(LOST, "", false),
    });
  }

  /** Once it is open. */
  send(data: string | Uint8Array): void {
    if (!this.#isOpen || this.#leaves) return;
    const isText = typeof data === "string";
    this.#put(frameBytes(isText ? OPCODES.text : OPCODES.binary, isText ? new TextEncoder().encode(data) : data));
  }

  /** Says goodbye, and waits for the server's. */
  close(code?: number, reason = ""): void {
    if (this.#over || this.#leaves) return;
    if (!this.#isOpen) return this.#end(LOST, "", false);
    this.#sayGoodbye(code, reason);
    setTimeout(() => this.#end(LOST, "", false), GOODBYE_MS);
  }

  /** Leaves at once; nothing more is told. */
  drop(): void {
    this.#over = true;
    this.#connection.close();
  }

  #sayGoodbye(code: number | undefined, reason: string): void {
    this.#leaves = true;
    const payload = code === undefined ? new Uint8Array() : Uint8Array.from([code >> 8, code & 0xff, ...new TextEncoder().encode(reason)]);
    this.#put(frameBytes(OPCODES.close, payload));
  }

  #put(bytes: Uint8Array): void {
    if (!this.#connection.send(bytes)) this.#end(LOST, "", false);
  }

  #read(bytes: Uint8Array): void {
    if (this.#over) return;
    if (this.#isOpen) return this.#readFrames(bytes);
    if (this.#early) return void this.#early.push(bytes);
    try {
      const at = this.#parser.execute(bytes);
      if (this.#parser.upgraded) this.#early = [bytes.subarray(at)];
    } catch {
      this.#end(LOST, "", false); // what came is no HTTP
    }
  }

  async #prove(accept: string | undefined, protocol = ""): Promise<void> {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(this.#key + ACCEPT_SUFFIX)));
    if (this.#over) return;
    const isChosen = protocol === "" || this.#protocols.includes(protocol);
    if (accept !== btoa(String.fromCharCode(...digest)) || !isChosen) return this.#end(LOST, "", false);
    this.#isOpen = true;
    this.#events.opened(protocol);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const bytes of early) this.#readFrames(bytes);
  }

  #readFrames(bytes: Uint8Array): void {
    try {
      if (!this.#over) this.#frames.push(bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (!this.#leaves) this.#sayGoodbye(error.code, "");
      this.#end(LOST, "", false);
    }
  }

  #frame(final: boolean, opcode: number, payload: Uint8Array<ArrayBuffer>): void {
    if (this.#over) return;
    if (opcode === OPCODES.ping) return this.#put(frameBytes(OPCODES.pong, payload));
    if (opcode === OPCODES.pong) return;
    if (opcode === OPCODES.close) return this.#goodbye(payload);
    if ((opcode === OPCODES.more) !== (this.#opcode !== undefined)) throw new FrameError(1002, "a message begins in another, or goes on that has not begun");
    if (opcode !== OPCODES.more) this.#opcode = opcode;
    this.#parts.push(payload);
    this.#size += payload.length;
    if (this.#size > MESSAGE_BYTES) throw new FrameError(1009, `a message of more than ${MESSAGE_BYTES} bytes`);
    if (final) this.#message();
  }

  #message(): void {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : new Uint8Array(this.#size);
    if (this.#parts.length > 1) this.#parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    const isText = this.#opcode === OPCODES.text;
    this.#opcode = undefined;
    this.#parts = [];
    this.#size = 0;
    this.#events.message(isText ? textOf(whole) : whole);
  }

  #goodbye(payload: Uint8Array<ArrayBuffer>): void {
    if (payload.length === 1) throw new FrameError(1002, "half of a code");
    const code = payload.length === 0 ? NO_STATUS : payload[0]! * 256 + payload[1]!;
    const reason = textOf(payload.subarray(2));
    if (!this.#leaves) this.#sayGoodbye(payload.length === 0 ? undefined : code, "");
    this.#end(code, reason, true);
  }

  #end(code: number, reason: string, isClean: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.close();
    this.#events.closed(code, reason, isClean);
  }
}

/** Throws FrameError for what is no UTF-8. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FrameError(1007, "what should be text is no UTF-8");
  }
}
