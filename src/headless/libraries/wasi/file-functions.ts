// The functions that take a descriptor: reading, writing, places, sizes, times, listings.
import { FILE_TYPE, rights, WasiError } from "./constants.ts";
import type { Descriptor } from "./descriptors.ts";
import { encodeText } from "./guest.ts";
import type { Guest, Table } from "./instance.ts";
import type { Stats } from "./tools.ts";

const FDFLAG = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 };
const SEEK = { set: 0, current: 1, end: 2 } as const;
const TIME = { atime: 1, atimeNow: 2, mtime: 4, mtimeNow: 8 };
const DIRENT_BYTES = 24;
const ADVICE = 6;

export function typeOf(stats: Pick<Stats, "isFile" | "isDirectory" | "isSymbolicLink" | "isFIFO">): number {
  return stats.isDirectory() ? FILE_TYPE.directory : stats.isSymbolicLink() ? FILE_TYPE.symbolicLink : stats.isFIFO() ? FILE_TYPE.socket : stats.isFile() ? FILE_TYPE.regularFile : FILE_TYPE.characterDevice;
}

/** The 64 bytes of a filestat. */
export function putStats({ memory }: Guest, at: number, stats: Stats): void {
  const view = memory.view(at, 64);
  view.setBigUint64(0, BigInt.asUintN(64, stats.dev), true);
  view.setBigUint64(8, stats.ino, true);
  view.setUint8(16, typeOf(stats));
  view.setBigUint64(24, stats.nlink, true);
  view.setBigUint64(32, stats.size, true);
  view.setBigUint64(40, stats.atimeNs, true);
  view.setBigUint64(48, stats.mtimeNs, true);
  view.setBigUint64(56, stats.ctimeNs, true);
}

/** Seconds of access and change, as flags and times of the call say (whole ones, as Node takes them), the others as they are. Throws EINVAL. */
export function timesOf(stats: () => Stats, atime: bigint, mtime: bigint, flags: number): [number, number] {
  const both = (a: number, b: number): boolean => (flags & (a | b)) === (a | b);
  if ((flags & ~15) !== 0 || both(TIME.atime, TIME.atimeNow) || both(TIME.mtime, TIME.mtimeNow)) throw new WasiError("EINVAL");
  const now = Date.now() / 1000;
  const seconds = (set: number, setNow: number, given: bigint, old: "atimeNs" | "mtimeNs"): number => ((flags & set) !== 0 ? Number(given / 1_000_000_000n) : (flags & setNow) !== 0 ? now : Number(stats()[old]) / 1e9);
  return [seconds(TIME.atime, TIME.atimeNow, atime, "atimeNs"), seconds(TIME.mtime, TIME.mtimeNow, mtime, "mtimeNs")];
}

export function fileFunctions(guest: Guest): Table {
  const { fs, constants, unsupported } = guest.tools;
  const APPEND = constants["O_APPEND"] as number;
  const statsOf = ({ fd, realPath }: Descriptor): Stats => (fd === undefined ? fs.statSync(realPath, { bigint: true }) : fs.fstatSync(fd, { bigint: true })) as Stats;
  const isStream = ({ type }: Descriptor): boolean => type !== FILE_TYPE.regularFile;

  /** Over the buffers in turn, until one is not filled. */
  const transfer = (vectors: readonly Uint8Array[], one: (bytes: Uint8Array, done: number) => number): number => {
    let done = 0;
    for (const bytes of vectors) {
      if (bytes.length === 0) continue;
      const count = one(bytes, done);
      done += count;
      if (count < bytes.length) break;
    }
    return done;
  };
  const readInto = (fd: number, bytes: Uint8Array, at: bigint | null): number => fs.readSync(fd, bytes, 0, bytes.length, at) as number;
  // Copied: what is written may be kept, and the memory may be shared.
  const writeFrom = (fd: number, bytes: Uint8Array, at: number | null): number => fs.writeSync(fd, bytes.slice(), 0, bytes.length, at) as number;

  return {
    fd_advise: ["iIIi", (fd, _offset, _length, advice) => {
      if (advice >= ADVICE) throw new WasiError("EINVAL");
      guest.table.get(fd, rights("FD_ADVISE"));
    }],
    fd_allocate: ["iII", (fd, offset, length) => {
      const file = guest.table.file(fd, rights("FD_ALLOCATE"));
      if (offset + length > statsOf(file).size) fs.ftruncateSync(file.fd, Number(offset + length));
    }],
    fd_close: ["i", (fd) => guest.table.close(fd)],
    fd_datasync: ["i", (fd) => void fs.fsyncSync(guest.table.file(fd, rights("FD_DATASYNC")).fd)],
    fd_sync: ["i", (fd) => {
      const { fd: own } = guest.table.get(fd, rights("FD_SYNC"));
      if (own !== undefined) fs.fsyncSync(own);
    }],
    fd_fdstat_get: ["ii", (fd, at) => {
      const view = guest.memory.view(at, 24);
      const { type, flags, base, inheriting } = guest.table.get(fd);
      view.setUint8(0, type);
      view.setUint16(2, flags, true);
      view.setBigUint64(8, base, true);
      view.setBigUint64(16, inheriting, true);
    }],
    fd_fdstat_set_flags: ["ii", (fd, flags) => {
      const file = guest.table.get(fd, rights("FD_FDSTAT_SET_FLAGS"));
      const { append, nonblock } = FDFLAG;
      if ((flags & ~31) !== 0) return;
      file.flags = (file.flags & ~(APPEND | (constants["O_NONBLOCK"] as number))) | ((flags & append) !== 0 ? APPEND : 0) | ((flags & nonblock) !== 0 ? (constants["O_NONBLOCK"] as number) : 0);
    }],
    fd_fdstat_set_rights: ["iII", (fd, base, inheriting) => {
      const file = guest.table.get(fd);
      if ((base & ~file.base) !== 0n || (inheriting & ~file.inheriting) !== 0n) throw new WasiError("ENOTCAPABLE");
      Object.assign(file, { base, inheriting });
    }],
    fd_filestat_get: ["ii", (fd, at) => {
      guest.memory.view(at, 64);
      putStats(guest, at, statsOf(guest.table.get(fd, rights("FD_FILESTAT_GET"))));
    }],
    fd_filestat_set_size: ["iI", (fd, size) => void fs.ftruncateSync(guest.table.file(fd, rights("FD_FILESTAT_SET_SIZE")).fd, Number(size))],
    fd_filestat_set_times: ["iIIi", (fd, atime, mtime, flags) => {
      if ((flags & ~15) !== 0) throw new WasiError("EINVAL");
      const file = guest.table.get(fd, rights("FD_FILESTAT_SET_TIMES"));
      const times = timesOf(() => statsOf(file), atime, mtime, flags);
      if (file.fd === undefined) fs.utimesSync(file.realPath, ...times);
      else fs.futimesSync(file.fd, ...times);
    }],
    fd_pread: ["iiiIi", (fd, iovs, count, offset, at) => {
      guest.memory.view(at, 4);
      const vectors = guest.memory.vectors(iovs, count);
      const file = guest.table.file(fd, rights("FD_READ FD_SEEK"));
      guest.memory.putU32(at, transfer(vectors, (bytes, done) => readInto(file.fd, bytes, offset + BigInt(done))));
    }],
    fd_pwrite: ["iiiIi", (fd, iovs, count, offset, at) => {
      guest.memory.view(at, 4);
      const vectors = guest.memory.vectors(iovs, count);
      const file = guest.table.file(fd, rights("FD_WRITE FD_SEEK"));
      const start = (file.flags & APPEND) !== 0 ? statsOf(file).size : offset;
      guest.memory.putU32(at, transfer(vectors, (bytes, done) => writeFrom(file.fd, bytes, Number(start) + done)));
    }],
    fd_read: ["iiii", (fd, iovs, count, at) => {
      guest.memory.view(at, 4);
      const vectors = guest.memory.vectors(iovs, count);
      const file = guest.table.file(fd, rights("FD_READ"));
      const done = transfer(vectors, (bytes, before) => readInto(file.fd, bytes, isStream(file) ? null : file.position + BigInt(before)));
      file.position += BigInt(done);
      guest.memory.putU32(at, done);
    }],
    fd_write: ["iiii", (fd, iovs, count, at) => {
      guest.memory.view(at, 4);
      const vectors = guest.memory.vectors(iovs, count);
      const file = guest.table.file(fd, rights("FD_WRITE"));
      if (!isStream(file) && (file.flags & APPEND) !== 0) file.position = statsOf(file).size;
      const done = transfer(vectors, (bytes, before) => writeFrom(file.fd, bytes, isStream(file) ? null : Number(file.position) + before));
      file.position += BigInt(done);
      guest.memory.putU32(at, done);
    }],
    fd_prestat_get: ["ii", (fd, at) => {
      const view = guest.memory.view(at, 8);
      const { preopened } = guest.table.get(fd);
      if (preopened === undefined) throw new WasiError("EINVAL");
      view.setUint8(0, 0);
      view.setUint32(4, encodeText(preopened).length, true);
    }],
    fd_prestat_dir_name: ["iii", (fd, at, length) => {
      const bytes = guest.memory.bytes(at, length);
      const { preopened } = guest.table.get(fd);
      if (preopened === undefined) throw new WasiError("EBADF");
      const name = encodeText(preopened);
      if (name.length > length) throw new WasiError("ENOBUFS");
      bytes.set(name);
    }],
    fd_readdir: ["iiiIi", (fd, at, length, cookie, usedAt) => {
      const target = guest.memory.bytes(at, length);
      guest.memory.view(usedAt, 4);
      const folder = guest.table.get(fd, rights("FD_READDIR"));
      if (cookie === 0n || !folder.listing) {
        const entries = fs.readdirSync(folder.realPath, { withFileTypes: true }) as (Stats & { readonly name: string })[];
        folder.listing = entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }));
      }
      let used = 0;
      for (let k = Number(cookie); k < folder.listing.length && used < length; k++) {
        const { name, type } = folder.listing[k] as { name: string; type: number };
        const bytes = encodeText(name);
        const entry = new Uint8Array(DIRENT_BYTES + bytes.length);
        const view = new DataView(entry.buffer);
        view.setBigUint64(0, BigInt(k + 1), true);
        view.setUint32(16, bytes.length, true);
        view.setUint8(20, type);
        entry.set(bytes, DIRENT_BYTES);
        const piece = entry.subarray(0, length - used);
        target.set(piece, used);
        used += piece.length;
      }
      guest.memory.putU32(usedAt, used);
    }],
    fd_renumber: ["ii", (from, to) => guest.table.renumber(from, to)],
    fd_seek: ["iJii", (fd, offset, whence, at) => {
      guest.memory.view(at, 8);
      const file = guest.table.file(fd, rights("FD_SEEK"));
      const from = whence === SEEK.set ? 0n : whence === SEEK.current ? file.position : whence === SEEK.end ? statsOf(file).size : undefined;
      if (from === undefined || from + offset < 0n) throw new WasiError("EINVAL");
      file.position = from + offset;
      guest.memory.putU64(at, file.position);
    }],
    fd_tell: ["ii", (fd, at) => {
      guest.memory.view(at, 8);
      guest.memory.putU64(at, guest.table.file(fd, rights("FD_TELL")).position);
    }],
    sock_accept: ["iii", (fd: number) => socket(fd, "sock_accept")],
    sock_recv: ["iiiiii", (fd: number, iovs: number, count: number) => socket(fd, "sock_recv", iovs, count)],
    sock_send: ["iiiii", (fd: number, iovs: number, count: number) => socket(fd, "sock_send", iovs, count)],
    sock_shutdown: ["ii", () => {
      throw new WasiError("ENOTSUP");
    }],
  };

  /** A program gets its sockets from the embedder as descriptors, and a socket of the container is none. */
  function socket(fd: number, name: string, iovs = 0, count = 0): never {
    guest.memory.vectors(iovs, count);
    guest.table.get(fd);
    throw unsupported(`wasi.${name}`, "a socket of the container has no descriptor");
  }
}
