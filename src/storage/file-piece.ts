// What is stored of a range of the model's file: a tensor's bytes as they are, an expert's matrix in the GPU layout.
import { AppError } from "../base/errors.ts";
import { fileBytes, repackToGpu, weightType } from "../gguf/blocks.ts";
import { pickRows } from "../gguf/weight-rows.ts";
import type { StoredTensor } from "./stored-model.ts";
import { fileRange, type Group } from "./pieces.ts";

/** The file, as ByteSource of src/gguf/source.ts. */
export interface PieceSource {
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** `raw` is the file's `fileRange` of the piece. */
export function pieceForm(group: Group, raw: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (group.kind === "tensor") return raw;
  const { matrix, place } = group;
  const [columns, rows] = matrix.shape;
  const type = weightType(matrix.type, group.name);
  return repackToGpu(type, pickRows(raw, fileBytes(type, 1, columns), place.runs), rows, columns);
}

export async function readFromFile(source: PieceSource, group: Group, index: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const { offset, bytes } = fileRange(group, index);
  const raw = await source.read(offset, bytes, signal);
  if (raw.byteLength !== bytes) throw new AppError("model/format", `${source.name} ends too early. Get the file again.`);
  return pieceForm(group, raw);
}

/** The whole tensor's file bytes in the GPU layout. */
export function tensorOnGpu({ name, type, shape, from }: StoredTensor, raw: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const [columns = 1, ...axes] = shape;
  const rows = axes.reduce((product, axis) => product * axis, 1);
  const kind = weightType(type, name);
  return repackToGpu(kind, pickRows(raw, fileBytes(kind, 1, columns), from?.runs), rows, columns);
}
