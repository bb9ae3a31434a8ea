// Records from the store into GPU buffers: read in parallel, straight into mapped staging, several records a buffer.
import { rethrowIfFatal, throwIfAborted } from "../base/errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { type Granule, UploadRing } from "../gpu/upload-ring.ts";
import type { ExpertStore } from "../storage/expert-store.ts";

/** An expert of a layer, by number. */
export interface ExpertKey {
  readonly layer: number;
  readonly expert: number;
}

/** Where a record goes. */
export interface Destination {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/** Records that were read and lie in staging, in order. To be given to `put` or to `drop`. */
export interface StagedRecords {
  readonly keys: readonly ExpertKey[];
  readonly granule: Granule;
}

/** Staging buffers: while one is read into, others are copied out of. */
const GRANULES = 4;
/** Of one staging buffer, at most: bytes and records. */
const GRANULE_BYTES = 8 * 1024 * 1024;
const GRANULE_RECORDS = 8;

/** Bytes of one staging buffer: whole records of the largest layer. */
function granuleBytes(recordBytes: readonly number[]): number {
  const largest = Math.max(...recordBytes, 16);
  return largest * Math.max(1, Math.min(GRANULE_RECORDS, Math.floor(GRANULE_BYTES / largest)));
}

/** GPU bytes that loading takes beside the slots. */
export function stagingBytes(recordBytes: readonly number[]): number {
  return GRANULES * granuleBytes(recordBytes);
}

export class RecordLoader {
  readonly #store: ExpertStore;
  readonly #ring: UploadRing;

  private constructor(store: ExpertStore, ring: UploadRing) {
    this.#store = store;
    this.#ring = ring;
  }

  /** Throws `gpu/memory`. */
  static async open(gpu: Gpu, store: ExpertStore): Promise<RecordLoader> {
    const recordBytes = Array.from({ length: store.layers }, (_, layer) => store.recordBytes(layer));
    return new RecordLoader(store, await UploadRing.open(gpu, granuleBytes(recordBytes), GRANULES));
  }

  /** Records of this layer that `stage` takes at most. */
  atOnce(layer: number): number {
    return Math.max(1, Math.floor(this.#ring.granuleBytes / this.#store.recordBytes(layer)));
  }

  /** Records that can be on their way at the same time. */
  inFlight(layer: number): number {
    return GRANULES * this.atOnce(layer);
  }

  /**
   * Reads the records in parallel; waits for a free staging buffer first. All of them have been read or have failed when it
   * ends. Throws `storage/missing` or `storage/corrupt` naming layer and expert, or `aborted`.
   */
  async stage(keys: readonly ExpertKey[], signal?: AbortSignal): Promise<StagedRecords> {
    const granule = await this.#ring.take(signal);
    let at = 0;
    const reads = keys.map(({ layer, expert }) => this.#read(layer, expert, granule.bytes.subarray(at, (at += this.#store.recordBytes(layer))), signal));
    const failed = (await Promise.allSettled(reads)).find((read) => read.status === "rejected");
    if (!failed) return { keys, granule };
    this.#ring.giveBack(granule);
    throw failed.reason;
  }

  /** Queues the copies to where each record goes. What is queued later finds them there. */
  put({ keys, granule }: StagedRecords, to: readonly Destination[]): void {
    let from = 0;
    const copies = keys.map(({ layer }, i) => {
      const bytes = this.#store.recordBytes(layer);
      const { buffer, offset } = to[i]!;
      return { from: (from += bytes) - bytes, to: buffer, at: offset, bytes };
    });
    this.#ring.submit(granule, copies);
  }

  drop({ granule }: StagedRecords): void {
    this.#ring.giveBack(granule);
  }

  close(): void {
    this.#ring.close();
  }

  /** One more try after a failure: a disk that hiccups makes a token slow, and ends no answer. */
  async #read(layer: number, expert: number, target: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
    try {
      await this.#store.readInto(layer, expert, target, signal);
    } catch (error) {
      rethrowIfFatal(error);
      throwIfAborted(signal, "Reading the model");
      await this.#store.readInto(layer, expert, target, signal);
    }
  }
}
