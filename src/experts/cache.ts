// The experts that lie in GPU memory, and the way others get there: slots, the table that tells the router where each
// expert lies, reading from the store, statistics. Results never depend on which slot holds an expert, nor on the budget.
import { AppError } from "../base/errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ExpertStore } from "../storage/expert-store.ts";
import { RecordLoader, type StagedRecords } from "./loader.ts";
import type { Pool } from "./pools.ts";
import { nextToPrefetch } from "./prefetch.ts";
import { type Placement, SlotPool } from "./slots.ts";

/** The table's entry of an expert that has no slot; the router kernel knows the same number. */
const NO_SLOT = 0xffffffff;
/** Storage bindings begin at multiples of this. */
const BINDING_ALIGNMENT = 256;

export interface ExpertStats {
  /** Experts that tokens were routed to, and how many of those were in a slot already. */
  readonly uses: number;
  readonly hits: number;
  /** Records copied into slots while running, and their bytes; the first filling of a whole budget is not counted. */
  readonly loads: number;
  readonly loadedBytes: number;
}

/** One layer's experts as they stand: for pictures of the cache. */
export interface LayerResidents {
  /** 1 where the expert lies in a slot: `[experts]`. */
  readonly resident: Uint8Array;
  /** How often tokens were routed to each, since the model was loaded: `[experts]`. */
  readonly uses: Uint32Array;
  readonly hits: number;
  readonly misses: number;
}

interface Arena extends Pool {
  readonly buffer: GPUBuffer;
  readonly residents: SlotPool;
}

export class ExpertCache {
  readonly #gpu: Gpu;
  readonly #store: ExpertStore;
  readonly #arenas: readonly Arena[];
  readonly #ofLayer: readonly Arena[];
  readonly #holdsAll: boolean;
  readonly #table: GPUBuffer;
  readonly #tableStride: number;
  readonly #entries: Uint32Array<ArrayBuffer>;
  readonly #loader: RecordLoader;
  /** Calls under way that a layer waits for. */
  #demands = 0;
  readonly #turns = new WeakMap<Arena, Promise<unknown>>();
  readonly #tallies: readonly { readonly uses: Uint32Array; hits: number; misses: number }[];
  #stats: ExpertStats = { uses: 0, hits: 0, loads: 0, loadedBytes: 0 };

  private constructor(gpu: Gpu, store: ExpertStore, arenas: readonly Arena[], loader: RecordLoader) {
    this.#gpu = gpu;
    this.#store = store;
    this.#arenas = arenas;
    this.#loader = loader;
    this.#ofLayer = Array.from({ length: store.layers }, (_, layer) => {
      const arena = arenas.find(({ layers }) => layers.includes(layer));
      if (!arena) throw new AppError("bug", `Layer ${layer} has no pool of expert slots.`);
      return arena;
    });
    this.#holdsAll = arenas.every(({ layers, slots }) => slots >= layers.length * store.experts);
    this.#tallies = Array.from({ length: store.layers }, () => ({ uses: new Uint32Array(store.experts), hits: 0, misses: 0 }));
    this.#tableStride = Math.ceil((store.experts * 4) / BINDING_ALIGNMENT) * BINDING_ALIGNMENT;
    this.#entries = new Uint32Array((store.layers * this.#tableStride) / 4).fill(NO_SLOT);
    this.#table = gpu.memory.upload("expert slot table", this.#entries);
  }

  /** Allocates the slots. Throws `gpu/memory` when they are not to be had; nothing stays then. */
  static async open(device: Gpu, store: ExpertStore, pools: readonly Pool[]): Promise<ExpertCache> {
    const gpu = device.leased();
    try {
      const arenas = await gpu.memory.within("the expert slots", () =>
        pools.map((pool): Arena => {
          const buffer = gpu.memory.storage(`experts of layer ${pool.layers.join(", ")}`, pool.slots * pool.slotBytes, "experts");
          return { ...pool, buffer, residents: new SlotPool(pool.slots) };
        }),
      );
      const loader = await RecordLoader.open(gpu, store);
      return await gpu.memory.within("the table of expert slots", () => new ExpertCache(gpu, store, arenas, loader));
    } catch (error) {
      gpu.memory.close();
      throw error;
    }
  }

  /** Slots of all pools. */
  get slots(): number {
    return this.#arenas.reduce((sum, { slots }) => sum + slots, 0);
  }

  /** Bytes of all slots. */
  get bytes(): number {
    return this.#arenas.reduce((sum, { slots, slotBytes }) => sum + slots * slotBytes, 0);
  }

  /** Every expert of every layer has a slot: after `fill`, nothing can miss. */
  get holdsAll(): boolean {
    return this.#holdsAll;
  }

  get stats(): ExpertStats {
    return this.#stats;
  }

  /** The buffer the layer's experts lie in, and the bytes from one slot to the next. */
  arena(layer: number): { readonly buffer: GPUBuffer; readonly slotBytes: number } {
    return this.#at(layer);
  }

  /** The layer's part of the slot table: `[experts] u32`. */
  slotTable(layer: number): GPUBufferBinding {
    return { buffer: this.#table, offset: layer * this.#tableStride, size: Math.ceil((this.#store.experts * 4) / 16) * 16 };
  }

  /** Told, from now on, which experts each token takes in each layer, in the order they are counted. */
  onUse: ((layer: number, experts: readonly number[]) => void) | undefined;

  /** Counts the experts a token took in a layer, all of which were resident, and marks them as used. */
  used(layer: number, experts: readonly number[]): void {
    if (!this.#holdsAll) this.#at(layer).residents.use(layer, experts);
    this.#count(layer, experts, 0);
  }

  snapshot(): readonly LayerResidents[] {
    return this.#tallies.map(({ uses, hits, misses }, layer) => {
      const { residents } = this.#at(layer);
      const resident = Uint8Array.from(uses, (_, expert) => (residents.slotOf(layer, expert) === undefined ? 0 : 1));
      return { resident, uses: uses.slice(), hits, misses };
    });
  }

  /**
   * Brings the experts a token needs in this layer into slots: one parallel read of all that are missing.
   * Throws `storage/missing` or `storage/corrupt` naming layer and expert; then it may be tried again.
   */
  async load(layer: number, wanted: readonly number[], signal?: AbortSignal): Promise<void> {
    const missing = await this.#bring(layer, wanted, signal);
    this.#count(layer, wanted, missing);
    const bytes = this.#store.recordBytes(layer) * missing;
    this.#stats = { ...this.#stats, loads: this.#stats.loads + missing, loadedBytes: this.#stats.loadedBytes + bytes };
  }

  /** Slots that the layer's experts can have, shared with those of its pool's other layers. */
  slotsFor(layer: number): number {
    return this.#at(layer).slots;
  }

  /**
   * Brings experts that many tokens of a prompt need in this layer, and says which slot each has. `uses` of each are counted;
   * `later`: experts of the layer that the prompt needs after these, which are not evicted if others can be. Throws as `load`.
   */
  async serve(layer: number, experts: readonly number[], uses: readonly number[], later: readonly number[], signal?: AbortSignal): Promise<readonly number[]> {
    const missing = this.#holdsAll ? 0 : await this.#bring(layer, experts, signal, later);
    const { residents } = this.#at(layer);
    const bytes = this.#store.recordBytes(layer) * missing;
    const total = uses.reduce((sum, count) => sum + count, 0);
    this.#stats = {
      ...this.#stats,
      uses: this.#stats.uses + total,
      hits: this.#stats.hits + total - missing,
      loads: this.#stats.loads + missing,
      loadedBytes: this.#stats.loadedBytes + bytes,
    };
    const tally = this.#tallies[layer]!;
    experts.forEach((expert, i) => (tally.uses[expert]! += uses[i]!));
    tally.hits += total - missing;
    tally.misses += missing;
    return experts.map((expert) => {
      const slot = residents.slotOf(layer, expert);
      if (slot === undefined) throw new AppError("bug", `Expert ${expert} of layer ${layer} has no slot.`);
      return slot;
    });
  }

  /** Loads every expert, a few at a time; only where `holdsAll`. */
  async fill(onLayer: (layer: number) => void, signal?: AbortSignal): Promise<void> {
    for (let layer = 0; layer < this.#store.layers; layer++) {
      const together = this.#loader.inFlight(layer);
      for (let first = 0; first < this.#store.experts; first += together) {
        const count = Math.min(together, this.#store.experts - first);
        await this.#bring(layer, Array.from({ length: count }, (_, i) => first + i), signal);
      }
      onLayer(layer);
    }
  }

  /**
   * Reads a few experts ahead, of those that `past` says were used before, into slots that were never filled; nothing is evicted.
   * Returns the bytes that were read: 0 when there is nothing to do. To be called only while nobody waits for `load`; if somebody
   * begins to, meanwhile, what was read is dropped.
   */
  async prefetch(past: (layer: number) => ArrayLike<number> | undefined, signal?: AbortSignal): Promise<number> {
    if (this.#store.layers === 0) return 0; // a dense model
    const keys = nextToPrefetch(this.#arenas, past, this.#loader.atOnce(0));
    const first = keys[0];
    if (!first || this.waited) return 0;
    const records = await this.#loader.stage(keys, signal);
    const bytes = keys.length * this.#store.recordBytes(first.layer);
    const placements = this.#at(first.layer).residents.plan(first.layer, keys.map(({ expert }) => expert));
    if (signal?.aborted || this.waited || placements.length !== keys.length || placements.some(({ evicted }) => evicted)) this.#loader.drop(records);
    else this.#put(records, placements);
    return bytes;
  }

  /** Somebody waits for experts that are being read. */
  get waited(): boolean {
    return this.#demands > 0;
  }

  close(): void {
    this.#loader.close();
    this.#gpu.memory.close();
  }

  /** How many had to be read. */
  #bring(layer: number, wanted: readonly number[], signal?: AbortSignal, later?: readonly number[]): Promise<number> {
    const arena = this.#at(layer);
    // One after the other: two plans for one pool would give a slot away twice.
    const turn = (this.#turns.get(arena) ?? Promise.resolve()).then(() => this.#bringNow(arena, layer, wanted, signal, later));
    this.#turns.set(arena, turn.catch(() => undefined)); // the caller gets the error; the next one only waits
    return turn;
  }

  async #bringNow({ residents }: Arena, layer: number, wanted: readonly number[], signal?: AbortSignal, later?: readonly number[]): Promise<number> {
    this.#demands++;
    try {
      const placements = residents.plan(layer, wanted, later);
      const together = this.#loader.atOnce(layer);
      const parts = Array.from({ length: Math.ceil(placements.length / together) }, (_, i) => placements.slice(i * together, (i + 1) * together));
      // All are waited for, also after one has failed: the others' experts are of use when it is tried again.
      const ends = await Promise.allSettled(parts.map((part) => this.#fetch(part, signal)));
      for (const end of ends) if (end.status === "rejected") throw end.reason;
      residents.use(layer, wanted);
      return placements.length;
    } finally {
      this.#demands--;
    }
  }

  /** Reads the experts of one staging buffer and puts them into their slots. */
  async #fetch(placements: readonly Placement[], signal?: AbortSignal): Promise<void> {
    this.#put(await this.#loader.stage(placements, signal), placements);
  }

  #put(records: StagedRecords, placements: readonly Placement[]): void {
    this.#loader.put(records, placements.map(({ layer, slot }) => ({ buffer: this.#at(layer).buffer, offset: slot * this.#at(layer).slotBytes })));
    const changed = new Set<number>();
    for (const placement of placements) {
      const { layer, expert, slot, evicted } = placement;
      if (evicted) {
        this.#row(evicted.layer)[evicted.expert] = NO_SLOT;
        changed.add(evicted.layer);
      }
      this.#row(layer)[expert] = slot;
      changed.add(layer);
      this.#at(layer).residents.place(placement);
    }
    // Behind the copies: no kernel finds a slot that is not filled.
    for (const layer of changed) this.#gpu.memory.write(this.#table, layer * this.#tableStride, this.#row(layer));
  }

  /** The layer's part of the slot table as the GPU has it. */
  #row(layer: number): Uint32Array<ArrayBuffer> {
    return this.#entries.subarray((layer * this.#tableStride) / 4, (layer * this.#tableStride) / 4 + this.#store.experts);
  }

  #count(layer: number, experts: readonly number[], misses: number): void {
    if (experts.length === 0) return; // a dense layer chooses none
    this.onUse?.(layer, experts);
    const hits = experts.length - misses;
    this.#stats = { ...this.#stats, uses: this.#stats.uses + experts.length, hits: this.#stats.hits + hits };
    const tally = this.#tallies[layer]!;
    for (const expert of experts) tally.uses[expert]!++;
    tally.hits += hits;
    tally.misses += misses;
  }

  #at(layer: number): Arena {
    const arena = this.#ofLayer[layer];
    if (!arena) throw new AppError("bug", `There is no layer ${layer} in a model of ${this.#ofLayer.length}.`);
    return arena;
  }
}
