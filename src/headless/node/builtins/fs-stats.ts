// fs.Stats and fs.Dirent, and how programs name paths.
import type { VfsNode, VfsStat } from "../../vfs.ts";
import { resolvePath } from "../../posix-path.ts";
import { invalidArgType, invalidArgValue } from "../errors.ts";
import { urlToFile } from "../file-url.ts";
import type { Runtime } from "../runtime.ts";

const TYPE_BITS: Readonly<Record<VfsNode["kind"], number>> = { file: 0o100000, dir: 0o040000, link: 0o120000 };

class Kinds {
  readonly #kind: VfsNode["kind"];

  constructor(kind: VfsNode["kind"]) {
    this.#kind = kind;
  }

  isFile(): boolean {
    return this.#kind === "file";
  }

  isDirectory(): boolean {
    return this.#kind === "dir";
  }

  isSymbolicLink(): boolean {
    return this.#kind === "link";
  }

  isFIFO(): boolean {
    return false;
  }

  isSocket(): boolean {
    return false;
  }

  isBlockDevice(): boolean {
    return false;
  }

  isCharacterDevice(): boolean {
    return false;
  }
}

export class Stats extends Kinds {
  dev = 1;
  mode: number;
  nlink = 1;
  uid = 1000;
  gid = 1000;
  rdev = 0;
  blksize = 4096;
  ino: number;
  size: number;
  blocks: number;
  atimeMs: number;
  mtimeMs: number;
  ctimeMs: number;
  birthtimeMs: number;
  atime: Date;
  mtime: Date;
  ctime: Date;
  birthtime: Date;

  constructor(stat: VfsStat) {
    super(stat.kind);
    this.mode = TYPE_BITS[stat.kind] | stat.mode;
    this.ino = stat.ino;
    this.size = stat.size;
    this.blocks = Math.ceil(stat.size / 512);
    this.atimeMs = stat.mtimeMs;
    this.mtimeMs = stat.mtimeMs;
    this.ctimeMs = stat.ctimeMs;
    this.birthtimeMs = stat.birthtimeMs;
    this.atime = new Date(this.atimeMs);
    this.mtime = new Date(this.mtimeMs);
    this.ctime = new Date(this.ctimeMs);
    this.birthtime = new Date(this.birthtimeMs);
  }
}

/** `bigint: true`: every number of it as a bigint. */
export function bigStats(stats: Stats): Stats {
  const big = Object.create(Object.getPrototypeOf(stats) as object, Object.getOwnPropertyDescriptors(stats)) as Record<string, unknown>;
  for (const [key, value] of Object.entries(stats)) if (typeof value === "number") big[key] = BigInt(Math.round(value));
  for (const key of ["atime", "mtime", "ctime", "birthtime"]) big[`${key}Ns`] = BigInt(Math.round((stats as unknown as Record<string, number>)[`${key}Ms`] as number)) * 1_000_000n;
  for (const kind of ["isFile", "isDirectory", "isSymbolicLink"] as const) big[kind] = () => stats[kind]();
  return big as unknown as Stats;
}

export class Dirent extends Kinds {
  name: string;
  parentPath: string;
  path: string;

  constructor(name: string, folder: string, kind: VfsNode["kind"]) {
    super(kind);
    this.name = name;
    this.parentPath = folder;
    this.path = folder;
  }
}

/** Absolute path of a program's path argument; `name` is the argument's name in errors. */
export function toPath(runtime: Runtime, value: unknown, name = "path"): string {
  return resolvePath(spelledPath(value, name), runtime.cwd);
}

/** The path as the program wrote it, for messages. */
export function spelledPath(value: unknown, name = "path"): string {
  const path = value instanceof URL ? urlToFile(value) : value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
  if (typeof path !== "string") throw invalidArgType(name, ["string", "Buffer", "URL"], value);
  if (path.includes("\0")) throw invalidArgValue(name, path, "must be a string, Uint8Array, or URL without null bytes");
  return path;
}
