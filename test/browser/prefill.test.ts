// Long prompts, layer by layer: the same distributions as llama.cpp's and as token by token, whatever the lengths, the chunks
// and the slots; and a sequence that stands where it stood when a prompt is stopped or an expert cannot be read.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { type ModelOptions, Transformer } from "../../src/model/transformer.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { memoryModel } from "../support/memory-model.ts";
import { seeded } from "../support/kernel-random.ts";
import { RECORDED, agreement, gunzip } from "../support/recorded-models.ts";

async function recordedProbabilities(name: string): Promise<Float32Array<ArrayBuffer>> {
  const response = await fetch(new URL(`../fixtures/models/${name}.f32.gz`, import.meta.url));
  const bytes = new Uint8Array(await response.arrayBuffer());
  // A server that names the content encoding has the browser unzip it.
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return zipped ? gunzip(bytes) : new Float32Array(bytes.buffer);
}

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.close());

async function withModel<T>(bytes: Uint8Array, options: ModelOptions, use: (model: Transformer) => Promise<T>, on = gpu): Promise<T> {
  const model = await Transformer.load(on, await memoryModel(bytes), { prefillLeast: 16, ...options });
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

const named = (name: string) => RECORDED.find(({ spec }) => spec.name === name)!;

// The same bar as for token by token (model.test.ts): anything above 1e-4 is a mistake, not rounding. Between them the models have
// every kind of layer and expert; what a weight type is unpacked to has its test with the kernels.
describe.each(["default-interval-q8", "large-heads", "k-quants", "qwen35moe", "qwen3moe", "qwen2"])("a prompt of the model %s", (name) => {
  it("ends, and goes on token by token, as in llama.cpp", async () => {
    const { spec, vocab, tokens } = named(name);
    const expected = await recordedProbabilities(name);
    await withModel(randomModel(spec), {}, async (model) => {
      for (const length of [17, tokens.length - 1]) {
        model.reset();
        const logits = [...(await model.forward(tokens.slice(0, length))), ...(await model.forward(tokens.slice(length, length + 1)))];
        const { maxL1, sameTop } = agreement(logits, expected.slice((length - 1) * vocab, (length + 1) * vocab), vocab);
        expect(sameTop).toBe(1);
        expect(maxL1, `after ${length} tokens`).toBeLessThan(1e-4);
      }
      expect(model.stats.prefill).toMatchObject({ tokens: 17 + tokens.length - 1, chunks: 2 });
    });
  });
});

describe("a prompt as a real GPU runs it, with its tiles", () => {
  it("gives after each token what llama.cpp gives", async () => {
    const { spec, vocab, tokens } = named("default-interval-q8");
    const real = Object.assign(Object.create(gpu) as Gpu, { report: { ...gpu.report, software: false } });
    await withModel(randomModel(spec), {}, async (model) => {
      const { maxL1, sameTop } = agreement(await model.forwardAll(tokens), await recordedProbabilities(spec.name), vocab);
      expect(sameTop).toBe(1);
      expect(maxL1).toBeLessThan(1e-4);
      expect(model.stats.prefill).toMatchObject({ tokens: tokens.length, chunks: 1 });
    }, real);
  });
});

describe("a long prompt", () => {
  const { spec, vocab } = named("default-interval-q8");
  const { layers, moe } = spec;
  const bytes = randomModel(spec);
  const rng = seeded(12);
  const tokens = Array.from({ length: 200 }, () => rng.int(0, vocab - 1));
  let recordBytes = 0;
  let inTurn: Float32Array;
  beforeAll(async () => {
    recordBytes = (await memoryModel(bytes)).experts.recordBytes(0);
    inTurn = await withModel(bytes, { prefillLeast: Infinity }, (model) => model.forwardAll(tokens));
  });

  const probabilitiesAfter = (count: number): Float32Array => {
    const row = inTurn.subarray((count - 1) * vocab, count * vocab);
    const exps = row.map((value) => Math.exp(value - Math.max(...row)));
    const sum = exps.reduce((a, b) => a + b, 0);
    return exps.map((value) => value / sum);
  };
  const expectAfter = (count: number, logits: Float32Array, what: string): void => {
    const { maxL1, sameTop } = agreement(logits, probabilitiesAfter(count), vocab);
    expect(sameTop, what).toBe(1);
    expect(maxL1, what).toBeLessThan(1e-4);
  };
  async function failure(work: Promise<unknown>): Promise<AppError> {
    const error = await work.then(() => undefined, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }

  it("gives what its tokens give one after the other, cut at any length, and so does what follows", async () => {
    await withModel(bytes, { prefillTokens: 64 }, async (model) => {
      for (const cuts of [[63], [64], [65], [130], [16, 1, 64], [1, 100], [3, 63, 1, 70]]) {
        model.reset();
        let at = 0;
        for (const count of cuts) {
          const logits = await model.forward(tokens.slice(at, at + count));
          at += count;
          expect(model.position).toBe(at);
          expectAfter(at, logits, `${cuts.join(" + ")}, after ${at}`);
        }
        expectAfter(at + 1, await model.forward(tokens.slice(at, at + 1)), `${cuts.join(" + ")}, the next`);
      }
    });
  });

  it("gives the logits after every token, and which experts they took if that is recorded", async () => {
    await withModel(bytes, { prefillTokens: 64 }, async (model) => {
      const all = await model.forwardAll(tokens);
      expect(model.stats.prefill.chunks).toBe(4);
      for (let count = 1; count <= tokens.length; count++) expectAfter(count, all.subarray((count - 1) * vocab, count * vocab), `after ${count} of ${tokens.length}`);
      model.reset();
      const recorded = model.recordRouting();
      expect(await model.forwardAll(tokens.slice(0, 20))).toEqual(inTurn.slice(0, 20 * vocab));
      for (const layer of recorded()) expect(layer.map((experts) => experts.length)).toEqual(Array.from({ length: 20 }, () => moe.topK));
      expect(model.position).toBe(20);
    });
  });

  it("says nearly the same with keys and values in f16, cut and put back anywhere, in half their bytes", async () => {
    const cacheBytes: number[] = [];
    const layouts: number[] = [];
    for (const halfCache of [false, true]) {
      await withModel(bytes, { halfCache, prefillTokens: 64 }, async (model) => {
        layouts.push(model.stateLayout.cacheBytesPerToken);
        cacheBytes.push(model.memory.lines.cache);
        if (!halfCache) return;
        // A long prompt, two tokens after it, and the same from what was read out of the model.
        const said = [await model.forward(tokens.slice(0, 130)), await model.forward(tokens.slice(130, 131))];
        const kept = { cache: await model.readCache(0, 131), recurrent: await model.readRecurrent() };
        said.push(await model.forward(tokens.slice(131, 132)));
        said.forEach((logits, i) => {
          const { maxL1 } = agreement(logits, probabilitiesAfter(130 + i), vocab);
          // Rounded to 11 bits: above what f32 differs by, far below what changes an answer.
          expect(maxL1, `after ${130 + i}`).toBeLessThan(5e-3);
          expect(maxL1, `after ${130 + i}`).toBeGreaterThan(1e-7);
        });
        model.reset();
        await model.forward(tokens.slice(3, 80));
        model.writeCache(0, kept.cache);
        model.resume(131, kept.recurrent);
        expect(await model.forward(tokens.slice(131, 132))).toEqual(said[2]);
      });
    }
    expect(layouts[1]! * 2).toBe(layouts[0]);
    expect(cacheBytes[1]! * 2).toBe(cacheBytes[0]);
  });

  it("reads an expert at most once a chunk, and gives the same bits for any number of slots", async () => {
    const run = (slots: number) =>
      withModel(bytes, { expertBudgetBytes: slots * recordBytes, prefillTokens: 128 }, async (model) => {
        const logits = [await model.forward(tokens.slice(0, 150)), await model.forward(tokens.slice(150, 151))];
        return { logits, stats: model.stats, slots: model.expertSlots.slots };
      });
    const all = await run(layers * moe.experts);
    expect(all.stats.experts.loads).toBe(0);
    expect(all.stats.experts.uses).toBe(151 * layers * moe.topK);
    for (const slots of [Math.floor((layers * moe.experts) / 2), layers * moe.topK, moe.topK]) {
      const { logits, stats, slots: had } = await run(slots);
      expect(had).toBe(slots);
      expect(logits).toEqual(all.logits);
      expect(stats.prefill).toMatchObject({ tokens: 150, chunks: 2 });
      const { uses, hits, loads, loadedBytes } = stats.experts;
      expect(uses).toBe(all.stats.experts.uses);
      expect(uses - hits).toBe(loads);
      const inPrompt = loadedBytes - recordBytes * layers * moe.topK;
      expect(inPrompt).toBeLessThanOrEqual(stats.prefill.touchedBytes);
      expect(stats.prefill.touchedBytes).toBeLessThanOrEqual(2 * layers * moe.experts * recordBytes);
    }
  });

  it("tells how far it is, and takes few looks at the GPU", async () => {
    await withModel(bytes, {}, async (model) => {
      const told: number[] = [];
      await model.forward(tokens, undefined, (done) => told.push(done));
      expect(told.at(-1)).toBe(tokens.length);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(told.length).toBeGreaterThanOrEqual(layers);
      expect(model.stats.tokens).toBe(tokens.length);
      expect(model.stats.readbacks).toBeLessThan(tokens.length / 2);
    });
  });

  it("goes back to a snapshot taken behind it", async () => {
    await withModel(bytes, {}, async (model) => {
      await model.forward(tokens.slice(0, 70));
      const snapshot = await model.snapshot();
      const first = await model.forward(tokens.slice(70, 100));
      await model.forward(tokens.slice(0, 40));
      model.truncate(snapshot);
      snapshot.close();
      expect(await model.forward(tokens.slice(70, 100))).toEqual(first);
    });
  });

  it("that is stopped leaves the sequence where the last whole chunk ended", async () => {
    await withModel(bytes, { expertBudgetBytes: moe.topK * recordBytes, prefillTokens: 64 }, async (model) => {
      const whole = await model.forward(tokens);
      for (const [from, to] of [[1, 0], [65, 64], [129, 128]] as const) {
        model.reset();
        const stop = new AbortController();
        const error = await failure(model.forward(tokens, stop.signal, (done) => done >= from && stop.abort()));
        expect(error.code).toBe("aborted");
        expect(model.position).toBe(to);
        expect(await model.forward(tokens.slice(to)), `stopped after ${from}`).toEqual(whole);
      }
    });
  });

  it("whose expert cannot be read leaves the sequence where the last whole chunk ended, and goes on once it can be", async () => {
    const stored = await memoryModel(bytes);
    let broken = false;
    const experts = Object.assign(Object.create(stored.experts) as typeof stored.experts, {
      readInto: (layer: number, ...rest: unknown[]): Promise<unknown> => {
        if (broken && layer === 3) return Promise.reject(new AppError("storage/missing", "An expert of layer 3 is missing."));
        return (stored.experts.readInto as (...all: unknown[]) => Promise<unknown>).call(stored.experts, layer, ...rest);
      },
    });
    const model = await Transformer.load(gpu, { ...stored, experts }, { expertBudgetBytes: moe.topK * recordBytes, prefillTokens: 64, prefillLeast: 16 });
    try {
      const whole = await model.forward(tokens);
      model.reset();
      const error = await failure(model.forward(tokens, undefined, (done) => (broken = done >= 64)));
      expect(error.code).toBe("storage/missing");
      expect(model.position).toBe(64);
      broken = false;
      expect(await model.forward(tokens.slice(64))).toEqual(whole);
    } finally {
      model.close();
    }
  });

  it("goes token by token where there is no room to compute it otherwise", async () => {
    await withModel(bytes, { prefillBytes: 1000 }, async (model) => {
      const told: number[] = [];
      expectAfter(70, await model.forward(tokens.slice(0, 70), undefined, (done) => told.push(done)), "in turn");
      expect(model.stats.prefill.tokens).toBe(0);
      expect(told).toEqual([32, 64]);
    });
  });
});
