// Writes a model so that it can be interrupted anywhere: the journal, and with it the hashes, advances only past bytes that
// were stored, flushed and read back equal, and `complete` is the last thing written. Until then nothing can open the model.
import { joined } from "../base/bytes.ts";
import { AppError, throwIfAborted } from "../base/errors.ts";
import { type CatalogueEntry, type Database, FORMAT, type JournalEntry, reading, writing } from "./database.ts";
import { hashBlocks, sameHashes } from "./hash.ts";
import { HashList, keysOf, keysOfGroup } from "./hash-list.ts";
import { OPFS_PACKS } from "./opfs-packs.ts";
import { fileRange, type Groups, groupsOf, packOffset, type Piece, pieceBytes } from "./pieces.ts";
import { openWeights, type WeightOptions, type WeightStore } from "./weight-store.ts";

/** What the journal says of how far it is. */
export type Progress = Pick<JournalEntry, "sha256" | "repairing"> & { readonly at: number };

interface HashedPiece extends Piece {
  readonly hashes: Uint8Array<ArrayBuffer>;
}

export class ModelWriter {
  /** As it is imported: of the present format. */
  readonly entry: CatalogueEntry;
  readonly groups: Groups;
  readonly #database: Database;
  readonly #weights: WeightStore;
  #journal: JournalEntry & Progress;

  private constructor(database: Database, entry: CatalogueEntry, groups: Groups, weights: WeightStore, journal: JournalEntry & Progress) {
    this.#database = database;
    this.entry = entry;
    this.groups = groups;
    this.#weights = weights;
    this.#journal = journal;
  }

  /** Goes on with an interrupted import of the same content into the same store, or starts anew. The caller closes it. */
  static async begin(database: Database, given: CatalogueEntry, options: WeightOptions = {}): Promise<ModelWriter> {
    const entry: CatalogueEntry = { ...given, format: FORMAT, complete: false };
    const groups = groupsOf(entry);
    const [known, journal] = await reading(() => Promise.all([database.get("models", entry.id), database.get("journal", entry.id)]));
    if (known && journal?.at !== undefined && !known.complete && journal.fingerprint === entry.fingerprint && sameLayout(known, entry)) {
      const weights = await openWeights(database, entry, groups, false, options).catch(unlessGone);
      if (weights && (await reachesTo(journal.at, weights, groups))) {
        await writing(entry.name, entry.storedBytes, () => database.put("models", entry));
        return new ModelWriter(database, entry, groups, weights, { ...journal, at: journal.at });
      }
      await weights?.close();
    }
    const fresh = { id: entry.id, fingerprint: entry.fingerprint, at: 0 };
    if (known?.store === "opfs" && entry.store !== "opfs") await (options.packs ?? OPFS_PACKS).remove(entry);
    await writing(entry.name, entry.storedBytes, async () => {
      const tx = database.transaction(["models", "journal", "tensors", "experts", "hashes"], "readwrite", { durability: "strict" });
      await Promise.all([
        tx.objectStore("models").put(entry),
        tx.objectStore("journal").put(fresh),
        ...(["tensors", "experts", "hashes"] as const).map((store) => tx.objectStore(store).delete(keysOf(entry.id))),
        tx.done,
      ]);
    });
    return new ModelWriter(database, entry, groups, await openWeights(database, entry, groups, true, options), fresh);
  }

  get progress(): Progress {
    return this.#journal;
  }

  /** What is still to come, and some room for the catalogue. */
  get #neededBytes(): number {
    return Math.ceil(this.entry.storedBytes * (1 - this.#journal.at / this.entry.fileBytes)) + 1e6;
  }

  /** Stores pieces, each group's in order and without gaps, and then counts the import as far as `next`. Throws `storage/quota`. */
  async put(pieces: readonly Piece[], next: Progress, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal, "Importing the model");
    const hashed = await withHashes(pieces);
    await this.#store(hashed);
    const chunks = Map.groupBy(hashed, ({ group }) => group.name);
    await this.#advance(next, [...chunks].map(([name, list]) => [name, list[0]!.index, joined(list.map(({ hashes }) => hashes))] as const));
  }

  /** As `put` for pieces that are stored already: those that differ are replaced. Returns how many. */
  async replace(pieces: readonly Piece[], next: Progress, signal?: AbortSignal): Promise<number> {
    throwIfAborted(signal, "Repairing the model");
    const known = await HashList.load(this.#database, this.entry.id, this.groups);
    const wrong = (await withHashes(pieces)).filter(({ group, index, hashes }) => !known.has(group, index, hashes));
    await this.#store(wrong);
    for (const { group, index, hashes } of wrong) known.set(group, index, hashes);
    await this.#advance(next, [...new Set(wrong.map(({ group }) => group))].map((group) => [group.name, 0, known.whole(group)] as const), true);
    return wrong.length;
  }

  /** Counts the import as far as `next`, where nothing had to be stored. */
  advance(next: Progress): Promise<void> {
    return this.#advance(next, []);
  }

  /** Makes the model visible. Everything must have been put. */
  async commit(): Promise<void> {
    const known = await HashList.load(this.#database, this.entry.id, this.groups);
    const gap = this.groups.all.find((group) => Array.from({ length: group.pieces }, (_, index) => known.of(group, index)).some((hashes) => hashes.every((byte) => byte === 0)));
    if (gap) throw new AppError("bug", `${this.entry.name} is not complete: ${gap.name} is missing`);
    await writing(this.entry.name, this.#neededBytes, async () => {
      const tx = this.#database.transaction(["models", "journal"], "readwrite", { durability: "strict" });
      await Promise.all([tx.objectStore("models").put({ ...this.entry, complete: true }), tx.objectStore("journal").delete(this.entry.id), tx.done]);
    });
  }

  close(): Promise<void> {
    return this.#weights.close();
  }

  async #store(pieces: readonly HashedPiece[]): Promise<void> {
    if (pieces.length === 0) return;
    try {
      await this.#weights.write(pieces);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "storage/quota") throw error;
      const neededBytes = Math.max(Number(error.data["neededBytes"]), this.#neededBytes);
      throw new AppError("storage/quota", `The browser has no room for ${this.entry.name}: ${Math.ceil(neededBytes / 1e6)} MB more are needed. Free disk space or delete a model, then try again; what is stored is kept.`, { data: { neededBytes }, cause: error });
    }
    await Promise.all(pieces.map((piece) => this.#readBack(piece)));
  }

  async #readBack({ group, index, bytes, hashes }: HashedPiece): Promise<void> {
    const stored = new Uint8Array(bytes.byteLength);
    const found = await this.#weights.readPiece(group, index, stored);
    if (found === stored.byteLength && sameHashes(await hashBlocks(stored), hashes)) return;
    throw new AppError("storage/corrupt", `The browser stored part of ${this.entry.name} wrongly (${group.name}, ${index}). Try again; if it happens again, the disk is failing.`, { data: { model: this.entry.name } });
  }

  async #advance(next: Progress, chunks: readonly (readonly [group: string, first: number, hashes: Uint8Array<ArrayBuffer>])[], whole = false): Promise<void> {
    const { id, fingerprint, name } = this.entry;
    const journal = { id, fingerprint, ...next };
    await writing(name, this.#neededBytes, async () => {
      const tx = this.#database.transaction(["journal", "hashes"], "readwrite", { durability: "strict" });
      const hashes = tx.objectStore("hashes");
      await Promise.all([
        ...(whole ? chunks.map(([group]) => hashes.delete(keysOfGroup(id, group))) : []),
        ...chunks.map(([group, first, list]) => hashes.put(list, [id, group, first])),
        tx.objectStore("journal").put(journal),
        tx.done,
      ]);
    });
    this.#journal = journal;
  }
}

function withHashes(pieces: readonly Piece[]): Promise<readonly HashedPiece[]> {
  return Promise.all(pieces.map(async (piece) => ({ ...piece, hashes: await hashBlocks(piece.bytes) })));
}

/** Whether the weights are as long as the journal says: a file that lost its end is no base to go on from. */
async function reachesTo(at: number, weights: WeightStore, groups: Groups): Promise<boolean> {
  const done = groups.all.filter((group) => fileRange(group, group.pieces - 1).offset + fileRange(group, group.pieces - 1).bytes <= at);
  const last = done.toSorted((a, b) => packOffset(a, a.pieces - 1) - packOffset(b, b.pieces - 1)).at(-1);
  if (!last) return true;
  const target = new Uint8Array(pieceBytes(last, last.pieces - 1));
  return (await weights.readPiece(last, last.pieces - 1, target)) === target.byteLength;
}

/** Weights that went missing behind the journal's back, or are of something else: it is not believed, and all begins anew. */
function unlessGone(error: unknown): undefined {
  if (error instanceof AppError && (error.code === "storage/missing" || error.code === "storage/corrupt")) return undefined;
  throw error;
}

/** An import may only be continued if it would write the same bytes in the same places. */
function sameLayout(a: CatalogueEntry, b: CatalogueEntry): boolean {
  const shape = ({ format, store = "indexeddb", tensors, records, experts }: CatalogueEntry) => JSON.stringify([format, store, tensors, records, experts]);
  return shape(a) === shape(b);
}
