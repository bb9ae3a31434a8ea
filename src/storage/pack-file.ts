// Weights in one file of the origin private file system, each piece at its place. The handle is synchronous and belongs to
// one worker at a time. What a crash leaves of a write is not known here: the journal counts only what was flushed.
import { AppError, rethrowIfFatal } from "../base/errors.ts";
import type { CatalogueEntry } from "./database.ts";
import { type Groups, PACK_HEADER_BYTES, packOffset } from "./pieces.ts";
import type { WeightStore } from "./weight-store.ts";

/** Room is asked for in steps, so that a full disk is found before it is full to the last byte. */
const STEP_BYTES = 256 * 1024 * 1024;

/** What is used of a FileSystemSyncAccessHandle, for which pages have no type. */
export interface PackHandle {
  read(target: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  flush(): void;
  getSize(): number;
  truncate(bytes: number): void;
  close(): void;
}

/** The place of all pack files. */
export interface PackFolder {
  /** Undefined when there is none and none is to be made. Throws `storage/locked` or `storage/unavailable`. */
  open(entry: Pick<CatalogueEntry, "id" | "name">, create: boolean): Promise<PackHandle | undefined>;
  /** Its bytes; 0 when there is none. Throws `storage/locked`. */
  remove(entry: Pick<CatalogueEntry, "id" | "name">): Promise<number>;
  bytes(entry: Pick<CatalogueEntry, "id" | "name">): Promise<number>;
  /** The file as it is now, to be read by whoever, whether a worker has it open or not. */
  snapshot(entry: Pick<CatalogueEntry, "id" | "name">): Promise<Blob | undefined>;
}

/** Throws `storage/missing` for a pack that is not there, `storage/corrupt` for one of something else. */
export async function openPack(folder: PackFolder, entry: CatalogueEntry, groups: Groups, fresh: boolean): Promise<WeightStore> {
  const handle = await folder.open(entry, fresh);
  if (!handle) throw missing(entry);
  try {
    const pack = new PackFile(handle, entry, groups);
    if (fresh) pack.clear();
    else pack.check();
    return pack;
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** To look at, not to write into: for checks beside a model that runs. Throws `storage/missing`. */
export async function packSnapshot(folder: PackFolder, entry: CatalogueEntry, groups: Groups): Promise<WeightStore> {
  const file = await folder.snapshot(entry);
  if (!file) throw missing(entry);
  const read = async (at: number, target: Uint8Array): Promise<number> => {
    const bytes = new Uint8Array(await file.slice(at, at + target.byteLength).arrayBuffer());
    target.set(bytes);
    return bytes.byteLength;
  };
  return {
    kind: "opfs",
    write: () => Promise.reject(new AppError("bug", `${entry.name} is only being looked at.`)),
    readPiece: (group, index, target) => read(packOffset(group, index), target),
    async readRecord(layer, expert, target) {
      const first = groups.experts[layer]?.[0];
      return first ? read(packOffset(first, expert) - first.matrix.offset, target) : 0;
    },
    close: async () => undefined,
  };
}

function missing({ id, name }: CatalogueEntry): AppError {
  return new AppError("storage/missing", `The weights of ${name} are missing from the browser's storage. Delete the model and load it again.`, { data: { model: id } });
}

class PackFile implements WeightStore {
  readonly kind = "opfs";
  readonly #handle: PackHandle;
  readonly #entry: CatalogueEntry;
  readonly #groups: Groups;
  /** Behind the last piece that was written, as far as is known here. */
  #end = PACK_HEADER_BYTES;

  constructor(handle: PackHandle, entry: CatalogueEntry, groups: Groups) {
    this.#handle = handle;
    this.#entry = entry;
    this.#groups = groups;
  }

  clear(): void {
    this.#writing(PACK_HEADER_BYTES, () => {
      this.#handle.truncate(0);
      this.#put(headerOf(this.#entry), 0);
      this.#handle.flush();
    });
  }

  check(): void {
    const found = new Uint8Array(PACK_HEADER_BYTES);
    const size = this.#handle.getSize();
    const wanted = headerOf(this.#entry);
    this.#end = Math.max(PACK_HEADER_BYTES, size);
    if (this.#handle.read(found, { at: 0 }) === found.byteLength && found.every((byte, i) => byte === wanted[i])) return;
    throw new AppError("storage/corrupt", `The weights of ${this.#entry.name} in the browser's storage are those of something else. Delete the model and load it again.`, { data: { model: this.#entry.id, size } });
  }

  async write(pieces: readonly Parameters<WeightStore["write"]>[0][number][]): Promise<void> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.byteLength, 0);
    const last = Math.max(...pieces.map(({ group, index, bytes: { byteLength } }) => packOffset(group, index) + byteLength));
    this.#writing(bytes, () => {
      this.#reserve(last);
      for (const piece of pieces) this.#put(piece.bytes, packOffset(piece.group, piece.index));
      this.#handle.flush();
    });
    this.#end = Math.max(this.#end, last);
  }

  async readPiece(...[group, index, target]: Parameters<WeightStore["readPiece"]>): Promise<number> {
    return this.#read(target, packOffset(group, index));
  }

  async readRecord(...[layer, expert, target]: Parameters<WeightStore["readRecord"]>): Promise<number> {
    const first = this.#groups.experts[layer]?.[0];
    return first ? this.#read(target, packOffset(first, expert) - first.matrix.offset) : 0;
  }

  async close(): Promise<void> {
    this.#handle.close();
  }

  #read(target: Uint8Array<ArrayBuffer>, at: number): number {
    try {
      return this.#handle.read(target, { at });
    } catch (cause) {
      throw new AppError("storage/unavailable", `The browser's storage failed while ${this.#entry.name} was read. Reload the page; if it happens again, the disk is failing.`, { cause });
    }
  }

  #reserve(end: number): void {
    const size = this.#handle.getSize();
    if (end <= size) return;
    this.#handle.truncate(Math.min(this.#groups.packBytes, Math.max(end, Math.ceil(end / STEP_BYTES) * STEP_BYTES)));
  }

  /**
   * All of `bytes` or an error. The count is checked because engines disagree when the disk is full: the specification says
   * throw, Firefox has returned a short count, Chrome 150 one larger than the buffer (wa-sqlite #336).
   */
  #put(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    const written = this.#handle.write(bytes, { at });
    if (written !== bytes.byteLength) throw new DOMException(`${written} of ${bytes.byteLength} bytes were written`, "QuotaExceededError");
  }

  #writing(neededBytes: number, write: () => void): void {
    try {
      write();
    } catch (cause) {
      this.#giveBack();
      if (!(cause instanceof DOMException)) throw cause;
      throw new AppError("storage/quota", `The browser has no room for ${this.#entry.name}: ${Math.ceil(neededBytes / 1e6)} MB more are needed. Free disk space or delete a model, then try again; what is stored is kept.`, {
        data: { neededBytes },
        cause,
      });
    }
  }

  /** Room that was reserved and not used is left to what the user makes. */
  #giveBack(): void {
    try {
      if (this.#handle.getSize() > this.#end) this.#handle.truncate(this.#end);
    } catch (error) {
      rethrowIfFatal(error); // the failure that led here says more
    }
  }
}

function headerOf({ fingerprint }: CatalogueEntry): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(PACK_HEADER_BYTES);
  header.set(new TextEncoder().encode(`tabwright pack 2\n${fingerprint}\n`).subarray(0, PACK_HEADER_BYTES));
  return header;
}
