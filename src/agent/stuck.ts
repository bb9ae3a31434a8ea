// Notices that the model goes in circles. First one neutral note, then the end: a person decides better than a sixth try.
// A repeated test run is no circle when files changed in between.

export interface Step {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly result: string;
  /** Did it change the project? */
  readonly changed: boolean;
  /** An edit that asked for what is there already. */
  readonly noop: boolean;
}

export type StuckAdvice =
  | { readonly do: "go-on" }
  /** Tell the model, once. */
  | { readonly do: "note"; readonly text: string }
  /** End and ask the user. */
  | { readonly do: "stop"; readonly text: string };

const GO_ON: StuckAdvice = { do: "go-on" };

export class StuckWatch {
  /** Times a call gave the same result, since the project last changed; edits are counted over the whole request. */
  readonly #seen = new Map<string, number>();
  readonly #keys: string[] = [];
  #noops = 0;
  #malformed = 0;
  #noted = false;

  /** Changes in a row that changed nothing. A greedy model would say the same words again. */
  get noops(): number {
    return this.#noops;
  }

  afterStep(step: Step): StuckAdvice {
    this.#malformed = 0;
    this.#noops = step.noop ? this.#noops + 1 : 0;
    if (this.#noops >= 3) return { do: "stop", text: "The model asked three times for a change that is already there." };
    const key = JSON.stringify([step.name, step.arguments, step.result]);
    if (step.changed) {
      for (const other of this.#seen.keys()) if (!other.startsWith("edit:")) this.#seen.delete(other);
    }
    const seen = (this.#seen.get(step.changed ? `edit:${key}` : key) ?? 0) + 1;
    this.#seen.set(step.changed ? `edit:${key}` : key, seen);
    this.#keys.push(key);
    if (seen >= 5) return { do: "stop", text: `The model made the same call (${step.name}) five times with the same result.` };
    if (this.#alternates(5)) return { do: "stop", text: "The model went back and forth between the same two calls." };
    if ((seen >= 3 || this.#alternates(2)) && !this.#noted) {
      this.#noted = true;
      return { do: "note", text: "These calls repeat with the same results. Try another way, or say what blocks you." };
    }
    return GO_ON;
  }

  /** A turn that could not be used: its call could not be read, or it repeated itself. */
  afterMalformed(): StuckAdvice {
    this.#malformed++;
    return this.#malformed >= 3 ? { do: "stop", text: "The model wrote three messages in a row that could not be used." } : GO_ON;
  }

  /** A-B-A-B: the last `times` pairs of steps are the same pair. */
  #alternates(times: number): boolean {
    const keys = this.#keys.slice(-2 * times);
    const [a, b] = keys;
    return keys.length === 2 * times && a !== b && keys.every((key, i) => key === (i % 2 === 0 ? a : b));
  }
}
