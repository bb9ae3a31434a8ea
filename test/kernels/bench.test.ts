// The bench of kernels on a GPU, at a size that a CPU can do: what it times is the right computation, and it notices when it is not.
import { expect, it } from "vitest";
import { errorOf, matvecFigure, measureCopies } from "../../src/cli/bench/gpu-kernels.ts";
import { productFigures } from "../../src/cli/bench/gpu-products.ts";
import { testGpu } from "../support/kernel-run.ts";

const EFFORT = { arenaBytes: 2 ** 18, passBytes: 2 ** 18, largestRows: 64 };

it.each(["Q4_K", "Q6_K", "Q8_0"] as const)("times a %s matrix and holds it against its definition", async (type) => {
  const figure = await matvecFigure(await testGpu(), type, 48, 512, EFFORT);
  expect(figure.error).toBeLessThan(5e-6);
  expect(figure.inTurn).toBeGreaterThan(0);
  expect(figure.overlapped).toBeGreaterThan(0);
});

it("times the product with many rows, and it is right", async () => {
  const figures = await productFigures(await testGpu(), EFFORT);
  expect(figures.map(({ kernel }) => kernel)).toEqual(["matmul", "matmul"]);
  for (const { error, inTurn } of figures) {
    expect(error).toBeLessThan(5e-6);
    expect(inTurn).toBeGreaterThan(0);
  }
});

it("measures both ways to copy", async () => {
  for (const rate of await measureCopies(await testGpu(), EFFORT)) expect(rate).toBeGreaterThan(0);
});

it("calls a result with a NaN in it infinitely wrong", () => {
  expect(errorOf([1, 2.5], [1, 2])).toBe(0.25);
  expect(errorOf([1, Number.NaN], [1, 2])).toBe(Infinity);
});
