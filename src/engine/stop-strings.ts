// Text that is safe to show while stop strings are watched for: what may still become one is held back.

export class StopStrings {
  readonly #stops: readonly string[];
  #text = "";
  #held = "";
  #hit = false;

  constructor(stops: readonly string[] = []) {
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** Everything that may be shown. Never ends in the beginning of a stop string; never grows after `hit`. */
  get text(): string {
    return this.#text;
  }

  /** Whether a stop string was written; it and what follows is not part of the text. */
  get hit(): boolean {
    return this.#hit;
  }

  push(more: string): void {
    if (this.#hit) return;
    const waiting = this.#held + more;
    const at = Math.min(...this.#stops.map((stop) => waiting.indexOf(stop)).filter((index) => index >= 0));
    if (Number.isFinite(at)) {
      this.#text += waiting.slice(0, at);
      this.#held = "";
      this.#hit = true;
      return;
    }
    let keep = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, waiting.length); length > keep; length--) {
        if (waiting.endsWith(stop.slice(0, length))) keep = length;
      }
    }
    this.#text += waiting.slice(0, waiting.length - keep);
    this.#held = waiting.slice(waiting.length - keep);
  }

  /** Nothing more comes: what was held back is text after all. */
  end(): void {
    if (!this.#hit) this.#text += this.#held;
    this.#held = "";
  }
}
