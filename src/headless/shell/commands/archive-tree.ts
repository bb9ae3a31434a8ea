// Files and folders of the project on their way into an archive and out of it: shared by tar, zip and unzip.
import { FsError } from "../../fs-error.ts";
import { parentPath, resolvePath } from "../../posix-path.ts";
import type { Vfs } from "../../vfs.ts";
import { statOf, type VfsNode } from "../../vfs-node.ts";
import { compareNames } from "../pattern.ts";
import { reason } from "../redirect.ts";
import { ArchiveError, type Entry } from "./tar-format.ts";

/** Everything at and below `path`, a folder before what is in it. `wanted` is asked with each name. */
export function* entriesAt(vfs: Vfs, cwd: string, path: string, wanted: (name: string) => boolean, follow = false): Generator<Entry> {
  const node = vfs.find(resolvePath(path, cwd), follow || path.endsWith("/"));
  if (!node) throw new ArchiveError(`${path}: Cannot stat: No such file or directory`);
  yield* below(path.replace(/(.)\/+$/, "$1"), node, wanted);
}

function* below(name: string, node: VfsNode, wanted: (name: string) => boolean): Generator<Entry> {
  if (!wanted(name)) return;
  const { mode, mtimeMs } = statOf(node);
  const common = { target: "", mode: mode & 0o7777, mtimeMs, data: new Uint8Array() };
  if (node.kind === "link") yield { ...common, name, kind: "link", target: node.target };
  else if (node.kind === "file") yield { ...common, name, kind: "file", data: node.data };
  else {
    yield { ...common, name: `${name}/`, kind: "dir" };
    for (const [child, inner] of [...node.entries].sort(([a], [b]) => compareNames(a, b))) yield* below(`${name}/${child}`, inner, wanted);
  }
}

/**
 * Puts one entry below `folder`. Nothing goes elsewhere: a name that leads out of the folder, or through a link, is refused
 * with ArchiveError, as is what the file system refuses.
 */
export function extract(vfs: Vfs, folder: string, name: string, entry: Entry, keepTime: boolean): void {
  const path = resolvePath(name, folder);
  if (name.split("/").includes("..") || (path !== folder && !path.startsWith(folder === "/" ? "/" : `${folder}/`))) throw new ArchiveError(`${name}: Member name contains '..'`);
  try {
    const parent = parentPath(path);
    vfs.mkdir(parent, { recursive: true });
    const real = vfs.realpath(parent);
    const home = vfs.realpath(folder);
    if (real !== home && !real.startsWith(home === "/" ? "/" : `${home}/`)) throw new ArchiveError(`${name}: Cannot open: leads out of the folder through a link`);
    const before = vfs.find(path, false);
    if (entry.kind === "dir") {
      if (before?.kind !== "dir") vfs.mkdir(path, { recursive: true, mode: entry.mode & 0o777 });
      return;
    }
    if (before && before.kind !== "dir") vfs.unlink(path);
    if (entry.kind === "link") vfs.symlink(entry.target, path);
    else if (entry.kind === "hardlink") vfs.link(resolvePath(entry.target, folder), path);
    else {
      vfs.writeFile(path, entry.data.slice(), { mode: entry.mode & 0o777 });
      if (keepTime) vfs.utimes(path, entry.mtimeMs);
    }
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    throw new ArchiveError(`${name}: Cannot open: ${reason(error)}`);
  }
}
