// The models that are stored: list, open, delete.
import { AppError } from "../base/errors.ts";
import { type CatalogueEntry, type Database, FORMAT, reading, writing } from "./database.ts";
import type { PieceSource } from "./file-piece.ts";
import { firstFormatExperts, readFirstFormatTensor } from "./first-format.ts";
import { keysOf } from "./hash-list.ts";
import { ModelReader } from "./model-reader.ts";
import { OPFS_PACKS } from "./opfs-packs.ts";
import type { PackFolder } from "./pack-file.ts";
import { groupsOf } from "./pieces.ts";
import type { StoredModel } from "./stored-model.ts";
import { openWeights } from "./weight-store.ts";

/** All entries, half-imported ones too (`complete` tells). */
export function listModels(database: Database): Promise<readonly CatalogueEntry[]> {
  return reading(() => database.getAll("models"));
}

/** Undefined when the model is not in the catalogue at all. */
export function findModel(database: Database, id: string): Promise<CatalogueEntry | undefined> {
  return reading(() => database.get("models", id));
}

export interface OpenOptions {
  /**
   * The file that the model came from, or undefined when it is not at hand. Asked at once for a model that is read in place,
   * else only when something is damaged. May throw why it cannot be had (`storage/file`).
   */
  readonly origin?: (entry: CatalogueEntry) => Promise<PieceSource | undefined>;
  /** Nothing is written, and nobody is kept from the file. */
  readonly isLook?: boolean;
  /** For tests. */
  readonly packs?: PackFolder;
}

/** A complete model. Throws `storage/missing` for one that is not stored, or not completely; `storage/locked` for one that another worker has open. */
export async function openModel(database: Database, id: string, options: OpenOptions = {}): Promise<StoredModel> {
  const entry = await completeEntry(database, id);
  const tensors = new Map(entry.tensors.map((tensor) => [tensor.name, tensor]));
  const { experts, readTensor, close } = await openWeightsOf(database, entry, options);
  const { name, metadata, records } = entry;
  return {
    id,
    name,
    metadata,
    tensors: entry.tensors,
    records,
    experts,
    readTensor(wanted, signal) {
      const tensor = tensors.get(wanted);
      if (!tensor) throw new AppError("storage/missing", `${name} has no tensor ${wanted}.`, { data: { model: id, tensor: wanted } });
      return readTensor(tensor, signal);
    },
    close,
  };
}

type OpenWeights = Pick<StoredModel, "experts" | "close"> & Pick<ModelReader, "readTensor">;

async function openWeightsOf(database: Database, entry: CatalogueEntry, options: OpenOptions): Promise<OpenWeights> {
  if (entry.format !== undefined) {
    const reader = await openReader(database, entry, options);
    return { experts: reader.experts, readTensor: (tensor, signal) => reader.readTensor(tensor, signal), close: () => reader.close() };
  }
  return { experts: firstFormatExperts(database, entry), readTensor: (tensor, signal) => readFirstFormatTensor(database, entry, tensor, signal), close: async () => undefined };
}

/** For a model of the present format: what `openModel` reads through, and what checks and mends it. */
export async function openReader(database: Database, entry: CatalogueEntry, { origin, packs, isLook = false }: OpenOptions = {}): Promise<ModelReader> {
  const groups = groupsOf(entry);
  const from = async (): Promise<PieceSource | undefined> => origin?.(entry);
  const source = entry.store === "file" ? await from() : undefined;
  const weights = await openWeights(database, entry, groups, false, { source, isLook, ...(packs ? { packs } : {}) });
  try {
    return await ModelReader.open(database, entry, groups, weights, from);
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** Throws `storage/missing`, or `storage/unavailable` for what only a newer version of this page can read. */
export async function completeEntry(database: Database, id: string): Promise<CatalogueEntry> {
  const entry = await findModel(database, id);
  if (!entry?.complete) {
    throw new AppError("storage/missing", `${entry?.name ?? `Model ${id}`} is not completely stored in this browser. Load it again; what is stored is kept.`, { data: { model: id } });
  }
  if ((entry.format ?? 1) > FORMAT) throw new AppError("storage/unavailable", `${entry.name} was stored by a newer version of this page, which this one cannot read. Reload the page; nothing was deleted.`, { data: { model: id } });
  return entry;
}

/**
 * Deletes a model, stored or half-imported. Returns the bytes freed; 0 when there was none, or only a word of the user's own
 * file. Throws `storage/locked` when another worker has it open; then nothing has changed.
 */
export async function deleteModel(database: Database, id: string, packs: PackFolder = OPFS_PACKS): Promise<number> {
  const entry = await findModel(database, id);
  if (!entry) return 0;
  // The pack first: what is left after a crash in between is an entry that says what is missing, and can be deleted again.
  const packBytes = entry.store === "opfs" ? await packs.remove(entry) : 0;
  await writing(entry.name, 0, async () => {
    const tx = database.transaction(["models", "journal", "handles", "tensors", "experts", "hashes"], "readwrite", { durability: "strict" });
    await Promise.all([
      ...(["models", "journal", "handles"] as const).map((store) => tx.objectStore(store).delete(id)),
      ...(["tensors", "experts", "hashes"] as const).map((store) => tx.objectStore(store).delete(keysOf(id))),
      tx.done,
    ]);
  });
  return entry.store === "opfs" ? packBytes : entry.store === "file" ? 0 : entry.storedBytes;
}
