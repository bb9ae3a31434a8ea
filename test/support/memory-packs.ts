// Pack files in memory that fail on order: full, written short, torn by a crash. What was not flushed is lost or half there
// after a crash, as on a disk. It passes the contract suite of the stores; the real one does too (opfs-store.ts).
import { AppError } from "../../src/base/errors.ts";
import type { PackFolder, PackHandle } from "../../src/storage/pack-file.ts";

export type WriteFault = "QuotaExceededError" | "AbortError" | "short" | "oversize";

interface Pack {
  /** As on the disk. */
  durable: Uint8Array<ArrayBuffer>;
  /** As it reads. */
  current: Uint8Array<ArrayBuffer>;
  open: boolean;
}

export class MemoryPacks implements PackFolder {
  readonly #packs = new Map<string, Pack>();
  /** Bytes of all packs that are allowed. */
  quota = Infinity;
  fault: WriteFault = "QuotaExceededError";

  get usedBytes(): number {
    return [...this.#packs.values()].reduce((sum, { current }) => sum + current.byteLength, 0);
  }

  async open({ id, name }: { readonly id: string; readonly name: string }, create: boolean): Promise<PackHandle | undefined> {
    const pack = this.#packs.get(id) ?? (create ? { durable: new Uint8Array(), current: new Uint8Array(), open: false } : undefined);
    if (!pack) return undefined;
    if (pack.open) throw new AppError("storage/locked", `${name} is in use: it is loaded here or in another tab. Load another model there, or close it, then try again.`);
    this.#packs.set(id, pack);
    pack.open = true;
    return this.#handle(pack);
  }

  async remove({ id }: { readonly id: string }): Promise<number> {
    const bytes = await this.bytes({ id });
    this.#packs.delete(id);
    return bytes;
  }

  async bytes({ id }: { readonly id: string }): Promise<number> {
    return this.#packs.get(id)?.current.byteLength ?? 0;
  }

  async snapshot({ id }: { readonly id: string }): Promise<Blob | undefined> {
    const pack = this.#packs.get(id);
    return pack && new Blob([pack.current]);
  }

  /** The file's own bytes, to harm them. */
  bytesOf(id: string): Uint8Array<ArrayBuffer> {
    return this.#packs.get(id)!.current;
  }

  cut(id: string, bytes: number): void {
    const pack = this.#packs.get(id)!;
    pack.current = pack.current.slice(0, bytes);
    pack.durable = pack.current.slice();
  }

  /** The power goes: of what was not flushed, every other 512 bytes have arrived. Handles are gone. */
  crash(): void {
    for (const pack of this.#packs.values()) {
      const torn = new Uint8Array(pack.durable.byteLength);
      torn.set(pack.durable);
      for (let at = 0; at + 512 <= torn.byteLength; at += 1024) torn.set(pack.current.subarray(at, at + 512), at);
      pack.durable = torn;
      pack.current = torn.slice();
      pack.open = false;
    }
  }

  #handle(pack: Pack): PackHandle {
    const grow = (bytes: number): void => {
      if (this.usedBytes - pack.current.byteLength + bytes > this.quota) throw new DOMException("full", this.fault === "AbortError" ? "AbortError" : "QuotaExceededError");
      const next = new Uint8Array(bytes);
      next.set(pack.current.subarray(0, bytes));
      pack.current = next;
    };
    return {
      read: (target, { at }) => {
        const part = pack.current.subarray(at, at + target.byteLength);
        target.set(part);
        return part.byteLength;
      },
      write: (bytes, { at }) => {
        const over = Math.max(0, this.usedBytes - pack.current.byteLength + at + bytes.byteLength - this.quota);
        if (over > 0 && this.fault === "oversize") return 4_294_967_288;
        if (over > 0 && this.fault === "short") {
          const fits = Math.max(0, bytes.byteLength - over);
          if (at + fits > pack.current.byteLength) grow(at + fits);
          pack.current.set(bytes.subarray(0, fits), at);
          return fits;
        }
        if (at + bytes.byteLength > pack.current.byteLength) grow(at + bytes.byteLength);
        pack.current.set(bytes, at);
        return bytes.byteLength;
      },
      flush: () => {
        pack.durable = pack.current.slice();
      },
      getSize: () => pack.current.byteLength,
      truncate: (bytes) => {
        // Engines that answer a full disk with a count let the file grow.
        if (bytes > pack.current.byteLength && (this.fault === "short" || this.fault === "oversize") && this.usedBytes - pack.current.byteLength + bytes > this.quota) return;
        grow(bytes);
      },
      close: () => {
        pack.open = false;
      },
    };
  }
}
