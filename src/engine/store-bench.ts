// The three stores on the same records, for `npm run bench -- store`: experts of an 80 B model's size, written as an import would
// write them, read in random order as a model that runs would. The file in place is a file of the browser's own: what the user
// picks from a disk is read through the same Blob.
import { deleteDB } from "idb";
import { AppError } from "../base/errors.ts";
import { typeId } from "../gguf/blocks.ts";
import { blobSource } from "../gguf/source.ts";
import { type CatalogueEntry, type Database, openDatabase } from "../storage/database.ts";
import { OPFS_PACKS } from "../storage/opfs-packs.ts";
import type { PackHandle } from "../storage/pack-file.ts";
import { type Groups, groupsOf, type Piece } from "../storage/pieces.ts";
import type { RecordPart } from "../storage/stored-model.ts";
import { openWeights, type WeightStore } from "../storage/weight-store.ts";

export const BENCH_STORES = ["opfs", "indexeddb", "file"] as const;
export type BenchStore = (typeof BENCH_STORES)[number];

const NAME = "tabwright-bench";
/** As in Qwen3-Coder-Next, every matrix Q4_K: 1,769,472 bytes a record. */
const [HIDDEN, WIDTH] = [2048, 512];
const MATRIX_BYTES = (HIDDEN * WIDTH * 144) / 256;
const RECORD_BYTES = 3 * MATRIX_BYTES;
const FILE = { id: "bench-file", name: "the bench's file" };

export class StoreBench {
  readonly #database: Database;
  readonly #records: number;
  readonly #groups: Groups;
  readonly #noise = new Uint8Array(RECORD_BYTES + (1 << 20));

  private constructor(database: Database, records: number) {
    this.#database = database;
    this.#records = records;
    this.#groups = groupsOf(this.#entry("indexeddb"));
    for (let at = 0; at < this.#noise.byteLength; at += 65_536) crypto.getRandomValues(this.#noise.subarray(at, at + 65_536));
  }

  static async open(records: number): Promise<StoreBench> {
    return new StoreBench(await openDatabase(NAME), records);
  }

  /** Writes every record; bytes a second, each batch flushed. */
  async write(store: BenchStore): Promise<number> {
    const started = performance.now();
    if (store === "file") await this.#writeFile();
    else {
      const weights = await openWeights(this.#database, this.#entry(store), this.#groups, true);
      try {
        for (let expert = 0; expert < this.#records; expert += 8) {
          const batch = Array.from({ length: Math.min(8, this.#records - expert) }, (_, i) => expert + i);
          await weights.write(batch.flatMap((one) => this.#groups.experts[0]!.map((group, part): Piece => ({ group, index: one, bytes: this.#matrix(one, part) }))));
        }
      } finally {
        await weights.close();
      }
    }
    return this.#rate(started);
  }

  /** Reads every record once, in random order, into staging that is used again; bytes a second. Hashes are not checked: they are, once a record, on top. */
  async read(store: BenchStore, inFlight: number): Promise<number> {
    const weights = await this.#open(store);
    try {
      const queue = Array.from({ length: this.#records }, (_, expert) => ({ expert, at: Math.random() })).sort((a, b) => a.at - b.at);
      const started = performance.now();
      await Promise.all(
        Array.from({ length: inFlight }, async () => {
          const target = new Uint8Array(RECORD_BYTES);
          for (let next = queue.pop(); next; next = queue.pop()) {
            const found = await weights.readRecord(0, next.expert, target);
            const last = this.#matrix(next.expert, 2);
            if (found !== RECORD_BYTES || target.at(-1) !== last.at(-1) || target[2 * MATRIX_BYTES] !== last[0]) throw new AppError("storage/corrupt", `Record ${next.expert} of the bench is not what was written.`);
          }
        }),
      );
      return this.#rate(started);
    } finally {
      await weights.close();
    }
  }

  async close(): Promise<void> {
    this.#database.close();
    await deleteDB(NAME);
    await OPFS_PACKS.remove(this.#entry("opfs"));
    await OPFS_PACKS.remove(FILE);
  }

  async #open(store: BenchStore): Promise<WeightStore> {
    const blob = store === "file" ? await OPFS_PACKS.snapshot(FILE) : undefined;
    return openWeights(this.#database, this.#entry(store), this.#groups, false, blob ? { source: blobSource("bench.gguf", blob) } : {});
  }

  async #writeFile(): Promise<void> {
    const handle = (await OPFS_PACKS.open(FILE, true)) as PackHandle;
    try {
      for (const [part, group] of this.#groups.experts[0]!.entries()) {
        for (let expert = 0; expert < this.#records; expert++) handle.write(this.#matrix(expert, part), { at: group.place.offset + expert * MATRIX_BYTES });
      }
      handle.flush();
    } finally {
      handle.close();
    }
  }

  /** Distinct for every expert. */
  #matrix(expert: number, part: number): Uint8Array<ArrayBuffer> {
    const at = part * MATRIX_BYTES + ((expert * 4099) % (1 << 20));
    return this.#noise.slice(at, at + MATRIX_BYTES);
  }

  #rate(started: number): number {
    return (this.#records * RECORD_BYTES * 1000) / Math.max(1, performance.now() - started);
  }

  #entry(store: BenchStore): CatalogueEntry {
    const part = (index: number): RecordPart => ({
      offset: index * MATRIX_BYTES, bytes: MATRIX_BYTES, type: typeId("Q4_K"), shape: [HIDDEN, WIDTH], from: { offset: index * MATRIX_BYTES * this.#records, bytes: MATRIX_BYTES },
    });
    return {
      id: "bench", name: "the bench's records", source: "file", fileBytes: this.#records * RECORD_BYTES, fingerprint: "bench", storedBytes: this.#records * RECORD_BYTES, store,
      metadata: {}, tensors: [], records: [{ layer: 0, bytes: RECORD_BYTES, gate: part(0), up: part(1), down: part(2) }], experts: this.#records, complete: true, importedAt: 0,
    };
  }
}
