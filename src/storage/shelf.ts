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

/** One connection for the whole page or worker; opened again after a failure. */
export function sharedDatabase(): Promise<Database> {
  shared ??= openDatabase().catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

function startingWith(prefix: string): IDBKeyRange | undefined {
  return prefix === "" ? undefined : IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}

/** The shelf of one kind of thing. Throws `storage/unavailable`. `database` is for tests. */
export async function openShelf<T>(name: ShelfName, database?: Database): Promise<Shelf<T>> {
  const db = database ?? (await sharedDatabase());
  return {
    get: (key) => reading(() => db.get(name, key) as Promise<T | undefined>),
    keys: (prefix = "") => reading(() => db.getAllKeys(name, startingWith(prefix))),
    async list(prefix = "") {
      return reading(async () => {
        const tx = db.transaction(name);
        const range = startingWith(prefix);
        const [keys, values] = await Promise.all([tx.store.getAllKeys(range), tx.store.getAll(range)]);
        return keys.map((key, i) => [key, values[i] as T] as const);
      });
    },
    put: (key, value) =>
      writing(`your ${name}`, 1e6, async () => {
        const tx = db.transaction(name, "readwrite", { durability: "strict" });
        await Promise.all([tx.store.put(value, key), tx.done]);
      }),
    delete: (key) => writing(`your ${name}`, 0, () => db.delete(name, key)),
  };
}
