// A prompt's layers as prepared dispatches over many tokens: what is bound to what, once, when the first long prompt comes.
// How many workgroups each takes depends on how many tokens or pairs there are, so that is said when it is encoded.
import { type Arguments, type Dispatch, prepare } from "../gpu/dispatch.ts";
import type { Kernel } from "../gpu/kernel.ts";
import {
  attentionAppend, attentionTilesLanes, attentionTiles, combine, deltanetChunks, deltanetConv, deltanetOut, deltanetScan, embedding, lanesFor, type MatmulChoice, matmulFor, rmsnorm, route, swiglu,
} from "../kernels/index.ts";
import { gdnOf } from "./config.ts";
import { type Parts, attentionConstants, deltanetConstants } from "./layers.ts";
import type { PrefillSpace } from "./prefill-space.ts";
import type { AttentionState, GdnState } from "./state.ts";
import { type AttentionWeights, type GdnWeights, type LayerWeights, type SharedWeights, type Weight, mixerInputs } from "./weights.ts";

/** A dispatch over so many tokens, pairs or tiles. */
export type Sized = (count: number) => Dispatch;

export interface PrefillExperts {
  /** Over the chunk's tokens. */
  readonly route: Sized;
  /** Over a batch's tiles, or pairs, or the tokens that have one. */
  readonly gate: Sized;
  readonly up: Sized;
  readonly swiglu: Sized;
  readonly down: Sized;
  readonly combine: Sized;
}

export interface PrefillLayer {
  /** Over a segment's tokens: all but the routed experts. */
  readonly segment: readonly Sized[];
  readonly experts?: PrefillExperts;
}

export interface PrefillModel {
  /** Over the chunk's tokens, one for each piece of a table that is cut by rows. */
  readonly embedding: readonly Sized[];
  readonly layers: readonly PrefillLayer[];
}

export type PrefillParts = Parts & { readonly many: PrefillSpace };

export async function preparePrefill(parts: PrefillParts): Promise<PrefillModel> {
  const { plan } = parts;
  const builder = new Builder(parts);
  return {
    embedding: await builder.embedding(),
    layers: await Promise.all(plan.layers.map((layer, index) => builder.layer(layer, index))),
  };
}

/** Rows of y that a matrix fills, and which rows are the segment's. */
interface Product {
  readonly stride: number;
  readonly at: number;
  /** Row 0 is the chunk's first token, not the segment's. */
  readonly xOfChunk: boolean;
  readonly yOfChunk: boolean;
  readonly accumulate?: boolean;
}

class Builder {
  readonly #parts: PrefillParts;
  readonly #matmul: MatmulChoice;
  readonly #eps: number;

  constructor(parts: PrefillParts) {
    this.#parts = parts;
    this.#matmul = matmulFor(parts.gpu.report.software);
    this.#eps = parts.plan.config.normEpsilon;
  }

  embedding(): Promise<readonly Sized[]> {
    const { plan, weights, many } = this.#parts;
    const pieces = weights.pieces(plan.embedding);
    let rows = 0;
    return Promise.all(
      pieces.map((piece) => {
        const first = (rows += piece.rows) - piece.rows;
        return this.sized(embedding, "tokens", {
          label: "prefill embedding",
          params: { rows: piece.rows, columns: plan.config.hidden, tokens: 1 },
          buffers: { table: piece.buffer, step: many.ids, routing: many.idle, x: many.x },
          types: { table: piece.type },
          constants: { first, whole: pieces.length === 1 ? 1 : 0 },
        });
      }),
    );
  }

  async layer(layer: LayerWeights, index: number): Promise<PrefillLayer> {
    const { many, plan } = this.#parts;
    const blk = `blk.${index} prefill`;
    const { mixer, routed, shared } = layer;
    const { hidden, moe } = plan.config;
    const mixed = mixer.kind === "attention" ? this.#attention(index, mixer) : this.#deltanet(index, mixer);
    const scores = routed ? [routed.router, ...(shared?.scale ? [shared.scale] : [])] : [];
    const segment: readonly Promise<readonly Sized[]>[] = [
      this.#norm(`${blk} norm`, layer.mixerNorm),
      this.#project(`${blk} in`, mixerInputs(mixer), many.h, many.proj, { stride: sumRows(mixerInputs(mixer)), at: 0, xOfChunk: true, yOfChunk: false }),
      mixed,
      this.#project(`${blk} out`, [mixer.out], many.mixed, many.x, { stride: hidden, at: 0, xOfChunk: false, yOfChunk: true, accumulate: true }),
      this.#norm(`${blk} ffn norm`, layer.ffnNorm),
      scores.length > 0 ? this.#project(`${blk} router`, scores, many.h, many.logits, { stride: moe.experts + 1, at: 0, xOfChunk: true, yOfChunk: true }) : Promise.resolve([]),
      shared ? this.#shared(blk, shared) : Promise.resolve([]),
    ];
    const prepared = (await Promise.all(segment)).flat();
    return routed ? { segment: prepared, experts: await this.#experts(blk, layer, index) } : { segment: prepared };
  }

  /** The dispatch with `of` of its parameters said later. */
  async sized<B extends string, P extends string, W extends string, C extends string>(kernel: Kernel<B, P, W, C>, of: P, given: Arguments<B, P, W, C>): Promise<Sized> {
    const dispatch = await prepare(this.#parts.gpu, kernel, given);
    const constants = { ...kernel.constants, ...given.constants };
    return (count) => ({ ...dispatch, workgroups: kernel.workgroups({ ...given.params, [of]: count }, constants) });
  }

  async #norm(label: string, weight: Weight): Promise<readonly Sized[]> {
    const { weights, many } = this.#parts;
    return [
      await this.sized(rmsnorm, "tokens", {
        label,
        params: { columns: weight.columns, eps: this.#eps, tokens: 1 },
        buffers: { x: many.x, weight: weights.f32(weight), segment: many.segment, y: many.h },
        types: {},
        constants: { lanes: this.#lanes() },
      }),
    ];
  }

  /** Matrices with the same input, their results side by side. */
  async #project(label: string, matrices: readonly Weight[], x: GPUBuffer, y: GPUBuffer, { stride, at, xOfChunk, yOfChunk, accumulate }: Product): Promise<readonly Sized[]> {
    const { weights, many } = this.#parts;
    const { columns } = matrices[0]!;
    let next = at;
    const joined = weights.join(matrices).map((matrix) => ({ ...matrix, at: (next += matrix.rows) - matrix.rows }));
    return Promise.all(
      joined.map(async ({ type, rows, buffer, at: rowsAt }) => {
        const tiles = await this.sized(this.#matmul.kernel, "tiles", {
          label,
          params: { columns, rows, stride, at: rowsAt, x_first: xOfChunk ? 1 : 0, y_first: yOfChunk ? 1 : 0, slot_stride: 0, matrix_at: 0, tiles: 1 },
          buffers: { matrix: buffer, x, plan: many.segment, pairs: many.idle, y },
          types: { matrix: type },
          constants: { accumulate: accumulate ? 1 : 0 },
        });
        return (tokens: number) => tiles(Math.ceil(tokens / this.#matmul.tileRows));
      }),
    );
  }

  async #attention(index: number, mixer: AttentionWeights): Promise<readonly Sized[]> {
    const { weights, plan, state, many } = this.#parts;
    const { heads, kvHeads, headDim, rotaryDim, gated } = plan.config.attention;
    const { keys, values } = state.layers[index] as AttentionState;
    const flags = { head_dim: headDim, gated: gated ? 1 : 0, half: state.half ? 1 : 0 };
    return Promise.all([
      this.sized(attentionAppend, "tokens", {
        label: `blk.${index} prefill append`,
        params: { heads, kv_heads: kvHeads, rotary: rotaryDim, eps: this.#eps, tokens: 1 },
        buffers: { constants: attentionConstants(weights, `blk.${index}`, mixer, headDim), segment: many.segment, rope: many.rope, proj: many.proj, keys, values },
        types: {},
        constants: { ...flags, lanes: this.#lanes(), normed: mixer.norms ? 1 : 0, biased: mixer.biases ? 1 : 0 },
      }),
      this.sized(attentionTiles, "tokens", {
        label: `blk.${index} prefill attention`,
        params: { heads, kv_heads: kvHeads, tokens: 1 },
        buffers: { proj: many.proj, segment: many.segment, keys, values, out: many.mixed },
        types: {},
        constants: { ...flags, ...attentionTilesLanes(this.#parts.gpu.report.software, headDim) },
      }),
    ]);
  }

  async #deltanet(index: number, mixer: GdnWeights): Promise<readonly Sized[]> {
    const { weights, plan, state, many } = this.#parts;
    const { keyHeads, valueHeads, headOrder, headDim, convTaps } = gdnOf(plan.config);
    const { history, memory } = state.layers[index] as GdnState;
    const constants = deltanetConstants(weights, `blk.${index}`, mixer);
    const channels = (2 * keyHeads + valueHeads) * headDim;
    const heads = { key_heads: keyHeads, value_heads: valueHeads };
    const { proj, segment, conv, gates, mats, mixed } = many;
    const tiled = headOrder === "tiled" ? 1 : 0;
    const lanes = this.#lanes();
    const label = (part: string): string => `blk.${index} prefill deltanet ${part}`;
    const scan = this.sized(deltanetScan, "key_heads", {
      label: label("scan"),
      params: heads,
      buffers: { mats, gates, segment, conv, state: memory },
      types: {},
      constants: { key_dim: headDim, value_dim: headDim, tiled },
    });
    return Promise.all([
      this.sized(deltanetConv, "tokens", {
        label: label("conv"),
        params: { ...heads, kernel: convTaps, eps: this.#eps, tokens: 1 },
        buffers: { proj, constants, segment, history, conv, gates },
        types: {},
        constants: { key_dim: headDim, value_dim: headDim, lanes, tiled },
      }),
      this.sized(deltanetChunks, "tokens", { label: label("chunks"), params: { ...heads, channels, tokens: 1 }, buffers: { conv, gates, segment, mats }, types: {}, constants: { key_dim: headDim, tiled } }),
      // As many workgroups for any number of tokens.
      scan.then((dispatch) => () => dispatch(keyHeads)),
      this.sized(deltanetOut, "tokens", {
        label: label("out"),
        params: { value_heads: valueHeads, channels, kernel: convTaps, eps: this.#eps, tokens: 1 },
        buffers: { proj, conv, constants, segment, out: mixed, history },
        types: {},
        constants: { value_dim: headDim, lanes },
      }),
    ]);
  }

  /** The expert that every token takes, or a dense layer's only one, straight into the residual stream. */
  async #shared(blk: string, { scale, gate, up, down }: SharedWeights): Promise<readonly Sized[]> {
    const { plan, many } = this.#parts;
    const { experts } = plan.config.moe;
    const width = gate.rows;
    const inner = { stride: width, at: 0, xOfChunk: true, yOfChunk: false };
    const parts = await Promise.all([
      this.#project(`${blk} shared gate`, [gate], many.h, many.sharedGate, inner),
      this.#project(`${blk} shared up`, [up], many.h, many.sharedUp, inner),
      this.sized(swiglu, "rows", {
        label: `${blk} shared swiglu`,
        params: { width, scale_stride: experts + 1, scale_at: experts, rows: 1 },
        buffers: { up: many.sharedUp, scales: many.logits, plan: many.segment, gate: many.sharedGate },
        types: {},
        constants: { sigmoid: scale ? 1 : 0 },
      }),
      this.#project(`${blk} shared down`, [down], many.sharedGate, many.x, { stride: down.rows, at: 0, xOfChunk: false, yOfChunk: true, accumulate: true }),
    ]);
    return parts.flat();
  }

  async #experts(blk: string, { routed }: LayerWeights, index: number): Promise<PrefillExperts> {
    const { plan, experts, records, many } = this.#parts;
    const { hidden, moe } = plan.config;
    const { gate, up, down } = routed!.expert;
    const record = records[index]!;
    const arena = experts.arena(index);
    const product = (part: string, weight: Weight, offset: number, x: GPUBuffer, y: GPUBuffer, gather: boolean): Promise<Sized> =>
      this.sized(this.#matmul.kernel, "tiles", {
        label: `${blk} experts ${part}`,
        params: { columns: weight.columns, rows: weight.rows, stride: weight.rows, at: 0, x_first: 0, y_first: 0, slot_stride: arena.slotBytes / 16, matrix_at: offset / 16, tiles: 1 },
        buffers: { matrix: arena.buffer, x, plan: many.tiles, pairs: many.pairs, y },
        types: { matrix: weight.type },
        constants: { grouped: 1, gather: gather ? 1 : 0 },
      });
    return {
      route: await this.sized(route, "tokens", {
        label: `${blk} route`,
        params: { experts: moe.experts, topk: moe.topK, layer: 0, tokens: 1 },
        buffers: { logits: many.logits, slots: many.idle, step: many.idle, routing: many.routing },
        types: {},
        constants: { lanes: this.#lanes(), stalls: 0 },
      }),
      gate: await product("gate", gate, record.gate.offset, many.h, many.gate, true),
      up: await product("up", up, record.up.offset, many.h, many.up, true),
      swiglu: await this.sized(swiglu, "rows", {
        label: `${blk} experts swiglu`,
        params: { width: moe.width, scale_stride: 0, scale_at: 0, rows: 1 },
        buffers: { up: many.up, scales: many.pairs, plan: many.idle, gate: many.gate },
        types: {},
        constants: { paired: 1 },
      }),
      down: await product("down", down, record.down.offset, many.gate, many.out, false),
      combine: await this.sized(combine, "tokens", {
        label: `${blk} combine`,
        params: { columns: hidden, tokens: 1 },
        buffers: { sums: many.sums, order: many.order, out: many.out, x: many.x },
        types: {},
      }),
    };
  }

  #lanes(): number {
    return lanesFor(this.#parts.gpu.report.software);
  }
}

function sumRows(matrices: readonly Weight[]): number {
  return matrices.reduce((sum, { rows }) => sum + rows, 0);
}
