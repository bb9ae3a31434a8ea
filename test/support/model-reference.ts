// A whole Qwen3-Next in f64, token by token, in the order a person would write it: the map for debugging the GPU path.
// It is itself held to llama.cpp's recorded answers (test/unit/model-reference.test.ts).
// Source: transformers modular_qwen3_next.py; what GGUF conversion changes: llama.cpp conversion/qwen.py.
import { dequantize } from "../fixtures/models/quantize.ts";
import type { RandomTensor } from "../fixtures/models/random-model.ts";
import type { ModelSpec } from "../fixtures/models/specs.ts";

type Vector = Float64Array;
const EPSILON = 1e-6;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const silu = (x: number): number => x * sigmoid(x);
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function rmsNorm(x: Vector, weight: ArrayLike<number>): Vector {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + EPSILON);
  return x.map((value, i) => value * scale * weight[i]!);
}

export function softmax(logits: ArrayLike<number>): Vector {
  const top = Math.max(...Array.from(logits));
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

export class ReferenceModel {
  readonly #spec: ModelSpec;
  readonly #weights: ReadonlyMap<string, { readonly columns: number; readonly values: Float32Array }>;
  readonly #keys = new Map<number, Vector[]>();
  readonly #values = new Map<number, Vector[]>();
  readonly #convInputs = new Map<number, Vector[]>();
  readonly #memory = new Map<number, Float64Array>();
  #position = 0;

  constructor(spec: ModelSpec, tensors: readonly RandomTensor[]) {
    this.#spec = spec;
    this.#weights = new Map(tensors.map(({ name, shape, type, data }) => [name, { columns: shape[0]!, values: dequantize(type, data) }]));
  }

  #vector(name: string): Float32Array {
    return this.#weights.get(name)!.values;
  }

  /** Rows `from` to `from + rows` of a matrix, times `x`. */
  #project(name: string, x: Vector, rows?: number, from = 0): Vector {
    const { columns, values } = this.#weights.get(name)!;
    const count = rows ?? values.length / columns;
    return Float64Array.from({ length: count }, (_, row) => dot(values.subarray((from + row) * columns, (from + row + 1) * columns), x));
  }

  /** The logits after this token. */
  next(token: number): Vector {
    const embedding = this.#weights.get("token_embd.weight")!;
    let x = Float64Array.from(embedding.values.subarray(token * embedding.columns, (token + 1) * embedding.columns));
    for (let layer = 0; layer < this.#spec.layers; layer++) {
      const blk = `blk.${layer}.`;
      const mixed = rmsNorm(x, this.#vector(`${blk}attn_norm.weight`));
      const attention = (layer + 1) % (this.#spec.interval ?? 4) === 0;
      const mixer = attention ? this.#attention(layer, mixed) : this.#gdn(layer, mixed);
      x = x.map((value, i) => value + mixer[i]!);
      const moe = this.#moe(blk, rmsNorm(x, this.#vector(`${blk}post_attention_norm.weight`)));
      x = x.map((value, i) => value + moe[i]!);
    }
    this.#position++;
    return this.#project(this.#spec.tied ? "token_embd.weight" : "output.weight", rmsNorm(x, this.#vector("output_norm.weight")));
  }

  #rotate(head: Vector): Vector {
    const { rotaryDim, theta } = this.#spec.attention;
    const half = rotaryDim / 2;
    const out = head.slice();
    for (let i = 0; i < half; i++) {
      const angle = this.#position * theta ** (-2 * i / rotaryDim);
      out[i] = head[i]! * Math.cos(angle) - head[i + half]! * Math.sin(angle);
      out[i + half] = head[i + half]! * Math.cos(angle) + head[i]! * Math.sin(angle);
    }
    return out;
  }

  #attention(layer: number, x: Vector): Vector {
    const { heads, kvHeads, headDim } = this.#spec.attention;
    const blk = `blk.${layer}.`;
    const qGate = this.#project(`${blk}attn_q.weight`, x);
    const k = this.#project(`${blk}attn_k.weight`, x);
    const v = this.#project(`${blk}attn_v.weight`, x);
    const headOf = (all: Vector, head: number): Vector => all.subarray(head * headDim, (head + 1) * headDim);
    for (let head = 0; head < kvHeads; head++) k.set(this.#rotate(rmsNorm(headOf(k, head), this.#vector(`${blk}attn_k_norm.weight`))), head * headDim);
    const keys = [...(this.#keys.get(layer) ?? []), k];
    const values = [...(this.#values.get(layer) ?? []), v];
    this.#keys.set(layer, keys);
    this.#values.set(layer, values);
    const out = new Float64Array(heads * headDim);
    for (let head = 0; head < heads; head++) {
      const kv = Math.floor(head / (heads / kvHeads));
      const query = this.#rotate(rmsNorm(headOf(qGate, 2 * head), this.#vector(`${blk}attn_q_norm.weight`)));
      const weights = softmax(keys.map((key) => dot(query, headOf(key, kv)) / Math.sqrt(headDim)));
      for (let d = 0; d < headDim; d++) {
        const mean = weights.reduce((sum, weight, at) => sum + weight * headOf(values[at]!, kv)[d]!, 0);
        out[head * headDim + d] = mean * sigmoid(headOf(qGate, 2 * head + 1)[d]!);
      }
    }
    return this.#project(`${blk}attn_output.weight`, out);
  }

  #gdn(layer: number, x: Vector): Vector {
    const { keyHeads, valueHeads, headDim } = this.#spec.gdn;
    const ratio = valueHeads / keyHeads;
    const blk = `blk.${layer}.`;
    const inputs = [...(this.#convInputs.get(layer) ?? []), this.#project(`${blk}attn_qkv.weight`, x)].slice(-4);
    this.#convInputs.set(layer, inputs);
    const taps = this.#vector(`${blk}ssm_conv1d.weight`);
    const mixed = inputs[0]!.map((_, channel) => silu(inputs.reduce((sum, input, i) => sum + taps[4 * channel + 4 - inputs.length + i]! * input[channel]!, 0)));
    const z = this.#project(`${blk}attn_gate.weight`, x);
    const ba = this.#project(`${blk}ssm_ba.weight`, x);
    const memory = this.#memory.get(layer) ?? new Float64Array(valueHeads * headDim * headDim);
    this.#memory.set(layer, memory);
    const unit = (part: Vector): Vector => part.map((value) => value / Math.max(Math.sqrt(dot(part, part)), EPSILON));
    const out = new Float64Array(valueHeads * headDim);
    for (let head = 0; head < valueHeads; head++) {
      const keyHead = Math.floor(head / ratio);
      const q = unit(mixed.subarray(keyHead * headDim, (keyHead + 1) * headDim)).map((value) => value / Math.sqrt(headDim));
      const k = unit(mixed.subarray((keyHeads + keyHead) * headDim, (keyHeads + keyHead + 1) * headDim));
      const v = mixed.subarray((2 * keyHeads + head) * headDim, (2 * keyHeads + head + 1) * headDim);
      const beta = sigmoid(ba[2 * ratio * keyHead + (head % ratio)]!);
      const alpha = ba[2 * ratio * keyHead + ratio + (head % ratio)]!;
      const decay = Math.exp(this.#vector(`${blk}ssm_a`)[head]! * softplus(alpha + this.#vector(`${blk}ssm_dt.bias`)[head]!));
      const o = new Float64Array(headDim);
      for (let column = 0; column < headDim; column++) {
        const state = memory.subarray((head * headDim + column) * headDim, (head * headDim + column + 1) * headDim);
        for (let i = 0; i < headDim; i++) state[i]! *= decay;
        const delta = beta * (v[column]! - dot(state, k));
        for (let i = 0; i < headDim; i++) state[i]! += k[i]! * delta;
        o[column] = dot(state, q);
      }
      const normed = rmsNorm(o, this.#vector(`${blk}ssm_norm.weight`));
      for (let d = 0; d < headDim; d++) out[head * headDim + d] = normed[d]! * silu(z[head * headDim + d]!);
    }
    return this.#project(`${blk}ssm_out.weight`, out);
  }

  #moe(blk: string, x: Vector): Vector {
    const { topK, width } = this.#spec.moe;
    const shared = this.#swiglu(blk, "shexp", x);
    const sharedScale = sigmoid(dot(this.#vector(`${blk}ffn_gate_inp_shexp.weight`), x));
    const out = shared.map((value) => value * sharedScale);
    const probabilities = softmax(this.#project(`${blk}ffn_gate_inp.weight`, x));
    const chosen = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]! || a - b).slice(0, topK);
    const sum = chosen.reduce((total, expert) => total + probabilities[expert]!, 0);
    for (const expert of chosen) {
      const y = this.#swiglu(blk, "exps", x, expert, width);
      for (let i = 0; i < out.length; i++) out[i]! += (probabilities[expert]! / sum) * y[i]!;
    }
    return out;
  }

  #swiglu(blk: string, suffix: "exps" | "shexp", x: Vector, expert = 0, width?: number): Vector {
    const gate = this.#project(`${blk}ffn_gate_${suffix}.weight`, x, width, expert * (width ?? 0));
    const up = this.#project(`${blk}ffn_up_${suffix}.weight`, x, width, expert * (width ?? 0));
    const inner = gate.map((value, i) => silu(value) * up[i]!);
    return this.#project(`${blk}ffn_down_${suffix}.weight`, inner, x.length, expert * x.length);
  }
}
