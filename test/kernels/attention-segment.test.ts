// Attention of many tokens at once against the definition, the cache included: what it appends, decode reads.
import { describe, expect, it } from "vitest";
import { attentionReference, packAttentionConstants, type AttentionConstants, type AttentionShape } from "../../src/kernels/ops/attention.ts";
import { attentionAppend } from "../../src/kernels/ops/attention-append.ts";
import { attentionTiles, attentionTilesLanes } from "../../src/kernels/ops/attention-tiles.ts";
import { packStep } from "../../src/kernels/step.ts";
import { seeded } from "../support/kernel-random.ts";
import { errorOf, expectClose, runKernel } from "../support/kernel-run.ts";

// Sums over head and context in f32, and an exp good to 3 + 2|x| units in the last place, against f64.
const TOLERANCE = { ofLargest: 2e-5 };
// Keys and values rounded to 11 bits: an error of 2^-12 each, and what it makes of the scores.
const HALF_TOLERANCE = { ofLargest: 5e-3 };

const projSize = (p: AttentionShape) => ((p.gated ? 2 : 1) * p.heads + 2 * p.kv_heads) * p.head_dim;

interface Cache {
  keys: Float32Array<ArrayBuffer>;
  values: Float32Array<ArrayBuffer>;
}

/** NaN: a position that was not written must never count. */
function emptyCache(p: AttentionShape, context: number, half: boolean): Cache {
  const size = (context * p.kv_heads * p.head_dim) / (half ? 2 : 1);
  return { keys: new Float32Array(size).fill(NaN), values: new Float32Array(size).fill(NaN) };
}

async function runSegment(tokens: readonly Float32Array<ArrayBuffer>[], constants: AttentionConstants, position: number, cache: Cache, p: AttentionShape, half = false) {
  const { heads, kv_heads, rotary, eps, head_dim } = p;
  const gated = Number(p.gated);
  const count = tokens.length;
  const proj = new Float32Array(count * projSize(p));
  tokens.forEach((token, t) => proj.set(token, t * projSize(p)));
  const rope = new Float32Array(Math.max(2, count * rotary));
  for (let t = 0; t < count; t++) rope.set(new Float32Array(packStep({ token: 0, position: position + t, route: 0 }, rotary / 2, p.ropeBase).buffer, 16).subarray(0, rotary), t * rotary);
  const segment = new Uint32Array([count, position, 0, 0]);
  const appended = await runKernel(attentionAppend, {
    params: { heads, kv_heads, rotary, eps, tokens: count },
    constants: { head_dim, lanes: head_dim > 64 ? 64 : 16, half: Number(half), gated, normed: Number(constants.norms !== undefined), biased: Number(constants.biases !== undefined) },
    buffers: { constants: packAttentionConstants(constants, head_dim), segment, rope, proj, keys: cache.keys, values: cache.values },
  });
  const [keys, values] = [appended["keys"]!.slice(), appended["values"]!.slice()];
  const { out } = await runKernel(attentionTiles, {
    params: { heads, kv_heads, tokens: count },
    constants: { head_dim, ...attentionTilesLanes(kv_heads !== 2, head_dim), half: Number(half), gated },
    buffers: { proj: appended["proj"]!.slice(), segment, keys, values, out: count * heads * head_dim },
  });
  const width = heads * head_dim;
  return { out: tokens.map((_, t) => out!.slice(t * width, (t + 1) * width)), cache: { keys, values } };
}

describe("attention over a segment", () => {
  it.each([["f32", false], ["f16", true]] as const)("runs sequences cut anywhere as the definition does, with the cache in %s", async (_, half) => {
    for (let seed = 1; seed <= 12; seed++) {
      const rng = seeded(seed);
      const kv_heads = rng.int(1, 3);
      const head_dim = [4, 20, 64, 256][seed % 4]!;
      const p: AttentionShape = { heads: kv_heads * rng.int(1, 4), kv_heads, head_dim, rotary: rng.pick([0, 2, 4, head_dim / 4 - ((head_dim / 4) % 2), head_dim]), ropeBase: 1e4, eps: 1e-6, gated: head_dim !== 20 };
      const kind = seed % 4 === 1 ? { biases: [rng.normal(p.heads * head_dim), rng.normal(kv_heads * head_dim), rng.normal(kv_heads * head_dim)] as const } : { norms: [rng.normal(head_dim), rng.normal(head_dim)] as const };
      const cuts = rng.pick([[1], [7, 2], [8, 1, 9], [63, 2], [65], [3, 64]] as const);
      const tokens = Array.from({ length: cuts.reduce<number>((a, b) => a + b, 0) }, () => rng.normal(projSize(p)));
      const reference = attentionReference(tokens, kind, p);
      let cache = emptyCache(p, tokens.length, half);
      let at = 0;
      for (const count of cuts) {
        const done = await runSegment(tokens.slice(at, at + count), kind, at, cache, p, half);
        cache = done.cache;
        done.out.forEach((out, t) => expectClose(out, reference[at + t]!, half ? HALF_TOLERANCE : TOLERANCE, `${JSON.stringify(p)} seed ${seed} token ${at + t} of ${cuts.join(" + ")}`));
        at += count;
      }
      expect(cache.values.every((value) => half || !Number.isNaN(value))).toBe(true);
    }
  });

  it("would not pass with a wrong definition: fewer dimensions that turn, or a key more than there is", async () => {
    const p: AttentionShape = { heads: 2, kv_heads: 1, head_dim: 16, rotary: 8, ropeBase: 1e4, eps: 1e-6, gated: true };
    const rng = seeded(2);
    const norms: AttentionConstants = { norms: [rng.normal(16), rng.normal(16)] };
    const tokens = [rng.normal(projSize(p)), rng.normal(projSize(p)), rng.normal(projSize(p))];
    const { out } = await runSegment(tokens, norms, 0, emptyCache(p, 3, false), p);
    expect(errorOf(out[1]!, attentionReference(tokens, norms, p)[1]!)).toBeLessThanOrEqual(TOLERANCE.ofLargest);
    expect(errorOf(out[1]!, attentionReference(tokens, norms, { ...p, rotary: 4 })[1]!)).toBeGreaterThan(TOLERANCE.ofLargest);
    expect(errorOf(out[1]!, attentionReference(tokens, norms, p)[2]!)).toBeGreaterThan(TOLERANCE.ofLargest);
  });
});
