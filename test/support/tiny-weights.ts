// A model file of a few tensors whose bytes say where they are, without any GGUF around it, and its catalogue entry: for tests
// of the stores. F32, so that what is stored is what is in the file.
import { sha256Hex } from "../../src/base/digest.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { Import } from "../../src/engine/import-model.ts";
import { type ByteSource, bytesSource } from "../../src/gguf/source.ts";
import { type CatalogueEntry, type Database, FORMAT } from "../../src/storage/database.ts";
import { ModelWriter } from "../../src/storage/model-writer.ts";
import type { PackFolder } from "../../src/storage/pack-file.ts";
import { bytesOf, groupsOf } from "../../src/storage/pieces.ts";
import type { RecordLayout, RecordPart, StoredTensor } from "../../src/storage/stored-model.ts";

export const EXPERTS = 3;
const GAP = 32;

export interface TinyWeights {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly source: ByteSource;
  entry(store: NonNullable<CatalogueEntry["store"]>, sha256?: string): CatalogueEntry;
  record(layer: number, expert: number): Uint8Array<ArrayBuffer>;
  tensor(name: string): Uint8Array<ArrayBuffer>;
}

/** `large`: with a matrix that takes more than a block; else all of it is 12 KB. */
export function tinyWeights(large: boolean): TinyWeights {
  const { blockBytes } = LIMITS;
  let at = 4096;
  const place = (bytes: number, stacked = 1): { readonly offset: number; readonly bytes: number } => {
    const offset = at;
    at += bytes * stacked + GAP;
    return { offset, bytes };
  };
  const tensor = (name: string, bytes: number): StoredTensor => ({ name, shape: [4, bytes / 16], type: 0, bytes, from: place(bytes) });
  const layer = (index: number, gate: number, up: number, down: number): RecordLayout => {
    const part = (offset: number, bytes: number): RecordPart => ({ offset, bytes, type: 0, shape: [4, bytes / 16], from: place(bytes, EXPERTS) });
    // As converters write them: by name.
    const parts = { down: part(gate + up, down), gate: part(0, gate), up: part(gate, up) };
    return { layer: index, bytes: gate + up + down, ...parts };
  };
  const embedding = tensor("token_embd.weight", 1024);
  const records = [layer(0, 512, 512, 1024), layer(1, 16, 16, large ? blockBytes + 64 : 256)];
  const tensors = [embedding, tensor("output_norm.weight", 16)];
  const bytes = new Uint8Array(at);
  for (let i = 0; i < at; i++) bytes[i] = (Math.imul(i, 2654435761) >>> 13) & 255;
  const shape = { name: "tiny", tensors, records, experts: EXPERTS };
  const cut = ({ from }: { readonly from?: { readonly offset: number; readonly bytes: number } }, index = 0) => bytes.slice(from!.offset + index * from!.bytes, from!.offset + (index + 1) * from!.bytes);
  return {
    bytes,
    source: bytesSource("tiny.gguf", bytes),
    entry: (store, sha256) => ({
      ...shape, id: "tiny", format: FORMAT, store, source: "file", fileBytes: at, fingerprint: "f", metadata: { "general.name": "tiny" }, complete: false, importedAt: 0,
      storedBytes: groupsOf(shape).all.reduce((sum, group) => sum + bytesOf(group), 0),
      files: [{ name: "tiny.gguf", bytes: at, ...(sha256 ? { sha256 } : {}) }],
    }),
    record(index, expert) {
      const { bytes: size, gate, up, down } = records[index]!;
      const whole = new Uint8Array(size);
      for (const part of [gate, up, down]) whole.set(cut(part, expert), part.offset);
      return whole;
    },
    tensor: (name) => cut(tensors.find((one) => one.name === name)!),
  };
}

export function sha256Of({ bytes }: TinyWeights): Promise<string> {
  return sha256Hex(bytes);
}

export interface StoreOptions {
  readonly source?: ByteSource;
  readonly packs?: PackFolder;
  readonly batchBytes?: number;
  readonly signal?: AbortSignal;
}

/** Goes through the file once and, unless it was not what was published, completes the model. Returns whether it did. */
export async function storeTiny(database: Database, weights: TinyWeights, entry: CatalogueEntry, { source = weights.source, packs, batchBytes, signal }: StoreOptions = {}): Promise<boolean> {
  const writer = await ModelWriter.begin(database, entry, packs ? { packs } : {});
  try {
    if (!(await new Import(writer, source, () => undefined, signal, batchBytes).run())) return false;
    await writer.commit();
    return true;
  } finally {
    await writer.close();
  }
}
