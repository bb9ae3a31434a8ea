// File system failures exactly as Node shapes them: code, errno, syscall, path and the message that is built from them.
import { CONTAINER_LIMITS } from "../base/limits.ts";

const CODES = {
  EPERM: [-1, "operation not permitted"],
  ENOENT: [-2, "no such file or directory"],
  ENXIO: [-6, "no such device or address"],
  EBADF: [-9, "bad file descriptor"],
  EACCES: [-13, "permission denied"],
  EEXIST: [-17, "file already exists"],
  ENOTDIR: [-20, "not a directory"],
  EISDIR: [-21, "illegal operation on a directory"],
  EINVAL: [-22, "invalid argument"],
  EMFILE: [-24, "too many open files"],
  EFBIG: [-27, "file too large"],
  ENOSPC: [-28, "no space left on device"],
  ENAMETOOLONG: [-36, "name too long"],
  ENOTEMPTY: [-39, "directory not empty"],
  ELOOP: [-40, "too many symbolic links encountered"],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export type FsErrorCode = keyof typeof CODES;

/** Where the limit is the container's own and no machine's, the message names it. */
const NOTES: { readonly [code in FsErrorCode]?: string } = {
  ENOSPC: ` (the container holds at most ${CONTAINER_LIMITS.fileSystemBytes / 1024 / 1024} MiB in ${CONTAINER_LIMITS.fileSystemNames} files and folders)`,
  EMFILE: ` (in the container a process may have at most ${CONTAINER_LIMITS.openFiles})`,
};

const made = new WeakSet<object>();

/**
 * What `fs` throws in Node. `code` and `errno` are own, enumerable properties there too. To programs its class is Error,
 * as in Node; `instanceof FsError` goes by where it was made.
 */
export class FsError extends Error {
  readonly errno: number;
  readonly code: FsErrorCode;
  readonly syscall: string;
  // Only declared: a field would be an own property of every error.
  declare readonly path?: string;
  declare readonly dest?: string;

  constructor(code: FsErrorCode, syscall: string, path?: string, dest?: string) {
    const [errno, text] = CODES[code];
    const where = `${path === undefined ? "" : ` '${path}'`}${dest === undefined ? "" : ` -> '${dest}'`}`;
    super(`${code}: ${text}, ${syscall}${where}${NOTES[code] ?? ""}`);
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
    if (path !== undefined) this.path = path;
    if (dest !== undefined) this.dest = dest;
    Object.setPrototypeOf(this, Error.prototype);
    made.add(this);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && made.has(value);
  }
}
