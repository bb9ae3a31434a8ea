// The matrix kernels otherwise than the engine takes them, so that a GPU can say whether it takes them well: without the features
// of the device, and with the lanes of a row shared out in other ways.
import type { Gpu } from "../../gpu/device.ts";
import { PLAIN } from "../../gpu/kernel.ts";
import type { Lanes } from "../../kernels/index.ts";
import { expertsFigures } from "./gpu-experts.ts";
import { type Effort, type KernelFigure, matvecFigure, SHAPES, TYPES } from "./gpu-kernels.ts";

/** Ways to share rows out; rowLanes() chooses one of them for each shape. */
const WAYS: Readonly<Record<string, Lanes>> = {
  "by units": { lanes: 64, lanes_per_row: 64, rows_per_lane: 4, parts: 0 },
  "by parts, 32 lanes a row": { lanes: 64, lanes_per_row: 32, rows_per_lane: 2, parts: 1 },
  "by parts, 64 lanes a row": { lanes: 64, lanes_per_row: 64, rows_per_lane: 2, parts: 1 },
  "by parts, 128 lanes a row": { lanes: 128, lanes_per_row: 128, rows_per_lane: 2, parts: 1 },
};

/** The same for the experts' kernels. Gates and ups are normed as well, by each workgroup for itself: larger ones do it less often. */
const EXPERT_WAYS: Readonly<Record<string, Lanes>> = {
  "32 lanes a row": { lanes: 64, lanes_per_row: 32, rows_per_lane: 2, parts: 1 },
  "32 lanes a row, 4 pairs of rows": { lanes: 128, lanes_per_row: 32, rows_per_lane: 2, parts: 1 },
  "64 lanes a row, 2 pairs of rows": { lanes: 128, lanes_per_row: 64, rows_per_lane: 2, parts: 1 },
  "64 lanes a row, 4 pairs of rows": { lanes: 256, lanes_per_row: 64, rows_per_lane: 2, parts: 1 },
};

export async function variantFigures(gpu: Gpu, effort: Effort): Promise<KernelFigure[]> {
  return [...(await plainFigures(gpu, effort)), ...(await otherLanes(gpu, effort)), ...(await otherExpertLanes(gpu, effort))];
}

/** The square without subgroups and f16, where the device has them: what they gain. */
async function plainFigures(gpu: Gpu, effort: Effort): Promise<KernelFigure[]> {
  const { features } = gpu.pipelines;
  const figures: KernelFigure[] = [];
  if (!features.subgroups && !features.f16) return figures;
  gpu.pipelines.features = PLAIN;
  for (const type of TYPES) figures.push({ ...(await matvecFigure(gpu, type, ...SHAPES[0], effort)), kernel: "matvec, plain path" });
  gpu.pipelines.features = features;
  return figures;
}

/** The square and a wide matrix. */
async function otherLanes(gpu: Gpu, effort: Effort): Promise<KernelFigure[]> {
  const figures: KernelFigure[] = [];
  for (const [rows, columns] of [SHAPES[0], SHAPES[2]]) {
    for (const type of TYPES) for (const [way, lanes] of Object.entries(WAYS)) figures.push({ ...(await matvecFigure(gpu, type, rows, columns, effort, lanes)), kernel: `matvec ${way}` });
  }
  return figures;
}

async function otherExpertLanes(gpu: Gpu, effort: Effort): Promise<KernelFigure[]> {
  const figures: KernelFigure[] = [];
  for (const [way, lanes] of Object.entries(EXPERT_WAYS)) for (const figure of await expertsFigures(gpu, effort, lanes)) figures.push({ ...figure, kernel: `${figure.kernel} by parts, ${way}` });
  return figures;
}
