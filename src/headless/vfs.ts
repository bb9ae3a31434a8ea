// An in-memory POSIX file system: files, folders, symbolic links, modes and times, with Node's errors.
// The kernel holds the master; every process holds a replica that started from the master's image. A local change
// calls `onOp` (send it to the other side); a change from the other side comes in through `apply`, which does not.
// (Over 300 lines: each operation is here twice, as the call that checks and tells, and as the change itself.)
import { wallMs } from "./clock.ts";
import { CONTAINER_LIMITS } from "../base/limits.ts";
import { concat } from "./append.ts";
import { FsError, type FsErrorCode } from "./fs-error.ts";
import { isWithin, joinPath, resolvePath } from "./posix-path.ts";
import {
  bytesIn, cloneNode, namesIn, stamp, statOf, unlinkAll, unshared,
  type DirNode, type FileChange, type FileImage, type FileNode, type FileOp, type VfsNode, type VfsStat,
} from "./vfs-node.ts";

export type { DirNode, FileChange, FileImage, FileNode, FileOp, LinkNode, VfsNode, VfsStat } from "./vfs-node.ts";

/** Where a path leads. `node` is absent when only the last part is missing: the place where it could be made. */
interface Place {
  readonly node: VfsNode | undefined;
  readonly parent: DirNode | undefined;
  readonly name: string;
  /** Real path: links followed up to (and, if asked, including) the last part. */
  readonly path: string;
}

const [READ, WRITE, RUN] = [4, 2, 1];
/** As Linux: more symbolic links than this in one path is a loop. */
const MAX_LINKS = 40;
const MAX_PATH = 4095;
/** Folders in folders: Linux has no limit of its own, but what packs and copies trees goes down with them. */
export const MAX_DEPTH = 512;
/** In bytes of UTF-8. */
const MAX_NAME = 255;

/** All paths given to it are absolute and normalised (`resolvePath`). */
export class Vfs {
  /** Called after every local change. */
  onOp: ((op: FileOp) => void) | undefined;
  /** Called after every change, local or applied. */
  onChange: ((change: FileChange) => void) | undefined;
  /** Local calls fail with EACCES where the owner's permission bits say so; changes from elsewhere never do. */
  enforcesModes = false;
  #root: DirNode;
  #usedBytes: number;
  #names: number;
  #nextIno: number;
  readonly #capacity: number;

  /** Takes ownership of the image. `capacity` in bytes; a write over it fails with ENOSPC. */
  constructor(image?: FileImage, capacity: number = CONTAINER_LIMITS.fileSystemBytes) {
    this.#nextIno = image?.nextIno ?? 1;
    this.#usedBytes = image?.usedBytes ?? 0;
    this.#names = image?.names ?? 0;
    this.#root = image?.root ?? this.#newDir(0o755);
    this.#capacity = capacity;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The live tree, to be packed at once (packed-image.ts). Whoever keeps it calls `clone` instead. */
  image(): FileImage {
    return { root: this.#root, usedBytes: this.#usedBytes, names: this.#names, nextIno: this.#nextIno };
  }

  clone(): Vfs {
    return new Vfs({ ...this.image(), root: cloneNode(this.#root) }, this.#capacity);
  }

  /** The node, or undefined if there is none (a broken link included). Never throws for a missing path. */
  find(path: string, followLast = true): VfsNode | undefined {
    const found = this.lookUp(path, followLast);
    return typeof found === "string" ? undefined : found;
  }

  /** What is there, or why nothing can be. No error is made: most of what looks for modules ends so. */
  lookUp(path: string, followLast = true): VfsNode | FsErrorCode {
    const place = this.#follow(path, followLast);
    return typeof place === "string" ? place : (place.node ?? "ENOENT");
  }

  exists(path: string): boolean {
    return this.find(path) !== undefined;
  }

  stat(path: string): VfsStat {
    return statOf(this.#need(path, true, "stat").node);
  }

  lstat(path: string): VfsStat {
    return statOf(this.#need(path, false, "lstat").node);
  }

  realpath(path: string): string {
    return this.#need(path, true, "realpath").path;
  }

  /** The contents themselves, not a copy: do not write into them. */
  readFile(path: string, syscall = "open"): Uint8Array {
    const { node } = this.#need(path, true, syscall);
    if (node.kind === "dir") throw new FsError("EISDIR", "read");
    this.#permit(node, READ, syscall, path);
    return unshared((node as FileNode).data);
  }

  /** Names, sorted. */
  readdir(path: string): string[] {
    return [...this.dir(path).entries.keys()].sort();
  }

  /** The folder's node, for callers that want names and kinds at once. */
  dir(path: string): DirNode {
    const { node } = this.#need(path, true, "scandir");
    if (node.kind !== "dir") throw new FsError("ENOTDIR", "scandir", path);
    this.#permit(node, READ, "scandir", path);
    return node;
  }

  readlink(path: string): string {
    const { node } = this.#need(path, false, "readlink");
    if (node.kind !== "link") throw new FsError("EINVAL", "readlink", path);
    return node.target;
  }

  /** Creates or replaces. Keeps `data` without copying. `exclusive`: EEXIST if it is there. `mode` counts for a new file only. */
  writeFile(path: string, data: Uint8Array, options: { mode?: number; exclusive?: boolean; syscall?: string } = {}): void {
    const { mode } = options;
    this.#emit({ op: "write", path: this.#write(path, data, options), data, ...(mode === undefined ? {} : { mode }) });
  }

  append(path: string, data: Uint8Array, mode?: number): void {
    const place = this.#walk(path, true, "open");
    if (place.node?.kind !== "file") return this.writeFile(path, data.slice(), mode === undefined ? {} : { mode });
    this.#write(place.path, concat(place.node.data, data), {});
    this.#emit({ op: "append", path: place.path, data });
  }

  /** Returns the first folder made when recursive, as Node does; undefined when there was nothing to make. */
  mkdir(path: string, options: { recursive?: boolean; mode?: number } = {}): string | undefined {
    const { mode = 0o777 & ~0o022 } = options;
    if (options.recursive !== true) {
      this.#emit({ op: "mkdir", path: this.#mkdir(path, mode), mode });
      return path;
    }
    let first: string | undefined;
    let current = "/";
    const parts = resolvePath(path).split("/").filter(Boolean);
    for (const [k, part] of parts.entries()) {
      current = joinPath(current, part);
      const { node } = this.#walk(current, true, "mkdir");
      if (node?.kind === "dir") continue;
      if (!node && this.find(current, false)) throw new FsError("ENOENT", "mkdir", path); // a link to nowhere
      if (node) throw new FsError(k === parts.length - 1 ? "EEXIST" : "ENOTDIR", "mkdir", path);
      this.#emit({ op: "mkdir", path: this.#mkdir(current, mode), mode });
      first ??= current;
    }
    return first;
  }

  /** Removes a file or link. */
  unlink(path: string): void {
    const { node, parent, path: real } = this.#need(path, false, "unlink");
    if (node.kind === "dir") throw new FsError("EISDIR", "unlink", path);
    this.#permit(parent, WRITE, "unlink", path);
    this.#remove(real);
    this.#emit({ op: "remove", path: real });
  }

  /** Removes an empty folder. */
  rmdir(path: string): void {
    const { node, parent, path: real } = this.#need(path, false, "rmdir");
    if (node.kind !== "dir") throw new FsError("ENOTDIR", "rmdir", path);
    this.#permit(parent, WRITE, "rmdir", path);
    if (node.entries.size > 0) throw new FsError("ENOTEMPTY", "rmdir", path);
    this.#remove(real);
    this.#emit({ op: "remove", path: real });
  }

  /** Removes whatever is there, with everything below it. Removing the root empties it. */
  removeTree(path: string, syscall = "rm"): void {
    const { node, parent, path: real } = this.#need(path, false, syscall);
    this.#permitRemoval(node, parent, path);
    this.#remove(real);
    this.#emit({ op: "remove", path: real });
  }

  /** A second name for a file. */
  link(from: string, to: string): void {
    const source = this.#need(from, false, "link", to);
    const target = this.#target(from, to, "link");
    if (target.node) throw new FsError("EEXIST", "link", from, to);
    if (source.node.kind === "dir") throw new FsError("EPERM", "link", from, to);
    this.#permit(target.parent, WRITE, "link", from, to);
    this.#link(source.path, target.path);
    this.#emit({ op: "link", from: source.path, to: target.path });
  }

  rename(from: string, to: string): void {
    // Both folders are looked up before either name: that order decides which error wins.
    this.#walk(from, false, "rename", to);
    const target = this.#target(from, to, "rename");
    const source = this.#need(from, false, "rename", to);
    if (source.path === target.path) return;
    for (const parent of [source.parent, target.parent]) this.#permit(parent, WRITE, "rename", from, to);
    if (isWithin(target.path, source.path) || !target.parent) throw new FsError("EINVAL", "rename", from, to);
    if (target.node) {
      const dirs = [source.node.kind === "dir", target.node.kind === "dir"];
      if (!dirs[0] && dirs[1]) throw new FsError("EISDIR", "rename", from, to);
      if (dirs[0] && !dirs[1]) throw new FsError("ENOTDIR", "rename", from, to);
      if (target.node.kind === "dir" && target.node.entries.size > 0) throw new FsError("ENOTEMPTY", "rename", from, to);
    }
    this.#rename(source.path, target.path);
    this.#emit({ op: "rename", from: source.path, to: target.path });
  }

  /** `target` is kept as written; relative ones start at the link's folder. */
  symlink(target: string, path: string): void {
    const place = this.#walk(path, false, "symlink");
    if (place.node || !place.parent) throw new FsError("EEXIST", "symlink", target, path);
    this.#permit(place.parent, WRITE, "symlink", target, path);
    this.#symlink(place.path, target);
    this.#emit({ op: "symlink", path: place.path, target });
  }

  chmod(path: string, mode: number): void {
    const place = this.#need(path, true, "chmod");
    this.#touch(place.node, { mode: mode & 0o7777 }, place.path);
    this.#emit({ op: "chmod", path: place.path, mode: mode & 0o7777 });
  }

  /** `followLast` false: of a symbolic link itself. */
  utimes(path: string, mtimeMs: number, atimeMs = mtimeMs, followLast = true): void {
    const place = this.#need(path, followLast, followLast ? "utime" : "lutime");
    this.#touch(place.node, { mtimeMs, atimeMs }, place.path);
    this.#emit({ op: "utimes", path: place.path, mtimeMs, atimeMs, ...(followLast ? {} : { link: true }) });
  }

  /** Throws EACCES unless the owner may do it: any of `read` 4, `write` 2, `run` 1, added up. */
  permit(path: string, wanted: number, syscall: string): void {
    const { node } = this.#need(path, true, syscall);
    if ((wanted & RUN) !== 0 && node.kind === "file" && (node.mode & 0o111) === 0) throw new FsError("EACCES", syscall, path);
    for (const bit of [READ, WRITE, RUN]) if ((wanted & bit) !== 0) this.#permit(node, bit, syscall, path);
  }

  /** As `apply`, for a replica: a change that no longer fits, because two processes changed one place at once, is left out. */
  follow(op: FileOp): void {
    try {
      this.apply(op);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
    }
  }

  /** Replays a change made elsewhere. Where two sides changed the same place, the change that arrives last wins. */
  apply(op: FileOp): void {
    const enforces = this.enforcesModes;
    this.enforcesModes = false;
    try {
      this.#apply(op);
    } finally {
      this.enforcesModes = enforces;
    }
  }

  #apply(op: FileOp): void {
    switch (op.op) {
      case "write": {
        this.#write(op.path, op.data, op.mode === undefined ? {} : { mode: op.mode });
        return;
      }
      case "append": {
        const node = this.find(op.path);
        this.#write(op.path, node?.kind === "file" ? concat(node.data, op.data) : op.data, {});
        return;
      }
      case "mkdir":
        if (!this.exists(op.path)) this.#mkdir(op.path, op.mode ?? 0o755);
        return;
      case "remove":
        if (this.find(op.path, false)) this.#remove(op.path);
        return;
      case "rename":
        this.#rename(op.from, op.to);
        return;
      case "symlink":
        this.#symlink(op.path, op.target);
        return;
      case "link":
        this.#link(op.from, op.to);
        return;
      case "chmod":
        this.#touch(this.#need(op.path, true, "chmod").node, { mode: op.mode }, op.path);
        return;
      case "utimes":
        this.#touch(this.#need(op.path, op.link !== true, "utime").node, { mtimeMs: op.mtimeMs, ...(op.atimeMs === undefined ? {} : { atimeMs: op.atimeMs }) }, op.path);
        return;
      default:
        op satisfies never;
    }
  }

  #emit(op: FileOp): void {
    this.onOp?.(op);
  }

  #changed(event: FileChange["event"], path: string): void {
    this.onChange?.({ event, path });
  }

  #base(mode: number): { ino: number; mode: number; mtimeMs: number; ctimeMs: number; birthtimeMs: number } {
    const now = wallMs();
    return { ino: this.#nextIno++, mode, mtimeMs: now, ctimeMs: now, birthtimeMs: now };
  }

  #newDir(mode: number): DirNode {
    return { kind: "dir", entries: new Map(), ...this.#base(mode) };
  }

  /** Throws when a part before the last is missing or no folder. The error has the caller's spelling of the path. */
  #walk(path: string, followLast: boolean, syscall: string, dest?: string): Place {
    const place = this.#follow(path, followLast);
    if (typeof place === "string") throw new FsError(place, syscall, path, dest);
    return place;
  }

  /** Follows `path` from the root; what is wrong, when a part before the last is missing or no folder. */
  #follow(path: string, followLast: boolean, links = 0): Place | FsErrorCode {
    if (links > MAX_LINKS) return "ELOOP";
    if (path.length > MAX_PATH) return "ENAMETOOLONG";
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.length > MAX_DEPTH) return "ENAMETOOLONG";
    let node: VfsNode = this.#root;
    let parent: DirNode | undefined;
    let name = "";
    let real = "/";
    for (const [k, part] of parts.entries()) {
      if (node.kind !== "dir") return "ENOTDIR";
      if (this.enforcesModes && (node.mode & 0o100) === 0) return "EACCES";
      if (isLongName(part)) return "ENAMETOOLONG";
      const last = k === parts.length - 1;
      name = part;
      const here = joinPath(real, part);
      const child: VfsNode | undefined = node.entries.get(part);
      if (!child) {
        if (last) return { node: undefined, parent: node, name, path: here };
        return "ENOENT";
      }
      if (child.kind === "link" && (followLast || !last)) {
        return this.#follow([resolvePath(child.target, real), ...parts.slice(k + 1)].join("/"), followLast, links + 1);
      }
      parent = node;
      node = child;
      real = here;
    }
    return { node, parent, name, path: real };
  }

  #need(path: string, followLast: boolean, syscall: string, dest?: string): Place & { readonly node: VfsNode } {
    const place = this.#walk(path, followLast, syscall, dest);
    if (!place.node) throw new FsError("ENOENT", syscall, path, dest);
    return { ...place, node: place.node };
  }

  #permit(node: VfsNode | undefined, wanted: number, syscall: string, path: string, dest?: string): void {
    if (this.enforcesModes && node && node.kind !== "link" && (node.mode & (wanted << 6)) === 0) throw new FsError("EACCES", syscall, path, dest);
  }

  #permitRemoval(node: VfsNode, parent: DirNode | undefined, path: string): void {
    if (!this.enforcesModes) return;
    if (node.kind === "dir" && node.entries.size > 0) {
      this.#permit(node, READ, "scandir", path);
      for (const [name, child] of node.entries) this.#permitRemoval(child, node, joinPath(path, name));
    }
    this.#permit(parent, WRITE, node.kind === "dir" ? "rmdir" : "unlink", path);
  }

  #reserve(bytes: number, syscall: string, path: string): void {
    if (this.#usedBytes + bytes > this.#capacity) throw new FsError("ENOSPC", syscall, path);
    this.#usedBytes += bytes;
  }

  /** Counts one more name, or throws. */
  #claim(syscall: string, path: string): void {
    if (this.#names >= CONTAINER_LIMITS.fileSystemNames) throw new FsError("ENOSPC", syscall, path);
    this.#names++;
  }

  /** Returns the real path written. */
  #write(path: string, data: Uint8Array, options: { mode?: number; exclusive?: boolean; syscall?: string }): string {
    const { mode = 0o644, exclusive = false, syscall = "open" } = options;
    const place = this.#walk(path, true, syscall);
    const { node, parent } = place;
    if (node && exclusive) throw new FsError("EEXIST", syscall, path);
    if (node && node.kind !== "file") throw new FsError("EISDIR", syscall, path);
    this.#permit(node ?? parent, WRITE, syscall, path);
    if (!node) this.#claim(syscall, path);
    this.#reserve(data.length - (node?.data.length ?? 0), "write", path);
    if (node) {
      node.data = data;
      stamp(node);
    } else if (parent) {
      parent.entries.set(place.name, { kind: "file", data, ...this.#base(mode & 0o7777) });
      stamp(parent);
    }
    if (!node) this.#changed("rename", place.path);
    // As on Linux a new file is heard of twice: it is made, and then written.
    if (node || data.length > 0) this.#changed("change", place.path);
    return place.path;
  }

  #mkdir(path: string, mode: number): string {
    const place = this.#walk(path, false, "mkdir");
    if (place.node || !place.parent) throw new FsError("EEXIST", "mkdir", path);
    this.#permit(place.parent, WRITE, "mkdir", path);
    this.#claim("mkdir", path);
    place.parent.entries.set(place.name, this.#newDir(mode & 0o7777));
    stamp(place.parent);
    this.#changed("rename", place.path);
    return place.path;
  }

  #remove(path: string): void {
    const place = this.#need(path, false, "rm");
    this.#usedBytes -= bytesIn(place.node);
    this.#names -= namesIn(place.node) - (place.parent ? 0 : 1);
    unlinkAll(place.node);
    if (place.parent) {
      place.parent.entries.delete(place.name);
      stamp(place.parent);
    } else {
      this.#root.entries.clear();
    }
    this.#changed("rename", place.path);
  }

  #rename(from: string, to: string): void {
    const source = this.#need(from, false, "rename", to);
    const target = this.#target(from, to, "rename");
    if (!source.parent || !target.parent || isWithin(target.path, source.path)) throw new FsError("EINVAL", "rename", from, to);
    // Two names of one file: POSIX leaves both.
    if (target.node === source.node) return;
    if (target.node) {
      this.#usedBytes -= bytesIn(target.node);
      this.#names -= namesIn(target.node);
      unlinkAll(target.node);
    }
    source.parent.entries.delete(source.name);
    target.parent.entries.set(target.name, source.node);
    stamp(source.parent);
    stamp(target.parent);
    source.node.ctimeMs = target.parent.ctimeMs;
    this.#changed("rename", source.path);
    this.#changed("rename", target.path);
  }

  /** Where the second path of a call leads; errors name both. */
  #target(from: string, to: string, syscall: string): Place {
    const place = this.#follow(to, false);
    if (typeof place === "string") throw new FsError(place, syscall, from, to);
    return place;
  }

  #link(from: string, to: string): void {
    const { node } = this.#need(from, false, "link", to);
    const target = this.#target(from, to, "link");
    if (!target.parent || target.node || node.kind === "dir") throw new FsError("EEXIST", "link", from, to);
    this.#claim("link", to);
    node.links = (node.links ?? 1) + 1;
    target.parent.entries.set(target.name, node);
    stamp(target.parent);
    node.ctimeMs = target.parent.ctimeMs;
    this.#changed("rename", target.path);
  }

  #symlink(path: string, target: string): void {
    const place = this.#walk(path, false, "symlink");
    if (!place.parent) throw new FsError("EEXIST", "symlink", target, path);
    if (place.node) {
      this.#usedBytes -= bytesIn(place.node);
      this.#names -= namesIn(place.node);
    }
    this.#claim("symlink", path);
    place.parent.entries.set(place.name, { kind: "link", target, ...this.#base(0o777) });
    stamp(place.parent);
    this.#changed("rename", place.path);
  }

  #touch(node: VfsNode, update: { mode?: number; mtimeMs?: number; atimeMs?: number }, path: string): void {
    if (update.mode !== undefined) node.mode = update.mode;
    if (update.atimeMs !== undefined) node.atimeMs = update.atimeMs;
    if (update.mtimeMs !== undefined) node.mtimeMs = update.mtimeMs;
    node.ctimeMs = wallMs();
    this.#changed("change", path);
  }
}

function isLongName(name: string): boolean {
  return name.length > MAX_NAME / 3 && new TextEncoder().encode(name).length > MAX_NAME;
}
