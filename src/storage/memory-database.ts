// The database of a page for which the browser stores nothing: the calls that this room makes, over maps. What is in it
// goes with the page. A transaction here is not undone when one of its writes fails; nothing in memory fails halfway.
import { type Database, KEYED_STORES, STORES } from "./database.ts";

type Key = string | readonly (string | number | readonly unknown[])[];

interface Entry {
  readonly key: Key;
  readonly value: unknown;
}

class MemoryStore {
  readonly #entries = new Map<string, Entry>();
  /** Where values carry their key: the field. */
  readonly #keyField: string | undefined;

  constructor(keyField: string | undefined) {
    this.#keyField = keyField;
  }

  async get(key: Key): Promise<unknown> {
    return structuredClone(this.#entries.get(JSON.stringify(key))?.value);
  }

  async getAll(range?: IDBKeyRange): Promise<readonly unknown[]> {
    return this.#within(range).map(({ value }) => structuredClone(value));
  }

  async getAllKeys(range?: IDBKeyRange): Promise<readonly Key[]> {
    return this.#within(range).map(({ key }) => key);
  }

  async put(value: unknown, given?: Key): Promise<Key> {
    const key = given ?? (value as Readonly<Record<string, Key>>)[this.#keyField ?? ""]!;
    this.#entries.set(JSON.stringify(key), { key, value: structuredClone(value) });
    return key;
  }

  async delete(what: Key | IDBKeyRange): Promise<void> {
    if (!isRange(what)) this.#entries.delete(JSON.stringify(what));
    else for (const { key } of this.#within(what)) this.#entries.delete(JSON.stringify(key));
  }

  /** In key order, which for the strings of shelves is the order of their characters. */
  #within(range: IDBKeyRange | undefined): readonly Entry[] {
    const all = [...this.#entries.values()].filter(({ key }) => range === undefined || range.includes(key));
    return all.sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1));
  }
}

/** Told by its form: where nothing is stored there may be no IndexedDB at all. */
function isRange(what: Key | IDBKeyRange): what is IDBKeyRange {
  return typeof what === "object" && "lower" in what;
}

/** An empty one. */
export function memoryDatabase(): Database {
  const stores = new Map(STORES.map((name) => [name as string, new MemoryStore(KEYED_STORES.includes(name) ? "id" : undefined)]));
  const store = (name: string): MemoryStore => stores.get(name)!;
  const database = {
    get: (name: string, key: Key) => store(name).get(key),
    getAll: (name: string, range?: IDBKeyRange) => store(name).getAll(range),
    getAllKeys: (name: string, range?: IDBKeyRange) => store(name).getAllKeys(range),
    put: (name: string, value: unknown, key?: Key) => store(name).put(value, key),
    delete: (name: string, key: Key) => store(name).delete(key),
    transaction: (names: string | readonly string[]) => ({ objectStore: store, store: store([names].flat()[0] ?? ""), done: Promise.resolve() }),
    close: () => undefined,
  };
  // Only what this room calls is there; the contract suite runs over it as over the real one.
  return database as unknown as Database;
}
