// Where the bulk bytes of one model lie, whichever way: what the writer, the reader and the check work on. It knows pieces and
// where they are, not whether they are right: hashes are compared by who reads.
import { AppError } from "../base/errors.ts";
import type { CatalogueEntry, Database } from "./database.ts";
import type { ExpertStore } from "./expert-store.ts";
import { fileWeights } from "./file-weights.ts";
import type { PieceSource } from "./file-piece.ts";
import { databaseWeights } from "./indexeddb-weights.ts";
import { openPack, type PackFolder, packSnapshot } from "./pack-file.ts";
import { OPFS_PACKS } from "./opfs-packs.ts";
import type { Group, Groups, Piece } from "./pieces.ts";

export interface WeightStore {
  readonly kind: ExpertStore["kind"];
  /** Stores pieces; a power cut no longer harms them when it returns. Throws `storage/quota`. */
  write(pieces: readonly Piece[]): Promise<void>;
  /** Puts a piece into `target`, which has its length. Returns how many bytes were there; 0: it is missing. */
  readPiece(group: Group, index: number, target: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<number>;
  /** The same for all of an expert. */
  readRecord(layer: number, expert: number, target: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

export interface WeightOptions {
  /** The file that the model comes from. Weights in place are read from it. */
  readonly source?: PieceSource | undefined;
  /** Nothing is written, and nobody is kept from the file. */
  readonly isLook?: boolean;
  /** For tests. */
  readonly packs?: PackFolder;
}

/** `fresh`: whatever is there is of another import and goes. Throws `storage/locked`, `storage/unavailable` or `storage/corrupt`. */
export async function openWeights(database: Database, entry: CatalogueEntry, groups: Groups, fresh: boolean, options: WeightOptions = {}): Promise<WeightStore> {
  const { store = "indexeddb" } = entry;
  const { packs = OPFS_PACKS, isLook = false } = options;
  if (store === "opfs") return isLook ? packSnapshot(packs, entry, groups) : openPack(packs, entry, groups, fresh);
  if (store !== "file") return databaseWeights(store, database, entry, groups);
  if (options.source) return fileWeights(options.source, groups);
  throw new AppError("storage/file", `${entry.name} is read from your own file, which is not open. Choose the file again.`, { data: { model: entry.id, reason: "gone" } });
}
