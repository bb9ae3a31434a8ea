// The one place where WGSL text is put together: a kernel marks the code that depends on a weight type or on what the device can
// do, and the code of the chosen type, or of the device's feature, takes its place.
//
//   // weights gate: arena          <- function suffix, buffer it reads
//   fn unpack_gate(…) …             <- no weights, so that the file is WGSL as it stands
//   // end weights
//   // reduce total: f32 in sums    <- function, what it adds up, the array it may use: `lanes` of them
//   fn total(…) …                   <- over shared memory, for every device; with subgroups reduce/*.wgsl takes its place
//   // end reduce
//
// Every dequant/*.wgsl defines `unpack_weights(start, rows, units, row, unit)`: the 32 weights of one unit of a row, for a
// matrix that starts at vec4 `start` of `weights`, in the layout of src/gguf/blocks.ts.
import type { WeightType } from "../gguf/blocks.ts";
import { type KernelFeatures, PLAIN } from "../gpu/kernel.ts";
import bf16 from "./dequant/bf16.wgsl?raw";
import f16 from "./dequant/f16.wgsl?raw";
import f32 from "./dequant/f32.wgsl?raw";
import iq4_nl from "./dequant/iq4_nl.wgsl?raw";
import iq4_xs from "./dequant/iq4_xs.wgsl?raw";
import mxfp4 from "./dequant/mxfp4.wgsl?raw";
import none from "./dequant/none.wgsl?raw";
import q2_k from "./dequant/q2_k.wgsl?raw";
import q3_k from "./dequant/q3_k.wgsl?raw";
import q4_0 from "./dequant/q4_0.wgsl?raw";
import q4_1 from "./dequant/q4_1.wgsl?raw";
import q4_k from "./dequant/q4_k.wgsl?raw";
import q5_0 from "./dequant/q5_0.wgsl?raw";
import q5_1 from "./dequant/q5_1.wgsl?raw";
import q5_k from "./dequant/q5_k.wgsl?raw";
import q6_k from "./dequant/q6_k.wgsl?raw";
import q8_0 from "./dequant/q8_0.wgsl?raw";
import largest from "./reduce/largest.wgsl?raw";
import rows from "./reduce/rows.wgsl?raw";
import total from "./reduce/total.wgsl?raw";

/** `none` stands for a weight binding that this dispatch does not use. */
export type KernelWeightType = WeightType | "none";

const SNIPPETS: Readonly<Record<KernelWeightType, string>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  Q8_0: q8_0,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q2_K: q2_k,
  Q3_K: q3_k,
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
  IQ4_NL: iq4_nl,
  IQ4_XS: iq4_xs,
  MXFP4: mxfp4,
  none,
};

/** Weights of one unit; the columns of every matrix are a multiple of it. */
export const UNIT = 32;

const REDUCTIONS: Readonly<Record<string, string>> = { total, largest_of: largest, row_sum: rows };

/**
 * f16 arithmetic is not used: activations before a norm's scale can leave its range, and sums would lose what the tests hold
 * them to. Halves in the weights become numbers by the device's own conversion instead of one put together from integers.
 */
const HALVES = "fn halves(word: u32) -> vec2<f32> { return vec2<f32>(bitcast<vec2<f16>>(word)); }\n";

/** The kernel's source with the code of `types[suffix]`, and of the device's features, in every marked place. */
export function specialise(source: string, types: Readonly<Record<string, string>>, { subgroups, f16 }: KernelFeatures = PLAIN): string {
  const code = source.replace(/^\/\/ weights (\w+): (\w+)\n[\s\S]*?^\/\/ end weights$/gm, (_block, suffix: string, buffer: string) =>
    SNIPPETS[types[suffix] as KernelWeightType].replaceAll(/_weights\b/g, `_${suffix}`).replaceAll(/^(?!\/\/)(.*)$/gm, (line) => line.replaceAll(/\bweights\b/g, buffer)),
  );
  const reduced = subgroups ? withSubgroups(code) : code;
  return f16 && reduced.includes("unpack2x16float(") ? `enable f16;\n${reduced.replaceAll("unpack2x16float(", "halves(")}${HALVES}` : reduced;
}

function withSubgroups(source: string): string {
  const code = source.replace(/^\/\/ reduce (\w+): (\S+) in (\w+)\n[\s\S]*?^\/\/ end reduce$/gm, (_block, name: string, value: string, shared: string) =>
    REDUCTIONS[name]!.replaceAll("VALUE", value).replaceAll("SHARED", shared).replaceAll("WITHIN", withinOf(value)),
  );
  return code === source ? source : `enable subgroups;\n${code}`;
}

/** Lanes exchange vectors, not matrices. */
function withinOf(value: string): string {
  return value === "mat2x4<f32>" ? `${value}(within_subgroup(value[0], size), within_subgroup(value[1], size))` : "within_subgroup(value, size)";
}

/** Lanes of a workgroup, and how many of them share a row of `columns` weights. */
export interface Lanes {
  readonly lanes: number;
  readonly lanes_per_row: number;
}

/**
 * On a GPU, neighbouring lanes read neighbouring blocks, and up to 64 share a row: a token's matrices are small, and fewer lanes a
 * row leave most of the GPU idle (H200, 2026-11-26, a row shared by 64 lanes for one shared by 16: 10.0 µs for 17.2 at 2048 × 2048
 * Q4_K, 14.9 for 24.7 at Q6_K, 8.4 for 16.8 at 512 × 2048 Q4_K; wider workgroups gained nothing). On an adapter that computes on the CPU a barrier switches coroutines
 * and all lanes of a reduction are loops, so workgroups are small and a row is one lane's: the bundled model's projections take
 * a third of the time (SwiftShader in Chromium 156, two cores, 2026-11-22).
 */
export function lanesFor(software: boolean, columns: number): Lanes {
  if (software) return { lanes: 16, lanes_per_row: 1 };
  let shared = 1;
  while (shared < 64 && shared * 2 <= columns / UNIT) shared *= 2;
  return { lanes: 64, lanes_per_row: shared };
}
