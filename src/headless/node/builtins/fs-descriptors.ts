// Open files: numbers, positions, flags, and the operations that take a descriptor.
import { FsError } from "../../fs-error.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer, toBytes } from "./buffer.ts";
import { Stats } from "./fs-stats.ts";

interface OpenFile {
  readonly path: string;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly append: boolean;
  position: number;
}

const FLAG_NUMBERS = { O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_TRUNC: 0o1000, O_APPEND: 0o2000 } as const;

function flagLetters(flags: unknown): string {
  if (typeof flags !== "number") return String(flags ?? "r");
  const readWrite = (flags & FLAG_NUMBERS.O_RDWR) !== 0;
  if ((flags & FLAG_NUMBERS.O_APPEND) !== 0) return readWrite ? "a+" : "a";
  if ((flags & FLAG_NUMBERS.O_CREAT) !== 0) return `w${(flags & FLAG_NUMBERS.O_EXCL) !== 0 ? "x" : ""}${readWrite ? "+" : ""}`;
  return readWrite || (flags & FLAG_NUMBERS.O_WRONLY) !== 0 ? "r+" : "r";
}

export class Descriptors {
  readonly #runtime: Runtime;
  readonly #open = new Map<number, OpenFile>();
  #next = 3;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  open(path: string, spelled: string, flags: unknown, mode?: unknown): number {
    const { vfs } = this.#runtime;
    const letters = flagLetters(flags);
    const node = vfs.find(path);
    if (letters.startsWith("r")) {
      if (!node) throw new FsError("ENOENT", "open", spelled);
      if (node.kind === "dir" && letters !== "r") throw new FsError("EISDIR", "open", spelled);
    } else {
      if (node?.kind === "dir") throw new FsError("EISDIR", "open", spelled);
      if (node && letters.includes("x")) throw new FsError("EEXIST", "open", spelled);
      if (!node || letters.startsWith("w")) vfs.writeFile(path, new Uint8Array(), typeof mode === "number" ? { mode } : {});
    }
    const fd = this.#next++;
    this.#open.set(fd, {
      path, position: 0, append: letters.startsWith("a"), readable: letters.startsWith("r") || letters.includes("+"), writable: !letters.startsWith("r") || letters.includes("+"),
    });
    return fd;
  }

  close(fd: number): void {
    if (!this.#open.delete(fd) && fd > 2) throw new FsError("EBADF", "close");
  }

  #file(fd: number, syscall: string): OpenFile {
    const file = this.#open.get(fd);
    if (!file) throw new FsError("EBADF", syscall);
    return file;
  }

  read(fd: number, target: Uint8Array, offset: number, length: number, position: number | null): number {
    if (fd === 0) return 0;
    const file = this.#file(fd, "read");
    if (!file.readable) throw new FsError("EBADF", "read");
    const data = this.#runtime.vfs.readFile(file.path);
    const from = position ?? file.position;
    const piece = data.subarray(from, from + length);
    target.set(piece, offset);
    if (position === null) file.position += piece.length;
    return piece.length;
  }

  readAll(fd: number): Uint8Array {
    if (fd === 0) return new Uint8Array();
    const file = this.#file(fd, "read");
    const data = this.#runtime.vfs.readFile(file.path).slice(file.position);
    file.position += data.length;
    return data;
  }

  write(fd: number, bytes: Uint8Array, position: number | null): number {
    if (fd === 1 || fd === 2) {
      if (!this.#runtime.ended) this.#runtime.host.write(fd, bytes);
      return bytes.length;
    }
    const file = this.#file(fd, "write");
    if (!file.writable) throw new FsError("EBADF", "write");
    const { vfs } = this.#runtime;
    if (file.append) {
      vfs.append(file.path, bytes.slice());
      return bytes.length;
    }
    const before = vfs.readFile(file.path);
    const from = position ?? file.position;
    if (from === before.length) vfs.append(file.path, bytes.slice());
    else {
      const after = new Uint8Array(Math.max(before.length, from + bytes.length));
      after.set(before);
      after.set(bytes, from);
      vfs.writeFile(file.path, after);
    }
    if (position === null) file.position = from + bytes.length;
    return bytes.length;
  }

  truncate(fd: number, length: number): void {
    const file = this.#file(fd, "ftruncate");
    const after = new Uint8Array(length);
    after.set(this.#runtime.vfs.readFile(file.path).subarray(0, length));
    this.#runtime.vfs.writeFile(file.path, after);
  }

  stat(fd: number): Stats {
    return new Stats(this.#runtime.vfs.stat(this.#file(fd, "fstat").path));
  }

  operations(at: (value: unknown, name?: string) => string): Record<string, AnyFunction> {
    const range = (buffer: Uint8Array, rest: readonly unknown[]): { offset: number; length: number; position: number | null } => {
      const given = (typeof rest[0] === "object" && rest[0] !== null ? rest[0] : { offset: rest[0], length: rest[1], position: rest[2] }) as Dict;
      const offset = Number(given["offset"] ?? 0);
      const position = given["position"];
      return { offset, length: Number(given["length"] ?? buffer.byteLength - offset), position: typeof position === "number" && position >= 0 ? position : typeof position === "bigint" ? Number(position) : null };
    };
    return {
      openSync: (path, flags, mode) => this.open(at(path), String(path), flags, mode),
      closeSync: (fd) => this.close(fd as number),
      readSync: (fd, buffer, ...rest) => {
        const view = toBytes(buffer);
        const { offset, length, position } = range(view, rest);
        return this.read(fd as number, view, offset, length, position);
      },
      writeSync: (fd, data, ...rest) => {
        if (typeof data === "string") return this.write(fd as number, Buffer.from(data, rest[1] ?? "utf8"), typeof rest[0] === "number" ? rest[0] : null);
        const view = toBytes(data);
        const { offset, length, position } = range(view, rest);
        return this.write(fd as number, view.subarray(offset, offset + length), position);
      },
      readvSync: (fd, views) => (views as Uint8Array[]).reduce((sum, view) => sum + this.read(fd as number, toBytes(view), 0, view.byteLength, null), 0),
      writevSync: (fd, views) => (views as Uint8Array[]).reduce((sum, view) => sum + this.write(fd as number, toBytes(view), null), 0),
      fstatSync: (fd) => this.stat(fd as number),
      ftruncateSync: (fd, length = 0) => this.truncate(fd as number, length as number),
      fsyncSync: () => undefined, fdatasyncSync: () => undefined, fchmodSync: () => undefined, fchownSync: () => undefined, futimesSync: () => undefined,
    };
  }
}
