// The synchronous file system: every operation once; the callback and promise versions are made from these.
import { FsError } from "../../fs-error.ts";
import { joinPath } from "../../posix-path.ts";
import { invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import type { Descriptors } from "./fs-descriptors.ts";
import { Dirent, Stats, bigStats, spelledPath, toPath } from "./fs-stats.ts";

export type SyncOperations = Record<string, AnyFunction>;

/** An options argument that may be a bare encoding. */
export function optionsOf(value: unknown): Dict {
  if (value == null || typeof value === "function") return {};
  if (typeof value === "string") return { encoding: value };
  if (typeof value !== "object") throw invalidArgType("options", ["string", "Object"], value);
  const { encoding } = value as Dict;
  if (encoding != null && encoding !== "buffer" && !Buffer.isEncoding(encoding)) throw invalidArgValue("encoding", encoding, "is invalid encoding");
  return value as Dict;
}

function decoded(bytes: Uint8Array, encoding: unknown): unknown {
  const copy = Buffer.from(bytes);
  return encoding == null || encoding === "buffer" ? copy : copy.toString(encoding as string);
}

const asTimeMs = (value: unknown): number => (value instanceof Date ? value.getTime() : Number(value) * 1000);

/** Names the path as the program spelled it: Node's messages do. */
function respell<T>(path: unknown, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof FsError && error.path !== undefined && typeof path === "string") throw new FsError(error.code, error.syscall, path, error.dest);
    throw error;
  }
}

export function createFsSync(runtime: Runtime, descriptors: Descriptors): SyncOperations {
  const { vfs } = runtime;
  const at = (value: unknown, name?: string): string => toPath(runtime, value, name);

  const readFile = (path: unknown, options?: unknown): unknown => {
    const { encoding, flag } = optionsOf(options);
    if (typeof path === "number") return decoded(descriptors.readAll(path), encoding);
    if (flag === "w+" || flag === "a+") vfs.writeFile(at(path), new Uint8Array());
    return decoded(respell(path, () => vfs.readFile(at(path))), encoding);
  };
  const writeFile = (path: unknown, data: unknown, options?: unknown): void => {
    const { encoding, flag = "w", mode } = optionsOf(options);
    if (typeof data !== "string" && !ArrayBuffer.isView(data)) throw invalidArgType("data", ["string", "Buffer", "TypedArray", "DataView"], data);
    const bytes = Uint8Array.from(toBytes(data, (encoding as string | undefined) ?? "utf8"));
    if (typeof path === "number") descriptors.write(path, bytes, null);
    else if (String(flag).startsWith("a")) respell(path, () => vfs.append(at(path), bytes));
    else respell(path, () => vfs.writeFile(at(path), bytes, { exclusive: String(flag).includes("x"), ...(typeof mode === "number" ? { mode } : {}) }));
  };
  const stat = (follow: boolean) => (path: unknown, options?: unknown): Stats | undefined => {
    const { bigint = false, throwIfNoEntry = true } = optionsOf(options);
    if (throwIfNoEntry === false && !vfs.find(at(path), follow)) return undefined;
    const found = new Stats(respell(path, () => (follow ? vfs.stat(at(path)) : vfs.lstat(at(path)))));
    return bigint === true ? bigStats(found) : found;
  };
  const readdir = (path: unknown, options?: unknown): unknown[] => {
    const { withFileTypes = false, recursive = false, encoding } = optionsOf(options);
    const spelled = spelledPath(path);
    const list = (folder: string, shown: string, prefix: string): unknown[] =>
      [...respell(spelled, () => vfs.dir(folder)).entries].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, node]) => {
        const relative = prefix ? `${prefix}/${name}` : name;
        const own = withFileTypes === true ? new Dirent(name, shown, node.kind) : encoding === "buffer" ? Buffer.from(relative) : relative;
        return recursive === true && node.kind === "dir" ? [own, ...list(joinPath(folder, name), joinPath(shown, name), relative)] : [own];
      });
    return list(at(path), spelled, "");
  };
  const mkdir = (path: unknown, options?: unknown): string | undefined => {
    const { recursive = false, mode } = typeof options === "number" ? { mode: options } : optionsOf(options) as { recursive?: boolean; mode?: number };
    const made = respell(path, () => vfs.mkdir(at(path), { recursive, ...(typeof mode === "number" ? { mode } : {}) }));
    return recursive ? made : undefined;
  };
  const rm = (path: unknown, options?: unknown): void => {
    const { recursive = false, force = false } = optionsOf(options);
    const node = vfs.find(at(path), false);
    if (!node && force === true) return;
    if (!node) throw new FsError("ENOENT", "rm", spelledPath(path));
    if (node.kind === "dir" && recursive !== true) {
      throw nodeError(Error, "ERR_FS_EISDIR", `Path is a directory: rm returned EISDIR (is a directory) ${spelledPath(path)}`, { errno: 21, syscall: "rm", path: spelledPath(path) });
    }
    vfs.removeTree(at(path));
  };
  const rmdir = (path: unknown, options?: unknown): void => {
    if (optionsOf(options)["recursive"] === true) vfs.removeTree(at(path), "rmdir");
    else respell(path, () => vfs.rmdir(at(path)));
  };
  const access = (path: unknown): void => void respell(path, () => {
    if (!vfs.exists(at(path))) throw new FsError("ENOENT", "access", spelledPath(path));
  });
  const copyFile = (from: unknown, to: unknown, mode = 0): void => {
    const source = vfs.find(at(from, "src"));
    if (!source) throw new FsError("ENOENT", "copyfile", spelledPath(from), spelledPath(to));
    if (((mode as number) & 1) !== 0 && vfs.exists(at(to, "dest"))) throw new FsError("EEXIST", "copyfile", spelledPath(from), spelledPath(to));
    vfs.writeFile(at(to, "dest"), vfs.readFile(at(from)).slice(), { syscall: "copyfile", mode: source.mode });
  };
  const cp = (from: unknown, to: unknown, options?: unknown): void => {
    const { recursive = false, force = true, errorOnExist = false, filter } = optionsOf(options) as { recursive?: boolean; force?: boolean; errorOnExist?: boolean; filter?: (a: string, b: string) => boolean };
    const copy = (source: string, target: string): void => {
      if (filter && !filter(source, target)) return;
      const node = vfs.find(source, false);
      if (!node) throw new FsError("ENOENT", "cp", source);
      if (node.kind === "dir") {
        if (!recursive) throw nodeError(Error, "ERR_FS_EISDIR", `Recursive option not enabled, cannot copy a directory: cp returned EISDIR (${source} is a directory (not copied)) ${source}`);
        vfs.mkdir(target, { recursive: true });
        for (const name of vfs.readdir(source)) copy(joinPath(source, name), joinPath(target, name));
        return;
      }
      if (vfs.exists(target) && !force) {
        if (errorOnExist) throw nodeError(Error, "ERR_FS_CP_EEXIST", `Target already exists: cp returned EEXIST (${target} already exists) ${target}`);
        return;
      }
      const slash = target.lastIndexOf("/");
      if (slash > 0) vfs.mkdir(target.slice(0, slash), { recursive: true });
      if (node.kind === "link") vfs.symlink(node.target, target);
      else vfs.writeFile(target, node.data.slice(), { mode: node.mode });
    };
    copy(at(from, "src"), at(to, "dest"));
  };
  const realpath = (path: unknown): string => respell(path, () => vfs.realpath(at(path)));
  const truncate = (path: unknown, length = 0): void => {
    if (typeof path === "number") return descriptors.truncate(path, length as number);
    const before = respell(path, () => vfs.readFile(at(path)));
    const after = new Uint8Array(length as number);
    after.set(before.subarray(0, length as number));
    vfs.writeFile(at(path), after);
  };
  let temporary = 0;

  return {
    readFileSync: readFile, writeFileSync: writeFile,
    appendFileSync: (path, data, options) => writeFile(path, data, { ...optionsOf(options), flag: "a" }),
    existsSync: (path) => {
      try {
        return vfs.exists(at(path));
      } catch (error) {
        // By contract it never throws, whatever it is given.
        if (error instanceof TypeError) return false;
        throw error;
      }
    },
    accessSync: access, statSync: stat(true), lstatSync: stat(false), readdirSync: readdir, mkdirSync: mkdir, rmSync: rm, rmdirSync: rmdir,
    unlinkSync: (path) => respell(path, () => vfs.unlink(at(path))),
    renameSync: (from, to) => {
      try {
        vfs.rename(at(from, "oldPath"), at(to, "newPath"));
      } catch (error) {
        throw error instanceof FsError ? new FsError(error.code, "rename", spelledPath(from), spelledPath(to)) : error;
      }
    },
    copyFileSync: copyFile as AnyFunction, cpSync: cp, realpathSync: Object.assign(realpath, { native: realpath }), truncateSync: truncate as AnyFunction,
    readlinkSync: (path) => respell(path, () => vfs.readlink(at(path))),
    symlinkSync: (target, path) => vfs.symlink(spelledPath(target, "target"), at(path)),
    linkSync: (from, to) => vfs.writeFile(at(to), vfs.readFile(at(from)).slice(), { exclusive: true, syscall: "link" }),
    chmodSync: (path, mode) => respell(path, () => vfs.chmod(at(path), typeof mode === "string" ? Number.parseInt(mode, 8) : Number(mode))),
    chownSync: access, lchownSync: access, lutimesSync: access,
    utimesSync: (path, _atime, mtime) => respell(path, () => vfs.utimes(at(path), asTimeMs(mtime))),
    mkdtempSync: (prefix) => {
      const path = `${spelledPath(prefix, "prefix")}${(Date.now() % 46656).toString(36).padStart(3, "0")}${(runtime.host.pid * 1000 + temporary++).toString(36).padStart(3, "0")}`;
      vfs.mkdir(at(path));
      return path;
    },
    statfsSync: () => ({ type: 0, bsize: 4096, blocks: 131072, bfree: 100000, bavail: 100000, files: 0, ffree: 0 }),
    opendirSync: (path) => {
      const entries = readdir(path, { withFileTypes: true });
      const next = (): unknown => entries.shift() ?? null;
      return {
        path, readSync: next, closeSync: () => undefined, read: () => Promise.resolve(next()), close: () => Promise.resolve(),
        async *[Symbol.asyncIterator]() {
          yield* entries;
        },
      };
    },
    ...descriptors.operations(at),
  };
}
