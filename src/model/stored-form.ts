// What is stored of a model's file: the resident weights under the names of today, the experts as records. Whatever a file
// calls things and however it joins or orders its matrices, what runs a stored model finds one form.
import { gpuBytes } from "../gguf/blocks.ts";
import { type ExpertTensors, expertLayout, expertTensors } from "../gguf/expert-record.ts";
import type { GgufFile } from "../gguf/file.ts";
import { type PlacedMatrix, tensorOf } from "../gguf/weight-rows.ts";
import type { FilePlace, RecordLayout, StoredTensor } from "../storage/stored-model.ts";
import { type ModelPlan, type Weight, residentWeights, routedExperts, storedHeader } from "./weights.ts";

export interface StoredForm {
  /** Where each of `tensors` lies in the file. */
  readonly weights: readonly Weight[];
  readonly tensors: readonly StoredTensor[];
  /** Where the experts of each layer lie in the file. */
  readonly stacks: readonly ExpertTensors[];
  readonly records: readonly RecordLayout[];
  /** Of one layer; 0 in a dense model. */
  readonly experts: number;
  /** Of everything. */
  readonly bytes: number;
}

/** `plan` is the plan of this file. */
export function storedForm(file: GgufFile, plan: ModelPlan): StoredForm {
  const weights = residentWeights(plan);
  const tensors = weights.map((weight): StoredTensor => ({ ...storedHeader(weight), bytes: gpuBytes(weight.type, weight.rows, weight.columns), from: placeOf(file, weight, 1) }));
  const stacks = expertTensors(file, routedExperts(plan));
  const { experts } = plan.config.moe;
  const records = stacks.map((stack): RecordLayout => {
    const { gate, up, down, ...layout } = expertLayout(stack);
    const from = ({ matrix }: ExpertTensors["gate"]): FilePlace => placeOf(file, matrix, experts);
    return { ...layout, gate: { ...gate, from: from(stack.gate) }, up: { ...up, from: from(stack.up) }, down: { ...down, from: from(stack.down) } };
  });
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0) + records.reduce((sum, record) => sum + record.bytes * experts, 0);
  return { weights, tensors, stacks, records, experts, bytes };
}

/** `stacked`: matrices of the tensor, one after another, of which this is one. */
function placeOf(file: GgufFile, matrix: PlacedMatrix, stacked: number): FilePlace {
  const { offset, bytes } = tensorOf(file, matrix);
  const { runs } = matrix.source;
  return { offset, bytes: bytes / stacked, ...(runs ? { runs } : {}) };
}
