// The two expert kernels at the full model's dimensions: 10 of 512 experts a token and the shared one, Q4_K gates and ups,
// Q6_K downs. Each dispatch takes other slots of the arena, as tokens do.
import { dequantise, gpuBytes, repackToGpu, type WeightType } from "../../gguf/blocks.ts";
import type { Gpu } from "../../gpu/device.ts";
import { type Dispatch, prepare } from "../../gpu/dispatch.ts";
import { readBuffer } from "../../gpu/readback.ts";
import { expertsDown, expertsUp, type Lanes, routingBytes, rowLanes } from "../../kernels/index.ts";
import { expertsDownReference } from "../../kernels/ops/experts-down.ts";
import { expertsUpReference } from "../../kernels/ops/experts-up.ts";
import { copyTime, type Effort, errorOf, type KernelFigure, randomWeights, replicate, timeDispatches } from "./gpu-kernels.ts";

const HIDDEN = 2048;
const FF = 512;
const TOPK = 10;
const TYPES = { gate: "Q4_K", up: "Q4_K", down: "Q6_K" } as const satisfies Record<string, WeightType>;
const EPS = 1e-6;

/** `lanes`: in place of the engine's own choice. */
export async function expertsFigures(gpu: Gpu, effort: Effort, lanes?: Lanes): Promise<KernelFigure[]> {
  const { memory } = gpu;
  const up = randomWeights("Q4_K", FF, HIDDEN);
  const down = randomWeights("Q6_K", HIDDEN, FF);
  const packed = [repackToGpu("Q4_K", up, FF, HIDDEN), repackToGpu("Q4_K", up, FF, HIDDEN), repackToGpu("Q6_K", down, HIDDEN, FF)] as const;
  const [gateBytes, upBytes, downBytes] = packed.map((part) => part.byteLength) as [number, number, number];
  const stride = gateBytes + upBytes + downBytes;
  const slots = Math.max(TOPK, Math.floor(effort.arenaBytes / stride / TOPK) * TOPK);
  const arena = memory.storage("arena", slots * stride);
  const record = new Uint8Array(stride);
  packed.forEach((part, i) => record.set(part, [0, gateBytes, gateBytes + upBytes][i]));
  replicate(gpu, arena, record, stride, slots);
  const x = Float32Array.from({ length: HIDDEN }, (_, c) => Math.sin(c * 1.3) + 0.2);
  const norm = Float32Array.from({ length: HIDDEN }, (_, c) => 1 + 0.2 * Math.cos(c));
  const buffers = { x: memory.upload("x", x), norm: memory.upload("norm", norm), act: memory.storage("act", (TOPK + 1) * FF * 4), residual: memory.storage("residual", HIDDEN * 4) };
  const shared = { gate: memory.upload("gate", packed[0]), up: memory.upload("up", packed[1]), down: memory.upload("down", packed[2]) };
  const routings = Array.from({ length: slots / TOPK }, (_, i) => memory.upload("routing", routingOf(i * TOPK)));
  const ups = await Promise.all(
    routings.map((routing): Promise<Dispatch> =>
      prepare(gpu, expertsUp, {
        label: "experts_up",
        params: { hidden: HIDDEN, ff: FF, shared_ff: FF, topk: TOPK, slot_stride: stride / 16, gate_at: 0, up_at: gateBytes / 16, eps: EPS },
        types: { gate: "Q4_K", up: "Q4_K", shared_gate: "Q4_K", shared_up: "Q4_K" },
        constants: lanes ?? rowLanes(gpu.report.software, { columns: [HIDDEN], rows: FF, types: ["Q4_K"] }),
        buffers: { arena, shared_gate: shared.gate, shared_up: shared.up, x: buffers.x, norm: buffers.norm, routing, act: buffers.act },
      }),
    ),
  );
  const bytesUp = (TOPK + 1) * 2 * gpuBytes("Q4_K", FF, HIDDEN);
  const timeUp = await timeDispatches(gpu, ups, bytesUp, effort);
  const act = new Float32Array(await readBuffer(gpu, buffers.act));
  const matrix = dequantise(TYPES.up, up, FF * HIDDEN);
  const errorUp = errorOf(act.subarray(0, FF), expertsUpReference([{ gate: matrix, up: matrix }], x, norm, { hidden: HIDDEN, eps: EPS }));
  const downs = await Promise.all(
    routings.map((routing): Promise<Dispatch> =>
      prepare(gpu, expertsDown, {
        label: "experts_down",
        params: { hidden: HIDDEN, ff: FF, shared_ff: FF, topk: TOPK, slot_stride: stride / 16, down_at: (gateBytes + upBytes) / 16 },
        types: { down: "Q6_K", shared_down: "Q6_K" },
        constants: lanes ?? rowLanes(gpu.report.software, { columns: Array.from({ length: TOPK + 1 }, () => FF), rows: HIDDEN, types: ["Q6_K"] }),
        buffers: { arena, shared_down: shared.down, act: buffers.act, routing, x: buffers.residual },
      }),
    ),
  );
  const errorDown = await downError(gpu, downs[0]!, buffers, act, dequantise(TYPES.down, down, FF * HIDDEN));
  const bytesDown = (TOPK + 1) * gpuBytes("Q6_K", HIDDEN, FF);
  const timeDown = await timeDispatches(gpu, downs, bytesDown, effort);
  const shape = `${TOPK} + 1 of ${FF} × ${HIDDEN}`;
  return [
    { kernel: "experts_up", shape, type: "Q4_K", bytes: bytesUp, inTurn: timeUp, overlapped: Number.NaN, copy: await copyTime(gpu, bytesUp, effort), error: errorUp },
    { kernel: "experts_down", shape, type: "Q6_K", bytes: bytesDown, inTurn: timeDown, overlapped: Number.NaN, copy: await copyTime(gpu, bytesDown, effort), error: errorDown },
  ];
}

/** One dispatch into a residual of zeros. */
async function downError(gpu: Gpu, dispatch: Dispatch, { residual }: { residual: GPUBuffer }, act: Float32Array, matrix: Float32Array): Promise<number> {
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(dispatch.pipeline);
  pass.setBindGroup(0, dispatch.bindGroup);
  pass.dispatchWorkgroups(...dispatch.workgroups);
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  const chosen = Array.from({ length: TOPK + 1 }, (_, j) => ({ down: matrix, act: act.subarray(j * FF, (j + 1) * FF), weight: weightOf(j) }));
  return errorOf(new Float32Array(await readBuffer(gpu, residual, 0, HIDDEN * 4)), expertsDownReference(chosen, new Float32Array(HIDDEN)));
}

const weightOf = (j: number): number => Math.fround(j === TOPK ? 0.5 : (j + 1) / 55);

/** The routing buffer of one token in one layer: slots `first` to `first + TOPK - 1`, then the shared expert. */
function routingOf(first: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(routingBytes(1, TOPK) / 4);
  const floats = new Float32Array(words.buffer);
  for (let j = 0; j <= TOPK; j++) {
    words.set([first + j, j === TOPK ? 0xffffffff : first + j], 4 + j * 4);
    floats[4 + j * 4 + 2] = weightOf(j);
  }
  return words;
}
