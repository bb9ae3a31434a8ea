import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyEdit, editReply, omission, rewrite } from "../../src/agent/edit.ts";
import { placeEdit } from "../../src/agent/edit-ladder.ts";
import { decodeText, encodeText } from "../../src/project/text.ts";
import { cpuMs } from "../support/cpu-time.ts";

function edit(text: string, oldText: string, newText: string, replaceAll = false): string {
  const outcome = applyEdit(encodeText(text), { path: "src/a.js", oldText, newText, replaceAll });
  return outcome.ok ? outcome.text : `REFUSED ${outcome.message}`;
}
function matcher(text: string, oldText: string, newText: string): string {
  const outcome = applyEdit(encodeText(text), { path: "src/a.js", oldText, newText, replaceAll: false });
  return outcome.ok ? editReply("src/a.js", outcome) : outcome.message;
}

const FILE = `export function total(items) {
  let sum = 0;
  for (const item of items) {
    if (item.paid) {
      sum += item.price;
    }
  }
  return sum;
}

export function count(items) {
  let sum = 0;
  for (const item of items) {
    sum += 1;
  }
  return sum;
}
`;

describe("an edit", () => {
  it("replaces text that occurs once", () => {
    expect(edit(FILE, "sum += item.price;", "sum += item.price * item.qty;")).toBe(FILE.replace("item.price;", "item.price * item.qty;"));
    expect(matcher(FILE, "sum += 1;", "sum += 2;")).toBe("Edited src/a.js. Run the tests.");
  });

  it("takes replacement text literally, dollar signs and all", () => {
    expect(edit("a b", "a", "$& $1 $$")).toBe("$& $1 $$ b");
  });

  it("never chooses between two places, and names them", () => {
    expect(edit(FILE, "let sum = 0;", "let sum = 1;")).toBe("REFUSED old_string matches 2 places in src/a.js (lines 2, 12). Add lines around it, or set replace_all.");
    expect(edit("aaa", "aa", "b")).toMatch(/matches 2 places/);
    expect(edit(FILE, "let   sum = 0;", "let sum = 1;")).toMatch(/matches 2 places/);
    expect(edit(FILE, "      return sum;\n    }", "x")).toMatch(/matches 2 places/);
  });

  it("replaces every place when asked to", () => {
    expect(edit(FILE, "sum", "total", true)).toBe(FILE.replaceAll("sum", "total"));
    expect(edit("aaa", "aa", "b", true)).toBe("ba");
  });

  it("forgives trailing spaces", () => {
    expect(edit("a  \nb\t\nc\n", "a\nb\nc", "x\ny\nz")).toBe("x\ny\nz\n");
    expect(matcher("a  \nb\n", "a\nb", "x")).toBe("Edited src/a.js (matched ignoring trailing spaces). Run the tests.\nx\n");
  });

  it("forgives another indentation and gives the new lines the file's", () => {
    const oldText = "if (item.paid) {\n  sum += item.price;\n}";
    const newText = "if (item.paid) {\n  sum += item.price;\n} else {\n  skipped += 1;\n}";
    expect(edit(FILE, oldText, newText)).toBe(FILE.replace("      sum += item.price;\n    }", "      sum += item.price;\n    } else {\n      skipped += 1;\n    }"));
    expect(matcher(FILE, oldText, newText)).toMatch(/^Edited src\/a\.js \(matched ignoring indentation\)\. Run the tests\.\n {2}for/);
  });

  it("takes indentation away as well, and keeps blank lines blank", () => {
    expect(edit("f(\n  a,\n\n  b,\n);\n", "      a,\n\n      b,", "      a,\n\n      c,\n        d,")).toBe("f(\n  a,\n\n  c,\n    d,\n);\n");
  });

  it("forgives white space inside lines", () => {
    expect(edit("const x = f(a,  b);\n", "f(a, b)", "f(b, a)")).toBe("const x = f(b, a);\n");
    expect(edit("  if (a &&\n      b) {\n    go();\n  }\n", "if (a && b) {\n  go();", "if (a || b) {\n  stop();")).toBe("  if (a || b) {\n    stop();\n  }\n");
    expect(edit("return counted + 1;\n", "return  count", "return  amount")).toMatch(/REFUSED old_string was not found/);
  });

  it("finds a block by its ends when the lines between are nearly right", () => {
    const oldText = "  for (const item of items) {\n    if (item.isPaid) {\n      sum += item.price;\n    }\n  }\n  return sum;";
    expect(edit(FILE, oldText, "  return 7;")).toBe(FILE.replace(/ {2}for[\s\S]*?return sum;/, "  return 7;"));
    expect(edit(FILE, "export function total(items) {\n  something();\n  else_entirely(1, 2, 3);\n  return sum;", "x")).toMatch(/^REFUSED old_string was not found/);
  });

  it("shows the nearest lines when nothing matches", () => {
    const message = edit(FILE, "    sum += item.cost;", "    sum += 1;");
    expect(message).toMatch(/^REFUSED old_string was not found in src\/a\.js\. Nearest lines:\n1: export function total\(items\) \{\n/);
    expect(message).toContain("\n5:       sum += item.price;\n");
    const long = Array.from({ length: 500 }, (_, i) => `line number ${i + 1} says ${i * 37}`).join("\n");
    const near = edit(long, "line number 300 says nothing", "x").split("\n").slice(1);
    expect(near).toHaveLength(20);
    expect(near).toContain(`300: line number 300 says ${299 * 37}`);
  });

  it("answers soon for large files", () => {
    const large = Array.from({ length: 30_000 }, (_, i) => `  const value${i} = compute(${i * 7}, "${i}");`).join("\n");
    const wanted = Array.from({ length: 40 }, (_, i) => `  const value${i} = compute(${i}, "nothing like it");`).join("\n");
    expect(cpuMs(() => expect(edit(large, wanted, "x")).toMatch(/^REFUSED old_string was not found/))).toBeLessThan(5_000);
  });

  it("refuses what stands for code left out", () => {
    for (const line of ["// ... existing code ...", "// ...", "# ... rest of the function", "/* rest of the code unchanged */", "{/* ... */}", "<!-- ... existing markup -->", "// rest of the file remains the same", "...", "// other methods as before"]) {
      expect(edit(FILE, "  return sum;\n}\n\nexport", `  ${line}\n}\n\nexport`), line).toMatch(/^REFUSED new_string leaves code out/);
    }
    for (const line of ["call(...args);", "// the rest parameter", "return [...items];", "// Other people's money", "const { a, ...rest } = b;", "// remaining items are counted below"]) {
      expect(omission(line, ""), line).toBeUndefined();
    }
    expect(omission("// ...", "a\n  // ...\n")).toBeUndefined();
  });

  it("says so when there is nothing to change", () => {
    expect(applyEdit(encodeText("a"), { path: "a", oldText: "a", newText: "a", replaceAll: false })).toMatchObject({ ok: false, noop: true });
    expect(edit(FILE, "", "x")).toMatch(/^REFUSED old_string is empty/);
    expect(edit("", "", "new")).toBe("new");
  });

  it("keeps line endings, byte order mark and a missing final newline", () => {
    expect(edit("a\r\nb\r\nc", "a\nb", "x\ny\nz")).toBe("x\r\ny\r\nz\r\nc");
    expect(edit("a\r\nb\nc\r\n", "b", "x\ny")).toBe("a\r\nx\r\ny\nc\r\n");
    expect(edit("a\nb\nc\r\n", "a\nb\nc", "x")).toBe("x\r\n");
    expect(edit("\ufeffa\nb", "a", "x")).toBe("\ufeffx\nb");
    expect(edit("\ufeff", "", "x")).toBe("\ufeffx");
  });

  it("refuses binary files and halves of characters", () => {
    expect(applyEdit(new Uint8Array([97, 0, 98]), { path: "a.bin", oldText: "a", newText: "b", replaceAll: false })).toMatchObject({ ok: false, message: "a.bin is a binary file and cannot be edited." });
    expect(applyEdit(new Uint8Array([97, 0xff]), { path: "a.bin", oldText: "a", newText: "b", replaceAll: false })).toMatchObject({ ok: false });
    expect(edit("a😀b", "\ude00", "x")).toMatch(/^REFUSED/);
    expect(edit("a😀b", "b", "\ud83d")).toMatch(/^REFUSED new_string ends inside a character/);
  });
});

describe("a random edit", () => {
  const alphabet = fc.constantFrom("a", "b", " ", "  ", "\n", "\r\n", "{", "}", "é", "😀", "\t");
  const text = fc.array(alphabet, { maxLength: 40 }).map((parts) => parts.join(""));

  it("is what a plain search and replace gives, or a refusal where that would be a guess", () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), text, (file, from, length, newText) => {
        const plain = file.replaceAll("\r\n", "\n");
        const characters = [...plain];
        const start = from % (characters.length + 1);
        const oldText = characters.slice(start, start + 1 + (length % 8)).join("");
        fc.pre(oldText.trim() !== "" && !newText.includes("\r") && newText !== oldText);
        const at = plain.indexOf(oldText);
        const unique = plain.indexOf(oldText, at + 1) < 0;
        const outcome = applyEdit(encodeText(file), { path: "a", oldText, newText, replaceAll: false });
        if (!unique) expect(outcome.ok).toBe(false);
        else if (!outcome.ok) expect(outcome.noop).toBe(true);
        else expect(outcome.text.replaceAll("\r\n", "\n")).toBe(plain.slice(0, at) + newText + plain.slice(at + oldText.length));
      }),
      { numRuns: 3_000 },
    );
  });

  it("leaves every byte outside the matched region alone", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const file = `${before}<<MARK>>${after}`;
        expect(edit(file, "<<MARK>>", "X")).toBe(`${before}X${after}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds a block whatever its indentation was changed to, and puts the new lines where the old ones were", () => {
    const line = fc.tuple(fc.constantFrom("", "  ", "    "), fc.stringMatching(/^[a-z]{3,8}$/)).map(([indent, word]) => `${indent}${word};`);
    fc.assert(
      fc.property(fc.array(line, { minLength: 2, maxLength: 5 }), fc.constantFrom("", "  ", "\t"), fc.constantFrom("  ", "    ", "\t"), (block, fileIndent, wantedIndent) => {
        fc.pre(fileIndent !== wantedIndent);
        const file = ["START", ...block.map((each) => fileIndent + each), "END"].join("\n");
        const oldText = block.map((each) => wantedIndent + each).join("\n");
        const newText = [...block, "added;"].map((each) => wantedIndent + each).join("\n");
        const expected = ["START", ...block.map((each) => fileIndent + each), `${fileIndent}added;`, "END"].join("\n");
        const place = placeEdit(file, oldText, newText, false);
        expect(place.found).toBe("one");
        expect(edit(file, oldText, newText)).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is never made in one of two equal places", () => {
    const line = fc.stringMatching(/^ {0,4}[a-z]{2,6}\(\);$/);
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), fc.array(line, { maxLength: 3 }), fc.constantFrom("", " ", "\t"), (block, between, indent) => {
        const twice = [...block, ...between, ...block].join("\n");
        const outcome = applyEdit(encodeText(twice), { path: "a", oldText: block.map((each) => indent + each.trim()).join("\n"), newText: "CHANGED", replaceAll: false });
        expect(outcome.ok).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a rewritten file", () => {
  it("keeps the old one's byte order mark, line ending and final newline", () => {
    const rewritten = (before: string | undefined, content: string) => decodeText(rewrite(before === undefined ? undefined : encodeText(before), content));
    expect(rewritten("a\r\nb\r\n", "x\ny")).toBe("x\r\ny\r\n");
    expect(rewritten("\ufeffa\n", "x")).toBe("\ufeffx\n");
    expect(rewritten("a", "x")).toBe("x");
    expect(rewritten(undefined, "x")).toBe("x\n");
    expect(rewritten(undefined, "")).toBe("");
  });
});
