// The functions that take a path below an open folder.
import { FILE_TYPE, MOST, rights, WasiError } from "./constants.ts";
import { O_LARGEFILE } from "./descriptors.ts";
import { putStats, timesOf, typeOf } from "./file-functions.ts";
import { encodeText } from "./guest.ts";
import type { Guest, Table } from "./instance.ts";
import { FOLLOW, resolve } from "./paths.ts";
import type { Stats } from "./tools.ts";

const OPEN = { create: 1, directory: 2, exclusive: 4, truncate: 8 };
const FDFLAG = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 };

export function pathFunctions(guest: Guest): Table {
  const { fs, constants } = guest.tools;
  /** Of the process's own flags. */
  const O = (name: string): number => constants[`O_${name}`] as number;
  const place = (fd: number, right: bigint, at: number, length: number, flags = 0): string => {
    const path = guest.memory.text(at, length);
    return resolve(fs, guest.table.get(fd, right), path, flags).real;
  };

  return {
    path_create_directory: ["iii", (fd, at, length) => void fs.mkdirSync(place(fd, rights("PATH_CREATE_DIRECTORY"), at, length), 0o777)],
    path_filestat_get: ["iiiii", (fd, flags, at, length, statsAt) => {
      guest.memory.view(statsAt, 64);
      putStats(guest, statsAt, fs.lstatSync(place(fd, rights("PATH_FILESTAT_GET"), at, length, flags), { bigint: true }) as Stats);
    }],
    path_filestat_set_times: ["iiiiIIi", (fd, flags, at, length, atime, mtime, which) => {
      if ((which & ~15) !== 0) throw new WasiError("EINVAL");
      const real = place(fd, rights("PATH_FILESTAT_SET_TIMES"), at, length, flags);
      const times = timesOf(() => fs.lstatSync(real, { bigint: true }) as Stats, atime, mtime, which);
      if ((flags & FOLLOW) !== 0) fs.utimesSync(real, ...times);
      else fs.lutimesSync(real, ...times);
    }],
    path_link: ["iiiiiii", (fd, flags, at, length, newFd, newAt, newLength) => {
      const old = place(fd, rights("PATH_LINK_SOURCE"), at, length, flags);
      fs.linkSync(old, place(newFd, rights("PATH_LINK_TARGET"), newAt, newLength));
    }],
    path_open: ["iiiiiIIii", (fd: number, lookup: number, at: number, length: number, how: number, base: bigint, inheriting: bigint, fdFlags: number, fdAt: number) => {
      const path = guest.memory.text(at, length);
      guest.memory.view(fdAt, 4);
      const reads = (base & rights("FD_READDIR FD_READ")) !== 0n;
      const writes = (base & rights("FD_DATASYNC FD_WRITE FD_ALLOCATE FD_FILESTAT_SET_SIZE")) !== 0n;
      const access = writes ? (reads ? O("RDWR") : O("WRONLY")) : O("RDONLY");
      const has = (flags: number, flag: number): boolean => (flags & flag) !== 0;
      let needed = rights("PATH_OPEN");
      let passed = base | inheriting;
      let flags = access;
      if (has(how, OPEN.create)) {
        flags |= O("CREAT");
        needed |= rights("PATH_CREATE_FILE");
      }
      if (has(how, OPEN.directory)) flags |= O("DIRECTORY");
      if (has(how, OPEN.exclusive)) flags |= O("EXCL");
      if (has(how, OPEN.truncate)) {
        flags |= O("TRUNC");
        needed |= rights("PATH_FILESTAT_SET_SIZE");
      }
      if (has(fdFlags, FDFLAG.append)) flags |= O("APPEND");
      if (has(fdFlags, FDFLAG.dsync)) passed |= rights("FD_DATASYNC");
      if (has(fdFlags, FDFLAG.rsync | FDFLAG.sync)) passed |= rights("FD_SYNC");
      if (writes && (flags & (O("APPEND") | O("TRUNC"))) === 0) passed |= rights("FD_SEEK");
      const folder = guest.table.get(fd, needed, passed);
      const { path: seen, real } = resolve(fs, folder, path, lookup);
      const opened = fs.openSync(real, flags, 0o666) as number;
      let kept: number | undefined;
      try {
        const type = typeOf(fs.fstatSync(opened, { bigint: true }) as Stats);
        const isFolder = type === FILE_TYPE.directory;
        if ((has(how, OPEN.directory) || path.endsWith("/")) && !isFolder) throw new WasiError("ENOTDIR");
        const most = MOST[isFolder ? "directory" : type === FILE_TYPE.regularFile ? "file" : "device"];
        if (!isFolder) kept = opened;
        const shown = O_LARGEFILE | access | (flags & O("APPEND")) | (has(fdFlags, FDFLAG.nonblock) ? O("NONBLOCK") : 0);
        guest.memory.putU32(fdAt, guest.table.add({ fd: kept, type, path: seen, realPath: real, preopened: undefined, base: base & most.base, inheriting: inheriting & most.inheriting, flags: shown }));
      } finally {
        if (kept === undefined) fs.closeSync(opened);
      }
    }],
    path_readlink: ["iiiiii", (fd, at, length, target, room, usedAt) => {
      const path = guest.memory.text(at, length);
      const bytes = guest.memory.bytes(target, room);
      guest.memory.view(usedAt, 4);
      const link = encodeText(fs.readlinkSync(resolve(fs, guest.table.get(fd, rights("PATH_READLINK")), path, 0).real) as string);
      // One more for the zero that ends it.
      if (link.length >= room) throw new WasiError("ENOBUFS");
      bytes.set([...link, 0]);
      guest.memory.putU32(usedAt, link.length);
    }],
    path_remove_directory: ["iii", (fd, at, length) => void fs.rmdirSync(place(fd, rights("PATH_REMOVE_DIRECTORY"), at, length))],
    path_rename: ["iiiiii", (fd, at, length, newFd, newAt, newLength) => {
      const old = place(fd, rights("PATH_RENAME_SOURCE"), at, length);
      fs.renameSync(old, place(newFd, rights("PATH_RENAME_TARGET"), newAt, newLength));
    }],
    path_symlink: ["iiiii", (at, length, fd, newAt, newLength) => {
      const target = guest.memory.text(at, length);
      const path = guest.memory.text(newAt, newLength);
      const folder = guest.table.get(fd, rights("PATH_SYMLINK"));
      if (target.startsWith("/")) throw new WasiError("EPERM");
      resolve(fs, folder, target, 0);
      fs.symlinkSync(target, resolve(fs, folder, path, 0).real);
    }],
    path_unlink_file: ["iii", (fd, at, length) => void fs.unlinkSync(place(fd, rights("PATH_UNLINK_FILE"), at, length))],
  };
}
