// How one block of each weight type is read, in slow English: the definition every kernel is held to. Layouts: blocks.ts.
// Source of the formulas: ggml-org/llama.cpp ggml/src/ggml-common.h and ggml-quants.c (dequantize_row_*).
import type { WeightType } from "./blocks.ts";

type BlockReader = (from: DataView, at: number, to: Float32Array, index: number) => void;

const half = (from: DataView, at: number): number => halfToNumber(from.getUint16(at, true));

/** Weight `i` of 32 in 16 bytes: the first 16 in the low nibbles, the others in the high ones. */
const nibble = (from: DataView, at: number, i: number): number => (from.getUint8(at + (i & 15)) >> (i < 16 ? 0 : 4)) & 15;

/** Weight `i` of 256 in 64 bytes: each half has 32 bytes, whose four bit pairs are 32 weights apart. */
const pair = (from: DataView, at: number, i: number): number => (from.getUint8(at + (i >> 7) * 32 + (i & 31)) >> (2 * ((i >> 5) & 3))) & 3;

/** Scale and offset of sub-block `sub` of Q4_K and Q5_K: 6 bits each, twelve bytes for eight. */
function scaleAndOffset(from: DataView, at: number, sub: number): readonly [scale: number, offset: number] {
  const packed = (i: number) => from.getUint8(at + i);
  if (sub < 4) return [packed(sub) & 63, packed(sub + 4) & 63];
  return [(packed(sub + 4) & 15) | ((packed(sub - 4) >> 6) << 4), (packed(sub + 4) >> 4) | ((packed(sub) >> 6) << 4)];
}

const IQ4_LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;
/** Twice the values of the 4-bit float E2M1. */
const MXFP4_LEVELS = [0, 1, 2, 3, 4, 6, 8, 12, -0, -1, -2, -3, -4, -6, -8, -12] as const;

/** Reads one block, `at` bytes into the file, into `to` from `index` on. */
export const READERS: Readonly<Record<WeightType, BlockReader>> = {
  F32: (from, at, to, index) => {
    to[index] = from.getFloat32(at, true);
  },
  F16: (from, at, to, index) => {
    to[index] = half(from, at);
  },
  BF16: (from, at, to, index) => {
    bits[0] = from.getUint16(at, true) << 16;
    to[index] = bitsAsFloat[0]!;
  },
  Q8_0: (from, at, to, index) => {
    const d = half(from, at);
    for (let i = 0; i < 32; i++) to[index + i] = d * from.getInt8(at + 2 + i);
  },
  Q4_0: (from, at, to, index) => {
    const d = half(from, at);
    for (let i = 0; i < 16; i++) {
      const byte = from.getUint8(at + 2 + i);
      to[index + i] = d * ((byte & 15) - 8);
      to[index + 16 + i] = d * ((byte >> 4) - 8);
    }
  },
  Q4_K: (from, at, to, index) => {
    const d = half(from, at);
    const min = half(from, at + 2);
    for (let sub = 0; sub < 8; sub++) {
      const [scale, offset] = scaleAndOffset(from, at + 4, sub);
      for (let i = 0; i < 32; i++) {
        const byte = from.getUint8(at + 16 + (sub >> 1) * 32 + i);
        to[index + sub * 32 + i] = d * scale * (sub % 2 === 0 ? byte & 15 : byte >> 4) - min * offset;
      }
    }
  },
  Q6_K: (from, at, to, index) => {
    const d = half(from, at + 208);
    for (let i = 0; i < 256; i++) {
      const side = i >> 7;
      const quarter = (i >> 5) & 3;
      const lane = i & 31;
      const low = (from.getUint8(at + side * 64 + (quarter & 1) * 32 + lane) >> ((quarter >> 1) * 4)) & 15;
      const high = (from.getUint8(at + 128 + side * 32 + lane) >> (quarter * 2)) & 3;
      to[index + i] = d * from.getInt8(at + 192 + (i >> 4)) * ((low | (high << 4)) - 32);
    }
  },
  Q4_1: (from, at, to, index) => {
    const d = half(from, at);
    const min = half(from, at + 2);
    for (let i = 0; i < 32; i++) to[index + i] = d * nibble(from, at + 4, i) + min;
  },
  Q5_0: (from, at, to, index) => {
    const d = half(from, at);
    const high = from.getUint32(at + 2, true);
    for (let i = 0; i < 32; i++) to[index + i] = d * ((nibble(from, at + 6, i) | (((high >>> i) & 1) << 4)) - 16);
  },
  Q5_1: (from, at, to, index) => {
    const d = half(from, at);
    const min = half(from, at + 2);
    const high = from.getUint32(at + 4, true);
    for (let i = 0; i < 32; i++) to[index + i] = d * (nibble(from, at + 8, i) | (((high >>> i) & 1) << 4)) + min;
  },
  Q2_K: (from, at, to, index) => {
    const d = half(from, at + 80);
    const min = half(from, at + 82);
    for (let i = 0; i < 256; i++) {
      const scale = from.getUint8(at + (i >> 4));
      to[index + i] = d * (scale & 15) * pair(from, at + 16, i) - min * (scale >> 4);
    }
  },
  Q3_K: (from, at, to, index) => {
    const d = half(from, at + 108);
    const packed = (i: number) => from.getUint8(at + 96 + i);
    for (let i = 0; i < 256; i++) {
      const sub = i >> 4;
      const low = sub < 8 ? packed(sub) & 15 : packed(sub - 8) >> 4;
      const scale = (low | (((packed(8 + (sub & 3)) >> (2 * (sub >> 2))) & 3) << 4)) - 32;
      const high = (from.getUint8(at + (i & 31)) >> (i >> 5)) & 1;
      to[index + i] = d * scale * (pair(from, at + 32, i) + 4 * high - 4);
    }
  },
  Q5_K: (from, at, to, index) => {
    const d = half(from, at);
    const min = half(from, at + 2);
    for (let i = 0; i < 256; i++) {
      const sub = i >> 5;
      const [scale, offset] = scaleAndOffset(from, at + 4, sub);
      const byte = from.getUint8(at + 48 + (sub >> 1) * 32 + (i & 31));
      const high = (from.getUint8(at + 16 + (i & 31)) >> sub) & 1;
      to[index + i] = d * scale * ((sub % 2 === 0 ? byte & 15 : byte >> 4) + 16 * high) - min * offset;
    }
  },
  IQ4_NL: (from, at, to, index) => {
    const d = half(from, at);
    for (let i = 0; i < 32; i++) to[index + i] = d * IQ4_LEVELS[nibble(from, at + 2, i)]!;
  },
  IQ4_XS: (from, at, to, index) => {
    const d = half(from, at);
    const high = from.getUint16(at + 2, true);
    const low = from.getUint32(at + 4, true);
    for (let i = 0; i < 256; i++) {
      const sub = i >> 5;
      const scale = (((low >>> (4 * sub)) & 15) | (((high >> (2 * sub)) & 3) << 4)) - 32;
      to[index + i] = d * scale * IQ4_LEVELS[nibble(from, at + 8 + 16 * sub, i & 31)]!;
    }
  },
  MXFP4: (from, at, to, index) => {
    // The levels are doubled, so the scale is half of 2^(e − 127).
    const d = 2 ** (from.getUint8(at) - 128);
    for (let i = 0; i < 32; i++) to[index + i] = d * MXFP4_LEVELS[nibble(from, at + 1, i)]!;
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
