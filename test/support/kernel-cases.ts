// One run of every kernel that is made in variants, big enough that all lanes have something to add up, and several that fill only
// some: the same inputs by the plain path and by what a device can do beyond it.
import { blockWeights, gpuBytes, repackToGpu, type WeightType } from "../../src/gguf/blocks.ts";
import { type Kernel, type KernelFeatures, PLAIN } from "../../src/gpu/kernel.ts";
import { attention, packAttentionConstants } from "../../src/kernels/ops/attention.ts";
import { deltanet, deltanetFor, deltanetSizes, packDeltanetConstants } from "../../src/kernels/ops/deltanet.ts";
import { embedding } from "../../src/kernels/ops/embedding.ts";
import { expertsDown } from "../../src/kernels/ops/experts-down.ts";
import { expertsUp } from "../../src/kernels/ops/experts-up.ts";
import { matmulFor } from "../../src/kernels/ops/matmul.ts";
import { matvec } from "../../src/kernels/ops/matvec.ts";
import { routingBytes } from "../../src/kernels/routing.ts";
import { packStep } from "../../src/kernels/step.ts";
import { randomMatrix, seeded } from "./kernel-random.ts";
import { expectClose, type Run, runKernel, RUNNING } from "./kernel-run.ts";

// The same f32 sums in another order.
const TOLERANCE = { ofLargest: 2e-6 };

/** Runs the kernel the given way; `of` is the kernel itself, or another made of it. */
export type Case = (features: KernelFeatures, of?: <K>(kernel: K) => K) => Promise<Record<string, Float32Array>>;
const itself = <K>(kernel: K): K => kernel;

const given =
  <B extends string, P extends string, W extends string, C extends string>(kernel: Kernel<B, P, W, C>, run: Run<B, P, W, C>): Case =>
  (features, of = itself) =>
    runKernel(of(kernel), { ...run, features });

const gpuMatrix = (seed: number, type: WeightType, rows: number, columns: number) => repackToGpu(type, randomMatrix(seeded(seed), type, rows, columns), rows, columns);

export function matvecCase(type: WeightType, columns: number, perRow: number, parts = false, most = 64): Case {
  const rng = seeded(columns + perRow);
  const w = gpuMatrix(3, type, 21, columns);
  return given(matvec, {
    params: { tokens: 2, columns, rows0: 21, rows1: 0, rows2: 0, rows3: 0, eps: 1e-6 },
    types: { w0: type, w1: "none", w2: "none", w3: "none" },
    constants: { matrices: 1, lanes: Math.max(most, perRow), lanes_per_row: perRow, rows_per_lane: parts ? 2 : 4, parts: parts ? 1 : 0, normed: 1 },
    buffers: { w0: w, w1: w, w2: w, w3: w, x: rng.normal(2 * columns), norm: rng.normal(columns), routing: RUNNING, y: 42 },
  });
}

export function embeddingCase(type: WeightType): Case {
  const columns = Math.max(64, blockWeights(type));
  const step = new Uint32Array([2, 0, 0, 0]);
  return given(embedding, { params: { rows: 3, columns, tokens: 1 }, types: { table: type }, buffers: { table: gpuMatrix(5, type, 3, columns), step, routing: RUNNING, x: columns } });
}

/** One expert and the shared one, in Q8_0. */
function expertCases(perRow: number, most = 64): readonly [up: Case, down: Case] {
  const [hidden, ff, rng] = [2048, 2048, seeded(perRow)];
  const rows = 10;
  const up = gpuMatrix(7, "Q8_0", rows, hidden);
  const down = gpuMatrix(8, "Q8_0", rows, ff);
  const routing = new Uint32Array(routingBytes(1, 1) / 4);
  new Float32Array(routing.buffer).set([0.7], 6);
  new Float32Array(routing.buffer).set([0.4], 10);
  const lanes = { lanes: most, lanes_per_row: perRow };
  return [
    given(expertsUp, {
      params: { hidden, ff: rows, shared_ff: rows, topk: 1, slot_stride: gpuBytes("Q8_0", rows, hidden) / 16, gate_at: 0, up_at: 0, eps: 1e-6 },
      types: { gate: "Q8_0", up: "Q8_0", shared_gate: "Q8_0", shared_up: "Q8_0" },
      constants: lanes,
      buffers: { arena: up, shared_gate: gpuMatrix(9, "Q8_0", rows, hidden), shared_up: up, x: rng.normal(hidden), norm: rng.normal(hidden), routing, act: 2 * rows },
    }),
    given(expertsDown, {
      params: { hidden: rows, ff, shared_ff: ff, topk: 1, slot_stride: 0, down_at: 0 },
      types: { down: "Q8_0", shared_down: "Q8_0" },
      constants: lanes,
      buffers: { arena: down, shared_down: gpuMatrix(10, "Q8_0", rows, ff), act: rng.normal(2 * ff), routing, x: rng.normal(rows) },
    }),
  ];
}

function matmulRowsCase(): Case {
  const [rows, columns, tokens, rng] = [70, 96, 21, seeded(4)];
  const { kernel, tileRows } = matmulFor(true);
  return given(kernel, {
    params: { columns, rows, stride: rows, at: 0, x_first: 0, y_first: 0, slot_stride: 0, matrix_at: 0, tiles: Math.ceil(tokens / tileRows) },
    types: { matrix: "Q8_0" },
    buffers: { matrix: gpuMatrix(11, "Q8_0", rows, columns), x: rng.normal(tokens * columns), plan: new Uint32Array([tokens, 0, 0, 0]), pairs: new Uint32Array(2), y: tokens * rows },
  });
}

function attentionCase(): Case {
  const [heads, kv_heads, head_dim, context, position, rng] = [3, 1, 64, 512, 300, seeded(2)];
  const norms = { norms: [rng.normal(head_dim), rng.normal(head_dim)] } as const;
  return given(attention, {
    params: { heads, kv_heads, rotary: 16, context, eps: 1e-6 },
    constants: { head_dim, lanes: 64 },
    buffers: {
      proj: rng.normal((2 * heads + 2 * kv_heads) * head_dim),
      constants: packAttentionConstants(norms, head_dim),
      step: packStep({ token: 0, position, route: 0 }, 8, 1e4),
      routing: RUNNING,
      keys: rng.normal(context * kv_heads * head_dim, 0.3),
      values: rng.normal(context * kv_heads * head_dim),
      out: heads * head_dim,
    },
  });
}

function deltanetCase({ kernel, lanes }: Pick<ReturnType<typeof deltanetFor>, "kernel" | "lanes">): Case {
  const p = { key_heads: 1, value_heads: 2, key_dim: 128, value_dim: 128, kernel: 4, eps: 1e-6, tiled: false };
  const rng = seeded(6);
  const sizes = deltanetSizes(p);
  const constants = { a: rng.normal(2).map((x) => -Math.exp(x)), dt: rng.normal(2), norm: rng.normal(128), conv: rng.normal(sizes.channels * 4, 0.7) };
  return given(kernel, {
    params: { key_heads: 1, value_heads: 2, kernel: 4, eps: 1e-6 },
    constants: { key_dim: 128, value_dim: 128, lanes },
    buffers: { proj: rng.normal(sizes.proj), constants: packDeltanetConstants(constants), step: new Uint32Array([0, 5, 0, 0]), routing: RUNNING, history: rng.normal(sizes.history), state: rng.normal(sizes.state, 0.1), out: sizes.out },
  });
}

const [up64, down64] = expertCases(64);
const [up4, down4] = expertCases(4);
const [up1, down1] = expertCases(1, 16);
/** Every lane has something to add up. */
export const WHOLE = { matvec: matvecCase("Q4_K", 2048, 64), "matvec by parts": matvecCase("Q6_K", 2048, 64, true), "matvec by parts, 128 lanes a row": matvecCase("Q4_K", 4096, 128, true), experts_up: up64, experts_down: down64, attention: attentionCase(), deltanet: deltanetCase({ kernel: deltanet, lanes: 64 }), deltanet_wide: deltanetCase(deltanetFor(false, 128, 128)) } as const;
/** A row is some lanes' only. */
export const PARTS = { ...Object.fromEntries([1, 2, 4, 8, 16, 32].map((perRow) => [`matvec, ${perRow} lanes a row`, matvecCase("Q8_0", 32 * perRow, perRow)])), "experts_up, 4 lanes a row": up4, "experts_down, 4 lanes a row": down4 };
/** Every lane has rows of its own, and some have none. */
export const OWN_ROWS = { matvec: matvecCase("Q8_0", 256, 1, false, 16), "matvec, Q4_K": matvecCase("Q4_K", 512, 1, false, 16), experts_up: up1, experts_down: down1, matmul_rows: matmulRowsCase() } as const;

export async function expectSame(one: Case, features: KernelFeatures, what: string, of?: <K>(kernel: K) => K): Promise<void> {
  const [plain, other] = [await one(PLAIN), await one(features, of)];
  for (const [name, expected] of Object.entries(plain)) expectClose(other[name]!, expected, TOLERANCE, `${what}: ${name}`);
}
