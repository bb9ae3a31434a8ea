// The weight types: their ids and blocks in a GGUF, what the numbers mean, and how they lie in GPU memory.
//
// A matrix is `[rows, columns]`, a row contiguous in the file. GPU layout of each type (words are little-endian u32,
// the whole padded to 16 bytes, so that shaders may read vec4<u32>):
//
// | type      | block in the file (weights, bytes)           | on the GPU                                                    |
// | --------- | -------------------------------------------- | ------------------------------------------------------------- |
// | F32       | 1, 4                                         | as in the file                                                |
// | F16, BF16 | 1, 2                                         | as in the file: two weights a word, the first in the low half |
// | Q8_0      | 32, 34: f16 d, 32 × i8                       | all quants (8 words a block), then all d (two a word)         |
// | Q4_0      | 32, 18: f16 d, 16 × (low: i, high: i + 16)   | all quants (4 words a block), then all d (two a word)         |
// | Q4_K      | 256, 144: f16 d, f16 min, 12 scales, 128     | as in the file: 9 × 16 bytes                                  |
// | Q6_K      | 256, 210: 128 low, 64 high, 16 × i8, f16 d   | low + high + scales (13 × 16 bytes a block), then all d       |
//
// Source of the formulas: ggml-org/llama.cpp ggml/src/ggml-common.h and ggml-quants.c (dequantize_row_*).
import { AppError } from "../base/errors.ts";

export const WEIGHT_TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q6_K"] as const;
export type WeightType = (typeof WEIGHT_TYPES)[number];

interface Block {
  readonly id: number;
  readonly weights: number;
  readonly bytes: number;
  /** Bytes of the block that stay together; the rest (a f16 scale) moves to a plane behind them. */
  readonly quants: { readonly from: number; readonly bytes: number };
  readonly scaleAt?: number;
}

const BLOCKS: Readonly<Record<WeightType, Block>> = {
  F32: { id: 0, weights: 1, bytes: 4, quants: { from: 0, bytes: 4 } },
  F16: { id: 1, weights: 1, bytes: 2, quants: { from: 0, bytes: 2 } },
  Q4_0: { id: 2, weights: 32, bytes: 18, quants: { from: 2, bytes: 16 }, scaleAt: 0 },
  Q8_0: { id: 8, weights: 32, bytes: 34, quants: { from: 2, bytes: 32 }, scaleAt: 0 },
  Q4_K: { id: 12, weights: 256, bytes: 144, quants: { from: 0, bytes: 144 } },
  Q6_K: { id: 14, weights: 256, bytes: 210, quants: { from: 0, bytes: 208 }, scaleAt: 208 },
  BF16: { id: 30, weights: 1, bytes: 2, quants: { from: 0, bytes: 2 } },
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

/** Bytes of each plane of the matrix in the GPU layout, in order: the quants, then the scales that were moved out of the blocks. */
export function gpuPlanes(type: WeightType, rows: number, columns: number): readonly [quants: number, scales: number] {
  const { quants, scaleAt } = BLOCKS[type];
  const blocks = blockCount(type, rows, columns);
  return [blocks * quants.bytes, scaleAt === undefined ? 0 : blocks * 2];
}

/** Bytes of the same matrix in the GPU layout: a multiple of 16. */
export function gpuBytes(type: WeightType, rows: number, columns: number): number {
  const [quants, scales] = gpuPlanes(type, rows, columns);
  return Math.ceil((quants + scales) / 16) * 16;
}

/** The bytes of a GGUF matrix in the GPU layout; always a copy. Throws `model/format` when there are not exactly as many as the shape needs. */
export function repackToGpu(type: WeightType, bytes: Uint8Array, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const expected = fileBytes(type, rows, columns);
  if (bytes.byteLength !== expected) {
    throw new AppError("model/format", `A ${type} matrix of ${rows} × ${columns} weights takes ${expected} bytes, not ${bytes.byteLength}: the file is damaged.`, {
      data: { type, rows, columns, expected, found: bytes.byteLength },
    });
  }
  const out = new Uint8Array(gpuBytes(type, rows, columns));
  const { bytes: size, quants, scaleAt } = BLOCKS[type];
  if (scaleAt === undefined) {
    out.set(bytes);
    return out;
  }
  const blocks = blockCount(type, rows, columns);
  let scale = blocks * quants.bytes;
  for (let block = 0, from = 0; block < blocks; block++, from += size) {
    out.set(bytes.subarray(from + quants.from, from + quants.from + quants.bytes), block * quants.bytes);
    out[scale++] = bytes[from + scaleAt]!;
    out[scale++] = bytes[from + scaleAt + 1]!;
  }
  return out;
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

type BlockReader = (from: DataView, at: number, to: Float32Array, index: number) => void;

const READERS: Readonly<Record<WeightType, BlockReader>> = {
  F32: (from, at, to, index) => {
    to[index] = from.getFloat32(at, true);
  },
  F16: (from, at, to, index) => {
    to[index] = halfToNumber(from.getUint16(at, true));
  },
  BF16: (from, at, to, index) => {
    bits[0] = from.getUint16(at, true) << 16;
    to[index] = bitsAsFloat[0]!;
  },
  Q8_0: (from, at, to, index) => {
    const d = halfToNumber(from.getUint16(at, true));
    for (let i = 0; i < 32; i++) to[index + i] = d * from.getInt8(at + 2 + i);
  },
  Q4_0: (from, at, to, index) => {
    const d = halfToNumber(from.getUint16(at, true));
    for (let i = 0; i < 16; i++) {
      const byte = from.getUint8(at + 2 + i);
      to[index + i] = d * ((byte & 15) - 8);
      to[index + 16 + i] = d * ((byte >> 4) - 8);
    }
  },
  Q4_K: (from, at, to, index) => {
    const d = halfToNumber(from.getUint16(at, true));
    const min = halfToNumber(from.getUint16(at + 2, true));
    const packed = (i: number) => from.getUint8(at + 4 + i);
    for (let sub = 0; sub < 8; sub++) {
      const scale = sub < 4 ? packed(sub) & 63 : (packed(sub + 4) & 15) | ((packed(sub - 4) >> 6) << 4);
      const offset = sub < 4 ? packed(sub + 4) & 63 : (packed(sub + 4) >> 4) | ((packed(sub) >> 6) << 4);
      for (let i = 0; i < 32; i++) {
        const byte = from.getUint8(at + 16 + (sub >> 1) * 32 + i);
        to[index + sub * 32 + i] = d * scale * (sub % 2 === 0 ? byte & 15 : byte >> 4) - min * offset;
      }
    }
  },
  Q6_K: (from, at, to, index) => {
    const d = halfToNumber(from.getUint16(at + 208, true));
    for (let i = 0; i < 256; i++) {
      const half = i >> 7;
      const quarter = (i >> 5) & 3;
      const lane = i & 31;
      const low = (from.getUint8(at + half * 64 + (quarter & 1) * 32 + lane) >> ((quarter >> 1) * 4)) & 15;
      const high = (from.getUint8(at + 128 + half * 32 + lane) >> (quarter * 2)) & 3;
      to[index + i] = d * from.getInt8(at + 192 + (i >> 4)) * ((low | (high << 4)) - 32);
    }
  },
};

const bits = new Uint32Array(1);
const bitsAsFloat = new Float32Array(bits.buffer);

/** An IEEE half as a number, subnormals, infinities and NaN included. */
export function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
