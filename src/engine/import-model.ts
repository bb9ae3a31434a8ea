// Brings a GGUF into the browser's storage: everything that can be wrong with the file is found from its header, before
// a byte of weights is stored. Its bytes are then read once, in file order; an import that was interrupted goes on where it
// stopped. A file whose SHA-256 is not the published one is read once more, and what differs from what is stored is replaced.
import { sha256Hex } from "../base/digest.ts";
import { AppError, throwIfAborted } from "../base/errors.ts";
import { type Sha256Stream, sha256Stream } from "../base/sha256-stream.ts";
import { formatBytes } from "../base/units.ts";
import { readGguf } from "../gguf/reader.ts";
import type { ByteSource } from "../gguf/source.ts";
import { planModel } from "../model/weights.ts";
import { findModel } from "../storage/catalogue.ts";
import { type CatalogueEntry, type Database, type OriginFile, writing } from "../storage/database.ts";
import { ModelWriter, type Progress } from "../storage/model-writer.ts";
import type { PackFolder } from "../storage/pack-file.ts";
import { storeFor, type StoreChoice } from "../storage/store-choice.ts";
import { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import type { LoadProgress } from "./api.ts";
import { type Batch, batchBytesOf, batches, catalogueEntry, filesOf, piecesOf } from "./import-plan.ts";

export interface ImportRequest {
  readonly id: string;
  /** What the catalogue calls it when the file has no name of its own. */
  readonly name: string;
  readonly source: CatalogueEntry["source"];
  /** Names the exact content; absent: taken from the files' SHA-256 where all are known, else from first and last bytes. */
  readonly fingerprint?: string;
  /**
   * What is known of each file of the source, found by its name: the `sha256` that its publisher says, which is checked, and
   * the `url` or `lastModified` that are kept, so that a damaged part can be fetched again.
   */
  readonly files?: readonly OriginFile[];
  /** Where the weights are to lie; absent or `auto`: what is best on this device. Another one than a stored model's moves it. */
  readonly store?: StoreChoice;
  /** For tests. */
  readonly packs?: PackFolder;
}

type OnProgress = (progress: LoadProgress) => void;

/**
 * Imports the file unless exactly it is stored already. Throws `model/…`, `storage/…`, `download/…` or `aborted`; what is
 * stored by then is kept. `source` is read straight on, in large ranges, after its header; it is the caller's to close.
 */
export async function importModel(database: Database, source: ByteSource, request: ImportRequest, onProgress: OnProgress, signal?: AbortSignal): Promise<void> {
  onProgress({ phase: "read", doneBytes: 0, totalBytes: source.size, text: `Reading ${source.name}` });
  const fingerprint = request.fingerprint ?? (await fingerprintOf(source, request.files, signal));
  const isStored = async (): Promise<boolean> => {
    const known = await findModel(database, request.id);
    const stays = request.store === undefined || request.store === "auto" || request.store === (known?.store ?? "indexeddb");
    return known?.complete === true && known.fingerprint === fingerprint && stays;
  };
  if (await isStored()) return;
  // Two tabs that import the same model: one does, the other waits and finds it done.
  await withLock(`tabwright-import ${request.id}`, signal, async () => {
    if (await isStored()) return;
    const half = await findModel(database, request.id);
    const goesOn = half?.complete === false && half.fingerprint === fingerprint ? half.store : undefined;
    const store = await storeFor(request.store, goesOn, source.size, signal);
    for (;;) {
      const entry = await readEntry(source, { ...request, fingerprint, store }, signal);
      if (store === "file") return keepInPlace(database, entry);
      const writer = await ModelWriter.begin(database, entry, request.packs ? { packs: request.packs } : {});
      try {
        if (!(await new Import(writer, source, onProgress, signal).run())) continue;
        return await writer.commit();
      } finally {
        await writer.close();
      }
    }
  });
}

/** The catalogue's entry of a file. Throws `model/…` for one that cannot run here. */
export async function readEntry(source: ByteSource, request: Parameters<typeof catalogueEntry>[3], signal?: AbortSignal): Promise<CatalogueEntry> {
  const file = await readGguf(source, signal);
  const plan = planModel(file);
  const { vocabSize } = new ModelTokenizer(file.metadata);
  if (vocabSize !== plan.vocab) {
    throw new AppError("model/format", `The model file has ${vocabSize} tokens but token_embd.weight has ${plan.vocab} rows. The file is damaged: get it again.`, { data: { vocabSize, rows: plan.vocab } });
  }
  return catalogueEntry(file, plan, source, request);
}

/** Nothing is copied: the entry says where in the file everything lies. */
async function keepInPlace(database: Database, entry: CatalogueEntry): Promise<void> {
  await writing(entry.name, 0, async () => {
    await database.put("models", { ...entry, storedBytes: 0, complete: true });
    await database.delete("journal", entry.id);
  });
}

/** One pass over the source, from where the journal says. */
export class Import {
  readonly #writer: ModelWriter;
  readonly #source: ByteSource;
  readonly #onProgress: OnProgress;
  readonly #signal: AbortSignal | undefined;
  readonly #expected: ReadonlyMap<string, string>;

  readonly #batchBytes: number;

  /** `batchBytes` is for tests: what is stored between two entries of the journal. */
  constructor(writer: ModelWriter, source: ByteSource, onProgress: OnProgress, signal?: AbortSignal, batchBytes = batchBytesOf(source.size)) {
    this.#batchBytes = batchBytes;
    this.#writer = writer;
    this.#source = source;
    this.#onProgress = onProgress;
    this.#signal = signal;
    this.#expected = new Map(writer.entry.files?.flatMap(({ name, sha256 }) => (sha256 === undefined ? [] : [[name, sha256.toLowerCase()]])));
  }

  /** False: a file was not what was published, and is to be gone through again, its header too. Throws when it was so twice. */
  async run(): Promise<boolean> {
    const { groups, progress } = this.#writer;
    const queue = batches(filesOf(this.#source), groups, ({ name }) => this.#expected.has(name), progress.at, this.#batchBytes);
    let hash: Sha256Stream | undefined;
    this.#report();
    // One batch is read while the one before is stored.
    let next = this.#read(queue.next().value);
    for (let step = await next; step; step = await next) {
      const { batch, bytes } = step;
      next = this.#read(queue.next().value);
      next.catch(() => undefined); // it is awaited in the next round, if there is one
      const isHashed = this.#expected.has(batch.file.name);
      if (isHashed) hash ??= await sha256Stream(this.#writer.progress.sha256);
      hash?.update(bytes);
      const isEnd = batch.to === batch.file.offset + batch.file.size;
      const right = isEnd && hash ? hash.digest() === this.#expected.get(batch.file.name) : undefined;
      await this.#store(batch, bytes, right === undefined ? hash?.state() : undefined, right);
      this.#report();
      if (right === false) return false;
      if (isEnd) hash = undefined;
    }
    return true;
  }

  /** `right`: whether the file is the published one, when this was its end and that is known. */
  async #store(batch: Batch, bytes: Uint8Array<ArrayBuffer>, sha256: Uint8Array | undefined, right: boolean | undefined): Promise<void> {
    const { repairing = false } = this.#writer.progress;
    const pieces = piecesOf(batch, bytes);
    const onward: Progress = { at: batch.to, ...(sha256 ? { sha256 } : {}), ...(repairing && right === undefined ? { repairing } : {}) };
    const next: Progress = right === false ? { at: batch.file.offset, repairing: true } : onward;
    if (repairing) await this.#writer.replace(pieces, next, this.#signal);
    else await this.#writer.put(pieces, next, this.#signal);
    if (right === false && repairing) {
      throw new AppError("download/integrity", `${batch.file.name} was read twice and is not the file that was published: its SHA-256 is another one. Check the connection, or get the file from elsewhere; trying again reads it once more.`, {
        data: { file: batch.file.name },
      });
    }
  }

  async #read(batch: Batch | undefined | void): Promise<{ readonly batch: Batch; readonly bytes: Uint8Array<ArrayBuffer> } | undefined> {
    if (!batch) return undefined;
    throwIfAborted(this.#signal, "Importing the model");
    return { batch, bytes: await this.#source.read(batch.from, batch.to - batch.from, this.#signal) };
  }

  #report(): void {
    const { at, repairing } = this.#writer.progress;
    const totalBytes = this.#source.size;
    const what = repairing ? "Comparing with what was published" : "Storing the model";
    this.#onProgress({ phase: repairing ? "verify" : "import", doneBytes: at, totalBytes, text: `${what}: ${formatBytes(at)} of ${formatBytes(totalBytes)}` });
  }
}

/** The files' published hashes, or SHA-256 of size, first and last MiB: tells files apart without reading 45 GB. */
async function fingerprintOf(source: ByteSource, files: readonly OriginFile[] = [], signal?: AbortSignal): Promise<string> {
  if (files.length === filesOf(source).length && files.every(({ sha256 }) => sha256 !== undefined)) return `sha256-${files.map(({ sha256 }) => sha256).join("-")}`;
  const edge = Math.min(source.size, 1 << 20);
  const [head, tail] = await Promise.all([source.read(0, edge, signal), source.read(source.size - edge, edge, signal)]);
  const all = new Uint8Array(8 + 2 * edge);
  new DataView(all.buffer).setFloat64(0, source.size);
  all.set(head, 8);
  all.set(tail, 8 + edge);
  return `edges-${await sha256Hex(all)}`;
}

async function withLock(name: string, signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
  if (!("locks" in navigator)) return work();
  await navigator.locks.request(name, signal ? { signal } : {}, work);
}
