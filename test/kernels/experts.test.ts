// experts_up and experts_down over the same random layers: they share the arena and the choices.
import { describe, expect, it } from "vitest";
import { blockWeights, dequantise, gpuBytes, repackToGpu, WEIGHT_TYPES, type WeightType } from "../../src/gguf/blocks.ts";
import { expertsDown, expertsDownReference } from "../../src/kernels/ops/experts-down.ts";
import { expertsUp, expertsUpReference } from "../../src/kernels/ops/experts-up.ts";
import { ROUTING_HEADER_BYTES, routingBytes } from "../../src/kernels/routing.ts";
import { type Lanes, rowLanes } from "../../src/kernels/weights.ts";
import { randomMatrix, type Rng, seeded } from "../support/kernel-random.ts";
import { errorOf, expectClose, runKernel } from "../support/kernel-run.ts";

// f32 sums of a few thousand products and one exp, against f64.
const TOLERANCE = { ofLargest: 1e-5 };
const EPS = 1e-6;

interface Shape {
  readonly hidden: number;
  readonly ff: number;
  readonly sharedFf: number;
  readonly topk: number;
  readonly slots: number;
  readonly base: number;
  readonly types: { readonly gate: WeightType; readonly up: WeightType; readonly down: WeightType; readonly shared: WeightType };
  readonly lanes: Lanes;
  /** Absent: the shared expert counts as its choice says. */
  readonly scaled?: false;
}

/** A layer's weights with each chosen expert in the slot that `slotOf` gives it; the other slots hold NaN. */
function layer(shape: Shape, rng: Rng, slotOf: readonly number[]) {
  const { hidden, ff, sharedFf, topk, types } = shape;
  const matrix = (type: WeightType, rows: number, columns: number) => {
    const bytes = randomMatrix(rng, type, rows, columns, 0.5);
    return { gpu: repackToGpu(type, bytes, rows, columns), values: dequantise(type, bytes, rows * columns) };
  };
  const experts = Array.from({ length: topk }, () => ({ gate: matrix(types.gate, ff, hidden), up: matrix(types.up, ff, hidden), down: matrix(types.down, hidden, ff) }));
  const shared = { gate: matrix(types.shared, sharedFf, hidden), up: matrix(types.shared, sharedFf, hidden), down: matrix(types.shared, hidden, sharedFf) };
  const upAt = gpuBytes(types.gate, ff, hidden);
  const downAt = upAt + gpuBytes(types.up, ff, hidden);
  const stride = downAt + gpuBytes(types.down, hidden, ff);
  const arena = new Uint8Array(stride * shape.slots).fill(0xff);
  const routing = new Uint32Array(routingBytes(1, topk) / 4 + shape.base * 4);
  const weights = new Float32Array(routing.buffer);
  routing[3] = shape.base;
  const choice = (j: number) => ROUTING_HEADER_BYTES / 4 + (shape.base + j) * 4;
  experts.forEach(({ gate, up, down }, j) => {
    arena.set(gate.gpu, slotOf[j]! * stride);
    arena.set(up.gpu, slotOf[j]! * stride + upAt);
    arena.set(down.gpu, slotOf[j]! * stride + downAt);
    routing[choice(j) + 1] = slotOf[j]!;
    weights[choice(j) + 2] = rng.uniform();
  });
  routing[choice(topk) + 1] = 0xffffffff;
  weights[choice(topk) + 2] = rng.uniform();
  const weightOf = (j: number) => weights[choice(j) + 2]!;
  return { experts, shared, arena, routing, weightOf, params: { hidden, ff, shared_ff: sharedFf, topk, slot_stride: stride / 16 }, upAt: upAt / 16, downAt: downAt / 16 };
}

function randomShape(rng: Rng, seed: number): Shape {
  const kinds = WEIGHT_TYPES.map((type) => ({ gate: type, up: type, down: type, shared: "F32" as WeightType }));
  const mixed = { gate: "Q4_K", up: "Q4_K", down: "Q6_K", shared: "Q8_0" } as const;
  const kind = seed % (kinds.length + 1);
  const types = kinds[kind] ?? mixed;
  // A pipeline per types and lanes takes longest: the lanes of a GPU are tried with two of the types only.
  const ofGpu = kind >= kinds.length - 1 && seed % 2 === 0;
  const unit = Math.max(...Object.values(types).map((type) => Math.max(32, blockWeights(type))));
  const topk = rng.int(1, 10);
  const hidden = unit * rng.int(1, unit === 32 ? 5 : 2);
  const [ff, sharedFf] = [unit * rng.int(1, unit === 32 ? 3 : 1), unit * rng.int(1, 2)];
  const lanes = rowLanes(!ofGpu, { columns: [hidden, ff, sharedFf], rows: hidden, types: Object.values(types) });
  return { hidden, ff, sharedFf, topk, slots: topk + rng.int(0, 3), base: rng.int(0, 20), types, lanes };
}

/** `count` different slots. */
function someSlots(rng: Rng, slots: number, count: number): number[] {
  const all = Array.from({ length: slots }, (_, slot) => slot);
  return Array.from({ length: count }, () => all.splice(rng.int(0, all.length - 1), 1)[0]!);
}

async function runUp(shape: Shape, made: ReturnType<typeof layer>, x: Float32Array<ArrayBuffer>, norm: Float32Array<ArrayBuffer>, routing = made.routing) {
  const { types, topk, ff, sharedFf } = shape;
  const { act } = await runKernel(expertsUp, {
    params: { ...made.params, gate_at: 0, up_at: made.upAt, eps: EPS },
    types: { gate: types.gate, up: types.up, shared_gate: types.shared, shared_up: types.shared },
    constants: shape.lanes,
    buffers: { arena: made.arena, shared_gate: made.shared.gate.gpu, shared_up: made.shared.up.gpu, x, norm, routing, act: topk * ff + sharedFf },
  });
  return act!;
}

async function runDown(shape: Shape, made: ReturnType<typeof layer>, act: Float32Array<ArrayBuffer>, x: Float32Array<ArrayBuffer>, routing = made.routing) {
  const { x: out } = await runKernel(expertsDown, {
    params: { ...made.params, down_at: made.downAt },
    types: { down: shape.types.down, shared_down: shape.types.shared },
    constants: { ...shape.lanes, scaled: shape.scaled === false ? 0 : 1 },
    buffers: { arena: made.arena, shared_down: made.shared.down.gpu, act, routing, x },
  });
  return out!;
}

describe("experts_up and experts_down", () => {
  it("run the chosen experts and the shared one of any layer", async () => {
    for (let seed = 1; seed <= 64; seed++) {
      const rng = seeded(seed);
      const shape = randomShape(rng, seed);
      const made = layer(shape, rng, someSlots(rng, shape.slots, shape.topk));
      const x = rng.normal(shape.hidden);
      const norm = rng.normal(shape.hidden);
      const what = `${JSON.stringify(shape)} seed ${seed}`;
      const act = await runUp(shape, made, x, norm);
      const all = [...made.experts, made.shared];
      const upReference = expertsUpReference(all.map(({ gate, up }) => ({ gate: gate.values, up: up.values })), x, norm, { hidden: shape.hidden, eps: EPS });
      expectClose(act, upReference, TOLERANCE, `up ${what}`);

      const given = rng.normal(act.length);
      const out = await runDown(shape, made, given, x);
      const parts = all.map(({ down }, j) => ({
        down: down.values,
        act: given.subarray(j * shape.ff, j < shape.topk ? (j + 1) * shape.ff : given.length),
        weight: made.weightOf(j),
      }));
      const downReference = expertsDownReference(parts, x);
      expectClose(out, downReference, TOLERANCE, `down ${what}`);
      if (seed === 1) {
        expect(errorOf(act, upReference.map((value) => value * 1.0001)), "a wrong definition must fail").toBeGreaterThan(TOLERANCE.ofLargest);
        const wrong = expertsDownReference(parts.map((part, j) => ({ ...part, weight: made.weightOf((j + 1) % parts.length) })), x);
        expect(errorOf(out, wrong), "a wrong definition must fail").toBeGreaterThan(TOLERANCE.ofLargest);
      }
    }
  });

  it("give the same bits whichever slots hold the experts", async () => {
    const shape: Shape = { hidden: 128, ff: 64, sharedFf: 64, topk: 4, slots: 9, base: 3, types: { gate: "Q8_0", up: "Q8_0", down: "Q8_0", shared: "Q8_0" }, lanes: { lanes: 64, lanes_per_row: 4, rows_per_lane: 4, parts: 0 } };
    const results: string[] = [];
    for (const slotOf of [[0, 1, 2, 3], [8, 2, 5, 0], [3, 2, 1, 0]]) {
      const rng = seeded(11);
      const made = layer(shape, rng, slotOf);
      const x = rng.normal(shape.hidden);
      const act = await runUp(shape, made, x, rng.normal(shape.hidden));
      const out = await runDown(shape, made, act.slice(), x);
      results.push(new Uint32Array(out.slice().buffer).join());
    }
    expect(new Set(results).size).toBe(1);
  });

  it.each([
    ["the shared expert alone, in full, where a layer is dense", { topk: 0, sharedFf: 96, scaled: false }],
    ["the chosen experts alone where there is no shared one", { topk: 3, sharedFf: 0 }],
  ] as const)("run %s", async (_, part) => {
    const shape: Shape = { hidden: 64, ff: 32, slots: 4, base: 0, types: { gate: "Q8_0", up: "Q8_0", down: "Q8_0", shared: "Q8_0" }, lanes: { lanes: 16, lanes_per_row: 1, rows_per_lane: 4, parts: 0 }, ...part };
    const rng = seeded(5);
    const made = layer(shape, rng, [2, 0, 3]);
    const x = rng.normal(shape.hidden);
    const norm = rng.normal(shape.hidden);
    // What a layer does not have is bound to something else, as src/model/layers.ts does.
    const nothing = new Uint8Array(16);
    const { shared } = made;
    const bound = { ...made, arena: shape.topk === 0 ? nothing : made.arena, shared: shape.sharedFf > 0 ? shared : { gate: { ...shared.gate, gpu: nothing }, up: { ...shared.up, gpu: nothing }, down: { ...shared.down, gpu: nothing } } };
    const all = [...made.experts, ...(shape.sharedFf > 0 ? [made.shared] : [])];
    const act = await runUp(shape, bound, x, norm);
    expectClose(act, expertsUpReference(all.map(({ gate, up }) => ({ gate: gate.values, up: up.values })), x, norm, { hidden: shape.hidden, eps: EPS }), TOLERANCE, "up");
    const parts = all.map(({ down }, j) => ({
      down: down.values,
      act: act.subarray(j * shape.ff, j < shape.topk ? (j + 1) * shape.ff : act.length),
      weight: j < shape.topk ? made.weightOf(j) : 1,
    }));
    expectClose(await runDown(shape, bound, act.slice(), x), expertsDownReference(parts, x), TOLERANCE, "down");
  });

  it("change nothing after a miss", async () => {
    const shape: Shape = { hidden: 32, ff: 32, sharedFf: 32, topk: 1, slots: 1, base: 0, types: { gate: "F32", up: "F32", down: "F32", shared: "F32" }, lanes: { lanes: 16, lanes_per_row: 1, rows_per_lane: 4, parts: 0 } };
    const rng = seeded(2);
    const made = layer(shape, rng, [0]);
    const stalled = made.routing.slice();
    stalled[0] = 1;
    const x = rng.normal(32);
    expect((await runUp(shape, made, x, x, stalled)).every(Number.isNaN)).toBe(true);
    expect([...(await runDown(shape, made, rng.normal(64), x, stalled))]).toEqual([...x]);
  });
});
