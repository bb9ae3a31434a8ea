// What a sequence leaves behind: keys and values of the attention layers, the recurrent state of the others. Keys and
// values only grow; the recurrent state is overwritten at every token, so going back needs a snapshot of it.
import { AppError } from "../base/errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { readBuffers } from "../gpu/readback.ts";
import { type GdnConfig, type ModelConfig, gdnOf } from "./config.ts";

export interface AttentionState {
  readonly keys: GPUBuffer; // [context, kvHeads, headDim] f32 or f16
  readonly values: GPUBuffer; // [context, kvHeads, headDim] f32 or f16
}

export interface GdnState {
  readonly history: GPUBuffer; // [convTaps, channels] f32
  readonly memory: GPUBuffer; // [valueHeads, headDim, headDim] f32
}

/** Bytes of one token's keys, or values, in one layer. `half`: they are kept as f16. */
export function cacheRowBytes({ attention }: ModelConfig, half: boolean): number {
  return attention.kvHeads * attention.headDim * (half ? 2 : 4);
}

/** Bytes of keys and values that one token takes over all layers. */
export function cacheBytesPerToken(config: ModelConfig, half: boolean): number {
  return config.kinds.filter((kind) => kind === "attention").length * 2 * cacheRowBytes(config, half);
}

function recurrentBytes({ keyHeads, valueHeads, headDim, convTaps }: GdnConfig): { readonly history: number; readonly memory: number } {
  const channels = (2 * keyHeads + valueHeads) * headDim;
  return { history: convTaps * channels * 4, memory: valueHeads * headDim * headDim * 4 };
}

/** Bytes of the recurrent state of all layers. */
export function recurrentStateBytes(config: ModelConfig): number {
  if (!config.gdn) return 0;
  const { history, memory } = recurrentBytes(config.gdn);
  return config.kinds.filter((kind) => kind === "gdn").length * (history + memory);
}

/** The recurrent state as it was after `position` tokens. Owned by the caller of `take`. */
export interface Snapshot {
  readonly position: number;
  readonly bytes: number;
  readonly onGpu: boolean;
  /** Moves it out of GPU memory into main memory; nothing to do when it is there. */
  toMemory(): Promise<void>;
  close(): void;
}

/** One buffer of the state and where its copy lies: on the GPU, or else in main memory. */
interface Copy {
  readonly of: GPUBuffer;
  gpu: GPUBuffer | undefined;
  bytes: ArrayBuffer | undefined;
}

export class SequenceState {
  readonly layers: readonly (AttentionState | GdnState)[];
  readonly contextTokens: number;
  /** Keys and values are f16. */
  readonly half: boolean;
  /** Bytes of a token in one buffer of keys or values. */
  readonly #row: number;
  readonly #gpu: Gpu;
  readonly #snapshots = new WeakMap<Snapshot, readonly Copy[]>();

  private constructor(gpu: Gpu, config: ModelConfig, layers: readonly (AttentionState | GdnState)[], contextTokens: number, half: boolean) {
    this.#gpu = gpu;
    this.layers = layers;
    this.contextTokens = contextTokens;
    this.half = half;
    this.#row = cacheRowBytes(config, half);
  }

  /** Throws `gpu/memory` when the device has not that much. */
  static async open(gpu: Gpu, config: ModelConfig, contextTokens: number, half: boolean): Promise<SequenceState> {
    const cacheBytes = contextTokens * cacheRowBytes(config, half);
    const made: GPUBuffer[] = [];
    const make = (label: string, bytes: number, kind: "cache" | "recurrent"): GPUBuffer => {
      const buffer = gpu.memory.storage(label, bytes, kind);
      made.push(buffer);
      return buffer;
    };
    try {
      const layers = await gpu.memory.within(`a context of ${contextTokens} tokens`, () =>
        config.kinds.map((kind, layer) => {
          if (kind === "attention") return { keys: make(`blk.${layer}.keys`, cacheBytes, "cache"), values: make(`blk.${layer}.values`, cacheBytes, "cache") };
          const { history, memory } = recurrentBytes(gdnOf(config));
          return { history: make(`blk.${layer}.history`, history, "recurrent"), memory: make(`blk.${layer}.memory`, memory, "recurrent") };
        }),
      );
      return new SequenceState(gpu, config, layers, contextTokens, half);
    } catch (error) {
      for (const buffer of made) gpu.memory.free(buffer);
      throw error;
    }
  }

  /** Copies the recurrent state as the commands queued so far leave it. Throws `gpu/memory` when there is no room for it. */
  async take(position: number): Promise<Snapshot> {
    const copies = await this.#allocate(position);
    this.#transfer(copies.map(({ of, gpu }) => [of, gpu!]));
    return this.#snapshot(position, copies);
  }

  /** Puts the recurrent state back. The keys and values before the snapshot's position must be those it was taken with. */
  restore(snapshot: Snapshot): void {
    const copies = this.#snapshots.get(snapshot);
    if (!copies) throw new AppError("bug", `The snapshot at ${snapshot.position} is closed, or of another model.`);
    this.#transfer(copies.flatMap(({ of, gpu }) => (gpu ? [[gpu, of] as const] : [])));
    for (const { of, bytes } of copies) if (bytes) this.#gpu.memory.write(of, 0, new Uint8Array(bytes));
  }

  /** Bytes of keys and values of one token, and of the recurrent state, in all layers. */
  get layout(): { readonly cacheBytesPerToken: number; readonly recurrentBytes: number } {
    const sum = (buffers: readonly GPUBuffer[]): number => buffers.reduce((total, { size }) => total + size, 0);
    return { cacheBytesPerToken: this.#caches.length * this.#row, recurrentBytes: sum(this.#recurrent) };
  }

  /** Keys and values of the tokens `from` to `to`, buffer by buffer. */
  async readCache(from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts = this.#caches.map((buffer) => ({ buffer, offset: from * this.#row, bytes: (to - from) * this.#row }));
    return joined(await readBuffers(this.#gpu, `keys and values from ${from}`, parts));
  }

  /** Puts what `readCache` gave back, from token `from` on. */
  writeCache(from: number, bytes: Uint8Array<ArrayBuffer>): void {
    const tokens = bytes.byteLength / this.layout.cacheBytesPerToken;
    let at = 0;
    for (const buffer of this.#caches) {
      const length = tokens * this.#row;
      this.#gpu.memory.write(buffer, from * this.#row, bytes.subarray(at, at + length));
      at += length;
    }
  }

  async readRecurrent(): Promise<Uint8Array<ArrayBuffer>> {
    return joined(await readBuffers(this.#gpu, "recurrent state", this.#recurrent.map((buffer) => ({ buffer, offset: 0, bytes: buffer.size }))));
  }

  writeRecurrent(bytes: Uint8Array<ArrayBuffer>): void {
    let at = 0;
    for (const buffer of this.#recurrent) this.#gpu.memory.write(buffer, 0, bytes.subarray(at, (at += buffer.size)));
  }

  close(): void {
    for (const layer of this.layers) for (const buffer of Object.values(layer) as readonly GPUBuffer[]) this.#gpu.memory.free(buffer);
  }

  get #caches(): readonly GPUBuffer[] {
    return this.layers.flatMap((layer) => ("keys" in layer ? [layer.keys, layer.values] : []));
  }

  get #recurrent(): readonly GPUBuffer[] {
    return this.layers.flatMap((layer) => ("history" in layer ? [layer.history, layer.memory] : []));
  }

  async #allocate(position: number): Promise<readonly Copy[]> {
    const made: Copy[] = [];
    try {
      await this.#gpu.memory.within("going back in the conversation", () => {
        for (const of of this.#recurrent) made.push({ of, gpu: this.#gpu.memory.storage(`${of.label} at ${position}`, of.size, "recurrent"), bytes: undefined });
      });
      return made;
    } catch (error) {
      this.#free(made);
      throw error;
    }
  }

  #snapshot(position: number, copies: readonly Copy[]): Snapshot {
    const snapshot: Snapshot = {
      position,
      bytes: copies.reduce((sum, { of }) => sum + of.size, 0),
      get onGpu() {
        return copies.some(({ gpu }) => gpu !== undefined);
      },
      toMemory: () => this.#toMemory(copies),
      close: () => {
        this.#snapshots.delete(snapshot);
        this.#free(copies);
      },
    };
    this.#snapshots.set(snapshot, copies);
    return snapshot;
  }

  async #toMemory(copies: readonly Copy[]): Promise<void> {
    const there = copies.flatMap((copy) => (copy.gpu ? [{ copy, buffer: copy.gpu, offset: 0, bytes: copy.gpu.size }] : []));
    if (there.length === 0) return;
    const all = await readBuffers(this.#gpu, "snapshot", there);
    there.forEach(({ copy }, i) => (copy.bytes = all[i]));
    this.#free(copies);
  }

  #free(copies: readonly Copy[]): void {
    for (const copy of copies) {
      if (copy.gpu) this.#gpu.memory.free(copy.gpu);
      copy.gpu = undefined;
    }
  }

  #transfer(pairs: readonly (readonly [from: GPUBuffer, to: GPUBuffer])[]): void {
    const encoder = this.#gpu.device.createCommandEncoder();
    for (const [from, to] of pairs) encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }
}

function joined(parts: readonly ArrayBuffer[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return all;
}
