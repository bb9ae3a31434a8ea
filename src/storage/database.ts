// The one IndexedDB database of the app: its schema, how it is opened, and how its failures become ours.
// It holds the catalogue of models, their weights, and what the user made (settings, chats, projects, checkpoints).
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { AppError } from "../base/errors.ts";
import type { RecordLayout, StoredTensor, StoredValue } from "./stored-model.ts";

/** Raise it with a migration in `upgrade`; older data is never deleted by a newer app. */
const VERSION = 1;

/** A model in the catalogue. Present with `complete: false` while it is being imported; only complete ones can be opened. */
export interface CatalogueEntry {
  readonly id: string;
  readonly name: string;
  readonly source: "bundled" | "file" | "remote";
  /** Of the file it was imported from. */
  readonly fileBytes: number;
  /** Names the exact content; an import resumes only under the same one. */
  readonly fingerprint: string;
  /** What the weights take in storage. */
  readonly storedBytes: number;
  readonly metadata: Readonly<Record<string, StoredValue>>;
  readonly tensors: readonly StoredTensor[];
  readonly records: readonly RecordLayout[];
  /** Experts of a layer. */
  readonly experts: number;
  readonly complete: boolean;
  /** ms since 1970. */
  readonly importedAt: number;
}

/** How far an import has come: everything before is stored, and was read back and verified. */
export interface JournalEntry {
  readonly id: string;
  readonly fingerprint: string;
  /** Resident tensors done, in the catalogue entry's order. */
  readonly tensors: number;
  /** Expert records done, counted layer by layer. */
  readonly records: number;
}

/** Bytes and the SHA-256 of each LIMITS.blockBytes of them, one after another. */
export interface StoredBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hashes: Uint8Array<ArrayBuffer>;
}

export type ShelfName = "settings" | "sessions" | "projects" | "checkpoints";

export interface Schema extends DBSchema {
  models: { key: string; value: CatalogueEntry };
  journal: { key: string; value: JournalEntry };
  /** [model, tensor, piece]; a tensor is cut into pieces of one block each. */
  tensors: { key: [string, string, number]; value: StoredBytes };
  /** [model, layer, expert] */
  experts: { key: [string, number, number]; value: StoredBytes };
  settings: { key: string; value: unknown };
  sessions: { key: string; value: unknown };
  projects: { key: string; value: unknown };
  checkpoints: { key: string; value: unknown };
}
export type Database = IDBPDatabase<Schema>;

const STORES = ["models", "journal", "tensors", "experts", "settings", "sessions", "projects", "checkpoints"] as const;

/** Opens the database, making it if needed. `name` is for tests. Throws `storage/unavailable`. */
export async function openDatabase(name = "tabwright"): Promise<Database> {
  if (typeof indexedDB === "undefined") throw unavailable(undefined);
  try {
    const database: Database = await openDB<Schema>(name, VERSION, {
      upgrade(db, oldVersion) {
        if (oldVersion < 1) {
          db.createObjectStore("models", { keyPath: "id" });
          db.createObjectStore("journal", { keyPath: "id" });
          for (const store of STORES.slice(2)) db.createObjectStore(store);
        }
      },
      // Another tab has a newer version of the app: let it migrate. What runs here fails with a clear error.
      blocking: () => database.close(),
    });
    return database;
  } catch (cause) {
    throw unavailable(cause);
  }
}

function unavailable(cause: unknown): AppError {
  const why =
    cause instanceof DOMException && cause.name === "VersionError" ? "a newer version of this page has used it; reload the page" : "it may be a private window, or storage is blocked for this site";
  return new AppError("storage/unavailable", `The browser's storage cannot be opened: ${why}.`, { cause });
}

/**
 * Runs a write. A full disk becomes `storage/quota` with `neededBytes`: what `what` still needs.
 * Chrome reports it as QuotaExceededError or, when the transaction was already going, as AbortError (seen in 156).
 */
export async function writing<T>(what: string, neededBytes: number, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof DOMException && (cause.name === "QuotaExceededError" || cause.name === "AbortError")) {
      throw new AppError("storage/quota", `The browser has no room for ${what}: ${Math.ceil(neededBytes / 1e6)} MB more are needed. Free disk space or delete a model, then try again; what is stored is kept.`, {
        data: { neededBytes },
        cause,
      });
    }
    throw closedAs(cause);
  }
}

/** Runs a read; failures of the database itself become `storage/unavailable`. */
export async function reading<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw closedAs(cause);
  }
}

function closedAs(cause: unknown): unknown {
  if (!(cause instanceof DOMException)) return cause;
  return new AppError("storage/unavailable", `The browser's storage failed (${cause.name}). Reload the page; if it happens again, free disk space.`, { cause });
}
