// Numbers of WASI preview 1, and what Node's own implementation (uvwasi) grants each kind of file.
// Source: WASI preview 1 witx; rights of kinds of files as Node 20 reports them through fd_fdstat_get.

/** Error numbers by POSIX's names. */
export const ERRNO: Readonly<Record<string, number>> = Object.fromEntries(
  (
    "SUCCESS E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY ECANCELED ECHILD ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDESTADDRREQ EDOM EDQUOT " +
    "EEXIST EFAULT EFBIG EHOSTUNREACH EIDRM EILSEQ EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMLINK EMSGSIZE EMULTIHOP ENAMETOOLONG ENETDOWN ENETRESET " +
    "ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT ENOEXEC ENOLCK ENOLINK ENOMEM ENOMSG ENOPROTOOPT ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTRECOVERABLE ENOTSOCK ENOTSUP ENOTTY " +
    "ENXIO EOVERFLOW EOWNERDEAD EPERM EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE EROFS ESPIPE ESRCH ESTALE ETIMEDOUT ETXTBSY EXDEV ENOTCAPABLE"
  ).split(" ").map((name, number) => [name, number]),
);

/** A call that ends with an error number; everything else that is thrown goes through to the program. */
export class WasiError {
  readonly errno: number;

  constructor(code: string) {
    this.errno = ERRNO[code] ?? (ERRNO["EIO"] as number);
  }
}

const names = (
  "FD_DATASYNC FD_READ FD_SEEK FD_FDSTAT_SET_FLAGS FD_SYNC FD_TELL FD_WRITE FD_ADVISE FD_ALLOCATE PATH_CREATE_DIRECTORY PATH_CREATE_FILE PATH_LINK_SOURCE PATH_LINK_TARGET PATH_OPEN FD_READDIR PATH_READLINK " +
  "PATH_RENAME_SOURCE PATH_RENAME_TARGET PATH_FILESTAT_GET PATH_FILESTAT_SET_SIZE PATH_FILESTAT_SET_TIMES FD_FILESTAT_GET FD_FILESTAT_SET_SIZE FD_FILESTAT_SET_TIMES PATH_SYMLINK PATH_REMOVE_DIRECTORY PATH_UNLINK_FILE POLL_FD_READWRITE SOCK_SHUTDOWN SOCK_ACCEPT"
).split(" ");

/** One bit each. */
export const RIGHTS: Readonly<Record<string, bigint>> = Object.fromEntries(names.map((name, bit) => [name, 1n << BigInt(bit)]));

export const rights = (list: string): bigint => list.split(" ").reduce((sum, name) => sum | (RIGHTS[name] as bigint), 0n);

export const FILE_TYPE = { unknown: 0, blockDevice: 1, characterDevice: 2, directory: 3, regularFile: 4, socket: 6, symbolicLink: 7 } as const;

const FILE_BASE = rights("FD_DATASYNC FD_READ FD_SEEK FD_FDSTAT_SET_FLAGS FD_SYNC FD_TELL FD_WRITE FD_ADVISE FD_ALLOCATE FD_FILESTAT_GET FD_FILESTAT_SET_SIZE FD_FILESTAT_SET_TIMES POLL_FD_READWRITE");
const DIRECTORY_BASE = rights(
  "FD_FDSTAT_SET_FLAGS FD_SYNC FD_ADVISE PATH_CREATE_DIRECTORY PATH_CREATE_FILE PATH_LINK_SOURCE PATH_LINK_TARGET PATH_OPEN FD_READDIR PATH_READLINK PATH_RENAME_SOURCE PATH_RENAME_TARGET PATH_FILESTAT_GET " +
  "PATH_FILESTAT_SET_SIZE PATH_FILESTAT_SET_TIMES FD_FILESTAT_GET FD_FILESTAT_SET_TIMES PATH_SYMLINK PATH_UNLINK_FILE PATH_REMOVE_DIRECTORY POLL_FD_READWRITE",
);
const ALL = (1n << 30n) - 1n;

/** The most that a file of each kind may be opened with, and, of a folder, what is in it. */
export const MOST: Readonly<Record<"file" | "directory" | "terminal" | "device" | "pipe", { readonly base: bigint; readonly inheriting: bigint }>> = {
  file: { base: FILE_BASE, inheriting: 0n },
  directory: { base: DIRECTORY_BASE, inheriting: DIRECTORY_BASE | FILE_BASE },
  terminal: { base: rights("FD_READ FD_FDSTAT_SET_FLAGS FD_WRITE FD_FILESTAT_GET POLL_FD_READWRITE"), inheriting: 0n },
  device: { base: ALL, inheriting: ALL },
  pipe: { base: rights("FD_READ FD_FDSTAT_SET_FLAGS FD_WRITE FD_FILESTAT_GET POLL_FD_READWRITE SOCK_SHUTDOWN"), inheriting: ALL },
};
