// Between a preview page and /headless: the page finds the container of the tab it stands in, and connects to its servers.
import type { PageConnect } from "../bridge.ts";
import { type ConnectAnswer, SOCKET_WINDOW_BYTES, type SocketMessage } from "../protocol.ts";

export type ToDesk = PageConnect | SocketMessage;
export type FromDesk =
  | ConnectAnswer
  | SocketMessage
  /** A server started or stopped listening. */
  | { readonly type: "port"; readonly port: number; readonly open: boolean }
  /** The container has been torn down or has crashed. */
  | { readonly type: "gone" };

/** One connection's events; after `failed` or `closed` none follows. */
export interface ConnectionEvents {
  data(bytes: Uint8Array<ArrayBuffer>): void;
  /** The server will send no more. */
  ended(): void;
  /** It was never there, or is over. `code` as Node has it: ECONNREFUSED, ECONNRESET, EMFILE. */
  failed(code: string): void;
}

/** Our end of a connection. */
export interface Connection {
  /** False: too much waits for the server already, and this was not taken. */
  send(bytes: Uint8Array): boolean;
  close(): void;
}

/** Each piece is copied into a message of its own. */
const PIECE_BYTES = 64 * 1024;
/** What may wait for a server that does not read. */
const WAITING_BYTES = 256 * 1024 * 1024;

export class DeskLink {
  readonly #desk: MessagePort;
  readonly #connections = new Map<number, ConnectionEvents & { readonly waiting: Uint8Array[]; waitingBytes: number; roomBytes: number; connected: boolean }>();
  #numbers = 0;
  #gone = false;
  onPort: (port: number, open: boolean) => void = () => undefined;
  onGone: () => void = () => undefined;

  /** Undefined where no container runs around this page. */
  static find(): DeskLink | undefined {
    for (let around: Window = window; around !== around.parent; ) {
      around = around.parent;
      for (let i = 0; i < around.length; i++) {
        const frame = around[i];
        if (!frame || !isDesk(frame)) continue;
        const { port1, port2 } = new MessageChannel();
        frame.postMessage({ type: "preview" }, location.origin, [port2]);
        return new DeskLink(port1);
      }
    }
    return undefined;
  }

  private constructor(desk: MessagePort) {
    this.#desk = desk;
    desk.onmessage = ({ data }: MessageEvent<FromDesk>) => this.#receive(data);
  }

  /** Connects and sends all of `bytes`; the server may answer before they have all gone. */
  connect(port: number, bytes: Uint8Array, events: ConnectionEvents): Connection {
    if (this.#gone) {
      queueMicrotask(() => events.failed("ECONNREFUSED"));
      return { send: () => true, close: () => undefined };
    }
    const socket = ++this.#numbers;
    this.#connections.set(socket, { ...events, waiting: [], waitingBytes: 0, roomBytes: SOCKET_WINDOW_BYTES, connected: false });
    this.#send(socket, bytes);
    this.#tell({ type: "connect", socket, port });
    return {
      send: (more) => this.#send(socket, more),
      close: () => {
        if (this.#connections.delete(socket) && !this.#gone) this.#tell({ type: "socket-close", socket, reset: false });
      },
    };
  }

  #receive(message: FromDesk): void {
    if (message.type === "port") return this.onPort(message.port, message.open);
    if (message.type === "gone") {
      this.#gone = true;
      for (const { failed } of this.#connections.values()) failed("ECONNRESET");
      this.#connections.clear();
      return this.onGone();
    }
    const { socket } = message;
    const connection = this.#connections.get(socket);
    if (!connection) return;
    switch (message.type) {
      case "connected":
        connection.connected = true;
        return this.#pump(socket);
      case "socket-ack":
        connection.roomBytes += message.bytes;
        return this.#pump(socket);
      case "socket-data":
        this.#tell({ type: "socket-ack", socket, bytes: message.data.length });
        return connection.data(message.data as Uint8Array<ArrayBuffer>);
      case "socket-end":
        return connection.ended();
      case "connect-error":
        this.#connections.delete(socket);
        return connection.failed(message.code);
      case "socket-close":
        this.#connections.delete(socket);
        return message.reset ? connection.failed("ECONNRESET") : connection.ended();
      default:
        message satisfies never;
    }
  }

  #send(socket: number, bytes: Uint8Array): boolean {
    const connection = this.#connections.get(socket);
    if (!connection) return true; // it is over, and has said so
    if (connection.waitingBytes + bytes.length > WAITING_BYTES) return false;
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) connection.waiting.push(bytes.slice(at, at + PIECE_BYTES));
    connection.waitingBytes += bytes.length;
    this.#pump(socket);
    return true;
  }

  #pump(socket: number): void {
    const connection = this.#connections.get(socket);
    if (!connection?.connected) return;
    for (let piece = connection.waiting[0]; piece && piece.length <= connection.roomBytes; piece = connection.waiting[0]) {
      connection.waiting.shift();
      connection.waitingBytes -= piece.length;
      connection.roomBytes -= piece.length;
      this.#tell({ type: "socket-data", socket, data: piece }, [piece.buffer as ArrayBuffer]);
    }
  }

  #tell(message: ToDesk, transfer: Transferable[] = []): void {
    this.#desk.postMessage(message, transfer);
  }
}

/** Whether a window is our /headless. One of another origin cannot be looked into, and is not. */
function isDesk(frame: Window): boolean {
  try {
    return frame.location.origin === location.origin && /^\/headless(?:\/|\/index\.html|\.html)?$/.test(frame.location.pathname);
  } catch (error) {
    if (error instanceof DOMException && error.name === "SecurityError") return false;
    throw error;
  }
}
