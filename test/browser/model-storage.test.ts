// A model's way into the browser's storage and out of it, interrupted everywhere. Faults 2, 4, 5, 6 and 16 of our list at the
// level of storage; the weights are a few KB, so that every step can be the last one.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import type { ByteSource } from "../../src/gguf/source.ts";
import { deleteModel, findModel, listModels, openModel, openReader } from "../../src/storage/catalogue.ts";
import { type Database, openDatabase, writing } from "../../src/storage/database.ts";
import { hashBlocks } from "../../src/storage/hash.ts";
import { ModelWriter } from "../../src/storage/model-writer.ts";
import { groupsOf, packOffset } from "../../src/storage/pieces.ts";
import { openShelf } from "../../src/storage/shelf.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { MemoryPacks, type WriteFault } from "../support/memory-packs.ts";
import { opfsWorker } from "../support/opfs-store.ts";
import { EXPERTS, sha256Of, storeTiny, tinyWeights } from "../support/tiny-weights.ts";

const WEIGHTS = tinyWeights(false);
/** Some eight steps. */
const BATCH = 1600;
const STORES = ["indexeddb", "opfs"] as const;

let name: string;
let database: Database;
let packs: MemoryPacks;
beforeEach(async () => {
  name = `test-${crypto.randomUUID()}`;
  database = await openDatabase(name);
  packs = new MemoryPacks();
});
afterEach(() => {
  database.close();
  indexedDB.deleteDatabase(name);
});

async function expectWhole(id = "tiny"): Promise<void> {
  const model = await openModel(database, id, { packs });
  try {
    for (const tensor of model.tensors) expect(await model.readTensor(tensor.name)).toEqual(WEIGHTS.tensor(tensor.name));
    for (const layer of [0, 1]) for (let expert = 0; expert < EXPERTS; expert++) expect(await model.experts.read(layer, expert)).toEqual(WEIGHTS.record(layer, expert));
    expect(model.metadata).toEqual({ "general.name": "tiny" });
  } finally {
    await model.close();
  }
}

/** Counts what is asked of it, and may fail, or give wrong bytes. */
function watched(change: (offset: number, bytes: Uint8Array<ArrayBuffer>) => void = () => undefined): ByteSource & { readonly reads: number[] } {
  const reads: number[] = [];
  const { source } = WEIGHTS;
  return {
    ...source,
    reads,
    async read(offset, length, signal) {
      reads.push(offset);
      const bytes = await source.read(offset, length, signal);
      change(offset, bytes);
      return bytes;
    },
  };
}

const flipAt = (place: number, times = Infinity) => {
  let left = times;
  return (offset: number, bytes: Uint8Array<ArrayBuffer>): void => {
    if (place < offset || place >= offset + bytes.byteLength || left-- <= 0) return;
    bytes[place - offset]! ^= 8;
  };
};

describe.each(STORES)("a model in %s", (store) => {
  const entry = WEIGHTS.entry(store);

  it("fault 2: whatever call is the last before a crash, what was verified is kept and nothing else is trusted", { timeout: 120_000 }, async () => {
    let before = 0;
    for (let calls = 1; ; calls++) {
      await deleteModel(database, "tiny", packs);
      const failing = failingDatabase(database, calls);
      const first = await storeTiny(failing.database, WEIGHTS, entry, { packs, batchBytes: BATCH }).catch(() => undefined);
      packs.crash();
      if (first === undefined) await expect(openModel(database, "tiny", { packs })).rejects.toThrow(expect.objectContaining({ code: "storage/missing" }));
      const at = (await database.get("journal", "tiny"))?.at ?? 0;
      expect(at).toBeGreaterThanOrEqual(first ? 0 : before);
      before = at;
      const source = watched();
      if (first === undefined) await storeTiny(database, WEIGHTS, entry, { packs, batchBytes: BATCH, source });
      // What was counted is not read again.
      expect(source.reads.filter((offset) => offset < at)).toEqual([]);
      await expectWhole();
      if (!failing.failed) break;
    }
    expect(before).toBe(0);
  });

  it("fault 4: a bit flipped in flight is found by the file's SHA-256, and only what differs is written again", async () => {
    const sha256 = await sha256Of(WEIGHTS);
    const hashed = WEIGHTS.entry(store, sha256);
    const source = watched(flipAt(hashed.records[0]!.up.from!.offset + 20, 1));
    expect(await storeTiny(database, WEIGHTS, hashed, { packs, source, batchBytes: BATCH })).toBe(false);
    await expect(openModel(database, "tiny", { packs })).rejects.toThrow("not completely stored");
    expect(await storeTiny(database, WEIGHTS, hashed, { packs, source, batchBytes: BATCH })).toBe(true);
    await expectWhole();
  });

  it("fault 4: a file that is wrong twice is refused, and a good one completes it later", async () => {
    const hashed = WEIGHTS.entry(store, await sha256Of(WEIGHTS));
    const source = watched(flipAt(hashed.tensors[0]!.from!.offset + 3));
    expect(await storeTiny(database, WEIGHTS, hashed, { packs, source })).toBe(false);
    await expect(storeTiny(database, WEIGHTS, hashed, { packs, source })).rejects.toThrow(expect.objectContaining({ code: "download/integrity" }));
    expect((await findModel(database, "tiny"))?.complete).toBe(false);
    expect(await storeTiny(database, WEIGHTS, hashed, { packs })).toBe(true);
    await expectWhole();
  });

  it("finishes the hash of a file without reading again what it had before it was interrupted", async () => {
    const hashed = WEIGHTS.entry(store, await sha256Of(WEIGHTS));
    const stop = new AbortController();
    const first = watched((offset) => offset > 5000 && stop.abort());
    await expect(storeTiny(database, WEIGHTS, hashed, { packs, source: first, batchBytes: BATCH, signal: stop.signal })).rejects.toThrow(expect.objectContaining({ code: "aborted" }));
    const at = (await database.get("journal", "tiny"))!.at!;
    expect(at).toBeGreaterThan(0);
    const second = watched();
    expect(await storeTiny(database, WEIGHTS, hashed, { packs, source: second, batchBytes: BATCH })).toBe(true);
    expect(Math.min(...second.reads)).toBe(at);
    await expectWhole();
  });

  it("fault 4: a bit flipped at rest is found before use and fetched again, alone, in tensors and in hot experts", async () => {
    await storeTiny(database, WEIGHTS, entry, { packs });
    await damageAtRest(store);
    const source = watched();
    const model = await openModel(database, "tiny", { packs, origin: async () => source });
    expect(await model.experts.read(0, 1)).toEqual(WEIGHTS.record(0, 1));
    expect(await model.readTensor("token_embd.weight")).toEqual(WEIGHTS.tensor("token_embd.weight"));
    expect(source.reads).toEqual([entry.records[0]!.up.from!.offset + entry.records[0]!.up.from!.bytes, entry.tensors[0]!.from!.offset]);
    await model.close();
    await expectWhole(); // from storage alone
  });

  it("fault 4: damage at rest is named, with what to do, where the file is not at hand or is another one now", async () => {
    await storeTiny(database, WEIGHTS, entry, { packs });
    await damageAtRest(store);
    const alone = await openModel(database, "tiny", { packs });
    await expect(alone.experts.read(0, 1)).rejects.toThrow(/Expert 1 of layer 0 of tiny is damaged.*Open the model's file again/);
    await expect(alone.readTensor("token_embd.weight")).rejects.toThrow(/Tensor token_embd.weight of tiny is damaged.*Open the model's file again/);
    await alone.close();
    const changed = watched((_, bytes) => void bytes.fill(1));
    const model = await openModel(database, "tiny", { packs, origin: async () => changed });
    await expect(model.experts.read(0, 1)).rejects.toThrow(expect.objectContaining({ code: "download/integrity" }));
    await model.close();
  });

  it("is checked whole, says which parts are damaged, and mends exactly those", async () => {
    await storeTiny(database, WEIGHTS, entry, { packs });
    const reader = async (source?: ByteSource) => openReader(database, (await findModel(database, "tiny"))!, { packs, origin: async () => source });
    let checked = 0;
    const running = await openModel(database, "tiny", { packs }); // a check does not need the model to itself
    const first = await openReader(database, (await findModel(database, "tiny"))!, { packs, isLook: true });
    expect(await first.verify((bytes) => (checked += bytes))).toEqual([]);
    expect(checked).toBe(entry.storedBytes);
    await first.close();
    await running.close();
    await damageAtRest(store);
    const source = watched();
    const second = await reader(source);
    const damaged = await second.verify(() => undefined);
    expect(damaged.map(({ group, index }) => `${group} ${index}`).toSorted()).toEqual(["0/up 1", "@4096 0"]);
    await expect(second.verify(() => undefined, AbortSignal.abort())).rejects.toThrow(expect.objectContaining({ code: "aborted" }));
    await second.mend(damaged, () => undefined);
    expect(source.reads).toHaveLength(2);
    expect(await second.verify(() => undefined)).toEqual([]);
    await second.close();
    await expectWhole();
  });

  it("fault 6: full at 10, 50 and 99 %, however the browser says so, pauses with the bytes that are needed and goes on when there is room", async () => {
    const counter = failingDatabase(database, Infinity, "", "writes");
    await storeTiny(counter.database, WEIGHTS, entry, { packs, batchBytes: BATCH });
    for (const fault of ["QuotaExceededError", "AbortError", "short", "oversize"] satisfies WriteFault[]) {
      for (const share of [0.1, 0.5, 0.99]) {
        await deleteModel(database, "tiny", packs);
        packs.fault = fault;
        packs.quota = 4096 + share * entry.storedBytes;
        const limited = store === "opfs" ? database : failingDatabase(database, Math.ceil(share * counter.calls), fault === "AbortError" ? "AbortError" : "QuotaExceededError", "writes").database;
        const error = await storeTiny(limited, WEIGHTS, entry, { packs, batchBytes: BATCH }).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "storage/quota", message: expect.stringMatching(/MB more are needed/) });
        expect((error as AppError).data["neededBytes"]).toBeGreaterThan(0);
        // Chats can still be kept: a pack takes no more than what is in it.
        await (await openShelf("sessions", database)).put("chat", { text: "hello" });
        if (store === "opfs") expect(packs.usedBytes).toBeLessThanOrEqual(packs.quota);
        packs.quota = Infinity;
        const at = (await database.get("journal", "tiny"))?.at ?? 0;
        const source = watched();
        await storeTiny(database, WEIGHTS, entry, { packs, batchBytes: BATCH, source });
        expect(source.reads.filter((offset) => offset < at)).toEqual([]);
        await expectWhole();
      }
    }
  });

  it("starts anew when the content is another one, and never mixes the two", async () => {
    await ModelWriter.begin(database, { ...entry, fingerprint: "old" }, { packs }).then(async (writer) => {
      await writer.put([{ group: writer.groups.all[0]!, index: 0, bytes: new Uint8Array(1024).fill(99) }], { at: 5152 });
      await writer.close();
    });
    await storeTiny(database, WEIGHTS, entry, { packs });
    await expectWhole();
    // Importing over a complete model hides it until the new one is complete.
    await (await ModelWriter.begin(database, { ...entry, fingerprint: "new" }, { packs })).close();
    await expect(openModel(database, "tiny", { packs })).rejects.toThrow("is not completely stored");
  });

  it("moves to another store when asked, and leaves nothing behind", async () => {
    await storeTiny(database, WEIGHTS, entry, { packs });
    const other = store === "opfs" ? "indexeddb" : "opfs";
    await storeTiny(database, WEIGHTS, WEIGHTS.entry(other), { packs });
    await expectWhole();
    expect(other === "opfs" ? await database.count("experts") : packs.usedBytes).toBe(0);
  });

  it("commits nothing that is not whole", async () => {
    const writer = await ModelWriter.begin(database, entry, { packs });
    await expect(writer.commit()).rejects.toThrow("is not complete");
    await writer.close();
  });

  it("is deleted whole, which frees its bytes and leaves others alone", async () => {
    await storeTiny(database, WEIGHTS, entry, { packs });
    await storeTiny(database, WEIGHTS, { ...entry, id: "other" }, { packs });
    const used = packs.usedBytes;
    expect(await deleteModel(database, "tiny", packs)).toBeGreaterThanOrEqual(entry.storedBytes);
    expect(await deleteModel(database, "tiny", packs)).toBe(0);
    expect((await listModels(database)).map(({ id }) => id)).toEqual(["other"]);
    if (store === "opfs") expect(packs.usedBytes).toBe(used / 2);
    else expect(await database.count("experts")).toBe(3 * EXPERTS * 2);
    await expectWhole("other");
    await deleteModel(database, "other", packs);
    expect(packs.usedBytes + (await database.count("experts")) + (await database.count("tensors")) + (await database.count("hashes"))).toBe(0);
  });
});

async function damageAtRest(store: (typeof STORES)[number]): Promise<void> {
  const { tensors, experts } = groupsOf(WEIGHTS.entry(store));
  const dense = [...tensors.values()][0]!;
  const up = experts[0]![1]!;
  if (store === "opfs") {
    for (const at of [packOffset(dense, 0) + 9, packOffset(up, 1) + 100]) packs.bytesOf("tiny")[at]! ^= 4;
    return;
  }
  const values = [["tensors", ["tiny", dense.name, 0], 9], ["experts", ["tiny", 0, 1, 1], 100]] as const;
  for (const [where, key, at] of values) {
    const stored = (await database.get(where, key as never)) as Uint8Array<ArrayBuffer>;
    stored[at]! ^= 4;
    await database.put(where, stored, key as never);
  }
}

describe("a pack file", () => {
  const entry = WEIGHTS.entry("opfs");

  it("of something else is never read as the model's", async () => {
    await storeTiny(database, WEIGHTS, entry, { packs });
    packs.bytesOf("tiny").fill(7, 0, 64);
    await expect(openModel(database, "tiny", { packs })).rejects.toThrow(expect.objectContaining({ code: "storage/corrupt", message: expect.stringContaining("those of something else") }));
  });

  it("that lost its end gives what is there and names what is missing", async () => {
    await storeTiny(database, WEIGHTS, entry, { packs });
    packs.cut("tiny", packOffset(groupsOf(entry).experts[1]![0]!, 1));
    const model = await openModel(database, "tiny", { packs });
    expect(await model.experts.read(0, 2)).toEqual(WEIGHTS.record(0, 2));
    await expect(model.experts.read(1, 1)).rejects.toThrow("Expert 1 of layer 1 of tiny is missing");
    await model.close();
  });

  it("that lost its end, or is gone, in the middle of an import is begun anew", async () => {
    const counter = failingDatabase(database, Infinity);
    await storeTiny(counter.database, WEIGHTS, entry, { packs, batchBytes: BATCH });
    for (const harm of [() => packs.cut("tiny", 4096), () => packs.remove({ id: "tiny" }), () => void packs.bytesOf("tiny").fill(1, 0, 100)]) {
      await deleteModel(database, "tiny", packs);
      await storeTiny(failingDatabase(database, Math.ceil(counter.calls / 2)).database, WEIGHTS, entry, { packs, batchBytes: BATCH }).catch(() => undefined);
      packs.crash();
      expect((await database.get("journal", "tiny"))!.at).toBeGreaterThan(0);
      await harm();
      await storeTiny(database, WEIGHTS, entry, { packs });
      await expectWhole();
    }
  });

  it("belongs to one worker: another is told so, and gets it when that one lets go or dies", { timeout: 60_000 }, async () => {
    const [first, second] = [opfsWorker(), opfsWorker()];
    await first.api.make(name);
    await expect(second.api.join(name)).rejects.toThrow(expect.objectContaining({ code: "storage/locked", message: expect.stringMatching(/^tiny is in use: it is loaded here or in another tab\./) }));
    await expect(second.api.delete()).rejects.toThrow(expect.objectContaining({ code: "storage/locked" }));
    expect((await first.api.read(0, 0)).byteLength).toBeGreaterThan(0);
    first.end();
    await second.api.join(name);
    expect(await second.api.read(0, 1)).toEqual(WEIGHTS.record(0, 1));
    await second.api.close();
    const bytes = await second.api.packBytes();
    expect(await second.api.delete()).toBe(bytes);
    expect(await second.api.packBytes()).toBe(0);
    second.end();
  });
});

describe("fault 5: a catalogue of another version", () => {
  it("of the first one opens as it is: nothing is deleted, its models run", async () => {
    const old = `test-${crypto.randomUUID()}`;
    const first = await firstVersion(old);
    first.close();
    const upgraded = await openDatabase(old);
    expect([...upgraded.objectStoreNames]).toEqual(expect.arrayContaining(["hashes", "handles"]));
    expect(await upgraded.get("settings", "theme")).toBe("dark");
    const model = await openModel(upgraded, "tiny");
    expect(await model.experts.read(0, 1)).toEqual(WEIGHTS.record(0, 1));
    expect(await model.readTensor("output_norm.weight")).toEqual(WEIGHTS.tensor("output_norm.weight"));
    expect(await deleteModel(upgraded, "tiny")).toBe(99);
    expect(await upgraded.count("experts")).toBe(0);
    upgraded.close();
    indexedDB.deleteDatabase(old);
  });

  it("that is newer is refused with the reason, and stays as it is", async () => {
    const newer = `test-${crypto.randomUUID()}`;
    await new Promise<void>((resolve) => {
      const request = indexedDB.open(newer, 99);
      request.onupgradeneeded = () => void request.result.createObjectStore("future").put("kept", "key");
      request.onsuccess = () => resolve(request.result.close());
    });
    await expect(openDatabase(newer)).rejects.toThrow(expect.objectContaining({ code: "storage/unavailable", message: expect.stringContaining("a newer version of this page has used it") }));
    indexedDB.deleteDatabase(newer);
    await storeTiny(database, WEIGHTS, WEIGHTS.entry("indexeddb"));
    await database.put("models", { ...(await findModel(database, "tiny"))!, format: 99 });
    await expect(openModel(database, "tiny")).rejects.toThrow(expect.objectContaining({ code: "storage/unavailable", message: expect.stringContaining("was stored by a newer version") }));
    expect(await database.count("experts")).toBeGreaterThan(0);
  });

  it("with an entry that was cut short says what is wrong instead of reading by it", async () => {
    await storeTiny(database, WEIGHTS, WEIGHTS.entry("indexeddb"));
    const entry = (await findModel(database, "tiny"))!;
    await database.put("models", { ...entry, tensors: entry.tensors.slice(0, 1), records: [] });
    const model = await openModel(database, "tiny");
    expect(() => model.readTensor("output_norm.weight")).toThrow("has no tensor output_norm.weight");
    await expect(model.experts.read(0, 0)).rejects.toThrow("has no layer 0");
  });
});

/** A model as the first version of the app left it. */
async function firstVersion(called: string): Promise<IDBDatabase> {
  const { format: _format, store: _store, files: _files, tensors, records, ...entry } = WEIGHTS.entry("indexeddb");
  const plain = ({ from: _from, ...rest }: { readonly from?: unknown }) => rest;
  const layouts = records.map((record) => ({ ...record, gate: plain(record.gate), up: plain(record.up), down: plain(record.down) }));
  const hashed = async (bytes: Uint8Array<ArrayBuffer>) => ({ bytes, hashes: await hashBlocks(bytes) });
  const values: [string, unknown, IDBValidKey | undefined][] = [
    ["models", { ...entry, tensors: tensors.map(plain), records: layouts, storedBytes: 99, complete: true }, undefined],
    ["settings", "dark", "theme"],
  ];
  for (const tensor of tensors) values.push(["tensors", await hashed(WEIGHTS.tensor(tensor.name)), ["tiny", tensor.name, 0]]);
  for (const layer of [0, 1]) for (let expert = 0; expert < EXPERTS; expert++) values.push(["experts", await hashed(WEIGHTS.record(layer, expert)), ["tiny", layer, expert]]);
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(called, 1);
    request.onupgradeneeded = () => {
      for (const keyed of ["models", "journal"]) request.result.createObjectStore(keyed, { keyPath: "id" });
      for (const store of ["tensors", "experts", "settings", "sessions", "projects", "checkpoints"]) request.result.createObjectStore(store);
      for (const [store, value, key] of values) request.transaction!.objectStore(store).put(value, key);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

describe("fault 16: a read", () => {
  it("that fails names what failed, changes nothing, and succeeds when it is tried again", async () => {
    await storeTiny(database, WEIGHTS, WEIGHTS.entry("indexeddb"));
    const failing = failingDatabase(database, 4, "UnknownError");
    const model = await openModel(failing.database, "tiny");
    await expect(model.experts.read(0, 0)).rejects.toThrow(expect.objectContaining({ code: "storage/unavailable" }));
    expect(failing.failed).toBe(true);
    failing.heal();
    expect(await model.experts.read(0, 0)).toEqual(WEIGHTS.record(0, 0));
  });

  it("that takes long can be stopped, and others are not held up by it", async () => {
    await database.put("models", { ...WEIGHTS.entry("file"), complete: true });
    let free: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (free = resolve));
    const { up } = WEIGHTS.entry("file").records[0]!;
    const source: ByteSource = { ...WEIGHTS.source, read: async (offset, length) => (offset === up.from!.offset ? slow : Promise.resolve()).then(() => WEIGHTS.source.read(offset, length)) };
    const model = await openModel(database, "tiny", { origin: async () => source });
    const stop = new AbortController();
    const first = model.experts.read(0, 0, stop.signal);
    expect(await model.experts.read(0, 1)).toEqual(WEIGHTS.record(0, 1));
    stop.abort();
    free();
    await expect(first).rejects.toThrow(expect.objectContaining({ code: "aborted" }));
    expect(await model.experts.read(0, 0)).toEqual(WEIGHTS.record(0, 0));
  });
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
