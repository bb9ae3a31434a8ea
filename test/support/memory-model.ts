// A GGUF in memory as a stored model, with or without a database: for tests of what runs on top of one.
import { type ExpertLayout, denseBytes, expertLayout, expertTensors, isExpertTensor, readDenseTensor, readExpertRecords } from "../../src/gguf/expert-record.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource } from "../../src/gguf/source.ts";
import { openModel } from "../../src/storage/catalogue.ts";
import type { Database } from "../../src/storage/database.ts";
import { memoryExpertStore } from "../../src/storage/memory-expert-store.ts";
import { ModelWriter } from "../../src/storage/model-writer.ts";
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
  const stacks = expertTensors(file);
  const layouts = stacks.map(expertLayout);
  const dense = file.tensors.filter(({ name }) => !isExpertTensor(name));
  const model: Omit<StoredModel, "experts"> = {
    id: "test",
    name: "test",
    metadata: file.metadata,
    tensors: dense.map((tensor) => ({ name: tensor.name, shape: tensor.shape, type: tensor.type, bytes: denseBytes(tensor) })),
    records: layouts,
    readTensor: (name, signal) => readDenseTensor(source, dense.find((tensor) => tensor.name === name)!, signal),
  };
  return { model, layouts, records: await Promise.all(stacks.map((stack) => readExpertRecords(source, stack, 0, stack.experts))) };
}

export async function memoryModel(bytes: Uint8Array): Promise<StoredModel> {
  const { model, layouts, records } = await importedParts(bytes);
  return { ...model, experts: await memoryExpertStore("test", layouts, records) };
}

/** The same in IndexedDB, under the id "test". */
export async function databaseModel(database: Database, bytes: Uint8Array): Promise<StoredModel> {
  const { model, layouts, records } = await importedParts(bytes);
  const storedBytes = model.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0) + records.flat().reduce((sum, record) => sum + record.byteLength, 0);
  const { id, name, metadata, tensors } = model;
  const experts = records[0]?.length ?? 0;
  const origin = { source: "file", fileBytes: bytes.byteLength, fingerprint: "test", importedAt: 0 } as const;
  const writer = await ModelWriter.begin(database, { ...origin, id, name, metadata, tensors, storedBytes, records: layouts, experts, complete: false });
  for (const tensor of tensors) await writer.putTensors([await model.readTensor(tensor.name)]);
  for (const layer of records) await writer.putRecords(layer);
  await writer.commit();
  return openModel(database, "test");
}
