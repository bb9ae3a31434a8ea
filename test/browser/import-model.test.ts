// Importing a file of another architecture than the usual one: a dense model has no records to store, and one that cannot run
// leaves nothing behind.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { AppError } from "../../src/base/errors.ts";
import { importModel } from "../../src/engine/import-model.ts";
import { bytesSource } from "../../src/gguf/source.ts";
import { writeGguf } from "../../src/gguf/writer.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { Transformer } from "../../src/model/transformer.ts";
import { openModel } from "../../src/storage/catalogue.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { OTHER_FORMS, OTHER_FORMS_OF } from "../fixtures/models/other-forms.ts";
import { modelMetadata, randomModel, randomTensors, writable } from "../fixtures/models/random-model.ts";
import { SPECS } from "../fixtures/models/specs.ts";
import { memoryModel } from "../support/memory-model.ts";

const REQUEST = { id: "m", name: "M", source: "file" } as const;
const spec = SPECS.find(({ name }) => name === "qwen2")!;
const dense = randomModel(spec);

describe("an import", () => {
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

  it("of a dense model stores its tensors and no records, and the model runs from there", async () => {
    await importModel(database, bytesSource("qwen2.gguf", dense), REQUEST, () => {});
    expect(await database.count("experts")).toBe(0);
    const model = await openModel(database, "m");
    expect([model.records, model.experts.layers, model.experts.experts]).toEqual([[], 0, 0]);
    const gpu = await openGpu();
    const logits = async (from: Parameters<typeof Transformer.load>[1]) => {
      const loaded = await Transformer.load(gpu, from);
      const result = await loaded.forward([1, 2, 3]);
      loaded.close();
      return result;
    };
    expect(await logits(model)).toEqual(await logits(await memoryModel(dense)));
    gpu.close();
  });

  it.each(["indexeddb", "file"] as const)("of a file in other forms is the usual model, in the store %s", async (store) => {
    const usual = SPECS.find((each) => each.name === OTHER_FORMS_OF)!;
    const file = randomModel(usual, (tensors) => OTHER_FORMS.reduce((before, form) => form.change(usual, before), tensors));
    const source = bytesSource("forms.gguf", file);
    await importModel(database, source, { ...REQUEST, store }, () => {});
    const model = await openModel(database, "m", { origin: () => Promise.resolve(source) });
    const wanted = await memoryModel(randomModel(usual));
    expect(model.experts.kind).toBe(store);
    for (const { name: tensor } of wanted.tensors) expect(await sha256Hex(await model.readTensor(tensor)), tensor).toBe(await sha256Hex(await wanted.readTensor(tensor)));
    for (let layer = 0; layer < usual.layers; layer++) {
      for (const expert of [0, usual.moe.experts - 1]) expect(await sha256Hex(await model.experts.read(layer, expert))).toBe(await sha256Hex(await wanted.experts.read(layer, expert)));
    }
    await model.close();
  });

  it("of an architecture that cannot run is refused by name, with those that can, before a weight is stored", async () => {
    const file = writeGguf({ ...modelMetadata(spec), "general.architecture": { type: "string", value: "llama" } }, writable(randomTensors(spec)));
    const error = await importModel(database, bytesSource("llama.gguf", file), REQUEST, () => {}).then(() => undefined, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "model/unsupported" });
    expect((error as AppError).message).toMatch(/architecture is llama; .*Qwen3-Coder-Next.*Qwen3-Coder-30B-A3B.*Qwen2\.5-Coder/);
    for (const store of ["models", "journal", "tensors", "experts"] as const) expect(await database.count(store), store).toBe(0);
  });
});
