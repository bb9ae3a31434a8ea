// The reductions by the plain path and by the device's subgroups: the same results. SwiftShader's have 4 lanes; other sizes are
// emulated. (lavapipe under Node has 8: see the project `dawn` in vitest.config.ts.)
import { beforeAll, describe, expect, it } from "vitest";
import { type Kernel, PLAIN } from "../../src/gpu/kernel.ts";
import { lanesInOrder, neighboursInSubgroup } from "../../src/gpu/subgroups.ts";
import { attention } from "../../src/kernels/ops/attention.ts";
import { deltanet } from "../../src/kernels/ops/deltanet.ts";
import { embedding } from "../../src/kernels/ops/embedding.ts";
import { expectSame, OWN_ROWS, PARTS, WHOLE } from "../support/kernel-cases.ts";
import { testGpu } from "../support/kernel-run.ts";
import { withEmulatedSubgroups } from "../support/subgroup-emulation.ts";

const SUBGROUPS = { ...PLAIN, subgroups: true };
const QUADS = { ...PLAIN, quads: true };

beforeAll(async () => {
  expect((await testGpu()).device.features.has("subgroups"), "this test needs an adapter with subgroups, which SwiftShader is").toBe(true);
});

describe("with the device's subgroups", () => {
  it("lanes of a subgroup are neighbours, and a device where they are not keeps the plain path", async () => {
    expect(await neighboursInSubgroup(await testGpu())).toBe(4);
    const lanes = (of: (lane: number) => readonly [number, number]) => lanesInOrder(Array.from({ length: 64 }, (_, lane) => of(lane)).flat());
    for (const size of [1, 4, 8, 16, 32, 64]) expect(lanes((lane) => [size, lane % size])).toBe(size);
    expect(lanes((lane) => [32, lane >> 1])).toBe(0);
    expect(lanes((lane) => [lane < 32 ? 32 : 16, lane % 16])).toBe(0);
    expect(lanes((lane) => [12, lane % 12])).toBe(0);
  });

  it.for(Object.entries({ ...WHOLE, ...PARTS }))("%s gives what it gives without", async ([name, one]) => {
    await expectSame(one, SUBGROUPS, name);
  });
});

describe("with loads shared by the four lanes of a CPU's register", () => {
  it.each(Object.entries(OWN_ROWS))("%s gives the same to the bit", async (_name, one) => {
    expect(await one(QUADS)).toEqual(await one(PLAIN));
  });
});

describe("with subgroups of other sizes, emulated", () => {
  // 128: as many as the workgroup has.
  it.each([8, 16, 32, 128])("of %d lanes", async (size) => {
    for (const [name, one] of Object.entries(WHOLE)) await expectSame(one, PLAIN, `${name}, subgroups of ${size}`, (kernel) => withEmulatedSubgroups(kernel as Kernel, size) as typeof kernel);
  });

  it("would not pass with an order that is not the lanes'", async () => {
    const wrong = <K>(kernel: K): K => {
      const made = withEmulatedSubgroups(kernel as Kernel, 16);
      return { ...made, name: made.name, specialise: (types: never, features: never) => made.specialise!(types, features).replaceAll("lane / size", "lane % size") } as K;
    };
    await expect(expectSame(WHOLE.attention, { ...SUBGROUPS, f16: true }, "attention", wrong)).rejects.toThrow(/largest error/);
  });
});

describe("without them", () => {
  it("a kernel is its file's text; a device that computes on the CPU shares loads and nothing else", async () => {
    const gpu = await testGpu();
    expect(gpu.report.software).toBe(true);
    expect(gpu.pipelines.features).toEqual(QUADS);
    for (const { source, specialise } of [attention, deltanet]) expect(specialise({}, PLAIN)).toBe(source);
    expect(embedding.specialise({ table: "Q4_K" }, SUBGROUPS)).toBe(embedding.specialise({ table: "Q4_K" }, PLAIN));
  });
});
