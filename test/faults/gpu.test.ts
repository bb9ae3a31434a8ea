// Faults 10, 11, 13 and 14 of the GPU: it is lost at any moment, it lacks something, it never answers. Pass: nothing that was
// said is lost or said twice, the answer is the one that would have been given, and whoever waits is told.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { GenerateEvent, GenerateRequest } from "../../src/engine/api.ts";
import { type ConnectedEngine, connectEngine } from "../../src/engine/client.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { Transformer } from "../../src/model/transformer.ts";
import { randomModel } from "../fixtures/models/random-model.ts";
import { memoryModel } from "../support/memory-model.ts";
import { collect, type Done, longRequest, request, SMALL, smallModelFile } from "../support/small-model.ts";

/** Loading compiles every kernel, on a busy machine without a GPU for half a minute each time. */
const LOAD_MS = 240_000;

interface Heard {
  readonly done: Done;
  readonly notices: readonly string[];
  readonly texts: readonly string[];
}

describe("the GPU is lost (fault 10)", { timeout: LOAD_MS }, () => {
  let engine: ConnectedEngine;
  let long: GenerateRequest;
  let whole: string;

  async function hear(asked: GenerateRequest, onEvent: (event: GenerateEvent, heard: readonly GenerateEvent[]) => void, signal?: AbortSignal): Promise<Heard> {
    const heard: GenerateEvent[] = [];
    const { done } = await collect(engine.model, asked, signal, (event) => {
      heard.push(event);
      onEvent(event, heard);
    });
    return { done, notices: heard.flatMap((event) => (event.type === "notice" ? [event.notice] : [])), texts: heard.flatMap((event) => (event.type === "text" ? [event.text] : [])) };
  }

  beforeAll(async () => {
    engine = connectEngine();
    await engine.api.load(smallModelFile(), {}, () => undefined);
    long = await longRequest(engine.model, 30);
    whole = (await collect(engine.model, long)).done.text;
  }, LOAD_MS);
  afterAll(async () => {
    await engine.api.remove("random.gguf");
    engine.close();
  });

  it("while nothing runs: the next answer is the one that would have been given", async () => {
    await engine.lab.loseGpu();
    const { done, notices, texts } = await hear(long, () => undefined);
    expect(done).toMatchObject({ reason: "length", text: whole });
    expect(texts.join("")).toBe(whole);
    expect(notices).toEqual(["gpu-lost"]);
  });

  it("in the midst of a prompt: the prompt is computed again", async () => {
    let lost = false;
    const asked = request("word ".repeat(40));
    const expected = (await collect(engine.model, asked)).done.text;
    await collect(engine.model, request("something else"));
    const { done, notices } = await hear(asked, ({ type }) => {
      if (type === "prefill" && !lost) void engine.lab.loseGpu();
      if (type === "prefill") lost = true;
    });
    expect(notices).toEqual(["gpu-lost"]);
    expect(done.text).toBe(expected);
  });

  it("between two tokens, and again while the model is loaded again: the sentence goes on where it stopped", async () => {
    const { done, notices, texts } = await hear(long, (event, heard) => {
      if (event.type === "text" && heard.filter(({ type }) => type === "text").length === 5) void engine.lab.loseGpu(1);
    });
    expect(notices).toEqual(["gpu-lost"]);
    expect(done).toMatchObject({ reason: "length", text: whole, stats: { completionTokens: 30 } });
    expect(texts.join("")).toBe(whole);
    expect(done.stats.expertUses).toBeGreaterThan(0);
  });

  it("while a model is uploaded: it is uploaded again, and loading ends well", async () => {
    let lost = false;
    await engine.api.load("random.gguf", {}, ({ phase, doneBytes }) => {
      if (phase !== "upload" || doneBytes === 0 || lost) return;
      lost = true;
      void engine.lab.loseGpu();
    });
    expect(lost).toBe(true);
    expect((await hear(long, () => undefined)).done.text).toBe(whole);
  });

  it("three times in a row: says so and offers a smaller plan, which works", async () => {
    const failed = hear(long, (event, heard) => {
      if (event.type === "text" && heard.filter(({ type }) => type === "text").length === 3) void engine.lab.loseGpu(2);
    });
    const error = await failed.then(() => undefined, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "gpu/lost", message: expect.stringContaining("3 times in a row"), data: { losses: 3, smallerMb: expect.any(Number) } });
    const { smallerMb } = (error as { data: { smallerMb: number } }).data;
    await engine.api.load("random.gguf", { gpuMb: smallerMb }, () => undefined);
    expect((await hear(long, () => undefined)).done.text).toBe(whole);
    expect((await engine.api.details()).errors.at(-1)).toMatchObject({ code: "gpu/lost" });
  });

  it("and Stop is pressed while the model is loaded again (fault 14): within a second, what was said is kept, the next request works", async () => {
    const stop = new AbortController();
    let stopped = 0;
    const { done, texts } = await hear(
      long,
      (event, heard) => {
        if (event.type === "text" && heard.filter(({ type }) => type === "text").length === 5) void engine.lab.loseGpu();
        if (event.type !== "notice") return;
        stopped = performance.now();
        stop.abort();
      },
      stop.signal,
    );
    expect(stopped).toBeGreaterThan(0);
    expect(performance.now() - stopped).toBeLessThan(1000);
    expect(done).toMatchObject({ reason: "aborted", text: texts.join("") });
    expect(whole.startsWith(done.text)).toBe(true);
    expect((await hear(long, () => undefined)).done.text).toBe(whole);
  });
});

describe("the GPU lacks something (fault 11)", { timeout: LOAD_MS }, () => {
  afterEach(() => void vi.restoreAllMocks());

  it("has no adapter: says what to look at", async () => {
    vi.spyOn(navigator.gpu, "requestAdapter").mockResolvedValue(null);
    await expect(openGpu()).rejects.toThrow(expect.objectContaining({ code: "gpu/unavailable", message: expect.stringContaining("hardware acceleration") }));
  });

  it("computes in software and has no 16-bit numbers: the model runs, and the report says so", async () => {
    const gpu = await openGpu();
    expect(gpu.report.software).toBe(true);
    expect(gpu.report.features).not.toContain("shader-f16");
    gpu.close();
  });

  it("binds 128 MiB at most: a context that needs more is refused with the numbers, a smaller one runs", async () => {
    const real = (await navigator.gpu.requestAdapter())!;
    const most = 128 * 1024 * 1024;
    const limits = new Proxy(real.limits, { get: (all, name) => (name === "maxStorageBufferBindingSize" ? most : (Reflect.get(all, name) as unknown)) });
    const small = new Proxy(real, {
      get(adapter, name) {
        if (name === "limits") return limits;
        const value: unknown = Reflect.get(adapter, name);
        return typeof value === "function" ? (value.bind(adapter) as unknown) : value;
      },
    });
    vi.spyOn(navigator.gpu, "requestAdapter").mockResolvedValue(small);
    const gpu = await openGpu();
    expect(gpu.report.maxBindingBytes).toBe(most);
    expect(gpu.device.limits.maxStorageBufferBindingSize).toBe(most);
    expect(() => gpu.memory.storage("keys", most + 16)).toThrow(expect.objectContaining({ code: "gpu/memory", data: expect.objectContaining({ maxBytes: most }) }));
    const model = await Transformer.load(gpu, await memoryModel(randomModel(SMALL)));
    expect((await model.forward([1, 2, 3])).every(Number.isFinite)).toBe(true);
    model.close();
    gpu.close();
  });
});

describe("the GPU does not answer (fault 13)", { timeout: LOAD_MS }, () => {
  /** Keeps one lane busy: about a second for 2e8 rounds on one core of SwiftShader. */
  async function busy(gpu: Gpu, rounds: number): Promise<ArrayBuffer> {
    const out = gpu.memory.storage("out", 16);
    const code = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
      @compute @workgroup_size(1) fn main() { var x = out[0] + 1u; for (var i = 0u; i < ${rounds}u; i++) { x = x * 1664525u + 1013904223u; } out[0] = x; }`;
    const pipeline = gpu.device.createComputePipeline({ layout: "auto", compute: { module: gpu.device.createShaderModule({ code }) } });
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: out } }] }));
    pass.dispatchWorkgroups(1);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    return readBuffer(gpu, out, 0, 4);
  }

  it("for a while: that is told once, and the result is right when it comes", async () => {
    const gpu = await openGpu();
    gpu.health.patience = { slowMs: 30, hungMs: 120_000 };
    let told = 0;
    gpu.health.onSlow = () => told++;
    const [number] = new Uint32Array(await busy(gpu, 200_000_000));
    expect(told).toBe(1);
    expect(number).toBeGreaterThan(0);
    expect(gpu.health.lost.aborted).toBe(false);
    gpu.close();
  });

  it("for longer than it may: it is given up as lost, and says after how long", async () => {
    const gpu = await openGpu();
    gpu.health.patience = { slowMs: 20, hungMs: 60 };
    const error = await busy(gpu, 400_000_000).then(() => undefined, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "gpu/lost", message: expect.stringContaining("has not answered") });
    expect(() => gpu.check()).toThrow(expect.objectContaining({ code: "gpu/lost" }));
    expect(gpu.health.lost.aborted).toBe(true);
    gpu.close();
  });

  it("ever: whoever waits is told, although nothing ends the wait itself", async () => {
    const gpu = await openGpu();
    gpu.health.patience = { slowMs: 20, hungMs: 60 };
    await expect(gpu.health.answer(new Promise(() => undefined))).rejects.toThrow(expect.objectContaining({ code: "gpu/lost" }));
    gpu.close();
  });
});
