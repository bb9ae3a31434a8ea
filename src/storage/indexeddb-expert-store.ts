// Expert records in IndexedDB: one value each, always available. Several reads may be under way at once
// (two to three times faster than one after another).
import { type CatalogueEntry, type Database, reading } from "./database.ts";
import type { ExpertStore } from "./expert-store.ts";
import { expertStore } from "./record-reader.ts";

export function indexedDbExpertStore(database: Database, entry: CatalogueEntry): ExpertStore {
  return expertStore("indexeddb", entry.name, entry.records, entry.experts, (layer, expert) =>
    reading(() => database.get("experts", [entry.id, layer, expert])),
  );
}
