// Every operation on paths, once: the arguments are checked by the call, the work is done by the function it returns.
// The synchronous, the callback and the promise form of `fs` are made from these. (Over 300 lines: it is one table.)
import { fileBlob } from "./file-blob.ts";
import { FsError } from "../../fs-error.ts";
import { joinPath, parentPath, resolvePath } from "../../posix-path.ts";
import type { VfsNode } from "../../vfs.ts";
import { invalidArgType, nodeError } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { type FilePath, O, checkBoolean, checkFlush, checkInt, decoded, fsSystemError, named, optionsOf, readData, readFlags, readMode, readPath, readTime, spelledPath } from "./fs-arguments.ts";
import { prepareCopy, prepareCopyFile } from "./fs-copy.ts";
import { type Descriptors, deviceOf } from "./fs-descriptors.ts";
import { openDirectory } from "./fs-dir.ts";
import { type Work, waiting } from "./fs-pending.ts";
import { makeDirent, makeStats } from "./fs-stats.ts";
import { isNull, NULL_STAT } from "./null-device.ts";

/** Checks now; the returned function does it, later perhaps. */
export type Operation = (...args: unknown[]) => Work;

const TEMPORARY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const ID_LIMIT = 2 ** 32 - 1;

/** Names paths as the program spelled them: Node's messages do. `syscall` replaces the file system's own word for it. */
export function respell<T>(paths: readonly FilePath[], run: () => T, syscall?: string): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    const spell = (path: string | undefined): string | undefined => paths.find(({ full }) => full === path)?.spelled ?? path;
    throw new FsError(error.code, syscall ?? error.syscall, spell(error.path), spell(error.dest));
  }
}

/** What may be one: opening it finds out. */
const isDevice = (file: FilePath): boolean => /^\/(dev|proc)\//.test(file.full);

export function createOperations(runtime: Runtime, descriptors: Descriptors): Record<string, Operation> {
  const { vfs } = runtime;
  const path = (value: unknown, name?: string): FilePath => readPath(runtime, value, name);
  const warned = new Set<string>();
  const warnOnce = (text: string, kind: object | undefined = undefined): void => {
    if (!warned.has(text)) runtime.process.emitWarning(text, kind);
    warned.add(text);
  };
  const masked = (mode: number): number => mode & ~runtime.umask & 0o7777;

  const readFile: Operation = (target, given) => {
    const options = optionsOf(given);
    const { encoding, flag = "r" } = options;
    if (typeof target === "number") return waiting(descriptors.inputOf(target), "all", () => decoded(descriptors.readAll(target), encoding));
    const file = path(target);
    const flags = readFlags(flag);
    if (flags === 0 && !isDevice(file)) return () => respell([file], () => decoded(vfs.readFile(file.full), encoding));
    return waiting(deviceOf(file.full, flags) === 0 ? runtime.input : undefined, "all", () => {
      const fd = descriptors.open(file, flags, 0o666);
      try {
        return decoded(descriptors.readAll(fd), encoding);
      } finally {
        descriptors.close(fd);
      }
    });
  };
  const writeFile: Operation = (target, data, given) => {
    const { encoding, flag = "w", mode } = optionsOf(given);
    const bits = readMode(mode, "mode", 0o666);
    const bytes = readData(data, encoding);
    checkFlush(given);
    if (typeof target === "number") return () => void descriptors.write(target, bytes, null);
    const file = path(target);
    const flags = readFlags(flag);
    return () => respell([file], () => {
      if ((flags & O.APPEND) !== 0 && (flags & O.EXCL) === 0 && !isDevice(file)) vfs.append(file.full, bytes, masked(bits));
      else if ((flags & O.TRUNC) !== 0 && !isDevice(file)) vfs.writeFile(file.full, bytes, { exclusive: (flags & O.EXCL) !== 0, mode: masked(bits) });
      else {
        const fd = descriptors.open(file, flags, bits);
        descriptors.write(fd, bytes, null);
        descriptors.close(fd);
      }
    });
  };
  const stat = (follow: boolean): Operation => (target, given) => {
    const file = path(target);
    const options = optionsOf(given);
    const bigint = options["bigint"] === true;
    return () => {
      if (isNull(vfs, file.full)) return makeStats(NULL_STAT, bigint);
      if (options["throwIfNoEntry"] === false) {
        const found = vfs.lookUp(file.full, follow);
        if (found === "ENOENT" || found === "ENOTDIR") return undefined;
      }
      return respell([file], () => makeStats(follow ? vfs.stat(file.full) : vfs.lstat(file.full), bigint));
    };
  };
  const readdir: Operation = (target, given) => {
    const options = optionsOf(given);
    const { encoding, withFileTypes } = options;
    const recursive = checkBoolean(options, "recursive");
    const file = path(target);
    const join = (folder: string, name: string): string => (folder === "." ? name : folder.endsWith("/") ? folder + name : `${folder}/${name}`);
    return () => respell([file], () => {
      const result: unknown[] = [];
      // Folder by folder, as Node: what lies deeper comes after.
      const queue: { full: string; shown: string; prefix: string }[] = [{ full: file.full, shown: file.spelled, prefix: "" }];
      for (let folder = queue.shift(); folder; folder = queue.shift()) {
        const { full, shown, prefix } = folder;
        for (const [name, node] of [...vfs.dir(full).entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
          const relative = prefix ? `${prefix}/${name}` : name;
          result.push(withFileTypes ? makeDirent(named(name, encoding), shown, node.kind) : named(relative, encoding));
          if (recursive && node.kind === "dir") queue.push({ full: joinPath(full, name), shown: join(shown, name), prefix: relative });
        }
      }
      return result;
    });
  };
  const mkdir: Operation = (target, given) => {
    const options = (typeof given === "number" || typeof given === "string" ? { mode: given } : given ?? {}) as Dict;
    const mode = readMode(options["mode"], "mode", 0o777);
    const recursive = checkBoolean(options, "recursive");
    const folder = path(target);
    return () => respell([folder], () => {
      // What is relative to a folder that is gone is not made anew with it.
      if (!folder.spelled.startsWith("/") && !vfs.exists(runtime.cwd)) throw new FsError("ENOENT", "mkdir", folder.full);
      const made = vfs.mkdir(folder.full, { recursive, mode: masked(mode) });
      if (!recursive || made === undefined) return undefined;
      // Named as the program spelled the path, cut where it is.
      return spelledPart(folder, made);
    });
  };
  const rm: Operation = (target, given) => {
    const file = path(target);
    if (given !== undefined && (typeof given !== "object" || given === null)) throw invalidArgType("options", "Object", given);
    const options = (given ?? {}) as Dict;
    const [force, recursive] = [checkBoolean(options, "force"), checkBoolean(options, "recursive")];
    if (options["maxRetries"] !== undefined) checkInt(options["maxRetries"], "options.maxRetries", 0, ID_LIMIT);
    return () => respell([file], () => {
      let kind: VfsNode["kind"];
      try {
        kind = kindOf(vfs.lstat(file.full).mode);
      } catch (error) {
        if (force && error instanceof FsError && (error.code === "ENOENT" || error.code === "ENOTDIR")) return;
        throw error;
      }
      if (kind === "dir" && !recursive) throw fsSystemError("ERR_FS_EISDIR", "Path is a directory", { code: "EISDIR", message: "is a directory", path: file.spelled, syscall: "rm", errno: 21 });
      vfs.removeTree(file.full);
    });
  };
  const rmdir: Operation = (target, given) => {
    const folder = path(target);
    const recursive = given == null ? false : checkBoolean(given as Dict, "recursive");
    if (recursive) warnOnce("In future versions of Node.js, fs.rmdir(path, { recursive: true }) will be removed. Use fs.rm(path, { recursive: true }) instead", { type: "DeprecationWarning", code: "DEP0147" });
    return () => respell([folder], () => (recursive && kindOf(vfs.lstat(folder.full).mode) === "dir" ? vfs.removeTree(folder.full, "rmdir") : vfs.rmdir(folder.full)));
  };
  const access: Operation = (target, mode = 0) => {
    const file = path(target);
    if (mode !== null && typeof mode !== "number") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", "mode must be int32 or null/undefined");
    const wanted = mode ?? 0;
    if (wanted < 0 || wanted > 7) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", "mode is out of range: >= 0 && <= 7");
    return () => respell([file], () => {
      if (!isNull(vfs, file.full)) return vfs.permit(file.full, wanted, "access");
      if ((wanted & 1) !== 0) throw new FsError("EACCES", "access", file.full);
    });
  };
  const two = (a: unknown, aName: string, b: unknown, bName: string): [FilePath, FilePath] => [path(a, aName), path(b, bName)];
  const owned = (syscall: string, follow: boolean): Operation => (target, uid, gid) => {
    const file = path(target);
    checkInt(uid, "uid", -1, ID_LIMIT);
    checkInt(gid, "gid", -1, ID_LIMIT);
    return () => respell([file], () => void (follow ? vfs.stat(file.full) : vfs.lstat(file.full)), syscall);
  };
  const times = (follow: boolean): Operation => (target, atime, mtime) => {
    const file = path(target);
    const [atimeMs, mtimeMs] = [readTime(atime), readTime(mtime)];
    return () => respell([file], () => vfs.utimes(file.full, mtimeMs, atimeMs, follow));
  };
  const realpath = (native: boolean): Operation => (target, given) => {
    const { encoding } = optionsOf(given);
    const file = path(target);
    return () => {
      if (native) return respell([file], () => named(vfs.realpath(file.full), encoding));
      // Node's own walks the path with lstat and names the part that is missing, in full.
      const missing = firstMissing(file.full);
      if (missing) void (missing.isLink ? vfs.stat(missing.path) : vfs.lstat(missing.path));
      return respell([], () => named(vfs.realpath(file.full), encoding), "lstat");
    };
  };
  const firstMissing = (full: string): { path: string; isLink: boolean } | undefined => {
    if (vfs.find(full)) return undefined;
    let at = "";
    for (const part of full.split("/").filter(Boolean)) {
      at = `${at}/${part}`;
      if (!vfs.find(at)) return { path: at, isLink: vfs.find(at, false) !== undefined };
    }
    return undefined;
  };

  return {
    readFile, writeFile, access, readdir, mkdir, rm, rmdir, stat: stat(true), lstat: stat(false),
    appendFile: (target, data, given) => writeFile(target, data, { ...optionsOf(given), flag: optionsOf(given)["flag"] ?? "a" }),
    exists: (target) => {
      let file: FilePath;
      try {
        file = path(target);
      } catch (error) {
        // By contract it never throws, whatever it is given.
        if (error instanceof TypeError) return () => false;
        throw error;
      }
      return () => vfs.exists(file.full) || isNull(vfs, file.full);
    },
    unlink: (target) => {
      const file = path(target);
      return () => respell([file], () => vfs.unlink(file.full));
    },
    rename: (from, to) => {
      const [source, target] = two(from, "oldPath", to, "newPath");
      return () => respell([source, target], () => vfs.rename(source.full, target.full));
    },
    copyFile: prepareCopyFile(runtime), cp: prepareCopy(runtime), realpath: realpath(false), realpathNative: realpath(true),
    truncate: (target, length) => {
      if (typeof target === "number") warnOnce("Using fs.truncate with a file descriptor is deprecated. Please use fs.ftruncate with a file descriptor instead.", { type: "DeprecationWarning", code: "DEP0081" });
      if (typeof target === "number") return descriptors.operations["ftruncate"]?.(target, length) ?? (() => undefined);
      const file = path(target);
      const size = Math.max(0, length === undefined ? 0 : checkInt(length, "len", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
      return () => {
        const fd = descriptors.open(file, O.RDWR, 0o666);
        descriptors.truncate(fd, size);
        descriptors.close(fd);
      };
    },
    readlink: (target, given) => {
      const { encoding } = optionsOf(given);
      const file = path(target);
      return () => respell([file], () => named(vfs.readlink(file.full), encoding));
    },
    symlink: (target, where, type) => {
      if (type != null && type !== "dir" && type !== "file" && type !== "junction") throw nodeError(Error, "ERR_FS_INVALID_SYMLINK_TYPE", `Symlink type must be one of "dir", "file", or "junction". Received "${String(type)}"`);
      const to = spelledPath(target, "target");
      const link = path(where);
      return () => respell([link], () => vfs.symlink(to, link.full));
    },
    link: (from, to) => {
      const [source, target] = two(from, "existingPath", to, "newPath");
      return () => respell([source, target], () => vfs.link(source.full, target.full));
    },
    chmod: (target, mode) => {
      const file = path(target);
      const bits = readMode(mode);
      return () => respell([file], () => vfs.chmod(file.full, bits));
    },
    chown: owned("chown", true), lchown: owned("lchown", false), utimes: times(true), lutimes: times(false),
    mkdtemp: (prefix, given) => {
      const { encoding } = optionsOf(given);
      const start = spelledPath(prefix, "prefix");
      if (start.endsWith("X")) warnOnce("mkdtemp() templates ending with X are not portable. For details see: https://nodejs.org/api/fs.html");
      return () => {
        for (;;) {
          const random = crypto.getRandomValues(new Uint8Array(6));
          const spelled = start + Array.from(random, (byte) => TEMPORARY[byte % TEMPORARY.length]).join("");
          const full = resolvePath(spelled, runtime.cwd);
          if (vfs.find(full, false)) continue;
          respell([{ full, spelled: `${start}XXXXXX` }], () => vfs.mkdir(full, { mode: 0o700 }), "mkdtemp");
          return named(spelled, encoding);
        }
      };
    },
    statfs: (target, given) => {
      const file = path(target);
      const { bigint } = optionsOf(given);
      return () => respell([file], () => {
        vfs.stat(file.full);
        const blocks = { type: 61267, bsize: 4096, blocks: 131_072, bfree: 100_000, bavail: 100_000, files: 65_536, ffree: 60_000 };
        return bigint === true ? Object.fromEntries(Object.entries(blocks).map(([name, value]) => [name, BigInt(value)])) : blocks;
      }, "statfs");
    },
    opendir: (target, given) => {
      const folder = path(target);
      const options = optionsOf(given);
      if (options["bufferSize"] !== undefined) checkInt(options["bufferSize"], "options.bufferSize", 1, ID_LIMIT);
      const list = readdir(target, { ...options, withFileTypes: true });
      return () => {
        try {
          return openDirectory(runtime, folder.spelled, list() as unknown[]);
        } catch (error) {
          throw error instanceof FsError ? new FsError(error.code, "opendir") : error;
        }
      };
    },
    open: (target, flags = "r", mode = undefined) => {
      const file = path(target);
      const [asked, bits] = [readFlags(flags), readMode(mode, "mode", 0o666)];
      return () => descriptors.open(file, asked, bits);
    },
    openAsBlob: (target, given) => {
      const file = path(target);
      if (given !== undefined && (typeof given !== "object" || given === null)) throw invalidArgType("options", "object", given);
      const type = (given as Dict | undefined)?.["type"] ?? "";
      if (typeof type !== "string") throw invalidArgType("options.type", "string", type);
      return () => fileBlob(vfs, file.full, type);
    },
    ...descriptors.operations,
  };
}

const kindOf = (mode: number): VfsNode["kind"] => ((mode & 0o170000) === 0o040000 ? "dir" : (mode & 0o170000) === 0o120000 ? "link" : "file");

/** As much of the spelling as leads to `made`. */
function spelledPart({ spelled, full }: FilePath, made: string): string {
  let deeper = 0;
  for (let at = full; at !== made && at !== "/"; at = parentPath(at)) deeper++;
  const parts = spelled.replace(/\/+$/, "").split("/");
  return parts.slice(0, parts.length - deeper).join("/");
}

