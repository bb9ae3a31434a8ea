// How many bytes everything in our database takes, counted thing by thing. `navigator.storage.estimate()` cannot say:
// it knows one number for the whole origin, and rounds and pads it. What the database adds for itself is not counted.
import { LIMITS } from "../base/limits.ts";
import { type CatalogueEntry, type Database, reading, type ShelfName } from "./database.ts";
import type { ExpertStore } from "./expert-store.ts";
import { keysOf } from "./hash-list.ts";
import { StateStore } from "./kept-states.ts";
import { OPFS_PACKS } from "./opfs-packs.ts";
import { groupsOf, pieceBytes } from "./pieces.ts";

/** A model and what it takes. */
export interface MeasuredModel {
  readonly id: string;
  readonly name: string;
  readonly source: CatalogueEntry["source"];
  /** Of the weights that are there, and of the entry with its vocabulary. */
  readonly bytes: number;
  readonly complete: boolean;
  readonly store: ExpertStore["kind"];
  /** Its parts have hashes of their own, so that they can be checked, and fetched again one by one. */
  readonly canCheck: boolean;
}

/** One value of a shelf and what it takes. */
export interface MeasuredValue {
  readonly key: string;
  readonly bytes: number;
  /** The value's own `name` or `title`, where it has one. */
  readonly name: string | undefined;
}

/** Every model, half-imported ones too: by the records that are really there, whose sizes the catalogue knows. */
export async function measureModels(database: Database): Promise<readonly MeasuredModel[]> {
  const entries = await reading(() => database.getAll("models"));
  return Promise.all(
    entries.map(async (entry) => {
      const { id, name, source, complete, store = "indexeddb" } = entry;
      const weights = store === "opfs" ? await OPFS_PACKS.bytes(entry) : await bytesInDatabase(database, entry);
      const hashes = await reading(() => database.getAllKeys("hashes", keysOf(id)));
      const list = hashes.length > 0 ? await reading(() => database.getAll("hashes", keysOf(id))) : [];
      return { id, name, source, complete, store, canCheck: complete && entry.format !== undefined && store !== "file", bytes: weights + sizeOf(entry) + sizeOf(list) };
    }),
  );
}

async function bytesInDatabase(database: Database, entry: CatalogueEntry): Promise<number> {
  const [tensors, experts] = await reading(() => Promise.all([database.getAllKeys("tensors", keysOf(entry.id)), database.getAllKeys("experts", keysOf(entry.id))]));
  if (entry.format === undefined) {
    const sizes = new Map(entry.tensors.map(({ name, bytes }) => [name, bytes]));
    const resident = tensors.reduce((sum, [, name, piece]) => sum + Math.min(LIMITS.blockBytes, Math.max(0, (sizes.get(name) ?? 0) - piece * LIMITS.blockBytes)), 0);
    return experts.reduce((sum, [, layer]) => sum + (entry.records[layer]?.bytes ?? 0), resident);
  }
  const groups = groupsOf(entry);
  const byName = new Map(groups.all.map((group) => [group.name, group]));
  const sizeIn = (name: string, piece: number): number => {
    const group = byName.get(name);
    return group ? pieceBytes(group, piece) : 0;
  };
  const resident = tensors.reduce((sum, [, name, piece]) => sum + sizeIn(name, piece), 0);
  return experts.reduce((sum, [, layer, expert, part = 0]) => sum + sizeIn(groups.experts[layer]?.[part]?.name ?? "", expert), resident);
}

/** What is kept of chats so that a reload need not compute them (kept-states.ts): bytes of each chat's. */
export async function measureStates(): Promise<readonly MeasuredValue[]> {
  const store = await StateStore.open();
  try {
    return ((await store?.headers()) ?? []).map(({ chat, bytes }) => ({ key: chat, bytes, name: undefined }));
  } finally {
    store?.close();
  }
}

/** Every value of a shelf. One after another: a project may be large, and only one is in memory. */
export async function measureShelf(database: Database, shelf: ShelfName): Promise<readonly MeasuredValue[]> {
  return reading(async () => {
    const found: MeasuredValue[] = [];
    for (let cursor = await database.transaction(shelf).store.openCursor(); cursor; cursor = await cursor.continue()) {
      const value: unknown = cursor.value;
      found.push({ key: cursor.key, bytes: sizeOf(value), name: nameOf(value) });
    }
    return found;
  });
}

/** Bytes of a structured-cloneable value's content: text as UTF-8, numbers as 8, bytes as they are. A value met twice counts once. */
export function sizeOf(value: unknown, seen = new Set<object>()): number {
  if (typeof value === "string") return utf8Bytes(value);
  if (typeof value === "number") return 8;
  if (typeof value === "bigint") return 8;
  if (typeof value !== "object" || value === null) return 1;
  if (seen.has(value)) return 0;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (value instanceof ArrayBuffer) return value.byteLength;
  if (value instanceof Blob) return value.size;
  const parts: Iterable<unknown> = value instanceof Map ? [...value].flat() : value instanceof Set || Array.isArray(value) ? value : Object.entries(value).flat();
  let bytes = 0;
  for (const part of parts) bytes += sizeOf(part, seen);
  return bytes;
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  // Two more for what takes three bytes, one for what takes two; a pair of surrogates is four, counted as two times two.
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

function nameOf(value: unknown): string | undefined {
  const { name, title } = (value ?? {}) as { readonly name?: unknown; readonly title?: unknown };
  return typeof name === "string" ? name : typeof title === "string" ? title : undefined;
}
