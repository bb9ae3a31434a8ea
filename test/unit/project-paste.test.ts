import { describe, expect, it } from "vitest";
import { readPaste } from "../../src/project/paste.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { textOf } from "../support/trees.ts";

/** Path → text of what was pasted. */
function files(text: string): Record<string, string> {
  const pasted = readPaste(text);
  if (pasted.kind !== "files") throw new Error(`read as ${pasted.kind}`);
  return Object.fromEntries([...pasted.files.keys()].map((path) => [path, textOf(pasted.files, path)!]));
}

const block = (info: string, content = "const a = 1;") => `\`\`\`${info}\n${content}\n\`\`\`\n`;

describe("pasted text", () => {
  it.each([
    ["the info string", block("js src/a.js")],
    ["the info string after a colon", block("js:src/a.js")],
    ["the info string alone", block("src/a.js")],
    ["a title", block('js title="src/a.js"')],
    ["a file attribute", block("js {1,3} file=src/a.js")],
    ["a heading above", `### src/a.js\n\n${block("js")}`],
    ["bold code above", `Some words.\n\n**\`src/a.js\`**:\n${block("js")}`],
    ["a line above that says so", `File: src/a.js\n${block("js")}`],
    ["a list item above", `1. \`src/a.js\`\n\n${block("js")}`],
  ])("is a file named by %s", (_, text) => {
    expect(files(text)).toEqual({ "src/a.js": "const a = 1;\n" });
  });

  it("is a file named by its first comment, which stays", () => {
    expect(files(block("js", "// src/a.js\nx();"))).toEqual({ "src/a.js": "// src/a.js\nx();\n" });
    expect(files(block("html", "<!-- public/index.html -->\n<p>"))).toEqual({ "public/index.html": "<!-- public/index.html -->\n<p>\n" });
  });

  it("is as many files as it has blocks; a fence in a longer fence is content, an open one runs to the end", () => {
    const text = `Intro.\n\n${block("js a.js", "1")}\nText\n\n\`\`\`\`md README.md\n# x\n\`\`\`js\ny\n\`\`\`\n\`\`\`\`\n\n~~~\nunnamed\n~~~\n\`\`\`ts b.ts\nopen`;
    expect(files(text)).toEqual({ "a.js": "1\n", "README.md": "# x\n```js\ny\n```\n", "notes-3.txt": "unnamed\n", "b.ts": "open\n" });
  });

  it("is one piece of code with a proposed name where there is none", () => {
    expect(readPaste("export const a = 1;")).toEqual({ kind: "code", text: "export const a = 1;\n", name: "snippet.js" });
    expect(readPaste(block("", '{ "a": 1 }'))).toEqual({ kind: "code", text: '{ "a": 1 }\n', name: "snippet.json" });
    expect(readPaste(block("python", "x"))).toMatchObject({ kind: "code", name: "snippet.py" });
    expect(readPaste("function f(a: string): number {}\n")).toMatchObject({ name: "snippet.ts" });
    expect(readPaste("Dear all, see src/a.js for more.")).toMatchObject({ kind: "code", name: "notes.txt" });
    expect(readPaste(" \n\t")).toEqual({ kind: "empty" });
  });

  it("is a patch, in a block or not, with words around it", () => {
    const patch = "--- a/x.js\n+++ b/x.js\n@@ -1 +1 @@\n-a\n+b\n";
    expect(readPaste(patch)).toMatchObject({ kind: "patch" });
    expect(readPaste(`Apply this:\n\n${block("diff", patch)}\nDone.`)).toMatchObject({ kind: "patch" });
  });

  it("keeps emoji and right-to-left text letter for letter", () => {
    const text = "// שלום 👩‍👩‍👧‍👦\u202e ok";
    expect(files(block("js שלום/👩‍🚀.js", text))).toEqual({ "שלום/👩‍🚀.js": `${text}\n` });
  });

  it("with names that leave the project, or the same name twice, is refused by name", () => {
    expect(() => readPaste(block("js ../evil.js"))).toThrow(/"\.\.\/evil\.js" contains "\.\."/);
    expect(() => readPaste(block("js a.js") + block("js a.js"))).toThrow(/"a.js" twice/);
    expect(() => readPaste(block("js a.js"), { files: 10, bytes: 5 })).toThrow(/pasted text is larger than 5 B/);
  });

  it("fault 27: of a million characters is read in a blink, whatever they are", () => {
    for (const text of ["x".repeat(1_000_000), "`".repeat(1_000_000), "```\n".repeat(250_000), "# a ".repeat(250_000), "**".repeat(500_000), `${"- ".repeat(500_000)}\n\`\`\`\nx`, "{".repeat(1_000_000), `\`\`\`js ${"a/".repeat(400_000)}\n`]) {
      expect(cpuMs(() => {
        try {
          readPaste(text);
        } catch (error) {
          expect(error).toMatchObject({ code: "project/archive" });
        }
      })).toBeLessThan(2_500);
    }
  });
});
