// One WebGPU device with the limits the engine needs.
// Kernels stay within 8 storage buffers a stage, which every adapter has; only sizes are asked for above the defaults.
import { AppError } from "../base/errors.ts";
import { type GpuReport, reportOf, requestAdapter } from "./adapter.ts";
import { GpuHealth } from "./health.ts";
import { type KernelFeatures, PLAIN } from "./kernel.ts";
import { GpuMemory } from "./memory.ts";
import { PipelineCache } from "./pipelines.ts";
import { hasSlowMaps } from "./quirks.ts";
import { neighboursInSubgroup } from "./subgroups.ts";

/** A device, its memory account and its compiled pipelines. Owned by whoever opened it. */
export class Gpu {
  readonly device: GPUDevice;
  readonly report: GpuReport;
  readonly memory: GpuMemory;
  readonly pipelines: PipelineCache;
  /** The browser tells late that a buffer is mapped (quirks.ts). */
  readonly slowMaps = hasSlowMaps((globalThis as { readonly navigator?: { readonly userAgent?: string } }).navigator?.userAgent ?? "");
  /** How it fares; the same for all leases. */
  readonly health: GpuHealth;

  constructor(device: GPUDevice, report: GpuReport) {
    this.device = device;
    this.report = report;
    this.memory = new GpuMemory(device, report.maxBindingBytes);
    this.pipelines = new PipelineCache(device);
    this.health = new GpuHealth(device, report.software);
  }

  /** What went wrong first; undefined while all is well. */
  get failure(): AppError | undefined {
    return this.health.failure;
  }

  /** The same device with an account of its own: closing its `memory` frees what was allocated through it, and nothing else. */
  leased(): Gpu {
    return Object.assign(Object.create(this) as Gpu, { memory: this.memory.part() });
  }

  /** Throws the failure, if there is one. Called wherever results are read back. */
  check(): void {
    this.health.check();
  }

  close(): void {
    this.health.close();
    this.memory.close();
    this.device.destroy();
  }
}

/** What the engine makes use of where it is there. */
const FEATURES = ["timestamp-query", "subgroups", "shader-f16"] as const satisfies readonly GPUFeatureName[];

/** Throws `gpu/unavailable` saying what to do, and whatever `adapter` throws. */
export async function openGpu(adapter = requestAdapter()): Promise<Gpu> {
  const gpu = await deviceOf(await adapter);
  gpu.pipelines.features = await kernelFeatures(gpu);
  return gpu;
}

/** On a CPU a subgroup is a SIMD register or a half of one: reductions gain nothing from it, loads do. */
async function kernelFeatures(gpu: Gpu): Promise<KernelFeatures> {
  const { features } = gpu.device;
  const size = features.has("subgroups") ? await neighboursInSubgroup(gpu) : 0;
  if (gpu.report.software) return { ...PLAIN, quads: size === 4 };
  return { subgroups: size > 0, f16: features.has("shader-f16"), quads: false };
}

async function deviceOf(adapter: GPUAdapter): Promise<Gpu> {
  const { limits } = adapter;
  try {
    const device = await adapter.requestDevice({
      label: "tabwright",
      requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
      requiredLimits: { maxBufferSize: limits.maxBufferSize, maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize },
    });
    return new Gpu(device, reportOf(adapter));
  } catch (cause) {
    throw new AppError("gpu/unavailable", "The graphics adapter refused to make a device. Close other tabs that use the GPU and reload the page.", { cause });
  }
}
