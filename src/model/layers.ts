// The model as prepared dispatches: what is bound to what, once, at load. Seven dispatches a layer, five in a dense one; see
// src/kernels/index.ts.
import type { ExpertCache } from "../experts/cache.ts";
import type { Gpu } from "../gpu/device.ts";
import { type Dispatch, prepare } from "../gpu/dispatch.ts";
import { type KernelWeightType, type Lanes, attention, attentionJoin, attentionSplits, deltanetFor, embedding, expertsDown, expertsUp, lanesFor, rowLanes, matvec, packAttentionConstants, packDeltanetConstants, route } from "../kernels/index.ts";
import type { RecordLayout } from "../storage/stored-model.ts";
import { gdnOf } from "./config.ts";
import type { JoinedMatrix, ResidentWeights } from "./resident.ts";
import type { AttentionState, GdnState, SequenceState } from "./state.ts";
import { type AttentionWeights, type GdnWeights, type LayerWeights, type ModelPlan, type Weight, mixerInputs } from "./weights.ts";

/** Buffers that every layer uses in turn. */
export interface Workspace {
  /** The residual stream. */
  readonly x: GPUBuffer; // [hidden] f32
  /** What the mixer's input projections give. */
  readonly proj: GPUBuffer; // [largest of all layers] f32
  /** What the mixer gives before its output projection. */
  readonly mixed: GPUBuffer; // [largest of all layers] f32
  /** What the splits of an attention layer leave; unused where it is not split. */
  readonly attentionParts: GPUBuffer; // [heads, splits, head_dim + 2] f32
  readonly routerLogits: GPUBuffer; // [experts + 1] f32
  readonly act: GPUBuffer; // [topK * width + sharedWidth] f32
  readonly logits: GPUBuffer; // [vocab] f32
  readonly step: GPUBuffer; // src/kernels/step.ts
  readonly routing: GPUBuffer; // src/kernels/routing.ts
}

export interface PreparedLayer {
  /** Up to the router's logits, if there is a router. */
  readonly mixer: readonly Dispatch[];
  /** From the choice of experts on: where a layer is taken up again after a miss. All of the feed-forward part in a dense layer. */
  readonly experts: readonly Dispatch[];
}

export interface PreparedModel {
  /** One dispatch, or one for each piece of a matrix that is cut by rows; the head's as many pieces as a dispatch takes. */
  readonly embedding: readonly Dispatch[];
  readonly layers: readonly PreparedLayer[];
  readonly head: readonly Dispatch[];
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
  const { plan } = parts;
  const builder = new Builder(parts);
  const layers = await Promise.all(plan.layers.map((layer, index) => builder.layer(layer, index)));
  return {
    embedding: await builder.embedding(plan.embedding),
    layers,
    head: await builder.head(plan.output, plan.outputNorm),
  };
}

/** Matrices that one dispatch of matvec takes. */
const MATRICES = 4;

class Builder {
  readonly #parts: Parts;
  readonly #epsilon: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#epsilon = parts.plan.config.normEpsilon;
  }

  async layer(layer: LayerWeights, index: number): Promise<PreparedLayer> {
    const { space } = this.#parts;
    const blk = `blk.${index}`;
    const { mixer, routed, shared } = layer;
    const scores = routed ? [routed.router, ...(shared?.scale ? [shared.scale] : [])] : [];
    return {
      mixer: [
        await this.project(`${blk}.in`, mixerInputs(mixer), space.x, space.proj, { norm: layer.mixerNorm }),
        ...(mixer.kind === "attention" ? await this.#attention(blk, mixer, index) : [await this.#deltanet(blk, mixer, index)]),
        await this.project(`${blk}.out`, [mixer.out], space.mixed, space.x, { accumulate: true }),
        ...(routed ? [await this.project(`${blk}.router`, scores, space.x, space.routerLogits, { norm: layer.ffnNorm })] : []),
      ],
      experts: [...(routed ? [await this.#route(blk, index)] : []), ...(await this.#feedForward(blk, layer, index))],
    };
  }

  embedding(table: Weight): Promise<readonly Dispatch[]> {
    const { gpu, plan, weights, space } = this.#parts;
    const pieces = weights.pieces(table);
    let rows = 0;
    return Promise.all(
      pieces.map((piece, i) => {
        const first = (rows += piece.rows) - piece.rows;
        return prepare(gpu, embedding, {
          label: `embedding ${i}`,
          params: { rows: piece.rows, columns: plan.config.hidden, tokens: 1 },
          buffers: { table: piece.buffer, step: space.step, routing: space.routing, x: space.x },
          types: { table: piece.type },
          constants: { first, whole: pieces.length === 1 ? 1 : 0 },
        });
      }),
    );
  }

  head(output: Weight, norm: Weight): Promise<readonly Dispatch[]> {
    const { weights, space } = this.#parts;
    const pieces = weights.pieces(output);
    const dispatches: Promise<Dispatch>[] = [];
    let rows = 0;
    for (let i = 0; i < pieces.length; i += MATRICES) {
      const some = pieces.slice(i, i + MATRICES);
      const count = some.reduce((sum, piece) => sum + piece.rows, 0);
      const y = pieces.length <= MATRICES ? space.logits : { buffer: space.logits, offset: rows * 4, size: count * 4 };
      dispatches.push(this.#multiply(`output ${i}`, some, output.columns, space.x, y, { norm }));
      rows += count;
    }
    return Promise.all(dispatches);
  }

  /** Up to four matrices times `x`; those of one type are joined first. */
  project(label: string, matrices: readonly Weight[], x: GPUBuffer, y: GPUBuffer, how: { readonly norm?: Weight; readonly accumulate?: boolean }): Promise<Dispatch> {
    return this.#multiply(label, this.#parts.weights.join(matrices), matrices[0]!.columns, x, y, how);
  }

  #multiply(label: string, matrices: readonly JoinedMatrix[], columns: number, x: GPUBuffer, y: GPUBuffer | GPUBufferBinding, how: { readonly norm?: Weight; readonly accumulate?: boolean }): Promise<Dispatch> {
    const { gpu, space } = this.#parts;
    const buffer = (i: number): GPUBuffer => (matrices[i] ?? matrices[0]!).buffer;
    const rows = (i: number): number => matrices[i]?.rows ?? 0;
    const type = (i: number): KernelWeightType => matrices[i]?.type ?? "none";
    return prepare(gpu, matvec, {
      label,
      params: { tokens: 1, columns, rows0: rows(0), rows1: rows(1), rows2: rows(2), rows3: rows(3), eps: this.#epsilon },
      buffers: { w0: buffer(0), w1: buffer(1), w2: buffer(2), w3: buffer(3), x, norm: how.norm ? this.#parts.weights.f32(how.norm) : x, routing: space.routing, y },
      types: { w0: type(0), w1: type(1), w2: type(2), w3: type(3) },
      constants: { ...this.#rowLanes([columns], matrices.reduce((sum, { rows: more }) => sum + more, 0), matrices.map((matrix) => matrix.type)), matrices: matrices.length, normed: how.norm ? 1 : 0, accumulate: how.accumulate ? 1 : 0 },
    });
  }

  async #attention(blk: string, weights: AttentionWeights, index: number): Promise<readonly Dispatch[]> {
    const { gpu, plan, state, space } = this.#parts;
    const { heads, kvHeads, headDim, rotaryDim, gated } = plan.config.attention;
    const { norms, biases } = weights;
    const { keys, values } = state.layers[index] as AttentionState;
    const splits = attentionSplits(gpu.report.software);
    const shared = { head_dim: headDim, lanes: this.#lanes(), gated: gated ? 1 : 0, biased: biases ? 1 : 0, splits };
    const context = state.contextTokens;
    const { proj, step, routing, mixed, attentionParts: parts } = space;
    const constants = attentionConstants(this.#parts.weights, blk, weights, headDim);
    const attend = await prepare(gpu, attention, {
      label: `${blk}.attention`,
      params: { heads, kv_heads: kvHeads, rotary: rotaryDim, context, eps: this.#epsilon },
      buffers: { proj, constants, step, routing, keys, values, out: splits > 1 ? parts : mixed },
      types: {},
      constants: { ...shared, normed: norms ? 1 : 0, half: state.half ? 1 : 0 },
    });
    if (splits === 1) return [attend];
    return [attend, await prepare(gpu, attentionJoin, { label: `${blk}.attention_join`, params: { context, heads }, buffers: { parts, proj, constants, step, routing, out: mixed }, types: {}, constants: shared })];
  }

  #deltanet(blk: string, weights: GdnWeights, index: number): Promise<Dispatch> {
    const { gpu, plan, state, space } = this.#parts;
    const { keyHeads, valueHeads, headOrder, headDim, convTaps } = gdnOf(plan.config);
    const { history, memory } = state.layers[index] as GdnState;
    const { kernel, lanes } = deltanetFor(gpu.report.software, headDim, headDim);
    return prepare(gpu, kernel, {
      label: `${blk}.deltanet`,
      params: { key_heads: keyHeads, value_heads: valueHeads, kernel: convTaps, eps: this.#epsilon },
      buffers: { proj: space.proj, constants: deltanetConstants(this.#parts.weights, blk, weights), step: space.step, routing: space.routing, history, state: memory, out: space.mixed },
      types: {},
      constants: { key_dim: headDim, value_dim: headDim, lanes, tiled: headOrder === "tiled" ? 1 : 0 },
    });
  }

  #route(blk: string, index: number): Promise<Dispatch> {
    const { gpu, plan, experts, space } = this.#parts;
    return prepare(gpu, route, {
      label: `${blk}.route`,
      params: { experts: plan.config.moe.experts, topk: plan.config.moe.topK, layer: index, tokens: 1 },
      buffers: { logits: space.routerLogits, slots: experts.slotTable(index), step: space.step, routing: space.routing },
      types: {},
      constants: { lanes: this.#lanes() },
    });
  }

  /** The routed experts and the shared one; of what a layer does not have, the kernels read nothing. */
  async #feedForward(blk: string, { routed, shared, ffnNorm }: LayerWeights, index: number): Promise<readonly Dispatch[]> {
    const { gpu, plan, weights, experts, records, space } = this.#parts;
    const { hidden, moe } = plan.config;
    const arena = routed && experts.arena(index);
    const record = records[index];
    const matrix = (weight: Weight | undefined): GPUBuffer => (weight ? weights.matrix(weight) : space.x);
    const type = (weight: Weight | undefined): KernelWeightType => weight?.type ?? "none";
    const at = (part: { readonly offset: number } | undefined): number => (part?.offset ?? 0) / 16;
    const common = { hidden, ff: moe.width, shared_ff: moe.sharedWidth, topk: moe.topK, slot_stride: (arena?.slotBytes ?? 0) / 16 };
    const [norm, routing, act, x] = [weights.f32(ffnNorm), space.routing, space.act, space.x];
    const slots = arena?.buffer ?? matrix(shared?.down);
    const upTypes = { gate: type(routed?.expert.gate), up: type(routed?.expert.up), shared_gate: type(shared?.gate), shared_up: type(shared?.up) };
    const downTypes = { down: type(routed?.expert.down), shared_down: type(shared?.down) };
    return [
      await prepare(gpu, expertsUp, {
        label: `${blk}.experts_up`,
        params: { ...common, gate_at: at(record?.gate), up_at: at(record?.up), eps: this.#epsilon },
        buffers: { arena: slots, shared_gate: matrix(shared?.gate), shared_up: matrix(shared?.up), x, norm, routing, act },
        types: upTypes,
        constants: this.#rowLanes([hidden], Math.max(common.ff, common.shared_ff), Object.values(upTypes)),
      }),
      await prepare(gpu, expertsDown, {
        label: `${blk}.experts_down`,
        params: { ...common, down_at: at(record?.down) },
        buffers: { arena: slots, shared_down: shared ? matrix(shared.down) : slots, act, routing, x },
        types: downTypes,
        constants: { ...this.#rowLanes([...Array.from({ length: moe.topK }, () => moe.width), moe.sharedWidth], hidden, Object.values(downTypes)), scaled: shared?.scale ? 1 : 0 },
      }),
    ];
  }

  #lanes(): number {
    return lanesFor(this.#parts.gpu.report.software);
  }

  #rowLanes(columns: readonly number[], rows: number, types: readonly KernelWeightType[]): Lanes {
    return rowLanes(this.#parts.gpu.report.software, { columns, rows, types });
  }
}

/** What an attention layer has beside its matrices, for every kernel that takes it. */
export function attentionConstants(weights: ResidentWeights, blk: string, { norms, biases }: AttentionWeights, headDim: number): GPUBuffer {
  return weights.packed(`${blk}.constants`, () =>
    packAttentionConstants({
      ...(norms ? { norms: [weights.vector(norms.q), weights.vector(norms.k)] } : {}),
      ...(biases ? { biases: [weights.vector(biases.q), weights.vector(biases.k), weights.vector(biases.v)] } : {}),
    }, headDim),
  );
}

/** What a Gated DeltaNet layer has beside its matrices, for every kernel that takes it. */
export function deltanetConstants(weights: ResidentWeights, blk: string, { a, dtBias, norm, conv }: GdnWeights): GPUBuffer {
  return weights.packed(`${blk}.constants`, () =>
    packDeltanetConstants({ a: weights.vector(a), dt: weights.vector(dtBias), norm: weights.vector(norm), conv: weights.vector(conv) }),
  );
}
