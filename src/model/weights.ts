// Which tensors a model's file must hold, with their shapes: checked by name from the header alone, before a byte of weights
// is read or stored. What each architecture calls them: architectures/*.ts.
import { typeId } from "../gguf/blocks.ts";
import type { Metadata } from "../gguf/file.ts";
import type { PlacedMatrix } from "../gguf/weight-rows.ts";
import type { StoredModel } from "../storage/stored-model.ts";
import { type ModelConfig, findArchitecture, readConfig } from "./config.ts";
import { type TensorHeader, Tensors } from "./tensors.ts";

/** A matrix of the model; a vector is one row. */
export interface Weight extends PlacedMatrix {
  /** What the store calls it, whatever the file does: the name that files of today have. */
  readonly name: string;
}

export interface AttentionWeights {
  readonly kind: "attention";
  /** Gated: per head the query, then the gate. */
  readonly q: Weight; // [heads * headDim, or twice that when gated, hidden]
  readonly k: Weight; // [kvHeads * headDim, hidden]
  readonly v: Weight; // [kvHeads * headDim, hidden]
  readonly out: Weight; // [hidden, heads * headDim]
  /** RMS norms of each head's query and key; absent: they are used as they are. */
  readonly norms?: { readonly q: Weight; readonly k: Weight }; // [headDim] each
  /** Added to what the matrices give. */
  readonly biases?: { readonly q: Weight; readonly k: Weight; readonly v: Weight }; // [rows of the matrix] each
}

export interface GdnWeights {
  readonly kind: "gdn";
  /** All queries, all keys, all values. */
  readonly qkv: Weight; // [2 * keyHeads * headDim + valueHeads * headDim, hidden]
  readonly z: Weight; // [valueHeads * headDim, hidden]
  /** Heads `grouped`: one matrix, per key head beta of its value heads, then alpha of them. `tiled`: beta of all, alpha of all. */
  readonly ba: readonly Weight[]; // together [2 * valueHeads, hidden]
  readonly conv: Weight; // [channels, taps]
  readonly dtBias: Weight; // [valueHeads]
  /** −exp(A_log) already. */
  readonly a: Weight; // [valueHeads]
  readonly norm: Weight; // [headDim]
  readonly out: Weight; // [hidden, valueHeads * headDim]
}

/** The three matrices of one expert; each is one of a stack that holds those of all experts. */
export interface ExpertWeights {
  readonly gate: Weight; // [width, hidden]
  readonly up: Weight; // [width, hidden]
  readonly down: Weight; // [hidden, width]
}

/** What every token takes beside the routed experts, or instead of them. */
export interface SharedWeights {
  /** Its scalar gate; absent: it counts in full. */
  readonly scale?: Weight; // [hidden]
  readonly gate: Weight; // [sharedWidth, hidden]
  readonly up: Weight; // [sharedWidth, hidden]
  readonly down: Weight; // [hidden, sharedWidth]
}

export interface LayerWeights {
  readonly mixer: AttentionWeights | GdnWeights;
  readonly mixerNorm: Weight; // [hidden]
  readonly ffnNorm: Weight; // [hidden]
  /** Absent in a dense layer. */
  readonly routed?: { readonly router: Weight /* [experts, hidden] */; readonly expert: ExpertWeights };
  readonly shared?: SharedWeights;
}

export interface ModelPlan {
  readonly config: ModelConfig;
  readonly vocab: number;
  readonly embedding: Weight; // [vocab, hidden]
  /** The embedding itself where the file has no `output.weight`. */
  readonly output: Weight; // [vocab, hidden]
  readonly outputNorm: Weight; // [hidden]
  readonly layers: readonly LayerWeights[];
}

/** The whole model by name. Throws `model/format` or `model/unsupported` naming the first key or tensor that stands in the way. */
export function planModel(file: { readonly metadata: Metadata; readonly tensors: readonly TensorHeader[] }): ModelPlan {
  const architecture = findArchitecture(file.metadata);
  const config = readConfig(file.metadata);
  const tensors = new Tensors(file.tensors, architecture.name);
  const vocab = file.tensors.find(({ name }) => name === "token_embd.weight")?.shape[1] ?? 0;
  const embedding = tensors.matrix("token_embd.weight", [config.hidden, vocab]);
  const plan: ModelPlan = {
    config,
    vocab,
    embedding,
    output: tensors.has("output.weight") ? tensors.matrix("output.weight", [config.hidden, vocab]) : embedding,
    outputNorm: tensors.vector("output_norm.weight", [config.hidden]),
    layers: Array.from({ length: config.layers }, (_, layer) => architecture.layer(tensors, config, layer)),
  };
  tensors.refuseTheRest(config.layers);
  return plan;
}

/** The matrices that give the mixer its input, in the order in which its kernel finds their rows. */
export function mixerInputs(mixer: LayerWeights["mixer"]): readonly Weight[] {
  return mixer.kind === "attention" ? [mixer.q, mixer.k, mixer.v] : [mixer.qkv, mixer.z, ...mixer.ba];
}

function mixerWeights(mixer: LayerWeights["mixer"]): readonly Weight[] {
  if (mixer.kind === "gdn") return [...mixerInputs(mixer), mixer.conv, mixer.dtBias, mixer.a, mixer.norm, mixer.out];
  return [...mixerInputs(mixer), mixer.out, ...Object.values(mixer.norms ?? {}), ...Object.values(mixer.biases ?? {})];
}

/** Everything that is resident while the model runs, each once: all but the routed experts. */
export function residentWeights(plan: ModelPlan): readonly Weight[] {
  const ends = [plan.embedding, plan.outputNorm, ...(plan.output === plan.embedding ? [] : [plan.output])];
  const layers = plan.layers.flatMap(({ mixer, mixerNorm, ffnNorm, routed, shared }): readonly Weight[] => [
    ...mixerWeights(mixer),
    mixerNorm,
    ffnNorm,
    ...(routed ? [routed.router] : []),
    ...(shared ? Object.values(shared) : []),
  ]);
  return [...ends, ...layers];
}

/** The routed experts, layer by layer; empty for a dense model. */
export function routedExperts(plan: ModelPlan): readonly ExpertWeights[] {
  return plan.layers.flatMap(({ routed }) => (routed ? [routed.expert] : []));
}

/** What the store keeps of a weight beside its bytes. */
export function storedHeader({ name, type, rows, columns }: Weight): TensorHeader {
  return { name, shape: rows === 1 ? [columns] : [columns, rows], type: typeId(type) };
}

/** The plan of a model that is already stored, its records standing for the stacked expert tensors. */
export function planStored(model: Pick<StoredModel, "metadata" | "tensors" | "records"> & { readonly experts: Pick<StoredModel["experts"], "experts"> }): ModelPlan {
  const stacked = model.records.flatMap(({ layer, gate, up, down }) =>
    Object.entries({ gate, up, down }).map(([part, { shape, type }]): TensorHeader => ({
      name: `blk.${layer}.ffn_${part}_exps.weight`,
      shape: [...shape, model.experts.experts],
      type,
    })),
  );
  return planModel({ metadata: model.metadata, tensors: [...model.tensors, ...stacked] });
}
