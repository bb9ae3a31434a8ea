// copyFile and cp.
import { FsError } from "../../fs-error.ts";
import { isWithin, joinPath, parentPath, resolvePath } from "../../posix-path.ts";
import { invalidArgType, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { type FilePath, checkBoolean, checkInt, fsSystemError, readPath } from "./fs-arguments.ts";
import { type Operation, respell } from "./fs-operations.ts";
import { isNull } from "./null-device.ts";

const COPYFILE_EXCL = 1;

function copyOne(runtime: Runtime, from: FilePath, to: FilePath, exclusive: boolean): void {
  const { vfs } = runtime;
  const fail = (code: FsError["code"]): FsError => new FsError(code, "copyfile", from.spelled, to.spelled);
  try {
    const source = vfs.find(from.full);
    if (source?.kind === "dir") throw fail("EISDIR");
    const data = isNull(vfs, from.full) ? new Uint8Array() : vfs.readFile(from.full).slice();
    if (isNull(vfs, to.full)) throw fail("EINVAL");
    if (exclusive && vfs.find(to.full, false)) throw fail("EEXIST");
    // Onto itself: nothing to do.
    if (source && vfs.find(to.full) === source) return;
    vfs.writeFile(to.full, data, { mode: source?.mode ?? 0o666 & ~runtime.umask });
  } catch (error) {
    throw error instanceof FsError ? fail(error.code) : error;
  }
}

export function prepareCopyFile(runtime: Runtime): Operation {
  return (from, to, mode = 0) => {
    const [source, target] = [readPath(runtime, from, "src"), readPath(runtime, to, "dest")];
    if (mode !== null && typeof mode !== "number") throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", "mode must be int32 or null/undefined");
    const bits = mode ?? 0;
    if (bits < 0 || bits > 7) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", "mode is out of range: >= 0 && <= 7");
    return () => copyOne(runtime, source, target, (bits & COPYFILE_EXCL) !== 0);
  };
}

interface CopyOptions {
  readonly dereference: boolean;
  readonly errorOnExist: boolean;
  readonly force: boolean;
  readonly preserveTimestamps: boolean;
  readonly recursive: boolean;
  readonly verbatimSymlinks: boolean;
  readonly filter: AnyFunction | undefined;
}

function readOptions(given: unknown): CopyOptions {
  if (given !== undefined && (typeof given !== "object" || given === null)) throw invalidArgType("options", "Object", given);
  const options = (given ?? {}) as Dict;
  const flag = (name: string, otherwise = false): boolean => {
    // Named and undefined is wrong, too: Node puts what is given over its defaults.
    if (name in options && options[name] === undefined) throw invalidArgType(`options.${name}`, "boolean", undefined);
    return checkBoolean(options, name, otherwise);
  };
  const { filter } = options;
  if (filter !== undefined && typeof filter !== "function") throw invalidArgType("options.filter", "function", filter);
  if (options["mode"] != null) checkInt(options["mode"], "mode", 0, 7);
  if (flag("dereference") && flag("verbatimSymlinks")) throw nodeError(TypeError, "ERR_INCOMPATIBLE_OPTION_PAIR", 'Option "dereference" cannot be used in combination with option "verbatimSymlinks"');
  return {
    dereference: flag("dereference"), errorOnExist: flag("errorOnExist"), force: flag("force", true), preserveTimestamps: flag("preserveTimestamps"), recursive: flag("recursive"), verbatimSymlinks: flag("verbatimSymlinks"), filter: filter as AnyFunction | undefined,
  };
}

/** One run of `cp`; paths in messages are those it was given, joined. */
class Copy {
  readonly #runtime: Runtime;
  readonly #options: CopyOptions;

  constructor(runtime: Runtime, options: CopyOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  run(from: FilePath, to: FilePath, top: boolean): void {
    const { filter } = this.#options;
    if (top) this.#check(from, to);
    const answer = filter ? filter(from.spelled, to.spelled) : true;
    if (!answer) return;
    if (!top) this.#check(from, to);
    if (top) this.#runtime.vfs.mkdir(parentPath(to.full), { recursive: true });
    this.#copy(from, to);
  }

  #check(from: FilePath, to: FilePath): void {
    const { vfs } = this.#runtime;
    const source = respell([from], () => this.#options.dereference ? vfs.stat(from.full) : vfs.lstat(from.full));
    const isDir = (source.mode & 0o170000) === 0o040000;
    const target = vfs.find(to.full, this.#options.dereference);
    const info = (message: string, code: string, errno: number, path: string): { message: string; path: string; syscall: string; errno: number; code: string } => ({ message, path, syscall: "cp", errno, code });
    if (target) {
      if (target === vfs.find(from.full, this.#options.dereference)) throw fsSystemError("ERR_FS_CP_EINVAL", "Invalid src or dest", info("src and dest cannot be the same", "EINVAL", 22, to.spelled));
      if (isDir && target.kind !== "dir") throw fsSystemError("ERR_FS_CP_DIR_TO_NON_DIR", "Cannot overwrite non-directory with directory", info(`cannot overwrite non-directory ${to.spelled} with directory ${from.spelled}`, "EISDIR", 21, to.spelled));
      if (!isDir && target.kind === "dir") throw fsSystemError("ERR_FS_CP_NON_DIR_TO_DIR", "Cannot overwrite directory with non-directory", info(`cannot overwrite directory ${to.spelled} with non-directory ${from.spelled}`, "ENOTDIR", 20, to.spelled));
    }
    if (isDir && this.#real(to).some((path) => isWithin(path, from.full))) throw fsSystemError("ERR_FS_CP_EINVAL", "Invalid src or dest", info(`cannot copy ${from.spelled} to a subdirectory of self ${to.spelled}`, "EINVAL", 22, to.spelled));
    if (isDir && !this.#options.recursive) throw fsSystemError("ERR_FS_EISDIR", "Path is a directory", info(`${from.spelled} is a directory (not copied)`, "EISDIR", 22, from.spelled));
  }

  /** Where it lies: as it is named, and by the links that lead there. */
  #real({ full }: FilePath): string[] {
    const { vfs } = this.#runtime;
    for (let folder = parentPath(full); ; folder = parentPath(folder)) {
      if (vfs.find(folder)) return [full, joinPath(vfs.realpath(folder), full.slice(folder.length).replace(/^\//, ""))];
      if (folder === "/") return [full];
    }
  }

  #copy(from: FilePath, to: FilePath): void {
    const { vfs } = this.#runtime;
    const { dereference, force, errorOnExist, preserveTimestamps, verbatimSymlinks } = this.#options;
    const node = vfs.find(from.full, dereference);
    if (!node) return;
    const target = vfs.find(to.full, false);
    if (node.kind === "dir") {
      if (!target) vfs.mkdir(to.full, { mode: node.mode });
      for (const name of vfs.readdir(from.full)) this.run(below(from, name), below(to, name), false);
      return;
    }
    if (target && node.kind === "file") {
      if (!force) {
        if (!errorOnExist) return;
        throw fsSystemError("ERR_FS_CP_EEXIST", "Target already exists", { message: `${to.spelled} already exists`, path: to.spelled, syscall: "cp", errno: 17, code: "EEXIST" });
      }
      vfs.unlink(to.full);
    }
    if (node.kind === "link") {
      const source = verbatimSymlinks ? node.target : resolvePath(node.target, parentPath(from.full));
      if (target?.kind === "link") this.#checkLinks(from, source, to, resolvePath(target.target, parentPath(to.full)));
      if (target) vfs.unlink(to.full);
      vfs.symlink(source, to.full);
      return;
    }
    copyOne(this.#runtime, from, to, false);
    if (preserveTimestamps) vfs.utimes(to.full, node.mtimeMs, node.atimeMs ?? node.mtimeMs);
  }

  /** Neither of two links to folders, of which one takes the other's place, may lead into what the other leads to. */
  #checkLinks(from: FilePath, source: string, to: FilePath, target: string): void {
    if (this.#runtime.vfs.find(from.full)?.kind !== "dir") return;
    const info = { path: to.spelled, syscall: "cp", errno: 22, code: "EINVAL" };
    if (isWithin(target, source)) throw fsSystemError("ERR_FS_CP_EINVAL", "Invalid src or dest", { ...info, message: `cannot copy ${source} to a subdirectory of self ${target}` });
    if (isWithin(source, target)) throw fsSystemError("ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY", "Cannot overwrite symlink in subdirectory of self", { ...info, message: `cannot overwrite ${target} with ${source}` });
  }
}

const below = (path: FilePath, name: string): FilePath => ({ full: joinPath(path.full, name), spelled: path.spelled.endsWith("/") ? path.spelled + name : `${path.spelled}/${name}` });

export function prepareCopy(runtime: Runtime): Operation {
  return (from, to, given) => {
    const options = readOptions(given);
    const [source, target] = [readPath(runtime, from, "src"), readPath(runtime, to, "dest")];
    return () => new Copy(runtime, options).run(source, target, true);
  };
}
