// What is read ahead, and that it stops.
import { describe, expect, it } from "vitest";
import { usesTogether } from "../../src/engine/expert-uses.ts";
import { nextToPrefetch } from "../../src/experts/prefetch.ts";
import { Prefetcher } from "../../src/experts/prefetcher.ts";
import { SlotPool } from "../../src/experts/slots.ts";
import { seededRandom } from "../../src/model/sampling.ts";

const PAST = [
  [0, 5, 9, 1, 0, 3],
  [7, 0, 0, 2, 8, 0],
];
const past = (layer: number) => PAST[layer];

function pool(layer: number, slots: number, experts: readonly number[] = []) {
  const residents = new SlotPool(slots);
  for (const placement of residents.plan(layer, experts)) residents.place(placement);
  return { layers: [layer], residents };
}

describe("what is read ahead", () => {
  it("is what was used most in the past, of the pool with the most room", () => {
    expect(nextToPrefetch([pool(0, 4, [2]), pool(1, 4, [0, 3])], past, 2)).toEqual([
      { layer: 0, expert: 1 },
      { layer: 0, expert: 5 },
    ]);
    expect(nextToPrefetch([pool(0, 4, [2, 1, 5]), pool(1, 4, [0])], past, 8)).toEqual([
      { layer: 1, expert: 4 },
      { layer: 1, expert: 3 },
    ]);
  });

  it("is nothing where all slots were filled, where nothing was used, and where nothing is known", () => {
    expect(nextToPrefetch([pool(0, 2, [4, 0]), pool(1, 1, [1])], past, 8)).toEqual([]);
    expect(nextToPrefetch([pool(0, 6, [1, 2, 3, 5])], past, 8)).toEqual([]);
    expect(nextToPrefetch([pool(0, 6)], () => undefined, 8)).toEqual([]);
  });

  it("never takes more than the free slots of one pool, whatever the pools hold", () => {
    const random = seededRandom(31);
    for (let round = 0; round < 300; round++) {
      const slots = 1 + Math.floor(random() * 12);
      const here = Array.from({ length: 12 }, (_, expert) => expert).filter(() => random() < 0.4).slice(0, slots);
      const { layers, residents } = pool(0, slots, here);
      const keys = nextToPrefetch([{ layers, residents }], () => Array.from({ length: 12 }, () => Math.floor(random() * 4)), 4);
      expect(keys.length).toBeLessThanOrEqual(Math.min(4, residents.free));
      expect(keys.filter(({ expert }) => here.includes(expert))).toEqual([]);
      const placements = residents.plan(0, keys.map(({ expert }) => expert));
      expect(placements.filter(({ evicted }) => evicted)).toEqual([]);
    }
  });
});

describe("reading ahead", () => {
  const cache = (sizes: readonly number[], waited = () => false) => {
    const left = [...sizes];
    return { get waited() { return waited(); }, prefetch: async () => left.shift() ?? 0, left };
  };

  it("ends when there is nothing more, or at the limit of bytes", async () => {
    const whole = new Prefetcher(cache([10, 10, 10]), past, 1000);
    await whole.run();
    expect(whole.bytes).toBe(30);
    const capped = new Prefetcher(cache([10, 10, 10, 10, 10]), past, 25);
    await capped.run();
    await capped.run();
    expect(capped.bytes).toBe(30); // the last piece begins below the limit
  });

  it("pauses while somebody waits for the storage, and goes on when it is called again", async () => {
    let waited = true;
    const prefetcher = new Prefetcher(cache([10, 10], () => waited), past, 1000);
    await prefetcher.run();
    expect(prefetcher.bytes).toBe(0);
    waited = false;
    await prefetcher.run();
    expect(prefetcher.bytes).toBe(20);
  });

  it("ends for good at a read that fails, and tells nobody", async () => {
    let calls = 0;
    const prefetcher = new Prefetcher({ waited: false, prefetch: () => Promise.reject(new Error(`read ${++calls}`)) }, past, 1000);
    await prefetcher.run();
    await prefetcher.run();
    expect(calls).toBe(1);
  });
});

describe("uses that are kept from visit to visit", () => {
  it("count half of what earlier visits counted, and all of this one's", () => {
    const now = [Uint32Array.of(4, 0, 1), Uint32Array.of(0, 0, 9)];
    expect(usesTogether(undefined, now)).toEqual(now);
    expect(usesTogether([Uint32Array.of(10, 3, 0), Uint32Array.of(1, 2, 4)], now)).toEqual([Uint32Array.of(9, 1, 1), Uint32Array.of(0, 1, 11)]);
  });

  it("of a model that has other layers by now do no harm", () => {
    expect(usesTogether([Uint32Array.of(10)], [Uint32Array.of(1, 2), Uint32Array.of(3)])).toEqual([Uint32Array.of(6, 2), Uint32Array.of(3)]);
  });
});
