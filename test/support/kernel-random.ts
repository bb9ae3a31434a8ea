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
  const halves = { Q8_0: { d: 0, range: 127 }, Q4_0: { d: 0, range: 8 }, Q4_K: { d: 0, min: 2, range: 15 * 63 }, Q6_K: { d: 208, range: 32 * 127 } }[type];
  for (let at = 0; at < bytes.length; at += size) {
    view.setUint16(at + halves.d, toHalf(((0.5 + rng.uniform()) * scale * (rng.uniform() < 0.1 ? -1 : 1)) / halves.range), true);
    if ("min" in halves) view.setUint16(at + halves.min, toHalf(((0.5 + rng.uniform()) * scale) / 63 / 2), true);
  }
  return bytes;
}

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
