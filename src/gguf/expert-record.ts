// How one expert becomes one contiguous record: gate, up, down, each in the aligned GPU layout. In the file an expert is two or
// three ranges far apart; in the store it is one read.
import { fileBytes, gpuBytes, repackInto, typeId } from "./blocks.ts";
import type { GgufFile, GgufTensor } from "./file.ts";
import type { ByteSource } from "./source.ts";
import { type PlacedMatrix, pickRows, tensorOf } from "./weight-rows.ts";

const PARTS = ["gate", "up", "down"] as const;
type PartName = (typeof PARTS)[number];

/** One of the three matrices inside a record. */
export interface ExpertPart {
  /** Of its first byte in the record; a multiple of 16. */
  readonly offset: number;
  /** In the GPU layout. */
  readonly bytes: number;
  /** ggml type id. */
  readonly type: number;
  /** `[columns, rows]`, as in the file, without the expert axis. */
  readonly shape: readonly [number, number];
}

/** How the records of one layer are laid out. Plain data; storage keeps it as it is. */
export interface ExpertLayout extends Readonly<Record<PartName, ExpertPart>> {
  readonly layer: number;
  readonly bytes: number;
}

/** Where one of an expert's matrices lies: `matrix` is that of one expert, the tensor holds all of them, one after the other. */
interface ExpertStack {
  readonly tensor: GgufTensor;
  readonly matrix: PlacedMatrix;
}

/** The stacks of one layer. */
export interface ExpertTensors extends Readonly<Record<PartName, ExpertStack>> {
  readonly layer: number;
  readonly experts: number;
}

/** The expert tensors of each layer. `layers` is from the plan of this very file: names and shapes are known to fit. */
export function expertTensors(file: GgufFile, layers: readonly Readonly<Record<PartName, PlacedMatrix>>[]): readonly ExpertTensors[] {
  return layers.map(({ gate, up, down }, layer) => {
    const stack = (matrix: PlacedMatrix): ExpertStack => ({ tensor: tensorOf(file, matrix), matrix });
    const stacks = { gate: stack(gate), up: stack(up), down: stack(down) };
    return { layer, experts: stacks.gate.tensor.shape[2] ?? 1, ...stacks };
  });
}

export function expertLayout(tensors: ExpertTensors): ExpertLayout {
  let offset = 0;
  const part = ({ matrix: { type, rows, columns } }: ExpertStack): ExpertPart => {
    const bytes = gpuBytes(type, rows, columns);
    offset += bytes;
    return { offset: offset - bytes, bytes, type: typeId(type), shape: [columns, rows] };
  };
  const parts = { gate: part(tensors.gate), up: part(tensors.up), down: part(tensors.down) };
  return { layer: tensors.layer, bytes: offset, ...parts };
}

/** The records of experts `from` to `to` (exclusive) of a layer, read in one run a tensor. */
export async function readExpertRecords(
  source: ByteSource,
  tensors: ExpertTensors,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const layout = expertLayout(tensors);
  const records = Array.from({ length: to - from }, () => new Uint8Array(layout.bytes));
  let run: { readonly tensor: GgufTensor; readonly bytes: Uint8Array } | undefined;
  for (const name of PARTS) {
    const { tensor, matrix } = tensors[name];
    const each = tensor.bytes / tensors.experts;
    // Gate and up may lie in one tensor.
    if (run?.tensor !== tensor) run = { tensor, bytes: await source.read(tensor.offset + from * each, (to - from) * each, signal) };
    const { bytes } = run;
    const rowBytes = fileBytes(matrix.type, 1, matrix.columns);
    records.forEach((record, i) => {
      const picked = pickRows(bytes.subarray(i * each, (i + 1) * each), rowBytes, matrix.source.runs);
      repackInto(matrix.type, picked, matrix.rows, matrix.columns, record.subarray(layout[name].offset));
    });
  }
  return records;
}
