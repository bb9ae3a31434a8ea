// One suite over every place that experts can come from; what only some can do (find a flipped bit) says so.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { blobSource } from "../../src/gguf/source.ts";
import { openModel } from "../../src/storage/catalogue.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import type { ExpertStore } from "../../src/storage/expert-store.ts";
import { hashBlocks } from "../../src/storage/hash.ts";
import { memoryDatabase } from "../../src/storage/memory-database.ts";
import { memoryExpertStore } from "../../src/storage/memory-expert-store.ts";
import type { StoredModel } from "../../src/storage/stored-model.ts";
import { groupsOf, packOffset } from "../../src/storage/pieces.ts";
import { MemoryPacks } from "../support/memory-packs.ts";
import { opfsWorker, remoteStore } from "../support/opfs-store.ts";
import { EXPERTS, storeTiny, tinyWeights } from "../support/tiny-weights.ts";

/** Layer 0 is small, layer 1 takes more than a block. */
const WEIGHTS = tinyWeights(true);
const { records: LAYOUTS } = WEIGHTS.entry("indexeddb");
const SIZES = LAYOUTS.map(({ bytes }) => bytes);
const { record } = WEIGHTS;

/** A store with all records in it, and ways to harm it behind its back. */
interface Fixture {
  /** Anew, the one before being closed: nothing is verified yet. */
  open(): Promise<ExpertStore>;
  damage(layer: number, expert: number, byte: number): Promise<void>;
  drop(layer: number, expert: number): Promise<void>;
  close(): Promise<void>;
}

async function memoryFixture(): Promise<Fixture> {
  const records: Uint8Array<ArrayBuffer>[][] = LAYOUTS.map((_, layer) => Array.from({ length: EXPERTS }, (_unused, expert) => record(layer, expert)));
  const store = await memoryExpertStore("tiny", LAYOUTS, records);
  return {
    open: async () => store,
    damage: async (layer, expert, byte) => void (records[layer]![expert]![byte]! ^= 1),
    drop: async (layer, expert) => void records[layer]!.splice(expert, 1),
    close: async () => {},
  };
}

async function withDatabase(make: (database: Database) => Promise<Omit<Fixture, "close">>): Promise<Fixture> {
  const name = `test-${crypto.randomUUID()}`;
  const database = await openDatabase(name);
  return {
    ...(await make(database)),
    close: async () => {
      database.close();
      indexedDB.deleteDatabase(name);
    },
  };
}

async function partsFixture(database: Database): Promise<Omit<Fixture, "close">> {
  await storeTiny(database, WEIGHTS, WEIGHTS.entry("indexeddb"));
  return {
    open: async () => (await openModel(database, "tiny")).experts,
    async damage(layer, expert, byte) {
      const parts = [LAYOUTS[layer]!.gate, LAYOUTS[layer]!.up, LAYOUTS[layer]!.down];
      const part = parts.findLastIndex(({ offset }) => offset <= byte);
      const stored = (await database.get("experts", ["tiny", layer, expert, part])) as Uint8Array<ArrayBuffer>;
      stored[byte - parts[part]!.offset]! ^= 1;
      await database.put("experts", stored, ["tiny", layer, expert, part]);
    },
    async drop(layer, expert) {
      for (const part of [0, 1, 2]) await database.delete("experts", ["tiny", layer, expert, part]);
    },
  };
}

/** As the first version of the app stored it. */
async function firstFormatFixture(database: Database): Promise<Omit<Fixture, "close">> {
  const { format: _format, store: _store, files: _files, ...entry } = WEIGHTS.entry("indexeddb");
  await database.put("models", { ...entry, complete: true });
  for (const layer of SIZES.keys()) {
    for (let expert = 0; expert < EXPERTS; expert++) {
      const bytes = record(layer, expert);
      await database.put("experts", { bytes, hashes: await hashBlocks(bytes) }, ["tiny", layer, expert]);
    }
  }
  return {
    open: async () => (await openModel(database, "tiny")).experts,
    async damage(layer, expert, byte) {
      const stored = await database.get("experts", ["tiny", layer, expert]);
      if (!stored || !("hashes" in stored)) throw new Error("not of the first format");
      stored.bytes[byte]! ^= 1;
      await database.put("experts", stored, ["tiny", layer, expert]);
    },
    drop: (layer, expert) => database.delete("experts", ["tiny", layer, expert]),
  };
}

async function packFixture(database: Database): Promise<Omit<Fixture, "close">> {
  const packs = new MemoryPacks();
  const entry = WEIGHTS.entry("opfs");
  await storeTiny(database, WEIGHTS, entry, { packs });
  const at = (layer: number, expert: number) => packOffset(groupsOf(entry).experts[layer]![0]!, expert);
  let model: StoredModel | undefined;
  return {
    async open() {
      await model?.close();
      model = await openModel(database, "tiny", { packs });
      return model.experts;
    },
    damage: async (layer, expert, byte) => void (packs.bytesOf("tiny")[at(layer, expert) + byte]! ^= 1),
    drop: async (layer, expert) => packs.cut("tiny", at(layer, expert)),
  };
}

/** The real thing, in its worker. */
async function opfsFixture(): Promise<Fixture> {
  const name = `test-${crypto.randomUUID()}`;
  const worker = opfsWorker();
  await worker.api.make(name);
  const entry = WEIGHTS.entry("opfs");
  return {
    open: async () => {
      await worker.api.reopen();
      return remoteStore(worker, SIZES);
    },
    damage: (layer, expert, byte) => worker.api.damage(layer, expert, byte),
    drop: (layer, expert) => worker.api.cut(packOffset(groupsOf(entry).experts[layer]![0]!, expert)),
    async close() {
      await worker.api.close();
      await worker.api.delete();
      worker.end();
      indexedDB.deleteDatabase(name);
    },
  };
}

/** Read where it is: what was damaged before it was opened cannot be known, and a file that lost its end is refused. */
async function fileFixture(database: Database): Promise<Omit<Fixture, "close">> {
  await database.put("models", { ...WEIGHTS.entry("file"), complete: true });
  const source = blobSource("tiny.gguf", new Blob([WEIGHTS.bytes]));
  const none = (): Promise<void> => Promise.reject(new Error("the user's own file is not harmed"));
  return { open: async () => (await openModel(database, "tiny", { origin: async () => source })).experts, damage: none, drop: none };
}

describe.each([
  ["memory", "memory", memoryFixture],
  ["the browser's database", "indexeddb", () => withDatabase(partsFixture)],
  ["the browser's database, by the first version", "indexeddb", () => withDatabase(firstFormatFixture)],
  ["a database in memory", "indexeddb", async () => ({ ...(await partsFixture(memoryDatabase())), close: async () => {} })],
  ["a pack file in memory", "opfs", () => withDatabase(packFixture)],
  ["a pack file", "opfs", opfsFixture],
  ["the user's own file", "file", () => withDatabase(fileFixture)],
] as const)("an expert store in %s", (where, kind, make) => {
  const isOwn = where === "the user's own file";
  let fixture: Fixture;
  let store: ExpertStore;
  // One for all tests, in their order: those that damage something come last.
  beforeAll(async () => {
    fixture = await make();
    store = await fixture.open();
  }, 60_000);
  afterAll(() => fixture?.close());

  it("says what it is and how large records are", async () => {
    expect(store).toMatchObject({ kind, layers: 2, experts: EXPERTS });
    expect([0, 1].map((layer) => store.recordBytes(layer))).toEqual(SIZES);
  });

  it("gives every record byte for byte, ten reads at once, and counts them", async () => {
    const wanted = [0, 1].flatMap((layer) => [2, 0, 1, 2, 1].map((expert) => [layer, expert] as const));
    const found = await Promise.all(wanted.map(([layer, expert]) => store.read(layer, expert)));
    found.forEach((bytes, i) => {
      const expected = record(...wanted[i]!);
      expect(bytes.byteLength === expected.byteLength && bytes.every((byte, at) => byte === expected[at])).toBe(true);
    });
    expect(store.stats()).toEqual({ reads: 10, readBytes: 5 * (SIZES[0]! + SIZES[1]!), verified: isOwn ? 0 : 6 });
  });

  it("puts records into the middle of a buffer and touches nothing around them", async () => {
    const staging = new Uint8Array(64 + SIZES[0]! + 64).fill(0xa5);
    const target = staging.subarray(64, 64 + SIZES[0]!);
    await store.readInto(0, 2, target);
    expect(target).toEqual(record(0, 2));
    expect(staging.filter((byte, at) => byte !== 0xa5 && (at < 64 || at >= 64 + SIZES[0]!))).toHaveLength(0);
    await expect(store.readInto(0, 2, staging.subarray(0, SIZES[0]! - 1))).rejects.toThrow(expect.objectContaining({ code: "bug" }));
  });

  it("puts records straight into mapped GPU memory", async () => {
    const gpu = await openGpu();
    const staging = gpu.device.createBuffer({ size: 2 * SIZES[0]!, usage: GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    const mapped = staging.getMappedRange();
    await Promise.all([0, 1].map((expert) => store.readInto(0, expert, new Uint8Array(mapped, expert * SIZES[0]!, SIZES[0]))));
    expect([0, 1].map((expert) => new Uint8Array(mapped.slice(expert * SIZES[0]!, (expert + 1) * SIZES[0]!)))).toEqual([record(0, 0), record(0, 1)]);
    gpu.close();
  });

  it("gives the caller its own bytes", async () => {
    (await store.read(0, 1)).fill(0);
    expect(await store.read(0, 1)).toEqual(record(0, 1));
  });

  it("stops when asked", async () => {
    const { reads } = store.stats();
    await expect(store.read(0, 0, AbortSignal.abort())).rejects.toThrow(AppError);
    expect(store.stats().reads).toBe(reads);
  });

  // In memory there is one store for all: what it has read once it does not check again.
  it.skipIf(isOwn || where === "memory")("finds one flipped bit in any block at the first read, and names the record", async () => {
    await fixture.damage(1, 1, LIMITS.blockBytes + 3);
    await fixture.damage(1, 2, 5);
    store = await fixture.open();
    for (const expert of [1, 2]) {
      await expect(store.read(1, expert)).rejects.toThrow(expect.objectContaining({ code: "storage/corrupt", message: expect.stringContaining(`Expert ${expert} of layer 1 of tiny is damaged`) }));
    }
    expect(await store.read(1, 0)).toHaveLength(SIZES[1]!);
  });

  it("names layer and expert of a missing record", async () => {
    if (!isOwn) await fixture.drop(0, 2);
    if (!isOwn) await expect(store.read(0, 2)).rejects.toThrow(expect.objectContaining({ code: "storage/missing", message: expect.stringMatching(/^Expert 2 of layer 0 of tiny is missing/), data: { model: "tiny", layer: 0, expert: 2 } }));
    await expect(store.read(0, EXPERTS)).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
    await expect(store.read(2, 0)).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
  });
});
