// Which tensors a Qwen3-Next file must hold, with their shapes: checked by name from the header alone, before a byte of
// weights is read or stored. Names and shapes: llama.cpp src/models/qwen3next.cpp.
import { AppError } from "../base/errors.ts";
import { type WeightType, blockWeights, weightType } from "../gguf/blocks.ts";
import type { Metadata } from "../gguf/file.ts";
import type { StoredModel } from "../storage/stored-model.ts";
import { type Qwen3NextConfig, layerKind, readConfig } from "./config.ts";

/** A matrix of the file; a vector is one row. */
export interface Weight {
  /** As in the file. */
  readonly name: string;
  readonly type: WeightType;
  readonly rows: number;
  readonly columns: number;
}

export interface AttentionWeights {
  readonly kind: "attention";
  /** Per head: query, then gate. */
  readonly q: Weight; // [heads * 2 * headDim, hidden]
  readonly k: Weight; // [kvHeads * headDim, hidden]
  readonly v: Weight; // [kvHeads * headDim, hidden]
  readonly out: Weight; // [hidden, heads * headDim]
  readonly qNorm: Weight; // [headDim]
  readonly kNorm: Weight; // [headDim]
}

export interface GdnWeights {
  readonly kind: "gdn";
  /** All queries, all keys, all values. */
  readonly qkv: Weight; // [2 * keyHeads * headDim + valueHeads * headDim, hidden]
  readonly z: Weight; // [valueHeads * headDim, hidden]
  /** Per key head: beta of its value heads, then alpha of its value heads. */
  readonly ba: Weight; // [2 * valueHeads, hidden]
  readonly conv: Weight; // [channels, taps]
  readonly dtBias: Weight; // [valueHeads]
  /** −exp(A_log) already. */
  readonly a: Weight; // [valueHeads]
  readonly norm: Weight; // [headDim]
  readonly out: Weight; // [hidden, valueHeads * headDim]
}

export interface LayerWeights {
  readonly mixer: AttentionWeights | GdnWeights;
  readonly mixerNorm: Weight; // [hidden]
  readonly moeNorm: Weight; // [hidden]
  readonly router: Weight; // [experts, hidden]
  /** The shared expert's scalar gate. */
  readonly sharedScale: Weight; // [hidden]
  readonly sharedGate: Weight; // [sharedWidth, hidden]
  readonly sharedUp: Weight; // [sharedWidth, hidden]
  readonly sharedDown: Weight; // [hidden, sharedWidth]
  /** One expert's matrices; `name` is the stacked tensor that holds all of them, the expert axis slowest. */
  readonly expert: { readonly gate: Weight; readonly up: Weight; readonly down: Weight };
}

export interface ModelPlan {
  readonly config: Qwen3NextConfig;
  readonly vocab: number;
  readonly embedding: Weight; // [vocab, hidden]
  /** The embedding itself where the file has no `output.weight`. */
  readonly output: Weight; // [vocab, hidden]
  readonly outputNorm: Weight; // [hidden]
  readonly layers: readonly LayerWeights[];
}

/** What the plan needs to know of a tensor. GgufTensor and StoredTensor both fit. */
export interface TensorHeader {
  readonly name: string;
  /** Fastest axis first. */
  readonly shape: readonly number[];
  /** ggml type id. */
  readonly type: number;
}

/** Kernels take a row in units of this many weights. */
const UNIT = 32;

/** Types of what is used element by element and not as a matrix. */
const PLAIN: readonly WeightType[] = ["F32", "F16", "BF16"];

function sameShape(found: readonly number[], wanted: readonly number[]): boolean {
  const trim = (shape: readonly number[]): string => shape.join("×").replace(/(×1)+$/, "");
  return trim(found) === trim(wanted);
}

class Tensors {
  readonly #byName: ReadonlyMap<string, TensorHeader>;
  readonly #used = new Set<string>();

  constructor(tensors: readonly TensorHeader[]) {
    this.#byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** The tensor of the first of these names that exists. `shape` is the file's order: columns, rows, experts. */
  take(names: readonly [string, ...string[]], shape: readonly [number, ...number[]], plain = false): Weight {
    const name = names.find((candidate) => this.#byName.has(candidate)) ?? names[0];
    const tensor = this.#byName.get(name);
    if (!tensor) {
      throw new AppError("model/format", `The model file has no tensor ${name}. It is incomplete, or made by a converter that is not supported: get another.`, {
        data: { tensor: name },
      });
    }
    if (!sameShape(tensor.shape, shape)) {
      throw new AppError("model/format", `Tensor ${name} has the shape ${tensor.shape.join(" × ")}; the model's settings need ${shape.join(" × ")}. The file is damaged: get it again.`, {
        data: { tensor: name, found: tensor.shape.join(","), expected: shape.join(",") },
      });
    }
    const type = weightType(tensor.type, name);
    if (plain && !PLAIN.includes(type)) {
      throw new AppError("model/unsupported", `Tensor ${name} is of type ${type}, but a ${PLAIN.join(", ")} one is needed there. Use another file.`, { data: { tensor: name, type } });
    }
    const [columns, rows = 1] = shape;
    if (columns % blockWeights(type) !== 0) {
      throw new AppError("model/format", `Tensor ${name} has rows of ${columns} weights, which do not fill whole ${type} blocks of ${blockWeights(type)}. The file is damaged: get it again.`, {
        data: { tensor: name, columns },
      });
    }
    if (!plain && columns % UNIT !== 0) {
      throw new AppError("model/unsupported", `Tensor ${name} has rows of ${columns} weights; this engine needs a multiple of ${UNIT}. Use another model.`, { data: { tensor: name, columns } });
    }
    this.#used.add(name);
    return { name, type, rows, columns };
  }

  /** A tensor of a layer that exists but plays no part would be computed wrongly in silence. */
  refuseTheRest(layers: number): void {
    for (const { name, type } of this.#byName.values()) {
      if (this.#used.has(name)) continue;
      weightType(type, name);
      const layer = /^blk\.(\d+)\./.exec(name)?.[1];
      if (layer !== undefined && Number(layer) >= layers) continue;
      throw new AppError("model/unsupported", `Tensor ${name} is not part of the Qwen3-Next models this engine knows, so the file would give wrong answers. Use another file.`, {
        data: { tensor: name },
      });
    }
  }
}

function takeMixer(tensors: Tensors, config: Qwen3NextConfig, layer: number): AttentionWeights | GdnWeights {
  const { hidden } = config;
  const blk = (name: string): string => `blk.${layer}.${name}`;
  if (layerKind(config, layer) === "attention") {
    const { heads, kvHeads, headDim } = config.attention;
    return {
      kind: "attention",
      q: tensors.take([blk("attn_q.weight")], [hidden, heads * 2 * headDim]),
      k: tensors.take([blk("attn_k.weight")], [hidden, kvHeads * headDim]),
      v: tensors.take([blk("attn_v.weight")], [hidden, kvHeads * headDim]),
      out: tensors.take([blk("attn_output.weight")], [heads * headDim, hidden]),
      qNorm: tensors.take([blk("attn_q_norm.weight")], [headDim], true),
      kNorm: tensors.take([blk("attn_k_norm.weight")], [headDim], true),
    };
  }
  const { keyHeads, valueHeads, headDim, convTaps } = config.gdn;
  const channels = (2 * keyHeads + valueHeads) * headDim;
  if (tensors.has(blk("ssm_in.weight"))) {
    throw new AppError("model/unsupported", `Tensor ${blk("ssm_in.weight")} belongs to the layout of 2025, before attn_qkv and attn_gate were separate. Use a newer conversion of the model.`, {
      data: { tensor: blk("ssm_in.weight") },
    });
  }
  return {
    kind: "gdn",
    qkv: tensors.take([blk("attn_qkv.weight")], [hidden, channels]),
    z: tensors.take([blk("attn_gate.weight")], [hidden, valueHeads * headDim]),
    ba: tensors.take([blk("ssm_ba.weight")], [hidden, 2 * valueHeads]),
    conv: tensors.take([blk("ssm_conv1d.weight")], [convTaps, channels], true),
    dtBias: tensors.take([blk("ssm_dt.bias"), blk("ssm_dt")], [valueHeads], true),
    a: tensors.take([blk("ssm_a")], [valueHeads], true),
    norm: tensors.take([blk("ssm_norm.weight")], [headDim], true),
    out: tensors.take([blk("ssm_out.weight")], [valueHeads * headDim, hidden]),
  };
}

function takeLayer(tensors: Tensors, config: Qwen3NextConfig, layer: number): LayerWeights {
  const { hidden } = config;
  const { experts, width, sharedWidth } = config.moe;
  const blk = (name: string): [string] => [`blk.${layer}.${name}.weight`];
  return {
    mixer: takeMixer(tensors, config, layer),
    mixerNorm: tensors.take(blk("attn_norm"), [hidden], true),
    moeNorm: tensors.take(blk("post_attention_norm"), [hidden], true),
    router: tensors.take(blk("ffn_gate_inp"), [hidden, experts]),
    sharedScale: tensors.take(blk("ffn_gate_inp_shexp"), [hidden]),
    sharedGate: tensors.take(blk("ffn_gate_shexp"), [hidden, sharedWidth]),
    sharedUp: tensors.take(blk("ffn_up_shexp"), [hidden, sharedWidth]),
    sharedDown: tensors.take(blk("ffn_down_shexp"), [sharedWidth, hidden]),
    expert: {
      gate: tensors.take(blk("ffn_gate_exps"), [hidden, width, experts]),
      up: tensors.take(blk("ffn_up_exps"), [hidden, width, experts]),
      down: tensors.take(blk("ffn_down_exps"), [width, hidden, experts]),
    },
  };
}

/** The whole model by name. Throws `model/format` or `model/unsupported` naming the first key or tensor that stands in the way. */
export function planModel(file: { readonly metadata: Metadata; readonly tensors: readonly TensorHeader[] }): ModelPlan {
  const config = readConfig(file.metadata);
  const tensors = new Tensors(file.tensors);
  const vocab = file.tensors.find(({ name }) => name === "token_embd.weight")?.shape[1] ?? 0;
  const embedding = tensors.take(["token_embd.weight"], [config.hidden, vocab]);
  const plan: ModelPlan = {
    config,
    vocab,
    embedding,
    output: tensors.has("output.weight") ? tensors.take(["output.weight"], [config.hidden, vocab]) : embedding,
    outputNorm: tensors.take(["output_norm.weight"], [config.hidden], true),
    layers: Array.from({ length: config.layers }, (_, layer) => takeLayer(tensors, config, layer)),
  };
  tensors.refuseTheRest(config.layers);
  return plan;
}

/** Everything that is resident while the model runs, each once: all but the routed experts. */
export function residentWeights(plan: ModelPlan): readonly Weight[] {
  const all = [plan.embedding, plan.outputNorm, ...(plan.output === plan.embedding ? [] : [plan.output])];
  for (const { mixer, expert: _, ...rest } of plan.layers) {
    const { kind: __, ...own } = mixer;
    all.push(...Object.values(own), ...Object.values(rest));
  }
  return all;
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
