import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changedPaths, diffFile, diffLines, diffTrees, hunksOf, patchText } from "../../src/project/diff.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { textOf, treeOf } from "../support/trees.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Length of the longest common subsequence, by the definition. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (let i = 1; i <= a.length; i++) for (let j = 1; j <= b.length; j++) table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
  return table[a.length]![b.length]!;
}

describe("a difference of lines", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 14 });

  it("leads from one side to the other, as shortly as possible", () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        expect(diff.filter(({ kind }) => kind !== "added").map(({ text }) => text)).toEqual(before);
        expect(diff.filter(({ kind }) => kind !== "removed").map(({ text }) => text)).toEqual(after);
        expect(diff.filter(({ kind }) => kind === "same")).toHaveLength(commonLength(before, after));
        expect(diff.flatMap(({ before }) => before ?? [])).toEqual(before.map((_, i) => i + 1));
        expect(diff.flatMap(({ after }) => after ?? [])).toEqual(after.map((_, i) => i + 1));
      }),
      { numRuns: 2_000 },
    );
  });

  it("of large files that share nothing is given up in time", () => {
    const side = (name: string) => Array.from({ length: 40_000 }, (_, i) => `${name}${i}`);
    expect(cpuMs(() => expect(diffLines(side("a"), side("b"))).toHaveLength(80_000))).toBeLessThan(5_000);
  });
});

describe("a difference of trees", () => {
  const before = treeOf({ "same.js": "1\n", "changed.js": "a\nb\nc\n", "gone.js": "x\n" });
  const after = new Map([...treeOf({ "same.js": "1\n", "changed.js": "a\nB\nc\n", "new.js": "y" }), ["image.png", new Uint8Array([0, 1])]]);

  it("names what was added, removed and changed", () => {
    expect(changedPaths(before, after)).toEqual(["changed.js", "gone.js", "image.png", "new.js"]);
    expect(diffTrees(before, after).map(({ path, status, added, removed }) => [path, status, added, removed])).toEqual([
      ["changed.js", "changed", 1, 1],
      ["gone.js", "removed", 0, 1],
      ["image.png", "added", 0, 0],
      ["new.js", "added", 1, 0],
    ]);
  });

  it("is printed as git prints it", () => {
    expect(patchText(diffTrees(before, after))).toBe(`diff --git a/changed.js b/changed.js
--- a/changed.js
+++ b/changed.js
@@ -1,3 +1,3 @@
 a
-b
+B
 c
diff --git a/gone.js b/gone.js
deleted file mode 100644
--- a/gone.js
+++ /dev/null
@@ -1,1 +0,0 @@
-x
diff --git a/image.png b/image.png
new file mode 100644
Binary files /dev/null and b/image.png differ
diff --git a/new.js b/new.js
new file mode 100644
--- /dev/null
+++ b/new.js
@@ -0,0 +1,1 @@
+y
\\ No newline at end of file
`);
  });

  it("shows distant changes as hunks with three lines around each", () => {
    const text = Array.from({ length: 40 }, (_, i) => `${i}\n`);
    const changed = text.map((line, i) => (i === 5 || i === 8 || i === 30 ? `x${line}` : line));
    const hunks = hunksOf(diffFile("a", bytes(text.join("")), bytes(changed.join(""))).lines!);
    expect(hunks.map((hunk) => [hunk[0]!.before, hunk.length])).toEqual([[3, 12], [28, 8]]);
  });

  it("is a patch that git applies, for random trees", { timeout: 60_000 }, () => {
    const content = fc.array(fc.constantFrom("a\n", "b\n", "c\n", "\n", "long line\n", "é\r\n"), { maxLength: 12 }).chain((lines) => fc.constantFrom(lines.join(""), `${lines.join("")}end`));
    const tree = fc.dictionary(fc.constantFrom("a.js", "b.js", "dir/c.js", "dir/d.js"), content).map((files) => treeOf(files));
    const folder = mkdtempSync(join(tmpdir(), "tabwright-patch-"));
    const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "pipe" });
    const write = (files: FileTree) => {
      for (const [path, content] of files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), content);
      }
    };
    try {
      fc.assert(
        fc.property(tree, tree, (from, to) => {
          rmSync(folder, { recursive: true, force: true });
          mkdirSync(folder);
          write(from);
          const patch = patchText(diffTrees(from, to));
          fc.pre(patch !== "");
          writeFileSync(join(folder, "p.patch"), patch);
          git("apply", "--unidiff-zero", "p.patch");
          for (const path of to.keys()) expect(readFileSync(join(folder, path), "utf8")).toBe(textOf(to, path));
        }),
        { numRuns: 20 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
