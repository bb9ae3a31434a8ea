// The matrix kernels of a token at the full model's dimensions, each against its definition and against a device copy measured
// in the same run. Loaded through vite, which knows what `?raw` is; needs only a `navigator.gpu`.
//
// A dispatch reads other weights than the one before it, out of an arena far larger than any cache, so the bytes come from
// memory. "in turn": each waits for the one before, as in a token. "overlapped": none does, which shows what the loads alone
// can do. Times are of many dispatches in one pass, on the wall clock, after a warm-up; the median of several passes.
import { blockWeights, dequantise, fileBytes, gpuBytes, repackToGpu, type WeightType } from "../../gguf/blocks.ts";
import { type Gpu, openGpu } from "../../gpu/device.ts";
import { type Dispatch, encode, prepare } from "../../gpu/dispatch.ts";
import { readBuffer } from "../../gpu/readback.ts";
import { type Lanes, matvec, rowLanes } from "../../kernels/index.ts";
import { matvecReference } from "../../kernels/ops/matvec.ts";
import { expertsFigures } from "./gpu-experts.ts";
import { type ProductFigure, productFigures } from "./gpu-products.ts";
import { variantFigures } from "./gpu-variants.ts";
import { median } from "./measurement.ts";

/** One kernel at one shape. */
export interface KernelFigure {
  readonly kernel: string;
  readonly shape: string;
  readonly type: string;
  /** Bytes of weights one dispatch reads. */
  readonly bytes: number;
  /** Microseconds of one dispatch, in turn and overlapped. */
  readonly inTurn: number;
  readonly overlapped: number;
  /** Microseconds of a copying kernel that reads and writes as many bytes in all, in turn: what a dispatch of this size can reach. */
  readonly copy: number;
  /** The largest difference from the f64 definition, as a part of the largest result. */
  readonly error: number;
}

/** All figures of one adapter. */
export interface KernelBench {
  readonly adapter: string;
  /** Bytes read and written per second by copyBufferToBuffer and by a copying kernel, each the best of several runs. */
  readonly copies: readonly [driver: number, kernel: number];
  readonly figures: readonly KernelFigure[];
  readonly products: readonly ProductFigure[];
}

export const TYPES = ["Q4_K", "Q6_K", "Q8_0"] as const satisfies readonly WeightType[];
/** [rows, columns]: the square, both sides of a wide projection, one expert's gate or up, the head. */
export const SHAPES = [[2048, 2048], [8192, 2048], [2048, 8192], [512, 2048], [151_936, 2048]] as const;
/** Rows of a matrix that are computed in f64 as well; of more rows, the first and the last so many. */
const CHECKED_ROWS = 1024;
const PASSES = 7;

/** Bytes of weights to rotate through: beyond the largest cache of a GPU (50 to 96 MB), within every binding limit we meet. */
const ARENA_BYTES = 768 * 2 ** 20;

/** How much to measure with. */
export interface Effort {
  /** Bytes of weights to rotate through. */
  readonly arenaBytes: number;
  /** Bytes that one timed pass reads. */
  readonly passBytes: number;
  readonly largestRows: number;
}
const FULL: Effort = { arenaBytes: ARENA_BYTES, passBytes: 8 * 2 ** 30, largestRows: Infinity };
/** For adapters that compute on the CPU: the same code, so that it can be tried without a GPU. */
const SMALL: Effort = { arenaBytes: 2 ** 20, passBytes: 2 ** 20, largestRows: 2048 };

export async function benchKernels(say: (line: string) => void): Promise<KernelBench> {
  const gpu = await openGpu();
  try {
    const effort = gpu.report.software ? SMALL : { ...FULL, arenaBytes: Math.min(ARENA_BYTES, gpu.report.maxBindingBytes) };
    const copies = await measureCopies(gpu, effort);
    say(`${gpu.report.adapter}: copies move ${copies.map((rate) => (rate / 1e9).toFixed(0)).join(" and ")} GB/s`);
    const figures: KernelFigure[] = [];
    for (const [rows, columns] of SHAPES) {
      if (rows > effort.largestRows) continue;
      for (const type of TYPES) {
        figures.push(await matvecFigure(gpu, type, rows, columns, effort));
        say(`${type} ${rows} × ${columns}`);
      }
    }
    figures.push(...(await expertsFigures(gpu, effort)), ...(await variantFigures(gpu, effort)));
    say("Products with many rows …");
    return { adapter: gpu.report.adapter, copies, figures, products: await productFigures(gpu, effort) };
  } finally {
    gpu.close();
  }
}

/** A copy as a kernel makes it: 16 bytes a lane. Some drivers' own copy is several times slower. */
const COPY = `
@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> dest: array<vec4<u32>>;
@compute @workgroup_size(256)
fn copy(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < arrayLength(&source); i += groups.x * 256u) { dest[i] = source[i]; }
}`;

function copyPipeline({ device }: Gpu): Promise<GPUComputePipeline> {
  return device.createComputePipelineAsync({ layout: "auto", compute: { module: device.createShaderModule({ code: COPY }), entryPoint: "copy" } });
}

/** Microseconds of one dispatch that copies half as many bytes, so that it moves `bytes` in all; each elsewhere in an arena, in turn. */
export async function copyTime(gpu: Gpu, bytes: number, effort: Effort): Promise<number> {
  const half = Math.ceil(bytes / 512) * 256;
  const places = Math.max(1, Math.floor(effort.arenaBytes / half));
  const source = gpu.memory.storage("copy from", places * half);
  const dest = gpu.memory.storage("copy to", half);
  const pipeline = await copyPipeline(gpu);
  const layout = pipeline.getBindGroupLayout(0);
  const workgroups = [Math.min(65_535, Math.ceil(half / 4096)), 1, 1] as const;
  const dispatches = Array.from({ length: places }, (_, i): Dispatch => {
    const resources = [{ buffer: source, offset: i * half, size: half }, { buffer: dest }];
    return { label: "copy", pipeline, bindGroup: gpu.device.createBindGroup({ layout, entries: resources.map((resource, binding) => ({ binding, resource })) }), workgroups };
  });
  const time = await timeDispatches(gpu, dispatches, bytes, effort);
  for (const buffer of [source, dest]) gpu.memory.free(buffer);
  return time;
}

/** Bytes read and written per second: by the driver's copy, and by a kernel. */
export async function measureCopies(gpu: Gpu, { arenaBytes }: Effort): Promise<readonly [driver: number, kernel: number]> {
  const bytes = Math.floor(arenaBytes / 256) * 256;
  const pair = [gpu.memory.storage("copy from", bytes), gpu.memory.storage("copy to", bytes)] as const;
  const pipeline = await copyPipeline(gpu);
  const groups = [pair, [pair[1], pair[0]]].map(([from, to]) =>
    gpu.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [from!, to!].map((buffer, binding) => ({ binding, resource: { buffer } })) }),
  );
  const times = 16;
  const best = async (copy: (encoder: GPUCommandEncoder, i: number) => void): Promise<number> => {
    const seconds: number[] = [];
    for (let run = 0; run <= PASSES; run++) {
      const encoder = gpu.device.createCommandEncoder();
      for (let i = 0; i < times; i++) copy(encoder, i);
      seconds.push(await submitted(gpu, encoder));
    }
    return (2 * times * bytes) / Math.min(...seconds.slice(1));
  };
  const driver = await best((encoder, i) => encoder.copyBufferToBuffer(pair[i % 2]!, 0, pair[1 - (i % 2)]!, 0, bytes));
  const kernel = await best((encoder, i) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, groups[i % 2]!);
    pass.dispatchWorkgroups(Math.min(16_384, Math.ceil(bytes / 4096)));
    pass.end();
  });
  for (const buffer of pair) gpu.memory.free(buffer);
  return [driver, kernel];
}

async function submitted(gpu: Gpu, encoder: GPUCommandEncoder): Promise<number> {
  const commands = encoder.finish();
  await gpu.device.queue.onSubmittedWorkDone();
  const started = performance.now();
  gpu.device.queue.submit([commands]);
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
  return (performance.now() - started) / 1000;
}

/** Microseconds of one dispatch when `dispatches` are repeated in one pass until `passBytes` were read. */
export async function timeDispatches(gpu: Gpu, dispatches: readonly Dispatch[], bytes: number, { passBytes }: Effort): Promise<number> {
  const count = Math.max(4, Math.min(4000, Math.round(passBytes / bytes)));
  const seconds: number[] = [];
  for (let run = 0; run <= PASSES; run++) {
    const encoder = gpu.device.createCommandEncoder();
    encode(encoder, "timed", Array.from({ length: count }, (_, i) => dispatches[i % dispatches.length]!));
    seconds.push(await submitted(gpu, encoder));
  }
  return (median(seconds.slice(1)) / count) * 1e6;
}

/** One matrix type and shape; `lanes` as the engine chooses them unless others are to be tried. */
export async function matvecFigure(gpu: Gpu, type: WeightType, rows: number, columns: number, effort: Effort, lanes: Lanes = rowLanes(gpu.report.software, { columns: [columns], rows, types: [type] })): Promise<KernelFigure> {
  const file = randomWeights(type, rows, columns);
  const bytes = gpuBytes(type, rows, columns);
  const stride = Math.ceil(bytes / 256) * 256;
  const copies = Math.max(1, Math.floor(effort.arenaBytes / stride));
  const { memory } = gpu;
  const arena = memory.storage("weights", copies * stride);
  const packed = repackToGpu(type, file, rows, columns);
  replicate(gpu, arena, packed, stride, copies);
  const x = Float32Array.from({ length: columns }, (_, c) => Math.sin(c * 1.7) + 0.1);
  const shared = { x: memory.upload("x", x), routing: memory.upload("routing", new Uint32Array(4)) };
  const yStride = Math.ceil((rows * 4) / 256) * 256;
  const results = memory.storage("y", Math.min(copies, 64) * yStride);
  const bind = (i: number, slot: number): Promise<Dispatch> => {
    const w = { buffer: arena, offset: i * stride, size: bytes };
    return prepare(gpu, matvec, {
      label: "matvec",
      params: { tokens: 1, columns, rows0: rows, rows1: 0, rows2: 0, rows3: 0, eps: 0 },
      types: { w0: type, w1: "none", w2: "none", w3: "none" },
      constants: { matrices: 1, normed: 0, accumulate: 0, ...lanes },
      buffers: { w0: w, w1: w, w2: w, w3: w, x: shared.x, norm: shared.x, routing: shared.routing, y: { buffer: results, offset: slot * yStride, size: rows * 4 } },
    });
  };
  const inTurn = await Promise.all(Array.from({ length: copies }, (_, i) => bind(i, 0)));
  const time = await timeDispatches(gpu, inTurn, bytes, effort);
  const y = new Float32Array(await readBuffer(gpu, results, 0, rows * 4));
  const error = checkedError(type, file, rows, columns, x, y);
  const overlapped = await timeOverlapped(gpu, type, { arena, stride, bytes, copies, rows, columns, lanes, ...shared }, effort);
  for (const buffer of [arena, results, shared.x, shared.routing]) memory.free(buffer);
  return { kernel: "matvec", shape: `${rows} × ${columns}`, type, bytes, inTurn: time, overlapped, copy: await copyTime(gpu, bytes, effort), error };
}

/** Writes `packed` once and copies it to the other places on the GPU. */
export function replicate(gpu: Gpu, arena: GPUBuffer, packed: Uint8Array<ArrayBuffer>, stride: number, copies: number): void {
  const first = gpu.memory.upload("first", packed);
  const encoder = gpu.device.createCommandEncoder();
  for (let i = 0; i < copies; i++) encoder.copyBufferToBuffer(first, 0, arena, i * stride, packed.byteLength);
  gpu.device.queue.submit([encoder.finish()]);
  gpu.memory.free(first);
}

interface Rotation {
  readonly arena: GPUBuffer;
  readonly stride: number;
  readonly bytes: number;
  readonly copies: number;
  readonly rows: number;
  readonly columns: number;
  readonly lanes: Lanes;
  readonly x: GPUBuffer;
  readonly routing: GPUBuffer;
}

/** The same, every dispatch into a buffer of its own, so that no barrier stands between them. */
async function timeOverlapped(gpu: Gpu, type: WeightType, { arena, stride, bytes, copies, rows, columns, lanes, x, routing }: Rotation, effort: Effort): Promise<number> {
  const outs = Array.from({ length: Math.min(copies, 64) }, () => gpu.memory.storage("y", rows * 4));
  const dispatches = await Promise.all(
    Array.from({ length: copies }, (_, i) => {
      const w = { buffer: arena, offset: i * stride, size: bytes };
      return prepare(gpu, matvec, {
        label: "matvec",
        params: { tokens: 1, columns, rows0: rows, rows1: 0, rows2: 0, rows3: 0, eps: 0 },
        types: { w0: type, w1: "none", w2: "none", w3: "none" },
        constants: { matrices: 1, normed: 0, accumulate: 0, ...lanes },
        buffers: { w0: w, w1: w, w2: w, w3: w, x, norm: x, routing, y: outs[i % outs.length]! },
      });
    }),
  );
  const time = await timeDispatches(gpu, dispatches, bytes, effort);
  for (const buffer of outs) gpu.memory.free(buffer);
  return time;
}

function checkedError(type: WeightType, file: Uint8Array, rows: number, columns: number, x: Float32Array, y: Float32Array): number {
  const rowBytes = fileBytes(type, 1, columns);
  const count = Math.min(rows, CHECKED_ROWS);
  return Math.max(
    ...[...new Set([0, rows - count])].map((first) => {
      const matrix = dequantise(type, file.subarray(first * rowBytes, (first + count) * rowBytes), count * columns);
      return errorOf(y.subarray(first, first + count), matvecReference({ matrices: [matrix], x }, { tokens: 1, columns, eps: 0 }));
    }),
  );
}

/** The largest difference as a part of the largest reference value; Infinity for NaN. */
export function errorOf(actual: ArrayLike<number>, reference: ArrayLike<number>): number {
  let [largest, error] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    if (!Number.isFinite(actual[i])) return Infinity;
    largest = Math.max(largest, Math.abs(reference[i]!));
    error = Math.max(error, Math.abs(actual[i]! - reference[i]!));
  }
  return error / largest;
}

/** Random quants under plain scales, as a GGUF has them. */
export function randomWeights(type: WeightType, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fileBytes(type, rows, columns));
  let state = 0x9e3779b9;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  const view = new DataView(bytes.buffer);
  const size = fileBytes(type, 1, blockWeights(type));
  const halves = type === "Q4_K" ? [0, 2] : type === "Q6_K" ? [208] : [0];
  // 0x1400 is 2^-10 as a half.
  for (let at = 0; at < bytes.length; at += size) for (const half of halves) view.setUint16(at + half, 0x1400 + (bytes[at + 5]! & 0xff), true);
  return bytes;
}
