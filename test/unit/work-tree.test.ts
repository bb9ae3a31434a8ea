import { describe, expect, it } from "vitest";
import { foldersOf, PathTree, treeMove, typeAhead } from "../../src/ui/work/tree-rows.ts";
import { cpuMs } from "../support/cpu-time.ts";

const tree = new PathTree(["src/b.js", "src/a10.js", "src/a9.js", "src/deep/er/x.js", "README.md", "package.json"]);
const shown = (rows: readonly { path: string; level: number }[]): string[] => rows.map(({ path, level }) => `${" ".repeat(level - 1)}${path}`);

describe("the rows of a file tree", () => {
  it("hold folders first, numbers in their order, and nothing below a closed folder", () => {
    expect(shown(tree.rows(new Set(["src/"]), new Map()))).toEqual(["src/", " src/deep/", " src/a9.js", " src/a10.js", " src/b.js", "package.json", "README.md"]);
    expect(shown(tree.rows(new Set(), new Map()))).toEqual(["src/", "package.json", "README.md"]);
    expect(tree.rows(new Set(["src/"]), new Map())[2]).toMatchObject({ name: "a9.js", position: 2, siblings: 4, level: 2, kind: "file" });
  });

  it("mark files, and the folders that hold marked ones", () => {
    const rows = tree.rows(new Set(), new Map([["src/deep/er/x.js", "added"], ["README.md", "removed"]]));
    expect(rows.map(({ path, mark }) => [path, mark])).toEqual([["src/", "changed"], ["package.json", undefined], ["README.md", "removed"]]);
  });

  it("are what a filter finds, with the folders above open", () => {
    expect(shown(tree.rows(new Set(), new Map(), "X.J"))).toEqual(["src/", " src/deep/", "  src/deep/er/", "   src/deep/er/x.js"]);
    expect(tree.rows(new Set(), new Map(), "nothing")).toEqual([]);
  });

  it("are made in time for twenty thousand files", () => {
    const paths = Array.from({ length: 20_000 }, (_, i) => `packages/p${i % 200}/src/module-${i}.ts`);
    const ms = cpuMs(() => {
      const large = new PathTree(paths);
      expect(large.rows(new Set(["packages/", "packages/p7/", "packages/p7/src/"]), new Map())).toHaveLength(302);
      expect(large.rows(new Set(), new Map(), "module-1999")).toHaveLength(32);
    });
    expect(ms).toBeLessThan(1_500);
  });
});

describe("keys in the tree", () => {
  const rows = tree.rows(new Set(["src/"]), new Map());

  it("move, open, close and go to the parent, as the ARIA pattern has it", () => {
    expect(treeMove(rows, 0, "ArrowDown")).toEqual({ active: 1 });
    expect(treeMove(rows, 0, "ArrowUp")).toEqual({ active: 0 });
    expect(treeMove(rows, 0, "ArrowLeft")).toEqual({ active: 0, toggle: "src/" });
    expect(treeMove(rows, 1, "ArrowRight")).toEqual({ active: 1, toggle: "src/deep/" });
    expect(treeMove(rows, 0, "ArrowRight")).toEqual({ active: 1 });
    expect(treeMove(rows, 3, "ArrowLeft")).toEqual({ active: 0 });
    expect(treeMove(rows, 3, "End")).toEqual({ active: 6 });
    expect(treeMove(rows, 3, "x")).toBeUndefined();
    expect(treeMove([], -1, "ArrowDown")).toEqual({ active: 0 });
  });

  it("typed as letters find the next name that begins so", () => {
    expect(typeAhead(rows, 0, "a")).toBe(2);
    expect(typeAhead(rows, 2, "a")).toBe(3);
    expect(typeAhead(rows, 2, "a1")).toBe(3);
    expect(typeAhead(rows, 3, "zz")).toBe(3);
  });
});

describe("the folders above a path", () => {
  it("are named from the outside in", () => {
    expect(foldersOf("a/b/c.js")).toEqual(["a/", "a/b/"]);
    expect(foldersOf("c.js")).toEqual([]);
  });
});
