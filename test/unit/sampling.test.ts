// Sampling, on cases small enough to work out by hand.
import { describe, expect, it } from "vitest";
import { PLAIN_SAMPLING, candidates, greedyToken, sampleToken, seededRandom } from "../../src/model/sampling.ts";

/** Logits whose softmax is these probabilities. */
function logitsOf(...probabilities: number[]): Float32Array {
  return Float32Array.from(probabilities, Math.log);
}
function tokens(logits: Float32Array, settings: Partial<typeof PLAIN_SAMPLING>): number[] {
  return [...candidates(logits, { ...PLAIN_SAMPLING, ...settings })].map(({ token }) => token);
}

/** The candidates as they are defined: all tokens sorted, then one filter after the other. */
function definition(logits: Float32Array, { temperature, topK, topP, minP }: typeof PLAIN_SAMPLING) {
  const top = Math.max(...logits);
  const weights = [...logits.keys()].filter((token) => logits[token]! > -Infinity).sort((a, b) => logits[b]! - logits[a]! || a - b).map((token) => ({ token, weight: Math.exp((logits[token]! - top) / temperature) }));
  const few = topK === 0 ? weights : weights.slice(0, topK);
  const total = few.reduce((sum, { weight }) => sum + weight, 0);
  let mass = 0;
  const kept = few.filter(({ weight }, i) => {
    const keep = i === 0 || ((topP === 1 || mass < topP * total) && weight >= minP);
    mass += weight;
    return keep;
  });
  const left = kept.reduce((sum, { weight }) => sum + weight, 0);
  return kept.map(({ token, weight }) => ({ token, probability: weight / left }));
}

const LOGITS = logitsOf(0.1, 0.4, 0.05, 0.3, 0.15);

describe("the candidates for the next token", () => {
  it("are all tokens, most probable first, when nothing is filtered", () => {
    const all = [...candidates(LOGITS, PLAIN_SAMPLING)];
    expect(all.map(({ token }) => token)).toEqual([1, 3, 4, 0, 2]);
    all.forEach(({ probability }, i) => expect(probability).toBeCloseTo([0.4, 0.3, 0.15, 0.1, 0.05][i]!, 6));
  });

  it("are the k most probable under top-k, renormalised", () => {
    const two = [...candidates(LOGITS, { ...PLAIN_SAMPLING, topK: 2 })];
    expect(two.map(({ token }) => token)).toEqual([1, 3]);
    expect(two[0]!.probability).toBeCloseTo(4 / 7, 6);
  });

  it("are the fewest that reach the share under top-p", () => {
    expect(tokens(LOGITS, { topP: 0.39 })).toEqual([1]);
    expect(tokens(LOGITS, { topP: 0.69 })).toEqual([1, 3]);
    expect(tokens(LOGITS, { topP: 0.71 })).toEqual([1, 3, 4]);
  });

  it("count top-p over what top-k left", () => {
    expect(tokens(LOGITS, { topK: 2, topP: 0.58 })).toEqual([1, 3]);
    expect(tokens(LOGITS, { topK: 2, topP: 0.57 })).toEqual([1]);
  });

  it("are no less probable than the min-p share of the best", () => {
    expect(tokens(LOGITS, { minP: 0.3 })).toEqual([1, 3, 4]);
    expect(tokens(LOGITS, { minP: 1 })).toEqual([1]);
  });

  it("flatten with a high temperature and sharpen with a low one", () => {
    const hot = [...candidates(LOGITS, { ...PLAIN_SAMPLING, temperature: 2 })][0]!.probability;
    const cold = [...candidates(LOGITS, { ...PLAIN_SAMPLING, temperature: 0.5 })][0]!.probability;
    expect(cold).toBeCloseTo(0.16 / (0.01 + 0.16 + 0.0025 + 0.09 + 0.0225), 6);
    expect(hot).toBeLessThan(0.4);
  });

  it("take the lower id among equals, and are found in a vocabulary much larger than k", () => {
    const logits = new Float32Array(10_000).map((_, i) => (i * 7919) % 10_007);
    const expected = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!).slice(0, 40);
    expect(tokens(logits, { topK: 40 })).toEqual(expected);
    expect(tokens(new Float32Array(100), { topK: 3 })).toEqual([0, 1, 2]);
  });

  it("are those of a whole sorted vocabulary, under any settings, and the draw is the same", () => {
    const random = seededRandom(7);
    for (let trial = 0; trial < 60; trial++) {
      const size = [1, 3, 64, 65, 1500][trial % 5]!;
      const spread = [0.01, 3, 40][trial % 3]!;
      const logits = Float32Array.from({ length: size }, () => (random() < 0.1 ? -Infinity : (random() - 0.5) * spread));
      logits[Math.floor(random() * size)] = spread;
      const settings = { temperature: 0.2 + random() * 2, topK: trial % 2 ? Math.floor(random() * size) : 0, topP: trial % 4 < 2 ? 1 : 0.1 + 0.9 * random(), minP: trial % 7 ? 0 : random() / 4 };
      const expected = definition(logits, settings);
      const actual = [...candidates(logits, settings)];
      expect(actual.map(({ token }) => token)).toEqual(expected.map(({ token }) => token));
      actual.forEach(({ probability }, i) => expect(probability).toBeCloseTo(expected[i]!.probability, 9));
      const number = random();
      let left = expected.length === 1 ? 0 : number;
      const drawn = expected.find(({ probability }) => (left -= probability) < 0) ?? expected.at(-1)!;
      expect(sampleToken(logits, settings, () => number)).toBe(drawn.token);
    }
  });

  it("are refused when a setting is out of range, by its name", () => {
    expect(() => tokens(LOGITS, { topP: 0 })).toThrow(/topP/);
    expect(() => tokens(LOGITS, { temperature: -1 })).toThrow(/temperature/);
    expect(() => tokens(LOGITS, { topK: 1.5 })).toThrow(/topK/);
  });
});

describe("a sampled token", () => {
  it("is the most probable at temperature 0, whatever else is set", () => {
    expect(sampleToken(LOGITS, { temperature: 0, topK: 3, topP: 0.1, minP: 0.9 }, () => 0.999)).toBe(1);
    expect(greedyToken(Float32Array.of(2, 5, 5))).toBe(1);
  });

  it("follows the random number through the probabilities", () => {
    const at = (random: number): number => sampleToken(LOGITS, PLAIN_SAMPLING, () => random);
    expect([0, 0.39, 0.41, 0.69, 0.71, 0.86, 0.96, 0.999999999].map(at)).toEqual([1, 1, 3, 3, 4, 0, 2, 2]);
  });

  it("comes as often as it is probable", () => {
    const random = seededRandom(7);
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[sampleToken(LOGITS, PLAIN_SAMPLING, random)]!++;
    counts.forEach((count, token) => expect(count / 20_000).toBeCloseTo(Math.exp(LOGITS[token]!), 1.7));
  });

  it("is never drawn from numbers that are not finite", () => {
    expect(() => greedyToken(Float32Array.of(NaN, NaN))).toThrow(/finite/);
    expect(sampleToken(Float32Array.of(-Infinity, 0, NaN), { ...PLAIN_SAMPLING, topK: 1 }, () => 0.5)).toBe(1);
  });
});

describe("seeded random numbers", () => {
  it("repeat for the same seed, differ for another, and are spread evenly", () => {
    const take = (seed: number, count: number): number[] => Array.from({ length: count }, seededRandom(seed));
    expect(take(42, 20)).toEqual(take(42, 20));
    expect(take(42, 20)).not.toEqual(take(43, 20));
    const many = take(1, 10_000);
    expect(many.reduce((a, b) => a + b, 0) / many.length).toBeCloseTo(0.5, 1.5);
    expect(Math.min(...many)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...many)).toBeLessThan(1);
  });
});
