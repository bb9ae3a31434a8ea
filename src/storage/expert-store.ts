// Where experts come from while a model runs. One contract suite runs over every implementation (test/contract/expert-store.test.ts).
// A record is one expert of one layer: gate, up and down in the aligned GPU layout, contiguous, ready to be copied into a slot.

export interface StoreStats {
  /** Records read, and their bytes; counted when the bytes have really come from the store. */
  readonly reads: number;
  readonly readBytes: number;
  /** Records whose hash was checked: once each, at their first read. */
  readonly verified: number;
}

export interface ExpertStore {
  readonly kind: "indexeddb" | "opfs" | "file" | "memory";
  readonly layers: number;
  /** Experts of one layer. */
  readonly experts: number;
  /** Bytes of a record in this layer: the same for every expert of the layer. */
  recordBytes(layer: number): number;
  /**
   * Puts the whole record into `target`, which is exactly `recordBytes(layer)` long: a view of mapped GPU staging or of any
   * other buffer, which must stay mapped and untouched until the promise settles. What `target` holds after a failure is
   * undefined. Several reads may be under way at once; a layer's misses should be. Block hashes are checked at the first
   * read of each record. Throws `storage/missing` or `storage/corrupt` naming layer and expert, or `aborted`.
   */
  readInto(layer: number, expert: number, target: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void>;
  /** As `readInto`, into bytes of the caller's own. */
  read(layer: number, expert: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  stats(): StoreStats;
}
