import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changedPaths, sameBytes } from "../../src/project/changed-paths.ts";
import { diffFile, diffLines, diffTrees, hunksOf } from "../../src/project/diff.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { treeOf } from "../support/trees.ts";

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

describe("a comparison of bytes", () => {
  it("sees every single difference, however the bytes lie in memory", () => {
    for (const [length, offset] of [[0, 0], [1, 0], [3, 1], [4, 0], [9, 0], [9, 4], [10, 3]] as const) {
      const a = new Uint8Array(new ArrayBuffer(length + offset), offset).map((_, i) => i);
      const b = new Uint8Array(new ArrayBuffer(length + 8), 4, length).map((_, i) => i);
      expect(sameBytes(a, b), `${length} from ${offset}`).toBe(true);
      for (let i = 0; i < length; i++) {
        const other = b.slice();
        other[i]! ^= 128;
        expect(sameBytes(a, other), `${length} from ${offset}, byte ${i}`).toBe(false);
      }
    }
    expect(sameBytes(new Uint8Array(2), new Uint8Array(3))).toBe(false);
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

  it("shows distant changes as hunks with three lines around each", () => {
    const text = Array.from({ length: 40 }, (_, i) => `${i}\n`);
    const changed = text.map((line, i) => (i === 5 || i === 8 || i === 30 ? `x${line}` : line));
    const hunks = hunksOf(diffFile("a", bytes(text.join("")), bytes(changed.join(""))).lines!);
    expect(hunks.map((hunk) => [hunk[0]!.before, hunk.length])).toEqual([[3, 12], [28, 8]]);
  });
});
