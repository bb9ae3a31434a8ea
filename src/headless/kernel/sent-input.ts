// What a process was sent on its input and has not received as a message yet: a process that sleeps for input cannot receive
// any, and is given these in shared memory instead (`read-sync`). The messages come to it afterwards, and it knows to skip them.

/** In one answer, unless the first piece alone is larger. */
const ANSWER_BYTES = 8 * 1024 * 1024;

export class SentInput {
  #pieces: (Uint8Array | null)[] = [];
  /** How many came before the first of them. */
  #before = 0;

  add(piece: Uint8Array | null): void {
    this.#pieces.push(piece);
  }

  /** It has received so many in all. */
  received(count: number): void {
    this.#before += this.#pieces.splice(0, Math.max(0, count - this.#before)).length;
  }

  /** The first of those that it has not received, as many as go into one answer. */
  take(): (Uint8Array | null)[] {
    let bytes = 0;
    const over = this.#pieces.findIndex((piece, i) => (bytes += piece?.length ?? 0) > ANSWER_BYTES && i > 0);
    const taken = this.#pieces.splice(0, over < 0 ? this.#pieces.length : over);
    this.#before += taken.length;
    return taken;
  }
}
