// What descriptions of architectures are made of: how each part reads its numbers from the keys and takes its tensors.
// `blk` is the beginning of a layer's tensor names, `blk.7.`. Names and shapes: llama.cpp src/models and src/llama-arch.cpp.
import { type AttentionConfig, type GdnConfig, type LayerKind, type ModelConfig, type MoeConfig, gdnOf } from "./config.ts";
import type { RowRun } from "../gguf/weight-rows.ts";
import type { Keys } from "./keys.ts";
import type { Tensors } from "./tensors.ts";
import type { AttentionWeights, ExpertWeights, GdnWeights, LayerWeights, SharedWeights, Weight } from "./weights.ts";

/** What llama.cpp assumes where the key is absent: files of 2025 do not have it. */
const DEFAULT_INTERVAL = 4;

/** The numbers that every model has. */
export function trunkNumbers(keys: Keys): Pick<ModelConfig, "architecture" | "layers" | "hidden" | "contextTokens" | "normEpsilon"> {
  return {
    architecture: keys.architecture,
    layers: keys.count("block_count"),
    hidden: keys.count("embedding_length"),
    contextTokens: keys.count("context_length"),
    normEpsilon: keys.number("attention.layer_norm_rms_epsilon"),
  };
}

/**
 * Which layers are recurrent: as the file lists them, else all but every n-th. `listed` is how many layers the list speaks of,
 * when the file has more than are run.
 */
export function hybridKinds(keys: Keys, layers: number, listed = layers): readonly LayerKind[] {
  const list = keys.list("attention.recurrent_layers", listed);
  if (list) return list.slice(0, layers).map((recurrent) => (recurrent === true || recurrent === 1 ? "gdn" : "attention"));
  const interval = keys.count("full_attention_interval", DEFAULT_INTERVAL);
  return Array.from({ length: layers }, (_, layer) => ((layer + 1) % interval === 0 ? "attention" : "gdn"));
}

export function attentionNumbers(keys: Keys, hidden: number): Omit<AttentionConfig, "gated"> {
  const heads = keys.count("attention.head_count");
  const headDim = keys.count("attention.key_length", hidden / heads);
  const numbers = {
    heads,
    kvHeads: keys.count("attention.head_count_kv", heads),
    headDim,
    rotaryDim: keys.count("rope.dimension_count", headDim),
    theta: keys.number("rope.freq_base", 10_000),
  };
  const valueLength = keys.count("attention.value_length", headDim);
  keys.refuse("rope.scaling.type", ["none"]);
  // Without a type llama.cpp takes a factor as linear scaling.
  if (!keys.has("rope.scaling.type")) keys.refuse("rope.scaling.factor", [0, 1]);
  keys.rule(heads % numbers.kvHeads === 0, "attention.head_count", `is ${heads}, no multiple of the ${numbers.kvHeads} key-value heads`);
  keys.rule(valueLength === headDim, "attention.value_length", `is ${valueLength}, but attention.key_length is ${headDim}`);
  keys.rule(numbers.rotaryDim % 2 === 0 && numbers.rotaryDim <= headDim, "rope.dimension_count", `is ${numbers.rotaryDim}: it must be even and at most ${headDim}`);
  keys.rule(headDim % 4 === 0, "attention.key_length", `is ${headDim}, no multiple of 4`);
  return numbers;
}

export function gdnNumbers(keys: Keys, headOrder: GdnConfig["headOrder"]): GdnConfig {
  const gdn: GdnConfig = {
    keyHeads: keys.count("ssm.group_count"),
    valueHeads: keys.count("ssm.time_step_rank"),
    headOrder,
    headDim: keys.count("ssm.state_size"),
    convTaps: keys.count("ssm.conv_kernel"),
  };
  const innerSize = keys.count("ssm.inner_size");
  keys.rule(gdn.valueHeads % gdn.keyHeads === 0, "ssm.time_step_rank", `is ${gdn.valueHeads}, no multiple of ssm.group_count ${gdn.keyHeads}`);
  keys.rule(innerSize === gdn.valueHeads * gdn.headDim, "ssm.inner_size", `is ${innerSize}, not ${gdn.valueHeads} heads of ${gdn.headDim}`);
  return gdn;
}

/**
 * Text has the same position in the first three sections and 0 in the fourth: if every pair belongs to one of the three, M-RoPE
 * turns it as plain rope does. Source: ggml_rope_multi, GGML_ROPE_TYPE_IMROPE, in ggml/src/ggml-cpu/ops.cpp.
 */
function checkSections(keys: Keys, pairs: number): void {
  const name = "rope.dimension_sections";
  const sections = (keys.list(name, 4) ?? []).map((section) => (typeof section === "number" ? section : Number.NaN));
  keys.rule(sections.length === 4, name, "is missing");
  const all = sections.reduce((sum, section) => sum + section, 0);
  const turns = Array.from({ length: pairs }, (_, pair) => pair % all < 3 * sections[(pair % all) % 3]!);
  keys.rule(turns.every(Boolean), name, `is ${sections.join(", ")}: pair ${turns.indexOf(false)} of ${pairs} is in none of the first three sections`);
}

/**
 * All but the feed-forward part of Qwen3.5 and its like: as Qwen3-Next, but the converter tiles the value heads over the key heads,
 * beta and alpha are two matrices, positions are rotated in three interleaved sections, and layers behind the last predict further
 * tokens: those are not run.
 */
export function tiledHybridNumbers(keys: Keys): Omit<ModelConfig, "moe"> {
  const trunk = trunkNumbers(keys);
  const attention: AttentionConfig = { ...attentionNumbers(keys, trunk.hidden), gated: true };
  checkSections(keys, attention.rotaryDim / 2);
  const layers = trunk.layers - (keys.has("nextn_predict_layers") ? keys.count("nextn_predict_layers") : 0);
  keys.rule(layers > 0, "nextn_predict_layers", `is ${trunk.layers - layers}, and block_count is ${trunk.layers}`);
  return { ...trunk, layers, kinds: hybridKinds(keys, layers, trunk.layers), attention, gdn: gdnNumbers(keys, "tiled") };
}

export function moeNumbers(keys: Keys, { shared }: { readonly shared: boolean }): MoeConfig {
  const moe: MoeConfig = {
    experts: keys.count("expert_count"),
    topK: keys.count("expert_used_count"),
    width: keys.count("expert_feed_forward_length"),
    sharedWidth: shared ? keys.count("expert_shared_feed_forward_length") : 0,
  };
  keys.refuse("expert_weights_scale", [0, 1]);
  keys.rule(moe.topK <= moe.experts, "expert_used_count", `is ${moe.topK}, more than the ${moe.experts} experts there are`);
  return moe;
}

export function onlyAttention(layers: number): readonly LayerKind[] {
  return Array.from({ length: layers }, () => "attention");
}

/** A dense feed-forward part: the shared expert alone. */
export function denseNumbers(keys: Keys): MoeConfig {
  return { experts: 0, topK: 0, width: 0, sharedWidth: keys.count("feed_forward_length") };
}

export function takeAttention(tensors: Tensors, config: ModelConfig, blk: string, has: { readonly norms?: boolean; readonly biases?: boolean }): AttentionWeights {
  const { heads, kvHeads, headDim, gated } = config.attention;
  const rows = { q: heads * headDim * (gated ? 2 : 1), k: kvHeads * headDim, v: kvHeads * headDim };
  const norm = (of: string): Weight => tensors.vector(`${blk}attn_${of}_norm.weight`, [headDim]);
  const bias = (of: keyof typeof rows): Weight => tensors.vector(`${blk}attn_${of}.bias`, [rows[of]]);
  return {
    kind: "attention",
    ...takeQkv(tensors, config.hidden, blk, rows),
    out: tensors.matrix(`${blk}attn_output.weight`, [heads * headDim, config.hidden]),
    ...(has.norms ? { norms: { q: norm("q"), k: norm("k") } } : {}),
    ...(has.biases ? { biases: { q: bias("q"), k: bias("k"), v: bias("v") } } : {}),
  };
}

/** Gated attention or Gated DeltaNet, as the layer is. */
export function takeHybridMixer(tensors: Tensors, config: ModelConfig, layer: number): LayerWeights["mixer"] {
  const blk = `blk.${layer}.`;
  return config.kinds[layer] === "attention" ? takeAttention(tensors, config, blk, { norms: true }) : takeGdn(tensors, config, blk);
}

/** Three tensors, or one of queries, keys and values in that order. In recurrent layers the same name means another thing. */
function takeQkv(tensors: Tensors, hidden: number, blk: string, rows: Readonly<Record<"q" | "k" | "v", number>>): Pick<AttentionWeights, "q" | "k" | "v"> {
  const fused = `${blk}attn_qkv.weight`;
  const take = (of: keyof typeof rows, first: number): Weight => {
    const name = `${blk}attn_${of}.weight`;
    if (tensors.has(name) || !tensors.has(fused)) return tensors.matrix(name, [hidden, rows[of]]);
    return tensors.rows(name, fused, [hidden, rows.q + rows.k + rows.v], [{ first, count: rows[of] }]);
  };
  return { q: take("q", 0), k: take("k", rows.q), v: take("v", rows.q + rows.k) };
}

function takeGdn(tensors: Tensors, config: ModelConfig, blk: string): GdnWeights {
  const gdn = gdnOf(config);
  const { keyHeads, valueHeads, headDim, convTaps } = gdn;
  const { hidden } = config;
  const channels = (2 * keyHeads + valueHeads) * headDim;
  const beforeSplit = gdn.headOrder === "grouped" && tensors.has(`${blk}ssm_in.weight`);
  return {
    kind: "gdn",
    ...(beforeSplit ? takeQkvz(tensors, hidden, gdn, blk) : { qkv: tensors.matrix(`${blk}attn_qkv.weight`, [hidden, channels]), z: tensors.matrix(`${blk}attn_gate.weight`, [hidden, valueHeads * headDim]) }),
    ba:
      gdn.headOrder === "grouped"
        ? [tensors.matrix(`${blk}ssm_ba.weight`, [hidden, 2 * valueHeads], `${blk}ssm_beta_alpha.weight`)]
        : [tensors.matrix(`${blk}ssm_beta.weight`, [hidden, valueHeads]), tensors.matrix(`${blk}ssm_alpha.weight`, [hidden, valueHeads])],
    conv: tensors.vector(`${blk}ssm_conv1d.weight`, [convTaps, channels]),
    dtBias: tensors.vector(`${blk}ssm_dt.bias`, [valueHeads], `${blk}ssm_dt`),
    a: tensors.vector(`${blk}ssm_a`, [valueHeads]),
    norm: tensors.vector(`${blk}ssm_norm.weight`, [headDim]),
    out: tensors.matrix(`${blk}ssm_out.weight`, [valueHeads * headDim, hidden]),
  };
}

/**
 * Files of 2025 have one matrix as the checkpoint has it: per key head its query, its key, the values and then the gates of its
 * value heads. Source: build_qkvz in llama.cpp src/models/qwen3next.cpp.
 */
function takeQkvz(tensors: Tensors, hidden: number, { keyHeads, valueHeads, headDim }: GdnConfig, blk: string): Pick<GdnWeights, "qkv" | "z"> {
  const values = (valueHeads / keyHeads) * headDim;
  const group = 2 * headDim + 2 * values;
  const ofEach = (at: number, count: number): readonly RowRun[] => Array.from({ length: keyHeads }, (_, head) => ({ first: head * group + at, count }));
  const take = (name: string, runs: readonly RowRun[]): Weight => tensors.rows(`${blk}${name}`, `${blk}ssm_in.weight`, [hidden, keyHeads * group], runs);
  return {
    qkv: take("attn_qkv.weight", [...ofEach(0, headDim), ...ofEach(headDim, headDim), ...ofEach(2 * headDim, values)]),
    z: take("attn_gate.weight", ofEach(2 * headDim + values, values)),
  };
}

export function takeRouted(tensors: Tensors, { hidden, moe }: ModelConfig, blk: string): NonNullable<LayerWeights["routed"]> {
  const { experts, width } = moe;
  // Some files keep gate and up of an expert one after the other.
  const fused = `${blk}ffn_gate_up_exps.weight`;
  const take = (part: "gate" | "up", first: number): Weight => {
    const name = `${blk}ffn_${part}_exps.weight`;
    return tensors.has(fused) ? tensors.rows(name, fused, [hidden, 2 * width, experts], [{ first, count: width }]) : tensors.matrix(name, [hidden, width, experts]);
  };
  const expert: ExpertWeights = {
    gate: take("gate", 0),
    up: take("up", width),
    down: tensors.matrix(`${blk}ffn_down_exps.weight`, [width, hidden, experts]),
  };
  return { router: tensors.matrix(`${blk}ffn_gate_inp.weight`, [hidden, experts]), expert };
}

export function takeGatedShared(tensors: Tensors, { hidden, moe }: ModelConfig, blk: string): SharedWeights {
  return {
    scale: tensors.matrix(`${blk}ffn_gate_inp_shexp.weight`, [hidden]),
    gate: tensors.matrix(`${blk}ffn_gate_shexp.weight`, [hidden, moe.sharedWidth]),
    up: tensors.matrix(`${blk}ffn_up_shexp.weight`, [hidden, moe.sharedWidth]),
    down: tensors.matrix(`${blk}ffn_down_shexp.weight`, [moe.sharedWidth, hidden]),
  };
}

export function takeDense(tensors: Tensors, { hidden, moe }: ModelConfig, blk: string): SharedWeights {
  return {
    gate: tensors.matrix(`${blk}ffn_gate.weight`, [hidden, moe.sharedWidth]),
    up: tensors.matrix(`${blk}ffn_up.weight`, [hidden, moe.sharedWidth]),
    down: tensors.matrix(`${blk}ffn_down.weight`, [moe.sharedWidth, hidden]),
  };
}
