// Brings a GGUF into the browser's storage: everything that can be wrong with the file is found from its header, before
// a byte of weights is stored; an import that was interrupted goes on where it stopped.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { formatBytes } from "../base/units.ts";
import { toHex } from "../download/file.ts";
import { denseBytes, expertLayout, expertTensors, isExpertTensor, readDenseTensor, readExpertRecords } from "../gguf/expert-record.ts";
import type { GgufFile, GgufTensor } from "../gguf/file.ts";
import { readGguf } from "../gguf/reader.ts";
import type { ByteSource } from "../gguf/source.ts";
import { planModel, residentWeights } from "../model/weights.ts";
import { findModel } from "../storage/catalogue.ts";
import type { CatalogueEntry, Database } from "../storage/database.ts";
import { ModelWriter } from "../storage/model-writer.ts";
import { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import type { LoadProgress } from "./api.ts";

export interface ImportRequest {
  readonly id: string;
  /** What the catalogue calls it when the file has no name of its own. */
  readonly name: string;
  readonly source: CatalogueEntry["source"];
  /** Names the exact content; absent: taken from the file's first and last bytes. */
  readonly fingerprint?: string;
}

/** Bytes of expert records read from the file and written at once. */
const BATCH_BYTES = 4 * LIMITS.blockBytes;

/** Imports the file unless exactly it is stored already. Throws `model/…`, `storage/…`, `download/…` or `aborted`. */
export async function importModel(database: Database, source: ByteSource, request: ImportRequest, onProgress: (progress: LoadProgress) => void, signal?: AbortSignal): Promise<void> {
  onProgress({ phase: "read", doneBytes: 0, totalBytes: source.size, text: `Reading ${source.name}` });
  const fingerprint = request.fingerprint ?? (await fingerprintOf(source, signal));
  const known = await findModel(database, request.id);
  if (known?.complete && known.fingerprint === fingerprint) return;
  const file = await readGguf(source, signal);
  const plan = planModel(file);
  const { vocabSize } = new ModelTokenizer(file.metadata);
  if (vocabSize !== plan.vocab) {
    throw new AppError("model/format", `The model file has ${vocabSize} tokens but token_embd.weight has ${plan.vocab} rows. The file is damaged: get it again.`, { data: { vocabSize, rows: plan.vocab } });
  }
  const wanted = new Set(residentWeights(plan).map(({ name }) => name));
  const dense = file.tensors.filter(({ name }) => !isExpertTensor(name) && wanted.has(name));
  // Two tabs that import the same model: one does, the other waits and finds it done.
  await withLock(`tabwright-import ${request.id}`, signal, async () => {
    const done = await findModel(database, request.id);
    if (done?.complete && done.fingerprint === fingerprint) return;
    const writer = await ModelWriter.begin(database, catalogueEntry(file, dense, source.size, { ...request, fingerprint }));
    await writeAll(writer, source, file, dense, onProgress, signal);
    await writer.commit();
  });
}

function catalogueEntry(file: GgufFile, dense: readonly GgufTensor[], fileBytes: number, request: ImportRequest & { readonly fingerprint: string }): CatalogueEntry {
  const layers = expertTensors(file);
  const records = layers.map(expertLayout);
  const experts = layers[0]?.experts ?? 0;
  const tensors = dense.map((tensor) => ({ name: tensor.name, shape: tensor.shape, type: tensor.type, bytes: denseBytes(tensor) }));
  const title = file.metadata["general.name"];
  return {
    id: request.id,
    name: request.source === "bundled" || typeof title !== "string" || title === "" ? request.name : title,
    source: request.source,
    fileBytes,
    fingerprint: request.fingerprint,
    storedBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0) + records.reduce((sum, { bytes }) => sum + bytes * experts, 0),
    metadata: file.metadata,
    tensors,
    records,
    experts,
    complete: false,
    importedAt: Date.now(),
  };
}

async function writeAll(writer: ModelWriter, source: ByteSource, file: GgufFile, dense: readonly GgufTensor[], onProgress: (progress: LoadProgress) => void, signal?: AbortSignal): Promise<void> {
  const layers = expertTensors(file);
  const totalBytes = dense.reduce((sum, tensor) => sum + denseBytes(tensor), 0) + layers.reduce((sum, layer) => sum + expertLayout(layer).bytes * layer.experts, 0);
  const report = (): void => {
    const doneBytes = writer.done.bytes;
    onProgress({ phase: "import", doneBytes, totalBytes, text: `Storing the model: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}` });
  };
  report();
  while (writer.done.tensors < dense.length) {
    throwIfAborted(signal, "Importing the model");
    const batch: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    for (const tensor of dense.slice(writer.done.tensors)) {
      if (batch.length > 0 && bytes + denseBytes(tensor) > BATCH_BYTES) break;
      batch.push(await readDenseTensor(source, tensor, signal));
      bytes += denseBytes(tensor);
    }
    await writer.putTensors(batch, signal);
    report();
  }
  for (const [index, layer] of layers.entries()) {
    const each = expertLayout(layer).bytes;
    const atOnce = Math.max(1, Math.floor(BATCH_BYTES / each));
    while (writer.done.records < (index + 1) * layer.experts) {
      const from = writer.done.records - index * layer.experts;
      const to = Math.min(layer.experts, from + atOnce);
      await writer.putRecords(await readExpertRecords(source, layer, from, to, signal), signal);
      report();
    }
  }
}

/** SHA-256 of size, first and last MiB: tells files apart without reading 45 GB. */
async function fingerprintOf(source: ByteSource, signal?: AbortSignal): Promise<string> {
  const edge = Math.min(source.size, 1 << 20);
  const [head, tail] = await Promise.all([source.read(0, edge, signal), source.read(source.size - edge, edge, signal)]);
  const all = new Uint8Array(8 + 2 * edge);
  new DataView(all.buffer).setFloat64(0, source.size);
  all.set(head, 8);
  all.set(tail, 8 + edge);
  return `edges-${toHex(await crypto.subtle.digest("SHA-256", all))}`;
}

async function withLock(name: string, signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
  if (!("locks" in navigator)) return work();
  await navigator.locks.request(name, signal ? { signal } : {}, work);
}
