// Reads a stored model of the present format: every piece is held to its hash when it is first read, and one that is damaged
// or missing is fetched again, alone, from where the model came from, if that is at hand.
import { AppError, rethrowIfFatal, throwIfAborted } from "../base/errors.ts";
import type { CatalogueEntry, Database } from "./database.ts";
import type { ExpertStore } from "./expert-store.ts";
import { type PieceSource, readFromFile, tensorOnGpu } from "./file-piece.ts";
import { hashBlocks } from "./hash.ts";
import { HashList } from "./hash-list.ts";
import { type Group, type Groups, pieceBytes } from "./pieces.ts";
import { expertStore, MENDING } from "./record-reader.ts";
import type { StoredTensor } from "./stored-model.ts";
import type { WeightStore } from "./weight-store.ts";

/** Where the model came from; undefined when that is not at hand now. Asked only when something is damaged. */
export type Origin = () => Promise<PieceSource | undefined>;

/** A piece that is not what was stored. */
export interface DamagedPiece {
  readonly group: string;
  readonly index: number;
  readonly bytes: number;
}

export class ModelReader {
  readonly experts: ExpertStore;
  readonly #entry: CatalogueEntry;
  readonly #groups: Groups;
  readonly #weights: WeightStore;
  readonly #origin: Origin;
  /** Absent: in the user's own file, of which nothing is known. */
  readonly #hashes: HashList | undefined;

  private constructor(entry: CatalogueEntry, groups: Groups, weights: WeightStore, hashes: HashList | undefined, origin: Origin) {
    this.#entry = entry;
    this.#groups = groups;
    this.#weights = weights;
    this.#hashes = hashes;
    this.#origin = origin;
    this.experts = expertStore({
      kind: weights.kind,
      model: entry.name,
      layouts: entry.records,
      experts: entry.experts,
      fetch: (layer, expert, target, signal) => weights.readRecord(layer, expert, target, signal),
      ...(hashes
        ? {
            isIntact: async (layer, expert, record) => (await this.#damagedParts(layer, expert, record)).length === 0,
            mend: (layer, expert, record, signal) => this.#mendRecord(layer, expert, record, signal),
          }
        : {}),
    });
  }

  static async open(database: Database, entry: CatalogueEntry, groups: Groups, weights: WeightStore, origin: Origin): Promise<ModelReader> {
    const hashes = weights.kind === "file" ? undefined : await HashList.load(database, entry.id, groups);
    return new ModelReader(entry, groups, weights, hashes, origin);
  }

  async readTensor(tensor: StoredTensor, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const group = this.#groups.tensors.get(tensor.from?.offset ?? -1);
    if (!group) throw new AppError("bug", `${this.#entry.name} does not say where ${tensor.name} lies.`);
    const raw = new Uint8Array(group.place.bytes);
    let at = 0;
    for (let index = 0; index < group.pieces; index++) {
      throwIfAborted(signal, "Reading the model");
      const target = raw.subarray(at, at + pieceBytes(group, index));
      at += target.byteLength;
      const found = await this.#weights.readPiece(group, index, target, signal);
      if (found === target.byteLength && (await this.#isIntact(group, index, target))) continue;
      const again = await this.#fetchAgain(group, index, signal);
      if (!again) {
        const [code, how] = found === 0 ? (["storage/missing", "Part of tensor"] as const) : (["storage/corrupt", "Tensor"] as const);
        throw new AppError(code, `${how} ${tensor.name} of ${this.#entry.name} is ${found === 0 ? "missing from" : "damaged in"} the browser's storage. ${MENDING}`, {
          data: { model: this.#entry.name, tensor: tensor.name, piece: index },
        });
      }
      target.set(again);
    }
    return tensorOnGpu(tensor, raw);
  }

  /** Reads everything that is stored and compares; `onBytes` is told of each piece. */
  async verify(onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<readonly DamagedPiece[]> {
    const damaged: DamagedPiece[] = [];
    for (const group of this.#groups.all) {
      for (let index = 0; index < group.pieces; index++) {
        throwIfAborted(signal, "Checking the model");
        const target = new Uint8Array(pieceBytes(group, index));
        const found = await this.#weights.readPiece(group, index, target, signal);
        if (found !== target.byteLength || !(await this.#isIntact(group, index, target))) damaged.push({ group: group.name, index, bytes: target.byteLength });
        onBytes(target.byteLength);
      }
    }
    return damaged;
  }

  /** Fetches these pieces again and replaces them. Throws `storage/missing` when there is nowhere to fetch them from. */
  async mend(pieces: readonly DamagedPiece[], onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<void> {
    const groups = new Map(this.#groups.all.map((group) => [group.name, group]));
    for (const { group: name, index, bytes } of pieces) {
      throwIfAborted(signal, "Repairing the model");
      const group = groups.get(name);
      if (!group || index >= group.pieces) throw new AppError("bug", `${this.#entry.name} has no part ${name} ${index}.`);
      if (!(await this.#fetchAgain(group, index, signal))) throw new AppError("storage/missing", `It is not known where ${this.#entry.name} can be fetched again. ${MENDING}`, { data: { model: this.#entry.id } });
      onBytes(bytes);
    }
  }

  close(): Promise<void> {
    return this.#weights.close();
  }

  async #isIntact(group: Group, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    return this.#hashes === undefined || this.#hashes.has(group, index, await hashBlocks(bytes));
  }

  async #damagedParts(layer: number, expert: number, record: Uint8Array<ArrayBuffer>): Promise<readonly Group[]> {
    const parts = this.#groups.experts[layer] ?? [];
    const intact = await Promise.all(parts.map((group) => this.#isIntact(group, expert, matrixIn(record, group))));
    return parts.filter((_, i) => !intact[i]);
  }

  async #mendRecord(layer: number, expert: number, record: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<boolean> {
    for (const group of this.#groups.experts[layer] ?? []) {
      const target = matrixIn(record, group);
      const found = await this.#weights.readPiece(group, expert, target, signal);
      if (found === target.byteLength && (await this.#isIntact(group, expert, target))) continue;
      const again = await this.#fetchAgain(group, expert, signal);
      if (!again) return false;
      target.set(again);
    }
    return true;
  }

  /** Undefined when the place it came from is not at hand. Throws `download/integrity` when what is there now is something else. */
  async #fetchAgain(group: Group, index: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const source = this.#hashes && (await this.#origin());
    if (!source) return undefined;
    const bytes = await readFromFile(source, group, index, signal);
    if (!(await this.#isIntact(group, index, bytes))) {
      throw new AppError("download/integrity", `Part of ${this.#entry.name} is damaged in the browser's storage, and ${source.name} no longer holds what was stored. Delete the model and load it again.`, { data: { model: this.#entry.id } });
    }
    try {
      await this.#weights.write([{ group, index, bytes }]);
    } catch (error) {
      rethrowIfFatal(error); // it is right in memory; the next read mends it again
    }
    return bytes;
  }
}

function matrixIn(record: Uint8Array<ArrayBuffer>, group: Group): Uint8Array<ArrayBuffer> {
  return group.kind === "expert" ? record.subarray(group.matrix.offset, group.matrix.offset + group.matrix.bytes) : record;
}
