// How a model's weights are cut into pieces that are stored, hashed and, when damaged, fetched again one by one:
// a resident tensor into blocks of the file's own bytes, an expert into its three matrices in the GPU layout.
// Pieces of one kind are a group: a tensor, or one matrix of all experts of a layer. In a pack file every piece has its
// place: the groups of tensors one after another, then the records layer by layer.
import { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { CatalogueEntry } from "./database.ts";
import { blockCount, HASH_BYTES } from "./hash.ts";
import type { FilePlace, RecordPart } from "./stored-model.ts";

export const PARTS = ["gate", "up", "down"] as const;
export type PartName = (typeof PARTS)[number];

/** What a pack file begins with, and what its pieces are aligned to. */
export const PACK_HEADER_BYTES = 4096;
const ALIGNMENT = 16;

interface GroupBase {
  readonly name: string;
  readonly pieces: number;
  /** Of all hashes of one piece. */
  readonly hashBytes: number;
}

/** The file's bytes of a tensor. */
export interface TensorGroup extends GroupBase {
  readonly kind: "tensor";
  readonly place: FilePlace;
  /** In a pack file. */
  readonly packOffset: number;
}

/** One matrix of every expert of a layer. */
export interface ExpertGroup extends GroupBase {
  readonly kind: "expert";
  readonly layer: number;
  readonly part: number;
  readonly matrix: RecordPart;
  readonly place: FilePlace;
  /** In a pack file, of the first expert's; `recordBytes` further lies the next one's. */
  readonly packOffset: number;
  readonly recordBytes: number;
}

export type Group = TensorGroup | ExpertGroup;

/** A piece of a group: its number, and its bytes as they are stored. */
export interface Piece {
  readonly group: Group;
  readonly index: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Every group of a model, by name and in file order. */
export interface Groups {
  readonly all: readonly Group[];
  readonly experts: readonly (readonly ExpertGroup[])[];
  /** The group a tensor's bytes are in, by the offset of its place. */
  readonly tensors: ReadonlyMap<number, TensorGroup>;
  /** Of a pack file with everything in it. */
  readonly packBytes: number;
}

/** Of an entry of the present format. */
export function groupsOf(entry: Pick<CatalogueEntry, "name" | "tensors" | "records" | "experts">): Groups {
  let at = PACK_HEADER_BYTES;
  const place = (bytes: number): number => {
    const offset = at;
    at += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return offset;
  };
  const tensors = new Map<number, TensorGroup>();
  for (const { from } of entry.tensors) {
    const whole = placeOf(entry, from);
    if (tensors.has(whole.offset)) continue;
    tensors.set(whole.offset, { kind: "tensor", name: `@${whole.offset}`, pieces: blockCount(whole.bytes), hashBytes: HASH_BYTES, place: whole, packOffset: place(whole.bytes) });
  }
  const experts = entry.records.map((record, layer) => {
    const offset = place(record.bytes * entry.experts);
    return PARTS.map((name, part): ExpertGroup => {
      const matrix = record[name];
      const hashBytes = blockCount(matrix.bytes) * HASH_BYTES;
      return {
        kind: "expert", name: `${layer}/${name}`, pieces: entry.experts, hashBytes, layer, part, matrix,
        place: placeOf(entry, matrix.from), packOffset: offset + matrix.offset, recordBytes: record.bytes,
      };
    });
  });
  const all = [...tensors.values(), ...experts.flat()].sort((a, b) => a.place.offset - b.place.offset);
  return { all, experts, tensors, packBytes: at };
}

function placeOf({ name }: { readonly name: string }, from: FilePlace | undefined): FilePlace {
  if (from) return from;
  throw new AppError("bug", `The catalogue does not say where the weights of ${name} came from.`);
}

/** Bytes of a piece as it is stored. */
export function pieceBytes(group: Group, index: number): number {
  if (group.kind === "expert") return group.matrix.bytes;
  return Math.min(LIMITS.blockBytes, group.place.bytes - index * LIMITS.blockBytes);
}

/** Of all its pieces as they are stored. */
export function bytesOf(group: Group): number {
  return group.kind === "expert" ? group.matrix.bytes * group.pieces : group.place.bytes;
}

/** Where a piece lies in a pack file. */
export function packOffset(group: Group, index: number): number {
  return group.packOffset + index * (group.kind === "expert" ? group.recordBytes : LIMITS.blockBytes);
}

/** Where what a piece is made of lies in the model's file. */
export function fileRange(group: Group, index: number): { readonly offset: number; readonly bytes: number } {
  const { offset, bytes } = group.place;
  if (group.kind === "expert") return { offset: offset + index * bytes, bytes };
  return { offset: offset + index * LIMITS.blockBytes, bytes: pieceBytes(group, index) };
}
