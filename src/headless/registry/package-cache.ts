// What was fetched from registries, kept in this browser so that an install works without a network: tarballs by their
// hash, documents by their address. A database of its own: it can be deleted whole, and nothing else is in it.
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { LIMITS } from "../../base/limits.ts";

interface Stored {
  readonly key: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Schema extends DBSchema {
  contents: { key: string; value: Stored };
  /** Beside the contents, so that a list needs no reading of them. */
  uses: { key: string; value: { readonly key: string; readonly size: number; readonly usedAt: number } };
}

/** What may come in before the sum is taken again. The first that comes takes it. */
const CHECK_BYTES = 16 * 1024 * 1024;
let unchecked = CHECK_BYTES;

const DAY_MS = 24 * 60 * 60_000;

export const PACKAGE_DATABASE = "tabwright-packages";

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(PACKAGE_DATABASE, 1, {
    upgrade(db) {
      db.createObjectStore("contents", { keyPath: "key" });
      db.createObjectStore("uses", { keyPath: "key" });
    },
    terminated() {
      opened = undefined;
    },
  });
  opened.catch(() => {
    opened = undefined;
  });
  return opened;
}

/** Undefined when it is not there, or storage is blocked. */
export async function readPackage(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const db = await database();
    const found = await db.get("contents", key);
    if (found) touch(db, key).catch(() => undefined); // at worst it goes sooner
    return found?.bytes;
  } catch {
    return undefined; // the network is still there
  }
}

/** Once a day is enough to know what was not used for long. */
async function touch(db: IDBPDatabase<Schema>, key: string): Promise<void> {
  const use = await db.get("uses", key);
  if (use && Date.now() - use.usedAt > DAY_MS) await db.put("uses", { ...use, usedAt: Date.now() });
}

/** Keeps it; what was not used for longest goes when there is too much. A full or blocked storage only means that it is fetched again. */
export async function keepPackage(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    const db = await database();
    const transaction = db.transaction(["contents", "uses"], "readwrite", { durability: "relaxed" });
    await Promise.all([
      transaction.objectStore("contents").put({ key, bytes }),
      transaction.objectStore("uses").put({ key, size: bytes.length, usedAt: Date.now() }),
      transaction.done,
    ]);
    unchecked += bytes.length;
    if (unchecked < CHECK_BYTES) return;
    unchecked = 0;
    await makeRoom(db);
  } catch {
    // See above.
  }
}

async function makeRoom(db: IDBPDatabase<Schema>): Promise<void> {
  const uses = (await db.getAll("uses")).sort((a, b) => a.usedAt - b.usedAt);
  let size = uses.reduce((sum, use) => sum + use.size, 0);
  for (const use of uses) {
    if (size <= LIMITS.tarballCacheBytes) return;
    await Promise.all([db.delete("contents", use.key), db.delete("uses", use.key)]);
    size -= use.size;
  }
}

/** Bytes and number of what is kept. */
export async function measurePackages(): Promise<{ readonly bytes: number; readonly count: number }> {
  const uses = await (await database()).getAll("uses");
  return { bytes: uses.reduce((sum, use) => sum + use.size, 0), count: uses.length };
}

export async function forgetPackages(): Promise<void> {
  const transaction = (await database()).transaction(["contents", "uses"], "readwrite");
  await Promise.all([transaction.objectStore("contents").clear(), transaction.objectStore("uses").clear(), transaction.done]);
}
