// Models that the first version of this app stored: whole expert records and tensors in the GPU layout, each value with its
// own hashes, and no word of where in the file they came from. They are read as they are, for as long as there are any.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { type CatalogueEntry, type Database, reading, type StoredBytes } from "./database.ts";
import type { ExpertStore } from "./expert-store.ts";
import { blockCount, hashesMatch } from "./hash.ts";
import { expertStore, MENDING } from "./record-reader.ts";
import type { StoredTensor } from "./stored-model.ts";

function isStoredBytes(value: unknown): value is StoredBytes {
  return typeof value === "object" && value !== null && "hashes" in value;
}

export function firstFormatExperts(database: Database, entry: CatalogueEntry): ExpertStore {
  const { id, name: model, records: layouts, experts } = entry;
  /** Of records that were fetched last, by where they were put. */
  const hashes = new WeakMap<Uint8Array, Uint8Array>();
  return expertStore({
    kind: "indexeddb",
    model,
    layouts,
    experts,
    async fetch(layer, expert, target) {
      const stored = await reading(() => database.get("experts", [id, layer, expert]));
      if (!isStoredBytes(stored)) return 0;
      if (stored.bytes.byteLength === target.byteLength) {
        target.set(stored.bytes);
        hashes.set(target, stored.hashes);
      }
      return stored.bytes.byteLength;
    },
    async isIntact(_layer, _expert, record) {
      const known = hashes.get(record);
      return known !== undefined && hashesMatch(record, known);
    },
  });
}

export async function readFirstFormatTensor(database: Database, entry: CatalogueEntry, tensor: StoredTensor, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(tensor.bytes);
  let at = 0;
  for (let piece = 0; piece < blockCount(tensor.bytes); piece++) {
    throwIfAborted(signal, "Reading the model");
    const stored = await reading(() => database.get("tensors", [entry.id, tensor.name, piece]));
    const data = { data: { model: entry.name, tensor: tensor.name, piece } };
    if (!isStoredBytes(stored)) throw new AppError("storage/missing", `Part of tensor ${tensor.name} of ${entry.name} is missing from the browser's storage. ${MENDING}`, data);
    if (at + stored.bytes.byteLength > tensor.bytes || !(await hashesMatch(stored.bytes, stored.hashes))) {
      throw new AppError("storage/corrupt", `Tensor ${tensor.name} of ${entry.name} is damaged in the browser's storage. ${MENDING}`, data);
    }
    whole.set(stored.bytes, at);
    at += stored.bytes.byteLength;
  }
  if (at !== tensor.bytes) throw new AppError("storage/corrupt", `Tensor ${tensor.name} of ${entry.name} is incomplete in the browser's storage. ${MENDING}`);
  return whole;
}
