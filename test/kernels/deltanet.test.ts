import { describe, expect, it } from "vitest";
import { deltanet, deltanetFor, deltanetReference, deltanetSizes, packDeltanetConstants, type DeltanetConstants, type DeltanetShape } from "../../src/kernels/ops/deltanet.ts";
import { type Rng, seeded } from "../support/kernel-random.ts";
import { errorOf, expectClose, runKernel, RUNNING, STALLED } from "../support/kernel-run.ts";

// Twelve tokens of recurrence in f32 against f64; the norm at the end can magnify an error where the output is small.
const TOLERANCE = { ofLargest: 2e-5 };

function randomConstants(p: DeltanetShape, rng: Rng): DeltanetConstants {
  return {
    a: rng.normal(p.value_heads).map((x) => -Math.exp(x)),
    dt: rng.normal(p.value_heads),
    norm: rng.normal(p.value_dim),
    conv: rng.normal(deltanetSizes(p).channels * p.kernel, 0.7),
  };
}

/** Feeds the tokens one after the other, state carried over, and returns each one's output. */
async function run(tokens: readonly Float32Array<ArrayBuffer>[], constants: DeltanetConstants, p: DeltanetShape, { kernel: of, lanes }: Pick<ReturnType<typeof deltanetFor>, "kernel" | "lanes"> = { kernel: deltanet, lanes: 64 }) {
  const sizes = deltanetSizes(p);
  const { key_heads, value_heads, kernel, eps, key_dim, value_dim } = p;
  // What an earlier text left behind: a sequence that starts at position 0 must not see it.
  let history: Float32Array<ArrayBuffer> = new Float32Array(sizes.history).fill(9);
  let state: Float32Array<ArrayBuffer> = new Float32Array(sizes.state).fill(NaN);
  const outputs: Float32Array[] = [];
  for (const [position, proj] of tokens.entries()) {
    const result = await runKernel(of, {
      params: { key_heads, value_heads, kernel, eps },
      constants: { key_dim, value_dim, lanes, tiled: p.tiled ? 1 : 0 },
      buffers: { proj, constants: packDeltanetConstants(constants), step: new Uint32Array([0, position, 0, 0]), routing: RUNNING, history, state, out: sizes.out },
    });
    history = result["history"]!.slice();
    state = result["state"]!.slice();
    outputs.push(result["out"]!);
  }
  return outputs;
}

describe("deltanet", () => {
  it("runs sequences of any shape as the definition does", async () => {
    for (let seed = 1; seed <= 64; seed++) {
      const rng = seeded(seed);
      const key_heads = rng.int(1, 3);
      const [key_dim, value_dim] = rng.pick([[32, 32], [16, 16], [128, 128], [20, 7], [64, 96]] as const);
      const p: DeltanetShape = { key_heads, value_heads: key_heads * rng.pick([1, 2, 4]), key_dim, value_dim, kernel: rng.int(1, 5), eps: 1e-6, tiled: seed % 3 === 0 };
      const constants = randomConstants(p, rng);
      const tokens = Array.from({ length: rng.int(1, 12) }, () => rng.normal(deltanetSizes(p).proj));
      const outputs = await run(tokens, constants, p, { kernel: deltanet, lanes: seed % 2 === 0 ? 16 : 64 });
      deltanetReference(tokens, constants, p).forEach((reference, t) => expectClose(outputs[t]!, reference, TOLERANCE, `${JSON.stringify(p)} seed ${seed} token ${t}`));
    }
  });

  it("by as many lanes as a GPU has, runs sequences of the heads that models have", async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const rng = seeded(seed);
      const key_heads = rng.int(1, 3);
      const [key_dim, value_dim] = rng.pick([[128, 128], [64, 64], [128, 64], [64, 32]] as const);
      const how = deltanetFor(false, key_dim, value_dim);
      expect(how.kernel.name).toBe("deltanet_wide");
      const p: DeltanetShape = { key_heads, value_heads: key_heads * rng.pick([1, 2, 4]), key_dim, value_dim, kernel: rng.int(1, 5), eps: 1e-6, tiled: seed % 3 === 0 };
      const constants = randomConstants(p, rng);
      const tokens = Array.from({ length: rng.int(1, 12) }, () => rng.normal(deltanetSizes(p).proj));
      const outputs = await run(tokens, constants, p, how);
      deltanetReference(tokens, constants, p).forEach((reference, t) => expectClose(outputs[t]!, reference, TOLERANCE, `${JSON.stringify(p)} seed ${seed} token ${t}`));
    }
  });

  it("leaves other heads, and adapters that compute on the CPU, to fewer lanes", () => {
    for (const [software, key, value] of [[true, 128, 128], [false, 20, 8], [false, 64, 96], [false, 16, 16], [false, 256, 128]] as const) expect(deltanetFor(software, key, value).kernel).toBe(deltanet);
  });

  it("survives gates at their ends: full decay, no decay, a softplus that would overflow", async () => {
    const p: DeltanetShape = { key_heads: 1, value_heads: 1, key_dim: 16, value_dim: 16, kernel: 4, eps: 1e-6, tiled: false };
    const rng = seeded(1);
    const constants = { ...randomConstants(p, rng), a: new Float32Array([-1]), dt: new Float32Array([0]) };
    const { proj } = deltanetSizes(p);
    const tokens = [0, 100, -100, 60].map((gate) => {
      const token = rng.normal(proj);
      token[proj - 1] = gate;
      return token;
    });
    const outputs = await run(tokens, constants, p);
    deltanetReference(tokens, constants, p).forEach((reference, t) => expectClose(outputs[t]!, reference, TOLERANCE, `token ${t}`));
  });

  it("keeps history and state as they were after a miss", async () => {
    const p: DeltanetShape = { key_heads: 1, value_heads: 2, key_dim: 8, value_dim: 8, kernel: 4, eps: 1e-6, tiled: false };
    const sizes = deltanetSizes(p);
    const rng = seeded(7);
    const history = rng.normal(sizes.history);
    const state = rng.normal(sizes.state);
    const result = await runKernel(deltanet, {
      params: { key_heads: 1, value_heads: 2, kernel: 4, eps: 1e-6 },
      constants: { key_dim: 8, value_dim: 8 },
      buffers: { proj: rng.normal(sizes.proj), constants: packDeltanetConstants(randomConstants(p, rng)), step: new Uint32Array([0, 5, 0, 0]), routing: STALLED, history, state, out: sizes.out },
    });
    expect([...result["history"]!]).toEqual([...history]);
    expect([...result["state"]!]).toEqual([...state]);
  });

  it("would not pass with a wrong definition: value heads tiled over key heads, or no decay", async () => {
    const p: DeltanetShape = { key_heads: 2, value_heads: 4, key_dim: 16, value_dim: 16, kernel: 4, eps: 1e-6, tiled: false };
    const rng = seeded(3);
    const constants = randomConstants(p, rng);
    const tokens = Array.from({ length: 3 }, () => rng.normal(deltanetSizes(p).proj));
    const last = (await run(tokens, constants, p)).at(-1)!;
    expect(errorOf(last, deltanetReference(tokens, constants, { ...p, tiled: true }).at(-1)!)).toBeGreaterThan(TOLERANCE.ofLargest);
    const wrong = [{ ...constants, a: constants.a.map(() => 0) }, { ...constants, dt: constants.dt.toReversed() }];
    for (const constant of wrong) expect(errorOf(last, deltanetReference(tokens, constant, p).at(-1)!)).toBeGreaterThan(TOLERANCE.ofLargest);
  });
});
