import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeBase85, encodeBase85 } from "../../src/project/base85.ts";
import { gitBlobId } from "../../src/project/git-blob.ts";
import { patchText } from "../../src/project/patch.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { treeOf } from "../support/trees.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tabwright-patch-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: folder, stdio: "pipe", encoding: "utf8" });
}

function write(files: FileTree): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

function read(): FileTree {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(names.map((entry) => [join(entry.parentPath, entry.name).slice(folder.length + 1), new Uint8Array(readFileSync(join(entry.parentPath, entry.name)))]));
}

const sorted = (tree: FileTree) => [...tree].map(([path, content]) => [path, Buffer.from(content).toString("latin1")]).sort();

/** Real git applies it, then takes it back. */
async function proveWithGit(from: FileTree, to: FileTree): Promise<void> {
  const patch = await patchText(from, to);
  write(from);
  writeFileSync(`${folder}.patch`, patch);
  try {
    git("apply", `${folder}.patch`);
    expect(sorted(read())).toEqual(sorted(to));
    git("apply", "-R", `${folder}.patch`);
    expect(sorted(read())).toEqual(sorted(from));
  } finally {
    rmSync(`${folder}.patch`, { force: true });
  }
}

describe("a patch", () => {
  const before = treeOf({ "same.js": "1\n", "changed.js": "a\nb\nc\n", "gone.js": "x\n" });
  const after = new Map([...treeOf({ "same.js": "1\n", "changed.js": "a\nB\nc\n", "new.js": "y" }), ["image.png", new Uint8Array([0, 1])]]);

  it("is printed as git prints it", async () => {
    expect(await patchText(before, before)).toBe("");
    const patch = await patchText(before, after);
    expect(patch.replace(await gitBlobId(new Uint8Array([0, 1])), "BLOB").replaceAll(/(?<=^literal \d+\n).+$/gm, "DEFLATED")).toBe(`diff --git a/changed.js b/changed.js
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
index 0000000000000000000000000000000000000000..BLOB
GIT binary patch
literal 2
DEFLATED

literal 0
DEFLATED

diff --git a/new.js b/new.js
new file mode 100644
--- /dev/null
+++ b/new.js
@@ -0,0 +1,1 @@
+y
\\ No newline at end of file
`);
  });

  it.each<[string, Record<string, string | Uint8Array>, Record<string, string | Uint8Array>]>([
    ["new, changed and deleted files", { "a.js": "1\n2\n3\n", "gone.js": "x\n" }, { "a.js": "1\nzwei\n3\n", "dir/new.js": "y\n" }],
    ["files without a final newline, on either side", { a: "1\n2", b: "1\n2\n", c: "1\n2" }, { a: "1\n2\n", b: "1\n2", c: "1\n3" }],
    ["CRLF, mixed line ends and a byte order mark", { a: "1\r\n2\r\n3\r\n", b: "1\r\n2\n3\r\n", c: "\ufeffx\n" }, { a: "1\r\nzwei\r\n3\r\n", b: "1\r\n2\r\n3\r\n", c: "x\n" }],
    ["empty files that come and go, and files that become empty", { a: "", b: "x\n" }, { b: "", c: "" }],
    ["binary files", { a: new Uint8Array([0, 1, 2]), b: new Uint8Array([0]), c: "text\n" }, { a: Uint8Array.from({ length: 3_000 }, (_, i) => (i * i) >> 3), c: new Uint8Array([0xff, 0xfe, 0]), d: new Uint8Array([0, 255]) }],
    ["names with spaces, quotes and letters of all kinds", { "a b/c d.js": "1\n", 'say "hi".txt': "1\n", "tief/Übergröße.txt": "1\n" }, { "a b/c d.js": "2\n", "a b/new one.js": "x\n", 'say "hi".txt': "2\n", "tief/Übergröße.txt": "2\n", "日本 語.md": "n\n", "🚀.js": "r\n" }],
    ["names with spaces on binary and empty files", { "a b.bin": new Uint8Array([0, 1]) }, { "a b.bin": new Uint8Array([0, 2]), "c d.bin": new Uint8Array([0]), "e f": "" }],
    ["a file where a folder was, and the other way round", { "x/y.js": "1\n", z: "1\n" }, { x: "2\n", "z/w.js": "2\n" }],
    ["lines that look like a patch", { a: "--- a/x\n+++ b/x\n@@ -1 +1 @@\n" }, { a: "--- a/y\n+++ b/x\n@@ -1 +1 @@\ndiff --git a/q b/q\n" }],
    ["text too long to compare by line", { a: `${"x\n".repeat(60_000)}end\n` }, { a: `${"y\n".repeat(60_000)}end\n` }],
  ])("is applied and taken back by git: %s", async (_, from, to) => {
    const tree = (files: Record<string, string | Uint8Array>) => new Map(Object.entries(files).map(([path, content]) => [path, typeof content === "string" ? bytes(content) : content]));
    await proveWithGit(tree(from), tree(to));
  });

  it("is applied and taken back by git, for random trees", { timeout: 120_000 }, async () => {
    const text = fc.array(fc.constantFrom("a\n", "b\n", "c\n", "\n", "long line\n", "é\r\n", "\\ No newline at end of file\n"), { maxLength: 12 }).chain((lines) => fc.constantFrom(lines.join(""), `${lines.join("")}end`)).map(bytes);
    const content = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) });
    const tree = fc.dictionary(fc.constantFrom("a.js", "b c.js", "dir/c.js", "dir/ü.js"), content).map((files) => new Map(Object.entries(files)));
    await fc.assert(
      fc.asyncProperty(tree, tree, async (from, to) => {
        fc.pre((await patchText(from, to)) !== "");
        await proveWithGit(from, to);
      }),
      { numRuns: 25 },
    );
  });

  it("names contents as git does", async () => {
    write(new Map([["x.bin", bytes("hello\n")]]));
    expect(await gitBlobId(bytes("hello\n"))).toBe(git("hash-object", "x.bin").trim());
  });
});

describe("base 85", () => {
  it("gives back every byte sequence, and undefined for what it did not write", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (data) => {
      expect(decodeBase85(encodeBase85(data))).toEqual(data);
    }));
    for (const line of ["", "A", "D1234", "E00000", "C\"0000", "D~~~~~"]) expect(decodeBase85([line]), line).toBeUndefined();
  });
});
