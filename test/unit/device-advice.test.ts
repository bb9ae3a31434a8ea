// What the page says of a device and of a model on it: pure functions, so every case is a row.
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { DeviceReport, DeviceSpeed, EngineDetails, ModelInfo } from "../../src/engine/api.ts";
import { deviceLines } from "../../src/ui/device/device-lines.ts";
import { modelVerdict, recommendedModel } from "../../src/ui/device/model-verdict.ts";
import { setLanguage } from "../../src/ui/strings/index.ts";
import { cacheRow, detailsReport } from "../../src/ui/status/details-report.ts";

const GIB = 1 << 30;
const good: DeviceReport = {
  webgpu: true, adapter: "nvidia ada", vendor: "nvidia", architecture: "ada", software: false, features: [], f16: true, subgroups: true, timestamps: true,
  maxBufferBytes: 4 * GIB, maxBindingBytes: 2 * GIB, memoryGb: 32, cores: 16, storageUsedBytes: 5e9, storageQuotaBytes: 15e9, persisted: true,
};
const without = (key: keyof DeviceReport): DeviceReport => {
  const { [key]: _, ...rest } = good;
  return rest as DeviceReport;
};
const line = (report: DeviceReport, id: string, isolated = true) => deviceLines(report, isolated).find((found) => found.id === id);

describe("the device card", () => {
  it("has a line for GPU, limits, f16, memory, storage and isolation, all good on a good device", () => {
    const lines = deviceLines(good, true);
    expect(lines.map(({ id }) => id)).toEqual(["gpu", "limits", "f16", "memory", "storage", "isolation"]);
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(["good"]));
    for (const { name, value, consequence } of lines) for (const words of [name, value, consequence]) expect(words).not.toBe("");
  });

  it.each([
    ["a software adapter", { ...good, software: true }, "gpu", "fair", /hardware acceleration/],
    ["buffers of 256 MiB", { ...good, maxBindingBytes: GIB / 4 }, "limits", "fair", /refused before anything is stored/],
    ["buffers of 128 MiB", { ...good, maxBindingBytes: GIB / 8 }, "limits", "bad", /Only small models/],
    ["no 16-bit shaders", { ...good, f16: false }, "f16", "fair", /32-bit form/],
    ["8 GB", { ...good, memoryGb: 8 }, "memory", "fair", /small models/],
    ["4 GB", { ...good, memoryGb: 4 }, "memory", "bad", /smallest/],
    ["memory that is not told", without("memoryGb"), "memory", "fair", /does not tell/],
    ["storage that may be cleared", { ...good, persisted: false }, "storage", "fair", /never names more than about 10 GB/],
    ["no storage", { ...good, storageQuotaBytes: 0, persisted: false }, "storage", "bad", /every visit/],
  ] as const)("says the consequence of %s", (_name, report, id, level, words) => {
    expect(line(report, id)).toMatchObject({ level, consequence: expect.stringMatching(words) });
  });

  it("says why there is no GPU and what works without, and nothing of limits it does not know", () => {
    const lines = deviceLines({ ...good, webgpu: false, problem: "This browser has no WebGPU." }, false);
    expect(lines.map(({ id, level }) => `${id} ${level}`)).toEqual(["gpu bad", "memory good", "storage good", "isolation fair"]);
    expect(lines[0]?.consequence).toMatch(/no WebGPU.*Files, tests and the terminal work/);
  });

  it("never lets the quota decide: Chrome tells of 10 GB free at most, whatever the disk has", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 45 }), fc.integer({ min: 0, max: 2 ** 45 }), (storageQuotaBytes, storageUsedBytes) => {
        expect(line({ ...good, storageQuotaBytes, storageUsedBytes }, "storage")?.level).toBe("good");
      }),
    );
  });

  it("speaks German too, every line of it", async () => {
    await setLanguage("de");
    const german = deviceLines({ ...good, software: true, f16: false }, false);
    expect(german.find(({ id }) => id === "gpu")?.consequence).toContain("Hardwarebeschleunigung");
    expect(german.find(({ id }) => id === "f16")?.value).toBe("nein");
  });
});

vi.stubGlobal("document", { documentElement: {} });
afterEach(() => setLanguage("en"));

const bundled: ModelInfo = { id: "micro", name: "Micro", kind: "moe", bytes: 2.5e6, source: "bundled", note: "" };
const webllm: ModelInfo = { id: "seven", name: "7B", kind: "webllm", source: "remote", note: "", needs: { gpuBytes: 5.1e9, leastGpuBytes: 5.1e9, bindingBytes: 0 } };
/** The 80 B model at 4.5 bits: 45 GB of experts, 1.3 GB dense, 0.85 GB of experts a token. */
const large: ModelInfo = {
  id: "next.gguf", name: "Next", kind: "moe", bytes: 46e9, source: "file", note: "",
  needs: { gpuBytes: 47e9, leastGpuBytes: 2.4e9, bindingBytes: 255e6, perToken: { denseBytes: 1.3e9, expertBytes: 0.85e9 } },
};
const speed: DeviceSpeed = { readPerSecond: 2e9, uploadPerSecond: 5e9, gpuPerSecond: 200e9, measuredAt: 0 };
const none = { rates: {} };

describe("the verdict on a model", () => {
  it.each([
    ["anything without a GPU", large, { ...good, problem: "none" }, "cannot", /no usable GPU/],
    ["a matrix larger than a binding", large, { ...good, maxBindingBytes: GIB / 8 }, "cannot", /255 MB.*134 MB/],
    ["the bundled model", bundled, { ...good, software: true, memoryGb: 4 }, "fits", /small/],
    ["a large model on the CPU", large, { ...good, software: true }, "slow", /on the CPU/],
    ["more experts than memory", large, good, "slow", /read from storage/],
    ["enough for all of it", large, { ...good, memoryGb: 128 }, "fits", /should fit/],
    ["a small model on a good device", webllm, good, "fits", /should fit/],
    ["more than half of the memory", webllm, { ...good, memoryGb: 8 }, "unsure", /5\.1 GB.*8 GB/],
    ["memory that is not told", webllm, without("memoryGb"), "unsure", /does not tell/],
    ["a file that was not read yet", { ...large, needs: undefined } as unknown as ModelInfo, good, "unsure", /known when it is stored/],
  ] as const)("for %s", (_name, model, device, level, why) => {
    expect(modelVerdict(model, device, none)).toMatchObject({ level, why: expect.stringMatching(why) });
  });

  it("names GB and needs, and no size where the publisher names none", () => {
    expect(modelVerdict(large, good, none)).toMatchObject({ size: "46.0 GB stored", needs: "needs 2.4 GB to 47.0 GB of GPU memory" });
    expect(modelVerdict(bundled, good, none)).toMatchObject({ size: "2.5 MB, part of this site", needs: "" });
    expect(modelVerdict(webllm, good, none).size).toMatch(/names no size/);
  });

  it("expects nothing that was not measured", () => {
    for (const model of [bundled, webllm, large]) expect(modelVerdict(model, good, none).expected).toBe("Speed not measured yet");
    expect(modelVerdict(webllm, good, { speed, rates: {} }).expected).toBe("Speed not measured yet");
  });

  it("derives a range from the measured speeds: every expert from storage, all in memory", () => {
    // 1.3 GB at 200 GB/s and 0.85 GB at 2 GB/s: 0.4315 s. All 2.15 GB at 200 GB/s: 93.0 a second.
    expect(modelVerdict(large, good, { speed, rates: {} }).expected).toMatch(/at most 2\.3 tokens\/s .* 93 with all/);
  });

  it("prefers what was seen to what is derived", () => {
    expect(modelVerdict(large, good, { speed, rates: { "next.gguf": 7.25 } }).expected).toBe("Seen here: 7.3 tokens/s");
  });

  it("recommends what is stored before what is offered before WebLLM's before the bundled one, of those that run, and says why", () => {
    const offer = (id: string, memoryGb: number, bytes: number): ModelInfo => ({ ...large, id, source: "offer", memoryGb, bytes, needs: { ...large.needs!, gpuBytes: bytes } });
    const offered = [bundled, webllm, offer("q4", 32, 48e9), offer("q3", 24, 38e9), offer("thirty", 16, 18e9)];
    const best = (models: readonly ModelInfo[], device: DeviceReport) => recommendedModel(models, device)?.id;
    expect(best([...offered, large], { ...good, memoryGb: 128 })).toBe("next.gguf");
    expect(best([...offered, large], good)).toBe("next.gguf");
    expect(best(offered, good)).toBe("q4");
    expect(best(offered, { ...good, memoryGb: 16 })).toBe("thirty");
    expect(best(offered, { ...good, memoryGb: 8 })).toBe("micro"); // 5 GB of WebLLM's are more than half of it
    expect(best([...offered, { ...webllm, id: "half", needs: { gpuBytes: 945e6, leastGpuBytes: 945e6, bindingBytes: 0 } }], { ...good, memoryGb: 8 })).toBe("half");
    expect(best(offered, without("memoryGb"))).toBe("micro");
    expect(best([...offered, large], { ...good, software: true })).toBe("micro");
    expect(best([...offered, large], { ...good, problem: "none" })).toBeUndefined();
    expect(best(offered, { ...good, maxBindingBytes: GIB / 8 })).toBe("seven");
    expect(recommendedModel(offered, good)?.why).toContain("32 GB");
    for (const why of [recommendedModel([large], good)?.why, recommendedModel([webllm], good)?.why, recommendedModel([bundled], good)?.why]) expect(why?.length).toBeGreaterThan(20);
  });

  it("says of an offer that its numbers are estimates", () => {
    expect(modelVerdict({ ...large, source: "offer" }, good, none).size).toMatch(/about 46\.0 GB to download.*estimate/);
  });
});

describe("the report that is copied", () => {
  const details: EngineDetails = {
    modelId: "micro", kind: "moe", memory: { dense: 1, cache: 2, recurrent: 3, experts: 4, scratch: 5 }, contextTokens: 10, contextLimit: 100, tokens: 12, expertSlots: 3,
    cache: [{ resident: Uint8Array.of(1, 0, 1), uses: Uint32Array.of(1, 0, 5), hits: 4, misses: 2 }],
    errors: [{ code: "gpu/lost", message: "The GPU was lost.", at: 0 }],
  };
  it("has the device, memory, cache, time and errors", () => {
    const profile = { clock: "gpu", tokens: 8, embeddingMs: 0.1, outputMs: 0.2, roundTripMs: 0.5, layers: [{ kind: "attention", mixerMs: 0.3, expertsMs: 0.4, loadMs: 1, missed: 2 }] } as const;
    const report = detailsReport({ device: good, details, profile, stats: undefined, userAgent: "Browser/1", isolated: true });
    for (const words of ["nvidia ada", "experts 4 B", "| 0 | 2 of 3 | 6 | 66.7 % |", "| 0 attention | 0.300 | 0.400 | 1.00 | 2 |", "gpu/lost: The GPU was lost."]) expect(report).toContain(words);
  });
  it("counts a layer's cache", () => {
    expect(cacheRow(details.cache[0]!)).toEqual({ resident: 2, uses: 6, hitRate: 4 / 6, most: 2 });
    expect(cacheRow({ resident: new Uint8Array(2), uses: new Uint32Array(2), hits: 0, misses: 0 })).toEqual({ resident: 0, uses: 0, hitRate: undefined, most: 0 });
  });
});
