// The hashes of a model's pieces: written beside the journal, so that they never say more than it does, and in memory while
// the model is read (80 B weights: 3 MB).
import { type Database, reading } from "./database.ts";
import { sameHashes } from "./hash.ts";
import type { Group, Groups } from "./pieces.ts";

/** Every key of one model in a store whose keys start with its id. */
export function keysOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

/** Those of one group of it. */
export function keysOfGroup(id: string, group: string): IDBKeyRange {
  return IDBKeyRange.bound([id, group], [id, group, []]);
}

export class HashList {
  readonly #groups: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

  private constructor(groups: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
    this.#groups = groups;
  }

  static async load(database: Database, id: string, groups: Groups): Promise<HashList> {
    const lists = new Map(groups.all.map((group) => [group.name, new Uint8Array(group.pieces * group.hashBytes)]));
    const sizes = new Map(groups.all.map((group) => [group.name, group.hashBytes]));
    const [keys, values] = await reading(() => Promise.all([database.getAllKeys("hashes", keysOf(id)), database.getAll("hashes", keysOf(id))]));
    keys.forEach(([, name, first], i) => {
      const list = lists.get(name);
      const at = first * (sizes.get(name) ?? 0);
      if (list && at + values[i]!.byteLength <= list.byteLength) list.set(values[i]!, at);
    });
    return new HashList(lists);
  }

  /** All zeros, which no bytes have, where nothing was stored. */
  of({ name, hashBytes }: Group, index: number): Uint8Array {
    return this.#list(name).subarray(index * hashBytes, (index + 1) * hashBytes);
  }

  has(group: Group, index: number, hashes: Uint8Array): boolean {
    return sameHashes(this.of(group, index), hashes);
  }

  set({ name, hashBytes }: Group, index: number, hashes: Uint8Array): void {
    this.#list(name).set(hashes, index * hashBytes);
  }

  /** The whole group, to be stored as one. */
  whole({ name }: Group): Uint8Array<ArrayBuffer> {
    return this.#list(name);
  }

  #list(name: string): Uint8Array<ArrayBuffer> {
    return this.#groups.get(name) ?? new Uint8Array();
  }
}
