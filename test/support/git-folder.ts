// A git repository in a folder that the page's picker gives: made by git, copied into the origin private file system.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { readProject } from "../../src/cli/project-files.ts";

/** Commits these files one after another with git, and puts the .git folder into a folder that the picker gives. */
export async function putRepository(page: Page, name: string, commits: readonly Readonly<Record<string, string>>[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tabwright-repository-"));
  const git = (...args: string[]): void => void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: folder, stdio: "ignore" });
  git("init", "-b", "main");
  for (const files of commits) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    git("add", "-A");
    git("commit", "-m", "next");
  }
  const { files } = await readProject(join(folder, ".git"), ["hooks"]);
  rmSync(folder, { recursive: true });
  const packed = [...files].map(([path, bytes]) => [`.git/${path}`, Buffer.from(bytes).toString("base64")] as const);
  await page.evaluate(
    async ([into, entries]) => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(into, { create: true });
      for (const [path, base64] of entries) {
        const names = path.split("/");
        let parent = root;
        for (const part of names.slice(0, -1)) parent = await parent.getDirectoryHandle(part, { create: true });
        const writable = await (await parent.getFileHandle(names.at(-1)!, { create: true })).createWritable();
        await writable.write(Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)));
        await writable.close();
      }
    },
    [name, packed] as const,
  );
}
