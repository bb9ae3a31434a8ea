// Which expert lies in which slot of a pool, and which one goes when another must come: least recently used.
// Pure bookkeeping: no GPU, no store. Given the same calls it decides the same.

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

export class SlotPool {
  readonly slots: number;
  /** By key; a Map keeps insertion order, so the first is the least recently used. */
  readonly #residents = new Map<string, Resident>();
  #nextFree = 0;

  constructor(slots: number) {
    this.slots = slots;
  }

  #key(layer: number, expert: number): string {
    return `${layer}/${expert}`;
  }

  slotOf(layer: number, expert: number): number | undefined {
    return this.#residents.get(this.#key(layer, expert))?.slot;
  }

  /** Marks an expert as used just now. False if it is not here. */
  touch(layer: number, expert: number): boolean {
    const key = this.#key(layer, expert);
    const resident = this.#residents.get(key);
    if (!resident) return false;
    this.#residents.delete(key);
    this.#residents.set(key, resident);
    return true;
  }

  /**
   * Where each of these experts of one layer that is not here would go. Nothing changes until `place`. An expert that is
   * wanted is never evicted. `wanted` has no more entries than the pool has slots.
   */
  plan(layer: number, wanted: readonly number[]): readonly Placement[] {
    const keep = new Set(wanted.map((expert) => this.#key(layer, expert)));
    const victims = [...this.#residents.entries()].filter(([key]) => !keep.has(key)).map(([, resident]) => resident);
    const missing = [...new Set(wanted)].filter((expert) => !this.#residents.has(this.#key(layer, expert)));
    return missing.map((expert, i): Placement => {
      const free = this.#nextFree + i;
      if (free < this.slots) return { layer, expert, slot: free };
      const victim = victims[i - Math.max(0, this.slots - this.#nextFree)];
      if (!victim) throw new Error(`a pool of ${this.slots} slots cannot hold ${keep.size} experts of layer ${layer}`);
      return { layer, expert, slot: victim.slot, evicted: { layer: victim.layer, expert: victim.expert } };
    });
  }

  /** Carries out one placement of `plan`. The newcomer counts as used just now. */
  place({ layer, expert, slot, evicted }: Placement): void {
    if (evicted) this.#residents.delete(this.#key(evicted.layer, evicted.expert));
    else this.#nextFree = Math.max(this.#nextFree, slot + 1);
    this.#residents.set(this.#key(layer, expert), { layer, expert, slot });
  }
}
