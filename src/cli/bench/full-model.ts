// A random model with the dimensions of Qwen3-Coder-Next and fewer layers, as a GGUF file: 0.98 GB a layer. Types as in a
// Q4_K_M file: Q4_K, with Q6_K for every other layer's expert downs and for the output. The weights are noise with the scale
// of real ones, so that activations stay finite and routing is spread; the words it says mean nothing.
import { open, rename, stat } from "node:fs/promises";
import { fileBytes, typeId, type WeightType } from "../../gguf/blocks.ts";
import { ALIGNMENT, ggufHeader, type TensorHeading, type WritableValue } from "../../gguf/writer.ts";

/** A model's numbers apart from its layers. Columns of a matrix are multiples of 256. */
export interface Dimensions {
  readonly hidden: number;
  readonly vocab: number;
  readonly experts: number;
  readonly topK: number;
  /** Of an expert. */
  readonly width: number;
  readonly attention: { readonly heads: number; readonly kvHeads: number; readonly headDim: number; readonly rotaryDim: number };
  readonly gdn: { readonly keyHeads: number; readonly valueHeads: number; readonly headDim: number };
}

/** The published model's numbers: facts of its config.json. */
export const FULL: Dimensions = {
  hidden: 2048,
  vocab: 151_936,
  experts: 512,
  topK: 10,
  width: 512,
  attention: { heads: 16, kvHeads: 2, headDim: 256, rotaryDim: 64 },
  gdn: { keyHeads: 16, valueHeads: 32, headDim: 128 },
};
/** For machines that compute everything on the CPU: the same kinds of everything, in few megabytes. */
export const SMALL: Dimensions = {
  hidden: 256,
  vocab: 1024,
  experts: 16,
  topK: 4,
  width: 256,
  attention: { heads: 4, kvHeads: 2, headDim: 64, rotaryDim: 16 },
  gdn: { keyHeads: 4, valueHeads: 8, headDim: 64 },
};

/** Every fourth layer is attention. */
const INTERVAL = 4;
const THETA = 5e6;
/** Of the convolution before the delta rule. */
const TAPS = 4;
const CONTEXT = 262_144;

/** A tensor and the standard deviation of its weights; `mean` for the vectors around 1. */
interface Plan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: WeightType;
  readonly deviation: number;
  readonly mean?: number;
}

/** Every tensor in file order. */
function tensorPlans(layers: number, { hidden, vocab, experts, width, attention, gdn }: Dimensions): readonly Plan[] {
  const plans: Plan[] = [];
  const matrix = (name: string, shape: readonly number[], type: WeightType = "Q4_K", gain = 1): void => {
    plans.push({ name: `${name}.weight`, shape, type, deviation: gain / Math.sqrt(shape[0]!) });
  };
  const vector = (name: string, length: number, mean: number, deviation: number): void => {
    plans.push({ name, shape: [length], type: "F32", mean, deviation });
  };
  plans.push({ name: "token_embd.weight", shape: [hidden, vocab], type: "Q4_K", deviation: 0.5 });
  const keys = gdn.keyHeads * gdn.headDim;
  const values = gdn.valueHeads * gdn.headDim;
  const { heads, kvHeads, headDim } = attention;
  for (let layer = 0; layer < layers; layer++) {
    const blk = `blk.${layer}.`;
    vector(`${blk}attn_norm.weight`, hidden, 1, 0.1);
    if ((layer + 1) % INTERVAL === 0) {
      matrix(`${blk}attn_q`, [hidden, heads * headDim * 2]);
      matrix(`${blk}attn_k`, [hidden, kvHeads * headDim]);
      matrix(`${blk}attn_v`, [hidden, kvHeads * headDim]);
      matrix(`${blk}attn_output`, [heads * headDim, hidden]);
      vector(`${blk}attn_q_norm.weight`, headDim, 1, 0.1);
      vector(`${blk}attn_k_norm.weight`, headDim, 1, 0.1);
    } else {
      matrix(`${blk}attn_qkv`, [hidden, 2 * keys + values]);
      matrix(`${blk}attn_gate`, [hidden, values]);
      plans.push({ name: `${blk}ssm_conv1d.weight`, shape: [TAPS, 2 * keys + values], type: "F32", deviation: 0.5 });
      vector(`${blk}ssm_dt.bias`, gdn.valueHeads, -2, 0.5);
      vector(`${blk}ssm_a`, gdn.valueHeads, -3, 0.5);
      matrix(`${blk}ssm_ba`, [hidden, 2 * gdn.valueHeads]);
      vector(`${blk}ssm_norm.weight`, gdn.headDim, 1, 0.1);
      matrix(`${blk}ssm_out`, [values, hidden]);
    }
    vector(`${blk}post_attention_norm.weight`, hidden, 1, 0.1);
    matrix(`${blk}ffn_gate_inp`, [hidden, experts], "F32", 2);
    matrix(`${blk}ffn_gate_exps`, [hidden, width, experts]);
    matrix(`${blk}ffn_up_exps`, [hidden, width, experts]);
    matrix(`${blk}ffn_down_exps`, [width, hidden, experts], layer % 2 === 0 ? "Q6_K" : "Q4_K");
    vector(`${blk}ffn_gate_inp_shexp.weight`, hidden, 0, 0.02);
    matrix(`${blk}ffn_gate_shexp`, [hidden, width]);
    matrix(`${blk}ffn_up_shexp`, [hidden, width]);
    matrix(`${blk}ffn_down_shexp`, [width, hidden], "Q6_K");
  }
  vector("output_norm.weight", hidden, 1, 0.1);
  matrix("output", [hidden, vocab], "Q6_K", 2);
  return plans;
}

function metadata(layers: number, dimensions: Dimensions): Record<string, WritableValue> {
  const { hidden, vocab, experts, topK, width, attention, gdn } = dimensions;
  const u32 = (value: number): WritableValue => ({ type: "u32", value });
  const f32 = (value: number): WritableValue => ({ type: "f32", value });
  const { heads, kvHeads, headDim, rotaryDim } = attention;
  const own: Record<string, WritableValue> = {
    block_count: u32(layers),
    context_length: u32(CONTEXT),
    embedding_length: u32(hidden),
    feed_forward_length: u32(5120),
    "attention.head_count": u32(heads),
    "attention.head_count_kv": u32(kvHeads),
    "attention.key_length": u32(headDim),
    "attention.value_length": u32(headDim),
    "attention.layer_norm_rms_epsilon": f32(1e-6),
    "rope.freq_base": f32(THETA),
    "rope.dimension_count": u32(rotaryDim),
    expert_count: u32(experts),
    expert_used_count: u32(topK),
    expert_feed_forward_length: u32(width),
    expert_shared_feed_forward_length: u32(width),
    "ssm.conv_kernel": u32(TAPS),
    "ssm.state_size": u32(gdn.headDim),
    "ssm.group_count": u32(gdn.keyHeads),
    "ssm.time_step_rank": u32(gdn.valueHeads),
    "ssm.inner_size": u32(gdn.valueHeads * gdn.headDim),
    full_attention_interval: u32(INTERVAL),
  };
  return {
    "general.architecture": { type: "string", value: "qwen3next" },
    "general.name": { type: "string", value: `random, hidden ${hidden}, ${layers} layers` },
    ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`qwen3next.${key}`, value])),
    ...tokenizerMetadata(vocab),
  };
}

/** As many tokens as the published model has: the bytes, one merge, and numbered words; the last one ends a turn. */
function tokenizerMetadata(vocab: number): Record<string, WritableValue> {
  const printable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  const words = Array.from({ length: vocab - 258 }, (_, index) => `word${index}`);
  const tokens = [...bytes, "th", ...words, "<|im_end|>"];
  return {
    "tokenizer.ggml.model": { type: "string", value: "gpt2" },
    "tokenizer.ggml.pre": { type: "string", value: "qwen2" },
    "tokenizer.ggml.tokens": { type: "strings", value: tokens },
    "tokenizer.ggml.token_type": { type: "i32s", value: tokens.map((_, id) => (id === vocab - 1 ? 3 : 1)) },
    "tokenizer.ggml.merges": { type: "strings", value: ["t h"] },
    "tokenizer.ggml.eos_token_id": { type: "u32", value: vocab - 1 },
    "tokenizer.ggml.add_bos_token": { type: "bool", value: false },
    "tokenizer.chat_template": { type: "string", value: "{%- for m in messages %}{{- m.content + '\\n' }}{%- endfor %}" },
  };
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** A half as its bits, for the small positive numbers that are scales here. */
function halfBits(value: number): number {
  if (value < 2 ** -14) return Math.round(value * 2 ** 24);
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.round((value / 2 ** exponent - 1) * 1024);
}

/**
 * Blocks of noise whose weights have mean 0 and this deviation. With uniform bits a Q4_K weight d·sc·q − min·m deviates by 262 d
 * where min is 7.5 d, and a Q6_K weight d·sc·(q − 32) by 1,366 d.
 */
function noise(type: WeightType, blocks: number, deviation: number, mean: number, random: () => number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fileBytes(type, 1, type === "F32" ? blocks : blocks * 256));
  const view = new DataView(bytes.buffer);
  if (type === "F32") {
    // Twelve uniform numbers make a normal one.
    for (let i = 0; i < blocks; i++) {
      let sum = -6;
      for (let j = 0; j < 12; j++) sum += random() / 2 ** 32;
      view.setFloat32(i * 4, mean + deviation * sum, true);
    }
    return bytes;
  }
  for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, random(), true);
  const size = bytes.length / blocks;
  for (let block = 0; block < blocks; block++) {
    if (type === "Q4_K") {
      view.setUint16(block * size, halfBits(deviation / 262), true);
      view.setUint16(block * size + 2, halfBits((7.5 * deviation) / 262), true);
    } else view.setUint16(block * size + 208, halfBits(deviation / 1366), true);
  }
  return bytes;
}

/** Blocks of noise made once per kind of tensor; every expert begins somewhere else in them. */
const POOL_BLOCKS = 1 << 15;
const WRITE_BYTES = 16 << 20;

/** The bytes of one tensor, a piece at a time. */
function* contents({ shape, type, deviation, mean = 0 }: Plan, random: () => number): Generator<Uint8Array> {
  const weights = shape.reduce((product, axis) => product * axis, 1);
  if (type === "F32") return yield noise(type, weights, deviation, mean, random);
  const pool = noise(type, POOL_BLOCKS, deviation, 0, random);
  const block = pool.length / POOL_BLOCKS;
  for (let left = fileBytes(type, 1, weights); left > 0; ) {
    const from = (random() % (POOL_BLOCKS >> 1)) * block;
    const piece = pool.subarray(from, Math.min(pool.length, from + left));
    left -= piece.length;
    yield piece;
  }
}

export interface FullModelFile {
  readonly path: string;
  readonly bytes: number;
  readonly layers: number;
}

/** Writes the file unless it is there already; the same for the same number of layers. */
export async function makeFullModel(path: string, layers: number, dimensions: Dimensions = FULL): Promise<FullModelFile> {
  const plans = tensorPlans(layers, dimensions);
  const headings = plans.map(({ name, shape, type }): TensorHeading => ({ name, shape, type: typeId(type), bytes: fileBytes(type, 1, shape.reduce((product, axis) => product * axis, 1)) }));
  const header = ggufHeader(metadata(layers, dimensions), headings);
  const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  const total = headings.reduce((sum, { bytes }) => sum + aligned(bytes), header.length);
  const known = await stat(path).catch(() => undefined);
  if (known?.size === total) return { path, bytes: total, layers };
  const random = xorshift(0x9e3779b9);
  const file = await open(`${path}.part`, "w");
  try {
    await file.write(header);
    for (const [index, plan] of plans.entries()) {
      for (const piece of contents(plan, random)) {
        for (let at = 0; at < piece.length; at += WRITE_BYTES) await file.write(piece.subarray(at, at + WRITE_BYTES));
      }
      const padding = aligned(headings[index]!.bytes) - headings[index]!.bytes;
      if (padding > 0) await file.write(new Uint8Array(padding));
    }
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  return { path, bytes: total, layers };
}
