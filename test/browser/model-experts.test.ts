// Experts streamed from IndexedDB: the budget changes what is read and when, never a bit of the result.
import { deleteDB } from "idb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { Gpu, openGpu } from "../../src/gpu/device.ts";
import { Transformer } from "../../src/model/transformer.ts";
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

async function withModel<T>(slots: number, use: (model: Transformer, stored: StoredModel) => Promise<T>): Promise<T> {
  const stored = await openModel(database, "test");
  const model = await Transformer.load(gpu, stored, { expertBudgetBytes: slots * recordBytes });
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
  it("of experts, as many get slots as the GPU's memory leaves room for", async () => {
    const whole = await Transformer.load(gpu, await openModel(database, "test"), { prefillBytes: 0 });
    const { totalBytes, lines } = whole.memory;
    whole.close();
    const gpuBudgetBytes = totalBytes - lines.experts + 30 * recordBytes;
    const model = await Transformer.load(gpu, await openModel(database, "test"), { gpuBudgetBytes, prefillBytes: 0 });
    expect(model.expertSlots).toEqual({ slots: 30, experts: layers * moe.experts, bytes: 30 * recordBytes });
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

describe("reading ahead", () => {
  /** Expert e of every layer used e times. */
  const expertUses = Array.from({ length: layers }, () => Uint32Array.from({ length: moe.experts }, (_, expert) => expert));

  it("fills free slots with what was used most, evicts nothing, and changes no bit of a result", async () => {
    const stored = await openModel(database, "test");
    const slots = layers * (moe.topK + 2);
    const model = await Transformer.load(gpu, stored, { expertBudgetBytes: slots * recordBytes, expertUses });
    await expect.poll(() => model.readAheadBytes, { timeout: 20_000 }).toBe(slots * recordBytes);
    const most = Array.from({ length: moe.experts }, (_, expert) => (expert >= moe.experts - moe.topK - 2 ? 1 : 0));
    for (const { resident } of model.residents()) expect([...resident]).toEqual(most);
    expect(await model.forwardAll(tokens)).toEqual(expected);
    expect(model.readAheadBytes).toBe(slots * recordBytes);
    expect(model.stats.experts.uses - model.stats.experts.hits).toBe(model.stats.experts.loads);
    model.close();
  });

  it("while tokens are computed is as harmless, and ends when the model is closed", async () => {
    const stored = await openModel(database, "test");
    const model = await Transformer.load(gpu, stored, { expertBudgetBytes: layers * (moe.topK + 5) * recordBytes, expertUses });
    expect(await model.forwardAll(tokens)).toEqual(expected);
    model.close();
    const { reads } = stored.experts.stats();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(stored.experts.stats().reads).toBeLessThanOrEqual(reads + 8); // one staging buffer was under way
    gpu.check();
  });

  it("does nothing where nothing is known of the past", async () => {
    expect(await withModel(layers * moe.topK, async (model) => model.readAheadBytes)).toBe(0);
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
  const key: [string, number, number, number] = ["test", 2, 0, 1];

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
    expect(error.code).toBe("storage/corrupt"); // a part of it: the rest is there
    expect(error.message).toMatch(/Expert 0 of layer 2/);
  });

  it("damaged is an error that names it", async () => {
    const error = await brokenWith(async () => {
      const bytes = (await database.get("experts", key)) as Uint8Array<ArrayBuffer>;
      bytes[100]! ^= 1;
      await database.put("experts", bytes, key);
    });
    expect(error.code).toBe("storage/corrupt");
    expect(error.message).toMatch(/Expert 0 of layer 2/);
  });

  it("unreadable in the midst of a token stops the call, and the sequence goes on once it can be read again", async () => {
    const last = await withModel(moe.topK, async (model) => {
      const layer2 = await Promise.all(Array.from({ length: moe.experts }, (_, expert) => database.get("experts", ["test", 2, expert, 0])));
      for (let expert = 0; expert < moe.experts; expert++) await database.delete("experts", ["test", 2, expert, 0]);
      const error = await failure(model.forward(tokens));
      for (const [expert, gate] of layer2.entries()) await database.put("experts", gate!, ["test", 2, expert, 0]);
      expect(error.code).toBe("storage/corrupt");
      expect(error.message).toMatch(/of layer 2/);
      expect(model.position).toBe(1);
      return model.forward(tokens.slice(1));
    });
    expect(last).toEqual(expected.slice(-last.length));
  });
});

describe("what the details panel shows", () => {
  it("counts every use of every expert, whether all have slots or few", async () => {
    const usesWith = (slots: number) =>
      withModel(slots, async (model) => {
        await model.forward(tokens);
        const { experts } = model.stats;
        const rows = model.residents();
        const sum = (list: Iterable<number>): number => [...list].reduce((total, count) => total + count, 0);
        expect(sum(rows.flatMap(({ uses }) => [...uses]))).toBe(experts.uses);
        expect(experts.uses).toBe(tokens.length * layers * moe.topK);
        expect(sum(rows.map(({ hits }) => hits))).toBe(experts.hits);
        expect(sum(rows.map(({ misses }) => misses))).toBe(experts.uses - experts.hits);
        return { uses: rows.map(({ uses }) => [...uses]), resident: sum(rows.flatMap(({ resident }) => [...resident])), misses: experts.uses - experts.hits };
      });
    const all = await usesWith(layers * moe.experts);
    const few = await usesWith(layers * moe.topK);
    expect(few.uses).toEqual(all.uses);
    expect(all).toMatchObject({ resident: layers * moe.experts, misses: 0 });
    expect(few.resident).toBe(layers * moe.topK);
    expect(few.misses).toBeGreaterThan(0);
  });

  it("accounts GPU memory by what it is spent on, to the byte, and gives all of it back", async () => {
    const before = gpu.memory.byKind;
    await withModel(layers * moe.topK, async (model) => {
      const { experts, dense, cache, recurrent, scratch } = gpu.memory.byKind;
      expect(experts).toBe(layers * moe.topK * recordBytes);
      const attentionLayers = Math.floor(layers / 4);
      expect(cache).toBe(attentionLayers * 2 * model.contextTokens * spec.attention.kvHeads * spec.attention.headDim * 4);
      for (const bytes of [dense, recurrent, scratch]) expect(bytes).toBeGreaterThan(0);
      expect(dense + experts + cache + recurrent + scratch).toBe(gpu.memory.bytes);
    });
    const { scratch: _, ...kept } = gpu.memory.byKind;
    const { scratch: __, ...had } = before;
    expect(kept).toEqual(had);
  });

  it.each([["all experts", layers * moe.experts], ["few", layers * moe.topK]] as const)("times a token layer by layer with %s in slots, and leaves the sequence as it was", async (_name, slots) => {
    await withModel(slots, async (model) => {
      await model.forward(tokens.slice(0, -1));
      const profile = await model.profile(tokens[0]!, 3);
      expect(profile).toMatchObject({ clock: "gpu", tokens: 3 });
      expect(profile.layers.map(({ kind }) => kind)).toEqual(Array.from({ length: layers }, (_, layer) => ((layer + 1) % 4 === 0 ? "attention" : "deltanet")));
      const missed = profile.layers.reduce((sum, layer) => sum + layer.missed, 0);
      if (slots === layers * moe.experts) expect(missed).toBe(0);
      for (const { mixerMs, expertsMs, loadMs, missed: absent } of profile.layers) {
        expect(mixerMs).toBeGreaterThanOrEqual(0);
        expect(expertsMs).toBeGreaterThanOrEqual(0);
        expect(loadMs > 0).toBe(absent > 0);
      }
      expect(profile.layers.reduce((sum, { mixerMs, expertsMs }) => sum + mixerMs + expertsMs, 0)).toBeGreaterThan(0);
      const [last] = [await model.forward(tokens.slice(-1))];
      expect(last).toEqual(await lastLogits());
    });
  });

  it("stops timing when it is told to, and leaves the sequence as it was", async () => {
    await withModel(layers * moe.topK, async (model) => {
      await model.forward(tokens.slice(0, -1));
      await expect(model.profile(tokens[0]!, 3, AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
      expect(await model.forward(tokens.slice(-1))).toEqual(await lastLogits());
    });
  });

  it("times with the host's clock where the GPU has none, and says so", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const bare = new Gpu(await adapter!.requestDevice({ requiredLimits: { maxStorageBufferBindingSize: adapter!.limits.maxStorageBufferBindingSize } }), gpu.report);
    const model = await Transformer.load(bare, await openModel(database, "test"), { expertBudgetBytes: layers * moe.topK * recordBytes });
    try {
      await model.forward(tokens.slice(0, -1));
      const profile = await model.profile(tokens[0]!, 2);
      expect(profile.clock).toBe("host");
      expect(profile.roundTripMs).toBeGreaterThan(0);
      for (const { mixerMs, expertsMs } of profile.layers) expect(Math.min(mixerMs, expertsMs)).toBeGreaterThan(0);
      expect(await model.forward(tokens.slice(-1))).toEqual(await lastLogits());
    } finally {
      model.close();
      bare.close();
    }
  });
});

function lastLogits(): Promise<Float32Array> {
  return withModel(layers * moe.experts, (model) => model.forward(tokens));
}
