// Writes to storage in order, the newest value of each kind only: while one is being written, those that came in between
// are skipped. Whoever asked is told when its value, or a newer one, is durable.

interface Pending {
  readonly write: () => Promise<void>;
  readonly done: PromiseWithResolvers<void>;
}

export class SerialWriter {
  readonly #waiting = new Map<string, Pending>();
  #draining = false;

  /** Rejects with what the write that stood for it threw. */
  write(kind: string, write: () => Promise<void>): Promise<void> {
    const done = this.#waiting.get(kind)?.done ?? Promise.withResolvers<void>();
    this.#waiting.set(kind, { write, done });
    if (!this.#draining) void this.#drain();
    return done.promise;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    for (let next = this.#take(); next; next = this.#take()) await next.write().then(next.done.resolve, next.done.reject);
    this.#draining = false;
  }

  #take(): Pending | undefined {
    const [kind, pending] = this.#waiting.entries().next().value ?? [];
    if (kind !== undefined) this.#waiting.delete(kind);
    return pending;
  }
}
