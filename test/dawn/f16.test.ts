// Kernels with f16 against the plain path, on an adapter that has it: SwiftShader, which the browser tests have, has not. Runs in
// the project `dawn` only (vitest.config.ts), by hand: with Mesa's lavapipe, or a GPU.
import { beforeAll, describe, expect, it } from "vitest";
import { blockWeights, WEIGHT_TYPES, type WeightType } from "../../src/gguf/blocks.ts";
import { PLAIN } from "../../src/gpu/kernel.ts";
import { embedding } from "../../src/kernels/ops/embedding.ts";
import { embeddingCase, expectSame, matvecCase, WHOLE } from "../support/kernel-cases.ts";
import { testGpu } from "../support/kernel-run.ts";

const F16 = { ...PLAIN, f16: true };
const WITHOUT_HALVES: readonly WeightType[] = ["F32", "BF16", "MXFP4"];

beforeAll(async () => {
  const { features } = (await testGpu()).device;
  expect(features.has("shader-f16") && features.has("subgroups"), "this test needs an adapter with shader-f16 and subgroups").toBe(true);
});

describe("with f16", () => {
  it.each(WEIGHT_TYPES.filter((type) => !WITHOUT_HALVES.includes(type)))("%s means the same to the bit", async (type) => {
    for (const one of [embeddingCase(type), matvecCase(type, Math.max(256, blockWeights(type)), 8)]) expect(await one(F16)).toEqual(await one(PLAIN));
  });

  it("types without halves keep their code", () => {
    for (const type of WITHOUT_HALVES) expect(embedding.specialise({ table: type }, F16)).toBe(embedding.specialise({ table: type }, PLAIN));
  });

  it.each(Object.entries(WHOLE))("%s gives the same with subgroups too", async (name, one) => {
    await expectSame(one, { ...F16, subgroups: true }, name);
  });
});
