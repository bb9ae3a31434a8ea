// A page has one engine, however many widgets are on it: a model in GPU memory twice helps nobody. The frame that asks
// first gets it; another may take it over, and gets it when the first has ended its own.
import { LIMITS } from "../base/limits.ts";
import type { ToFrame } from "./protocol.ts";

/** A frame, as far as this file cares. */
export interface Sitter {
  send(message: ToFrame): void;
}

/** Who has the engine. Tells the sitters of every change by a message to their frame. */
export class EngineSeat {
  #holder: Sitter | undefined;
  /** Who has asked for it and does not have it, in the order of asking. */
  readonly #waiting = new Set<Sitter>();
  #next: Sitter | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  wanted(sitter: Sitter): void {
    if (this.#holder === undefined || this.#holder === sitter) this.#give(sitter);
    else {
      this.#waiting.add(sitter);
      sitter.send({ type: "engine", state: "elsewhere" });
    }
  }

  take(sitter: Sitter): void {
    if (this.#holder === undefined || this.#holder === sitter) return this.#give(sitter);
    this.#next = sitter;
    this.#waiting.add(sitter);
    this.#holder.send({ type: "engine", state: "give-up" });
    // A frame that hangs does not keep the engine from the others.
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#pass(), LIMITS.widgetReleaseMs);
  }

  /** The holder has ended its engine; it may take it back later. */
  released(sitter: Sitter): void {
    if (sitter !== this.#holder) return;
    this.#pass();
    if (this.#holder) this.wanted(sitter);
  }

  /** The frame is gone. Who waits longest gets what it had. */
  left(sitter: Sitter): void {
    this.#waiting.delete(sitter);
    if (this.#next === sitter) this.#next = undefined;
    if (this.#holder === sitter) this.#pass();
  }

  #pass(): void {
    clearTimeout(this.#patience);
    this.#holder = undefined;
    const [longest] = this.#waiting;
    const next = this.#next ?? longest;
    this.#next = undefined;
    if (next) this.#give(next);
  }

  #give(sitter: Sitter): void {
    this.#holder = sitter;
    this.#waiting.delete(sitter);
    sitter.send({ type: "engine", state: "yours" });
  }
}
