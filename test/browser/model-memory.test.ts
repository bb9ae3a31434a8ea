// A model in the memory there is: matrices larger than a binding, and allocations that fail (fault 12).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { Gpu, openGpu } from "../../src/gpu/device.ts";
import { Transformer } from "../../src/model/transformer.ts";
import type { StoredModel } from "../../src/storage/stored-model.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { type ModelSpec, SPECS } from "../fixtures/models/specs.ts";
import { failingDevice } from "../support/failing-device.ts";
import { memoryModel } from "../support/memory-model.ts";

const TOKENS = [1, 70, 200, 276, 5, 130, 64, 63];
const plain = SPECS.find(({ name }) => name === "plain-f32")!;
/** All but the embedding and the output small: those are 277 rows of 256 bytes. */
const small: ModelSpec = { ...plain, types: [[/(attn_(q|k|v|output|qkv|gate)|ssm_ba|ssm_out|exps|shexp)$/, "Q8_0"]] };

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.close());

async function logitsOn(device: Gpu, model: StoredModel): Promise<Float32Array> {
  const loaded = await Transformer.load(device, model);
  const logits = await loaded.forwardAll(TOKENS);
  loaded.close();
  return logits;
}

describe("a matrix larger than one binding", () => {
  it.each([
    ["in three pieces", 40_000, 3, false],
    ["in more pieces than one dispatch takes", 17_000, 5, false],
    ["that is embedding and output in one", 17_000, 5, true],
  ])("%s gives the same logits to the bit", async (_, maxBindingBytes, pieces, tied) => {
    const model = await memoryModel(randomModel({ ...small, tied }));
    const expected = await logitsOn(gpu, model);
    const counted = failingDevice(gpu.device, () => false);
    const narrow = new Gpu(counted.device, { ...gpu.report, maxBindingBytes });
    const loaded = await Transformer.load(narrow, model);
    expect(counted.buffers().filter(({ label }) => label.startsWith("token_embd.weight, rows")).length).toBe(pieces);
    expect(await loaded.forwardAll(TOKENS)).toEqual(expected);
    loaded.close();
    expect(narrow.memory.count).toBe(0);
    narrow.check();
  });

  it("that may not be cut is an error that names it", async () => {
    const narrow = new Gpu(gpu.device, { ...gpu.report, maxBindingBytes: 20_000 });
    const error = await Transformer.load(narrow, await memoryModel(randomModel(plain))).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "gpu/memory" });
    expect((error as AppError).message).toMatch(/blk\.0\.|context|experts/);
    expect(narrow.memory.count).toBe(0);
  });
});

describe("fault 12: out of GPU memory", () => {
  let model: StoredModel;
  let expected: Float32Array;
  let total = 0;
  beforeAll(async () => {
    model = await memoryModel(randomModel(plain));
    expected = await logitsOn(gpu, model);
    const counted = failingDevice(gpu.device, () => false);
    await logitsOn(new Gpu(counted.device, gpu.report), model);
    total = counted.calls();
    expect(counted.live()).toBe(0);
  });

  it("at any one allocation: a smaller plan is tried or the error says what to do, and nothing leaks", async () => {
    expect(total).toBeGreaterThan(100);
    const outcomes = { loaded: 0, refused: 0 };
    let at = 0;
    let call = 0;
    const failing = failingDevice(gpu.device, () => ++call === at);
    const wrapped = new Gpu(failing.device, gpu.report);
    for (at = 1; at <= total; at++) {
      call = 0;
      try {
        const loaded = await Transformer.load(wrapped, model);
        expect(await loaded.forward(TOKENS), `allocation ${at}`).toEqual(expected.slice(-loaded.vocab));
        loaded.close();
        outcomes.loaded++;
      } catch (error) {
        expect(error, `allocation ${at}`).toMatchObject({ code: "gpu/memory" });
        outcomes.refused++;
      }
      expect(failing.live(), `buffers left by allocation ${at}`).toBe(0);
      expect(wrapped.memory.count).toBe(0);
      expect(failing.uncaptured()).toBe(0);
      wrapped.check();
    }
    expect(outcomes).toEqual({ loaded: total, refused: 0 });
  });

  it("from some allocation on: the error says what to do, and nothing leaks", async () => {
    let from = 1;
    let call = 0;
    const failing = failingDevice(gpu.device, () => ++call >= from);
    const wrapped = new Gpu(failing.device, gpu.report);
    for (from = 1; from < total; from += 9) {
      call = 0;
      const error = await Transformer.load(wrapped, model).catch((thrown: unknown) => thrown);
      expect(error, `from allocation ${from}`).toMatchObject({ code: "gpu/memory" });
      expect((error as AppError).message).toMatch(/Lower|Use/);
      expect(failing.live()).toBe(0);
    }
    wrapped.check();
  });

  it("of more than so many bytes: the plan that fits is used, and its logits are the same", async () => {
    const whole = await Transformer.load(gpu, model);
    const { experts, prefill } = whole.memory.lines;
    const limit = whole.memory.totalBytes - prefill - experts / 2;
    whole.close();
    let used = (): number => 0;
    const tight = failingDevice(gpu.device, () => used() > limit);
    const wrapped = new Gpu(tight.device, gpu.report);
    used = () => wrapped.memory.bytes;
    const loaded = await Transformer.load(wrapped, model);
    expect(loaded.memory.lines.experts).toBeLessThan(experts);
    expect(await loaded.forwardAll(TOKENS)).toEqual(expected);
    loaded.close();
    expect(tight.live()).toBe(0);
  });
});

describe("the plan", () => {
  it.each(SPECS.map((spec) => [spec.name, spec] as const))("of %s is what the device's account shows, or a little more", async (_, spec) => {
    const model = await memoryModel(randomModel(spec));
    const before = gpu.memory.bytes;
    const few = model.records.length > 0 ? [spec.moe.topK * model.experts.recordBytes(0) * spec.layers] : [];
    for (const expertBudgetBytes of [undefined, ...few]) {
      const loaded = await Transformer.load(gpu, model, expertBudgetBytes === undefined ? {} : { expertBudgetBytes });
      const used = gpu.memory.bytes - before;
      const { snapshots, prefill } = loaded.memory.lines;
      const planned = loaded.memory.totalBytes - snapshots - prefill;
      expect(used).toBeLessThanOrEqual(planned);
      expect(planned - used).toBeLessThan(spec.layers * 40_000);
      loaded.close();
    }
    expect(gpu.memory.bytes).toBe(before);
  });
});
