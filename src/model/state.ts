// What a sequence leaves behind: keys and values of the attention layers, the recurrent state of the others. Keys and
// values only grow; the recurrent state is overwritten at every token, so going back needs a snapshot of it.
import { AppError } from "../base/errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { type Qwen3NextConfig, layerKind } from "./config.ts";

export interface AttentionState {
  readonly keys: GPUBuffer; // [context, kvHeads, headDim] f32
  readonly values: GPUBuffer; // [context, kvHeads, headDim] f32
}

export interface GdnState {
  readonly history: GPUBuffer; // [convTaps, channels] f32
  readonly memory: GPUBuffer; // [valueHeads, headDim, headDim] f32
}

/** Keys and values may take this much unless a longer context is asked for: most adapters have it beside the weights. */
const DEFAULT_CACHE_BYTES = 1024 * 1024 * 1024;

/** Bytes of keys and values that one token takes over all layers. */
export function cacheBytesPerToken(config: Qwen3NextConfig): number {
  const attentionLayers = Math.floor(config.layers / config.attentionInterval);
  return attentionLayers * 2 * config.attention.kvHeads * config.attention.headDim * 4;
}

/**
 * The context to allocate: as asked for, or what the model was made for, capped by memory.
 * Throws `model/context` when more is asked for than the model was made for.
 */
export function contextFor(config: Qwen3NextConfig, asked: number | undefined): number {
  if (asked === undefined) return Math.min(config.contextTokens, Math.max(1, Math.floor(DEFAULT_CACHE_BYTES / Math.max(1, cacheBytesPerToken(config)))));
  if (Number.isInteger(asked) && asked > 0 && asked <= config.contextTokens) return asked;
  throw new AppError("model/context", `A context of ${asked} tokens was asked for; this model takes 1 to ${config.contextTokens}.`, {
    data: { asked, limit: config.contextTokens },
  });
}

/** The recurrent state as it was after `position` tokens. Owned by the caller of `take`. */
export interface Snapshot {
  readonly position: number;
  readonly bytes: number;
  close(): void;
}

interface Copy {
  readonly from: GPUBuffer;
  readonly to: GPUBuffer;
}

export class SequenceState {
  readonly layers: readonly (AttentionState | GdnState)[];
  readonly contextTokens: number;
  readonly #gpu: Gpu;
  readonly #snapshots = new WeakMap<Snapshot, readonly Copy[]>();

  private constructor(gpu: Gpu, layers: readonly (AttentionState | GdnState)[], contextTokens: number) {
    this.#gpu = gpu;
    this.layers = layers;
    this.contextTokens = contextTokens;
  }

  /** Throws `gpu/memory` when the device has not that much. */
  static async open(gpu: Gpu, config: Qwen3NextConfig, contextTokens: number): Promise<SequenceState> {
    const { attention, gdn } = config;
    const cacheBytes = contextTokens * attention.kvHeads * attention.headDim * 4;
    const valueDim = gdn.valueHeads * gdn.headDim;
    const channels = 2 * gdn.keyHeads * gdn.headDim + valueDim;
    const made: GPUBuffer[] = [];
    const make = (label: string, bytes: number): GPUBuffer => {
      const buffer = gpu.memory.storage(label, bytes);
      made.push(buffer);
      return buffer;
    };
    try {
      const layers = await gpu.memory.within(`a context of ${contextTokens} tokens`, () =>
        Array.from({ length: config.layers }, (_, layer) => {
          if (layerKind(config, layer) === "attention") return { keys: make(`blk.${layer}.keys`, cacheBytes), values: make(`blk.${layer}.values`, cacheBytes) };
          return { history: make(`blk.${layer}.history`, gdn.convTaps * channels * 4), memory: make(`blk.${layer}.memory`, valueDim * gdn.headDim * 4) };
        }),
      );
      return new SequenceState(gpu, layers, contextTokens);
    } catch (error) {
      for (const buffer of made) gpu.memory.free(buffer);
      throw error;
    }
  }

  /** Copies the recurrent state as the commands queued so far leave it. */
  take(position: number): Snapshot {
    const copies = this.layers.flatMap((layer): Copy[] =>
      "history" in layer ? [layer.history, layer.memory].map((from) => ({ from, to: this.#gpu.memory.storage(`${from.label} at ${position}`, from.size) })) : [],
    );
    this.#copy(copies);
    const snapshot: Snapshot = {
      position,
      bytes: copies.reduce((sum, { to }) => sum + to.size, 0),
      close: () => {
        this.#snapshots.delete(snapshot);
        for (const { to } of copies) this.#gpu.memory.free(to);
      },
    };
    this.#snapshots.set(snapshot, copies);
    return snapshot;
  }

  /** Puts the recurrent state back. The keys and values before the snapshot's position must be those it was taken with. */
  restore(snapshot: Snapshot): void {
    const copies = this.#snapshots.get(snapshot);
    if (!copies) throw new AppError("bug", `The snapshot at ${snapshot.position} is closed, or of another model.`);
    this.#copy(copies.map(({ from, to }) => ({ from: to, to: from })));
  }

  close(): void {
    for (const layer of this.layers) for (const buffer of Object.values(layer) as readonly GPUBuffer[]) this.#gpu.memory.free(buffer);
  }

  #copy(copies: readonly Copy[]): void {
    const encoder = this.#gpu.device.createCommandEncoder();
    for (const { from, to } of copies) encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }
}
