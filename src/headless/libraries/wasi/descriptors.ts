// The descriptors of one WASI instance: its own numbers, each with the rights it was opened with. Files behind them are
// descriptors of the process; folders are names, since all that is done in one is done by path.
import { FILE_TYPE, MOST, WasiError } from "./constants.ts";
import type { Stats, WasiTools } from "./tools.ts";

export interface Descriptor {
  /** The process's; undefined for a folder. */
  readonly fd: number | undefined;
  readonly type: number;
  /** The folder's name as the program sees it, and where it is. */
  readonly path: string;
  readonly realPath: string;
  /** Set for those given at the start: the name to find them by. */
  readonly preopened: string | undefined;
  base: bigint;
  inheriting: bigint;
  /** As `fcntl` tells them, O_LARGEFILE included: Node passes these on. */
  flags: number;
  position: bigint;
  /** What a folder's listing said, so that a cookie stays true while it is read. */
  listing: readonly { readonly name: string; readonly type: number }[] | undefined;
}

export const O_LARGEFILE = 0o100000;

export class DescriptorTable {
  readonly #tools: WasiTools;
  readonly #open = new Map<number, Descriptor>();

  /** Throws errors with `code`s of the fs module. */
  constructor(tools: WasiTools, stdio: readonly number[], preopens: readonly (readonly [string, string])[]) {
    this.#tools = tools;
    for (const fd of stdio) this.#addStream(fd);
    for (const [path, realPath] of preopens) {
      tools.fs.closeSync(tools.fs.openSync(realPath, (tools.constants["O_DIRECTORY"] as number) | 0));
      this.add({ fd: undefined, type: FILE_TYPE.directory, path: normalize(path), realPath, preopened: path, ...MOST.directory, flags: O_LARGEFILE });
    }
  }

  #addStream(fd: number): void {
    const stats = this.#tools.fs.fstatSync(fd, { bigint: true }) as Stats;
    const kind = this.#tools.isTerminal(fd) ? "terminal" : stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isFIFO() ? "pipe" : "device";
    const type = { terminal: FILE_TYPE.characterDevice, file: FILE_TYPE.regularFile, directory: FILE_TYPE.directory, pipe: FILE_TYPE.socket, device: FILE_TYPE.characterDevice }[kind];
    const { base, inheriting } = MOST[kind];
    this.add({ fd, type, path: "", realPath: "", preopened: undefined, base, inheriting, flags: fd === 0 ? 0 : 1 });
  }

  /** At the lowest free number. */
  add(made: Omit<Descriptor, "position" | "listing">): number {
    let number = 0;
    while (this.#open.has(number)) number++;
    this.#open.set(number, { ...made, position: 0n, listing: undefined });
    return number;
  }

  /** Throws EBADF, and ENOTCAPABLE where a right is missing. */
  get(number: number, base = 0n, inheriting = 0n): Descriptor {
    const found = this.#open.get(number);
    if (!found) throw new WasiError("EBADF");
    if ((~found.base & base) !== 0n || (~found.inheriting & inheriting) !== 0n) throw new WasiError("ENOTCAPABLE");
    return found;
  }

  /** Of a file or stream, with the process's own descriptor. */
  file(number: number, base: bigint): Descriptor & { readonly fd: number } {
    const found = this.get(number, base);
    if (found.fd === undefined) throw new WasiError("EISDIR");
    return found as Descriptor & { readonly fd: number };
  }

  close(number: number): void {
    const { fd } = this.get(number);
    this.#open.delete(number);
    if (fd !== undefined) this.#tools.fs.closeSync(fd);
  }

  renumber(from: number, to: number): void {
    const moved = this.get(from);
    const replaced = this.get(to);
    if (from === to) return;
    this.#open.set(to, moved);
    this.#open.delete(from);
    if (replaced.fd !== undefined) this.#tools.fs.closeSync(replaced.fd);
  }
}

/** Without `.`, `..`, and slashes at the end or twice; a relative one may begin with `..`. */
export function normalize(path: string): string {
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && out.length > 0 && out.at(-1) !== "..") out.pop();
    else if (part !== ".." || !path.startsWith("/")) out.push(part);
  }
  const joined = out.join("/");
  return path.startsWith("/") ? `/${joined}` : joined || ".";
}
