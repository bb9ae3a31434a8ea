// The model as prepared dispatches: what is bound to what, once, at load. Seven dispatches a layer; see src/kernels/index.ts.
import type { ExpertCache } from "../experts/cache.ts";
import type { Gpu } from "../gpu/device.ts";
import { type Dispatch, prepare } from "../gpu/dispatch.ts";
import { type KernelWeightType, type Lanes, attention, deltanet, embedding, expertsDown, expertsUp, lanesFor, matvec, packDeltanetConstants, route } from "../kernels/index.ts";
import type { RecordLayout } from "../storage/stored-model.ts";
import type { ResidentWeights } from "./resident.ts";
import type { AttentionState, GdnState, SequenceState } from "./state.ts";
import type { AttentionWeights, GdnWeights, LayerWeights, ModelPlan, Weight } from "./weights.ts";

/** Buffers that every layer uses in turn. */
export interface Workspace {
  /** The residual stream. */
  readonly x: GPUBuffer; // [hidden] f32
  /** What the mixer's input projections give. */
  readonly proj: GPUBuffer; // [largest of all layers] f32
  /** What the mixer gives before its output projection. */
  readonly mixed: GPUBuffer; // [largest of all layers] f32
  readonly routerLogits: GPUBuffer; // [experts + 1] f32
  readonly act: GPUBuffer; // [topK * width + sharedWidth] f32
  readonly logits: GPUBuffer; // [vocab] f32
  readonly step: GPUBuffer; // src/kernels/step.ts
  readonly routing: GPUBuffer; // src/kernels/routing.ts
}

export interface PreparedLayer {
  /** Up to the router's logits. */
  readonly mixer: readonly Dispatch[];
  /** From the choice of experts on: where a layer is taken up again after a miss. */
  readonly experts: readonly Dispatch[];
}

export interface PreparedModel {
  readonly embedding: Dispatch;
  readonly layers: readonly PreparedLayer[];
  readonly head: Dispatch;
}

export interface Parts {
  readonly gpu: Gpu;
  readonly plan: ModelPlan;
  readonly weights: ResidentWeights;
  readonly state: SequenceState;
  readonly experts: ExpertCache;
  readonly records: readonly RecordLayout[];
  readonly space: Workspace;
}

export async function prepareModel(parts: Parts): Promise<PreparedModel> {
  const { gpu, plan, weights, space } = parts;
  const builder = new Builder(parts);
  const layers = await Promise.all(plan.layers.map((layer, index) => builder.layer(layer, index)));
  return {
    embedding: await prepare(gpu, embedding, {
      label: "embedding",
      params: { rows: plan.vocab, columns: plan.config.hidden },
      buffers: { table: weights.matrix(plan.embedding), step: space.step, routing: space.routing, x: space.x },
      types: { table: plan.embedding.type },
    }),
    layers,
    head: await builder.project("output", [plan.output], space.x, space.logits, { norm: plan.outputNorm }),
  };
}

class Builder {
  readonly #parts: Parts;
  readonly #epsilon: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#epsilon = parts.plan.config.normEpsilon;
  }

  async layer(layer: LayerWeights, index: number): Promise<PreparedLayer> {
    const { space, plan } = this.#parts;
    const blk = `blk.${index}`;
    const { mixer } = layer;
    const inputs = mixer.kind === "attention" ? [mixer.q, mixer.k, mixer.v] : [mixer.qkv, mixer.z, mixer.ba];
    return {
      mixer: [
        await this.project(`${blk}.in`, inputs, space.x, space.proj, { norm: layer.mixerNorm }),
        mixer.kind === "attention" ? await this.#attention(blk, mixer, index) : await this.#deltanet(blk, mixer, index),
        await this.project(`${blk}.out`, [mixer.out], space.mixed, space.x, { accumulate: true }),
        await this.project(`${blk}.router`, [layer.router, layer.sharedScale], space.x, space.routerLogits, { norm: layer.moeNorm }),
      ],
      experts: [
        await prepare(this.#parts.gpu, route, {
          label: `${blk}.route`,
          params: { experts: plan.config.moe.experts, topk: plan.config.moe.topK, layer: index },
          buffers: { logits: space.routerLogits, slots: this.#parts.experts.slotTable(index), step: space.step, routing: space.routing },
          types: {},
          constants: { lanes: this.#lanes(plan.config.moe.experts).lanes },
        }),
        ...(await this.#experts(blk, layer, index)),
      ],
    };
  }

  /** Up to four matrices times `x`; those of one type are joined first. */
  project(label: string, matrices: readonly Weight[], x: GPUBuffer, y: GPUBuffer, how: { readonly norm?: Weight; readonly accumulate?: boolean }): Promise<Dispatch> {
    const { gpu, weights, space } = this.#parts;
    const { columns } = matrices[0]!;
    const joined = weights.join(matrices);
    const buffer = (i: number): GPUBuffer => (joined[i] ?? joined[0]!).buffer;
    const rows = (i: number): number => joined[i]?.rows ?? 0;
    const type = (i: number): KernelWeightType => joined[i]?.type ?? "none";
    return prepare(gpu, matvec, {
      label,
      params: { tokens: 1, columns, rows0: rows(0), rows1: rows(1), rows2: rows(2), rows3: rows(3), eps: this.#epsilon },
      buffers: { w0: buffer(0), w1: buffer(1), w2: buffer(2), w3: buffer(3), x, norm: how.norm ? this.#vector(how.norm) : x, routing: space.routing, y },
      types: { w0: type(0), w1: type(1), w2: type(2), w3: type(3) },
      constants: { ...this.#lanes(columns), matrices: joined.length, normed: how.norm ? 1 : 0, accumulate: how.accumulate ? 1 : 0 },
    });
  }

  #attention(blk: string, weights: AttentionWeights, index: number): Promise<Dispatch> {
    const { gpu, plan, state, space } = this.#parts;
    const { heads, kvHeads, headDim, rotaryDim } = plan.config.attention;
    const { keys, values } = state.layers[index] as AttentionState;
    return prepare(gpu, attention, {
      label: `${blk}.attention`,
      params: { heads, kv_heads: kvHeads, rotary: rotaryDim, context: state.contextTokens, eps: this.#epsilon },
      buffers: {
        proj: space.proj,
        norms: this.#packed(`${blk}.norms`, Float32Array.from([...this.#numbers(weights.qNorm), ...this.#numbers(weights.kNorm)])),
        step: space.step,
        routing: space.routing,
        keys,
        values,
        out: space.mixed,
      },
      types: {},
      constants: { head_dim: headDim, lanes: this.#lanes(headDim).lanes },
    });
  }

  #deltanet(blk: string, weights: GdnWeights, index: number): Promise<Dispatch> {
    const { gpu, plan, state, space } = this.#parts;
    const { keyHeads, valueHeads, headDim, convTaps } = plan.config.gdn;
    const { history, memory } = state.layers[index] as GdnState;
    const constants = packDeltanetConstants({
      a: this.#numbers(weights.a),
      dt: this.#numbers(weights.dtBias),
      norm: this.#numbers(weights.norm),
      conv: this.#numbers(weights.conv),
    });
    return prepare(gpu, deltanet, {
      label: `${blk}.deltanet`,
      params: { key_heads: keyHeads, value_heads: valueHeads, kernel: convTaps, eps: this.#epsilon },
      buffers: { proj: space.proj, constants: this.#packed(`${blk}.constants`, constants), step: space.step, routing: space.routing, history, state: memory, out: space.mixed },
      types: {},
      constants: { key_dim: headDim, value_dim: headDim, lanes: this.#lanes(headDim).lanes },
    });
  }

  async #experts(blk: string, layer: LayerWeights, index: number): Promise<readonly Dispatch[]> {
    const { gpu, plan, weights, experts, records, space } = this.#parts;
    const { hidden, moe } = plan.config;
    const arena = experts.arena(index);
    const record = records[index]!;
    const common = { hidden, ff: moe.width, shared_ff: moe.sharedWidth, topk: moe.topK, slot_stride: arena.slotBytes / 16 };
    return [
      await prepare(gpu, expertsUp, {
        label: `${blk}.experts_up`,
        params: { ...common, gate_at: record.gate.offset / 16, up_at: record.up.offset / 16, eps: this.#epsilon },
        buffers: {
          arena: arena.buffer,
          shared_gate: weights.matrix(layer.sharedGate),
          shared_up: weights.matrix(layer.sharedUp),
          x: space.x,
          norm: this.#vector(layer.moeNorm),
          routing: space.routing,
          act: space.act,
        },
        types: { gate: layer.expert.gate.type, up: layer.expert.up.type, shared_gate: layer.sharedGate.type, shared_up: layer.sharedUp.type },
        constants: this.#lanes(hidden),
      }),
      await prepare(gpu, expertsDown, {
        label: `${blk}.experts_down`,
        params: { ...common, down_at: record.down.offset / 16 },
        buffers: { arena: arena.buffer, shared_down: weights.matrix(layer.sharedDown), act: space.act, routing: space.routing, x: space.x },
        types: { down: layer.expert.down.type, shared_down: layer.sharedDown.type },
        constants: this.#lanes(moe.width),
      }),
    ];
  }

  #lanes(columns: number): Lanes {
    return lanesFor(this.#parts.gpu.report.software, columns);
  }

  #numbers(weight: Weight): Float32Array<ArrayBuffer> {
    return this.#parts.weights.vector(weight);
  }

  /** A norm's weights as f32, whatever the file has them in. */
  #vector(weight: Weight): GPUBuffer {
    return weight.type === "F32" ? this.#parts.weights.matrix(weight) : this.#packed(weight.name, this.#numbers(weight));
  }

  #packed(label: string, numbers: Float32Array<ArrayBuffer>): GPUBuffer {
    return this.#parts.weights.keep(this.#parts.gpu.memory.upload(label, numbers));
  }
}
