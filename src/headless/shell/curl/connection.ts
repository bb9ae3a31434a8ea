// A connection to a server of the container, read and written in turn.
import type { NetworkHost, Wire } from "../../node/net/wire.ts";
import { SOCKET_WINDOW_BYTES } from "../../protocol.ts";
import { CurlError } from "./error.ts";

export class Connection {
  readonly #parts: Uint8Array[] = [];
  #unread = 0;
  #ended = false;
  #reset = false;
  #wake: () => void = () => undefined;
  #wire: Wire | undefined;

  /** Rejects with the signal's reason, or where nobody listens. */
  static open(network: NetworkHost, port: number, localPort: number, signal: AbortSignal): Promise<Connection> {
    const made = new Connection();
    return new Promise((resolve, reject) => {
      const wire = network.connect(port, localPort, {
        connected: () => resolve(made),
        failed: () => reject(new CurlError(7, "Couldn't connect to server")),
        data: (bytes) => made.#change(() => made.#parts.push(bytes)),
        taken: (bytes) => made.#change(() => (made.#unread -= bytes)),
        ended: () => made.#change(() => (made.#ended = true)),
        closed: (reset) => made.#change(() => {
          made.#ended = true;
          made.#reset ||= reset;
        }),
      });
      made.#wire = wire;
      signal.addEventListener("abort", () => {
        wire.close(false);
        reject(signal.reason as Error);
      }, { once: true });
    });
  }

  /** The next bytes; undefined at the end. Throws when the other side broke off. */
  async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    while (this.#parts.length === 0 && !this.#ended) await this.#changed(signal);
    const part = this.#parts.shift();
    if (part) this.#wire?.take(part.length);
    else if (this.#reset) throw new CurlError(56, "Recv failure: Connection reset by peer");
    return part;
  }

  /** Waits while the other side is behind; what it has answered already ends the waiting. */
  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#ended; ) {
      const room = SOCKET_WINDOW_BYTES - this.#unread;
      if (room <= 0) await this.#changed(signal);
      else {
        const piece = bytes.slice(at, at + room);
        this.#unread += piece.length;
        at += piece.length;
        this.#wire?.send(piece);
      }
    }
  }

  close(): void {
    this.#wire?.close(false);
  }

  #change(what: () => unknown): void {
    what();
    this.#wake();
  }

  #changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(signal.reason as Error);
      signal.addEventListener("abort", stop, { once: true });
      this.#wake = () => {
        signal.removeEventListener("abort", stop);
        resolve();
      };
    });
  }
}
