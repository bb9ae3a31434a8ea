// fs.Stats, its bigint form, and fs.Dirent.
import type { VfsNode, VfsStat } from "../../vfs.ts";
import type { AnyFunction, Dict } from "../runtime.ts";

const S_IFMT = 0o170000;
const KINDS = { isDirectory: 0o040000, isFile: 0o100000, isBlockDevice: 0o060000, isCharacterDevice: 0o020000, isSymbolicLink: 0o120000, isFIFO: 0o010000, isSocket: 0o140000 } as const;
const UID = 1000;
const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
const NANOSECONDS = 1_000_000n;

type Times = readonly [atimeMs: number, mtimeMs: number, ctimeMs: number, birthtimeMs: number];
const TIME_NAMES = ["atime", "mtime", "ctime", "birthtime"] as const;

interface Fields extends Dict {
  mode: number | bigint;
}
type StatsClass = (new (...values: unknown[]) => Dict) & { prototype: Dict };

/** Callable with the fields in Node's order; programs that make their own stats do that. */
export const Stats = function Stats(this: Fields, dev: number, mode: number, nlink: number, uid: number, gid: number, rdev: number, blksize: number, ino: number, size: number, blocks: number, ...times: number[]): void {
  Object.assign(this, { dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks });
  for (const [k, name] of TIME_NAMES.entries()) this[`${name}Ms`] = times[k];
  for (const [k, name] of TIME_NAMES.entries()) this[name] = new Date(Number(times[k]) + 0.5);
} as unknown as StatsClass;

const BigIntStats = function BigIntStats(this: Fields, values: Readonly<Record<string, bigint>>, times: readonly bigint[]): void {
  Object.assign(this, values);
  for (const [k, name] of TIME_NAMES.entries()) this[`${name}Ms`] = times[k];
  for (const [k, name] of TIME_NAMES.entries()) this[`${name}Ns`] = (times[k] as bigint) * NANOSECONDS;
  for (const [k, name] of TIME_NAMES.entries()) this[name] = new Date(Number(times[k]));
} as unknown as StatsClass;

// As in Node, the kinds are on a prototype that both share.
const base: Dict = {};
for (const [name, bits] of Object.entries(KINDS)) {
  base[name] = { [name](this: Fields): boolean {
    return typeof this.mode === "bigint" ? (this.mode & BigInt(S_IFMT)) === BigInt(bits) : (this.mode & S_IFMT) === bits;
  } }[name];
}
for (const Class of [Stats, BigIntStats]) Object.setPrototypeOf(Class.prototype, base);
// One of them it has itself: the package `esm` copies what is the prototype's own.
Stats.prototype["isFile"] = { isFile: base["isFile"] }.isFile;

/** `bigint`: every number of it as a bigint. */
export function makeStats(stat: VfsStat, bigint = false): Dict {
  const times: Times = [stat.atimeMs, stat.mtimeMs, stat.ctimeMs, stat.birthtimeMs];
  const numbers = { dev: 1, mode: stat.mode, nlink: stat.links, uid: UID, gid: UID, rdev: 0, blksize: BLOCK_BYTES, ino: stat.ino, size: stat.size, blocks: Math.ceil(stat.size / BLOCK_BYTES) * (BLOCK_BYTES / SECTOR_BYTES) };
  if (!bigint) return new Stats(...Object.values(numbers), ...times);
  return new BigIntStats(Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value)])), times.map((time) => BigInt(Math.floor(time))));
}

/** Of a file that is not there: what `watchFile` reports. */
export function emptyStats(bigint = false): Dict {
  return bigint ? new BigIntStats({ dev: 0n, mode: 0n, nlink: 0n, uid: 0n, gid: 0n, rdev: 0n, blksize: 0n, ino: 0n, size: 0n, blocks: 0n }, [0n, 0n, 0n, 0n]) : new Stats(...Array.from({ length: 14 }, () => 0));
}

const TYPE = Symbol("type");
const DIRENT_TYPES: Readonly<Record<VfsNode["kind"], number>> = { file: 1, dir: 2, link: 3 };
const DIRENT_KINDS = { isDirectory: 2, isFile: 1, isBlockDevice: 7, isCharacterDevice: 6, isSymbolicLink: 3, isFIFO: 4, isSocket: 5 } as const;

export class Dirent {
  name: unknown;
  parentPath: string;
  path: string;
  [TYPE]: number;

  constructor(name: unknown, type: number, folder: string) {
    this.name = name;
    this.parentPath = folder;
    this.path = folder;
    this[TYPE] = type;
  }
}
for (const [name, type] of Object.entries(DIRENT_KINDS)) {
  const method: AnyFunction = { [name](this: Dirent): boolean {
    return this[TYPE] === type;
  } }[name] as unknown as AnyFunction;
  Object.defineProperty(Dirent.prototype, name, { value: method, writable: true, configurable: true, enumerable: false });
}

export const makeDirent = (name: unknown, folder: string, kind: VfsNode["kind"]): Dirent => new Dirent(name, DIRENT_TYPES[kind], folder);
