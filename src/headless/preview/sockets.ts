// The WebSockets of the document that is shown: its messages on one side, connections to servers of the container on the other.
import type { DeskLink } from "./desk-link.ts";
import type { SocketFromDocument, SocketToDocument } from "./document-link.ts";
import type { HeaderList } from "./exchange.ts";
import { servedUrl } from "./served-url.ts";
import { WebSocketClient } from "./web-socket.ts";

const SOCKETS = 256;

export class Sockets {
  readonly #desk: DeskLink | undefined;
  readonly #headers: () => HeaderList;
  readonly #tell: (message: SocketToDocument, transfer?: Transferable[]) => void;
  readonly #open = new Map<number, WebSocketClient>();

  /** `headers` of every opening request. */
  constructor(desk: DeskLink | undefined, headers: () => HeaderList, tell: (message: SocketToDocument, transfer?: Transferable[]) => void) {
    this.#desk = desk;
    this.#headers = headers;
    this.#tell = tell;
  }

  heard(message: SocketFromDocument): void {
    const { id } = message;
    switch (message.type) {
      case "socket-open":
        return this.#connect(message);
      case "socket-send":
        this.#open.get(id)?.send(message.data);
        return this.#tell({ type: "socket-taken", id });
      case "socket-close":
        return this.#open.get(id)?.close(message.code ?? undefined, message.reason);
      default:
        message satisfies never;
    }
  }

  /** Another document comes. */
  clear(): void {
    for (const socket of this.#open.values()) socket.drop();
    this.#open.clear();
  }

  #connect({ id, url: given, protocols }: SocketFromDocument & { readonly type: "socket-open" }): void {
    const closed = (code: number, reason: string, isClean: boolean): void => this.#tell({ type: "socket-closed", id, code, reason, isClean });
    const url = servedUrl(given.replace(/^ws:/i, "http:"));
    if (!url || !this.#desk || this.#open.size >= SOCKETS || this.#open.has(id)) return closed(1006, "", false);
    this.#open.set(id, new WebSocketClient(this.#desk, { url, protocols, headers: this.#headers() }, {
      opened: (protocol) => this.#tell({ type: "socket-opened", id, protocol }),
      message: (data) => this.#tell({ type: "socket-message", id, data }, typeof data === "string" ? [] : [data.buffer]),
      closed: (code, reason, isClean) => {
        this.#open.delete(id);
        closed(code, reason, isClean);
      },
    }));
  }
}
