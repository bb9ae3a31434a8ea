import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patchText } from "../../src/project/patch.ts";
import { applyPatch } from "../../src/project/patch-apply.ts";
import { isPatch, readPatch } from "../../src/project/patch-read.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { textOf, treeOf } from "../support/trees.ts";

const sorted = (tree: FileTree) => [...tree].map(([path, content]) => [path, Buffer.from(content).toString("latin1")]).sort();

async function refusal(files: FileTree, patch: string): Promise<string> {
  const before = sorted(files);
  const error: unknown = await applyPatch(files, patch).then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "project/patch" });
  expect(sorted(files)).toEqual(before);
  return (error as Error).message;
}

const FILE = treeOf({ "src/a.js": "one\ntwo\nthree\nfour\nfive\nsix\nseven\n" });
const CHANGE = "--- a/src/a.js\n+++ b/src/a.js\n@@ -2,3 +2,3 @@\n two\n-three\n+THREE\n four\n";

describe("a pasted patch", () => {
  it("of our own leads from one tree to the other, whatever they hold", async () => {
    const text = fc.array(fc.constantFrom("a\n", "b\n", "c\n", "\n", "é\r\n", "--- x\n", "@@ -1 +1 @@\n"), { maxLength: 14 }).chain((lines) => fc.constantFrom(lines.join(""), `${lines.join("")}end`)).map((content) => new TextEncoder().encode(content));
    const content = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) });
    const tree = fc.dictionary(fc.constantFrom("a.js", "b c.js", 'q"q.js', "dir/ü.js"), content).map((files) => new Map(Object.entries(files)));
    await fc.assert(
      fc.asyncProperty(tree, tree, async (from, to) => {
        const patch = await patchText(from, to);
        fc.pre(patch !== "");
        expect(sorted(await applyPatch(from, patch))).toEqual(sorted(to));
      }),
      { numRuns: 300 },
    );
  });

  it("of real git is understood: renames, quoted names, binary files, modes, a mail around it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tabwright-git-"));
    const git = (...args: string[]) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: folder, stdio: "pipe", encoding: "utf8" });
    const put = (path: string, content: string | Uint8Array) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    };
    try {
      git("init", "-q");
      const long = Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join("");
      put("old name.js", long);
      put("größe/x.js", "1\n");
      put("gone.bin", new Uint8Array([0, 1, 2]));
      put("kept.bin", new Uint8Array([0, 1, 2]));
      put("empty.txt", "");
      git("add", "-A");
      git("commit", "-qm", "one");
      const before = treeAt(["old name.js", "größe/x.js", "gone.bin", "kept.bin", "empty.txt"]);
      git("mv", "old name.js", "new name.js");
      put("new name.js", long.replace("line 4\n", "line four\n"));
      put("größe/x.js", "2\n");
      rmSync(join(folder, "gone.bin"));
      rmSync(join(folder, "empty.txt"));
      put("kept.bin", Uint8Array.from({ length: 4_000 }, (_, i) => (i * 7) >> 2));
      put("run.sh", "#!/bin/sh\n");
      execFileSync("chmod", ["755", join(folder, "run.sh")]);
      git("add", "-A");
      git("commit", "-qm", "two\n\nWith a text around the patch.");
      const after = treeAt(["new name.js", "größe/x.js", "kept.bin", "run.sh"]);
      for (const args of [["diff", "--binary", "-M", "HEAD~1"], ["format-patch", "--stdout", "--binary", "--full-index", "-1"], ["diff", "--binary", "--no-renames", "--no-prefix", "HEAD~1"]]) {
        expect(sorted(await applyPatch(before, git(...args))), args.join(" ")).toEqual(sorted(after));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    function treeAt(paths: readonly string[]): FileTree {
      return new Map(paths.map((path) => [path, new Uint8Array(readFileSync(join(folder, path)))]));
    }
  });

  it("finds its lines where they have moved to, and nowhere else", async () => {
    expect(textOf(await applyPatch(treeOf({ "src/a.js": "zero\nzero\none\ntwo\nthree\nfour\n" }), CHANGE), "src/a.js")).toBe("zero\nzero\none\ntwo\nTHREE\nfour\n");
    expect(await refusal(treeOf({ "src/a.js": "x\nx\ntwo\nthree\nfour\ny\ntwo\nthree\nfour\n" }), CHANGE)).toMatch(/Hunk 1 of 1 \(@@ -2,3 \+2,3 @@\) does not fit "src\/a.js": .* 2 other places \(lines 3, 7\)/);
    expect(await refusal(treeOf({ "src/a.js": "one\ntwo\nTHREE\nfour\n" }), CHANGE)).toMatch(/Hunk 1 of 1 .*not in the file \(line 3 is "THREE"\)\. Nothing was changed/);
    expect(await refusal(treeOf({ "src/a.js": "one\ntwo \nthree\nfour\n" }), CHANGE)).toMatch(/line 2 is "two "/);
  });

  it("is applied as a whole or not at all", async () => {
    const patch = `${CHANGE}@@ -6,2 +6,2 @@\n six\n-eight\n+x\n`;
    expect(await refusal(FILE, patch)).toMatch(/Hunk 2 of 2/);
    expect(await refusal(FILE, `${CHANGE}--- a/src/b.js\n+++ b/src/b.js\n@@ -1 +1 @@\n-x\n+y\n`)).toMatch(/"src\/b.js", which the project does not have/);
  });

  it("keeps the line ends of a file with CRLF, though a text field has lost the patch's", async () => {
    const crlf = treeOf({ "src/a.js": "\ufeffone\r\ntwo\r\nthree\r\nfour\r\nfive" });
    expect(textOf(await applyPatch(crlf, CHANGE), "src/a.js")).toBe("\ufeffone\r\ntwo\r\nTHREE\r\nfour\r\nfive".replace("\ufeff", ""));
    expect((await applyPatch(crlf, CHANGE)).get("src/a.js")!.slice(0, 3)).toEqual(new Uint8Array([0xef, 0xbb, 0xbf]));
    expect(await refusal(treeOf({ "src/a.js": "one\r\ntwo\nthree\r\nfour\r\n" }), CHANGE)).toMatch(/Hunk 1/);
  });

  it("whose context lost the space of its empty lines is read as it was meant", async () => {
    expect(textOf(await applyPatch(treeOf({ a: "x\n\ny\n" }), "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n x\n\n-y\n+z"), "a")).toBe("x\n\nz\n");
  });

  it.each([
    ["is cut short", CHANGE.slice(0, -8), /ends too soon, at line/],
    ["counts wrongly", CHANGE.replace("-2,3 +2,3", "-2,4 +2,3"), /ends too soon|other lines than its head/],
    ["names no file", "@@ -1 +1 @@\n-a\n+b\n", /no file is named before it/],
    ["is none", "hello\n", /This is no patch/],
    ["leaves the project", CHANGE.replaceAll("src/a.js", "../a.js"), /contains "\.\."/],
    ["is absolute", CHANGE.replaceAll("a/src/a.js", "/etc/passwd").replaceAll("b/src/a.js", "/etc/passwd"), /absolute/],
    ["makes a file that is there", "--- /dev/null\n+++ b/src/a.js\n@@ -0,0 +1 @@\n+x\n", /has a file of that name/],
    ["removes a file that holds more", "--- a/src/a.js\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n", /holds more than the patch says/],
    ["makes a link", "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n", /symbolic link/],
    ["leaves binary bytes out", "diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n", /git diff --binary/],
    ["makes a second name for a file", "--- /dev/null\n+++ b/SRC/a.js\n@@ -0,0 +1 @@\n+x\n", /one file on many disks/],
  ])("that %s is refused", async (_, patch, message) => {
    const error: unknown = await applyPatch(FILE, patch).then(() => undefined, (thrown: unknown) => thrown);
    expect((error as Error | undefined)?.message).toMatch(message);
  });

  it("whose binary bytes are damaged or grow without end is refused", async () => {
    const patch = await patchText(new Map(), new Map([["x.bin", Uint8Array.from({ length: 300 }, (_, i) => i * 7)]]));
    const data = /\n([A-Za-z].{20,})\n/.exec(patch.slice(patch.indexOf("literal")))![1]!;
    expect(await refusal(new Map(), patch.replace(data, data.slice(0, 30)))).toMatch(/damaged/);
    expect(await refusal(new Map(), patch.replace("literal 300", "literal 299"))).toMatch(/damaged/);
    expect(await refusal(new Map(), patch.replace("literal 300", "literal 4000000000"))).toMatch(/damaged/);
    expect(await refusal(new Map([["x.bin", new Uint8Array([0])]]), patch)).toMatch(/has a file of that name/);
  });

  it("is told from other text", () => {
    expect(isPatch(CHANGE)).toBe(true);
    expect(isPatch(CHANGE.replaceAll("\n", "\r\n"))).toBe(true);
    expect(isPatch("diff --git a/x b/x\nnew file mode 100644\n")).toBe(true);
    expect(isPatch("--- a rule\nand text\n")).toBe(false);
    expect(readPatch(`Dear all,\n\n${CHANGE}-- \n2.39\n`)).toHaveLength(1);
  });
});
