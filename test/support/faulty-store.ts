// An expert store whose reads fail or take long, on demand: everything else is the store's own.
import type { ExpertStore } from "../../src/storage/expert-store.ts";

/** `fault` runs before each read; what it throws, the read throws. Reads are numbered from 1. */
export function faultyStore(store: ExpertStore, fault: (read: number) => Promise<void> | void): ExpertStore {
  let reads = 0;
  return {
    kind: store.kind,
    layers: store.layers,
    experts: store.experts,
    recordBytes: (layer) => store.recordBytes(layer),
    stats: () => store.stats(),
    async readInto(layer, expert, target, signal) {
      await fault(++reads);
      await store.readInto(layer, expert, target, signal);
    },
    async read(layer, expert, signal) {
      await fault(++reads);
      return store.read(layer, expert, signal);
    },
  };
}
