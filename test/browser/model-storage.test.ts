import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { deleteModel, findModel, listModels, openModel } from "../../src/storage/catalogue.ts";
import { type CatalogueEntry, type Database, openDatabase, writing } from "../../src/storage/database.ts";
import { ModelWriter } from "../../src/storage/model-writer.ts";
import { openShelf } from "../../src/storage/shelf.ts";
import type { RecordLayout } from "../../src/storage/stored-model.ts";

const part = (offset: number) => ({ offset, bytes: 16, type: 0, shape: [4, 1] as const });
const LAYOUTS: readonly RecordLayout[] = [0, 1].map((layer) => ({ layer, bytes: 48, gate: part(0), up: part(16), down: part(32) }));
const TENSORS = [
  { name: "token_embd.weight", shape: [4, 8], type: 0, bytes: LIMITS.blockBytes * 2 + 64 },
  { name: "output_norm.weight", shape: [4], type: 0, bytes: 16 },
];
const ENTRY: CatalogueEntry = {
  id: "m", name: "Micro", source: "file", fileBytes: 9, fingerprint: "content-1", storedBytes: LIMITS.blockBytes * 2 + 80 + 4 * 48,
  metadata: { "general.name": "Micro" }, tensors: TENSORS, records: LAYOUTS, experts: 2, complete: true, importedAt: 1,
};
const filled = (length: number, value: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(value);

/** The import as four writes; each may be the last one that happens. */
const STEPS: readonly ((writer: ModelWriter) => Promise<void>)[] = [
  (writer) => writer.putTensors([filled(TENSORS[0]!.bytes, 1), filled(16, 2)]),
  (writer) => writer.putRecords([filled(48, 10)]),
  (writer) => writer.putRecords([filled(48, 11)]),
  (writer) => writer.putRecords([filled(48, 12), filled(48, 13)]),
];

describe("a model in the browser's storage", () => {
  let name: string;
  let database: Database;
  beforeEach(async () => {
    name = `test-${crypto.randomUUID()}`;
    database = await openDatabase(name);
  });
  afterEach(() => {
    database.close();
    indexedDB.deleteDatabase(name);
  });

  async function expectWhole(): Promise<void> {
    const model = await openModel(database, "m");
    const embedding = await model.readTensor("token_embd.weight");
    expect(embedding.byteLength).toBe(TENSORS[0]!.bytes);
    expect(embedding.every((byte) => byte === 1)).toBe(true);
    expect(await model.readTensor("output_norm.weight")).toEqual(filled(16, 2));
    for (const [i, value] of [10, 11, 12, 13].entries()) expect(await model.experts.read(Math.floor(i / 2), i % 2)).toEqual(filled(48, value));
    expect(model.metadata).toEqual({ "general.name": "Micro" });
  }

  it("cannot be opened before it is complete, and resumes where it stopped, wherever that was", async () => {
    for (let stop = 0; stop <= STEPS.length; stop++) {
      await deleteModel(database, "m");
      const first = await ModelWriter.begin(database, ENTRY);
      for (const step of STEPS.slice(0, stop)) await step(first);
      expect((await findModel(database, "m"))?.complete).toBe(false);
      await expect(openModel(database, "m")).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
      // The tab is closed and opened again.
      database.close();
      database = await openDatabase(name);
      const second = await ModelWriter.begin(database, ENTRY);
      const { tensors, records } = second.done;
      expect([tensors, records]).toEqual([stop > 0 ? 2 : 0, [0, 0, 1, 2, 4][stop]]);
      for (const step of STEPS.slice(stop)) await step(second);
      expect(second.done.bytes).toBe(ENTRY.storedBytes);
      await second.commit();
      await expectWhole();
    }
  });

  it("starts anew when the content is another one, and never mixes the two", async () => {
    const first = await ModelWriter.begin(database, ENTRY);
    await first.putTensors([filled(TENSORS[0]!.bytes, 99), filled(16, 99)]);
    const second = await ModelWriter.begin(database, { ...ENTRY, fingerprint: "content-2" });
    expect(second.done).toEqual({ tensors: 0, records: 0, bytes: 0 });
    for (const step of STEPS) await step(second);
    await second.commit();
    await expectWhole();
    // Importing over a complete model hides it until the new one is complete.
    await ModelWriter.begin(database, { ...ENTRY, fingerprint: "content-3" });
    await expect(openModel(database, "m")).rejects.toThrow("is not completely stored");
  });

  it("commits nothing that is not whole", async () => {
    const writer = await ModelWriter.begin(database, ENTRY);
    await STEPS[0]!(writer);
    await expect(writer.commit()).rejects.toThrow("is not complete");
    await expect(writer.putRecords([filled(47, 0)])).rejects.toThrow("out of order");
    await expect(writer.putRecords([filled(48, 0), filled(48, 0), filled(48, 0)])).rejects.toThrow("out of order");
  });

  it("stops between writes when asked, and what is stored stays", async () => {
    const writer = await ModelWriter.begin(database, ENTRY);
    await STEPS[0]!(writer);
    await expect(writer.putRecords([filled(48, 10)], AbortSignal.abort())).rejects.toThrow(expect.objectContaining({ code: "aborted" }));
    expect((await ModelWriter.begin(database, ENTRY)).done.tensors).toBe(2);
  });

  it("names a damaged and a missing tensor", async () => {
    const writer = await ModelWriter.begin(database, ENTRY);
    for (const step of STEPS) await step(writer);
    await writer.commit();
    const model = await openModel(database, "m");
    const piece = (await database.get("tensors", ["m", "token_embd.weight", 1]))!;
    piece.bytes[7]! ^= 4;
    await database.put("tensors", piece, ["m", "token_embd.weight", 1]);
    await expect(model.readTensor("token_embd.weight")).rejects.toThrow(expect.objectContaining({ code: "storage/corrupt", message: expect.stringContaining("token_embd.weight") }));
    await database.delete("tensors", ["m", "token_embd.weight", 2]);
    await database.put("tensors", { ...piece, bytes: piece.bytes.map((byte, i) => (i === 7 ? byte ^ 4 : byte)) }, ["m", "token_embd.weight", 1]);
    await expect(model.readTensor("token_embd.weight")).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
    await expect(async () => model.readTensor("blk.9.nothing")).rejects.toThrow("has no tensor blk.9.nothing");
  });

  it("deletes a model whole, says what that freed, and leaves others alone", async () => {
    for (const id of ["m", "m2"]) {
      const writer = await ModelWriter.begin(database, { ...ENTRY, id });
      for (const step of STEPS) await step(writer);
      await writer.commit();
    }
    expect(await deleteModel(database, "m")).toBe(ENTRY.storedBytes);
    expect(await deleteModel(database, "m")).toBe(0);
    expect((await listModels(database)).map(({ id }) => id)).toEqual(["m2"]);
    expect(await database.count("experts")).toBe(4);
    expect(await database.count("tensors")).toBe(4);
    expect(await (await openModel(database, "m2")).experts.read(1, 1)).toEqual(filled(48, 13));
  });

  it("a full disk is storage/quota with the bytes that are needed", async () => {
    const full = writing("Micro", 123_000_000, () => Promise.reject(new DOMException("full", "QuotaExceededError")));
    await expect(full).rejects.toThrow(expect.objectContaining({ code: "storage/quota", data: { neededBytes: 123_000_000 }, message: expect.stringContaining("123 MB more") }));
  });

  it("keeps what the user made by key, and lists it by prefix", async () => {
    const shelf = await openShelf<{ readonly title: string }>("sessions", database);
    await shelf.put("p1/a", { title: "A" });
    await shelf.put("p1/b", { title: "B" });
    await shelf.put("p2/a", { title: "C" });
    expect(await shelf.get("p1/b")).toEqual({ title: "B" });
    expect(await shelf.list("p1/")).toEqual([["p1/a", { title: "A" }], ["p1/b", { title: "B" }]]);
    await shelf.delete("p1/a");
    expect(await shelf.keys()).toEqual(["p1/b", "p2/a"]);
    expect(await shelf.get("p1/a")).toBeUndefined();
  });
});
