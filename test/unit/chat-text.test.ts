// The pure parts of showing text: what cannot be seen, what a fence says, where growing Markdown can be cut.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, BlockCutter } from "../../src/ui/chat/block-cutter.ts";
import { fenceInfo, isShell, languageName } from "../../src/ui/chat/fence.ts";
import { hiddenLabel, piecesOf, visibleText } from "../../src/ui/chat/hidden-text.ts";

describe("hidden characters", () => {
  it("are cut out and named, a run of one as one", () => {
    expect(piecesOf("a\u202eb\u200b\u200bc")).toEqual([{ text: "a" }, { hidden: "U+202E", count: 1 }, { text: "b" }, { hidden: "U+200B", count: 2 }, { text: "c" }]);
    expect(hiddenLabel({ hidden: "U+200B", count: 2 })).toBe("U+200B ×2");
    expect(visibleText("rm\u2060 -rf \u{e0041}\u0007")).toBe("rm⟦U+2060⟧ -rf ⟦U+E0041⟧⟦U+0007⟧");
  });

  it("do not include what writing needs", () => {
    for (const text of ["tab\tand\nnew line\r\n", "👩‍💻 👨‍👩‍👧 🏳️‍🌈 👍🏽 ❤️ ☎︎", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "می‌خواهم", "क्‍ष", "naïve café 日本語 עברית"]) expect(piecesOf(text)).toEqual([{ text }]);
    expect(visibleText("a\u200db")).toBe("a⟦U+200D⟧b");
  });

  it("lose nothing of the text around them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const length = piecesOf(text).reduce((sum, piece) => sum + ("text" in piece ? piece.text.length : piece.count * (Number.parseInt(piece.hidden.slice(2), 16) > 0xffff ? 2 : 1)), 0);
        expect(length).toBe(text.length);
      }),
    );
  });
});

describe("a fence's first line", () => {
  it.each([
    ["js", "", { language: "js" }],
    ["", "", { language: "" }],
    ["ts src/cart.ts", "", { language: "ts", path: "src/cart.ts" }],
    ["js:src/cart.js", "", { language: "js", path: "src/cart.js" }],
    ['js title="src/cart.js"', "", { language: "js", path: "src/cart.js" }],
    ["src/cart.js", "", { language: "js", path: "src/cart.js" }],
    ["js", "// src/cart.js\nconst a = 1;", { language: "js", path: "src/cart.js" }],
    ["py", "# file: tools/run.py\nprint(1)", { language: "py", path: "tools/run.py" }],
    ["html", "<!-- index.html -->\n<p>", { language: "html", path: "index.html" }],
    ["js", "// Adds two numbers.\nconst a = 1;", { language: "js" }],
    ["js", "// see https://x.example/a.js", { language: "js" }],
    ["js ../../etc/passwd.js", "", { language: "js" }],
    ["sh /etc/profile.sh", "", { language: "sh" }],
    ['"><img/src=x>', "", { language: "" }],
  ])("%j before %j says %j", (info, code, expected) => {
    expect(fenceInfo(info, code)).toEqual(expected);
  });

  it("has a name for people, and says what a terminal could run", () => {
    expect([languageName("ts"), languageName("zig"), languageName("")]).toEqual(["TypeScript", "zig", ""]);
    expect([isShell("bash"), isShell("js")]).toEqual([true, false]);
  });
});

/** All blocks of a text given in pieces. */
function cut(text: string, step: number): Block[] {
  const cutter = new BlockCutter();
  const blocks: Block[] = [];
  const take = (part: string, ended: boolean): void => {
    for (let block = cutter.next(part, ended); block; block = cutter.next(part, ended)) blocks.push(block);
  };
  for (let end = step; end < text.length; end += step) take(text.slice(0, end), false);
  take(text, true);
  return blocks;
}

describe("growing text", () => {
  it("is cut at fences of its margin, whatever stands inside them", () => {
    expect(cut("Look:\n```md a.md\n~~~\n``\n````\nend", 1000)).toEqual([{ kind: "prose", text: "Look:\n" }, { kind: "code", info: "md a.md", code: "~~~\n``" }, { kind: "prose", text: "end" }]);
    expect(cut("~~~\n```\n~~~", 1)).toEqual([{ kind: "code", info: "", code: "```" }]);
    expect(cut("```js\n```", 1)).toEqual([{ kind: "code", info: "js", code: "" }]);
    expect(cut("```inline``` words", 1000)).toEqual([{ kind: "prose", text: "```inline``` words" }]);
    expect(cut("```js\nopen to the end\n", 4)).toEqual([{ kind: "code", info: "js", code: "open to the end\n" }]);
  });

  it("is cut into the same blocks however it comes, and into nothing but its text", () => {
    const word = fc.constantFrom("word ", "\n", "\n\n", "```", "```js\n", "~~~\n", "- item\n", "  ", "`", "# ", "````\n", "> ");
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (words, step) => {
        const text = words.join("");
        const whole = cut(text, text.length + 1);
        expect(cut(text, step)).toEqual(whole);
        let at = 0;
        for (const block of whole) {
          const part = block.kind === "code" ? block.code : block.text;
          const found = text.indexOf(part, at);
          expect(found).toBeGreaterThanOrEqual(at);
          at = found + part.length;
        }
      }),
      { numRuns: 2_000, examples: [[["word ", "\n", "```", "word ", "```js\n"], 1]] },
    );
  });

  it("is recognised as grown, or as another text", () => {
    const cutter = new BlockCutter();
    cutter.next("The first answer", false);
    expect([cutter.continues("The first answer goes on"), cutter.continues("Another answer, longer"), cutter.continues("The")]).toEqual([true, false, false]);
  });
});
