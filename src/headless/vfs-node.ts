// The nodes of the in-memory file system as plain, structured-cloneable data, and the operations that change it.
// A process starts from an image (the whole tree, packed-image.ts) and is kept up to date by operations.
import { wallMs } from "./clock.ts";

interface NodeBase {
  /** Unique within one file system; a replica may number its new nodes differently. */
  readonly ino: number;
  /** Permission bits only, e.g. 0o644. Everything runs as one user, so the owner's are the ones that count. */
  mode: number;
  /** Names that lead to it; absent: one. */
  links?: number;
  /** Set by `utimes` only: reading does not change it. Absent: as `mtimeMs`. */
  atimeMs?: number;
  mtimeMs: number;
  ctimeMs: number;
  readonly birthtimeMs: number;
}
export interface FileNode extends NodeBase {
  readonly kind: "file";
  /** Replaced on every write, never changed in place: whoever reads it may keep it. May lie in shared memory (`unshared`). */
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
  /** Files, folders and links, the root not counted. */
  readonly names: number;
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
  /** A second name for a file. */
  | { readonly op: "link"; readonly from: string; readonly to: string }
  | { readonly op: "chmod"; readonly path: string; readonly mode: number }
  /** `link`: of the symbolic link itself. */
  | { readonly op: "utimes"; readonly path: string; readonly mtimeMs: number; readonly atimeMs?: number; readonly link?: boolean };

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
  readonly links: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
}

const TYPE_BITS = { file: 0o100000, dir: 0o040000, link: 0o120000 } as const;

export function statOf(node: VfsNode): VfsStat {
  const size = node.kind === "file" ? node.data.length : node.kind === "link" ? node.target.length : 4096;
  let links = node.links ?? 1;
  if (node.kind === "dir") {
    // Its name, its ".", and the ".." of every folder in it.
    links = 2;
    for (const child of node.entries.values()) if (child.kind === "dir") links++;
  }
  return {
    kind: node.kind,
    ino: node.ino,
    mode: TYPE_BITS[node.kind] | node.mode,
    size,
    links,
    atimeMs: node.atimeMs ?? node.mtimeMs,
    mtimeMs: node.mtimeMs,
    ctimeMs: node.ctimeMs,
    birthtimeMs: node.birthtimeMs,
  };
}

/** Bytes of all files in a subtree. A file with other names elsewhere counts nothing: it stays. */
export function bytesIn(node: VfsNode): number {
  if (node.kind === "file") return (node.links ?? 1) > 1 ? 0 : node.data.length;
  if (node.kind === "link") return 0;
  let sum = 0;
  for (const child of node.entries.values()) sum += bytesIn(child);
  return sum;
}

/** The bytes for those that take none in shared memory, such as TextDecoder. */
export function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
}

/** The node itself and all below it. */
export function namesIn(node: VfsNode): number {
  let sum = 1;
  if (node.kind === "dir") for (const child of node.entries.values()) sum += namesIn(child);
  return sum;
}

/** A deep copy that shares file contents (they are never changed in place). Names of one file stay names of one. */
export function cloneNode<N extends VfsNode>(node: N, linked = new Map<VfsNode, VfsNode>()): N {
  if (node.kind !== "dir") {
    if ((node.links ?? 1) < 2) return { ...node };
    const copy = linked.get(node) ?? { ...node };
    linked.set(node, copy);
    return copy as N;
  }
  const entries = new Map<string, VfsNode>();
  for (const [name, child] of node.entries) entries.set(name, cloneNode(child, linked));
  return { ...node, entries };
}

/** The files of a subtree lose one name each. */
export function unlinkAll(node: VfsNode): void {
  if (node.kind === "dir") for (const child of node.entries.values()) unlinkAll(child);
  else if (node.links !== undefined) node.links--;
}

/** What it holds has changed: bytes, or names. */
export function stamp(node: VfsNode): void {
  node.mtimeMs = node.ctimeMs = wallMs();
}
