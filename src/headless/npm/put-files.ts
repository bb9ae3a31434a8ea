// What an install changes below node_modules: files, links, the folders of commands.
import { baseName, joinPath, parentPath } from "../posix-path.ts";
import type { Vfs } from "../vfs.ts";
import { relativePath } from "./lockfile.ts";
import type { Unpacked } from "./package-source.ts";
import type { TreeNode } from "./tree.ts";

export function removeIfThere(vfs: Vfs, path: string): void {
  if (vfs.find(path, false)) vfs.removeTree(path);
}

export function putLink(vfs: Vfs, node: TreeNode, target: TreeNode): void {
  removeIfThere(vfs, node.path);
  vfs.mkdir(parentPath(node.path), { recursive: true });
  vfs.symlink(relativePath(parentPath(node.path), target.path), node.path);
}

/**
 * The package's files in place of the old ones. What is nested in its node_modules stays: it has nodes of its own. Of what the
 * tarball brings there, all is put when it is `whole`, else what the tree has of it.
 */
export function putFiles(vfs: Vfs, node: TreeNode, unpacked: Unpacked | undefined, whole: boolean): void {
  const old = vfs.find(node.path, false);
  if (old?.kind === "dir") {
    for (const name of old.entries.keys()) if (name !== "node_modules") vfs.removeTree(joinPath(node.path, name));
  } else if (old) vfs.removeTree(node.path);
  const made = new Set<string>();
  const bundled = new Set([...node.children.values()].filter((child) => child.inBundle).map((child) => child.name));
  for (const { path, data, mode } of unpacked?.files ?? []) {
    const inner = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
    if (inner !== undefined && !whole && !bundled.has(inner)) continue;
    const full = joinPath(node.path, path);
    const folder = parentPath(full);
    if (!made.has(folder)) {
      vfs.mkdir(folder, { recursive: true });
      made.add(folder);
    }
    vfs.writeFile(full, data, { mode });
  }
  // Executable whatever the tarball says, and without the carriage return that no kernel accepts after `#!`.
  for (const path of Object.values(node.manifest.bin)) {
    const full = joinPath(node.path, path);
    const file = vfs.find(full);
    if (file?.kind !== "file") continue;
    if ((file.mode & 0o111) !== 0o111) vfs.chmod(full, file.mode | 0o111);
    const end = file.data.indexOf(0x0a);
    if (file.data[0] === 0x23 && end > 0 && file.data[end - 1] === 0x0d) {
      const rest = file.data.slice(0, file.data.length - 1);
      rest.set(file.data.subarray(end), end - 1);
      vfs.writeFile(full, rest);
    }
  }
}

/** node_modules/.bin: one link for each command of the packages beside it. */
export function putBinaries(vfs: Vfs, tops: readonly TreeNode[], nodes: readonly TreeNode[]): void {
  const wanted = new Map<string, Map<string, string>>();
  const modulesOf = (holder: TreeNode): string => joinPath(holder.path, "node_modules");
  for (const top of tops) wanted.set(modulesOf(top), new Map());
  for (const node of nodes) {
    if (!node.parent) continue;
    const modules = modulesOf(node.parent);
    const links = wanted.get(modules) ?? new Map<string, string>();
    wanted.set(modules, links);
    for (const [name, path] of Object.entries(node.target.manifest.bin)) {
      if (!links.has(name) && vfs.find(joinPath(node.path, path))?.kind === "file") links.set(name, `../${node.name}/${path}`);
    }
  }
  for (const [modules, links] of wanted) {
    const folder = joinPath(modules, ".bin");
    const there = vfs.find(folder);
    if (there?.kind === "dir") for (const name of there.entries.keys()) if (!links.has(name)) vfs.removeTree(joinPath(folder, name));
    if (links.size === 0) {
      removeIfThere(vfs, folder);
      continue;
    }
    vfs.mkdir(folder, { recursive: true });
    for (const [name, target] of links) {
      const path = joinPath(folder, name);
      const old = vfs.find(path, false);
      if (old?.kind === "link" && old.target === target) continue;
      removeIfThere(vfs, path);
      vfs.symlink(target, path);
    }
  }
}

export function removeEmptyScopes(vfs: Vfs, removed: readonly string[]): void {
  for (const path of removed) {
    for (let folder = parentPath(path); baseName(folder).startsWith("@") || baseName(folder) === "node_modules"; folder = parentPath(folder)) {
      const node = vfs.find(folder, false);
      if (node?.kind !== "dir" || node.entries.size > 0) break;
      vfs.removeTree(folder);
    }
  }
}
