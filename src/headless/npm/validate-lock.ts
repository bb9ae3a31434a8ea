// `npm ci` installs nothing that package.json does not ask for: the two files must agree.
import { NpmError } from "./error.ts";
import { loadLocked, type LockPackages, projectTree } from "./lockfile.ts";
import { nameOf } from "./place.ts";
import type { TreeNode } from "./tree.ts";
import type { Folders } from "./workspaces.ts";

/** Throws EUSAGE with the names of what is missing or does not fit. */
export function validateLock(root: TreeNode, locked: LockPackages, folders: Folders): void {
  const tree = projectTree(root.path, root.manifest, folders);
  loadLocked(tree, locked, folders);
  const problems = new Set<string>();
  for (const node of [tree, ...tree.folderChildren]) {
    for (const edge of node.edgesOut.values()) {
      if (!edge.to && !edge.optional) problems.add(`Missing: ${edge.name}@${edge.wanted} from lock file`);
      else if (edge.to && !edge.valid && !edge.peer) problems.add(`Invalid: lock file's ${nameOf(edge.to)} does not satisfy ${edge.name}@${edge.wanted}`);
    }
  }
  if (problems.size === 0) return;
  throw new NpmError("EUSAGE", "`npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.", {
    notes: ["", ...problems],
  });
}
