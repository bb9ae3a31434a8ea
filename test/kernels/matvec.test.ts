import { describe, expect, it } from "vitest";
import { blockWeights, dequantise, repackToGpu, WEIGHT_TYPES, type WeightType } from "../../src/gguf/blocks.ts";
import { rowLanes } from "../../src/kernels/index.ts";
import { matvec, matvecReference } from "../../src/kernels/ops/matvec.ts";
import { randomMatrix, type Rng, seeded } from "../support/kernel-random.ts";
import { errorOf, expectClose, runKernel, RUNNING, STALLED } from "../support/kernel-run.ts";

// f32 sums of up to 8192 products in another order than the f64 definition: 5e-7 of the largest result was seen.
const TOLERANCE = { ofLargest: 5e-6 };
const NAMES = ["w0", "w1", "w2", "w3"] as const;

interface Case {
  readonly types: readonly WeightType[];
  readonly rows: readonly number[];
  readonly columns: number;
  readonly tokens: number;
  readonly normed: boolean;
  readonly accumulate: boolean;
  readonly lanes: number;
  readonly perRow: number;
  /** By parts, 2 rows a lane; else by units, 4 rows. */
  readonly parts?: boolean;
}

async function run({ types, rows, columns, tokens, normed, accumulate, lanes, perRow, parts = false }: Case, rng: Rng, routing = RUNNING) {
  const matrices = types.map((type, i) => randomMatrix(rng, type, rows[i]!, columns));
  const x = rng.normal(tokens * columns);
  const norm = rng.normal(columns);
  const total = rows.reduce((a, b) => a + b, 0);
  const before = rng.normal(tokens * total);
  const packed = matrices.map((bytes, i) => repackToGpu(types[i]!, bytes, rows[i]!, columns));
  const { y } = await runKernel(matvec, {
    params: { tokens, columns, rows0: rows[0] ?? 0, rows1: rows[1] ?? 0, rows2: rows[2] ?? 0, rows3: rows[3] ?? 0, eps: 1e-6 },
    types: { w0: types[0] ?? "none", w1: types[1] ?? "none", w2: types[2] ?? "none", w3: types[3] ?? "none" },
    constants: { matrices: rows.length, lanes, lanes_per_row: perRow, rows_per_lane: parts ? 2 : 4, parts: Number(parts), normed: Number(normed), accumulate: Number(accumulate) },
    buffers: { ...(Object.fromEntries(NAMES.map((name, i) => [name, packed[i] ?? packed[0]!])) as Record<(typeof NAMES)[number], Uint8Array<ArrayBuffer>>), x, norm, routing, y: accumulate ? before : tokens * total },
  });
  const reference = matvecReference(
    { matrices: matrices.map((bytes, i) => dequantise(types[i]!, bytes, rows[i]! * columns)), x, ...(normed ? { norm } : {}), ...(accumulate ? { y: before } : {}) },
    { tokens, columns, eps: 1e-6 },
  );
  return { y: y!, reference, before };
}

describe("matvec", () => {
  it("is the definition on a case made by hand", async () => {
    const w = new Float32Array(64).fill(0);
    w[0] = 2;
    w[33] = -1;
    const x = new Float32Array(32).fill(0);
    x[0] = 3;
    x[1] = 4;
    const { y } = await runKernel(matvec, {
      params: { tokens: 1, columns: 32, rows0: 2, rows1: 0, rows2: 0, rows3: 0, eps: 0 },
      types: { w0: "F32", w1: "none", w2: "none", w3: "none" },
      buffers: { w0: w, w1: w, w2: w, w3: w, x, norm: x, routing: RUNNING, y: 2 },
    });
    expect([...y!]).toEqual([6, -4]);
  });

  it.each(WEIGHT_TYPES)("multiplies %s matrices of any shape", async (type) => {
    const unit = Math.max(32, blockWeights(type));
    for (let seed = 1; seed <= 64; seed++) {
      const rng = seeded(seed);
      const columns = unit * rng.int(1, unit === 32 ? 24 : 4);
      const shape: Case = {
        types: [type],
        rows: [seed === 1 ? 1 : rng.int(1, 90)],
        columns,
        tokens: rng.int(1, 3),
        normed: seed % 2 === 0,
        accumulate: seed % 2 === 1,
        ...(seed % 2 === 0 ? { lanes: 16, perRow: 1 } : { lanes: 64, perRow: seed % 4 === 1 ? 64 : 4 }),
      };
      const { y, reference } = await run(shape, rng);
      expectClose(y, reference, TOLERANCE, `${JSON.stringify(shape)} seed ${seed}`);
    }
  });

  const types = WEIGHT_TYPES.filter((type) => rowLanes(false, { columns: [256], rows: 1, types: [type] }).parts === 1);

  it.each(types)("by parts, multiplies %s matrices of any shape", async (type) => {
    for (let seed = 1; seed <= 16; seed++) {
      const rng = seeded(seed);
      const how = [{ lanes: 128, perRow: 32, normed: true }, { lanes: 64, perRow: 64, normed: false }, { lanes: 128, perRow: 128, normed: true }][seed % 3]!;
      const shape: Case = { types: [type], rows: [rng.int(1, 90)], columns: 256 * rng.int(1, 9), tokens: rng.int(1, 2), accumulate: seed % 2 === 1, ...how, parts: true };
      const { y, reference } = await run(shape, rng);
      expectClose(y, reference, TOLERANCE, `${JSON.stringify(shape)} seed ${seed}`);
    }
  });

  it("by parts, takes up to four matrices of different types at once", async () => {
    expect(types).toEqual(expect.arrayContaining(["F32", "F16", "BF16", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]));
    const shape: Case = { types: ["Q4_K", "Q6_K", "F32", "Q8_0"], rows: [70, 3, 31, 12], columns: 1280, tokens: 2, normed: true, accumulate: false, lanes: 64, perRow: 32, parts: true };
    const { y, reference } = await run(shape, seeded(4));
    expectClose(y, reference, TOLERANCE, JSON.stringify(shape));
  });

  it("takes up to four matrices of different types at once", async () => {
    const kinds: readonly (readonly WeightType[])[] = [
      ["Q8_0", "Q8_0", "F32"],
      ["Q4_K", "Q6_K", "Q4_0", "F16"],
      ["F32", "BF16"],
    ];
    for (let seed = 1; seed <= 64; seed++) {
      const rng = seeded(seed);
      const types = kinds[seed % kinds.length]!;
      const shape: Case = { types, rows: types.map(() => rng.int(1, 300)), columns: 256 * rng.int(1, 3), tokens: rng.int(1, 2), normed: true, accumulate: false, lanes: 64, perRow: 8 };
      const { y, reference } = await run(shape, rng);
      expectClose(y, reference, TOLERANCE, `${JSON.stringify(shape)} seed ${seed}`);
    }
  });

  it("takes the widest input and as many rows as a vocabulary has", async () => {
    const wide: Case = { types: ["Q4_0"], rows: [5], columns: 8192, tokens: 1, normed: true, accumulate: false, lanes: 64, perRow: 64 };
    const tall: Case = { types: ["Q8_0"], rows: [151_936], columns: 32, tokens: 1, normed: false, accumulate: false, lanes: 16, perRow: 1 };
    for (const shape of [wide, tall]) {
      const { y, reference } = await run(shape, seeded(5));
      expectClose(y, reference, TOLERANCE, JSON.stringify(shape.rows));
    }
  });

  it("gives the same bits every time", async () => {
    const shape: Case = { types: ["Q6_K"], rows: [77], columns: 768, tokens: 1, normed: true, accumulate: false, lanes: 64, perRow: 8 };
    const [first, second] = [await run(shape, seeded(9)), await run(shape, seeded(9))];
    expect([...second.y]).toEqual([...first.y]);
  });

  it("lets NaN and infinity through to the rows they belong to", async () => {
    const w = new Float32Array(96).fill(1);
    w[40] = NaN;
    w[70] = Infinity;
    const { y } = await runKernel(matvec, {
      params: { tokens: 1, columns: 32, rows0: 3, rows1: 0, rows2: 0, rows3: 0, eps: 0 },
      types: { w0: "F32", w1: "none", w2: "none", w3: "none" },
      buffers: { w0: w, w1: w, w2: w, w3: w, x: new Float32Array(32).fill(1), norm: w, routing: RUNNING, y: 3 },
    });
    expect([...y!]).toEqual([32, NaN, Infinity]);
  });

  it("changes nothing after a miss", async () => {
    const shape: Case = { types: ["F32"], rows: [9], columns: 64, tokens: 1, normed: false, accumulate: true, lanes: 16, perRow: 1 };
    const { y, before } = await run(shape, seeded(3), STALLED);
    expect([...y]).toEqual([...before]);
  });

  it("would not pass with a wrong definition", async () => {
    const shape: Case = { types: ["Q8_0"], rows: [33], columns: 128, tokens: 1, normed: true, accumulate: false, lanes: 64, perRow: 4 };
    const { y, reference } = await run(shape, seeded(4));
    expect(errorOf(y, reference)).toBeLessThanOrEqual(TOLERANCE.ofLargest);
    expect(errorOf(y, reference.map((value) => value * 1.0001))).toBeGreaterThan(TOLERANCE.ofLargest);
    expect(errorOf(y, reference.toReversed())).toBeGreaterThan(TOLERANCE.ofLargest);
  });
});
