// A model whose whole state is what it was fed: keys and values are the ids themselves, the recurrent state a hash of them.
// It notices every misuse: a snapshot put back over keys and values of other tokens, or used after it was closed.
import type { SequenceModel } from "../../src/engine/sequence.ts";
import type { Snapshot } from "../../src/model/state.ts";

const folded = (ids: readonly number[]): number => ids.reduce((hash, id) => (Math.imul(hash, 31) + id + 1) | 0, 7);

export class HashModel implements SequenceModel {
  readonly contextTokens: number;
  readonly begun = false;
  readonly stats = { experts: { uses: 0, hits: 0, loads: 0, loadedBytes: 0 } } as SequenceModel["stats"];
  readonly expertSlots: SequenceModel["expertSlots"];
  /** Tokens computed in all. */
  computed = 0;
  /** Snapshots that are open, and bytes of those on the GPU. */
  open = new Set<Snapshot>();
  #cache: number[] = [];
  #hash = folded([]);
  #position = 0;
  readonly #snapshotBytes: number;

  constructor(init: { readonly snapshotBytes?: number; readonly slots?: number; readonly contextTokens?: number } = {}) {
    this.#snapshotBytes = init.snapshotBytes ?? 10;
    this.contextTokens = init.contextTokens ?? 100_000;
    this.expertSlots = { slots: init.slots ?? 4, experts: 4, bytes: 0 };
  }

  get position(): number {
    return this.#position;
  }

  /** Logits whose first value is the hash of everything before, if the state is whole. */
  async forward(ids: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    if (this.#hash !== folded(this.#cache.slice(0, this.#position))) throw new Error("keys and values are not those of the recurrent state");
    this.#cache.length = this.#position;
    this.#cache.push(...ids);
    this.#position += ids.length;
    this.computed += ids.length;
    this.#hash = folded(this.#cache);
    return Float32Array.of(this.#hash, 0);
  }

  forwardAll(): Promise<Float32Array<ArrayBuffer>> {
    return Promise.reject(new Error("not for this test"));
  }

  reset(): void {
    this.#position = 0;
    this.#hash = folded([]);
  }

  async snapshot(): Promise<Snapshot> {
    const state = { onGpu: true, hash: this.#hash };
    const snapshot: Snapshot & { readonly hash: number } = {
      position: this.#position,
      bytes: this.#snapshotBytes,
      hash: this.#hash,
      get onGpu() {
        return state.onGpu;
      },
      toMemory: async () => void (state.onGpu = false),
      close: () => void this.open.delete(snapshot),
    };
    this.open.add(snapshot);
    return snapshot;
  }

  truncate(snapshot: Snapshot): void {
    if (!this.open.has(snapshot)) throw new Error("the snapshot is closed");
    this.#position = snapshot.position;
    this.#hash = (snapshot as Snapshot & { readonly hash: number }).hash;
  }

  profile(): Promise<never> {
    return Promise.reject(new Error("not for this test"));
  }

  close(): void {
    this.reset();
  }
}

/** What `forward` gives first after exactly these ids. */
export function hashOf(ids: readonly number[]): number {
  return Math.fround(folded(ids));
}
