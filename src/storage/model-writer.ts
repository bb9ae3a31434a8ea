// Writes a model into IndexedDB so that it can be interrupted anywhere: the journal advances only past bytes that were
// stored and read back equal, and `complete` is the last thing written. Until then nothing can open the model.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type CatalogueEntry, type Database, type JournalEntry, type StoredBytes, reading, writing } from "./database.ts";
import { blockCount, hashBlocks, hashesMatch } from "./hash.ts";

/** Keeps one transaction of blocks below 32 MiB. */
const PARTS_AT_ONCE = 8;

type WeightKey = readonly ["tensors", [string, string, number]] | readonly ["experts", [string, number, number]];
type Part = readonly [WeightKey, Uint8Array<ArrayBuffer>];

/** Everything of one model in a store whose keys start with its id. */
export function keysOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

export class ModelWriter {
  readonly #database: Database;
  readonly #entry: CatalogueEntry;
  #journal: JournalEntry;
  #writtenBytes: number;

  private constructor(database: Database, entry: CatalogueEntry, journal: JournalEntry) {
    this.#database = database;
    this.#entry = entry;
    this.#journal = journal;
    this.#writtenBytes = doneBytes(entry, journal);
  }

  /** Goes on with an interrupted import of the same content, or starts anew. `entry.complete` is ignored. */
  static async begin(database: Database, entry: CatalogueEntry): Promise<ModelWriter> {
    const [known, journal] = await reading(() => Promise.all([database.get("models", entry.id), database.get("journal", entry.id)]));
    if (known && journal && !known.complete && journal.fingerprint === entry.fingerprint && sameLayout(known, entry)) {
      return new ModelWriter(database, known, journal);
    }
    const fresh: JournalEntry = { id: entry.id, fingerprint: entry.fingerprint, tensors: 0, records: 0 };
    await writing(entry.name, entry.storedBytes, async () => {
      const tx = database.transaction(["models", "journal", "tensors", "experts"], "readwrite", { durability: "strict" });
      await Promise.all([
        tx.objectStore("models").put({ ...entry, complete: false }),
        tx.objectStore("journal").put(fresh),
        tx.objectStore("tensors").delete(keysOf(entry.id)),
        tx.objectStore("experts").delete(keysOf(entry.id)),
        tx.done,
      ]);
    });
    return new ModelWriter(database, entry, fresh);
  }

  /** Tensors and records that are stored and verified already. */
  get done(): { readonly tensors: number; readonly records: number; readonly bytes: number } {
    return { tensors: this.#journal.tensors, records: this.#journal.records, bytes: this.#writtenBytes };
  }

  /** Stores the next resident tensors, in the entry's order. Throws `storage/quota`. */
  async putTensors(tensors: readonly Uint8Array<ArrayBuffer>[], signal?: AbortSignal): Promise<void> {
    const first = this.#journal.tensors;
    const parts: Part[] = tensors.flatMap((bytes, i) => {
      const tensor = this.#entry.tensors[first + i];
      if (tensor?.bytes !== bytes.byteLength) throw new AppError("bug", `tensor ${first + i} of ${this.#entry.name} is out of order`);
      const pieces = Array.from({ length: blockCount(bytes.byteLength) }, (_, piece) => bytes.slice(piece * LIMITS.blockBytes, (piece + 1) * LIMITS.blockBytes));
      return pieces.map((bytesOfPiece, piece): Part => [["tensors", [this.#entry.id, tensor.name, piece]], bytesOfPiece]);
    });
    for (let from = 0; from < parts.length; from += PARTS_AT_ONCE) {
      throwIfAborted(signal, "Importing the model");
      await this.#store(parts.slice(from, from + PARTS_AT_ONCE));
    }
    await this.#advance({ ...this.#journal, tensors: first + tensors.length });
  }

  /** Stores the next expert records, all of one layer. Throws `storage/quota`. */
  async putRecords(records: readonly Uint8Array<ArrayBuffer>[], signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal, "Importing the model");
    const { id, experts, name } = this.#entry;
    const first = this.#journal.records;
    const layer = Math.floor(first / experts);
    const layout = this.#entry.records[layer];
    const fits = records.length > 0 && (first % experts) + records.length <= experts && records.every((record) => record.byteLength === layout?.bytes);
    if (!fits) throw new AppError("bug", `record ${first} of ${name} is out of order`);
    await this.#store(records.map((record, i) => [["experts", [id, layer, (first % experts) + i]], record]));
    await this.#advance({ ...this.#journal, records: first + records.length });
  }

  /** Makes the model visible. Everything must have been put. */
  async commit(): Promise<void> {
    const { tensors, records, experts, name } = this.#entry;
    if (this.#journal.tensors !== tensors.length || this.#journal.records !== records.length * experts) throw new AppError("bug", `${name} is not complete`);
    await writing(name, 0, async () => {
      const tx = this.#database.transaction(["models", "journal"], "readwrite", { durability: "strict" });
      await Promise.all([tx.objectStore("models").put({ ...this.#entry, complete: true }), tx.objectStore("journal").delete(this.#entry.id), tx.done]);
    });
  }

  async #store(parts: readonly Part[]): Promise<void> {
    const values = await Promise.all(parts.map(async ([, bytes]): Promise<StoredBytes> => ({ bytes, hashes: await hashBlocks(bytes) })));
    await writing(this.#entry.name, this.#entry.storedBytes - this.#writtenBytes, async () => {
      const tx = this.#database.transaction(["tensors", "experts"], "readwrite", { durability: "strict" });
      const puts = parts.map(([[store, key]], i) => (store === "tensors" ? tx.objectStore(store).put(values[i]!, key) : tx.objectStore(store).put(values[i]!, key)));
      await Promise.all([...puts, tx.done]);
    });
    await Promise.all(parts.map(([key], i) => this.#readBack(key, values[i]!.hashes)));
    this.#writtenBytes += values.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  }

  async #readBack([store, key]: WeightKey, hashes: Uint8Array): Promise<void> {
    const stored = await reading(() => (store === "tensors" ? this.#database.get(store, key) : this.#database.get(store, key)));
    if (stored && (await hashesMatch(stored.bytes, hashes))) return;
    throw new AppError("storage/corrupt", `The browser stored part of ${this.#entry.name} wrongly (${store} ${key.slice(1).join(", ")}). Try again; if it happens again, the disk is failing.`, {
      data: { model: this.#entry.name, store },
    });
  }

  async #advance(journal: JournalEntry): Promise<void> {
    await writing(this.#entry.name, this.#entry.storedBytes - this.#writtenBytes, () => this.#database.put("journal", journal));
    this.#journal = journal;
  }
}

function doneBytes(entry: CatalogueEntry, journal: JournalEntry): number {
  const tensors = entry.tensors.slice(0, journal.tensors).reduce((sum, tensor) => sum + tensor.bytes, 0);
  const layers = Math.floor(journal.records / Math.max(1, entry.experts));
  const records = entry.records.slice(0, layers).reduce((sum, layout) => sum + layout.bytes * entry.experts, 0);
  return tensors + records + (journal.records % Math.max(1, entry.experts)) * (entry.records[layers]?.bytes ?? 0);
}

/** An import may only be continued if it would write the same bytes under the same keys. */
function sameLayout(a: CatalogueEntry, b: CatalogueEntry): boolean {
  const shape = ({ tensors, records, experts }: CatalogueEntry) => JSON.stringify([tensors, records, experts]);
  return shape(a) === shape(b);
}
