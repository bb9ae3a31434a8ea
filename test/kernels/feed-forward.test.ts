// What stands between the matrices of many tokens: the norm, the gated activation, and the sum back into the residual stream.
import { describe, expect, it } from "vitest";
import { combine } from "../../src/kernels/ops/combine.ts";
import { rmsnorm, rmsnormReference } from "../../src/kernels/ops/rmsnorm.ts";
import { swiglu, swigluReference } from "../../src/kernels/ops/swiglu.ts";
import { seeded } from "../support/kernel-random.ts";
import { errorOf, expectClose, runKernel } from "../support/kernel-run.ts";

// A few thousand squares, or one exp, in f32 against f64.
const TOLERANCE = { ofLargest: 2e-6 };

describe("rmsnorm", () => {
  it("norms the rows of a segment and leaves those before it", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const rng = seeded(seed);
      const [columns, tokens, first] = [4 * rng.int(1, 300), rng.int(1, 9), rng.int(0, 3)];
      const x = rng.normal((first + tokens) * columns, seed === 1 ? 1e-5 : 2);
      const weight = rng.normal(columns);
      const { y } = await runKernel(rmsnorm, { params: { columns, eps: 1e-6, tokens }, constants: { lanes: seed % 2 ? 16 : 64 }, buffers: { x, weight, segment: new Uint32Array([tokens, 0, first, 0]), y: x.length } });
      expect(y!.subarray(0, first * columns).every(Number.isNaN)).toBe(true);
      const reference = rmsnormReference(x.subarray(first * columns), weight, 1e-6);
      expectClose(y!.subarray(first * columns), reference, TOLERANCE, `seed ${seed}`);
      expect(errorOf(y!.subarray(first * columns), rmsnormReference(x.subarray(first * columns), weight, 1e-2)), "a wrong definition must fail").toBeGreaterThan(TOLERANCE.ofLargest);
    }
  });
});

describe("swiglu", () => {
  it("weighs by nothing, by the pair, or by the sigmoid of the token's logit", async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const rng = seeded(seed);
      const [width, rows, first, stride] = [4 * rng.int(1, 60), rng.int(1, 9), rng.int(0, 4), rng.int(1, 6)];
      const gate = rng.normal(rows * width, 3);
      const up = rng.normal(rows * width);
      const logits = rng.normal((first + rows) * stride, 2);
      const pairs = rng.normal(rows * 2);
      const at = rng.int(0, stride - 1);
      const run = async (constants: { paired?: number; sigmoid?: number }, scales: Float32Array<ArrayBuffer>) =>
        (await runKernel(swiglu, { params: { width, scale_stride: stride, scale_at: at, rows }, constants, buffers: { up, scales, plan: new Uint32Array([rows, 0, first, 0]), gate } }))["gate"]!;
      expectClose(await run({}, pairs), swigluReference(gate, up, width, () => 1), TOLERANCE, `alone, seed ${seed}`);
      expectClose(await run({ paired: 1 }, pairs), swigluReference(gate, up, width, (i) => pairs[2 * i + 1]!), TOLERANCE, `paired, seed ${seed}`);
      const sigmoid = (i: number) => 1 / (1 + Math.exp(-logits[(first + i) * stride + at]!));
      expectClose(await run({ sigmoid: 1 }, logits), swigluReference(gate, up, width, sigmoid), TOLERANCE, `sigmoid, seed ${seed}`);
    }
  });
});

describe("combine", () => {
  it("adds a token's rows one after the other, and leaves tokens without any", async () => {
    const rng = seeded(5);
    const [columns, pairs] = [72, 6];
    const x = rng.normal(4 * columns);
    const out = rng.normal(pairs * columns);
    const order = Uint32Array.from([4, 0, 2, 5, 1]);
    const sums = Uint32Array.from([3, 0, 3, 0, 1, 3, 2, 0]);
    const { x: found } = await runKernel(combine, { params: { columns, tokens: 2 }, buffers: { sums, order, out, x } });
    const expected = x.slice();
    for (const [token, rows] of [[3, [4, 0, 2]], [1, [5, 1]]] as const) {
      for (const row of rows) for (let c = 0; c < columns; c++) expected[token * columns + c] = expected[token * columns + c]! + out[row * columns + c]!;
    }
    expect([...found!]).toEqual([...expected]);
  });
});
