// What `npm run bench -- gpu` says where it cannot run, and what it makes of times. What it measures: test/kernels/bench.test.ts.
import { afterEach, expect, it, vi } from "vitest";
import { measureGpu } from "../../src/cli/bench/gpu.ts";
import type { Generation } from "../../src/cli/bench/gpu-jobs.ts";
import { atLayers, modelRows } from "../../src/cli/bench/gpu-rows.ts";
import { llamaPackage, rivalsFolder } from "../../src/cli/bench/llama.ts";

afterEach(() => vi.unstubAllEnvs());

it("says what to install, and how to name it, while the package is missing", async () => {
  vi.stubEnv("TABWRIGHT_DAWN", undefined);
  await expect(measureGpu({ layers: 8, kernelsOnly: true })).rejects.toMatchObject({ code: "command/usage", message: expect.stringMatching(/npm install .*webgpu@[\s\S]*TABWRIGHT_DAWN=/) as string });
});

it("names the file that could not be loaded", async () => {
  vi.stubEnv("TABWRIGHT_DAWN", "/nowhere/webgpu.js");
  await expect(measureGpu({ layers: 8, kernelsOnly: true })).rejects.toMatchObject({ code: "command/usage", message: expect.stringContaining("/nowhere/webgpu.js") as string });
});

/** A model whose token takes 2 ms and `perLayer` ms for each layer; its prompt a hundred times that. */
const timed = (layers: number, perLayer: number): Generation => {
  const ms = 2 + layers * perLayer;
  return { layers, prefill: [{ tokens: 512, ms: 100 * ms }], decode: { tokens: 64, ms: 64 * ms } };
};
const values = (rows: ReturnType<typeof modelRows>): Readonly<Record<string, number>> => Object.fromEntries(rows.map(({ what, value }) => [what, value]));

it("goes on in a straight line from two models to the published one's layers", () => {
  expect(atLayers(48, [{ layers: 4, ms: 6 }, { layers: 8, ms: 10 }])).toBe(50);
  const rows = values(modelRows({ name: "ours", runs: [timed(4, 1), timed(8, 1)] }, [{ name: "theirs", runs: [timed(4, 0.5), timed(8, 0.5)] }]));
  expect(rows["ours, 8 layers: decode"]).toBeCloseTo(1000 / 10);
  expect(rows["ours, extrapolated to 48 layers: decode"]).toBeCloseTo(1000 / 50);
  expect(rows["ours, extrapolated to 48 layers: prefill of 512 tokens"]).toBeCloseTo(512_000 / 5000);
  expect(rows["ours ÷ theirs, 8 layers: decode"]).toBeCloseTo(6 / 10);
  expect(rows["ours ÷ theirs, extrapolated: decode"]).toBeCloseTo(26 / 50);
});

it("has one row for an engine that did not run, and what is known where only the longer model ran", () => {
  const failed = { problem: "It has no driver.\nMore of it." };
  expect(modelRows({ name: "ours", runs: [failed, failed] }, [])).toEqual([{ section: "gpu", what: "ours", value: Number.NaN, unit: "It has no driver." }]);
  const rows = modelRows({ name: "ours", runs: [failed, timed(8, 1)] }, []);
  expect(rows.map(({ what }) => what)).toEqual(["ours, 8 layers: prefill of 512 tokens", "ours, 8 layers: decode", "ours"]);
});

it("names the build of llama.cpp that is not there, and how to get it", () => {
  vi.stubEnv("TABWRIGHT_RIVALS", import.meta.dirname);
  const wanted = llamaPackage("vulkan");
  expect(wanted).toMatch(/^@node-llama-cpp\/(linux|mac|win)-.*-vulkan$/);
  expect(() => rivalsFolder([wanted])).toThrow(expect.objectContaining({ code: "command/usage", message: expect.stringMatching(new RegExp(`${wanted} is not installed[\\s\\S]*npm install`)) as string }));
});
