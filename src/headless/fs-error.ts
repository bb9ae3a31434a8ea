// File system failures exactly as Node shapes them: code, errno, syscall, path and the message that is built from them.

const CODES = {
  EPERM: [-1, "operation not permitted"],
  ENOENT: [-2, "no such file or directory"],
  EBADF: [-9, "bad file descriptor"],
  EEXIST: [-17, "file already exists"],
  ENOTDIR: [-20, "not a directory"],
  EISDIR: [-21, "illegal operation on a directory"],
  EINVAL: [-22, "invalid argument"],
  EFBIG: [-27, "file too large"],
  ENOSPC: [-28, "no space left on device"],
  ENOTEMPTY: [-39, "directory not empty"],
  ELOOP: [-40, "too many symbolic links encountered"],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export type FsErrorCode = keyof typeof CODES;

/** What `fs` throws in Node. `code` and `errno` are own, enumerable properties there too. */
export class FsError extends Error {
  readonly errno: number;
  readonly code: FsErrorCode;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;

  constructor(code: FsErrorCode, syscall: string, path?: string, dest?: string) {
    const [errno, text] = CODES[code];
    const where = `${path === undefined ? "" : ` '${path}'`}${dest === undefined ? "" : ` -> '${dest}'`}`;
    super(`${code}: ${text}, ${syscall}${where}`);
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
    if (path !== undefined) this.path = path;
    if (dest !== undefined) this.dest = dest;
  }
}
