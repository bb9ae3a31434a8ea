// The harness and the room below the kernels: what must be noticed is noticed.
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import type { Kernel } from "../../src/gpu/kernel.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { errorOf, runKernel, testGpu } from "../support/kernel-run.ts";

/** Writes 1 to `count` words of y, which may be more than it has. */
const fill = {
  name: "fill",
  source: `
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> p: Params;
@compute @workgroup_size(64)
fn fill(@builtin(global_invocation_id) id: vec3<u32>) { if (id.x < p.count) { y[id.x] = 1.0; } }`,
  bindings: { y: { access: "write", shape: "[count] f32" } },
  params: ["count"],
  weights: [],
  constants: {},
  workgroups: (p: { count: number }) => [Math.ceil(p.count / 64), 1, 1],
} as const satisfies Kernel<"y", "count", never, never>;

describe("the kernel harness", () => {
  it("returns what a kernel wrote, and notices a single word past the end", async () => {
    const { y } = await runKernel(fill, { params: { count: 5 }, buffers: { y: 5 } });
    expect([...y!]).toEqual([1, 1, 1, 1, 1]);
    await expect(runKernel(fill, { params: { count: 6 }, buffers: { y: 5 } })).rejects.toThrow("fill wrote outside of y: word 5 of 5");
  });

  it("shows words that a kernel left out as NaN, and an error where either side is not a number", async () => {
    const { y } = await runKernel(fill, { params: { count: 2 }, buffers: { y: 3 } });
    expect(y![2]).toBeNaN();
    expect(errorOf(y!, [1, 1, 1])).toBe(Infinity);
    expect(errorOf([1, 1, 1], [1, 1, NaN])).toBe(Infinity);
    expect(errorOf([1, 1, 2], [1, 1, 4])).toBe(0.5);
  });

  it("names the kernel and the line when it does not compile, and the parameter that is missing", async () => {
    const broken = { ...fill, name: "broken", source: "fn broken() { nonsense(); }" };
    await expect(runKernel(broken, { params: { count: 1 }, buffers: { y: 1 } })).rejects.toThrow(/The kernel broken does not compile here: line 1: .*nonsense/);
    await expect(runKernel(fill, { params: {} as { count: number }, buffers: { y: 1 } })).rejects.toThrow("The kernel fill");
  });
});

describe("GPU memory", () => {
  it("counts bytes, and refuses a buffer that cannot be bound before the device sees it", async () => {
    const { memory, report } = await testGpu();
    const before = memory.bytes;
    const buffer = memory.storage("small", 100);
    expect(memory.bytes - before).toBe(112);
    memory.free(buffer);
    expect(memory.bytes).toBe(before);
    expect(() => memory.storage("an arena", report.maxBindingBytes + 16)).toThrow(AppError);
    expect(() => memory.storage("an arena", report.maxBindingBytes + 16)).toThrow(/^an arena takes .*Use a smaller model, context or expert budget\.$/);
  });

  it("keeps bytes whose number is no multiple of four", async () => {
    const gpu = await testGpu();
    const buffer = gpu.memory.upload("odd", new Uint8Array([1, 2, 3, 4, 5, 6, 7]));
    expect([...new Uint8Array(await readBuffer(gpu, buffer, 0, 8))]).toEqual([1, 2, 3, 4, 5, 6, 7, 0]);
    gpu.memory.free(buffer);
  });
});
