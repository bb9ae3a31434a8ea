import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { globExpression, grep, listMatching } from "../../src/agent/search.ts";
import { gate, syntaxError } from "../../src/agent/syntax-gate.ts";
import { resolveCall, TOOLS } from "../../src/agent/tool-specs.ts";
import { runTool, type ToolOutcome } from "../../src/agent/tools.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { textOf, treeOf } from "../support/trees.ts";

const PROJECT: FileTree = new Map([
  ...treeOf({
    "package.json": '{\n  "name": "x"\n}\n',
    "src/sum.js": "export function sum(a, b) {\n  return a - b;\n}\n",
    "src/deep/Helper.ts": "export const help: string = 'yes';\n",
    "test/sum.test.js": "// checks sum\n",
    "windows.js": "const a = 1;\r\nconst b = 2;\r\n",
    "long.txt": `${Array.from({ length: 3_000 }, (_, i) => `line ${i + 1}`).join("\n")}\n`,
  }),
  ["logo.png", new Uint8Array([137, 80, 78, 71, 0, 1])],
]);

let sandbox: NodeSandbox;
let created: Set<string>;
beforeAll(async () => {
  sandbox = await NodeSandbox.open();
});
beforeEach(async () => {
  created = new Set();
  await sandbox.restore(PROJECT);
});
afterAll(() => sandbox.close());

async function call(name: string, args: Readonly<Record<string, unknown>>, unlockTests = false): Promise<ToolOutcome> {
  const resolved = resolveCall(name, args);
  if (!resolved.ok) return { ok: false, result: resolved.message };
  return runTool(resolved.name, resolved.arguments, { sandbox, unlockTests, created }, () => undefined, new AbortController().signal);
}
const said = async (name: string, args: Readonly<Record<string, unknown>>): Promise<string> => (await call(name, args)).result;
const fileText = async (path: string): Promise<string | undefined> => textOf(await sandbox.snapshot(), path);

describe("read_file", () => {
  it("gives the file as it is, without its final newline", async () => {
    expect(await said("read_file", { file_path: "src/sum.js" })).toBe("export function sum(a, b) {\n  return a - b;\n}");
  });

  it("gives the lines that were asked for and says which", async () => {
    expect(await said("read_file", { file_path: "long.txt", offset: 2_999 })).toBe("line 2999\nline 3000\n[lines 2999-3000 of 3000]");
    expect(await said("read_file", { file_path: "long.txt", offset: "5", limit: 2 })).toBe("line 5\nline 6\n[lines 5-6 of 3000]");
    expect(await said("read_file", { file_path: "long.txt", offset: 9_000 })).toBe("long.txt has only 3000 lines.");
  });

  it("cuts a long file at a line and says where", async () => {
    const result = await said("read_file", { file_path: "long.txt" });
    expect(result.length).toBeLessThan(10_100);
    expect(result).toMatch(/\nline (\d+)\n\[lines 1-\1 of 3000\]$/);
  });

  it("does not show binary files, and names files that may have been meant", async () => {
    expect(await said("read_file", { file_path: "logo.png" })).toBe("logo.png is a binary file (6 B) and cannot be shown.");
    expect(await said("read_file", { file_path: "lib/sum.js" })).toBe("There is no file lib/sum.js. There is src/sum.js.");
    expect(await said("read_file", { file_path: "src/nothing-like-it.js" })).toBe("There is no file src/nothing-like-it.js. Use glob to list files.");
  });

  it("refuses paths outside the project", async () => {
    for (const path of ["../secret", "/etc/passwd", "a\0b"]) expect(await said("read_file", { file_path: path })).toMatch(/^The path .*Name a file inside the project/);
    expect(await said("read_file", { file_path: "/home/projects/demo/src/sum.js" })).toMatch(/^export/);
  });
});

describe("edit", () => {
  it("changes the file and says to test", async () => {
    expect(await said("edit", { file_path: "src/sum.js", old_string: "return a - b;", new_string: "return a + b;" })).toBe("Edited src/sum.js. Run the tests.");
    expect(await fileText("src/sum.js")).toContain("a + b");
  });

  it("keeps Windows line ends", async () => {
    await call("edit", { file_path: "windows.js", old_string: "const a = 1;\nconst b = 2;", new_string: "const a = 3;\nconst b = 4;" });
    expect(await fileText("windows.js")).toBe("const a = 3;\r\nconst b = 4;\r\n");
  });

  it("is refused when the file would no longer parse, and the file stays as it was", async () => {
    expect(await said("edit", { file_path: "src/sum.js", old_string: "return a - b;\n}", new_string: "return a + b;" })).toBe("Not edited: src/sum.js would no longer parse. Unexpected token at line 3");
    expect(await said("edit", { file_path: "package.json", old_string: '"x"', new_string: '"x",' })).toMatch(/^Not edited: package\.json would no longer parse/);
    expect(await fileText("src/sum.js")).toContain("a - b");
  });

  it("creates a file when there is none and old_string is empty", async () => {
    expect(await said("edit", { file_path: "src/new.js", old_string: "", new_string: "export const n = 1;" })).toBe("Wrote src/new.js. Run the tests.");
    expect(await fileText("src/new.js")).toBe("export const n = 1;\n");
  });

  it("does not touch installed packages or version control", async () => {
    expect(await said("write_file", { file_path: ".git/hooks/pre-commit", content: "x" })).toBe(".git/hooks/pre-commit is not part of the project: node_modules and .git are not edited.");
    expect(await said("edit", { file_path: "node_modules/a/index.js", old_string: "", new_string: "x" })).toMatch(/not part of the project/);
  });

  it("does not touch locked tests, but may change tests it made itself", async () => {
    expect(await said("edit", { file_path: "test/sum.test.js", old_string: "checks", new_string: "x" })).toBe("test/sum.test.js is a test file and locked. Change the source so that the test passes; only the user can unlock tests.");
    expect(await said("write_file", { file_path: "test/sum.test.js", content: "" })).toMatch(/locked/);
    expect((await call("edit", { file_path: "test/sum.test.js", old_string: "checks", new_string: "x" }, true)).ok).toBe(true);
    expect((await call("write_file", { file_path: "test/more.test.js", content: "// mine" })).ok).toBe(true);
    expect((await call("edit", { file_path: "test/more.test.js", old_string: "mine", new_string: "own" })).ok).toBe(true);
  });
});

describe("write_file", () => {
  it("writes, says so, and knows when nothing changes", async () => {
    expect(await said("write_file", { file_path: "src/a/b.js", content: "export {};" })).toBe("Wrote src/a/b.js. Run the tests.");
    expect(await call("write_file", { file_path: "src/a/b.js", content: "export {};" })).toMatchObject({ ok: false, noop: true });
  });

  it("refuses placeholders, broken syntax and binary files", async () => {
    expect(await said("write_file", { file_path: "src/sum.js", content: "// ... existing code ...\n" })).toMatch(/^content leaves code out/);
    expect(await said("write_file", { file_path: "src/new.js", content: "export function (" })).toMatch(/^Not written: src\/new\.js would not parse\./);
    expect(await said("write_file", { file_path: "logo.png", content: "x" })).toMatch(/binary/);
  });
});

describe("the search tools", () => {
  it("find lines and files", async () => {
    expect(await said("grep_search", { pattern: "return a [-+] b" })).toBe("src/sum.js:2: return a - b;");
    expect(await said("grep_search", { pattern: "sum", path: "test" })).toBe("test/sum.test.js:1: // checks sum");
    expect(await said("grep_search", { pattern: "nowhere" })).toBe("No line matches nowhere");
    expect(await said("grep_search", { pattern: "x", path: "no/such" })).toBe("There is nothing at no/such.");
    expect(await said("glob", { pattern: "src/**/*.{js,ts}" })).toBe("src/deep/Helper.ts\nsrc/sum.js");
    expect(await said("glob", { pattern: "*.test.js" })).toBe("test/sum.test.js");
    expect(await said("glob", { pattern: "*.rs" })).toBe("No file matches *.rs");
  });

  it("treat broken and dangerous expressions as plain text", () => {
    expect(grep("f(", [["a", "call f(x)"]])).toBe("a:1: call f(x)");
    const work = (): void => {
      expect(grep("(a+)+$", [["a", `${"a".repeat(60)}b\nthe (a+)+$ itself`]])).toBe("a:2: the (a+)+$ itself");
      expect(grep("(a|a)*c", [["a", "a".repeat(60)]])).toMatch(/^No line/);
      expect(grep("a*a*a*a*a*a*b", [["a", "a".repeat(5_000)]])).toMatch(/^No line/);
    };
    expect(cpuMs(work)).toBeLessThan(500);
  });

  it("cap what they show", () => {
    const many = grep("x", [["a", "x\n".repeat(500)]]);
    expect(many.split("\n")).toHaveLength(101);
    expect(listMatching("**", Array.from({ length: 300 }, (_, i) => `f${i}`)).split("\n").at(-1)).toBe("[100 more; narrow the pattern]");
  });

  it("read globs as shells do", () => {
    const cases: [string, string, boolean][] = [["*.js", "a.js", true], ["*.js", "a/b.js", false], ["**/*.js", "b.js", true], ["**/*.js", "a/b/c.js", true], ["src/**", "src/a/b", true], ["a?c", "abc", true], ["a?c", "a/c", false], ["{a,b}.js", "b.js", true], ["[a-c].js", "b.js", true], ["[!a-c].js", "b.js", false], ["a.b", "axb", false], ["(x)+", "(x)+", true], ["[", "[", true], ["{a", "{a", true]];
    for (const [pattern, path, matches] of cases) expect(globExpression(pattern).test(path), `${pattern} ${path}`).toBe(matches);
    expect(cpuMs(() => void globExpression("**/".repeat(40)).test("a/".repeat(60)))).toBeLessThan(500);
  });
});

describe("run_shell_command", () => {
  it("tells exit code and output", async () => {
    expect(await call("run_shell_command", { command: "echo hi; exit 3" })).toMatchObject({ ok: false, exitCode: 3, result: "exit code 3\nhi" });
    expect(await said("run_shell_command", { command: "true" })).toBe("exit code 0");
    expect(await said("run_shell_command", { command: " " })).toBe("command is empty.");
  });

  it("ends a hanging command and says after how long; a small timeout is meant in seconds", async () => {
    expect(await call("run_shell_command", { command: "echo waiting; sleep 30", timeout: 1 })).toMatchObject({ result: "timed out after 1 s:\nwaiting" });
    expect(await call("run_shell_command", { command: "sleep 30 # npm test", timeout: 1_000 })).toMatchObject({ result: "timed out after 1 s: no output", tests: "failed" });
  });

  it("ends a command that prints 100 MB and keeps head and tail", async () => {
    const { result } = await call("run_shell_command", { command: "yes 0123456789 | head -c 100000000" });
    expect(result).toMatch(/^stopped after more than 8 MB of output:\n0123456789\n/);
    expect(result.length).toBeLessThan(10_200);
  });

  it("counts a test command that fails before any test as red", async () => {
    expect(await call("run_shell_command", { command: "node --test --no-such-flag" })).toMatchObject({ tests: "failed" });
    expect(await call("run_shell_command", { command: "exit 9 # npm run test" })).toMatchObject({ tests: "failed" });
    expect(await call("run_shell_command", { command: "ls" })).not.toHaveProperty("tests");
  });
});

describe("names that other scaffolds taught", () => {
  const path = { file_path: "src/sum.js" };
  it.each([
    ["Read", { file_path: "src/sum.js" }, "read_file", path],
    ["view", { path: "src/sum.js" }, "read_file", path],
    ["read_file", { absolute_path: "src/sum.js" }, "read_file", path],
    ["str_replace_editor", { command: "view", path: "src/sum.js", view_range: [3, 5] }, "read_file", { ...path, offset: 3, limit: 3 }],
    ["str_replace_editor", { command: "view", path: "src/sum.js", view_range: "[3, 5]" }, "read_file", { ...path, offset: 3, limit: 3 }],
    ["str_replace_based_edit_tool", { command: "str_replace", path: "src/sum.js", old_str: "a", new_str: "b" }, "edit", { ...path, old_string: "a", new_string: "b" }],
    ["str_replace_editor", { command: "create", path: "src/sum.js", file_text: "x" }, "write_file", { ...path, content: "x" }],
    ["Edit", { file_path: "src/sum.js", old_string: "a", new_string: "b", replace_all: true }, "edit", { ...path, old_string: "a", new_string: "b", replace_all: true }],
    ["Write", { file_path: "src/sum.js", content: "x" }, "write_file", { ...path, content: "x" }],
    ["Bash", { command: "ls", description: "lists" }, "run_shell_command", { command: "ls" }],
    ["execute_bash", { command: "ls" }, "run_shell_command", { command: "ls" }],
    ["Grep", { pattern: "x", path: "src" }, "grep_search", { pattern: "x", path: "src" }],
    ["Glob", { pattern: "*.js" }, "glob", { pattern: "*.js" }],
    ["list_directory", { path: "src/" }, "glob", { pattern: "src/*" }],
    ["LS", {}, "glob", { pattern: "*" }],
  ])("%s(%j) is understood", (name, args, tool, ours) => {
    expect(resolveCall(name, args)).toEqual({ ok: true, name: tool, arguments: ours });
  });

  it("insert lines where other editors do", async () => {
    expect(await said("str_replace_editor", { command: "insert", path: "src/sum.js", insert_line: 1, new_str: "  b = Number(b);" })).toBe("Edited src/sum.js. Run the tests.");
    expect(await fileText("src/sum.js")).toBe("export function sum(a, b) {\n  b = Number(b);\n  return a - b;\n}\n");
    expect(await said("str_replace_editor", { command: "insert", path: "src/sum.js", insert_line: 99, new_str: "x" })).toMatch(/insert_line must be a line of/);
  });

  it("are refused with the list of tools when nothing is meant by them", () => {
    for (const name of ["browse_web", "constructor", "__proto__", "toString", ""]) {
      expect(resolveCall(name, {})).toMatchObject({ ok: false, message: expect.stringMatching(/^There is no tool .*read_file, write_file, edit, grep_search, glob, run_shell_command\.$/) });
    }
    expect(resolveCall("str_replace_editor", { command: "undo_edit", path: "a" })).toMatchObject({ ok: false });
    expect(resolveCall("edit", { file_path: "a" })).toEqual({ ok: false, message: "edit needs old_string." });
  });

  it("do not hide that each tool has a schema whose required parameters exist", () => {
    for (const { parameters } of TOOLS) expect(parameters.required.every((name) => name in parameters.properties)).toBe(true);
  });
});

describe("the syntax gate", () => {
  it.each([
    ["a.js", "export const a = await import('./b.js');"],
    ["a.js", "with (Math) { console.log(PI) } return 1"],
    ["a.cjs", "const a = require('b'); return"],
    ["a.js", "#!/usr/bin/env node\nlet x;"],
    ["a.js", "export const A = () => <b>hi</b>;"],
    ["a.ts", "interface A { b?: number }\nexport const f = <T,>(x: T): T => x satisfies T;"],
    ["a.tsx", "export const A = ({ a }: { a: string }) => <b>{a}</b>;"],
    ["a.jsx", "export const A = () => <><b/></>;"],
    ["a.json", "\ufeff{ \"a\": [1] }"],
    ["tsconfig.json", "{ /* comment */ }"],
    ["a.py", "def f(:"],
    ["README", "{{{"],
  ])("lets %s pass: %s", async (path, text) => expect(await syntaxError(path, text)).toBeUndefined());

  it.each([
    ["a.js", "let a = ;\n", "Unexpected token at line 1: let a = ;"],
    ["a.mjs", "x\nreturn 1", "'return' outside of function at line 2: return 1"],
    ["a.ts", "const a: = 1;", /at line 1: const a: = 1;/],
    ["a.tsx", "const a = <b>;\n", /./],
    ["a.json", "{\n  \"a\": 1,\n}", /line 3: \}$/],
  ])("refuses %s: %s", async (path, text, reason) => expect(await syntaxError(path, text)).toMatch(reason));

  it("does not judge a file that did not parse before", async () => {
    expect(await gate("a.js", "let a = ;", "let b = ;")).toBeUndefined();
    expect(await gate("a.js", "let a;", "let b = ;")).toMatch(/Unexpected token/);
    expect(await gate("a.js", undefined, "let b = ;")).toMatch(/Unexpected token/);
  });
});
