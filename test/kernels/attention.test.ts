import { describe, expect, it } from "vitest";
import { attention, type AttentionConstants, attentionReference, type AttentionShape, packAttentionConstants } from "../../src/kernels/ops/attention.ts";
import { attentionJoin } from "../../src/kernels/ops/attention-join.ts";
import { packStep } from "../../src/kernels/step.ts";
import { type Rng, seeded } from "../support/kernel-random.ts";
import { errorOf, expectClose, runKernel, RUNNING, STALLED } from "../support/kernel-run.ts";

// Sums over head and context in f32, and an exp good to 3 + 2|x| units in the last place, against f64.
const TOLERANCE = { ofLargest: 1e-5 };
// Keys and values rounded to 11 bits: an error of 2^-12 each, and what it makes of the scores.
const HALF_TOLERANCE = { ofLargest: 5e-3 };

const projSize = (p: AttentionShape) => ((p.gated ? 2 : 1) * p.heads + 2 * p.kv_heads) * p.head_dim;

const normsOf = (p: AttentionShape, rng: Rng, deviation?: number): AttentionConstants => ({ norms: [rng.normal(p.head_dim, deviation), rng.normal(p.head_dim, deviation)] });
const biasesOf = (p: AttentionShape, rng: Rng): AttentionConstants => ({
  biases: [rng.normal(p.heads * (p.gated ? 2 : 1) * p.head_dim), rng.normal(p.kv_heads * p.head_dim), rng.normal(p.kv_heads * p.head_dim)],
});

interface Cache {
  keys: Float32Array<ArrayBuffer>;
  values: Float32Array<ArrayBuffer>;
}

function emptyCache(p: AttentionShape, context: number, half = false): Cache {
  // NaN: a position that was not written must never be read.
  const size = (context * p.kv_heads * p.head_dim) / (half ? 2 : 1);
  return { keys: new Float32Array(size).fill(NaN), values: new Float32Array(size).fill(NaN) };
}

async function run(proj: Float32Array<ArrayBuffer>, own: AttentionConstants, position: number, context: number, cache: Cache, p: AttentionShape, routing = RUNNING, lanes = 16, half = false, splits = 1) {
  const { heads, kv_heads, rotary, eps, head_dim } = p;
  const shared = { head_dim, lanes, gated: p.gated ? 1 : 0, biased: own.biases ? 1 : 0, splits };
  const buffers = { proj, constants: packAttentionConstants(own, head_dim), step: packStep({ token: 0, position, route: 0 }, rotary / 2, p.ropeBase), routing };
  const result = await runKernel(attention, {
    params: { heads, kv_heads, rotary, context, eps },
    constants: { ...shared, normed: own.norms ? 1 : 0, half: half ? 1 : 0 },
    buffers: { ...buffers, keys: cache.keys, values: cache.values, out: splits > 1 ? heads * splits * (head_dim + 2) : heads * head_dim },
  });
  const joined = splits > 1 ? await runKernel(attentionJoin, { params: { context, heads }, constants: shared, buffers: { ...buffers, parts: result["out"]!.slice(), out: heads * head_dim } }) : result;
  return { out: joined["out"]!.slice(), cache: { keys: result["keys"]!.slice(), values: result["values"]!.slice() } };
}

describe("attention", () => {
  it("runs sequences of any shape as the definition does", async () => {
    for (let seed = 1; seed <= 64; seed++) {
      const rng = seeded(seed);
      const kv_heads = rng.int(1, 3);
      // Of the family: gate and norms, norms alone, biases alone; and all of it.
      const [gated, normed, biased] = ([[true, true, false], [false, true, false], [false, false, true], [true, true, true]] as const)[seed % 8 < 5 ? 0 : (seed % 8) - 4]!;
      const head_dim = rng.pick(seed % 8 < 5 ? [4, 20, 64, 256] : [20]);
      const p: AttentionShape = { heads: kv_heads * rng.int(1, 4), kv_heads, head_dim, rotary: rng.pick([0, 2, 4, head_dim / 4 - ((head_dim / 4) % 2), head_dim]), ropeBase: 1e4, eps: 1e-6, gated };
      const own = { ...(normed ? normsOf(p, rng) : {}), ...(biased ? biasesOf(p, rng) : {}) };
      const tokens = Array.from({ length: rng.int(1, 8) }, () => rng.normal(projSize(p)));
      const reference = attentionReference(tokens, own, p);
      let cache = emptyCache(p, tokens.length);
      for (const [t, proj] of tokens.entries()) {
        const done = await run(proj, own, t, tokens.length, cache, p, RUNNING, seed % 2 === 0 ? 16 : 64);
        cache = done.cache;
        expectClose(done.out, reference[t]!, TOLERANCE, `${JSON.stringify(p)} seed ${seed} token ${t}`);
      }
    }
  });

  it("sees every position of a context longer than its tiles, with any spread of scores", async () => {
    const p: AttentionShape = { heads: 2, kv_heads: 1, head_dim: 32, rotary: 8, ropeBase: 5e6, eps: 1e-6, gated: true };
    for (const length of [64, 65, 66, 129, 200]) {
      const rng = seeded(length);
      const own = normsOf(p, rng, 3);
      const tokens = Array.from({ length }, () => rng.normal(projSize(p)));
      const reference = attentionReference(tokens, own, p).at(-1)!;
      let cache = emptyCache(p, length);
      let out = new Float32Array();
      for (const [t, proj] of tokens.entries()) ({ out, cache } = await run(proj, own, t, length, cache, p));
      expectClose(out, reference, { ofLargest: 5e-5 }, `length ${length}`);
    }
  });

  it("in splits gives what it gives in one, whatever number of them has positions", async () => {
    for (const [seed, [length, splits]] of ([[1, 4], [17, 4], [66, 3], [70, 8], [200, 4]] as const).entries()) {
      const rng = seeded(seed);
      const p: AttentionShape = { heads: 3, kv_heads: 1, head_dim: 32, rotary: 8, ropeBase: 1e4, eps: 1e-6, gated: seed % 2 === 0 };
      const own = { ...normsOf(p, rng, 3), ...(seed % 2 === 0 ? biasesOf(p, rng) : {}) };
      const tokens = Array.from({ length }, () => rng.normal(projSize(p)));
      const reference = attentionReference(tokens, own, p).at(-1)!;
      let cache = emptyCache(p, length);
      let out = new Float32Array();
      for (const [t, proj] of tokens.entries()) ({ out, cache } = await run(proj, own, t, length, cache, p, RUNNING, 16, false, t === length - 1 ? splits : 1));
      expectClose(out, reference, { ofLargest: 5e-5 }, `${length} positions in ${splits} splits`);
    }
  });

  it("keeps keys and values as f16 where it is told to, to the precision of f16", async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const rng = seeded(seed);
      const kv_heads = rng.int(1, 3);
      const head_dim = [4, 20, 64, 256][seed % 4]!;
      const p: AttentionShape = { heads: kv_heads * rng.int(1, 4), kv_heads, head_dim, rotary: rng.pick([0, 4, head_dim]), ropeBase: 1e4, eps: 1e-6, gated: seed % 2 === 0 };
      const own = normsOf(p, rng);
      const tokens = Array.from({ length: rng.pick([1, 5, 66]) }, () => rng.normal(projSize(p)));
      const reference = attentionReference(tokens, own, p);
      let cache = emptyCache(p, tokens.length, true);
      for (const [t, proj] of tokens.entries()) {
        const done = await run(proj, own, t, tokens.length, cache, p, RUNNING, 16, true);
        cache = done.cache;
        expectClose(done.out, reference[t]!, HALF_TOLERANCE, `${JSON.stringify(p)} seed ${seed} token ${t}`);
      }
    }
  });

  it("turns by the right angle far into a long context", async () => {
    const p: AttentionShape = { heads: 1, kv_heads: 1, head_dim: 64, rotary: 16, ropeBase: 1e4, eps: 1e-6, gated: true };
    const step = new Float32Array(packStep({ token: 0, position: 262_143, route: 0 }, 8, p.ropeBase).buffer, 16);
    for (let i = 0; i < 8; i++) {
      expect(step[2 * i]).toBeCloseTo(Math.cos(262_143 * 1e4 ** (-i / 8)), 6);
      expect(step[2 * i + 1]).toBeCloseTo(Math.sin(262_143 * 1e4 ** (-i / 8)), 6);
    }
  });

  it("keeps the cache as it was after a miss, and past its end", async () => {
    const p: AttentionShape = { heads: 1, kv_heads: 1, head_dim: 8, rotary: 4, ropeBase: 1e4, eps: 1e-6, gated: true };
    const rng = seeded(1);
    const cache: Cache = { keys: rng.normal(16), values: rng.normal(16) };
    for (const [position, routing] of [[1, STALLED], [2, RUNNING]] as const) {
      const done = await run(rng.normal(projSize(p)), normsOf(p, rng), position, 2, cache, p, routing);
      expect([...done.cache.keys, ...done.cache.values]).toEqual([...cache.keys, ...cache.values]);
      expect(done.out.every(Number.isNaN)).toBe(true);
    }
  });

  it("would not pass with a wrong definition: fewer dimensions that turn, or all queries before all gates", async () => {
    const p: AttentionShape = { heads: 2, kv_heads: 1, head_dim: 16, rotary: 8, ropeBase: 1e4, eps: 1e-6, gated: true };
    const rng = seeded(2);
    const own = normsOf(p, rng);
    const tokens = [rng.normal(projSize(p)), rng.normal(projSize(p)), rng.normal(projSize(p))];
    let cache = emptyCache(p, 3);
    let out = new Float32Array();
    for (const [t, proj] of tokens.entries()) ({ out, cache } = await run(proj, own, t, 3, cache, p));
    expect(errorOf(out, attentionReference(tokens, own, p)[2]!)).toBeLessThanOrEqual(TOLERANCE.ofLargest);
    expect(errorOf(out, attentionReference(tokens, own, { ...p, rotary: 4 })[2]!)).toBeGreaterThan(TOLERANCE.ofLargest);
    const swapped = tokens.map((row) => Float32Array.from(row, (value, i) => (i >= 16 && i < 32 ? row[i + 16]! : i >= 32 && i < 48 ? row[i - 16]! : value)));
    expect(errorOf(out, attentionReference(swapped, own, p)[2]!)).toBeGreaterThan(TOLERANCE.ofLargest);
  });
});
