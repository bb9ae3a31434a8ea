// Traces without a model: what policies hit of them, and what none can.
import { describe, expect, it } from "vitest";
import { DEFAULT_POLICY, decayingRuns, LRU } from "../../src/experts/policy.ts";
import { bestHits, informedHits, type LayerTrace, replay } from "../../src/experts/replay.ts";
import { syntheticTrace } from "../../src/experts/synthetic-trace.ts";
import { seededRandom } from "../../src/model/sampling.ts";

const POLICIES = [LRU, decayingRuns(8), DEFAULT_POLICY, decayingRuns(1024)];
const ROUTING = { experts: 128, topK: 4, tokens: 1000, skew: 1, repeat: 0.3, topicTokens: 250 };

/** The most hits of any choice of victims, by trying all of them. */
function exhaustive(trace: LayerTrace, slots: number): number {
  const known = new Map<string, number>();
  const from = (token: number, here: readonly number[]): number => {
    const wanted = trace[token];
    if (!wanted) return 0;
    const key = `${token}/${here.join()}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const hits = wanted.filter((expert) => here.includes(expert)).length;
    const others = here.filter((expert) => !wanted.includes(expert));
    const room = slots - wanted.length;
    const choices = others.length <= room ? [others] : subsets(others, room);
    const most = hits + Math.max(...choices.map((kept) => from(token + 1, [...wanted, ...kept].sort((a, b) => a - b))));
    known.set(key, most);
    return most;
  };
  return from(0, []);
}

function subsets(list: readonly number[], size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  return list.flatMap((item, i) => subsets(list.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

describe("the best possible policy", () => {
  it("hits as often as the best of all choices, tried one by one", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { trace } = syntheticTrace({ experts: 7, topK: 2, tokens: 14, skew: 0.5, repeat: 0.2, topicTokens: 0 }, seededRandom(seed));
      expect(bestHits(trace, 4), `seed ${seed}`).toBe(exhaustive(trace, 4));
    }
  });

  it("is beaten by none, and all hit everything but the first uses where all experts have slots", () => {
    const { trace } = syntheticTrace(ROUTING, seededRandom(3));
    for (const slots of [4, 13, 32, 64]) for (const policy of POLICIES) expect(replay(policy, trace, slots)).toBeLessThanOrEqual(bestHits(trace, slots));
    const first = new Set(trace.flat()).size;
    for (const policy of POLICIES) expect(replay(policy, trace, 128)).toBe(4000 - first);
    expect(bestHits(trace, 128)).toBe(4000 - first);
  });
});

describe("one that knows how probable each expert is", () => {
  it.each([0, 250])("hits more than any that has to learn it, and less than one that knows the future (topics of %i)", (topicTokens) => {
    const { trace, shares } = syntheticTrace({ ...ROUTING, topicTokens }, seededRandom(4));
    for (const slots of [13, 32]) {
      const informed = informedHits(trace, slots, shares);
      for (const policy of POLICIES) expect(informed).toBeGreaterThan(replay(policy, trace, slots));
      expect(informed).toBeLessThan(bestHits(trace, slots));
      expect(informed).toBeGreaterThan(informedHits(trace, slots, () => new Float64Array(ROUTING.experts)));
    }
  });
});

describe("the engine's policy", () => {
  it.each([
    ["lasts", 0],
    ["changes with the topic", 250],
  ])("hits more than the least recently used would, where what is popular %s", (_, topicTokens) => {
    const { trace } = syntheticTrace({ ...ROUTING, topicTokens }, seededRandom(7));
    for (const slots of [13, 32]) expect(replay(DEFAULT_POLICY, trace, slots)).toBeGreaterThan(1.01 * replay(LRU, trace, slots));
  });

  it("values uses of a million tokens ago and of now without losing count", () => {
    const long = decayingRuns(64);
    let worth = -Infinity;
    for (let now = 2; now <= 1_000_000; now += 2) worth = long.worth(worth, now - 2, now);
    // The sum of 2^(-age / 64) over every second age.
    expect(worth - 1_000_000 / 64).toBeCloseTo(Math.log2(1 / (1 - 2 ** (-2 / 64))), 6);
    expect(long.worth(-Infinity, -Infinity, 5)).toBe(5 / 64);
  });

  it("counts a run of uses as one, at its end, whatever came before it", () => {
    const policy = decayingRuns(64);
    const after = (uses: readonly number[]): number => uses.reduce((worth, now, i) => policy.worth(worth, uses[i - 1] ?? -Infinity, now), -Infinity);
    for (const before of [[], [3], [3, 9, 40]]) expect(after([...before, 100, 101, 102, 103])).toBeCloseTo(after([...before, 103]), 9);
    const long = Array.from({ length: 100_000 }, (_, i) => 10 + i);
    expect(after(long)).toBeCloseTo(after([long.at(-1)!]), 6);
  });
});

describe("a synthetic trace", () => {
  it("takes top-k different experts a token, and the same ones from the same seed", () => {
    const { trace } = syntheticTrace(ROUTING, seededRandom(1));
    expect(trace.every((wanted) => new Set(wanted).size === 4 && wanted.every((expert) => expert >= 0 && expert < 128))).toBe(true);
    expect(syntheticTrace(ROUTING, seededRandom(1)).trace).toEqual(trace);
  });

  it("is as skewed and as repetitive as stated", () => {
    const share = (skew: number, repeat: number): readonly [number, number] => {
      const { trace } = syntheticTrace({ ...ROUTING, tokens: 4000, topicTokens: 0, skew, repeat }, seededRandom(5));
      const uses = new Map<number, number>();
      for (const expert of trace.flat()) uses.set(expert, (uses.get(expert) ?? 0) + 1);
      const again = trace.slice(1).reduce((sum, wanted, i) => sum + wanted.filter((expert) => trace[i]!.includes(expert)).length, 0);
      return [Math.max(...uses.values()) / trace.length, again / (4 * (trace.length - 1))];
    };
    expect(share(0, 0)[0]).toBeLessThan(0.06); // 4 of 128: 0.03
    expect(share(1.2, 0)[0]).toBeGreaterThan(0.5);
    expect(share(0, 0)[1]).toBeLessThan(0.05);
    expect(share(0, 0.5)[1]).toBeCloseTo(0.51, 1);
  });
});
