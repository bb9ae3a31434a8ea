// Both ways to multiply a matrix with many rows: the tiled one of GPUs and the one of adapters that compute on the CPU.
import { describe, expect, it } from "vitest";
import { blockWeights, dequantise, gpuBytes, repackToGpu, type WeightType } from "../../src/gguf/blocks.ts";
import { matmulFor, matmulReference, type MatmulChoice } from "../../src/kernels/ops/matmul.ts";
import { randomMatrix, type Rng, seeded } from "../support/kernel-random.ts";
import { errorOf, expectClose, runKernel } from "../support/kernel-run.ts";

// f32 sums of up to 2048 products in another order than the f64 definition.
const TOLERANCE = { ofLargest: 5e-6 };
// Every type's unpacking has its test in embedding.test.ts; SwiftShader takes seconds to compile the tiled product of one.
const TYPES: readonly WeightType[] = ["F32", "Q8_0", "Q4_K"];
const WAYS = [["tiled", matmulFor(false)], ["by rows", matmulFor(true)]] as const;

interface Case {
  readonly type: WeightType;
  readonly rows: number;
  readonly columns: number;
  readonly tokens: number;
  /** Where the segment begins in the chunk. */
  readonly first: number;
  /** Numbers of y before and behind the rows of this matrix. */
  readonly at: number;
  readonly behind: number;
  readonly accumulate: boolean;
}

async function run({ kernel, tileRows }: MatmulChoice, c: Case, rng: Rng) {
  const bytes = randomMatrix(rng, c.type, c.rows, c.columns);
  const x = rng.normal((c.first + c.tokens) * c.columns);
  const stride = c.at + c.rows + c.behind;
  const before = rng.normal(c.tokens * stride);
  const { y } = await runKernel(kernel, {
    params: { columns: c.columns, rows: c.rows, stride, at: c.at, x_first: 1, y_first: 0, slot_stride: 0, matrix_at: 0, tiles: Math.ceil(c.tokens / tileRows) },
    types: { matrix: c.type },
    constants: { accumulate: Number(c.accumulate) },
    buffers: { matrix: repackToGpu(c.type, bytes, c.rows, c.columns), x, plan: new Uint32Array([c.tokens, 0, c.first, 0]), pairs: new Uint32Array(2), y: before },
  });
  const product = matmulReference(dequantise(c.type, bytes, c.rows * c.columns), x.subarray(c.first * c.columns), c.columns);
  const reference = Float64Array.from(before);
  for (let t = 0; t < c.tokens; t++) for (let r = 0; r < c.rows; r++) reference[t * stride + c.at + r] = (c.accumulate ? reference[t * stride + c.at + r]! : 0) + product[t * c.rows + r]!;
  return { y: y!, reference };
}

describe.each(WAYS)("the product with many rows, %s,", (_, choice) => {
  it.each(TYPES)("is the definition for %s of any shape", async (type) => {
    const unit = Math.max(32, blockWeights(type));
    const accumulate = type === "Q8_0";
    for (let seed = 1; seed <= 16; seed++) {
      const rng = seeded(seed);
      const c: Case = {
        type,
        rows: seed === 1 ? 1 : rng.int(1, 140),
        columns: unit * rng.int(1, unit === 32 ? 8 : 3),
        tokens: seed === 1 ? 1 : rng.int(1, 70),
        first: rng.int(0, 3),
        at: rng.int(0, 5),
        behind: rng.int(0, 5),
        accumulate,
      };
      const { y, reference } = await run(choice, c, rng);
      expectClose(y, reference, TOLERANCE, `${JSON.stringify(c)} seed ${seed}`);
      if (seed === 2) expect(errorOf(y, reference.map((value) => value * 1.0001)), "a wrong definition must fail").toBeGreaterThan(TOLERANCE.ofLargest);
    }
  });

  it("gives a token the same bits in any company", async () => {
    const c: Case = { type: "Q4_K", rows: 70, columns: 512, tokens: 45, first: 0, at: 0, behind: 0, accumulate: false };
    const { kernel, tileRows } = choice;
    const rng = seeded(3);
    const matrix = repackToGpu(c.type, randomMatrix(rng, c.type, c.rows, c.columns), c.rows, c.columns);
    const x = rng.normal(c.tokens * c.columns);
    const rowsOf = async (first: number, tokens: number) => {
      const params = { columns: c.columns, rows: c.rows, stride: c.rows, at: 0, x_first: 1, y_first: 0, slot_stride: 0, matrix_at: 0, tiles: Math.ceil(tokens / tileRows) };
      const { y } = await runKernel(kernel, { params, types: { matrix: c.type }, buffers: { matrix, x, plan: new Uint32Array([tokens, 0, first, 0]), pairs: new Uint32Array(2), y: tokens * c.rows } });
      return y!;
    };
    const all = await rowsOf(0, c.tokens);
    for (const [first, tokens] of [[0, 1], [7, 1], [31, 14]] as const) expect([...(await rowsOf(first, tokens))]).toEqual([...all.subarray(first * c.rows, (first + tokens) * c.rows)]);
  });

  it("takes each pair to the expert in its slot, gathering tokens, and goes on from the pairs' own rows", async () => {
    const { kernel, tileRows } = choice;
    const [type, rows, columns, tokens] = ["Q8_0", 70, 64, 9] as const;
    const rng = seeded(4);
    const matrixBytes = gpuBytes(type, rows, columns);
    const [matrixAt, stride] = [2, matrixBytes / 16 + 5];
    const slots = 4;
    const arena = new Uint8Array(stride * 16 * slots).fill(0xff);
    const experts = [3, 0, 2].map((slot, e) => {
      const bytes = randomMatrix(rng, type, rows, columns);
      arena.set(repackToGpu(type, bytes, rows, columns), (slot * stride + matrixAt) * 16);
      return { slot, values: dequantise(type, bytes, rows * columns), pairs: [1, tileRows + 3, 5][e]! };
    });
    const pairs = new Uint32Array(2 * experts.reduce((sum, expert) => sum + expert.pairs, 0));
    const tiles: number[] = [];
    let pair = 0;
    for (const expert of experts) {
      for (let n = 0; n < expert.pairs; n += tileRows) tiles.push(expert.slot, pair + n, Math.min(tileRows, expert.pairs - n), 0);
      for (let n = 0; n < expert.pairs; n++, pair++) pairs[2 * pair] = rng.int(0, tokens - 1);
    }
    for (const gather of [true, false]) {
      const x = rng.normal((gather ? tokens : pair) * columns);
      const { y } = await runKernel(kernel, {
        params: { columns, rows, stride: rows, at: 0, x_first: 0, y_first: 0, slot_stride: stride, matrix_at: matrixAt, tiles: tiles.length / 4 },
        types: { matrix: type },
        constants: { grouped: 1, gather: Number(gather) },
        buffers: { matrix: arena, x, plan: Uint32Array.from(tiles), pairs, y: pair * rows },
      });
      const reference: number[] = [];
      for (const expert of experts) {
        for (let n = 0; n < expert.pairs; n++) {
          const i = gather ? pairs[2 * (reference.length / rows)]! : reference.length / rows;
          reference.push(...matmulReference(expert.values, x.subarray(i * columns, (i + 1) * columns), columns));
        }
      }
      expectClose(y!, reference, TOLERANCE, gather ? "gathered" : "in place");
    }
  });
});
