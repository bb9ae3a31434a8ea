// The commits of a git repository, read from its objects: no git program, no network. In Node from the folder on disk, in
// the page from the files of a .git folder.
import { log, TREE, walk } from "isomorphic-git";
import type { FileTree } from "../../project/tree.ts";

/** What isomorphic-git reads with: Node's `fs`, or `treeFiles`. */
export type GitFiles = Parameters<typeof log>[0]["fs"];

export interface Commit {
  readonly id: string;
  /** Only commits with one parent are tasks: a merge is the work of others. */
  readonly parents: readonly string[];
  readonly message: string;
}

/** Commits kept in memory at once would be too many: a repository's newest. */
const MOST_COMMITS = 20_000;

export class GitHistory {
  readonly #files: GitFiles;
  readonly #gitdir: string;
  /** isomorphic-git keeps what it has read of pack files here. */
  readonly #cache = {};

  /** `gitdir` is the path of the .git folder in `files`. */
  constructor(files: GitFiles, gitdir: string) {
    this.#files = files;
    this.#gitdir = gitdir;
  }

  /** Reachable from HEAD, oldest first: a number stays the same commit while the history grows. */
  async commits(): Promise<readonly Commit[]> {
    const found = await log({ fs: this.#files, gitdir: this.#gitdir, ref: "HEAD", depth: MOST_COMMITS, cache: this.#cache });
    return found.map(({ oid, commit }): Commit => ({ id: oid, parents: commit.parent, message: commit.message })).reverse();
  }

  /** Paths whose content differs between two commits; added and removed ones included. */
  async changed(before: string, after: string): Promise<readonly string[]> {
    const paths: string[] = [];
    await walk({
      fs: this.#files, gitdir: this.#gitdir, cache: this.#cache, trees: [TREE({ ref: before }), TREE({ ref: after })],
      map: async (path, [a, b]) => {
        const [left, right] = await Promise.all([a?.oid(), b?.oid()]);
        if (left === right) return null; // nothing below differs
        if ((await (b ?? a)?.type()) === "blob") paths.push(path);
        return undefined;
      },
    });
    return paths;
  }

  /** All files of a commit; links and submodules are left out. */
  async tree(commit: string): Promise<FileTree> {
    const files = new Map<string, Uint8Array>();
    await walk({
      fs: this.#files, gitdir: this.#gitdir, cache: this.#cache, trees: [TREE({ ref: commit })],
      map: async (path, [entry]) => {
        const isFile = entry && (await entry.type()) === "blob" && (await entry.mode()) !== 0o120000;
        if (isFile) files.set(path, new Uint8Array((await entry.content()) ?? []));
        return undefined;
      },
    });
    return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** A tree as the file system that isomorphic-git reads; paths begin with "/". It writes nothing. */
export function treeFiles(tree: FileTree): GitFiles {
  const folders = new Map<string, Set<string>>([["", new Set()]]);
  for (const path of tree.keys()) {
    const parts = path.split("/");
    for (let i = 0; i < parts.length; i++) {
      const parent = parts.slice(0, i).join("/");
      if (!folders.has(parent)) folders.set(parent, new Set());
      folders.get(parent)!.add(parts[i]!);
    }
  }
  const at = (path: string): string => path.replace(/^\/+|\/+$/g, "");
  const missing = (path: string): Error => Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
  const readOnly = async (path: string): Promise<never> => {
    throw Object.assign(new Error(`EROFS: ${path}`), { code: "EROFS" });
  };
  const stat = async (path: string): Promise<object> => {
    const bytes = tree.get(at(path));
    if (!bytes && !folders.has(at(path))) throw missing(path);
    const times = { ctimeMs: 0, mtimeMs: 0, ctime: new Date(0), mtime: new Date(0), dev: 0, ino: 0, uid: 0, gid: 0 };
    return { ...times, size: bytes?.length ?? 0, mode: bytes ? 0o100644 : 0o040000, isFile: () => bytes !== undefined, isDirectory: () => bytes === undefined, isSymbolicLink: () => false };
  };
  return {
    promises: {
      async readFile(path: string, options?: string | { readonly encoding?: string }) {
        const bytes = tree.get(at(path));
        if (!bytes) throw missing(path);
        const encoding = typeof options === "string" ? options : options?.encoding;
        return encoding === "utf8" ? new TextDecoder().decode(bytes) : bytes;
      },
      async readdir(path: string) {
        const names = folders.get(at(path));
        if (!names) throw missing(path);
        return [...names];
      },
      stat,
      lstat: stat,
      readlink: readOnly, writeFile: readOnly, unlink: readOnly, mkdir: readOnly, rmdir: readOnly, symlink: readOnly, chmod: readOnly,
    },
  };
}
