// What a model holds of a chat, kept so that a reload goes on without computing it again: keys and values by pieces of tokens,
// the recurrent state, the ids they are of. In a database of its own: it is a cache, nothing of the user's is in it that is not
// in the chat, and it may go at any time. The header is written last and deleted first: without one nothing is trusted.
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { reading, writing } from "./database.ts";
import { hashBlocks, hashesMatch } from "./hash.ts";

/** Of the bytes; another one is ignored and deleted. */
const FORMAT = 1;

export interface StateHeader {
  readonly chat: string;
  readonly format: number;
  /** Of the model's content and of how its state is laid out. */
  readonly model: string;
  readonly ids: Int32Array<ArrayBuffer>;
  /** The id that was chosen after them and not computed; -1 for none. */
  readonly next: number;
  readonly bytes: number;
  /** ms since 1970. */
  readonly usedAt: number;
}

interface StatePart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** What it is the state of: equal ones need not be written again. */
  readonly of: string;
}

interface Schema extends DBSchema {
  headers: { key: string; value: StateHeader };
  /** [chat, part] */
  parts: { key: [string, string]; value: StatePart };
}

/** A part to be stored; its bytes are only asked for when it is not there yet. */
export interface PartSource {
  readonly name: string;
  readonly of: string;
  readonly bytes: number;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

const partsOf = (chat: string): IDBKeyRange => IDBKeyRange.bound([chat], [chat, []]);

export class StateStore {
  readonly #database: IDBPDatabase<Schema>;

  private constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  /** Undefined where the browser stores nothing. `name` is for tests. */
  static async open(name = "tabwright-states"): Promise<StateStore | undefined> {
    try {
      const database = await openDB<Schema>(name, 1, {
        upgrade(fresh) {
          fresh.createObjectStore("headers", { keyPath: "chat" });
          fresh.createObjectStore("parts");
        },
        blocking: (_, __, event) => (event.target as IDBDatabase).close(),
      });
      return new StateStore(database);
    } catch (error) {
      if (error instanceof DOMException) return undefined; // private windows; the chat is then computed again
      throw error;
    }
  }

  /** Undefined when nothing is kept for the chat and this model; what is there of another one is deleted. */
  async header(chat: string, model: string): Promise<StateHeader | undefined> {
    const header = await reading(() => this.#database.get("headers", chat));
    if (!header || (header.format === FORMAT && header.model === model)) return header;
    await this.delete(chat);
    return undefined;
  }

  /** Throws `storage/corrupt` for a part that is not what was stored. */
  async part(chat: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
    const part = await reading(() => this.#database.get("parts", [chat, name]));
    if (part && (await hashesMatch(part.bytes, part.hashes))) return part.bytes;
    throw new AppError("storage/corrupt", "What was kept of this chat is damaged; it is computed again.");
  }

  /** Stores what is not there yet, and gives up the chats that were used longest ago. Throws `storage/quota`; nothing is kept of the chat then. */
  async save(header: Pick<StateHeader, "chat" | "model" | "ids" | "next">, parts: readonly PartSource[], signal: AbortSignal): Promise<void> {
    const { chat } = header;
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0) + header.ids.byteLength;
    if (bytes > LIMITS.keptStateBytes) return this.delete(chat);
    await writing("the state of this chat", bytes, () => this.#database.delete("headers", chat));
    const names = new Set(parts.map(({ name }) => name));
    for (const [, name] of await reading(() => this.#database.getAllKeys("parts", partsOf(chat)))) {
      if (!names.has(name)) await writing("the state of this chat", 0, () => this.#database.delete("parts", [chat, name]));
    }
    for (const { name, of, bytes: needed, read } of parts) {
      signal.throwIfAborted();
      if ((await reading(() => this.#database.get("parts", [chat, name])))?.of === of) continue;
      const read0 = await read();
      const part = { bytes: read0, hashes: await hashBlocks(read0), of };
      await writing("the state of this chat", needed, () => this.#database.put("parts", part, [chat, name]));
    }
    await writing("the state of this chat", 0, () => this.#database.put("headers", { ...header, format: FORMAT, bytes, usedAt: Date.now() }));
    await this.#trim(chat);
  }

  async delete(chat: string): Promise<void> {
    await writing("the state of this chat", 0, async () => {
      const tx = this.#database.transaction(["headers", "parts"], "readwrite");
      await Promise.all([tx.objectStore("headers").delete(chat), tx.objectStore("parts").delete(partsOf(chat)), tx.done]);
    });
  }

  async clear(): Promise<void> {
    await writing("the states of chats", 0, async () => {
      const tx = this.#database.transaction(["headers", "parts"], "readwrite");
      await Promise.all([tx.objectStore("headers").clear(), tx.objectStore("parts").clear(), tx.done]);
    });
  }

  /** Of every chat, without reading what is kept. */
  headers(): Promise<readonly StateHeader[]> {
    return reading(() => this.#database.getAll("headers"));
  }

  close(): void {
    this.#database.close();
  }

  /** Keeps within the cap; parts without a header, of a save that was interrupted, go too. */
  async #trim(newest: string): Promise<void> {
    const headers = (await this.headers()).toSorted((a, b) => b.usedAt - a.usedAt);
    let bytes = 0;
    const kept = new Set<string>();
    for (const header of headers) {
      bytes += header.bytes;
      if (header.chat === newest || bytes <= LIMITS.keptStatesBytes) kept.add(header.chat);
    }
    const stored = new Set((await reading(() => this.#database.getAllKeys("parts"))).map(([chat]) => chat));
    for (const chat of [...headers.map((header) => header.chat), ...stored]) if (!kept.has(chat)) await this.delete(chat);
  }
}

/** Forgets what is kept of all chats: they are computed again when they are gone on with. */
export async function forgetStates(): Promise<void> {
  const store = await StateStore.open();
  await store?.clear();
  store?.close();
}

/** Forgets what is kept of a chat that is deleted. */
export async function forgetState(chat: string): Promise<void> {
  const store = await StateStore.open();
  await store?.delete(chat);
  store?.close();
}
