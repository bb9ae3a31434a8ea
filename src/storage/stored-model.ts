// A model that is completely imported: what the engine needs to run it, without the file it came from.
import type { ExpertStore } from "./expert-store.ts";

/** Structured-cloneable values of the model file's header. */
export type StoredValue = string | number | boolean | readonly StoredValue[];

/** Where a matrix lies in the file that the model comes from. */
export interface FilePlace {
  /** Of the tensor's first byte; of the first expert's where it is a stack of them. */
  readonly offset: number;
  /** Of the whole tensor; of one expert where it is a stack. */
  readonly bytes: number;
  /** The rows that are taken, in this order; absent: all of them. */
  readonly runs?: readonly { readonly first: number; readonly count: number }[];
}

/** A tensor that is resident while the model runs (everything but the routed experts). */
export interface StoredTensor {
  readonly name: string;
  /** As in the file: the fastest axis first. */
  readonly shape: readonly number[];
  /** ggml type id. */
  readonly type: number;
  /** Bytes in the aligned GPU layout of src/gguf/blocks.ts. */
  readonly bytes: number;
  /** Absent in what the first format stored. */
  readonly from?: FilePlace;
}

/** One of the three matrices inside an expert record. */
export interface RecordPart {
  /** Of its first byte in the record; a multiple of 16. */
  readonly offset: number;
  readonly bytes: number;
  /** ggml type id. */
  readonly type: number;
  /** `[columns, rows]`, as in the file, without the expert axis. */
  readonly shape: readonly [number, number];
  /** Absent in what the first format stored. */
  readonly from?: FilePlace;
}

/** How the records of one layer are laid out. */
export interface RecordLayout {
  readonly layer: number;
  /** A multiple of 16. */
  readonly bytes: number;
  readonly gate: RecordPart;
  readonly up: RecordPart;
  readonly down: RecordPart;
}

export interface StoredModel {
  readonly id: string;
  readonly name: string;
  /** The GGUF's key-values, tokenizer included. */
  readonly metadata: Readonly<Record<string, StoredValue>>;
  readonly tensors: readonly StoredTensor[];
  /** One per layer, in order. */
  readonly records: readonly RecordLayout[];
  readonly experts: ExpertStore;
  /** The tensor's bytes in the GPU layout; the caller owns them. Throws `storage/missing` or `storage/corrupt` naming it. */
  readTensor(name: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Gives back the file that the weights lie in; nothing can be read afterwards. */
  close(): Promise<void>;
}
