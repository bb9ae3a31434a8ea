// How a prompt is cut into chunks and its experts into batches.
import { describe, expect, it } from "vitest";
import { type Batch, SortedPairs } from "../../src/model/prefill-batches.ts";
import { type PrefillFloats, nextChunk, planPrefill } from "../../src/model/prefill-plan.ts";
import { seeded } from "../support/kernel-random.ts";

/** Qwen3-Coder-Next's. */
const LARGE: PrefillFloats = { chunk: 2 * 2048 + 513 + 44 + 1, segment: 12_352 + 4096 + 8192 + 64 + 4096 + 64 + 1024, pair: 2 * 512 + 2048 + 11, widest: 2048 };
const GB = 1024 ** 3;

describe("the chunks of a prompt", () => {
  it("of an 80 B model hold thousands of tokens in 192 MiB", () => {
    const sizes = planPrefill(LARGE, { budgetBytes: 192 * 1024 ** 2, maxBindingBytes: 2 * GB, contextTokens: 262_144 });
    expect(sizes.tokens).toBeGreaterThanOrEqual(4096);
    expect(sizes.tokens % 64).toBe(0);
    expect(sizes.bytes).toBeLessThanOrEqual(192 * 1024 ** 2);
    expect(sizes.segment).toBeGreaterThanOrEqual(256);
  });

  it("are never longer than the context, one binding, or what was asked for", () => {
    const room = { budgetBytes: GB, maxBindingBytes: GB, contextTokens: 262_144 };
    expect(planPrefill(LARGE, { ...room, contextTokens: 100 })).toMatchObject({ tokens: 100, segment: 100 });
    expect(planPrefill(LARGE, { ...room, maxBindingBytes: 2048 * 4 * 700 }).tokens).toBe(700);
    expect(planPrefill(LARGE, { ...room, mostTokens: 64 })).toMatchObject({ tokens: 64, segment: 64 });
  });

  it("shrink with the budget, segments and batches too, down to one of 64 tokens", () => {
    const of = (budgetBytes: number) => planPrefill(LARGE, { budgetBytes, maxBindingBytes: GB, contextTokens: 262_144 });
    let last = of(GB);
    for (const mb of [200, 100, 50, 25, 10]) {
      const sizes = of(mb * 1024 ** 2);
      expect(sizes.tokens).toBeLessThanOrEqual(last.tokens);
      expect(sizes.segment).toBeLessThanOrEqual(last.segment);
      last = sizes;
    }
    expect(last).toMatchObject({ tokens: 64, segment: 64 });
  });

  it("end at whole chunks of the delta rule, and take a short rest along", () => {
    const sizes = { tokens: 1024, segment: 512, pairs: 0, bytes: 0 };
    expect(nextChunk(1000, 1024, sizes)).toBe(1000);
    expect(nextChunk(5000, 1024, sizes)).toBe(1024);
    expect(nextChunk(5000, 700, sizes)).toBe(640);
    expect(nextChunk(700, 690, sizes)).toBe(640);
    expect(nextChunk(650, 645, sizes)).toBe(650);
    expect(nextChunk(1030, 1024, sizes)).toBe(1024);
  });
});

describe("the batches of a chunk's experts", () => {
  function random(seed: number) {
    const rng = seeded(seed);
    const [tokens, experts] = [rng.int(1, 60), rng.int(1, 20)];
    const topK = rng.int(1, Math.min(experts, 6));
    const chosen = Array.from({ length: tokens }, () => {
      const all = Array.from({ length: experts }, (_, expert) => expert);
      return Array.from({ length: topK }, () => all.splice(rng.int(0, all.length - 1), 1)[0]!);
    });
    const weights = rng.normal(tokens * topK);
    return { rng, experts, chosen, weights, choices: { tokens, topK, experts: Uint32Array.from(chosen.flat()), weights } };
  }

  /** What a batch says of a token: its experts and weights in the order in which they are summed. */
  function read({ experts, uses, tiles, pairs, sums, order }: Batch) {
    const expertAt = new Map<number, number>();
    for (const { expert, first, pairs: count } of tiles) for (let i = 0; i < count; i++) expertAt.set(first + i, expert);
    expect(expertAt.size).toBe(order.length);
    expect(experts.map((expert) => [...expertAt.values()].filter((one) => one === expert).length)).toEqual(uses);
    const weights = new Float32Array(pairs.buffer);
    const byToken = new Map<number, (readonly [number, number])[]>();
    for (let row = 0; row < sums.length; row += 4) {
      const places = [...order.subarray(sums[row + 1]!, sums[row + 1]! + sums[row + 2]!)];
      for (const place of places) expect(pairs[2 * place]).toBe(sums[row]);
      byToken.set(sums[row]!, places.map((place) => [expertAt.get(place)!, weights[2 * place + 1]!] as const));
    }
    return byToken;
  }

  it("hold every pair once, and sum a token's experts by rising number, wherever they are cut", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { rng, experts, chosen, weights, choices } = random(seed);
      const pairs = new SortedPairs(choices, experts);
      expect(pairs.experts).toEqual([...new Set(chosen.flat())].toSorted((a, b) => a - b));
      const seen = new Map<number, (readonly [number, number])[]>();
      for (let from = 0; from < pairs.length; ) {
        const [mostPairs, mostExperts, tileRows] = [rng.int(1, 40), rng.pick([1, 3, Infinity]), rng.pick([8, 32])];
        const batch = pairs.batch(from, mostPairs, mostExperts, tileRows);
        expect(batch.order.length).toBeGreaterThan(0);
        expect(batch.order.length).toBeLessThanOrEqual(mostPairs);
        expect(batch.experts.length).toBeLessThanOrEqual(mostExperts);
        for (const tile of batch.tiles) expect(tile.pairs).toBeLessThanOrEqual(tileRows);
        for (const [token, summed] of read(batch)) seen.set(token, [...(seen.get(token) ?? []), ...summed]);
        from += batch.order.length;
      }
      chosen.forEach((list, token) => {
        const expected = list.map((expert, j) => [expert, weights[token * choices.topK + j]!] as const).toSorted(([a], [b]) => a - b);
        expect(seen.get(token), `seed ${seed} token ${token}`).toEqual(expected);
      });
    }
  });
});
