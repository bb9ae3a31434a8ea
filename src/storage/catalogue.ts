// The models that are stored: list, open, delete.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { type CatalogueEntry, type Database, reading, writing } from "./database.ts";
import { blockCount, hashesMatch } from "./hash.ts";
import { indexedDbExpertStore } from "./indexeddb-expert-store.ts";
import { keysOf } from "./model-writer.ts";
import type { StoredModel, StoredTensor } from "./stored-model.ts";

/** All entries, half-imported ones too (`complete` tells). */
export function listModels(database: Database): Promise<readonly CatalogueEntry[]> {
  return reading(() => database.getAll("models"));
}

/** Undefined when the model is not in the catalogue at all. */
export function findModel(database: Database, id: string): Promise<CatalogueEntry | undefined> {
  return reading(() => database.get("models", id));
}

/** A complete model. Throws `storage/missing` for one that is not stored, or not completely. */
export async function openModel(database: Database, id: string): Promise<StoredModel> {
  const entry = await findModel(database, id);
  if (!entry?.complete) {
    throw new AppError("storage/missing", `${entry?.name ?? `Model ${id}`} is not completely stored in this browser. Load it again; what is stored is kept.`, { data: { model: id } });
  }
  const tensors = new Map(entry.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    id,
    name: entry.name,
    metadata: entry.metadata,
    tensors: entry.tensors,
    records: entry.records,
    experts: indexedDbExpertStore(database, entry),
    readTensor(name, signal) {
      const tensor = tensors.get(name);
      if (!tensor) throw new AppError("storage/missing", `${entry.name} has no tensor ${name}.`, { data: { model: id, tensor: name } });
      return readTensor(database, entry, tensor, signal);
    },
  };
}

async function readTensor(database: Database, entry: CatalogueEntry, tensor: StoredTensor, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(tensor.bytes);
  let at = 0;
  for (let piece = 0; piece < blockCount(tensor.bytes); piece++) {
    throwIfAborted(signal, "Reading the model");
    const stored = await reading(() => database.get("tensors", [entry.id, tensor.name, piece]));
    const data = { data: { model: entry.name, tensor: tensor.name, piece } };
    if (!stored) throw new AppError("storage/missing", `Part of tensor ${tensor.name} of ${entry.name} is missing from the browser's storage. Delete the model and load it again.`, data);
    if (at + stored.bytes.byteLength > tensor.bytes || !(await hashesMatch(stored.bytes, stored.hashes))) {
      throw new AppError("storage/corrupt", `Tensor ${tensor.name} of ${entry.name} is damaged in the browser's storage. Delete the model and load it again.`, data);
    }
    whole.set(stored.bytes, at);
    at += stored.bytes.byteLength;
  }
  if (at !== tensor.bytes) throw new AppError("storage/corrupt", `Tensor ${tensor.name} of ${entry.name} is incomplete in the browser's storage. Delete the model and load it again.`);
  return whole;
}

/** Deletes a model, stored or half-imported, in one transaction. Returns the bytes freed; 0 when there was none. */
export async function deleteModel(database: Database, id: string): Promise<number> {
  const entry = await findModel(database, id);
  if (!entry) return 0;
  await writing(entry.name, 0, async () => {
    const tx = database.transaction(["models", "journal", "tensors", "experts"], "readwrite", { durability: "strict" });
    await Promise.all([
      tx.objectStore("models").delete(id),
      tx.objectStore("journal").delete(id),
      tx.objectStore("tensors").delete(keysOf(id)),
      tx.objectStore("experts").delete(keysOf(id)),
      tx.done,
    ]);
  });
  return entry.storedBytes;
}
