// What is different about the architectures beside qwen3next, and files that write a model in another form. That all of them give
// llama.cpp's distributions: model.test.ts.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { type ModelOptions, Transformer } from "../../src/model/transformer.ts";
import { OTHER_FORMS, OTHER_FORMS_OF } from "../fixtures/models/other-forms.ts";
import { dequantize, quantize } from "../fixtures/models/quantize.ts";
import { type RandomTensor, randomModel } from "../fixtures/models/random-model.ts";
import { type ModelSpec, SPECS } from "../fixtures/models/specs.ts";
import { memoryModel } from "../support/memory-model.ts";
import { RECORDED, agreement, recordedProbabilities } from "../support/recorded-models.ts";

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.close());

async function withModel<T>(bytes: Uint8Array, options: ModelOptions, use: (model: Transformer) => Promise<T>): Promise<T> {
  const model = await Transformer.load(gpu, await memoryModel(bytes), options);
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

const named = (name: string): ModelSpec => SPECS.find((spec) => spec.name === name)!;

/** In a tensor, numbers that stand for something else than the engine takes them for. */
type Change = (tensor: RandomTensor, values: Float32Array<ArrayBuffer>) => void;

function blocksInOrder(values: Float32Array<ArrayBuffer>, order: readonly number[]): void {
  const each = values.length / order.length;
  const before = values.slice();
  order.forEach((from, to) => values.set(before.subarray(from * each, (from + 1) * each), to * each));
}

/** Six value heads as the checkpoint groups them, three to each of two key heads, instead of tiled. */
const GROUPED = [0, 2, 4, 1, 3, 5];
const TRAPS: readonly (readonly [string, string, Change])[] = [
  ["qwen35moe", "value heads that were not tiled", ({ name }, values) => /attn_gate|ssm_(beta|alpha|a|dt)/.test(name) && blocksInOrder(values, GROUPED)],
  ["qwen35moe", "a beta of the other sign", ({ name }, values) => /ssm_beta/.test(name) && values.forEach((value, i) => (values[i] = -value))],
  ["qwen3moe", "queries that are not normed by their weights", ({ name }, values) => /attn_q_norm/.test(name) && values.fill(1)],
  ["qwen3moe", "experts of another order", ({ name }, values) => /ffn_down_exps/.test(name) && blocksInOrder(values, [1, 0, 2, 3, 4, 5, 6, 7])],
  ["qwen3", "a gate of the other sign", ({ name }, values) => /ffn_gate/.test(name) && values.forEach((value, i) => (values[i] = -value))],
  ["qwen2", "no biases", ({ name }, values) => /attn_[qk]\.bias/.test(name) && values.fill(0)],
];

describe("the comparison with llama.cpp", () => {
  it.each(TRAPS)("of %s notices %s", async (name, _, change) => {
    const { spec, vocab, tokens } = RECORDED.find((model) => model.spec.name === name)!;
    const count = 12;
    const changed = (tensors: readonly RandomTensor[]): readonly RandomTensor[] =>
      tensors.map((tensor) => {
        const values = dequantize(tensor.type, tensor.data);
        change(tensor, values);
        return { ...tensor, data: quantize(tensor.type, values) };
      });
    const logits = await withModel(randomModel(spec, changed), {}, (model) => model.forwardAll(tokens.slice(0, count)));
    expect(agreement(logits, (await recordedProbabilities(name)).subarray(0, count * vocab), vocab).meanL1).toBeGreaterThan(0.02);
  });
});

describe("a file in other forms", () => {
  it("gives the same logits to the bit", async () => {
    const spec = named(OTHER_FORMS_OF);
    const logits = (bytes: Uint8Array) => withModel(bytes, {}, (model) => model.forwardAll([1, 2, 3, 4]));
    const other = randomModel(spec, (tensors) => OTHER_FORMS.reduce((before, form) => form.change(spec, before), tensors));
    expect(await logits(other)).toEqual(await logits(randomModel(spec)));
  });
});

describe("a layer", () => {
  it.each([["qwen3moe", 7], ["qwen35moe", 7], ["qwen35", 5], ["qwen3", 5], ["qwen2", 5]] as const)("of %s is %i dispatches", async (name, dispatches) => {
    const spec = named(name);
    await withModel(randomModel(spec), {}, async (model) => {
      await model.forward([1]);
      expect(model.stats.dispatches).toBe(2 + spec.layers * dispatches);
      expect(model.stats.readbacks).toBe(1);
    });
  });
});

describe("a dense model", () => {
  it("has no experts to hold, whatever the budget, and goes back to a snapshot that holds nothing", async () => {
    await withModel(randomModel(named("qwen2")), { expertBudgetBytes: 1_000 }, async (model) => {
      expect(model.expertSlots).toMatchObject({ slots: 0, experts: 0 });
      const first = await model.forward([1, 2, 3]);
      const snapshot = await model.snapshot();
      const second = await model.forward([4, 5]);
      await model.forward([6]);
      model.truncate(snapshot);
      expect(model.position).toBe(3);
      expect(await model.forward([4, 5])).toEqual(second);
      snapshot.close();
      model.reset();
      expect(await model.forward([1, 2, 3])).toEqual(first);
      expect(model.stats.experts).toMatchObject({ uses: 0, hits: 0, loads: 0 });
      expect(model.residents()).toEqual([]);
      const profile = await model.profile(1, 1);
      expect(profile.layers.map(({ kind, missed }) => [kind, missed])).toEqual([["attention", 0], ["attention", 0]]);
    });
  });
});

describe("experts without a shared one", () => {
  it("are streamed under a budget with the same logits", async () => {
    const bytes = randomModel(named("qwen3moe"));
    const tokens = [5, 6, 7, 8, 9];
    const all = await withModel(bytes, {}, (model) => model.forwardAll(tokens));
    await withModel(bytes, { expertBudgetBytes: 45_000 }, async (model) => {
      expect(model.expertSlots.slots).toBeLessThan(model.expertSlots.experts);
      expect(await model.forwardAll(tokens)).toEqual(all);
      expect(model.stats.experts.loads).toBeGreaterThan(0);
    });
  });
});
