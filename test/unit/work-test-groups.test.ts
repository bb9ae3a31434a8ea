import { describe, expect, it } from "vitest";
import type { TestReport } from "../../src/agent/test-report.ts";
import { demoProject } from "../../src/project/demo.ts";
import { filterGroups, testGroups, testPlaces } from "../../src/ui/work/test-groups.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { treeOf } from "../support/trees.ts";

const report: TestReport = {
  runner: "node-tap",
  passed: 2,
  failed: 2,
  skipped: 1,
  failures: [
    { name: "range([5, 1, 9])", message: "x", place: { file: "packages/stats/test/range.test.js", line: 14 }, expected: "8", actual: "10" },
    { name: "broken.test.js", message: "SyntaxError" },
  ],
  tests: [
    { name: "cartTotal([])", suites: [], state: "passed", durationMs: 1 },
    { name: "range([5, 1, 9])", suites: [], state: "failed" },
    { name: "range([0])", suites: [], state: "passed" },
    { name: "later", suites: ["plans", "inner"], state: "skipped" },
  ],
};
const places = testPlaces(demoProject());

describe("the list of tests", () => {
  it("is grouped by file, red first, and finds where passed tests stand", () => {
    const groups = testGroups(report, places);
    expect(groups.map(({ title, tests, failed }) => [title, failed, tests.map(({ name }) => name)])).toEqual([
      ["", 1, ["broken.test.js"]],
      ["packages/stats/test/range.test.js", 1, ["range([5, 1, 9])", "range([0])"]],
      ["packages/cart/test/cart-total.test.js", 0, ["cartTotal([])"]],
      ["plans", 0, ["later"]],
    ]);
    expect(groups[2]!.tests[0]!.place).toEqual({ file: "packages/cart/test/cart-total.test.js", line: 5 });
    expect(groups[1]!.tests[0]!.failure).toMatchObject({ expected: "8" });
  });

  it("keeps two tests of one name apart, and claims no place where two files have it", () => {
    const twice: TestReport = { ...report, failures: [{ name: "same", message: "first" }, { name: "same", message: "second" }], tests: [{ name: "same", suites: ["a"], state: "failed" }, { name: "same", suites: ["b"], state: "failed" }] };
    const found = testGroups(twice, testPlaces(treeOf({ "test/a.test.js": 'test("same", f);', "test/b.test.js": 'test("same", f);' })));
    expect(found.map(({ title, tests }) => [title, tests[0]!.failure?.message, tests[0]!.place])).toEqual([["a", "first", undefined], ["b", "second", undefined]]);
  });

  it("can be cut to a state and to what a text finds", () => {
    const groups = testGroups(report, places);
    const names = (state: "all" | "failed" | "passed" | "skipped", text = "") => filterGroups(groups, { state, text }).flatMap(({ tests }) => tests.map(({ name }) => name));
    expect(names("failed")).toEqual(["broken.test.js", "range([5, 1, 9])"]);
    expect(names("all", "CART")).toEqual(["cartTotal([])"]);
    expect(names("skipped", "inner")).toEqual(["later"]);
    expect(names("passed", "nothing")).toEqual([]);
  });

  it("reads titles of all quotes, and large test files in time", () => {
    const source = "it('it\\'s', f);\ntest.skip(`a\nb`, f);\n  it(\n  \"x \\\"y\\\"\", f);\n";
    expect([...testPlaces(treeOf({ "a.test.js": source }))]).toEqual([
      ["it's", [{ file: "a.test.js", line: 1 }]],
      ["a\nb", [{ file: "a.test.js", line: 2 }]],
      ['x "y"', [{ file: "a.test.js", line: 4 }]],
    ]);
    for (const piece of ["test(", 'test("', "it(`\\", "it(   "]) expect(cpuMs(() => testPlaces(treeOf({ "a.test.js": piece.repeat(100_000) })))).toBeLessThan(2_000);
  });
});
