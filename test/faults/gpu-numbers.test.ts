// Fault 11: a driver that gives no numbers. It is noticed at the token at which it happens, and the next answer begins clean.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Gpu, openGpu } from "../../src/gpu/device.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { Transformer } from "../../src/model/transformer.ts";
import type { StoredModel } from "../../src/storage/stored-model.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";
import { failingDevice } from "../support/failing-device.ts";
import { memoryModel } from "../support/memory-model.ts";

const TOKENS = [1, 70, 200, 5, 130, 64];

let gpu: Gpu;
let model: StoredModel;
beforeAll(async () => {
  gpu = await openGpu();
  model = await memoryModel(randomModel(SPECS.find(({ name }) => name === "plain-f32")!));
});
afterAll(() => gpu.close());

describe("fault 11: a driver that gives no numbers", () => {
  it.each([
    ["NaN in the first layer", "blk.0.attn_norm.weight", NaN],
    ["infinity in a middle layer's weights", "blk.1.post_attention_norm.weight", Infinity],
    ["NaN in the output's norm", "output_norm.weight", NaN],
  ])("%s is an error at that token, and the next sequence is right again", async (_, label, garbage) => {
    const watched = failingDevice(gpu.device, () => false);
    const loaded = await Transformer.load(new Gpu(watched.device, gpu.report), model);
    const expected = await loaded.forwardAll(TOKENS);
    loaded.reset();
    await loaded.forward(TOKENS.slice(0, 3));
    const buffer = watched.buffers().find((one) => one.label === label)!;
    const whole = await readBuffer(gpu, buffer);
    gpu.device.queue.writeBuffer(buffer, 0, new Float32Array(whole.byteLength / 4).fill(garbage));
    const error = await loaded.forward([TOKENS[3]!]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "gpu/wrong-results" });
    expect(loaded.position).toBe(0);
    gpu.device.queue.writeBuffer(buffer, 0, whole);
    expect(await loaded.forwardAll(TOKENS)).toEqual(expected);
    loaded.close();
  });

  it("one wrong number among many is enough", async () => {
    const watched = failingDevice(gpu.device, () => false);
    const loaded = await Transformer.load(new Gpu(watched.device, gpu.report), model);
    await loaded.forward([1]);
    const output = watched.buffers().find((one) => one.label === "output.weight")!;
    gpu.device.queue.writeBuffer(output, 64 * 4 * 200, new Float32Array([NaN])); // of row 200 alone
    expect(await loaded.forward([2]).catch((thrown: unknown) => thrown)).toMatchObject({ code: "gpu/wrong-results" });
    loaded.close();
  });
});
