// Also the test of every dequant/*.wgsl: rows come out as numbers, without a sum round them.
import { describe, expect, it } from "vitest";
import { blockWeights, dequantise, repackToGpu, WEIGHT_TYPES } from "../../src/gguf/blocks.ts";
import { embedding, embeddingReference } from "../../src/kernels/ops/embedding.ts";
import { randomMatrix, seeded } from "../support/kernel-random.ts";
import { expectClose, runKernel, RUNNING, STALLED } from "../support/kernel-run.ts";

const step = (token: number) => new Uint32Array([token, 0, 0, 0]);

describe("embedding", () => {
  it.each(WEIGHT_TYPES)("gathers rows of %s of any shape", async (type) => {
    for (let seed = 1; seed <= 64; seed++) {
      const rng = seeded(seed);
      const unit = Math.max(32, blockWeights(type));
      const rows = seed === 1 ? 1 : rng.int(1, 40);
      const columns = unit * (seed === 2 ? 4096 / unit : rng.int(1, unit === 32 ? 80 : 6));
      const token = rng.int(0, rows - 1);
      const bytes = randomMatrix(rng, type, rows, columns);
      const table = dequantise(type, bytes, rows * columns);
      const { x } = await runKernel(embedding, {
        params: { rows, columns, tokens: 1 },
        types: { table: type },
        buffers: { table: repackToGpu(type, bytes, rows, columns), step: step(token), routing: RUNNING, x: columns },
      });
      // One multiplication, or for Q4_K one fused or unfused multiply-subtract: at most two roundings of 2^-24.
      expectClose(x!, embeddingReference(table, token, { rows, columns }), { ofLargest: 2e-7 }, `${type} [${rows}, ${columns}] seed ${seed}`);
    }
  });

  it("gathers the rows of many tokens at once", async () => {
    const rng = seeded(6);
    const [rows, columns, ids] = [7, 96, [3, 0, 6, 6, 1]];
    const bytes = randomMatrix(rng, "Q8_0", rows, columns);
    const table = dequantise("Q8_0", bytes, rows * columns);
    const { x } = await runKernel(embedding, {
      params: { rows, columns, tokens: ids.length },
      types: { table: "Q8_0" },
      buffers: { table: repackToGpu("Q8_0", bytes, rows, columns), step: Uint32Array.from(ids), routing: RUNNING, x: ids.length * columns },
    });
    expectClose(x!, ids.flatMap((id) => [...embeddingReference(table, id, { rows, columns })]), { ofLargest: 2e-7 }, "ids");
  });

  it("of a table cut by rows leaves the tokens of other pieces alone", async () => {
    const table = Float32Array.from({ length: 96 }, (_, i) => i);
    const piece = (first: number, token: number) =>
      runKernel(embedding, {
        params: { rows: 3, columns: 32, tokens: 1 },
        types: { table: "F32" },
        constants: { first, whole: 0 },
        buffers: { table, step: step(token), routing: RUNNING, x: new Float32Array(32).fill(7) },
      }).then(({ x }) => [...x!]);
    const untouched = Array.from({ length: 32 }, () => 7);
    for (const [first, token, row] of [[0, 2, 2], [0, 3, -1], [64, 63, -1], [64, 64, 0], [64, 66, 2], [64, 67, -1]] as const) {
      expect(await piece(first, token), `token ${token} of a piece from ${first}`).toEqual(row < 0 ? untouched : Array.from(table.slice(row * 32, row * 32 + 32)));
    }
  });

  it("keeps every bit of float weights, NaN, infinities and signed zero included", async () => {
    const values = new Float32Array(32).fill(1);
    values.set([NaN, Infinity, -Infinity, -0, 3.4e38, 1.2e-38]);
    const bytes = new Uint8Array(values.buffer);
    const { x } = await runKernel(embedding, { params: { rows: 1, columns: 32, tokens: 1 }, types: { table: "F32" }, buffers: { table: bytes, step: step(0), routing: RUNNING, x: 32 } });
    expect([...x!]).toEqual([...values]);
  });

  it("writes nothing after a miss", async () => {
    const { x } = await runKernel(embedding, {
      params: { rows: 1, columns: 32, tokens: 1 },
      types: { table: "F32" },
      buffers: { table: new Float32Array(32), step: step(0), routing: STALLED, x: new Float32Array(32).fill(7) },
    });
    expect([...x!]).toEqual(Array.from({ length: 32 }, () => 7));
  });
});
