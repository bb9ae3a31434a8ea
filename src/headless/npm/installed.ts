// The tree as it is on the disk, read from the folders themselves.
import { isWithin, joinPath, resolvePath } from "../posix-path.ts";
import { foldersOf, type Project, readPackageJson, readText } from "./host.ts";
import { type LockPackages, projectTree, readLockfile, UNLISTED } from "./lockfile.ts";
import { type Manifest, readManifest, text } from "./manifest.ts";
import { packageFolders } from "./reify.ts";
import { TreeNode } from "./tree.ts";

/** Without a package.json the project has no wishes: everything is extraneous. */
export function installedTree({ host: { vfs }, path }: Project): TreeNode {
  const folders = foldersOf(vfs);
  const manifest = vfs.exists(joinPath(path, "package.json")) ? readManifest(readPackageJson(vfs, path)) : readManifest({});
  const root = projectTree(path, manifest, folders);
  // Where a package came from, its own files do not say.
  const hidden = joinPath(path, "node_modules/.package-lock.json");
  let origins: LockPackages | undefined;
  try {
    origins = readLockfile(readText(vfs, hidden) ?? "{}", hidden);
  } catch {
    // damaged: the tree is what the folders say
  }
  const read = (holder: TreeNode): void => {
    for (const folder of packageFolders(vfs, joinPath(holder.path, "node_modules"))) {
      const origin = origins?.get(folder.slice(root.path.length + 1));
      if (origin?.[UNLISTED] === true) continue;
      const name = folder.slice(joinPath(holder.path, "node_modules").length + 1);
      const found = vfs.find(folder, false);
      const own: Manifest | undefined = folders.manifest(folder);
      if (!own || !found) continue;
      if (found.kind === "link") {
        const target = resolvePath(vfs.realpath(folder));
        const known = [...root.folderChildren].find((node) => node.path === target);
        const top = known ?? new TreeNode({ name: own.name || name, manifest: own, path: target });
        if (!known && isWithin(target, root.path)) root.addFolder(top);
        holder.add(new TreeNode({ name, manifest: own, link: top }));
        continue;
      }
      const node = new TreeNode({ name, manifest: own, resolved: text(origin?.["resolved"]) });
      holder.add(node);
      read(node);
    }
  };
  read(root);
  for (const folder of root.folderChildren) read(folder);
  return root;
}
