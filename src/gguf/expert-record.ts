// Which tensors are routed experts, and how one expert becomes one contiguous record: gate, up, down, each in the
// aligned GPU layout. In the file an expert is three ranges far apart; in the store it is one read.
import { AppError } from "../base/errors.ts";
import { gpuBytes, repackToGpu, weightType } from "./blocks.ts";
import type { GgufFile, GgufTensor } from "./file.ts";
import type { ByteSource } from "./source.ts";

const EXPERT_TENSOR = /^blk\.(\d+)\.ffn_(gate|up|down)_exps\.weight$/;
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

/** The three stacked tensors of one layer. */
export interface ExpertTensors extends Readonly<Record<PartName, GgufTensor>> {
  readonly layer: number;
  readonly experts: number;
}

export function isExpertTensor(name: string): boolean {
  return EXPERT_TENSOR.test(name);
}

/** The expert tensors by layer, in order. Throws `model/format` for a layer with a part missing or of another expert count. */
export function expertTensors(file: GgufFile): readonly ExpertTensors[] {
  const layers = new Map<number, Partial<Record<PartName, GgufTensor>>>();
  for (const tensor of file.tensors) {
    const match = EXPERT_TENSOR.exec(tensor.name);
    if (!match) continue;
    const layer = Number(match[1]);
    const parts = layers.get(layer) ?? {};
    parts[match[2] as PartName] = tensor;
    layers.set(layer, parts);
  }
  return [...layers.entries()].sort(([a], [b]) => a - b).map(([layer, parts]) => checkedLayer(layer, parts));
}

function checkedLayer(layer: number, parts: Partial<Record<PartName, GgufTensor>>): ExpertTensors {
  const { gate, up, down } = parts;
  if (!gate || !up || !down) {
    const missing = PARTS.filter((part) => !parts[part]).map((part) => `blk.${layer}.ffn_${part}_exps.weight`);
    throw new AppError("model/format", `The model file lacks the tensor ${missing.join(" and ")}. Get a complete file.`);
  }
  const experts = gate.shape[2] ?? 1;
  for (const tensor of [gate, up, down]) {
    if (tensor.shape.length !== 3 || tensor.shape[2] !== experts) {
      throw new AppError("model/format", `Tensor ${tensor.name} has the shape [${tensor.shape.join(", ")}]; a stack of ${experts} matrices is needed. The file is damaged or of another model.`);
    }
  }
  return { layer, experts, gate, up, down };
}

export function expertLayout(tensors: ExpertTensors): ExpertLayout {
  let offset = 0;
  const part = (tensor: GgufTensor): ExpertPart => {
    const [columns, rows] = [tensor.shape[0]!, tensor.shape[1]!];
    const bytes = gpuBytes(weightType(tensor.type, tensor.name), rows, columns);
    offset += bytes;
    return { offset: offset - bytes, bytes, type: tensor.type, shape: [columns, rows] };
  };
  const parts = { gate: part(tensors.gate), up: part(tensors.up), down: part(tensors.down) };
  return { layer: tensors.layer, bytes: offset, ...parts };
}

/** The records of experts `from` to `to` (exclusive) of a layer, read in three runs. */
export async function readExpertRecords(
  source: ByteSource,
  tensors: ExpertTensors,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const layout = expertLayout(tensors);
  const records = Array.from({ length: to - from }, () => new Uint8Array(layout.bytes));
  for (const name of PARTS) {
    const tensor = tensors[name];
    const type = weightType(tensor.type, tensor.name);
    const [columns, rows] = layout[name].shape;
    const each = tensor.bytes / tensors.experts;
    const run = await source.read(tensor.offset + from * each, (to - from) * each, signal);
    records.forEach((record, i) => {
      record.set(repackToGpu(type, run.subarray(i * each, (i + 1) * each), rows, columns), layout[name].offset);
    });
  }
  return records;
}

/** A resident tensor in the GPU layout: all axes but the first are rows. */
export async function readDenseTensor(source: ByteSource, tensor: GgufTensor, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const columns = tensor.shape[0]!;
  const rows = tensor.shape.slice(1).reduce((product, axis) => product * axis, 1);
  return repackToGpu(weightType(tensor.type, tensor.name), await source.read(tensor.offset, tensor.bytes, signal), rows, columns);
}

/** Bytes `readDenseTensor` will give. */
export function denseBytes(tensor: GgufTensor): number {
  const rows = tensor.shape.slice(1).reduce((product, axis) => product * axis, 1);
  return gpuBytes(weightType(tensor.type, tensor.name), rows, tensor.shape[0]!);
}
