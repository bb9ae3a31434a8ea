// Slots for experts: how a budget is cut into pools, and who is evicted.
import { describe, expect, it } from "vitest";
import { planPools, smallestBudgetBytes, wholeBudgetBytes } from "../../src/experts/pools.ts";
import { decayingRuns, LRU, type Policy } from "../../src/experts/policy.ts";
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
    const placements = pool.plan(layer, experts);
    pool.use(layer, experts);
    for (const placement of placements) pool.place(placement);
  };

  it("fills free slots first, then evicts the least recently used", () => {
    const pool = new SlotPool(3, LRU);
    fill(pool, 0, [5, 6]);
    expect(pool.plan(0, [7])).toEqual([{ layer: 0, expert: 7, slot: 2 }]);
    expect(pool.free).toBe(1);
    fill(pool, 0, [7]);
    pool.use(0, [5]);
    expect(pool.plan(0, [8])).toEqual([{ layer: 0, expert: 8, slot: 1, evicted: { layer: 0, expert: 6 } }]);
  });

  it("never evicts what the same layer needs now", () => {
    const pool = new SlotPool(2);
    fill(pool, 0, [1, 2]);
    expect(pool.plan(0, [1, 3])).toEqual([{ layer: 0, expert: 3, slot: 1, evicted: { layer: 0, expert: 2 } }]);
    expect(pool.plan(0, [2, 3])).toEqual([{ layer: 0, expert: 3, slot: 0, evicted: { layer: 0, expert: 1 } }]);
  });

  it("keeps what the same layer needs later while others can go, and then lets the last of it go first", () => {
    const pool = new SlotPool(4);
    for (const expert of [0, 1, 2, 3]) for (const placement of pool.plan(0, [expert])) pool.place(placement);
    pool.use(0, [0]);
    const gone = (wanted: readonly number[], later: readonly number[]) => pool.plan(0, wanted, later).map(({ evicted }) => evicted?.expert);
    expect(gone([7], [1, 2, 3])).toEqual([0]);
    expect(gone([7, 8], [1, 2, 3])).toEqual([0, 3]);
    expect(gone([7, 8, 9], [1, 2, 3, 9])).toEqual([0, 3, 2]);
    expect(gone([7], [])).not.toEqual([0]);
  });

  it("keeps the experts of different layers apart", () => {
    const pool = new SlotPool(2);
    fill(pool, 0, [1]);
    fill(pool, 1, [1]);
    expect([pool.slotOf(0, 1), pool.slotOf(1, 1)]).toEqual([0, 1]);
    expect(pool.slotOf(2, 1)).toBeUndefined();
  });

  it("changes nothing until a placement is carried out", () => {
    const pool = new SlotPool(1);
    fill(pool, 0, [1]);
    pool.plan(0, [2]);
    expect(pool.slotOf(0, 1)).toBe(0);
  });

  it("lets an expert go first that was put there without being used", () => {
    const pool = new SlotPool(2);
    fill(pool, 0, [1]);
    for (const placement of pool.plan(0, [2])) pool.place(placement);
    expect(pool.worth(0, 2)).toBe(-Infinity);
    expect(pool.plan(0, [3])).toEqual([{ layer: 0, expert: 3, slot: 1, evicted: { layer: 0, expert: 2 } }]);
  });

  it("remembers an expert's uses when it is gone", () => {
    const pool = new SlotPool(2, decayingRuns(1000));
    for (const other of [5, 6, 7]) for (const expert of [1, other]) fill(pool, 0, [expert]);
    fill(pool, 0, [2, 3]);
    fill(pool, 0, [1]);
    const left = [2, 3].find((expert) => pool.slotOf(0, expert) !== undefined)!;
    fill(pool, 0, [left]); // later than 1, and less often
    fill(pool, 0, [4]);
    expect([1, 4, left].map((expert) => pool.slotOf(0, expert) !== undefined)).toEqual([true, true, false]);
  });

  /** What each policy says in its sentence, from the whole list of uses. */
  const DEFINITIONS: readonly (readonly [Policy, (ticks: readonly number[], now: number) => number])[] = [
    [LRU, (ticks) => ticks.at(-1)!],
    [decayingRuns(5), (ticks, now) => ticks.filter((tick) => !ticks.includes(tick + 1)).reduce((sum, tick) => sum + 2 ** ((tick - now) / 5), 0)],
  ];

  it.each(DEFINITIONS)("under $name keeps those that its definition values most", (policy, value) => {
    const random = seededRandom(23);
    const pool = new SlotPool(7, policy);
    const uses = new Map<number, number[]>();
    let here: number[] = [];
    for (let now = 1; now < 1500; now++) {
      const wanted = [...new Set(Array.from({ length: 3 }, () => Math.floor(random() * random() * 20)))];
      const missing = wanted.filter((expert) => !here.includes(expert));
      const worth = (expert: number): number => value(uses.get(expert)!, now);
      const last = (expert: number): number => uses.get(expert)!.at(-1)!;
      const slot = (expert: number): number => pool.slotOf(0, expert)!;
      const victims = here.filter((expert) => !wanted.includes(expert)).sort((a, b) => (worth(a) === worth(b) ? 0 : worth(a) - worth(b)) || last(a) - last(b) || slot(a) - slot(b));
      const gone = victims.slice(0, Math.max(0, here.length + missing.length - 7));
      fill(pool, 0, wanted);
      for (const expert of wanted) uses.set(expert, [...(uses.get(expert) ?? []), now]);
      here = [...here.filter((expert) => !gone.includes(expert)), ...missing];
      expect([...Array(20).keys()].filter((expert) => pool.slotOf(0, expert) !== undefined)).toEqual(here.toSorted((a, b) => a - b));
    }
  });
});
