// Places of one sequence that the model can go back to: a snapshot of the recurrent state at each. Which ones are worth
// their bytes is a pure rule; keys and values need none, because they are only appended.
import type { Snapshot } from "../model/state.ts";

/** A place and what it costs to keep. `turn`: a message of the user's begins here, which is where people go back to. */
export interface Place {
  readonly position: number;
  readonly bytes: number;
  readonly turn: boolean;
}

export interface KeepBudget {
  /** Of GPU memory: the newest snapshots stay there, because putting them back is a copy. At least one does. */
  readonly gpuBytes: number;
  /** Of main memory, for those that had to leave. */
  readonly memoryBytes: number;
  /** How many at most, whatever they cost. */
  readonly most: number;
}

/** A turn's beginning is worth as much as a step four times as long. */
const TURN_WORTH = 4;

/**
 * Which places to give up so that the rest fits, in the order in which they go. The newest is never among them. Of the others
 * the one goes that costs least to do without: the tokens back to the place before it, over how far back it is; so that places
 * get sparser towards the beginning. The first one has everything before it to lose and mostly stays.
 */
export function dispensable<P extends Place>(places: readonly P[], maxBytes: number, most: number): readonly P[] {
  const kept = [...places];
  const gone: P[] = [];
  const bytes = (): number => kept.reduce((sum, place) => sum + place.bytes, 0);
  while (kept.length > 1 && (kept.length > most || bytes() > maxBytes)) {
    const end = kept.at(-1)!.position;
    const worth = kept.slice(0, -1).map(({ position, turn }, i) => ((position - (kept[i - 1]?.position ?? 0)) * (turn ? TURN_WORTH : 1)) / (end - position + 1));
    gone.push(...kept.splice(worth.indexOf(Math.min(...worth)), 1));
  }
  return gone;
}

interface Kept extends Place {
  readonly snapshot: Snapshot;
}

/** Owns the snapshots given to it. */
export class KeptTurns {
  readonly #budget: KeepBudget;
  #kept: readonly Kept[] = [];

  constructor(budget: KeepBudget) {
    this.#budget = budget;
  }

  /** Nearest first. */
  get positions(): readonly number[] {
    return this.#kept.map(({ position }) => position).toReversed();
  }

  has(position: number): boolean {
    return this.#kept.some((kept) => kept.position === position);
  }

  /** The last place within the first `shared` tokens. */
  nearest(shared: number): Snapshot | undefined {
    return this.#kept.findLast(({ position }) => position <= shared)?.snapshot;
  }

  /** Behind all others. */
  add(snapshot: Snapshot, turn: boolean): void {
    const { position, bytes } = snapshot;
    this.#kept = [...this.#kept, { position, bytes, turn, snapshot }];
  }

  /** Keys and values from `position` on are about to be overwritten: snapshots behind it are of no use any more. */
  cut(position: number): void {
    for (const { snapshot } of this.#kept.filter((kept) => kept.position > position)) snapshot.close();
    this.#kept = this.#kept.filter((kept) => kept.position <= position);
  }

  clear(): void {
    this.cut(-1);
  }

  /** Moves what the GPU should not hold into main memory, and lets go of what is not worth its place there. */
  async settle(): Promise<void> {
    const { gpuBytes, memoryBytes, most } = this.#budget;
    let room = gpuBytes;
    for (const { snapshot } of this.#kept.toReversed()) {
      if (!snapshot.onGpu) continue;
      if (snapshot.bytes > room && room < gpuBytes) await snapshot.toMemory();
      else room -= snapshot.bytes;
    }
    const gone = new Set(dispensable(this.#kept, memoryBytes + gpuBytes, most));
    for (const { snapshot } of gone) snapshot.close();
    this.#kept = this.#kept.filter((kept) => !gone.has(kept));
  }
}
