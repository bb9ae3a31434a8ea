import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { demoProject } from "../../src/project/demo.ts";
import { isTestFile, normalizeFilePath, normalizePath } from "../../src/project/paths.ts";
import { findTestCommand } from "../../src/project/test-command.ts";
import { parseTestOutput } from "../../src/agent/test-output.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { textOf, treeOf } from "../support/trees.ts";

describe("a path", () => {
  it.each([
    ["src/a.js", "src/a.js"],
    ["./src//a.js", "src/a.js"],
    ["src\\a.js", "src/a.js"],
    ["/home/projects/demo/src/a.js", "src/a.js"],
    ["src/./a.js", "src/a.js"],
    ["src/...js", "src/...js"],
    ["__proto__/constructor", "__proto__/constructor"],
  ])("%j means %j", (given, meant) => expect(normalizeFilePath(given)).toBe(meant));

  it.each(["../a.js", "src/../a.js", "a/..", "..", "/etc/passwd", "/home/other/a.js", "C:/a.js", "c:\\a.js", "a\0b", "a\nb", "\u007f", "", ".", "/home/projects/demo", "\\\\server\\share", "/home/projects/../../etc/passwd", "/home/projects/x/../../y"])("%j is refused", (given) => {
    expect(() => normalizeFilePath(given)).toThrow(AppError);
    expect(() => normalizeFilePath(given)).toThrow(/Name a file inside the project/);
  });

  it("may name the project itself where a folder is meant", () => {
    expect(["", ".", "/home/projects/demo", "/home/projects/demo/"].map(normalizePath)).toEqual(["", "", "", ""]);
  });

  it("is a test's by its folder or its name", () => {
    const tests = ["test/a.js", "packages/x/test/a.js", "__tests__/a.ts", "src/a.test.js", "src/a.spec.tsx", "a-test.mjs", "test.js"];
    const others = ["src/a.js", "src/test-utils.js", "src/latest/a.js", "src/contest.js", "testing.md", "src/attest.js"];
    expect(tests.filter((path) => !isTestFile(path))).toEqual([]);
    expect(others.filter(isTestFile)).toEqual([]);
  });
});

describe("the test command", () => {
  const find = (manifest: string): string => findTestCommand(treeOf({ "package.json": manifest }));

  it("is npm test where package.json has a test script", () => {
    expect(find('{ "scripts": { "test": "node --test" } }')).toBe("npm test");
    expect(find('\ufeff{ "scripts": { "test": "vitest" } }')).toBe("npm test");
  });

  it.each([
    ["{}", /no test script/],
    ['{ "scripts": {} }', /no test script/],
    ['{ "scripts": { "test": "" } }', /no test script/],
    ['{ "scripts": { "test": "echo \\"Error: no test specified\\" && exit 1" } }', /placeholder/],
    ["[1", /not valid JSON/],
    ["null", /no test script/],
  ])("is missing in %s, and the error says what to do", (manifest, message) => {
    expect(() => find(manifest)).toThrow(expect.objectContaining({ code: "project/no-test-command", message: expect.stringMatching(message) }));
  });

  it("is missing in a project without package.json", () => {
    expect(() => findTestCommand(treeOf({ "a.js": "" }))).toThrow(/has no package.json\. Add "scripts"/);
  });
});

describe("the demo project", { timeout: 120_000 }, () => {
  it("has three packages, each with exactly one red test", async () => {
    const sandbox = await NodeSandbox.open(demoProject());
    try {
      const run = await sandbox.run("node --test");
      const report = parseTestOutput(run.output, await sandbox.list());
      expect(report).toMatchObject({ passed: 6, failed: 3 });
      expect(report?.failures.map(({ place }) => place?.file)).toEqual(["packages/cart/test/cart-total.test.js", "packages/stats/test/range.test.js", "packages/text/test/capitalize.test.js"]);
      expect(report?.failures.every(({ expected, actual }) => expected !== undefined && actual !== undefined)).toBe(true);
    } finally {
      await sandbox.close();
    }
  });

  it("turns green when one line of each package is put right", async () => {
    const fixes = [
      ["packages/cart/src/cart-total.js", "item.price + item.qty", "item.price * item.qty"],
      ["packages/stats/src/range.js", ") + Math.min", ") - Math.min"],
      ["packages/text/src/capitalize.js", "toLowerCase", "toUpperCase"],
    ] as const;
    const tree = new Map(demoProject());
    for (const [path, wrong, right] of fixes) {
      expect(textOf(tree, path)!.split(wrong)).toHaveLength(2);
      tree.set(path, new TextEncoder().encode(textOf(tree, path)!.replace(wrong, right)));
    }
    const sandbox = await NodeSandbox.open(tree);
    try {
      expect((await sandbox.run("node --test")).exitCode).toBe(0);
    } finally {
      await sandbox.close();
    }
  });
});
