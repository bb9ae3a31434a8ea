// The one place where WGSL text is put together: a kernel marks the code that depends on a weight type or on what the device can
// do, and the code of the chosen type, or of the device's feature, takes its place.
//
//   // weights gate: arena          <- function suffix, buffer it reads
//   fn unpack_gate(…) …             <- no weights, so that the file is WGSL as it stands
//   // end weights
//   // reduce total: f32 in sums    <- function, what it adds up, the array it may use: `lanes` of them
//   fn total(…) …                   <- over shared memory, for every device; with subgroups reduce/*.wgsl takes its place
//   // end reduce
//   // quads                        <- where a subgroup is four lanes of a CPU's register quads.wgsl takes its place
//   fn eight(…) …
//   // end quads
//
// Every dequant/*.wgsl defines `unpack_weights(start, rows, units, row, unit)`: the 32 weights of one unit of a row, for a
// matrix that starts at vec4 `start` of `weights`, in the layout of src/gguf/blocks.ts: 8 vec4s. A kernel whose mark also holds
// `dots_gate(…)` multiplies by parts where it can: a part is, of each of the 8 units from `place` & ~7 on, the vec4 with the number
// `place` & 7 (ops/matvec.wgsl says what for). For the types that large models are made of parts/*.wgsl defines
// `read_part_weights(start, rows, units, row, place)`, the words that hold it, and `dot_part_weights(part, x)`, with a block's scales
// applied to sums instead of weights. `x` is `Inputs`, which the kernel declares: the 8 vec4s of x, and in `near` and `far` the
// sums of each, the same for all rows.
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
import partsF32 from "./parts/f32.wgsl?raw";
import partsHalves from "./parts/halves.wgsl?raw";
import noParts from "./parts/none.wgsl?raw";
import partsQ4K from "./parts/q4_k.wgsl?raw";
import partsQ5K from "./parts/q5_k.wgsl?raw";
import partsQ6K from "./parts/q6_k.wgsl?raw";
import partsQ80 from "./parts/q8_0.wgsl?raw";
import twoRows from "./parts/two-rows.wgsl?raw";
import quadsOfLanes from "./quads.wgsl?raw";
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

const PARTS: Partial<Readonly<Record<KernelWeightType, string>>> = { F32: partsF32, F16: partsHalves, BF16: partsHalves, Q8_0: partsQ80, Q4_K: partsQ4K, Q5_K: partsQ5K, Q6_K: partsQ6K };

/** Weights of one unit; the columns of every matrix are a multiple of it. */
export const UNIT = 32;

const REDUCTIONS: Readonly<Record<string, string>> = { total, largest_of: largest, row_sum: rows };

/**
 * f16 arithmetic is not used: activations before a norm's scale can leave its range, and sums would lose what the tests hold
 * them to. Halves in the weights become numbers by the device's own conversion instead of one put together from integers.
 */
const HALVES = "fn halves(word: u32) -> vec2<f32> { return vec2<f32>(bitcast<vec2<f16>>(word)); }\n";

/** The kernel's source with the code of `types[suffix]`, and of the device's features, in every marked place. */
export function specialise(source: string, types: Readonly<Record<string, string>>, { subgroups, f16, quads }: KernelFeatures = PLAIN): string {
  const code = source.replace(/^\/\/ weights (\w+): (\w+)\n[\s\S]*?^\/\/ end weights$/gm, (block, suffix: string, buffer: string) => {
    const type = types[suffix] as KernelWeightType;
    const snippet = block.includes(`fn dots_${suffix}(`) ? `${SNIPPETS[type]}${PARTS[type] ?? noParts}${twoRows}` : SNIPPETS[type];
    return snippet.replaceAll(/_weights\b/g, `_${suffix}`).replaceAll(/^(?!\/\/)(.*)$/gm, (line) => line.replaceAll(/\bweights\b/g, buffer));
  });
  const reduced = subgroups ? withSubgroups(code) : quads ? withQuads(code) : code;
  return f16 && reduced.includes("unpack2x16float(") ? `enable f16;\n${reduced.replaceAll("unpack2x16float(", "halves(")}${HALVES}` : reduced;
}

function withSubgroups(source: string): string {
  const code = source.replace(/^\/\/ reduce (\w+): (\S+) in (\w+)\n[\s\S]*?^\/\/ end reduce$/gm, (_block, name: string, value: string, shared: string) =>
    REDUCTIONS[name]!.replaceAll("VALUE", value).replaceAll("SHARED", shared).replaceAll("WITHIN", withinOf(value)),
  );
  return code === source ? source : `enable subgroups;\n${code}`;
}

/**
 * The compiler cannot see that the lanes of a quad always run together, and is told not to ask: their loops end alike, and none of
 * them leaves early (rows past the end are the last row again).
 */
function withQuads(source: string): string {
  const code = source.replace(/^\/\/ quads\n[\s\S]*?^\/\/ end quads$/m, quadsOfLanes);
  return code === source ? source : `enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n${code}`;
}

/** Lanes exchange vectors, not matrices. */
function withinOf(value: string): string {
  return value === "mat2x4<f32>" ? `${value}(within_subgroup(value[0], size), within_subgroup(value[1], size))` : "within_subgroup(value, size)";
}

/** Lanes of a workgroup, for kernels that share no rows: on an adapter that computes on the CPU a barrier switches coroutines. */
export function lanesFor(software: boolean): number {
  return software ? 16 : 64;
}

/** How a kernel that multiplies rows shares them out; ops/matvec.wgsl says what each is. */
export interface Lanes {
  readonly lanes: number;
  readonly lanes_per_row: number;
  readonly rows_per_lane: number;
  readonly parts: 0 | 1;
}

/** What is multiplied: so many `rows`, of these types. */
export interface RowShape {
  /** Columns of a row, for every matrix that a row of the result takes one after the other. */
  readonly columns: readonly number[];
  readonly rows: number;
  readonly types: readonly KernelWeightType[];
}

/** From this many rows on starting workgroups takes longer than what they read. */
const TALL = 32_768;

/**
 * On a GPU up to 128 lanes share a row, by parts where columns and types allow it: a token's matrices are small, and fewer lanes a
 * row leave most of the GPU idle. On an adapter that computes on the CPU all lanes of a reduction are loops, so a row is one
 * lane's: the bundled model's projections take a third of the time (SwiftShader in Chromium 156, two cores, 2026-11-22).
 *
 * Chosen by variants written for the purpose, with rows unrolled and scales applied after the sum, on an H100 under Dawn (2026-11-26).
 * Microseconds in turn, Q4_K, by units with 4 rows a lane / of the variant by parts with 2, 64 lanes a row / of reading the same bytes:
 * 512 × 2048 8.3 / 4.8 / 4.4, 2048 × 2048 8.4 / 5.8 / 4.5, 2048 × 4096 12.0 / 7.6 / 5.0, 8192 × 2048 14.9 / 10.3 / 6.4; tall, with 128
 * lanes and 32 a row: 151,936 × 2048 157 / 105 / 59. What is here took 6.0, 6.7, –, 13.1 and 121 on an H200 (2026-11-27, docs/measured.md),
 * where 32 lanes a row took 1.2 to 1.7 times as long as the better of 64 and 128.
 */
export function rowLanes(software: boolean, { columns, rows, types }: RowShape): Lanes {
  if (software) return { lanes: lanesFor(true), lanes_per_row: 1, rows_per_lane: 4, parts: 0 };
  const parts = columns.every((width) => width % (8 * UNIT) === 0) && types.every((type) => type === "none" || type in PARTS);
  const tall = parts && rows >= TALL;
  const most = tall ? 32 : parts ? 128 : 64;
  const places = columns.reduce((sum, width) => sum + width, 0) / UNIT;
  let shared = 1;
  while (shared < most && shared * 2 <= places) shared *= 2;
  return { lanes: tall ? 128 : Math.max(lanesFor(false), shared), lanes_per_row: shared, rows_per_lane: parts ? 2 : 4, parts: parts ? 1 : 0 };
}
