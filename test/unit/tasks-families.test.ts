import { describe, expect, it } from "vitest";
import { NOVEL_FAMILIES, TRAINED_FAMILIES } from "../../src/tasks/families/index.ts";
import { smallestFix } from "../../src/tasks/fix.ts";
import { applyMutation, mutations } from "../../src/tasks/mutate.ts";
import { drawCases, makeProblem } from "../../src/tasks/problem.ts";
import { loadFunction, parses } from "../../src/tasks/program.ts";
import { Random } from "../../src/tasks/random.ts";
import { kebab, render } from "../../src/tasks/render.ts";
import { WordSource } from "../../src/tasks/words.ts";

const words = new WordSource("train");
const SEED = 20261122;

describe("function families", () => {
  it("are at least 200 for training and 25 kept away from it, all with ids of their own", () => {
    expect(TRAINED_FAMILIES.length).toBeGreaterThanOrEqual(200);
    expect(NOVEL_FAMILIES.length).toBeGreaterThanOrEqual(25);
    const ids = [...TRAINED_FAMILIES, ...NOVEL_FAMILIES].map((family) => family.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("give functions that run, with results worth testing", { timeout: 120_000 }, () => {
    const random = new Random(SEED);
    for (const family of [...TRAINED_FAMILIES, ...NOVEL_FAMILIES]) {
      let most = 0;
      for (let attempt = 0; attempt < 12 && most < 2; attempt++) {
        const rendered = render(family, "train", words, random);
        expect(parses(rendered.source), `${family.id}:\n${rendered.source}`).toBe(true);
        most = Math.max(most, drawCases(rendered, loadFunction(rendered.source, rendered.name), 3, random).length);
      }
      expect(most, `${family.id} (seed ${SEED})`).toBeGreaterThanOrEqual(2);
    }
  });

  it("written out for measuring share no body with those for training", () => {
    const shape = (source: string) => source.replace(/\b[A-Za-z_]\w*\b/g, "w");
    const random = new Random(SEED);
    const bodies = (families: typeof NOVEL_FAMILIES) =>
      families.flatMap((family) => Array.from({ length: 6 }, () => family.draft(random)).map(({ stem, body, params }) => `${stem}(${params.join()}) ${shape(body)}`));
    const trained = new Set(bodies(TRAINED_FAMILIES));
    expect(bodies(NOVEL_FAMILIES).filter((body) => trained.has(body))).toEqual([]);
  });
});

describe("mutations", () => {
  it("that are drawn keep the program parseable and change one line that one edit repairs", () => {
    const random = new Random(SEED);
    for (let i = 0; i < 150; i++) {
      const problem = makeProblem((inner) => inner.pick(TRAINED_FAMILIES), { side: "train", words, hiddenCases: 0 }, random);
      expect(parses(problem.broken), problem.broken).toBe(true);
      const { oldText, newText } = problem.fix;
      expect(problem.broken.split(oldText).length, `unique: ${oldText}`).toBe(2);
      expect(problem.broken.replace(oldText, () => newText)).toBe(problem.rendered.source);
    }
  });

  it("swap the wrong variable in at most 8 percent of problems", () => {
    const random = new Random(SEED + 1);
    const pick = (inner: Random) => inner.weighted(TRAINED_FAMILIES, (family) => family.weight);
    const kinds = Array.from({ length: 400 }, () => makeProblem(pick, { side: "train", words, hiddenCases: 0 }, random).mutation);
    expect(kinds.filter((kind) => kind === "variable").length).toBeLessThanOrEqual(32);
    expect(new Set(kinds).size).toBeGreaterThanOrEqual(10);
  });

  it("reach operators, constants, methods and boundaries", () => {
    const source = "export function f(list, n) {\n  let t = 0;\n  for (let i = 0; i < list.length; i++) {\n    if (list[i] >= n && !list.includes(i)) t += list[list.length - 1];\n  }\n  return Math.max(t, 1);\n}\n";
    const broken = mutations(source, "f").map((mutation) => applyMutation(source, mutation));
    for (const part of ["i <= list", "list[i] > n", "n || !list", "n && list.includes", "t -= list", "list[list.length];", "Math.min(t, 1)", "let t = 1", "i--"]) {
      expect(broken.some((text) => text.includes(part)), part).toBe(true);
    }
  });

  it("are repaired by two lines where one is not unique", () => {
    expect(smallestFix("a();\nx = 1;\nb();\nx = 1;\n", "a();\nx = 2;\nb();\nx = 1;\n")).toEqual({ oldText: "a();\nx = 1;", newText: "a();\nx = 2;" });
    expect(smallestFix("x = 1;\n", "x = 1;\n")).toBeUndefined();
  });
});

describe("rendering", () => {
  it("names files by the function", () => {
    expect(kebab("sumEvenPrices")).toBe("sum-even-prices");
    expect(kebab("isOver50")).toBe("is-over-50");
  });

  it("gives the same function for the same seed", () => {
    const draw = () => makeProblem((inner) => inner.pick(TRAINED_FAMILIES), { side: "train", words, hiddenCases: 4 }, new Random(SEED));
    expect(draw()).toEqual(draw());
  });
});
