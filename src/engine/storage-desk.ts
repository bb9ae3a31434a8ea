// What the storage manager asks for, in a worker of its own: to check a stored model and to fetch again what is damaged, and to
// measure the stores. One thing at a time; whoever asks ends the worker to stop it, which harms nothing.
import { AppError } from "../base/errors.ts";
import { completeEntry, openReader } from "../storage/catalogue.ts";
import type { DamagedPiece } from "../storage/model-reader.ts";
import { sharedDatabase } from "../storage/shelf.ts";
import { measureAndKeep, type StoreSpeeds } from "../storage/store-choice.ts";
import { openOrigin } from "./model-origin.ts";

export interface CheckReport {
  readonly bytes: number;
  readonly damaged: readonly DamagedPiece[];
  /** It is known where they can be fetched again. */
  readonly canMend: boolean;
}

export type OnShare = (doneBytes: number, totalBytes: number) => void;

export interface StorageApi {
  /** Reads and hashes everything that is stored of a model; a model that runs is not disturbed. */
  check(modelId: string, onShare: OnShare): Promise<CheckReport>;
  /** Throws `storage/locked` for a model that is loaded, `download/…`, `storage/…`. */
  mend(modelId: string, pieces: readonly DamagedPiece[], onShare: OnShare): Promise<void>;
  measure(): Promise<StoreSpeeds>;
}

export class StorageDesk implements StorageApi {
  async check(modelId: string, onShare: OnShare): Promise<CheckReport> {
    const database = await sharedDatabase();
    const entry = await completeEntry(database, modelId);
    if (entry.format === undefined || entry.store === "file") throw new AppError("bug", `${entry.name} has no hashes to be checked by.`);
    const reader = await openReader(database, entry, { isLook: true });
    let bytes = 0;
    const damaged = await reader.verify((count) => onShare((bytes += count), entry.storedBytes));
    const canMend = damaged.length > 0 && (await openOrigin(database, entry)) !== undefined;
    return { bytes, damaged, canMend };
  }

  async mend(modelId: string, pieces: readonly DamagedPiece[], onShare: OnShare): Promise<void> {
    const database = await sharedDatabase();
    const entry = await completeEntry(database, modelId);
    const totalBytes = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
    const origin = await openOrigin(database, entry);
    const reader = await openReader(database, entry, { origin: async () => origin });
    let done = 0;
    try {
      await reader.mend(pieces, (count) => onShare((done += count), totalBytes));
    } finally {
      await reader.close();
    }
  }

  measure(): Promise<StoreSpeeds> {
    return measureAndKeep();
  }
}
