// A worker with a model in a real pack file: synchronous handles are there only. One of two that want the same file.
import { expose, transfer } from "comlink";
import { installErrorWire } from "../../src/base/wire.ts";
import { deleteModel, openModel } from "../../src/storage/catalogue.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { OPFS_PACKS } from "../../src/storage/opfs-packs.ts";
import { groupsOf, packOffset } from "../../src/storage/pieces.ts";
import type { StoredModel } from "../../src/storage/stored-model.ts";
import { measureStores } from "../../src/storage/read-speed.ts";
import { storeTiny, tinyWeights } from "./tiny-weights.ts";

const weights = tinyWeights(true);
let database: Database;
let model: StoredModel;

const api = {
  async make(name: string): Promise<void> {
    database = await openDatabase(name);
    await storeTiny(database, weights, weights.entry("opfs"));
    model = await openModel(database, "tiny");
  },
  /** Without making anything. */
  async join(name: string): Promise<void> {
    database = await openDatabase(name);
    model = await openModel(database, "tiny");
  },
  async reopen(): Promise<void> {
    await model.close();
    model = await openModel(database, "tiny");
  },
  async read(layer: number, expert: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await model.experts.read(layer, expert);
    return transfer(bytes, [bytes.buffer]);
  },
  async readTensor(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return model.readTensor(name);
  },
  recordBytes: async (layer: number) => model.experts.recordBytes(layer),
  stats: async () => model.experts.stats(),
  async damage(layer: number, expert: number, byte: number): Promise<void> {
    const entry = weights.entry("opfs");
    const at = packOffset(groupsOf(entry).experts[layer]![0]!, expert) + byte;
    await model.close();
    const handle = (await OPFS_PACKS.open(entry, false))!;
    const one = new Uint8Array(1);
    handle.read(one, { at });
    one[0]! ^= 1;
    handle.write(one, { at });
    handle.flush();
    handle.close();
    model = await openModel(database, "tiny");
  },
  async cut(bytes: number): Promise<void> {
    await model.close();
    const handle = (await OPFS_PACKS.open({ id: "tiny", name: "tiny" }, false))!;
    handle.truncate(bytes);
    handle.flush();
    handle.close();
    model = await openModel(database, "tiny");
  },
  packBytes: () => OPFS_PACKS.bytes({ id: "tiny", name: "tiny" }),
  async close(): Promise<void> {
    await model?.close();
  },
  delete: () => deleteModel(database, "tiny"),
  measure: () => measureStores(),
};
export type OpfsWorkerApi = typeof api;

installErrorWire();
expose(api);
