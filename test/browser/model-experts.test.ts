// Experts streamed from IndexedDB: the budget changes what is read and when, never a bit of the result.
import { deleteDB } from "idb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { Qwen3Next } from "../../src/model/qwen3-next.ts";
import { openModel } from "../../src/storage/catalogue.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import type { StoredModel } from "../../src/storage/stored-model.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";
import { databaseModel } from "../support/memory-model.ts";
import { RECORDED } from "../support/recorded-models.ts";

const NAME = "default-interval-q8";
const DATABASE = "model-experts-test";
const spec = SPECS.find(({ name }) => name === NAME)!;
const { layers, moe } = { layers: spec.layers, moe: spec.moe };
const tokens = RECORDED.find(({ spec: { name } }) => name === NAME)!.tokens.slice(0, 10);

let gpu: Gpu;
let database: Database;
let recordBytes = 0;
let expected: Float32Array;

beforeAll(async () => {
  gpu = await openGpu();
  await deleteDB(DATABASE);
  database = await openDatabase(DATABASE);
  const stored = await databaseModel(database, randomModel(spec));
  recordBytes = stored.experts.recordBytes(0);
  expected = await logitsWith(layers * moe.experts).then(({ logits }) => logits);
});
afterAll(async () => {
  gpu.close();
  database.close();
  await deleteDB(DATABASE);
});

async function withModel<T>(slots: number, use: (model: Qwen3Next, stored: StoredModel) => Promise<T>): Promise<T> {
  const stored = await openModel(database, "test");
  const model = await Qwen3Next.load(gpu, stored, { expertBudgetBytes: slots * recordBytes });
  try {
    return await use(model, stored);
  } finally {
    model.close();
  }
}

function logitsWith(slots: number) {
  return withModel(slots, async (model, stored) => ({ logits: await model.forwardAll(tokens), slots: model.expertSlots.slots, stats: model.stats, reads: stored.experts.stats().reads }));
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

describe("under a budget", () => {
  it("for all experts, everything is read once, before the first token", async () => {
    const { reads, slots, stats } = await logitsWith(layers * moe.experts);
    expect(slots).toBe(layers * moe.experts);
    expect(reads).toBe(layers * moe.experts);
    expect(stats.experts).toEqual({ uses: tokens.length * layers * moe.topK, hits: tokens.length * layers * moe.topK, loads: 0, loadedBytes: 0 });
    expect(stats.readbacks).toBe(tokens.length);
  });

  it.each([
    ["half of the experts", Math.floor((layers * moe.experts) / 2)],
    ["the experts of one token", layers * moe.topK],
    ["two layers' experts of one token", 2 * moe.topK + 1],
    ["one layer's experts of one token", moe.topK],
  ])("for %s, the logits are the same to the bit, and IndexedDB is read", async (_, slots) => {
    const found = await logitsWith(slots);
    expect(found.slots).toBe(slots);
    expect(found.logits).toEqual(expected);
    expect(found.reads).toBe(found.stats.experts.loads);
    expect(found.reads).toBeGreaterThan(0);
    expect(found.stats.experts.uses).toBe(tokens.length * layers * moe.topK);
    expect(found.stats.experts.uses - found.stats.experts.hits).toBe(found.stats.experts.loads);
    expect(found.stats.experts.loadedBytes).toBe(found.stats.experts.loads * recordBytes);
    if (slots === moe.topK) expect(found.stats.experts.hits).toBeLessThan(found.stats.experts.uses / 4);
  });

  it("smaller than one layer's experts, loading says how much is needed", async () => {
    const error = await failure(withModel(moe.topK - 1, async () => {}));
    expect(error.code).toBe("gpu/memory");
    expect(error.message).toMatch(/at least 1 MB/);
  });
});

describe("without a budget", () => {
  it("as many experts get slots as one buffer of the device could hold", async () => {
    const bytes = 30 * recordBytes;
    const { memory, pipelines, device } = gpu;
    const small = Object.assign(Object.create(gpu) as Gpu, { memory, pipelines, device, report: { ...gpu.report, maxBufferBytes: bytes } });
    const model = await Qwen3Next.load(small, await openModel(database, "test"));
    expect(model.expertSlots).toEqual({ slots: 30, experts: layers * moe.experts, bytes });
    expect(await model.forward(tokens)).toEqual(expected.slice(-expected.length / tokens.length));
    model.close();
  });
});

describe("many tokens at once", () => {
  it("give the same last logits as one after the other, whether experts are missed or not", async () => {
    const last = expected.slice(-expected.length / tokens.length);
    for (const slots of [layers * moe.experts, layers * moe.topK + 3, moe.topK]) {
      expect(await withModel(slots, (model) => model.forward(tokens))).toEqual(last);
    }
  });

  it("take fewer looks at the GPU than tokens when nothing is missed", async () => {
    const readbacks = await withModel(layers * moe.experts, async (model) => {
      await model.forward(tokens);
      return model.stats.readbacks;
    });
    expect(readbacks).toBeLessThan(tokens.length);
  });
});

describe("a stopped call", () => {
  it("keeps what was done, and the sequence goes on as if nothing had happened", async () => {
    const last = await withModel(moe.topK, async (model) => {
      const stop = new AbortController();
      const call = model.forward(tokens, stop.signal);
      while (model.stats.tokens < 3) await new Promise((resolve) => setTimeout(resolve, 1));
      stop.abort();
      expect((await failure(call)).code).toBe("aborted");
      expect(model.position).toBeGreaterThanOrEqual(3);
      expect(model.position).toBeLessThan(tokens.length);
      return model.forward(tokens.slice(model.position));
    });
    expect(last).toEqual(expected.slice(-last.length));
  });
});

describe("an expert in the store that is", () => {
  const key: [string, number, number] = ["test", 2, 0];

  async function brokenWith(change: () => Promise<unknown>): Promise<AppError> {
    const whole = (await database.get("experts", key))!;
    await change();
    try {
      return await failure(withModel(layers * moe.experts, async () => {}));
    } finally {
      await database.put("experts", whole, key);
    }
  }

  it("missing is an error that names it", async () => {
    const error = await brokenWith(() => database.delete("experts", key));
    expect(error.code).toBe("storage/missing");
    expect(error.message).toMatch(/Expert 0 of layer 2/);
  });

  it("damaged is an error that names it", async () => {
    const error = await brokenWith(async () => {
      const { bytes, hashes } = (await database.get("experts", key))!;
      bytes[100]! ^= 1;
      await database.put("experts", { bytes, hashes }, key);
    });
    expect(error.code).toBe("storage/corrupt");
    expect(error.message).toMatch(/Expert 0 of layer 2/);
  });

  it("unreadable in the midst of a token stops the call, and the sequence goes on once it can be read again", async () => {
    const last = await withModel(moe.topK, async (model) => {
      const layer2 = await Promise.all(Array.from({ length: moe.experts }, (_, expert) => database.get("experts", ["test", 2, expert])));
      for (let expert = 0; expert < moe.experts; expert++) await database.delete("experts", ["test", 2, expert]);
      const error = await failure(model.forward(tokens));
      for (const [expert, record] of layer2.entries()) await database.put("experts", record!, ["test", 2, expert]);
      expect(error.code).toBe("storage/missing");
      expect(error.message).toMatch(/of layer 2/);
      expect(model.position).toBe(1);
      return model.forward(tokens.slice(1));
    });
    expect(last).toEqual(expected.slice(-last.length));
  });
});
