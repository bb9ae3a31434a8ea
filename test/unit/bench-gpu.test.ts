// What `npm run bench -- gpu` says where it cannot run. What it measures: test/kernels/bench.test.ts.
import { afterEach, expect, it, vi } from "vitest";
import { measureGpu } from "../../src/cli/bench/gpu.ts";

afterEach(() => vi.unstubAllEnvs());

it("says what to install, and how to name it, while the package is missing", async () => {
  vi.stubEnv("TABWRIGHT_DAWN", undefined);
  await expect(measureGpu()).rejects.toMatchObject({ code: "command/usage", message: expect.stringMatching(/npm install .*webgpu@[\s\S]*TABWRIGHT_DAWN=/) as string });
});

it("names the file that could not be loaded", async () => {
  vi.stubEnv("TABWRIGHT_DAWN", "/nowhere/webgpu.js");
  await expect(measureGpu()).rejects.toMatchObject({ code: "command/usage", message: expect.stringContaining("/nowhere/webgpu.js") as string });
});
