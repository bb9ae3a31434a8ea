// What is stored, in bytes: each thing as it was put in, in a real IndexedDB.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CatalogueEntry, type Database, openDatabase } from "../../src/storage/database.ts";
import { measureModels, measureShelf, sizeOf } from "../../src/storage/measure.ts";

let database: Database;

beforeEach(async () => {
  database = await openDatabase(`measure-${crypto.randomUUID()}`);
});
afterEach(() => {
  const { name } = database;
  database.close();
  indexedDB.deleteDatabase(name);
});

const part = { offset: 0, bytes: 16, type: 0, shape: [2, 2] } as const;
const hashes = new Uint8Array(32);

function entry(id: string, complete: boolean): CatalogueEntry {
  return {
    id, name: id.toUpperCase(), source: "file", fileBytes: 1, fingerprint: "f", storedBytes: 0, metadata: {}, complete, importedAt: 0, experts: 2,
    tensors: [{ name: "embed", shape: [4], type: 0, bytes: 5_000_000 }],
    records: [{ layer: 0, bytes: 64, gate: part, up: part, down: part }],
  };
}

describe("what is stored is measured", () => {
  it("model by model, by the records that are really there", async () => {
    const [whole, half] = [entry("whole", true), entry("half", false)];
    await database.put("models", whole);
    await database.put("models", half);
    for (const id of ["whole", "half"]) await database.put("tensors", { bytes: new Uint8Array(8), hashes }, [id, "embed", 0]);
    await database.put("tensors", { bytes: new Uint8Array(8), hashes }, ["whole", "embed", 1]);
    await database.put("experts", { bytes: new Uint8Array(64), hashes }, ["whole", 0, 0]);
    await database.put("experts", { bytes: new Uint8Array(64), hashes }, ["whole", 0, 1]);
    expect(await measureModels(database)).toEqual([
      { id: "half", name: "HALF", source: "file", complete: false, store: "indexeddb", canCheck: false, bytes: 4 * 1024 * 1024 + sizeOf(half) },
      { id: "whole", name: "WHOLE", source: "file", complete: true, store: "indexeddb", canCheck: false, bytes: 5_000_000 + 2 * 64 + sizeOf(whole) },
    ]);
  });

  it("project by project and chat by chat, with their names", async () => {
    await database.put("projects", { name: "demo", files: new Map([["a.js", new Uint8Array(1000)]]) }, "workspace-1");
    await database.put("sessions", { title: "Fix it", text: "ü" }, "chat-1");
    expect(await measureShelf(database, "projects")).toEqual([{ key: "workspace-1", name: "demo", bytes: 4 + 4 + 5 + 4 + 1000 }]);
    expect(await measureShelf(database, "sessions")).toEqual([{ key: "chat-1", name: "Fix it", bytes: 5 + 6 + 4 + 2 }]);
    expect(await measureShelf(database, "checkpoints")).toEqual([]);
  });
});
