// Open files: numbers, positions, flags, and the operations that take a descriptor. A descriptor is of the file, not of its
// name: it goes on when the file is renamed or removed. (Over 300 lines: every operation of fs that takes a number.)
import { joined } from "../../../base/bytes.ts";
import { CONTAINER_LIMITS } from "../../../base/limits.ts";
import { FsError } from "../../fs-error.ts";
import { joinPath } from "../../posix-path.ts";
import type { Descriptor, OpenedFile } from "../../protocol.ts";
import type { DirNode, VfsNode, VfsStat } from "../../vfs.ts";
import { statOf } from "../../vfs-node.ts";
import { invalidArgType, invalidArgValue, nodeError, outOfRange, received } from "../errors.ts";
import type { Dict, Input, Pipe, Runtime } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { type FilePath, O, checkFd, checkInt, readMode, readTime } from "./fs-arguments.ts";
import { type Operation, respell } from "./fs-operations.ts";
import { inOrder, waiting } from "./fs-pending.ts";
import { makeStats } from "./fs-stats.ts";
import { isNull, NULL_NODE, NULL_STAT } from "./null-device.ts";

interface OpenFile {
  readonly node: VfsNode;
  /** Where it was last found. */
  path: string;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly append: boolean;
  position: number;
  /** The process's own input or output, by another name; a pipe that it began with; or /dev/null. */
  readonly device?: 0 | 1 | 2 | "null" | Pipe;
}

/** An open file on its way to another thread, and the file itself where no name leads to it any more. */
export interface SentFile {
  readonly open: Omit<OpenFile, "node">;
  readonly node: VfsNode | undefined;
}

/** `/dev/tty` is read and written. */
const DEVICE = /^(?:\/dev\/(?:fd\/|std(?=[ioe]))|\/proc\/self\/fd\/)([012]|in|out|err)$|^\/dev\/tty$/;
const MAX_ID = 2 ** 32 - 1;
const READ_BYTES = 1024 * 1024;
/** Of the buffer that `read` makes when it gets none. */
const READ_BUFFER_BYTES = 16_384;

/** Which of its own descriptors a path names; for the terminal's, input when it is to be read. */
export function deviceOf(path: string, access: number): 0 | 1 | 2 | undefined {
  const [, name] = DEVICE.exec(path) ?? [undefined, ""];
  if (name === "") return undefined;
  if (name === undefined) return access === O.WRONLY ? 1 : 0;
  return ({ in: 0, out: 1, err: 2 } as const)[name as "in"] ?? (Number(name) as 0 | 1 | 2);
}

const made = new WeakMap<Runtime, Descriptors>();

/** Undefined until the program has asked for `fs`. */
export const descriptorsOf = (runtime: Runtime): Descriptors | undefined => made.get(runtime);

/** A local socket. */
const PIPE_STAT: VfsStat = { ...NULL_STAT, mode: 0o140777 };

function brokenPipe(): Error {
  return Object.assign(new Error("EPIPE: broken pipe, write"), { errno: -32, code: "EPIPE", syscall: "write" });
}

export class Descriptors {
  readonly #runtime: Runtime;
  readonly #open = new Map<number, OpenFile>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    made.set(runtime, this);
  }

  /** What the process begins with. */
  begin(descriptors: readonly Descriptor[]): void {
    const { vfs, pipes } = this.#runtime;
    for (const { fd, file } of descriptors) {
      const device = pipes.get(fd);
      const node = file ? vfs.find(file.path) : vfs.dir("/");
      if (node) this.#open.set(fd, { node, path: "/", position: 0, append: false, readable: true, writable: true, ...file, ...(device ? { device } : {}) });
    }
  }

  /** What a child gets that is given this one: the file, or "pipe" for what only this process reads and writes. */
  given(fd: number): OpenedFile | "pipe" | undefined {
    const file = this.#open.get(fd);
    if (!file) return fd < 3 ? "pipe" : undefined;
    const { readable, writable, append, position } = file;
    return file.device === undefined ? { path: this.#pathOf(file) ?? file.path, readable, writable, append, position } : file.device === "null" ? undefined : "pipe";
  }

  open(file: FilePath, flags: number, mode: number): number {
    return respell([file], () => this.#openAt(file.full, flags, mode));
  }

  #openAt(path: string, flags: number, mode: number): number {
    const { vfs } = this.#runtime;
    if (this.#open.size >= CONTAINER_LIMITS.openFiles) throw new FsError("EMFILE", "open", path);
    const access = flags & (O.WRONLY | O.RDWR);
    if (isNull(vfs, path)) return this.#add({ node: NULL_NODE, path, position: 0, append: false, readable: access !== O.WRONLY, writable: access !== 0, device: "null" });
    const fail = (code: FsError["code"]): FsError => new FsError(code, "open", path);
    const device = vfs.exists(path) ? undefined : deviceOf(path, access);
    if (device !== undefined) {
      if (path === "/dev/tty" && this.#runtime.host.terminal === null) throw fail("ENXIO");
      return this.#add({ node: vfs.dir("/"), path, position: 0, append: false, readable: true, writable: true, device });
    }
    const known = vfs.find(path, (flags & O.NOFOLLOW) === 0);
    if (known && (flags & O.CREAT) !== 0 && (flags & O.EXCL) !== 0) throw fail("EEXIST");
    if (known?.kind === "link") throw fail("ELOOP");
    if (!known) {
      if ((flags & O.CREAT) === 0) void vfs.readFile(path);
      vfs.writeFile(path, new Uint8Array(), { exclusive: (flags & O.EXCL) !== 0, mode: mode & ~this.#runtime.umask & 0o7777 });
    } else {
      if (known.kind === "dir" && (access !== 0 || (flags & O.CREAT) !== 0)) throw fail("EISDIR");
      if (known.kind !== "dir" && (flags & O.DIRECTORY) !== 0) throw fail("ENOTDIR");
      vfs.permit(path, access === O.RDWR ? 6 : access === O.WRONLY ? 2 : 4, "open");
      if ((flags & O.TRUNC) !== 0 && known.kind === "file") vfs.writeFile(path, new Uint8Array());
    }
    const node = vfs.find(path);
    if (!node) throw fail("ENOENT");
    return this.#add({ node, path: vfs.realpath(path), position: 0, append: (flags & O.APPEND) !== 0, readable: access !== O.WRONLY, writable: access !== 0 });
  }

  /** At the lowest free number, as POSIX has it. */
  #add(file: OpenFile): number {
    let fd = 3;
    while (this.#open.has(fd)) fd++;
    this.#open.set(fd, file);
    return fd;
  }

  isOpen(fd: number): boolean {
    return this.#open.has(fd);
  }

  /** Where what is read has to come from elsewhere. */
  inputOf(fd: number): Input | undefined {
    const device = this.#open.get(fd)?.device ?? fd;
    return device === 0 ? this.#runtime.input : typeof device === "object" ? device : undefined;
  }

  close(fd: number): void {
    const file = this.#open.get(fd);
    if (!this.#open.delete(fd) && fd > 2) throw new FsError("EBADF", "close");
    const { host, pipes } = this.#runtime;
    if (!file) host.pipeEnd?.(fd, true);
    else if (typeof file.device === "object" && pipes.delete(file.device.fd)) host.pipeEnd?.(file.device.fd, true);
  }

  /** Closes it here; `adopt` opens it again, in whichever thread. */
  detach(fd: number): SentFile {
    const file = this.#file(fd, "close");
    const isNamed = file.device !== undefined || this.#pathOf(file) !== undefined;
    this.close(fd);
    const { node, ...open } = file;
    return { open, node: isNamed ? undefined : node };
  }

  adopt({ open, node }: SentFile): number {
    const { vfs } = this.#runtime;
    const file = open.device === "null" ? NULL_NODE : (node ?? vfs.find(open.device === undefined ? open.path : "/"));
    if (!file) throw new FsError("ENOENT", "open", open.path);
    return this.#add({ ...open, node: file });
  }

  #file(fd: number, syscall: string): OpenFile {
    const file = this.#open.get(fd);
    if (!file) throw new FsError("EBADF", syscall);
    return file;
  }

  #data(file: OpenFile, syscall: string): Uint8Array {
    if (file.node.kind !== "file") throw new FsError("EISDIR", syscall);
    return file.node.data;
  }

  read(fd: number, target: Uint8Array, offset: number, length: number, position: number | null): number {
    const input = this.inputOf(fd);
    if (input) {
      const piece = input.take(length);
      target.set(piece, offset);
      return piece.length;
    }
    const file = this.#file(fd, "read");
    if (!file.readable) throw new FsError("EBADF", "read");
    const from = position ?? file.position;
    const piece = this.#data(file, "read").subarray(from, from + length);
    target.set(piece, offset);
    if (position === null) file.position += piece.length;
    return piece.length;
  }

  readAll(fd: number): Uint8Array {
    const input = this.inputOf(fd);
    if (input) {
      const pieces: Uint8Array[] = [];
      for (let piece = input.take(READ_BYTES); piece.length > 0; piece = input.take(READ_BYTES)) pieces.push(piece);
      return joined(pieces);
    }
    const file = this.#file(fd, "fstat");
    if (!file.readable) throw new FsError("EBADF", "read");
    const data = this.#data(file, "read").slice(file.position);
    file.position += data.length;
    return data;
  }

  write(fd: number, bytes: Uint8Array, position: number | null): number {
    const device = this.#open.get(fd)?.device ?? fd;
    const to = typeof device === "object" ? device.fd : device;
    if (to === 1 || to === 2 || typeof device === "object") {
      const { broken, ended, host } = this.#runtime;
      if (broken.has(to as number)) throw brokenPipe();
      if (!ended) host.write(to as number, bytes);
      return bytes.length;
    }
    const file = this.#file(fd, "write");
    if (!file.writable) throw new FsError("EBADF", "write");
    if (device === "null") return bytes.length;
    const before = this.#data(file, "write");
    const from = file.append ? before.length : position ?? file.position;
    this.#put(file, from, bytes);
    if (file.append || position === null) file.position = from + bytes.length;
    return bytes.length;
  }

  #put(file: OpenFile, from: number, bytes: Uint8Array): void {
    const before = this.#data(file, "write");
    const path = this.#pathOf(file);
    // With the bits it was opened under: later changes of them do not count.
    const whole = this.#runtime.vfs.enforcesModes;
    this.#runtime.vfs.enforcesModes = false;
    try {
      if (path !== undefined && from === before.length) {
        this.#runtime.vfs.append(path, bytes.slice());
        return;
      }
      const after = new Uint8Array(Math.max(before.length, from + bytes.length));
      after.set(before);
      after.set(bytes, from);
      this.#replace(file, path, after);
    } finally {
      this.#runtime.vfs.enforcesModes = whole;
    }
  }

  #replace(file: OpenFile, path: string | undefined, data: Uint8Array): void {
    if (path !== undefined) this.#runtime.vfs.writeFile(path, data);
    // Removed while open: only who holds it open can see it still.
    else if (file.node.kind === "file") file.node.data = data;
  }

  /** Its name now; undefined when it has none left. */
  #pathOf(file: OpenFile): string | undefined {
    const { vfs } = this.#runtime;
    if (vfs.find(file.path, false) === file.node) return file.path;
    const search = (folder: DirNode, at: string): string | undefined => {
      for (const [name, node] of folder.entries) {
        const here = joinPath(at, name);
        if (node === file.node) return here;
        const found = node.kind === "dir" ? search(node, here) : undefined;
        if (found !== undefined) return found;
      }
      return undefined;
    };
    const found = search(vfs.image().root, "/");
    if (found !== undefined) file.path = found;
    return found;
  }

  truncate(fd: number, length: number): void {
    const file = this.#file(fd, "ftruncate");
    if (!file.writable || file.device === "null") throw new FsError("EINVAL", "ftruncate");
    const after = new Uint8Array(length);
    after.set(this.#data(file, "ftruncate").subarray(0, length));
    this.#replace(file, this.#pathOf(file), after);
  }

  readonly operations: Readonly<Record<string, Operation>> = {
    close: (given) => {
      const fd = checkFd(given);
      return inOrder(fd, () => this.close(fd));
    },
    read: (given, buffer, ...rest) => {
      const fd = checkFd(given);
      const { view, offset, length, position } = readRange(buffer, rest);
      return waiting(this.inputOf(fd), length > 0 ? "some" : undefined, () => (length === 0 ? 0 : this.read(fd, view, offset, length, position)));
    },
    write: (given, data, ...rest) => {
      const fd = checkFd(given);
      if (typeof data === "string") {
        const [position, encoding] = rest;
        const bytes = Buffer.from(data, typeof encoding === "string" ? encoding : "utf8");
        return inOrder(fd, () => this.write(fd, bytes, typeof position === "number" ? position : null));
      }
      if (!ArrayBuffer.isView(data)) throw invalidArgType("buffer", ["string", "Buffer", "TypedArray", "DataView"], data);
      const { view, offset, length, position } = writeRange(data, rest);
      return inOrder(fd, () => this.write(fd, view.subarray(offset, offset + length), position));
    },
    readv: (given, buffers, position) => {
      const fd = checkFd(given);
      const views = checkViews(buffers);
      return waiting(this.inputOf(fd), "some", () => vectored(views, position, (view, at) => this.read(fd, view, 0, view.length, at)));
    },
    writev: (given, buffers, position) => {
      const fd = checkFd(given);
      const views = checkViews(buffers);
      return inOrder(fd, () => vectored(views, position, (view, at) => this.write(fd, view, at)));
    },
    fstat: (given, options) => {
      const fd = checkFd(given);
      const bigint = (options as Dict | undefined)?.["bigint"] === true;
      return () => {
        if (fd <= 2 && !this.#open.has(fd)) return makeStats({ kind: "file", ino: fd, mode: 0o010600, size: 0, links: 1, atimeMs: 0, mtimeMs: 0, ctimeMs: 0, birthtimeMs: 0 }, bigint);
        const { device, node } = this.#file(fd, "fstat");
        return makeStats(device === "null" ? NULL_STAT : typeof device === "object" ? PIPE_STAT : statOf(node), bigint);
      };
    },
    ftruncate: (given, length = 0) => {
      const fd = checkFd(given);
      const size = Math.max(0, checkInt(length, "len", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
      return inOrder(fd, () => this.truncate(fd, size));
    },
    fsync: (given) => this.#touching(given, "fsync"), fdatasync: (given) => this.#touching(given, "fdatasync"),
    fchmod: (given, mode) => {
      const bits = readMode(mode);
      return this.#touching(given, "fchmod", (path) => this.#runtime.vfs.chmod(path, bits));
    },
    fchown: (given, uid, gid) => {
      const fd = checkFd(given);
      checkInt(uid, "uid", -1, MAX_ID);
      checkInt(gid, "gid", -1, MAX_ID);
      return this.#touching(fd, "fchown");
    },
    futimes: (given, atime, mtime) => {
      const [atimeMs, mtimeMs] = [readTime(atime), readTime(mtime)];
      return this.#touching(given, "futime", (path) => this.#runtime.vfs.utimes(path, mtimeMs, atimeMs));
    },
  };

  #touching(given: unknown, syscall: string, run?: (path: string) => void): () => void {
    const fd = checkFd(given);
    return () => {
      if (fd <= 2) return;
      const file = this.#file(fd, syscall);
      if (file.device === "null" && syscall.endsWith("sync")) throw new FsError("EINVAL", syscall);
      const path = file.device === "null" ? undefined : this.#pathOf(file);
      if (path !== undefined) run?.(path);
    };
  }
}

function vectored(views: readonly Uint8Array[], position: unknown, one: (view: Uint8Array, at: number | null) => number): number {
  let at = typeof position === "number" ? position : null;
  let total = 0;
  for (const view of views) {
    const count = one(view, at);
    total += count;
    if (at !== null) at += count;
    if (count < view.length) break;
  }
  return total;
}

function checkViews(buffers: unknown): Uint8Array[] {
  if (!Array.isArray(buffers) || !buffers.every((each) => ArrayBuffer.isView(each))) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "buffers" argument must be an ArrayBufferView[]. ${received(buffers)}`);
  return buffers.map((each) => toBytes(each));
}

interface Range {
  readonly view: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly position: number | null;
}

/** Where a write goes: what is no position means the current one. */
function positionOf(value: unknown): number | null {
  const at = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value)) ? Number(value) : -1;
  return at < 0 ? null : at;
}

/** Where a read begins; -1 means the current position. */
function readPosition(value: unknown): number | null {
  if (value == null) return null;
  if (typeof value === "bigint") {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange("position", `>= ${-(2n ** 63n)} && <= ${2n ** 63n - 1n}`, value);
  } else if (typeof value === "number") checkInt(value, "position", -1, Number.MAX_SAFE_INTEGER);
  else throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "position" argument must be of type bigint or integer. ${received(value)}`);
  return positionOf(value);
}

/** Arguments of the forms of `read` that bring no buffer, with one: `(fd)`, `(fd, options)`; the last is the callback. */
export function withBuffer(args: readonly unknown[]): unknown[] {
  const [fd, given, ...rest] = args;
  if (args.length > 3 || ArrayBuffer.isView(given)) return [...args];
  const options = (rest.length === 0 ? undefined : readOptions(given)) ?? {};
  const { buffer = Buffer.alloc(READ_BUFFER_BYTES), ...where } = options;
  return [fd, buffer, where, rest.length === 0 ? given : rest[0]];
}

function readOptions(value: unknown): Dict | null | undefined {
  if (value !== undefined && (typeof value !== "object" || Array.isArray(value))) throw invalidArgType("options", "Object", value);
  return value as Dict | null | undefined;
}

function readRange(buffer: unknown, rest: readonly unknown[]): Range {
  let [offset, length, position] = rest;
  if (!ArrayBuffer.isView(buffer)) throw invalidArgType("buffer", ["Buffer", "TypedArray", "DataView"], buffer);
  if (rest.length <= 1 || (typeof offset === "object" && offset !== null)) ({ offset, length, position } = readOptions(offset) ?? {});
  const view = toBytes(buffer);
  const from = offset == null ? 0 : checkInt(offset, "offset", 0, Number.MAX_SAFE_INTEGER);
  const count = length == null ? view.length - from : Math.trunc(Number(length)) || 0;
  if (count !== 0) {
    if (view.length === 0) throw invalidArgValue("buffer", buffer, "is empty and cannot be written");
    if (count < 0) throw outOfRange("length", ">= 0", count);
    if (from + count > view.length) throw outOfRange("length", `<= ${view.length - from}`, count);
  }
  return { view, offset: from, length: count, position: count === 0 ? null : readPosition(position) };
}

function writeRange(buffer: ArrayBufferView, rest: readonly unknown[]): Range {
  let [offset, length, position] = rest;
  if (typeof offset === "object" && offset !== null) ({ offset, length, position } = offset as Dict);
  const view = toBytes(buffer);
  const from = offset == null ? 0 : checkInt(offset, "offset", 0, Number.MAX_SAFE_INTEGER);
  if (from > view.length) throw outOfRange("offset", `<= ${view.length}`, from);
  const count = typeof length === "number" ? length : view.length - from;
  if (count > view.length - from) throw outOfRange("length", `<= ${view.length - from}`, count);
  if (count < 0) throw outOfRange("length", ">= 0", count);
  return { view, offset: from, length: count, position: positionOf(position) };
}
