// The plan of an import: what the catalogue says of a model file, and the file cut into runs in the order in which its bytes
// lie there, so that a source can fetch ahead and each file can be hashed as its bytes pass.
import { LIMITS } from "../base/limits.ts";
import type { GgufFile } from "../gguf/file.ts";
import type { ByteSource, SourceFile } from "../gguf/source.ts";
import { storedForm } from "../model/stored-form.ts";
import type { ModelPlan } from "../model/weights.ts";
import { type CatalogueEntry, FORMAT, type OriginFile } from "../storage/database.ts";
import { pieceForm } from "../storage/file-piece.ts";
import { bytesOf, fileRange, type Group, type Groups, groupsOf, type Piece } from "../storage/pieces.ts";

/** Bytes of the file that are read and stored at once, at most: what a crash costs. Small files are done in steps, too. */
const BATCH_BYTES = 4 * LIMITS.blockBytes;
const LEAST_BATCH_BYTES = 64 * 1024;
const STEPS = 16;

/** Neighbouring units of one file; each is stored as one piece of every group, or is only hashed when there is none. */
interface FileRun {
  readonly offset: number;
  readonly bytes: number;
  readonly unitBytes: number;
  readonly groups: readonly Group[];
}

/** Bytes of one file, read at once. */
export interface Batch {
  readonly from: number;
  readonly to: number;
  readonly file: SourceFile;
  readonly units: readonly { readonly run: FileRun; readonly index: number }[];
}

/** Of the whole source where it is one file. */
export function filesOf(source: ByteSource): readonly SourceFile[] {
  return source.files ?? [{ name: source.name, size: source.size, offset: 0 }];
}

/** What is known of each file of the source, by its name; by itself where there is only one. */
export function originOf(file: SourceFile, known: readonly OriginFile[] | undefined): OriginFile {
  const found = known?.find(({ name }) => name === file.name) ?? (known?.length === 1 ? known[0] : undefined);
  return { ...found, name: file.name, bytes: file.size };
}

type EntryRequest = Pick<CatalogueEntry, "id" | "name" | "source" | "fingerprint"> & { readonly store: NonNullable<CatalogueEntry["store"]>; readonly files?: readonly OriginFile[] };

export function catalogueEntry(file: GgufFile, plan: ModelPlan, source: ByteSource, request: EntryRequest): CatalogueEntry {
  const { tensors, records, experts } = storedForm(file, plan);
  const title = file.metadata["general.name"];
  const name = request.source === "bundled" || typeof title !== "string" || title === "" ? request.name : title;
  const entry = { name, tensors, records, experts };
  return {
    ...entry,
    id: request.id,
    format: FORMAT,
    store: request.store,
    files: filesOf(source).map((one) => originOf(one, request.files)),
    source: request.source,
    fileBytes: source.size,
    fingerprint: request.fingerprint,
    storedBytes: groupsOf(entry).all.reduce((sum, group) => sum + bytesOf(group), 0),
    metadata: file.metadata,
    complete: false,
    importedAt: Date.now(),
  };
}

export function batchBytesOf(fileBytes: number): number {
  return Math.min(BATCH_BYTES, Math.max(LEAST_BATCH_BYTES, Math.ceil(fileBytes / STEPS)));
}

/** From byte `at` on, what is to be read one after another. Bytes that are not stored are left out, but in files whose hash is expected. */
export function* batches(files: readonly SourceFile[], groups: Groups, isHashed: (file: SourceFile) => boolean, at: number, batchBytes: number): Generator<Batch> {
  for (const file of files) {
    const end = file.offset + file.size;
    if (end <= at) continue;
    let units: { readonly run: FileRun; readonly index: number }[] = [];
    let from = 0;
    let to = 0;
    for (const run of runsOf(file, groups, isHashed(file))) {
      for (let offset = run.offset, index = 0; offset < run.offset + run.bytes; offset += run.unitBytes, index++) {
        if (offset < at) continue;
        const next = Math.min(offset + run.unitBytes, run.offset + run.bytes);
        if (units.length > 0 && (offset !== to || next - from > batchBytes)) {
          yield { from, to, file, units };
          units = [];
        }
        if (units.length === 0) from = offset;
        units.push({ run, index });
        to = next;
      }
    }
    if (units.length > 0) yield { from, to, file, units };
  }
}

function runsOf(file: SourceFile, { all }: Groups, whole: boolean): readonly FileRun[] {
  const end = file.offset + file.size;
  const runs: FileRun[] = [];
  let at = file.offset;
  const fill = (to: number): void => {
    if (whole && to > at) runs.push({ offset: at, bytes: to - at, unitBytes: LIMITS.blockBytes, groups: [] });
  };
  for (const group of all) {
    const { offset } = group.place;
    if (offset < file.offset || offset >= end) continue;
    const last = runs.at(-1);
    if (last?.offset === offset) {
      runs.splice(-1, 1, { ...last, groups: [...last.groups, group] }); // two matrices in one tensor
      continue;
    }
    fill(offset);
    const bytes = group.kind === "expert" ? group.place.bytes * group.pieces : group.place.bytes;
    runs.push({ offset, bytes, unitBytes: group.kind === "expert" ? group.place.bytes : LIMITS.blockBytes, groups: [group] });
    at = offset + bytes;
  }
  fill(end);
  return runs;
}

/** What of the batch's bytes is stored. */
export function piecesOf({ from, units }: Batch, bytes: Uint8Array<ArrayBuffer>): readonly Piece[] {
  return units.flatMap(({ run, index }) =>
    run.groups.map((group): Piece => {
      const range = fileRange(group, index);
      return { group, index, bytes: pieceForm(group, bytes.subarray(range.offset - from, range.offset - from + range.bytes)) };
    }),
  );
}
