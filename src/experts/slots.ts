// Which expert lies in which slot of a pool, and which one goes when another must come: the one that the policy values least.
// Pure bookkeeping: no GPU, no store. Given the same calls it decides the same.
import { DEFAULT_POLICY, type Policy } from "./policy.ts";

export interface Placement {
  readonly layer: number;
  readonly expert: number;
  readonly slot: number;
  /** Who lay there before and is gone now. */
  readonly evicted?: { readonly layer: number; readonly expert: number };
}

interface Resident {
  readonly layer: number;
  readonly expert: number;
  readonly slot: number;
}

/** What is remembered of an expert, resident or not. */
interface Uses {
  worth: number;
  last: number;
}

/** More experts than a layer can have. */
const LAYER = 1 << 16;
const UNUSED: Readonly<Uses> = { worth: -Infinity, last: -Infinity };

export class SlotPool {
  readonly slots: number;
  readonly #policy: Policy;
  readonly #residents = new Map<number, Resident>();
  readonly #uses = new Map<number, Uses>();
  #nextFree = 0;
  #now = 0;

  constructor(slots: number, policy: Policy = DEFAULT_POLICY) {
    this.slots = slots;
    this.#policy = policy;
  }

  /** Slots that nobody was ever put into. */
  get free(): number {
    return this.slots - this.#nextFree;
  }

  slotOf(layer: number, expert: number): number | undefined {
    return this.#residents.get(layer * LAYER + expert)?.slot;
  }

  /** What the policy makes of an expert's uses so far; −Infinity for one that was never used. */
  worth(layer: number, expert: number): number {
    return (this.#uses.get(layer * LAYER + expert) ?? UNUSED).worth;
  }

  /** One token took these experts in this layer, whether they are here or not. */
  use(layer: number, experts: readonly number[]): void {
    this.#now++;
    for (const expert of experts) {
      const key = layer * LAYER + expert;
      const known = this.#uses.get(key);
      const { worth, last } = known ?? UNUSED;
      const next = this.#policy.worth(worth, last, this.#now);
      if (known) {
        known.worth = next;
        known.last = this.#now;
      } else this.#uses.set(key, { worth: next, last: this.#now });
    }
  }

  /**
   * Where each of these experts of one layer that is not here would go. Nothing changes until `place`. An expert that is
   * wanted is never evicted. `wanted` has no more entries than the pool has slots. `later`: experts of the layer that will be
   * wanted after these, soonest first; they go last, and of them the last one first.
   */
  plan(layer: number, wanted: readonly number[], later: readonly number[] = []): readonly Placement[] {
    const missing = [...new Set(wanted)].filter((expert) => !this.#residents.has(layer * LAYER + expert));
    const keep = new Set(wanted.map((expert) => layer * LAYER + expert));
    const waiting = new Set(later.map((expert) => layer * LAYER + expert).filter((key) => !keep.has(key)));
    const count = missing.length - this.free;
    const idle = this.#leastWorth(count, new Set([...keep, ...waiting]));
    const victims = idle.length >= count ? idle : [...idle, ...[...waiting].toReversed().flatMap((key) => this.#residents.get(key) ?? [])];
    return missing.map((expert, i): Placement => {
      if (i < this.free) return { layer, expert, slot: this.#nextFree + i };
      const victim = victims[i - this.free];
      if (!victim) throw new Error(`a pool of ${this.slots} slots cannot hold ${wanted.length} experts of layer ${layer}`);
      return { layer, expert, slot: victim.slot, evicted: { layer: victim.layer, expert: victim.expert } };
    });
  }

  /** Carries out one placement of `plan`. */
  place({ layer, expert, slot, evicted }: Placement): void {
    if (evicted) this.#residents.delete(evicted.layer * LAYER + evicted.expert);
    else this.#nextFree = Math.max(this.#nextFree, slot + 1);
    this.#residents.set(layer * LAYER + expert, { layer, expert, slot });
  }

  /** The `count` residents to go first; of equal worth the one used longer ago, then the one in the lower slot. */
  #leastWorth(count: number, keep: ReadonlySet<number>): readonly Resident[] {
    if (count <= 0) return [];
    const ranked: { readonly resident: Resident; readonly uses: Readonly<Uses> }[] = [];
    for (const [key, resident] of this.#residents) {
      if (!keep.has(key)) ranked.push({ resident, uses: this.#uses.get(key) ?? UNUSED });
    }
    const order = (a: (typeof ranked)[number], b: (typeof ranked)[number]): number => compare(a.uses.worth, b.uses.worth) || compare(a.uses.last, b.uses.last) || a.resident.slot - b.resident.slot;
    return ranked.sort(order).slice(0, count).map(({ resident }) => resident);
  }
}

/** Also of infinities, whose difference is no number. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
