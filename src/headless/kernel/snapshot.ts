// Trees of files in and out: the client's internal JSON tree, the same tree as msgpack with bytes (the fast path, the
// format of @webcontainer/snapshot), and zip. What comes in is checked node by node before anything is written.
import { decode, encode } from "@msgpack/msgpack";
import { zipSync } from "fflate";
import type { SerializeOptions } from "../bridge.ts";
import { joinPath, resolvePath } from "../posix-path.ts";
import { type DirNode, MAX_DEPTH, type Vfs, type VfsNode } from "../vfs.ts";
import { unshared } from "../vfs-node.ts";
import { globMatcher } from "./glob.ts";
import { fromLatin1, latin1 } from "./text-encoding.ts";

/**
 * `c` is text, or bytes in msgpack, or one character per byte when `b`; `l` is a link's target. `m`, our own: permission
 * bits where they are not the usual ones, in binary snapshots alone.
 */
interface WireFile {
  readonly f: { readonly c?: string | Uint8Array; readonly b?: boolean; readonly l?: string; readonly m?: number };
}
interface WireDir {
  readonly d: { [name: string]: WireFile | WireDir };
}

const JSON_START = 0x7b;
const USUAL_MODE = 0o644;

/** Writes a snapshot below `at`, which is made if missing. Throws for a malformed one, before writing anything. */
export function loadSnapshot(vfs: Vfs, snapshot: Uint8Array, at: string): void {
  let tree: unknown;
  try {
    tree = snapshot[0] === JSON_START ? JSON.parse(new TextDecoder().decode(snapshot)) : decode(snapshot);
  } catch (cause) {
    throw new Error("mount: the snapshot is neither a JSON tree nor a binary snapshot", { cause });
  }
  checkDir(tree, at, 0);
  vfs.mkdir(at, { recursive: true });
  writeDir(vfs, tree, at);
}

function checkDir(value: unknown, path: string, depth: number): asserts value is WireDir {
  const entries = typeof value === "object" && value !== null ? (value as { d?: unknown }).d : undefined;
  if (typeof entries !== "object" || entries === null || depth > MAX_DEPTH) throw new Error(`mount: malformed folder at '${path}'`);
  for (const [name, child] of Object.entries(entries as Record<string, unknown>)) {
    if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) throw new Error(`mount: bad name '${name}' in '${path}'`);
    const here = joinPath(path, name);
    if (typeof child === "object" && child !== null && "f" in child) checkFile(child.f, here);
    else checkDir(child, here, depth + 1);
  }
}

function checkFile(value: unknown, path: string): void {
  const file = typeof value === "object" && value !== null ? (value as WireFile["f"]) : {};
  const hasContents = typeof file.c === "string" || file.c instanceof Uint8Array;
  if (!hasContents && typeof file.l !== "string") throw new Error(`mount: malformed file at '${path}'`);
}

function writeDir(vfs: Vfs, dir: WireDir, at: string): void {
  for (const [name, child] of Object.entries(dir.d)) {
    const path = joinPath(at, name);
    if ("d" in child) {
      const isThere = vfs.find(path)?.kind === "dir";
      if (!isThere && vfs.find(path, false)) vfs.removeTree(path);
      if (!isThere) vfs.mkdir(path);
      writeDir(vfs, child, path);
      continue;
    }
    const { c, b, l, m } = child.f;
    const old = vfs.find(path, false);
    if (old && (old.kind === "dir" || l !== undefined)) vfs.removeTree(path);
    if (l !== undefined) vfs.symlink(l, path);
    // msgpack's bytes are views of the whole snapshot: a copy frees it.
    else vfs.writeFile(path, typeof c !== "string" ? (c ?? new Uint8Array()).slice() : b === true ? fromLatin1(c) : new TextEncoder().encode(c));
    if (l === undefined && typeof m === "number") vfs.chmod(path, m);
  }
}

/** The tree at `path` in the format asked for. Excluded files stay out unless a pattern of `includes` matches them. */
export function serialize(vfs: Vfs, path: string, options: SerializeOptions): Uint8Array {
  const excluded = globMatcher(options.excludes);
  const included = globMatcher(options.includes);
  const keep = (at: string): boolean => !excluded(at) || included(at);
  // Below an excluded folder something may still be included; without `includes` it need not be looked at.
  const enter = (at: string): boolean => options.includes.length > 0 || !excluded(at);
  const dir = vfs.dir(path);
  if (options.format === "zip") {
    const files: Record<string, Uint8Array> = {};
    zipEntries(vfs, dir, resolvePath(path), "", { keep, enter }, files);
    return zipSync(files, { level: 6 });
  }
  const asBytes = options.format === "binary";
  const tree = wireDir(dir, "", { keep, enter }, asBytes);
  return asBytes ? encode(tree, { maxDepth: 2 * MAX_DEPTH + 4 }) : new TextEncoder().encode(JSON.stringify(tree));
}

interface Choice {
  keep(path: string): boolean;
  enter(path: string): boolean;
}

function wireDir(dir: DirNode, path: string, choice: Choice, asBytes: boolean): WireDir {
  const d: WireDir["d"] = Object.create(null) as WireDir["d"];
  for (const [name, child] of dir.entries) {
    // msgpack refuses this key, so that no reader's prototype is ever replaced.
    if (asBytes && name === "__proto__") continue;
    const here = path === "" ? name : `${path}/${name}`;
    if (child.kind !== "dir") {
      if (choice.keep(here)) d[name] = wireFile(child, asBytes);
    } else if (choice.enter(here)) {
      const below = wireDir(child, here, choice, asBytes);
      if (choice.keep(here) || Object.keys(below.d).length > 0) d[name] = below;
    }
  }
  return { d };
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function wireFile(node: VfsNode, asBytes: boolean): WireFile {
  if (node.kind === "link") return { f: { l: node.target } };
  if (node.kind === "dir") throw new Error("a folder is no file");
  if (asBytes) return { f: { c: node.data, ...(node.mode === USUAL_MODE ? {} : { m: node.mode }) } };
  try {
    return { f: { c: strictUtf8.decode(unshared(node.data)) } };
  } catch {
    return { f: { c: latin1(node.data), b: true } }; // not text
  }
}

/** Links become what they lead to: zip readers rarely know them. Broken links and links to folders are left out. */
function zipEntries(vfs: Vfs, dir: DirNode, root: string, path: string, choice: Choice, files: Record<string, Uint8Array>): void {
  for (const [name, child] of dir.entries) {
    const here = path === "" ? name : `${path}/${name}`;
    if (child.kind === "dir") {
      if (!choice.enter(here)) continue;
      if (choice.keep(here) && child.entries.size === 0) files[`${here}/`] = new Uint8Array();
      zipEntries(vfs, child, root, here, choice, files);
    } else if (choice.keep(here)) {
      const target = child.kind === "file" ? child : vfs.find(joinPath(root, here));
      if (target?.kind === "file") files[here] = target.data;
    }
  }
}
