import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromDocument, mergeEdits, replacements, toDocument } from "../../src/ui/work/editor-text.ts";

const word = fc.constantFrom("a", "b", "c", "", "x\ry", "é", "😀");
const ending = fc.constantFrom("\n", "\r\n");
const anyText = fc.tuple(fc.constantFrom("", "\ufeff"), fc.array(fc.tuple(word, ending).map((parts) => parts.join("")), { maxLength: 12 }), word).map(([bom, lines, last]) => bom + lines.join("") + last);
const plainDoc = fc.array(fc.constantFrom("a", "b", "c", "", "new"), { maxLength: 12 }).map((lines) => lines.join("\n"));

describe("a file's text in the editor (fault 21)", () => {
  it("comes back byte for byte when nothing was edited: CRLF, mixed ends, byte order mark, no final newline", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(fromDocument(text, toDocument(text))).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it("holds exactly the edited lines after an edit", () => {
    fc.assert(
      fc.property(anyText, plainDoc, (text, doc) => {
        const out = fromDocument(text, doc);
        expect(toDocument(out)).toBe(doc);
        expect(out.startsWith("\ufeff")).toBe(text.startsWith("\ufeff"));
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps each line's own end where ends are mixed, and gives a new line the usual one", () => {
    const text = "one\r\ntwo\nthree\r\nfour";
    expect(fromDocument(text, "one\ntwo\nNEW\nthree\nfour")).toBe("one\r\ntwo\nNEW\r\nthree\r\nfour");
    expect(fromDocument("\ufeffa\r\nb\r\nc", "a\nB\nc")).toBe("\ufeffa\r\nB\r\nc");
    expect(fromDocument("a\r\nb", "a\nb\n")).toBe("a\r\nb\r\n");
  });
});

describe("an update of the document from outside", () => {
  it("replaces only lines that differ", () => {
    fc.assert(
      fc.property(plainDoc, plainDoc, (before, after) => {
        let text = before;
        for (const { from, to, insert } of [...replacements(before, after)].reverse()) text = text.slice(0, from) + insert + text.slice(to);
        expect(text).toBe(after);
      }),
      { numRuns: 1_000 },
    );
    expect(replacements("a\nb\nc\n", "a\nB\nc\n")).toEqual([{ from: 2, to: 4, insert: "B\n" }]);
  });
});

describe("edits of two sides at once", () => {
  const base = "1\n2\n3\n4\n5\n6\n7\n";

  it("become one where they are apart", () => {
    expect(mergeEdits(base, base.replace("2", "two"), base.replace("6\n", "six\nand a half\n"))).toEqual({ conflict: false, text: "1\ntwo\n3\n4\n5\nsix\nand a half\n7\n" });
    expect(mergeEdits(base, base.replace("2\n", ""), `${base}8`)).toEqual({ conflict: false, text: "1\n3\n4\n5\n6\n7\n8" });
    expect(mergeEdits(base, base.replace("2", "two"), base.replace("2", "two").replace("7", "seven"))).toEqual({ conflict: false, text: base.replace("2", "two").replace("7", "seven") });
  });

  it("are a conflict where they touch the same lines, or neighbouring ones", () => {
    expect(mergeEdits(base, base.replace("2", "two"), base.replace("2", "deux"))).toEqual({ conflict: true });
    expect(mergeEdits(base, base.replace("2", "two"), base.replace("3", "trois"))).toEqual({ conflict: true });
    expect(mergeEdits(base, base.replace("2\n", "2\nmine\n"), base.replace("2\n", "2\ntheirs\n"))).toEqual({ conflict: true });
  });

  it("never lose a line that one side added: it is in the merge, or there is a conflict", () => {
    const spread = fc.array(fc.nat(6), { maxLength: 3 });
    fc.assert(
      fc.property(spread, spread, (mine, theirs) => {
        const change = (places: readonly number[], name: string) => base.split("\n").map((line, i) => (places.includes(i) ? `${line} ${name}` : line)).join("\n");
        const merged = mergeEdits(base, change(mine, "mine"), change(theirs, "theirs"));
        if (merged.conflict) return;
        expect(merged.text.split("mine").length - 1).toBe(new Set(mine).size);
        expect(merged.text.split("theirs").length - 1).toBe(new Set(theirs).size);
      }),
      { numRuns: 500 },
    );
  });
});
