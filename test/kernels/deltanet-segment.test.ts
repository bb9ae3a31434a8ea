// The chunked delta rule against the token-by-token definition, and the state it leaves against the token-by-token kernel's.
import { describe, expect, it } from "vitest";
import { deltanet, deltanetReference, deltanetSizes, packDeltanetConstants, type DeltanetConstants, type DeltanetShape } from "../../src/kernels/ops/deltanet.ts";
import { DELTA_CHUNK, DELTA_MATS, deltanetChunks, deltanetConv, deltanetOut, deltanetScan } from "../../src/kernels/ops/deltanet-segment.ts";
import { type Rng, seeded } from "../support/kernel-random.ts";
import { errorOf, expectClose, runKernel, RUNNING } from "../support/kernel-run.ts";

// Recurrence in f32 against f64, summed in another order; the norm at the end can magnify an error where the output is small.
const TOLERANCE = { ofLargest: 3e-5 };

interface Left {
  history: Float32Array<ArrayBuffer>;
  state: Float32Array<ArrayBuffer>;
}

function randomConstants(p: DeltanetShape, rng: Rng): DeltanetConstants {
  return {
    a: rng.normal(p.value_heads).map((x) => -Math.exp(x)),
    dt: rng.normal(p.value_heads),
    norm: rng.normal(p.value_dim),
    conv: rng.normal(deltanetSizes(p).channels * p.kernel, 0.7),
  };
}

/** What an earlier text left behind: a sequence that starts at position 0 must not see it. */
function rubbish(p: DeltanetShape): Left {
  const sizes = deltanetSizes(p);
  return { history: new Float32Array(sizes.history).fill(9), state: new Float32Array(sizes.state).fill(NaN) };
}

async function runSegment(tokens: readonly Float32Array<ArrayBuffer>[], position: number, left: Left, constants: DeltanetConstants, p: DeltanetShape, lanes: number) {
  const sizes = deltanetSizes(p);
  const { key_heads, value_heads, kernel, eps, key_dim, value_dim } = p;
  const tiled = Number(p.tiled);
  const count = tokens.length;
  const proj = new Float32Array(count * sizes.proj);
  tokens.forEach((token, t) => proj.set(token, t * sizes.proj));
  const segment = new Uint32Array([count, position, 0, 0]);
  const packed = packDeltanetConstants(constants);
  const first = await runKernel(deltanetConv, {
    params: { key_heads, value_heads, kernel, eps, tokens: count },
    constants: { key_dim, value_dim, lanes, tiled },
    buffers: { proj, constants: packed, segment, history: left.history, conv: count * sizes.channels, gates: 2 * count * value_heads },
  });
  const [conv, gates] = [first["conv"]!.slice(), first["gates"]!.slice()];
  const { mats } = await runKernel(deltanetChunks, {
    params: { key_heads, value_heads, channels: sizes.channels, tokens: count },
    constants: { key_dim, tiled },
    buffers: { conv, gates, segment, mats: Math.ceil(count / DELTA_CHUNK) * value_heads * DELTA_MATS },
  });
  const scanned = await runKernel(deltanetScan, {
    params: { key_heads, value_heads },
    constants: { key_dim, value_dim, tiled },
    buffers: { mats: mats!.slice(), gates, segment, conv, state: left.state },
  });
  const last = await runKernel(deltanetOut, {
    params: { value_heads, channels: sizes.channels, kernel, eps, tokens: count },
    constants: { value_dim, lanes },
    buffers: { proj, conv: scanned["conv"]!.slice(), constants: packed, segment, out: count * sizes.out, history: left.history },
  });
  const out = tokens.map((_, t) => last["out"]!.slice(t * sizes.out, (t + 1) * sizes.out));
  return { out, left: { history: last["history"]!.slice(), state: scanned["state"]!.slice() } };
}

async function runOne(token: Float32Array<ArrayBuffer>, position: number, left: Left, constants: DeltanetConstants, p: DeltanetShape) {
  const { key_heads, value_heads, kernel, eps, key_dim, value_dim } = p;
  const tiled = Number(p.tiled);
  const result = await runKernel(deltanet, {
    params: { key_heads, value_heads, kernel, eps },
    constants: { key_dim, value_dim, lanes: 16, tiled },
    buffers: { proj: token, constants: packDeltanetConstants(constants), step: new Uint32Array([0, position, 0, 0]), routing: RUNNING, history: left.history, state: left.state, out: deltanetSizes(p).out },
  });
  return { out: result["out"]!, left: { history: result["history"]!.slice(), state: result["state"]!.slice() } };
}

// A pipeline for each of the four kernels and of these takes longer than running them.
const DIMS = [{ key_dim: 16, value_dim: 16, tiled: false }, { key_dim: 20, value_dim: 36, tiled: true }] as const;
const LARGE = { key_dim: 128, value_dim: 128, tiled: false };

describe("deltanet over a segment", () => {
  it("runs sequences cut anywhere as the definition does", async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const rng = seeded(seed);
      const key_heads = rng.int(1, 2);
      const p: DeltanetShape = { key_heads, value_heads: key_heads * 2, kernel: rng.int(1, 5), eps: 1e-6, ...(seed === 10 ? LARGE : DIMS[seed % 2]!) };
      const constants = randomConstants(p, rng);
      const cuts = seed === 1 ? [1, 2, 1] : rng.pick([[63, 1], [64, 3], [65, 64], [130], [1, 70], [2, 3, 60]] as const);
      const tokens = Array.from({ length: cuts.reduce<number>((a, b) => a + b, 0) }, () => rng.normal(deltanetSizes(p).proj));
      const reference = deltanetReference(tokens, constants, p);
      let left = rubbish(p);
      let at = 0;
      for (const count of cuts) {
        const done = await runSegment(tokens.slice(at, at + count), at, left, constants, p, seed % 2 && seed !== 10 ? 16 : 64);
        left = done.left;
        done.out.forEach((out, t) => expectClose(out, reference[at + t]!, TOLERANCE, `${JSON.stringify(p)} seed ${seed} token ${at + t} of ${cuts.join(" + ")}`));
        at += count;
      }
    }
  });

  it("leaves the state that the same tokens leave one by one, and takes up the one they left", async () => {
    const p: DeltanetShape = { key_heads: 2, value_heads: 4, key_dim: 16, value_dim: 16, kernel: 4, eps: 1e-6, tiled: false };
    const rng = seeded(21);
    const constants = randomConstants(p, rng);
    const tokens = Array.from({ length: 12 }, () => rng.normal(deltanetSizes(p).proj));
    let one = rubbish(p);
    for (const [t, token] of tokens.slice(0, 5).entries()) one = (await runOne(token, t, one, constants, p)).left;
    const many = await runSegment(tokens.slice(5), 5, one, constants, p, 16);
    for (const [t, token] of tokens.slice(5).entries()) one = (await runOne(token, 5 + t, one, constants, p)).left;
    expect([...many.left.history]).toEqual([...one.history]);
    expectClose(many.left.state, one.state, { ofLargest: 5e-6 }, "state");
  });

  it("survives gates at their ends: full decay, no decay, a softplus that would overflow", async () => {
    const p: DeltanetShape = { key_heads: 1, value_heads: 1, key_dim: 16, value_dim: 16, kernel: 4, eps: 1e-6, tiled: false };
    const rng = seeded(1);
    const constants = { ...randomConstants(p, rng), a: new Float32Array([-1]), dt: new Float32Array([0]) };
    const { proj } = deltanetSizes(p);
    const tokens = Array.from({ length: 70 }, (_, t) => {
      const token = rng.normal(proj);
      token[proj - 1] = [0, 100, -100, 60, -3][t % 5]!;
      return token;
    });
    const { out } = await runSegment(tokens, 0, rubbish(p), constants, p, 16);
    deltanetReference(tokens, constants, p).forEach((reference, t) => expectClose(out[t]!, reference, TOLERANCE, `token ${t}`));
  });

  it("would not pass with a wrong definition: no decay, or other steps", async () => {
    const p: DeltanetShape = { key_heads: 2, value_heads: 4, key_dim: 16, value_dim: 16, kernel: 4, eps: 1e-6, tiled: false };
    const rng = seeded(3);
    const constants = randomConstants(p, rng);
    const tokens = Array.from({ length: 3 }, () => rng.normal(deltanetSizes(p).proj));
    const last = (await runSegment(tokens, 0, rubbish(p), constants, p, 16)).out.at(-1)!;
    for (const wrong of [{ ...constants, a: constants.a.map(() => 0) }, { ...constants, dt: constants.dt.toReversed() }]) {
      expect(errorOf(last, deltanetReference(tokens, wrong, p).at(-1)!)).toBeGreaterThan(TOLERANCE.ofLargest);
    }
  });
});
