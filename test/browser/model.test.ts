// The whole model on the GPU against llama.cpp's recorded distributions, and against itself under other budgets.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { Qwen3Next } from "../../src/model/qwen3-next.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { memoryModel } from "../support/memory-model.ts";
import { RECORDED, agreement, gunzip } from "../support/recorded-models.ts";

const RECORDINGS = import.meta.glob<string>("../fixtures/models/*.f32.gz", { query: "?url", import: "default", eager: true });

async function recordedProbabilities(name: string): Promise<Float32Array<ArrayBuffer>> {
  const response = await fetch(RECORDINGS[`../fixtures/models/${name}.f32.gz`]!);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return zipped ? gunzip(bytes) : new Float32Array(bytes.buffer);
}

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.close());

describe.each(RECORDED.map((model) => [model.spec.name, model] as const))("the model %s", (name, { spec, vocab, tokens }) => {
  it("gives the distributions that llama.cpp gives", async () => {
    const model = await Qwen3Next.load(gpu, await memoryModel(randomModel(spec)));
    const started = performance.now();
    const logits = await model.forwardAll(tokens);
    const ms = performance.now() - started;
    const found = agreement(logits, await recordedProbabilities(name), vocab);
    console.info(name, JSON.stringify(found), `${((1000 * tokens.length) / ms).toFixed(1)} tokens/s`, JSON.stringify(model.stats));
    model.close();
    expect(found.sameTop).toBe(1);
    expect(found.meanL1).toBeLessThan(1e-3);
  });
});
