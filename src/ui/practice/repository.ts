// A git repository of this computer, read in the page: the files of its .git folder, and the commits in them.
import { AppError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/units.ts";
import type { GitHistory } from "../../tasks/making/git-history.ts";
import type { PickedFolder } from "../project/file-picker.ts";
import { t } from "../strings/more.ts";

export interface Repository {
  readonly name: string;
  readonly history: GitHistory;
}

/** Throws `project/not-found` for a folder without a .git folder, and for one that is too large. Nothing is written. */
export async function openRepository(picked: PickedFolder): Promise<Repository> {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  const take = async (path: string, file: File): Promise<void> => {
    bytes += file.size;
    if (bytes > LIMITS.fileSystemBytes) throw new AppError("project/not-found", t().practice.largeHistory(formatBytes(LIMITS.fileSystemBytes)));
    files.set(path, new Uint8Array(await file.arrayBuffer()));
  };
  let name: string;
  if (Array.isArray(picked)) {
    const list = picked as readonly File[];
    name = list[0]?.webkitRelativePath.split("/")[0] ?? "";
    for (const file of list) {
      const path = file.webkitRelativePath.slice(name.length + 1);
      if (path.startsWith(".git/")) await take(path, file);
    }
  } else {
    const folder = picked as FileSystemDirectoryHandle;
    name = folder.name;
    const visit = async (handle: FileSystemDirectoryHandle, under: string): Promise<void> => {
      for await (const [entry, inner] of handle.entries()) {
        if (inner.kind === "directory") await visit(inner as FileSystemDirectoryHandle, `${under}${entry}/`);
        else await take(under + entry, await (inner as FileSystemFileHandle).getFile());
      }
    };
    const git = await folder.getDirectoryHandle(".git").catch(() => undefined);
    if (git) await visit(git, ".git/");
  }
  if (!files.has(".git/HEAD")) throw new AppError("project/not-found", t().practice.noRepository(name));
  // isomorphic-git takes Node's Buffer from the global scope: https://isomorphic-git.org/docs/en/browser, seen 2026-11-26.
  const { Buffer } = await import("buffer");
  Object.assign(globalThis, { Buffer });
  const { GitHistory, treeFiles } = await import("../../tasks/making/git-history.ts");
  return { name, history: new GitHistory(treeFiles(files), "/.git") };
}
