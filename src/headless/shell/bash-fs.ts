// just-bash's file system interface over the process's replica. /dev/null swallows and is always empty.
import type { BufferEncoding, CpOptions, FileContent, FsStat, IFileSystem, MkdirOptions, RmOptions } from "just-bash/browser";
import { FsError } from "../fs-error.ts";
import { joinPath, resolvePath } from "../posix-path.ts";
import { statOf, type VfsNode } from "../vfs-node.ts";
import type { Vfs } from "../vfs.ts";
import { provideDigests } from "./digests.ts";
import { latin1 } from "../kernel/text-encoding.ts";

type EncodingOption = { readonly encoding?: BufferEncoding | null } | BufferEncoding | undefined;

const NULL_DEVICE = "/dev/null";
const NULL_STAT: FsStat = { isFile: false, isDirectory: false, isSymbolicLink: false, mode: 0o020666, size: 0, mtime: new Date(0) };

export class BashFs implements IFileSystem {
  readonly #vfs: Vfs;

  constructor(vfs: Vfs) {
    provideDigests();
    this.#vfs = vfs;
  }

  async readFile(path: string, options?: EncodingOption): Promise<string> {
    const bytes = await this.readFileBuffer(path);
    return isByteEncoding(options) ? latin1(bytes) : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    return path === NULL_DEVICE ? new Uint8Array() : this.#vfs.readFile(resolvePath(path)).slice();
  }

  async writeFile(path: string, content: FileContent, options?: EncodingOption): Promise<void> {
    if (path !== NULL_DEVICE) this.#vfs.writeFile(resolvePath(path), toBytes(content, options));
  }

  async appendFile(path: string, content: FileContent, options?: EncodingOption): Promise<void> {
    if (path !== NULL_DEVICE) this.#vfs.append(resolvePath(path), toBytes(content, options));
  }

  async exists(path: string): Promise<boolean> {
    return path === NULL_DEVICE || this.#vfs.exists(resolvePath(path));
  }

  async stat(path: string): Promise<FsStat> {
    return path === NULL_DEVICE ? NULL_STAT : fsStat(this.#need(path, true, "stat"));
  }

  async lstat(path: string): Promise<FsStat> {
    return path === NULL_DEVICE ? NULL_STAT : fsStat(this.#need(path, false, "lstat"));
  }

  async mkdir(path: string, options?: MkdirOptions): Promise<void> {
    this.#vfs.mkdir(resolvePath(path), { recursive: options?.recursive === true });
  }

  async readdir(path: string): Promise<string[]> {
    return this.#vfs.readdir(resolvePath(path));
  }

  async readdirWithFileTypes(path: string): Promise<{ name: string; isFile: boolean; isDirectory: boolean; isSymbolicLink: boolean }[]> {
    const { entries } = this.#vfs.dir(resolvePath(path));
    return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { kind }]) => ({
      name,
      isFile: kind === "file",
      isDirectory: kind === "dir",
      isSymbolicLink: kind === "link",
    }));
  }

  async rm(path: string, options?: RmOptions): Promise<void> {
    const real = resolvePath(path);
    const node = this.#vfs.find(real, false);
    if (!node) {
      if (options?.force === true) return;
      throw new FsError("ENOENT", "rm", path);
    }
    if (options?.recursive === true) this.#vfs.removeTree(real);
    else if (node.kind === "dir") this.#vfs.rmdir(real);
    else this.#vfs.unlink(real);
  }

  async cp(from: string, to: string, options?: CpOptions): Promise<void> {
    this.#copy(this.#need(from, true, "cp"), resolvePath(from), resolvePath(to), options?.recursive === true);
  }

  async mv(from: string, to: string): Promise<void> {
    this.#vfs.rename(resolvePath(from), resolvePath(to));
  }

  resolvePath(base: string, path: string): string {
    return resolvePath(path, base);
  }

  getAllPaths(): string[] {
    const paths: string[] = [];
    const visit = (node: VfsNode, path: string): void => {
      paths.push(path);
      if (node.kind === "dir") for (const [name, child] of node.entries) visit(child, joinPath(path, name));
    };
    visit(this.#vfs.image().root, "/");
    return paths;
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.#vfs.chmod(resolvePath(path), mode);
  }

  async symlink(target: string, path: string): Promise<void> {
    this.#vfs.symlink(target, resolvePath(path));
  }

  async link(existing: string, path: string): Promise<void> {
    this.#vfs.link(resolvePath(existing), resolvePath(path));
  }

  async readlink(path: string): Promise<string> {
    return this.#vfs.readlink(resolvePath(path));
  }

  async realpath(path: string): Promise<string> {
    return this.#vfs.realpath(resolvePath(path));
  }

  async utimes(path: string, _accessed: Date, modified: Date): Promise<void> {
    this.#vfs.utimes(resolvePath(path), modified.getTime());
  }

  #need(path: string, follow: boolean, syscall: string): VfsNode {
    const node = this.#vfs.find(resolvePath(path), follow);
    if (!node) throw new FsError("ENOENT", syscall, path);
    return node;
  }

  #copy(node: VfsNode, from: string, to: string, recursive: boolean): void {
    if (node.kind === "link") return this.#vfs.symlink(node.target, to);
    if (node.kind === "file") {
      this.#vfs.writeFile(to, node.data, { mode: node.mode });
      return;
    }
    if (!recursive) throw new FsError("EISDIR", "cp", from);
    const children = [...node.entries]; // before the copy appears among them
    this.#vfs.mkdir(to, { recursive: true });
    for (const [name, child] of children) this.#copy(child, joinPath(from, name), joinPath(to, name), true);
  }
}

function fsStat(node: VfsNode): FsStat {
  const { mode, size, mtimeMs, ino } = statOf(node);
  return {
    isFile: node.kind === "file",
    isDirectory: node.kind === "dir",
    isSymbolicLink: node.kind === "link",
    mode,
    size,
    mtime: new Date(mtimeMs),
    // One file system: without a device number mv and cp cannot tell two files apart, and refuse.
    dev: 1,
    ino,
  };
}

function isByteEncoding(options: EncodingOption): boolean {
  const encoding = typeof options === "string" ? options : options?.encoding;
  return encoding === "binary" || encoding === "latin1";
}

function toBytes(content: FileContent, options: EncodingOption): Uint8Array {
  if (typeof content !== "string") return content.slice();
  return isByteEncoding(options) ? Uint8Array.from(content, (c) => c.charCodeAt(0)) : new TextEncoder().encode(content);
}
