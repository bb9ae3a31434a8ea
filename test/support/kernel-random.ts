// Seeded random numbers, shapes and weights for kernel tests. The seed is in every failure's message.
import { blockWeights, fileBytes, type WeightType } from "../../src/gguf/blocks.ts";

export interface Rng {
  /** In [0, 1). */
  uniform(): number;
  /** Whole, both ends included. */
  int(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  normal(count: number, scale?: number): Float32Array<ArrayBuffer>;
}

/** mulberry32 */
export function seeded(seed: number): Rng {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    uniform,
    int: (from, to) => from + Math.floor(uniform() * (to - from + 1)),
    pick: (from) => from[Math.floor(uniform() * from.length)]!,
    normal: (count, scale = 1) => Float32Array.from({ length: count }, () => scale * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())),
  };
}

/** Bytes of a random matrix as a GGUF has it: any quants, scales such that weights are of the order of `scale`. */
export function randomMatrix(rng: Rng, type: WeightType, rows: number, columns: number, scale = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fileBytes(type, rows, columns));
  const view = new DataView(bytes.buffer);
  if (type === "F32" || type === "F16" || type === "BF16") {
    const values = rng.normal(rows * columns, scale);
    values.forEach((value, i) => {
      if (type === "F32") view.setFloat32(i * 4, value, true);
      else if (type === "F16") view.setUint16(i * 2, toHalf(value), true);
      else view.setUint16(i * 2, toBits(value) >>> 16, true);
    });
    return bytes;
  }
  for (let i = 0; i < bytes.length; i++) bytes[i] = rng.int(0, 255);
  const size = fileBytes(type, 1, blockWeights(type));
  const { d, range, min, minRange = 2 } = SCALES[type];
  for (let at = 0; at < bytes.length; at += size) {
    const unit = ((0.5 + rng.uniform()) * scale) / range;
    if (type === "MXFP4") bytes[at + d] = 128 + Math.round(Math.log2(unit));
    else view.setUint16(at + d, toHalf(unit * (rng.uniform() < 0.1 ? -1 : 1)), true);
    if (min !== undefined) view.setUint16(at + min, toHalf(((0.5 + rng.uniform()) * scale) / minRange), true);
  }
  return bytes;
}

/** Where a block's scale (and minimum) lie, and by how much its quants and own scales multiply them at most. */
const SCALES: Readonly<Record<Exclude<WeightType, "F32" | "F16" | "BF16">, { readonly d: number; readonly range: number; readonly min?: number; readonly minRange?: number }>> = {
  Q8_0: { d: 0, range: 127 },
  Q4_0: { d: 0, range: 8 },
  Q4_1: { d: 0, range: 15, min: 2 },
  Q5_0: { d: 0, range: 16 },
  Q5_1: { d: 0, range: 31, min: 2 },
  Q2_K: { d: 80, range: 3 * 15, min: 82, minRange: 15 * 2 },
  Q3_K: { d: 108, range: 4 * 32 },
  Q4_K: { d: 0, range: 15 * 63, min: 2, minRange: 63 * 2 },
  Q5_K: { d: 0, range: 31 * 63, min: 2, minRange: 63 * 2 },
  Q6_K: { d: 208, range: 32 * 127 },
  IQ4_NL: { d: 0, range: 127 },
  IQ4_XS: { d: 0, range: 127 * 32 },
  MXFP4: { d: 0, range: 12 },
};

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

function toBits(value: number): number {
  float[0] = value;
  return word[0]!;
}

/** The nearest half towards zero; values here are far from the ends of its range, or become zero. */
export function toHalf(value: number): number {
  const bits = toBits(value);
  const exponent = ((bits >>> 23) & 255) - 127 + 15;
  return ((bits >>> 16) & 0x8000) | (exponent <= 0 ? 0 : (exponent << 10) | ((bits >>> 13) & 1023));
}
