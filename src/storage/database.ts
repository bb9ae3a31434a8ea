// The one IndexedDB database of the app: its schema, how it is opened, and how its failures become ours.
// It holds the catalogue of models, their weights, and what the user made (settings, chats, projects, checkpoints).
import { type DBSchema, type IDBPDatabase, wrap } from "idb";
import { AppError } from "../base/errors.ts";
import type { ExpertStore } from "./expert-store.ts";
import type { RecordLayout, StoredTensor, StoredValue } from "./stored-model.ts";

/** Raise it with a migration in `upgrade`; older data is never deleted by a newer app. */
const VERSION = 2;
/** Of a model's weights in storage; an entry without one is of the first. A newer app's is refused. */
export const FORMAT = 2;

/** A model in the catalogue. Present with `complete: false` while it is being imported; only complete ones can be opened. */
export interface CatalogueEntry {
  readonly id: string;
  readonly name: string;
  readonly source: "bundled" | "file" | "remote";
  /** Of the file, or all the files, it was imported from. */
  readonly fileBytes: number;
  /** Absent in the first. */
  readonly format?: number;
  /** Where the weights lie; absent: `indexeddb`. */
  readonly store?: ExpertStore["kind"];
  /** What it was imported from, in order: enough to fetch a damaged part again. */
  readonly files?: readonly OriginFile[];
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

/** A file that a model comes from. */
export interface OriginFile {
  readonly name: string;
  readonly bytes: number;
  /** Hex, as its publisher says. */
  readonly sha256?: string;
  /** Where it can be fetched again, by ranges. */
  readonly url?: string;
  /** ms since 1970, of a file on the user's disk: another one means that it was changed. */
  readonly lastModified?: number;
}

/** How far an import has come: everything before is stored, and was read back and verified. */
export interface JournalEntry {
  readonly id: string;
  readonly fingerprint: string;
  /** Bytes of the file that are done with, in file order. Absent: of the first format, whose imports begin anew. */
  readonly at?: number;
  /** Of the SHA-256 of the file `at` lies in, up to there (src/base/sha256-stream.ts). */
  readonly sha256?: Uint8Array;
  /** The file's SHA-256 was wrong: it is read again, and what differs from what is stored is replaced. */
  readonly repairing?: boolean;
}

/** The files on the user's disk that a model comes from. */
export interface KeptHandles {
  readonly id: string;
  readonly handles: readonly FileSystemFileHandle[];
  /** They are read where they are: nothing is copied. */
  readonly inPlace: boolean;
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
  /** [model, tensor, piece]; a tensor is cut into pieces of one block each. The first format keeps hashes with the bytes. */
  tensors: { key: [string, string, number]; value: StoredBytes | Uint8Array<ArrayBuffer> };
  /** [model, layer, expert, part]; the first format has whole records, [model, layer, expert]. */
  experts: { key: [string, number, number] | [string, number, number, number]; value: StoredBytes | Uint8Array<ArrayBuffer> };
  /** [model, group, first piece]: the hashes of pieces that were stored together, one after another. */
  hashes: { key: [string, string, number]; value: Uint8Array<ArrayBuffer> };
  handles: { key: string; value: KeptHandles };
  settings: { key: string; value: unknown };
  sessions: { key: string; value: unknown };
  projects: { key: string; value: unknown };
  checkpoints: { key: string; value: unknown };
}
export type Database = IDBPDatabase<Schema>;

/** The object stores of the newest version. */
export const STORES = ["models", "journal", "handles", "tensors", "experts", "hashes", "settings", "sessions", "projects", "checkpoints"] as const;
/** Those whose values carry their key, as `id`. */
export const KEYED_STORES: readonly string[] = ["models", "journal", "handles"];

/**
 * Opens the database, making it if needed. `name` is for tests; another `factory` opens another storage of this site
 * (src/ui/widget/engine-storage.ts). `onLost` is told when the browser closes it by force, which it does when it deletes the
 * site's data. Throws `storage/unavailable`.
 */
export async function openDatabase(name = "tabwright", factory?: IDBFactory, onLost?: () => void): Promise<Database> {
  try {
    const request = (factory ?? indexedDB).open(name, VERSION);
    request.addEventListener("upgradeneeded", ({ oldVersion }) => upgrade(wrap(request.result) as Database, oldVersion));
    const database = (await wrap(request)) as Database;
    // Another tab has a newer version of the app: let it migrate. What runs here fails with a clear error.
    database.addEventListener("versionchange", () => database.close());
    if (onLost) database.addEventListener("close", onLost);
    return database;
  } catch (cause) {
    throw unavailable(cause);
  }
}

function upgrade(database: Database, oldVersion: number): void {
  const added = oldVersion < 1 ? STORES : oldVersion < 2 ? (["handles", "hashes"] as const) : [];
  for (const store of added) database.createObjectStore(store, KEYED_STORES.includes(store) ? { keyPath: "id" } : {});
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
