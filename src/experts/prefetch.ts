// What to read while nobody waits for the storage: experts for slots that were never filled. Nothing is evicted for them.
import type { ExpertKey } from "./loader.ts";
import type { SlotPool } from "./slots.ts";

/** Slots and the layers that share them. */
export interface PrefetchPool {
  readonly layers: readonly number[];
  readonly residents: SlotPool;
}

/**
 * The next experts of one pool to read ahead, at most `count`: of the pool with the largest share of free slots, those that
 * were used most in the past and are not there. `past(layer)` counts uses in earlier sessions: `[experts]`. Nothing where no
 * slot is free, or where nothing is known of the past: reading what nobody asked for is then not worth the battery.
 */
export function nextToPrefetch(pools: readonly PrefetchPool[], past: (layer: number) => ArrayLike<number> | undefined, count: number): readonly ExpertKey[] {
  const byNeed = pools.filter(({ residents }) => residents.free > 0).toSorted((a, b) => b.residents.free / b.residents.slots - a.residents.free / a.residents.slots);
  for (const { layers, residents } of byNeed) {
    const candidates = layers.flatMap((layer) => {
      const uses = past(layer);
      return uses ? Array.from(uses, (times, expert) => ({ layer, expert, times })) : [];
    });
    const best = candidates
      .filter(({ layer, expert, times }) => times > 0 && residents.slotOf(layer, expert) === undefined)
      .toSorted((a, b) => b.times - a.times || a.layer - b.layer || a.expert - b.expert)
      .slice(0, Math.min(count, residents.free));
    // One layer's: they are planned together.
    const first = best[0];
    if (first) return best.filter(({ layer }) => layer === first.layer).map(({ layer, expert }) => ({ layer, expert }));
  }
  return [];
}
