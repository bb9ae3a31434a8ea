// Output of a process on its way to the app, a window at a time: a program that prints for ever fills a queue here,
// never the app's event loop. What waits is joined into few large pieces.
import { OUTPUT_WINDOW_BYTES } from "../bridge.ts";

/** Pieces are joined up to this size before they are sent. */
const PIECE_BYTES = 64 * 1024;
/**
 * Pieces on their way at once. Each is a call of Comlink's, which gives the port a listener until it is answered, and every answer
 * is shown to all of them: ten thousand short lines in flight were a hundred million looks, and a page that hung for half a minute.
 */
const WINDOW_PIECES = 32;

interface Piece {
  readonly fd: 1 | 2;
  readonly data: Uint8Array;
}

export class OutputGate {
  readonly #send: (fd: 1 | 2, data: Uint8Array) => void;
  #queue: Piece[] = [];
  #queuedBytes = 0;
  #inFlightBytes = 0;
  #inFlightPieces = 0;
  #whenEmpty: (() => void) | undefined;

  constructor(send: (fd: 1 | 2, data: Uint8Array) => void) {
    this.#send = send;
  }

  /** Bytes that wait for the app. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  push(fd: 1 | 2, data: Uint8Array): void {
    this.#queue.push({ fd, data });
    this.#queuedBytes += data.length;
    this.#pump();
  }

  /** The app has taken one piece, of so many bytes. */
  ack(bytes: number): void {
    this.#inFlightPieces = Math.max(0, this.#inFlightPieces - 1);
    this.#inFlightBytes = Math.max(0, this.#inFlightBytes - bytes);
    this.#pump();
  }

  /** Calls back once everything was sent; at once with `drop`, which forgets what waits. */
  end(done: () => void, drop: boolean): void {
    if (drop) {
      this.#queue = [];
      this.#queuedBytes = 0;
    }
    if (this.#queue.length === 0) done();
    else this.#whenEmpty = done;
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#inFlightBytes < OUTPUT_WINDOW_BYTES && this.#inFlightPieces < WINDOW_PIECES) {
      const { fd, data } = this.#next();
      this.#queuedBytes -= data.length;
      this.#inFlightBytes += data.length;
      this.#inFlightPieces++;
      this.#send(fd, data);
    }
    if (this.#queue.length === 0) {
      const done = this.#whenEmpty;
      this.#whenEmpty = undefined;
      done?.();
    }
  }

  /** The first pieces of one stream, joined. */
  #next(): Piece {
    const [first] = this.#queue;
    if (!first) throw new Error("The queue is empty.");
    let count = 1;
    let bytes = first.data.length;
    for (let piece = this.#queue[count]; piece && piece.fd === first.fd && bytes + piece.data.length <= PIECE_BYTES; piece = this.#queue[++count]) {
      bytes += piece.data.length;
    }
    const taken = this.#queue.splice(0, count);
    if (count === 1) return first;
    const data = new Uint8Array(bytes);
    let at = 0;
    for (const piece of taken) {
      data.set(piece.data, at);
      at += piece.data.length;
    }
    return { fd: first.fd, data };
  }
}
