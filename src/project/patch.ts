// The difference of two states as a patch that `git apply` takes whatever the files are: text line by line, everything
// else (and text too long to compare) as git's binary patch, which holds both sides, so that `git apply -R` works too.
import { zlibSync } from "fflate";
import { encodeBase85 } from "./base85.ts";
import { diffFile, type DiffLine, diffTrees, hunksOf } from "./diff.ts";
import { gitBlobId, NO_BLOB } from "./git-blob.ts";
import type { FileTree } from "./tree.ts";

/** "" where nothing differs. */
export async function patchText(before: FileTree, after: FileTree): Promise<string> {
  const files = diffTrees(before, after).map((diff) => filePatch(diff, before.get(diff.path), after.get(diff.path)));
  return (await Promise.all(files)).join("");
}

async function filePatch(diff: ReturnType<typeof diffFile>, before: Uint8Array | undefined, after: Uint8Array | undefined): Promise<string> {
  const [from, to] = [quoted(`a/${diff.path}`), quoted(`b/${diff.path}`)];
  const mode = diff.status === "added" ? "new file mode 100644\n" : diff.status === "removed" ? "deleted file mode 100644\n" : "";
  const head = `diff --git ${from} ${to}\n${mode}`;
  if (!diff.lines) {
    const ids = await Promise.all([before, after].map((bytes) => (bytes ? gitBlobId(bytes) : NO_BLOB)));
    return `${head}index ${ids.join("..")}${mode === "" ? " 100644" : ""}\nGIT binary patch\n${literal(after)}${literal(before)}`;
  }
  if (diff.lines.length === 0) return head;
  return `${head}--- ${before ? named(from) : "/dev/null"}\n+++ ${after ? named(to) : "/dev/null"}\n${hunksOf(diff.lines).map(hunkText).join("")}`;
}

function literal(bytes: Uint8Array = new Uint8Array()): string {
  return `literal ${bytes.byteLength}\n${encodeBase85(zlibSync(bytes)).map((line) => `${line}\n`).join("")}\n`;
}

/** In C's notation where the name would otherwise end early. Letters beyond ASCII stay as they are: git reads both. */
function quoted(name: string): string {
  return /["\\]/.test(name) ? `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : name;
}

/** A tab ends a name with spaces, as git has it: else `patch` takes the rest for a date. */
function named(name: string): string {
  return name.includes(" ") && !name.startsWith('"') ? `${name}\t` : name;
}

function hunkText(hunk: readonly DiffLine[]): string {
  const side = (key: "before" | "after") => {
    const numbers = hunk.flatMap((line) => line[key] ?? []);
    return numbers.length === 0 ? "0,0" : `${numbers[0]},${numbers.length}`; // no line at all: the file is new, or goes
  };
  const mark = { same: " ", removed: "-", added: "+" } as const;
  const body = hunk.map((line) => `${mark[line.kind]}${line.text.endsWith("\n") ? line.text : `${line.text}\n\\ No newline at end of file\n`}`);
  return `@@ -${side("before")} +${side("after")} @@\n${body.join("")}`;
}
