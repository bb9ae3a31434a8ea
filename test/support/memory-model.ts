// A GGUF in memory as a stored model, with or without a database: for tests of what runs on top of one.
import { type ExpertLayout, readExpertRecords } from "../../src/gguf/expert-record.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource } from "../../src/gguf/source.ts";
import { readMatrix } from "../../src/gguf/weight-rows.ts";
import { storedForm } from "../../src/model/stored-form.ts";
import { planModel } from "../../src/model/weights.ts";
import { openModel } from "../../src/storage/catalogue.ts";
import type { Database } from "../../src/storage/database.ts";
import { memoryExpertStore } from "../../src/storage/memory-expert-store.ts";
import { ModelWriter } from "../../src/storage/model-writer.ts";
import { Import } from "../../src/engine/import-model.ts";
import { catalogueEntry } from "../../src/engine/import-plan.ts";
import type { StoredModel } from "../../src/storage/stored-model.ts";

/** The parts of a model that an import would store. */
export async function importedParts(bytes: Uint8Array): Promise<{
  readonly model: Omit<StoredModel, "experts">;
  readonly layouts: readonly ExpertLayout[];
  /** `[layer][expert]`. */
  readonly records: readonly (readonly Uint8Array<ArrayBuffer>[])[];
}> {
  const source = bytesSource("test.gguf", bytes);
  const file = await readGguf(source);
  const { weights, tensors, stacks, records, experts } = storedForm(file, planModel(file));
  const model: Omit<StoredModel, "experts"> = {
    id: "test",
    name: "test",
    metadata: file.metadata,
    tensors,
    records,
    close: async () => undefined,
    readTensor: (name, signal) => readMatrix(source, file, weights.find((weight) => weight.name === name)!, signal),
  };
  return { model, layouts: records, records: await Promise.all(stacks.map((stack) => readExpertRecords(source, stack, 0, experts))) };
}

export async function memoryModel(bytes: Uint8Array): Promise<StoredModel> {
  const { model, layouts, records } = await importedParts(bytes);
  return { ...model, experts: await memoryExpertStore("test", layouts, records) };
}

/** The same in IndexedDB, under the id "test". */
export async function databaseModel(database: Database, bytes: Uint8Array): Promise<StoredModel> {
  const source = bytesSource("test.gguf", bytes);
  const file = await readGguf(source);
  const entry = catalogueEntry(file, planModel(file), source, { id: "test", name: "test", source: "file", fingerprint: "test", store: "indexeddb" });
  const writer = await ModelWriter.begin(database, entry);
  await new Import(writer, source, () => undefined).run();
  await writer.commit();
  return openModel(database, "test");
}
