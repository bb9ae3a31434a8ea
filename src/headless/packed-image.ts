// A file system's tree as a few flat arrays, which the engine copies from one realm to another far faster than tens of
// thousands of objects. Who unpacks it makes each folder's nodes when they are first asked for: most programs touch few
// of a project's folders.
import type { DirNode, FileImage, VfsNode } from "./vfs-node.ts";

export interface PackedImage {
  /** FIELDS numbers for each node, the root's first. */
  readonly nodes: Float64Array;
  /** For each name in a folder, in the folder's order, the node that it leads to. Several names of one file lead to one node. */
  readonly children: Int32Array;
  /** The names, in the order of `children`, with slashes between them: none has one in it. */
  readonly childNames: string;
  /** Of symbolic links. */
  readonly targets: readonly string[];
  /** Memory that contents lie in, and contents that lie in memory of their own. */
  readonly contents: readonly (SharedArrayBuffer | Uint8Array)[];
  readonly rest: Omit<FileImage, "root">;
}

/** kind, mode, ino, links (0: not there), atimeMs (NaN: not there), mtimeMs, ctimeMs, birthtimeMs, and three by kind. */
const FIELDS = 11;
/** Of a folder: the first of its names and how many there are. Of a file: its contents (-1: it is empty), where they begin in those and how long they are. Of a link: its target. */
const [FIRST, SECOND, THIRD] = [8, 9, 10] as const;
const KINDS = ["file", "dir", "link"] as const;

/** The tree is left as it is. */
export function packImage({ root, ...rest }: FileImage): PackedImage {
  const nodes = new Float64Array((rest.names + 1) * FIELDS);
  const children = new Int32Array(rest.names);
  const names: string[] = [];
  const targets: string[] = [];
  const contents: (SharedArrayBuffer | Uint8Array)[] = [];
  const blocks = new Map<SharedArrayBuffer, number>();
  const linked = new Map<VfsNode, number>();
  let made = 0;

  const putContents = (data: Uint8Array, at: number): void => {
    const { buffer } = data;
    let index = -1;
    if (data.length > 0 && buffer instanceof ArrayBuffer) index = contents.push(data) - 1;
    else if (data.length > 0) {
      index = blocks.get(buffer as SharedArrayBuffer) ?? contents.push(buffer as SharedArrayBuffer) - 1;
      blocks.set(buffer as SharedArrayBuffer, index);
      nodes[at + SECOND] = data.byteOffset;
    }
    nodes[at + FIRST] = index;
    nodes[at + THIRD] = data.length;
  };
  const put = (node: VfsNode): number => {
    const known = node.links === undefined ? undefined : linked.get(node);
    if (known !== undefined) return known;
    const index = made++;
    const at = index * FIELDS;
    nodes[at] = KINDS.indexOf(node.kind);
    nodes[at + 1] = node.mode;
    nodes[at + 2] = node.ino;
    nodes[at + 3] = node.links ?? 0;
    nodes[at + 4] = node.atimeMs ?? Number.NaN;
    nodes[at + 5] = node.mtimeMs;
    nodes[at + 6] = node.ctimeMs;
    nodes[at + 7] = node.birthtimeMs;
    if (node.kind === "file") putContents(node.data, at);
    else if (node.kind === "link") nodes[at + FIRST] = targets.push(node.target) - 1;
    if (node.links !== undefined) linked.set(node, index);
    return index;
  };
  // Folder by folder, so that a folder's names lie together.
  const folders: DirNode[] = [root];
  const indices = [put(root)];
  for (let k = 0; k < folders.length; k++) {
    const { entries } = folders[k] as DirNode;
    const at = (indices[k] as number) * FIELDS;
    nodes[at + FIRST] = names.length;
    nodes[at + SECOND] = entries.size;
    for (const [name, child] of entries) {
      const index = put(child);
      children[names.length] = index;
      names.push(name);
      if (child.kind === "dir") {
        folders.push(child);
        indices.push(index);
      }
    }
  }
  return { nodes, children, childNames: names.join("/"), targets, contents, rest };
}

/** The tree again. It is made as it is read, so that what it was unpacked from must stay as it is. */
export function unpackImage(packed: PackedImage): FileImage {
  return { ...packed.rest, root: new Unpacker(packed).node(0) as DirNode };
}

class Unpacker {
  readonly #packed: PackedImage;
  readonly #names: readonly string[];
  /** Nodes of several names. */
  readonly #linked = new Map<number, VfsNode>();

  constructor(packed: PackedImage) {
    this.#packed = packed;
    this.#names = packed.childNames.split("/");
  }

  node(index: number): VfsNode {
    const known = this.#linked.get(index);
    if (known) return known;
    const { nodes, targets } = this.#packed;
    const field = (k: number): number => nodes[index * FIELDS + k] as number;
    const [links, atimeMs] = [field(3), field(4)];
    const base = {
      mode: field(1), ino: field(2), mtimeMs: field(5), ctimeMs: field(6), birthtimeMs: field(7),
      ...(links === 0 ? {} : { links }), ...(Number.isNaN(atimeMs) ? {} : { atimeMs }),
    };
    const kind = KINDS[field(0)];
    const node: VfsNode =
      kind === "dir" ? new PackedDir(base, () => this.#entries(field(FIRST), field(SECOND)))
      : kind === "link" ? { kind, ...base, target: targets[field(FIRST)] as string }
      : { kind: "file", ...base, data: this.#contents(field(FIRST), field(SECOND), field(THIRD)) };
    if (links !== 0) this.#linked.set(index, node);
    return node;
  }

  #entries(first: number, count: number): Map<string, VfsNode> {
    const entries = new Map<string, VfsNode>();
    for (let k = first; k < first + count; k++) entries.set(this.#names[k] as string, this.node(this.#packed.children[k] as number));
    return entries;
  }

  #contents(index: number, offset: number, length: number): Uint8Array {
    const contents = this.#packed.contents[index];
    if (contents === undefined) return new Uint8Array();
    return contents instanceof Uint8Array ? contents : new Uint8Array(contents, offset, length);
  }
}

class PackedDir implements DirNode {
  readonly kind = "dir";
  readonly ino: number;
  mode: number;
  mtimeMs: number;
  ctimeMs: number;
  readonly birthtimeMs: number;
  // Only declared: where they are not there they are no properties.
  declare links?: number;
  declare atimeMs?: number;
  #read: (() => Map<string, VfsNode>) | undefined;
  #entries = new Map<string, VfsNode>();

  constructor({ ino, mode, mtimeMs, ctimeMs, birthtimeMs, ...more }: Omit<DirNode, "kind" | "entries">, read: () => Map<string, VfsNode>) {
    this.ino = ino;
    this.mode = mode;
    this.mtimeMs = mtimeMs;
    this.ctimeMs = ctimeMs;
    this.birthtimeMs = birthtimeMs;
    Object.assign(this, more);
    this.#read = read;
  }

  get entries(): Map<string, VfsNode> {
    if (this.#read) {
      this.#entries = this.#read();
      this.#read = undefined;
    }
    return this.#entries;
  }
}
