// Preview pages and the kernel's network: each page of our own origin that shows what a server of the container serves
// makes its connections through here, under numbers of its own. Plain data; both ends are ours.
import type { PageConnect } from "../bridge.ts";
import type { FromDesk, ToDesk } from "../preview/desk-link.ts";
import type { ConnectAnswer, SocketMessage } from "../protocol.ts";

interface Socket {
  readonly page: MessagePort;
  /** The page's own number for it. */
  readonly local: number;
}

export class PreviewDesk {
  readonly #send: (message: PageConnect | SocketMessage) => void;
  readonly #pages = new Map<MessagePort, Map<number, number>>();
  readonly #sockets = new Map<number, Socket>();
  #numbers = 0;
  #closed = false;

  /** `send` posts to the kernel. */
  constructor(send: (message: PageConnect | SocketMessage) => void) {
    this.#send = send;
  }

  /** Serves a page until its port closes. */
  open(page: MessagePort): void {
    if (this.#closed) return this.#tell(page, { type: "gone" });
    this.#pages.set(page, new Map());
    page.onmessage = ({ data }: MessageEvent<ToDesk>) => this.#asked(page, data);
    page.addEventListener("close", () => this.#left(page));
  }

  /** From the kernel: for the page whose connection it is. */
  receive(message: ConnectAnswer | SocketMessage): void {
    const socket = this.#sockets.get(message.socket);
    if (!socket) return;
    if (message.type === "connect-error" || message.type === "socket-close") this.#forget(message.socket, socket);
    this.#tell(socket.page, { ...message, socket: socket.local }, message.type === "socket-data" ? [message.data.buffer as ArrayBuffer] : []);
  }

  port(port: number, open: boolean): void {
    for (const page of this.#pages.keys()) this.#tell(page, { type: "port", port, open });
  }

  /** The container is gone, and with it every connection. */
  close(): void {
    this.#closed = true;
    for (const page of this.#pages.keys()) {
      this.#tell(page, { type: "gone" });
      page.close();
    }
    this.#pages.clear();
    this.#sockets.clear();
  }

  #asked(page: MessagePort, message: ToDesk): void {
    const numbers = this.#pages.get(page);
    if (!numbers) return;
    if (message.type === "connect") {
      const socket = ++this.#numbers;
      numbers.set(message.socket, socket);
      this.#sockets.set(socket, { page, local: message.socket });
      return this.#send({ ...message, socket });
    }
    const socket = numbers.get(message.socket);
    if (socket === undefined) return;
    this.#send({ ...message, socket });
    if (message.type === "socket-close") this.#forget(socket, { page, local: message.socket });
  }

  #forget(socket: number, { page, local }: Socket): void {
    this.#sockets.delete(socket);
    this.#pages.get(page)?.delete(local);
  }

  #left(page: MessagePort): void {
    for (const socket of this.#pages.get(page)?.values() ?? []) {
      this.#sockets.delete(socket);
      this.#send({ type: "socket-close", socket, reset: true });
    }
    this.#pages.delete(page);
  }

  #tell(page: MessagePort, message: FromDesk, transfer: Transferable[] = []): void {
    page.postMessage(message, transfer);
  }
}
