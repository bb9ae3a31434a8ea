// The experts that lie in GPU memory, and the way others get there: slots, the table that tells the router where each
// expert lies, reading from the store, statistics. Results never depend on which slot holds an expert, nor on the budget.
import { AppError } from "../base/errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ExpertStore } from "../storage/expert-store.ts";
import { type Pool, planPools, smallestBudgetBytes, wholeBudgetBytes } from "./pools.ts";
import { SlotPool } from "./slots.ts";

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

export interface ExpertCacheOptions {
  readonly topK: number;
  /** Bytes of slots; absent: all experts if the device has room, else as many as fit one buffer's limit. */
  readonly budgetBytes?: number;
}

interface Arena extends Pool {
  readonly buffer: GPUBuffer;
  readonly residents: SlotPool;
}

function recordBytesOf(store: ExpertStore): readonly number[] {
  return Array.from({ length: store.layers }, (_, layer) => store.recordBytes(layer));
}

export class ExpertCache {
  readonly #gpu: Gpu;
  readonly #store: ExpertStore;
  readonly #arenas: readonly Arena[];
  readonly #ofLayer: readonly Arena[];
  readonly #table: GPUBuffer;
  readonly #tableStride: number;
  #stats: ExpertStats = { uses: 0, hits: 0, loads: 0, loadedBytes: 0 };

  private constructor(gpu: Gpu, store: ExpertStore, arenas: readonly Arena[]) {
    this.#gpu = gpu;
    this.#store = store;
    this.#arenas = arenas;
    this.#ofLayer = Array.from({ length: store.layers }, (_, layer) => {
      const arena = arenas.find(({ layers }) => layers.includes(layer));
      if (!arena) throw new AppError("bug", `Layer ${layer} has no pool of expert slots.`);
      return arena;
    });
    this.#tableStride = Math.ceil((store.experts * 4) / BINDING_ALIGNMENT) * BINDING_ALIGNMENT;
    this.#table = gpu.memory.upload("expert slot table", new Uint32Array((store.layers * this.#tableStride) / 4).fill(NO_SLOT));
  }

  /** Allocates the slots. Throws `gpu/memory` with the smallest possible budget when it is too small or not to be had. */
  static async open(gpu: Gpu, store: ExpertStore, { topK, budgetBytes }: ExpertCacheOptions): Promise<ExpertCache> {
    const request = { recordBytes: recordBytesOf(store), experts: store.experts, topK, maxPoolBytes: gpu.report.maxBindingBytes };
    const smallest = smallestBudgetBytes(request);
    let budget = budgetBytes ?? Math.max(smallest, Math.min(wholeBudgetBytes(request), gpu.report.maxBufferBytes));
    for (;;) {
      const pools = planPools({ ...request, budgetBytes: budget });
      try {
        return new ExpertCache(gpu, store, await allocate(gpu, pools));
      } catch (error) {
        const outOfMemory = error instanceof AppError && error.code === "gpu/memory";
        if (!outOfMemory || budgetBytes !== undefined || budget === smallest) throw error;
        budget = Math.max(smallest, Math.floor(budget / 2));
      }
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
    return this.#arenas.every(({ layers, slots }) => slots >= layers.length * this.#store.experts);
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

  /** Counts the experts a token took in a layer, all of which were resident, and marks them as used. */
  used(layer: number, experts: readonly number[]): void {
    const { residents } = this.#at(layer);
    for (const expert of experts) residents.touch(layer, expert);
    this.#count(experts.length, experts.length);
  }

  /** As `used`, for `tokens` tokens through the whole model when nothing can be evicted and order does not matter. */
  usedAll(count: number): void {
    this.#count(count, count);
  }

  /**
   * Brings the experts a token needs in this layer into slots: one parallel read of all that are missing.
   * Throws `storage/missing` or `storage/corrupt` naming layer and expert; then nothing has changed and it may be tried again.
   */
  async load(layer: number, wanted: readonly number[], signal?: AbortSignal): Promise<void> {
    const missing = await this.#bring(layer, wanted, signal);
    this.#count(wanted.length, wanted.length - missing);
    const bytes = this.#store.recordBytes(layer) * missing;
    this.#stats = { ...this.#stats, loads: this.#stats.loads + missing, loadedBytes: this.#stats.loadedBytes + bytes };
  }

  /** Loads every expert, a few at a time; only where `holdsAll`. */
  async fill(onLayer: (layer: number) => void, signal?: AbortSignal): Promise<void> {
    const together = 8;
    for (let layer = 0; layer < this.#store.layers; layer++) {
      for (let first = 0; first < this.#store.experts; first += together) {
        const count = Math.min(together, this.#store.experts - first);
        await this.#bring(layer, Array.from({ length: count }, (_, i) => first + i), signal);
      }
      onLayer(layer);
    }
  }

  close(): void {
    for (const { buffer } of this.#arenas) this.#gpu.memory.free(buffer);
    this.#gpu.memory.free(this.#table);
  }

  /** How many had to be read. */
  async #bring(layer: number, wanted: readonly number[], signal?: AbortSignal): Promise<number> {
    const { residents, buffer, slotBytes } = this.#at(layer);
    const placements = residents.plan(layer, wanted);
    const records = await Promise.all(placements.map(({ expert }) => this.#store.read(layer, expert, signal)));
    for (const expert of wanted) residents.touch(layer, expert);
    placements.forEach((placement, i) => {
      this.#gpu.memory.write(buffer, placement.slot * slotBytes, records[i]!);
      if (placement.evicted) this.#writeEntry(placement.evicted.layer, placement.evicted.expert, NO_SLOT);
      this.#writeEntry(layer, placement.expert, placement.slot);
      residents.place(placement);
    });
    return placements.length;
  }

  #writeEntry(layer: number, expert: number, slot: number): void {
    this.#gpu.memory.write(this.#table, layer * this.#tableStride + expert * 4, Uint32Array.of(slot));
  }

  #count(uses: number, hits: number): void {
    this.#stats = { ...this.#stats, uses: this.#stats.uses + uses, hits: this.#stats.hits + hits };
  }

  #at(layer: number): Arena {
    const arena = this.#ofLayer[layer];
    if (!arena) throw new AppError("bug", `There is no layer ${layer} in a model of ${this.#ofLayer.length}.`);
    return arena;
  }
}

async function allocate(gpu: Gpu, pools: readonly Pool[]): Promise<readonly Arena[]> {
  const arenas: Arena[] = [];
  try {
    await gpu.memory.within("the expert slots", () => {
      for (const pool of pools) {
        const buffer = gpu.memory.storage(`experts of layer ${pool.layers.join(", ")}`, pool.slots * pool.slotBytes);
        arenas.push({ ...pool, buffer, residents: new SlotPool(pool.slots) });
      }
    });
  } catch (error) {
    for (const { buffer } of arenas) gpu.memory.free(buffer);
    throw error;
  }
  return arenas;
}
