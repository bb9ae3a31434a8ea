// The nodes of the in-memory file system as plain, structured-cloneable data, and the operations that change it.
// A process starts from an image (the whole tree, cloned by postMessage) and is kept up to date by operations.

interface NodeBase {
  /** Unique within one file system; a replica may number its new nodes differently. */
  readonly ino: number;
  /** Permission bits only, e.g. 0o644. Kept and reported, never enforced: everything runs as one user. */
  mode: number;
  mtimeMs: number;
  ctimeMs: number;
  readonly birthtimeMs: number;
}
export interface FileNode extends NodeBase {
  readonly kind: "file";
  /** Replaced on every write, never changed in place: whoever reads it may keep it. */
  data: Uint8Array;
}
export interface DirNode extends NodeBase {
  readonly kind: "dir";
  readonly entries: Map<string, VfsNode>;
}
export interface LinkNode extends NodeBase {
  readonly kind: "link";
  readonly target: string;
}
export type VfsNode = FileNode | DirNode | LinkNode;

/** A whole file system as one value. */
export interface FileImage {
  readonly root: DirNode;
  readonly usedBytes: number;
  readonly nextIno: number;
}

/** One change. Paths are absolute, normalised and free of symbolic links up to their last part. */
export type FileOp =
  | { readonly op: "write"; readonly path: string; readonly data: Uint8Array; readonly mode?: number }
  | { readonly op: "append"; readonly path: string; readonly data: Uint8Array }
  | { readonly op: "mkdir"; readonly path: string; readonly mode?: number }
  /** Whatever is there, with everything below it. */
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "rename"; readonly from: string; readonly to: string }
  | { readonly op: "symlink"; readonly path: string; readonly target: string }
  | { readonly op: "chmod"; readonly path: string; readonly mode: number }
  | { readonly op: "utimes"; readonly path: string; readonly mtimeMs: number };

/** What `fs.watch` would report: `rename` when a name appears or disappears, `change` when contents or metadata change. */
export interface FileChange {
  readonly event: "rename" | "change";
  readonly path: string;
}

export interface VfsStat {
  readonly kind: VfsNode["kind"];
  readonly ino: number;
  /** Type and permission bits, as `stat.mode` in Node. */
  readonly mode: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
}

const TYPE_BITS = { file: 0o100000, dir: 0o040000, link: 0o120000 } as const;

export function statOf(node: VfsNode): VfsStat {
  const size = node.kind === "file" ? node.data.length : node.kind === "link" ? node.target.length : 4096;
  return {
    kind: node.kind,
    ino: node.ino,
    mode: TYPE_BITS[node.kind] | node.mode,
    size,
    mtimeMs: node.mtimeMs,
    ctimeMs: node.ctimeMs,
    birthtimeMs: node.birthtimeMs,
  };
}

/** Bytes of all files in a subtree. */
export function bytesIn(node: VfsNode): number {
  if (node.kind === "file") return node.data.length;
  if (node.kind === "link") return 0;
  let sum = 0;
  for (const child of node.entries.values()) sum += bytesIn(child);
  return sum;
}

/** A deep copy that shares file contents (they are never changed in place). */
export function cloneNode<N extends VfsNode>(node: N): N {
  if (node.kind !== "dir") return { ...node };
  const entries = new Map<string, VfsNode>();
  for (const [name, child] of node.entries) entries.set(name, cloneNode(child));
  return { ...node, entries };
}
