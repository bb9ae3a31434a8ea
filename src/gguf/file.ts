// What a GGUF header says, as plain structured-cloneable data.

export type MetadataValue = string | number | boolean | readonly MetadataValue[];
/** Key → value as in the file. 64-bit integers are numbers, rounded past 2^53. */
export type Metadata = Readonly<Record<string, MetadataValue>>;

export interface GgufTensor {
  readonly name: string;
  /** GGUF order: the fastest axis first. A matrix that maps `columns` inputs to `rows` outputs is `[columns, rows]`. */
  readonly shape: readonly number[];
  /** ggml type id as the file stores it; always one of blocks.ts's types. */
  readonly type: number;
  /** Of the first byte, from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufFile {
  readonly metadata: Metadata;
  readonly tensors: readonly GgufTensor[];
  /** Bytes before the tensor data. */
  readonly headerBytes: number;
}
