// The weight types: their ids and blocks in a GGUF, what the numbers mean, and how they lie in GPU memory.
//
// A matrix is `[rows, columns]`, a row contiguous in the file. GPU layout of each type (words are little-endian u32,
// the whole padded to 16 bytes, so that shaders may read vec4<u32>):
//
// | type          | block in the file (weights, bytes)                    | on the GPU                                                    |
// | ------------- | ----------------------------------------------------- | ------------------------------------------------------------- |
// | F32           | 1, 4                                                  | as in the file                                                |
// | F16, BF16     | 1, 2                                                  | as in the file: two weights a word, the first in the low half |
// | Q4_K, Q5_K    | 256, 144 or 176: f16 d, f16 min, 12 scales, …         | as in the file: 9 or 11 × 16 bytes                            |
// | Q8_0          | 32, 34: f16 d, 32 × i8                                | 32-byte quants, d                                             |
// | Q4_0, IQ4_NL  | 32, 18: f16 d, 16 × (low: i, high: i + 16)            | 16-byte quants, d                                             |
// | Q4_1          | 32, 20: f16 d, f16 min, 16 quants                     | 16-byte quants, d and min                                     |
// | Q5_0          | 32, 22: f16 d, 32 high bits, 16 quants                | 16-byte quants, high bits, d                                  |
// | Q5_1          | 32, 24: f16 d, f16 min, 32 high bits, 16 quants       | 16-byte quants, 8 bytes of d, min and high bits               |
// | MXFP4         | 32, 17: exponent, 16 quants                           | 16-byte quants, exponent                                      |
// | Q2_K          | 256, 84: 16 scales, 64 quants, f16 d, f16 min         | 80 bytes of scales and quants, d and min                      |
// | Q3_K          | 256, 110: 32 high bits, 64 quants, 12 scales, f16 d   | 96 bytes of high bits and quants, scales, d                   |
// | Q6_K          | 256, 210: 128 low, 64 high, 16 × i8, f16 d            | 208 bytes of low, high and scales, d                          |
// | IQ4_XS        | 256, 136: f16 d, 6-bit scales (2 + 4 bytes), 128      | 128-byte quants, 8 bytes of d and scales                      |
//
// A comma is a plane: those parts of all blocks, one after the other, then the next parts of all blocks. The first plane's parts
// are multiples of 16 bytes; each plane starts on a word, since the ones before it do.
//
// Source of the formulas: ggml-org/llama.cpp ggml/src/ggml-common.h and ggml-quants.c (dequantize_row_*).
import { AppError } from "../base/errors.ts";
import { READERS } from "./block-readers.ts";

export { halfToNumber } from "./block-readers.ts";

export const WEIGHT_TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"] as const;
export type WeightType = (typeof WEIGHT_TYPES)[number];

/** A part of a block: of all blocks of a matrix it makes a plane of the GPU layout. */
interface Part {
  readonly at: number;
  readonly bytes: number;
}

interface Block {
  readonly id: number;
  readonly weights: number;
  readonly bytes: number;
  /** Every byte of the block is in one of them. */
  readonly planes: readonly Part[];
}

const asInFile = (id: number, weights: number, bytes: number): Block => ({ id, weights, bytes, planes: [{ at: 0, bytes }] });

const BLOCKS: Readonly<Record<WeightType, Block>> = {
  F32: asInFile(0, 1, 4),
  F16: asInFile(1, 1, 2),
  BF16: asInFile(30, 1, 2),
  Q4_0: { id: 2, weights: 32, bytes: 18, planes: [{ at: 2, bytes: 16 }, { at: 0, bytes: 2 }] },
  Q4_1: { id: 3, weights: 32, bytes: 20, planes: [{ at: 4, bytes: 16 }, { at: 0, bytes: 4 }] },
  Q5_0: { id: 6, weights: 32, bytes: 22, planes: [{ at: 6, bytes: 16 }, { at: 2, bytes: 4 }, { at: 0, bytes: 2 }] },
  Q5_1: { id: 7, weights: 32, bytes: 24, planes: [{ at: 8, bytes: 16 }, { at: 0, bytes: 8 }] },
  Q8_0: { id: 8, weights: 32, bytes: 34, planes: [{ at: 2, bytes: 32 }, { at: 0, bytes: 2 }] },
  Q2_K: { id: 10, weights: 256, bytes: 84, planes: [{ at: 0, bytes: 80 }, { at: 80, bytes: 4 }] },
  Q3_K: { id: 11, weights: 256, bytes: 110, planes: [{ at: 0, bytes: 96 }, { at: 96, bytes: 12 }, { at: 108, bytes: 2 }] },
  Q4_K: asInFile(12, 256, 144),
  Q5_K: asInFile(13, 256, 176),
  Q6_K: { id: 14, weights: 256, bytes: 210, planes: [{ at: 0, bytes: 208 }, { at: 208, bytes: 2 }] },
  IQ4_NL: { id: 20, weights: 32, bytes: 18, planes: [{ at: 2, bytes: 16 }, { at: 0, bytes: 2 }] },
  IQ4_XS: { id: 23, weights: 256, bytes: 136, planes: [{ at: 8, bytes: 128 }, { at: 0, bytes: 8 }] },
  MXFP4: { id: 39, weights: 32, bytes: 17, planes: [{ at: 1, bytes: 16 }, { at: 0, bytes: 1 }] },
};

/** Names of all types ggml has had, for messages about those that cannot run here. */
const GGML_NAMES: Readonly<Record<number, string>> = {
  0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K",
  14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
  24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4",
};

/** `12` → "Q4_K", for any type ggml knows; "type 99" for the rest. */
export function typeName(id: number): string {
  return GGML_NAMES[id] ?? `type ${id}`;
}

/** The type with this ggml id, or undefined when we have no kernels for it. */
export function findWeightType(id: number): WeightType | undefined {
  return WEIGHT_TYPES.find((type) => BLOCKS[type].id === id);
}

/** The type with this ggml id. Throws `model/unsupported` naming tensor and type. */
export function weightType(id: number, tensor: string): WeightType {
  const type = findWeightType(id);
  if (type) return type;
  throw new AppError("model/unsupported", `Tensor ${tensor} is of type ${typeName(id)}, which cannot run here. Use a file with ${WEIGHT_TYPES.join(", ")} only.`, {
    data: { tensor, type: typeName(id) },
  });
}

export function typeId(type: WeightType): number {
  return BLOCKS[type].id;
}

/** Weights of one block: a row's length must be a multiple of it. */
export function blockWeights(type: WeightType): number {
  return BLOCKS[type].weights;
}

function blockCount(type: WeightType, rows: number, columns: number): number {
  const { weights } = BLOCKS[type];
  if (columns % weights !== 0) {
    throw new AppError("model/format", `A ${type} matrix has rows of ${columns} weights, which is no multiple of ${weights}: the file is damaged or of a newer format.`, {
      data: { type, rows, columns },
    });
  }
  return rows * (columns / weights);
}

/** Bytes of a `[rows, columns]` matrix in a GGUF. Throws `model/format` when a row is no whole number of blocks. */
export function fileBytes(type: WeightType, rows: number, columns: number): number {
  return blockCount(type, rows, columns) * BLOCKS[type].bytes;
}

/** Bytes of each plane of the matrix in the GPU layout, in order: the quants, then what was moved out of the blocks. */
export function gpuPlanes(type: WeightType, rows: number, columns: number): readonly number[] {
  const blocks = blockCount(type, rows, columns);
  return BLOCKS[type].planes.map(({ bytes }) => blocks * bytes);
}

/** Bytes of the same matrix in the GPU layout: a multiple of 16. */
export function gpuBytes(type: WeightType, rows: number, columns: number): number {
  return Math.ceil(fileBytes(type, rows, columns) / 16) * 16;
}

/** The bytes of a GGUF matrix in the GPU layout; always a copy. Throws `model/format` when there are not exactly as many as the shape needs. */
export function repackToGpu(type: WeightType, bytes: Uint8Array, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  checkSize(type, bytes, rows, columns);
  const out = new Uint8Array(gpuBytes(type, rows, columns));
  repackInto(type, bytes, rows, columns, out);
  return out;
}

/** As `repackToGpu`, into `gpuBytes` bytes at the start of `out`, whose place in its buffer is a multiple of 4. Padding is left as it is. */
export function repackInto(type: WeightType, bytes: Uint8Array, rows: number, columns: number, out: Uint8Array): void {
  checkSize(type, bytes, rows, columns);
  const { bytes: size, planes } = BLOCKS[type];
  if (planes.length === 1) {
    out.set(bytes);
    return;
  }
  const blocks = blockCount(type, rows, columns);
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = out.byteOffset;
  for (const part of planes) {
    movePart(from, size, part, out.buffer, start, blocks);
    start += blocks * part.bytes;
  }
}

/**
 * One part of every block, word by word: most blocks are too short for `set`, whose call costs more than its copy. GB/s of `set`
 * and of this, 512 × 2048 weights, Node 20, two busy cores, 2026-11-26: Q8_0 0.45 and 3.1, Q4_0 0.22 and 2.3, Q6_K 3.0 and 4.0.
 */
function movePart(from: DataView, size: number, { at, bytes }: Part, to: ArrayBufferLike, start: number, blocks: number): void {
  if (bytes === 1) {
    const out = new Uint8Array(to, start, blocks);
    for (let block = 0; block < blocks; block++) out[block] = from.getUint8(block * size + at);
  } else if (bytes === 2) {
    const out = new Uint16Array(to, start, blocks);
    for (let block = 0; block < blocks; block++) out[block] = from.getUint16(block * size + at, true);
  } else if (bytes % 16 === 0) {
    moveVectors(from, size, at, bytes, new Uint32Array(to, start, (blocks * bytes) / 4), blocks);
  } else {
    const out = new Uint32Array(to, start, (blocks * bytes) / 4);
    for (let block = 0, i = 0; block < blocks; block++) {
      for (let word = block * size + at, end = word + bytes; word < end; word += 4) out[i++] = from.getUint32(word, true);
    }
  }
}

function moveVectors(from: DataView, size: number, at: number, bytes: number, out: Uint32Array, blocks: number): void {
  for (let block = 0, i = 0; block < blocks; block++) {
    for (let word = block * size + at, end = word + bytes; word < end; word += 16, i += 4) {
      out[i] = from.getUint32(word, true);
      out[i + 1] = from.getUint32(word + 4, true);
      out[i + 2] = from.getUint32(word + 8, true);
      out[i + 3] = from.getUint32(word + 12, true);
    }
  }
}

function checkSize(type: WeightType, bytes: Uint8Array, rows: number, columns: number): void {
  const expected = fileBytes(type, rows, columns);
  if (bytes.byteLength === expected) return;
  throw new AppError("model/format", `A ${type} matrix of ${rows} × ${columns} weights takes ${expected} bytes, not ${bytes.byteLength}: the file is damaged.`, {
    data: { type, rows, columns, expected, found: bytes.byteLength },
  });
}

/** `count` weights of a GGUF tensor as numbers: the definition every kernel is held to. */
export function dequantise(type: WeightType, bytes: Uint8Array, count: number): Float32Array<ArrayBuffer> {
  const { weights, bytes: size } = BLOCKS[type];
  const blocks = blockCount(type, 1, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(count);
  for (let block = 0; block < blocks; block++) READERS[type](view, block * size, out, block * weights);
  return out;
}
