// The one place where WGSL text is put together: a kernel marks the code that depends on a weight type, and the code of
// the chosen type takes its place.
//
//   // weights gate: arena          <- function suffix, buffer it reads
//   fn unpack_gate(…) …             <- no weights, so that the file is WGSL as it stands
//   // end weights
//
// Every dequant/*.wgsl defines `unpack_weights(start, rows, units, row, unit)`: the 32 weights of one unit of a row, for a
// matrix that starts at vec4 `start` of `weights`, in the layout of src/gguf/blocks.ts.
import type { WeightType } from "../gguf/blocks.ts";
import bf16 from "./dequant/bf16.wgsl?raw";
import f16 from "./dequant/f16.wgsl?raw";
import f32 from "./dequant/f32.wgsl?raw";
import none from "./dequant/none.wgsl?raw";
import q4_0 from "./dequant/q4_0.wgsl?raw";
import q4_k from "./dequant/q4_k.wgsl?raw";
import q6_k from "./dequant/q6_k.wgsl?raw";
import q8_0 from "./dequant/q8_0.wgsl?raw";

/** `none` stands for a weight binding that this dispatch does not use. */
export type KernelWeightType = WeightType | "none";

const SNIPPETS: Readonly<Record<KernelWeightType, string>> = { F32: f32, F16: f16, BF16: bf16, Q8_0: q8_0, Q4_0: q4_0, Q4_K: q4_k, Q6_K: q6_k, none };

/** Weights of one unit; the columns of every matrix are a multiple of it. */
export const UNIT = 32;

/** The kernel's source with the code of `types[suffix]` in every marked place. */
export function specialise(source: string, types: Readonly<Record<string, string>>): string {
  return source.replace(/^\/\/ weights (\w+): (\w+)\n[\s\S]*?^\/\/ end weights$/gm, (_block, suffix: string, buffer: string) =>
    SNIPPETS[types[suffix] as KernelWeightType].replaceAll(/_weights\b/g, `_${suffix}`).replaceAll(/^(?!\/\/)(.*)$/gm, (line) => line.replaceAll(/\bweights\b/g, buffer)),
  );
}

/** Lanes of a workgroup, and how many of them share a row of `columns` weights. */
export interface Lanes {
  readonly lanes: number;
  readonly lanes_per_row: number;
}

/**
 * On a GPU, neighbouring lanes read neighbouring blocks. On an adapter that computes on the CPU a barrier switches coroutines
 * and all lanes of a reduction are loops, so workgroups are small and a row is one lane's: the bundled model's projections take
 * a third of the time (SwiftShader in Chromium 156, two cores, 2026-11-22).
 */
export function lanesFor(software: boolean, columns: number): Lanes {
  if (software) return { lanes: 16, lanes_per_row: 1 };
  let shared = 1;
  while (shared < 16 && shared * 2 <= columns / UNIT) shared *= 2;
  return { lanes: 64, lanes_per_row: shared };
}
