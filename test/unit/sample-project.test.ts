// Code blocks of a page as a project that runs: names, a manifest, and the gate for what a stranger's page hands over.
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { entryOf, sampleProject, shellWord } from "../../src/ui/widget/sample-project.ts";
import { textOf } from "../support/trees.ts";

const sample = (text: string, title = "", language = "js") => ({ text, title, language });

describe("code blocks as a project", () => {
  it("take their name from the title, else from a first line that names them, else from the language", () => {
    const files = sampleProject("Docs", [], [sample("1\n", "src/a.js"), sample("// lib/b.js\n2\n"), sample("3\n"), sample("4\n"), sample("# hi\n", "", "markdown"), sample("x", "Example: how to", "typescript")]);
    expect([...files.keys()]).toEqual(["src/a.js", "lib/b.js", "index.js", "index-2.js", "index.md", "index.ts", "package.json"]);
  });

  it("get a manifest under which `npm start` and `npm test` make sense", () => {
    const files = sampleProject("Körbe & Co", [], [sample("export const a = 1;\n", "src/index.js"), sample('import test from "node:test";\n')]);
    expect(JSON.parse(textOf(files, "package.json")!)).toEqual({ name: "k-rbe-co", private: true, type: "module", scripts: { start: "node src/index.js", test: "node --test" } });
    expect([...files.keys()]).toContain("index.test.js");
  });

  it("stay CommonJS when they are", () => {
    const files = sampleProject("", [], [sample('const fs = require("node:fs");\nmodule.exports = {};\n')]);
    expect(JSON.parse(textOf(files, "package.json")!)).toEqual({ name: "sample", private: true, scripts: { start: "node index.js", test: "node --test" } });
  });

  it("keep the page's own manifest", () => {
    const files = sampleProject("x", [{ path: "package.json", text: '{"type":"commonjs"}' }], [sample("1")]);
    expect(textOf(files, "package.json")).toBe('{"type":"commonjs"}');
  });

  it("start what a reader would start", () => {
    expect(entryOf(["lib/a.js", "test/a.test.js", "main.mjs"])).toBe("main.mjs");
    expect(entryOf(["receipt.js", "README.md"])).toBe("receipt.js");
    expect(entryOf(["README.md", "a.test.js"])).toBeUndefined();
  });

  it("name their program as one word of the command, whatever is in it", () => {
    expect(shellWord("src/a-b.js")).toBe("src/a-b.js");
    expect(shellWord("$(rm -rf .)'; echo.js")).toBe("'$(rm -rf .)'\\''; echo.js'");
  });

  it.each([["../evil.js"], ["/etc/passwd"], ["a/../../b.js"], ["C:\\x.js"], ["a\u0000b.js"]])("refuse %j", (path) => {
    expect(() => sampleProject("x", [{ path, text: "" }], [])).toThrow(AppError);
  });

  it("give hostile titles no say: they name no file", () => {
    const files = sampleProject("x", [], ['"><img src=x onerror=alert(1)>.js', "<script>a.js", "javascript:alert(1).js", "../../a.js"].map((title) => sample("1", title)));
    expect([...files.keys()].filter((path) => /[<>:"]|\.\./.test(path))).toEqual([]);
  });
});
