import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffFile, diffTrees, type FileDiff } from "../../src/project/diff.ts";
import { fileHunks, hunkLine, keysOf, openKeys, rejectHunks, rejectionEdits } from "../../src/project/hunks.ts";
import { treeOf } from "../support/trees.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (content: Uint8Array | undefined): string | undefined => content && new TextDecoder("utf-8", { ignoreBOM: true }).decode(content);

// Enough equal lines that random files have several hunks; all kinds of line ends, a byte order mark, no final newline.
const line = fc.constantFrom("a\n", "b\r\n", "\n", "\r\n", "é\n", "x\ry\n", "{\n", "}\n");
const file = fc.tuple(fc.constantFrom("", "\ufeff"), fc.array(line, { maxLength: 40 }), fc.constantFrom("", "end", "end\r")).map((parts) => bytes(parts[0] + parts[1].join("") + parts[2]));
const edited = fc.tuple(file, fc.array(fc.tuple(fc.nat(60), fc.nat(2), fc.array(line, { maxLength: 2 })), { maxLength: 5 })).map(([before, edits]) => {
  let lines: string[] = (textOf(before) ?? "").match(/[^\n]*\n|[^\n]+$/g) ?? [];
  for (const [at, removed, added] of edits) lines = [...lines.slice(0, at), ...added, ...lines.slice(at + removed)];
  return [before, bytes(lines.join(""))] as const;
});

/** The text with only the wanted hunks applied, from the line numbers before: another way than the code's. */
function applied(before: Uint8Array, diff: FileDiff, wanted: ReadonlySet<string>): string {
  const lines: string[] = (textOf(before) ?? "").match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const hunks = fileHunks(diff).filter(({ key }) => wanted.has(key));
  for (const { lines: shown } of hunks.reverse()) {
    const numbers = shown.flatMap((entry) => entry.before ?? []);
    const at = numbers[0] === undefined ? 0 : numbers[0] - 1;
    lines.splice(at, numbers.length, ...shown.filter(({ kind }) => kind !== "removed").map(({ text }) => text));
  }
  return lines.join("");
}

describe("rejecting hunks", () => {
  it("of all kinds gives back the base bytes, and of none leaves the file", () => {
    fc.assert(
      fc.property(edited, ([before, after]) => {
        const keys = new Set(keysOf(diffFile("f", before, after)));
        expect(rejectHunks("f", before, after, keys)).toEqual(before);
        expect(rejectHunks("f", before, after, new Set())).toEqual(after);
      }),
      { numRuns: 1_000 },
    );
  });

  it("in any subset leaves exactly the others applied", () => {
    fc.assert(
      fc.property(edited, fc.infiniteStream(fc.boolean()), ([before, after], coin) => {
        const diff = diffFile("f", before, after);
        const keys = keysOf(diff);
        const rejected = new Set(keys.filter(() => coin.next().value));
        const rest = new Set(keys.filter((key) => !rejected.has(key)));
        expect(textOf(rejectHunks("f", before, after, rejected))).toBe(applied(before, diff, rest));
      }),
      { numRuns: 2_000 },
    );
  });

  it("one after the other leaves the keys of the others, where no two lines are equal", () => {
    const changes = fc.uniqueArray(fc.nat(59), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(changes, fc.nat(), (changed, pick) => {
        const numbers = Array.from({ length: 60 }, (_, i) => i);
        const before = bytes(numbers.map((i) => `${i}\n`).join(""));
        const after = bytes(numbers.map((i) => (changed.includes(i) ? (i % 3 === 0 ? "" : i % 3 === 1 ? `${i}\nnew ${i}\n` : `other ${i}\n`) : `${i}\n`)).join(""));
        const keys = keysOf(diffFile("f", before, after));
        const first = keys[pick % keys.length]!;
        const left = rejectHunks("f", before, after, new Set([first]));
        expect(keysOf(diffFile("f", before, left))).toEqual(keys.length > 1 ? keys.filter((key) => key !== first) : keysOf(diffFile("f", before, before)));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps Windows line ends, a byte order mark and a missing final newline", () => {
    const before = bytes("\ufeffone\r\ntwo\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\nlast");
    const after = bytes("\ufeffONE\r\ntwo\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\nlast\r\n");
    const [first, second] = keysOf(diffFile("f", before, after));
    expect(textOf(rejectHunks("f", before, after, new Set([first!])))).toBe("\ufeffone\r\ntwo\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\nlast\r\n");
    expect(textOf(rejectHunks("f", before, after, new Set([second!])))).toBe("\ufeffONE\r\ntwo\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\nlast");
  });

  it("removes a new file, brings a deleted one back, and takes binary and empty files whole", () => {
    const before = new Map([...treeOf({ "gone.js": "x\n" }), ["image.png", new Uint8Array([0, 1])]]);
    const after = new Map([...treeOf({ "new.js": "y\n", empty: "" }), ["image.png", new Uint8Array([0, 2])]]);
    const diffs = diffTrees(before, after);
    const edits = rejectionEdits(before, after, diffs, new Set(diffs.flatMap(keysOf)));
    expect(edits).toEqual([
      { path: "empty", bytes: undefined },
      { path: "gone.js", bytes: before.get("gone.js") },
      { path: "image.png", bytes: before.get("image.png") },
      { path: "new.js", bytes: undefined },
    ]);
    expect(rejectionEdits(before, after, diffs, new Set(keysOf(diffs[3]!)))).toEqual([{ path: "new.js", bytes: undefined }]);
  });
});

describe("what is open to review", () => {
  const before = bytes(Array.from({ length: 30 }, (_, i) => `${i}\n`).join(""));
  const after = bytes(Array.from({ length: 30 }, (_, i) => (i === 4 || i === 20 ? "new\n" : `${i}\n`)).join(""));

  it("no longer counts what was accepted, and counts it again once it is changed", () => {
    const diff = diffFile("f", before, after);
    const [first] = keysOf(diff);
    expect(openKeys([diff], new Set())).toHaveLength(2);
    expect(openKeys([diff], new Set([first!]))).toHaveLength(1);
    const again = diffFile("f", before, bytes((textOf(after) ?? "").replace("new\n", "newer\n")));
    expect(openKeys([again], new Set([first!]))).toHaveLength(2);
  });

  it("has the line where the change stands now", () => {
    expect(fileHunks(diffFile("f", before, after)).map(hunkLine)).toEqual([5, 21]);
    expect(fileHunks(diffFile("f", bytes("a\nb\n"), bytes("a\n"))).map(hunkLine)).toEqual([1]);
  });
});
