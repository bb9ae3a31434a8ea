import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { openModel } from "../../src/storage/catalogue.ts";
import { type CatalogueEntry, openDatabase } from "../../src/storage/database.ts";
import type { ExpertStore } from "../../src/storage/expert-store.ts";
import { memoryExpertStore } from "../../src/storage/memory-expert-store.ts";
import { ModelWriter } from "../../src/storage/model-writer.ts";
import type { RecordLayout } from "../../src/storage/stored-model.ts";

const EXPERTS = 3;
/** Layer 0 is small, layer 1 takes more than a block. */
const SIZES = [4096, LIMITS.blockBytes + 16];

function layout(layer: number, bytes: number): RecordLayout {
  const part = (offset: number) => ({ offset, bytes: 16, type: 0, shape: [4, 1] as const });
  return { layer, bytes, gate: part(0), up: part(16), down: part(32) };
}
const LAYOUTS = SIZES.map((bytes, layer) => layout(layer, bytes));

function record(layer: number, expert: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SIZES[layer]!);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + layer * 7 + expert * 13) & 255;
  return bytes;
}

/** A store with all records in it, and ways to harm it behind its back. */
interface Fixture {
  readonly store: ExpertStore;
  damage(layer: number, expert: number, byte: number): Promise<void>;
  drop(layer: number, expert: number): Promise<void>;
  close(): Promise<void>;
}

async function memoryFixture(): Promise<Fixture> {
  const records: Uint8Array<ArrayBuffer>[][] = LAYOUTS.map((_, layer) => Array.from({ length: EXPERTS }, (_unused, expert) => record(layer, expert)));
  return {
    store: await memoryExpertStore("tiny", LAYOUTS, records),
    damage: async (layer, expert, byte) => void (records[layer]![expert]![byte]! ^= 1),
    drop: async (layer, expert) => void records[layer]!.splice(expert, 1),
    close: async () => {},
  };
}

async function indexedDbFixture(): Promise<Fixture> {
  const name = `test-${crypto.randomUUID()}`;
  const database = await openDatabase(name);
  const entry: CatalogueEntry = {
    id: "tiny", name: "tiny", source: "file", fileBytes: 1, fingerprint: "f", storedBytes: 1, metadata: {}, tensors: [], records: LAYOUTS, experts: EXPERTS, complete: false, importedAt: 0,
  };
  const writer = await ModelWriter.begin(database, entry);
  for (const layer of LAYOUTS.keys()) await writer.putRecords(Array.from({ length: EXPERTS }, (_, expert) => record(layer, expert)));
  await writer.commit();
  return {
    store: (await openModel(database, "tiny")).experts,
    async damage(layer, expert, byte) {
      const stored = await database.get("experts", ["tiny", layer, expert]);
      stored!.bytes[byte]! ^= 1;
      await database.put("experts", stored!, ["tiny", layer, expert]);
    },
    drop: (layer, expert) => database.delete("experts", ["tiny", layer, expert]),
    async close() {
      database.close();
      indexedDB.deleteDatabase(name);
    },
  };
}

describe.each([
  ["memory", memoryFixture],
  ["indexeddb", indexedDbFixture],
] as const)("an expert store in %s", (kind, make) => {
  let fixture: Fixture;
  afterEach(() => fixture.close());

  it("says what it is and how large records are", async () => {
    fixture = await make();
    expect(fixture.store).toMatchObject({ kind, layers: 2, experts: EXPERTS });
    expect([0, 1].map((layer) => fixture.store.recordBytes(layer))).toEqual(SIZES);
  });

  it("gives every record byte for byte, ten reads at once, and counts them", async () => {
    fixture = await make();
    const wanted = [0, 1].flatMap((layer) => [2, 0, 1, 2, 1].map((expert) => [layer, expert] as const));
    const found = await Promise.all(wanted.map(([layer, expert]) => fixture.store.read(layer, expert)));
    found.forEach((bytes, i) => {
      const expected = record(...wanted[i]!);
      expect(bytes.byteLength === expected.byteLength && bytes.every((byte, at) => byte === expected[at])).toBe(true);
    });
    expect(fixture.store.stats()).toEqual({ reads: 10, readBytes: 5 * (SIZES[0]! + SIZES[1]!), verified: 6 });
  });

  it("gives the caller its own bytes", async () => {
    fixture = await make();
    (await fixture.store.read(0, 1)).fill(0);
    expect(await fixture.store.read(0, 1)).toEqual(record(0, 1));
  });

  it("names layer and expert of a missing record", async () => {
    fixture = await make();
    await fixture.drop(0, 2);
    await expect(fixture.store.read(0, 2)).rejects.toThrow(expect.objectContaining({ code: "storage/missing", message: expect.stringMatching(/^Expert 2 of layer 0 of tiny is missing/), data: { model: "tiny", layer: 0, expert: 2 } }));
    await expect(fixture.store.read(0, EXPERTS)).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
    await expect(fixture.store.read(2, 0)).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
  });

  it("finds one flipped bit in any block at the first read, and names the record", async () => {
    fixture = await make();
    await fixture.damage(1, 1, LIMITS.blockBytes + 3);
    await fixture.damage(1, 2, 5);
    for (const expert of [1, 2]) {
      await expect(fixture.store.read(1, expert)).rejects.toThrow(expect.objectContaining({ code: "storage/corrupt", message: expect.stringContaining(`Expert ${expert} of layer 1 of tiny is damaged`) }));
    }
    expect(await fixture.store.read(1, 0)).toHaveLength(SIZES[1]!);
  });

  it("stops when asked", async () => {
    fixture = await make();
    await expect(fixture.store.read(0, 0, AbortSignal.abort())).rejects.toThrow(AppError);
    expect(fixture.store.stats().reads).toBe(0);
  });
});
