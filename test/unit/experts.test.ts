// Slots for experts: how a budget is cut into pools, and who is evicted.
import { describe, expect, it } from "vitest";
import { planPools, smallestBudgetBytes, wholeBudgetBytes } from "../../src/experts/pools.ts";
import { SlotPool } from "../../src/experts/slots.ts";
import { seededRandom } from "../../src/model/sampling.ts";

const MB = 1_000_000;
const LAYERS = { recordBytes: [MB, MB, 2 * MB, MB], experts: 8, topK: 2, maxPoolBytes: 1000 * MB };

describe("a budget for experts", () => {
  it("gives every expert of every layer a slot when it is large enough", () => {
    expect(wholeBudgetBytes(LAYERS)).toBe(40 * MB);
    const pools = planPools({ ...LAYERS, budgetBytes: 100 * MB });
    expect(pools.map(({ slots }) => slots)).toEqual([8, 8, 8, 8]);
    expect(pools[2]).toEqual({ layers: [2], slots: 8, slotBytes: 2 * MB });
  });

  it("is shared evenly, and what is left over gives the first layers one more", () => {
    expect(planPools({ ...LAYERS, budgetBytes: 20 * MB }).map(({ slots }) => slots)).toEqual([4, 4, 4, 4]);
    expect(planPools({ ...LAYERS, budgetBytes: 22 * MB }).map(({ slots }) => slots)).toEqual([5, 5, 4, 4]);
  });

  it("too small for top-k slots a layer leaves the last layers one pool", () => {
    const pools = planPools({ ...LAYERS, budgetBytes: 7 * MB });
    expect(pools).toEqual([
      { layers: [0], slots: 2, slotBytes: MB },
      { layers: [1, 2, 3], slots: 2, slotBytes: 2 * MB },
    ]);
  });

  it("can be as small as the experts of one layer, and the error below says how small", () => {
    expect(smallestBudgetBytes(LAYERS)).toBe(4 * MB);
    expect(planPools({ ...LAYERS, budgetBytes: 4 * MB })).toEqual([{ layers: [0, 1, 2, 3], slots: 2, slotBytes: 2 * MB }]);
    expect(() => planPools({ ...LAYERS, budgetBytes: 3.9 * MB })).toThrow(/3 MB is too small.*at least 4 MB/);
  });

  it("is never exceeded, no pool is smaller than top-k, and every layer has exactly one", () => {
    const random = seededRandom(11);
    const whole = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
    for (let round = 0; round < 300; round++) {
      const experts = whole(1, 32);
      const request = {
        recordBytes: Array.from({ length: whole(1, 12) }, () => 16 * whole(1, 500)),
        experts,
        topK: whole(1, experts),
        budgetBytes: whole(1, 2_000_000),
        maxPoolBytes: 4_000_000,
      };
      if (request.budgetBytes < request.topK * Math.max(...request.recordBytes)) {
        expect(() => planPools(request)).toThrow(/too small/);
        continue;
      }
      const pools = planPools(request);
      expect(pools.reduce((sum, { slots, slotBytes }) => sum + slots * slotBytes, 0)).toBeLessThanOrEqual(request.budgetBytes);
      expect(pools.flatMap(({ layers }) => layers)).toEqual(request.recordBytes.map((_, layer) => layer));
      for (const { layers, slots, slotBytes } of pools) {
        expect(slots).toBeGreaterThanOrEqual(request.topK);
        expect(slotBytes).toBe(Math.max(...layers.map((layer) => request.recordBytes[layer]!)));
      }
    }
  });
});

describe("a pool of slots", () => {
  const fill = (pool: SlotPool, layer: number, experts: readonly number[]): void => {
    for (const placement of pool.plan(layer, experts)) pool.place(placement);
  };

  it("fills free slots first, then evicts the least recently used", () => {
    const pool = new SlotPool(3);
    fill(pool, 0, [5, 6]);
    expect(pool.plan(0, [7])).toEqual([{ layer: 0, expert: 7, slot: 2 }]);
    fill(pool, 0, [7]);
    expect(pool.touch(0, 5)).toBe(true);
    expect(pool.plan(0, [8])).toEqual([{ layer: 0, expert: 8, slot: 1, evicted: { layer: 0, expert: 6 } }]);
  });

  it("never evicts what the same layer needs now", () => {
    const pool = new SlotPool(2);
    fill(pool, 0, [1, 2]);
    expect(pool.plan(0, [1, 3])).toEqual([{ layer: 0, expert: 3, slot: 1, evicted: { layer: 0, expert: 2 } }]);
    expect(pool.plan(0, [2, 3])).toEqual([{ layer: 0, expert: 3, slot: 0, evicted: { layer: 0, expert: 1 } }]);
  });

  it("keeps the experts of different layers apart", () => {
    const pool = new SlotPool(2);
    fill(pool, 0, [1]);
    fill(pool, 1, [1]);
    expect([pool.slotOf(0, 1), pool.slotOf(1, 1)]).toEqual([0, 1]);
    expect(pool.touch(2, 1)).toBe(false);
  });

  it("changes nothing until a placement is carried out", () => {
    const pool = new SlotPool(1);
    fill(pool, 0, [1]);
    pool.plan(0, [2]);
    expect(pool.slotOf(0, 1)).toBe(0);
  });

  it("behaves as an obvious list that is searched from its old end", () => {
    const random = seededRandom(23);
    const pool = new SlotPool(7);
    let list: number[] = [];
    for (let round = 0; round < 2000; round++) {
      const wanted = [...new Set(Array.from({ length: 3 }, () => Math.floor(random() * 20)))];
      const missing = wanted.filter((expert) => !list.includes(expert));
      const hits = wanted.filter((expert) => pool.touch(0, expert));
      expect(hits).toEqual(wanted.filter((expert) => list.includes(expert)));
      fill(pool, 0, wanted);
      list = [...list.filter((expert) => !wanted.includes(expert)), ...hits, ...missing].slice(-7);
      expect([...Array(20).keys()].filter((expert) => pool.slotOf(0, expert) !== undefined)).toEqual([...list].sort((a, b) => a - b));
    }
  });
});
