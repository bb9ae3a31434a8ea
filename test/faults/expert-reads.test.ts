// Fault 16: expert reads that fail or take long, and a cache that never hits. Slow, never wrong.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { Transformer } from "../../src/model/transformer.ts";
import type { StoredModel } from "../../src/storage/stored-model.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";
import { faultyStore } from "../support/faulty-store.ts";
import { memoryModel } from "../support/memory-model.ts";
import { RECORDED } from "../support/recorded-models.ts";

const NAME = "default-interval-q8";
const spec = SPECS.find(({ name }) => name === NAME)!;
const tokens = RECORDED.find(({ spec: { name } }) => name === NAME)!.tokens.slice(0, 8);

let gpu: Gpu;
let model: StoredModel;
let expected: Float32Array;

beforeAll(async () => {
  gpu = await openGpu();
  model = await memoryModel(randomModel(spec));
  expected = await logitsOf(model, spec.moe.experts * spec.layers);
});
afterAll(() => gpu.close());

async function load(stored: StoredModel, slots: number): Promise<Transformer> {
  return Transformer.load(gpu, stored, { expertBudgetBytes: slots * stored.experts.recordBytes(0) });
}

async function logitsOf(stored: StoredModel, slots: number): Promise<Float32Array> {
  const loaded = await load(stored, slots);
  const logits = await loaded.forwardAll(tokens);
  loaded.close();
  return logits;
}

const withFault = (fault: (read: number) => Promise<void> | void): StoredModel => ({ ...model, experts: faultyStore(model.experts, fault) });

describe("fault 16: the storage", () => {
  it("fails now and then: what failed is read again, and the results are the same", async () => {
    let failed = 0;
    const hiccups = withFault((read) => {
      if (read % 3 !== 0) return;
      failed++;
      throw new AppError("storage/unavailable", "The browser's storage failed.");
    });
    expect(await logitsOf(hiccups, spec.moe.topK)).toEqual(expected);
    expect(failed).toBeGreaterThan(10);
  });

  it("fails for good in the midst of a token: the error names it, and the sequence goes on when it is back", async () => {
    let broken = false;
    const stored = withFault(() => {
      if (broken) throw new AppError("storage/corrupt", "Expert 3 of layer 2 of test is damaged in the browser's storage.");
    });
    const loaded = await load(stored, spec.moe.topK);
    await loaded.forward(tokens.slice(0, 3));
    broken = true;
    const error = await loaded.forward(tokens.slice(3)).then(() => undefined, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "storage/corrupt" });
    const kept = loaded.position;
    broken = false;
    const last = await loaded.forward(tokens.slice(kept));
    loaded.close();
    expect(last).toEqual(expected.slice(-last.length));
  });

  it("answers one read only after ten seconds: the token waits for it, and the results are the same", async () => {
    const late = withFault((read) => (read === 12 ? new Promise((resolve) => setTimeout(resolve, 10_000)) : undefined));
    const started = performance.now();
    expect(await logitsOf(late, spec.moe.topK)).toEqual(expected);
    expect(performance.now() - started).toBeGreaterThan(9_900);
  });

  it("is read for every expert of every token when the cache never hits, and the results are the same", async () => {
    const { topK } = spec.moe;
    const loaded = await load(model, topK);
    // Other layers' experts lie in the only slots whenever a layer begins.
    const logits = await loaded.forwardAll(tokens);
    const { hits, uses, loads } = loaded.stats.experts;
    loaded.close();
    expect(hits / uses).toBeLessThan(0.2);
    expect(loads).toBe(uses - hits);
    expect(logits).toEqual(expected);
  });
});
