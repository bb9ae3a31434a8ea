// What the user made, by key: settings, chats, projects, checkpoints. Values are anything structured-cloneable;
// the rooms that own them say what they are. Writes are durable when `put` returns.
import { type Database, type ShelfName, openDatabase, reading, writing } from "./database.ts";

export interface Shelf<T> {
  get(key: string): Promise<T | undefined>;
  /** Throws `storage/quota`. */
  put(key: string, value: T): Promise<void>;
  /** Keys and values whose key starts with `prefix`, in key order. */
  list(prefix?: string): Promise<readonly (readonly [key: string, value: T])[]>;
  keys(prefix?: string): Promise<readonly string[]>;
  delete(key: string): Promise<void>;
}

let shared: Promise<Database> | undefined;
let substitute: (() => Database) | undefined;

const lostListeners = new Set<() => void>();

/** Told when the browser has deleted this site's data while it was open; a new, empty database is used from then on. */
export function onStorageLost(listener: () => void): void {
  lostListeners.add(listener);
}

/** One connection for the whole page or worker; opened again after a failure, and after the browser closed it by force. */
export function sharedDatabase(): Promise<Database> {
  shared ??= openDatabase(undefined, undefined, () => {
    shared = undefined;
    for (const listener of lostListeners) listener();
  }).catch((error: unknown) => {
    if (substitute) return substitute();
    shared = undefined;
    throw error;
  });
  return shared;
}

/** What stands in where the browser stores nothing at all; without one, `sharedDatabase` fails. Call it before. */
export function substituteDatabase(make: () => Database): void {
  substitute = make;
}

function startingWith(prefix: string): IDBKeyRange | undefined {
  return prefix === "" ? undefined : IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}

/** The shelf of one kind of thing. Throws `storage/unavailable`. `database` is for tests. */
export async function openShelf<T>(name: ShelfName, database?: Database): Promise<Shelf<T>> {
  // Asked for each time: the connection may have been replaced.
  const current = (): Promise<Database> => (database ? Promise.resolve(database) : sharedDatabase());
  await current();
  return {
    get: (key) => reading(async () => (await current()).get(name, key) as Promise<T | undefined>),
    keys: (prefix = "") => reading(async () => (await current()).getAllKeys(name, startingWith(prefix))),
    async list(prefix = "") {
      return reading(async () => {
        const tx = (await current()).transaction(name);
        const range = startingWith(prefix);
        const [keys, values] = await Promise.all([tx.store.getAllKeys(range), tx.store.getAll(range)]);
        return keys.map((key, i) => [key, values[i] as T] as const);
      });
    },
    put: (key, value) =>
      writing(`your ${name}`, 1e6, async () => {
        const tx = (await current()).transaction(name, "readwrite", { durability: "strict" });
        await Promise.all([tx.store.put(value, key), tx.done]);
      }),
    delete: (key) => writing(`your ${name}`, 0, async () => (await current()).delete(name, key)),
  };
}
