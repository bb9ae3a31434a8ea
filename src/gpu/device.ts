// One WebGPU device with the limits the engine needs, and a plain report of what was found.
// Kernels stay within 8 storage buffers a stage, which every adapter has; only sizes are asked for above the defaults.
import { AppError } from "../base/errors.ts";
import { GpuMemory } from "./memory.ts";
import { PipelineCache } from "./pipelines.ts";
import { isSoftwareAdapter } from "./quirks.ts";

export interface GpuReport {
  /** "nvidia ampere", "google swiftshader": as the browser names it. */
  readonly adapter: string;
  readonly features: readonly string[];
  readonly maxBufferBytes: number;
  readonly maxBindingBytes: number;
  /** It computes on the CPU. */
  readonly software: boolean;
}

const NO_WEBGPU = "This browser has no WebGPU. Use a current Chrome or Edge, or Safari 26, and open the page over https or from localhost.";
const NO_ADAPTER =
  "WebGPU found no graphics adapter. Turn on hardware acceleration in the browser's settings, update the graphics driver, and look at chrome://gpu for the reason.";

async function requestAdapter(): Promise<GPUAdapter> {
  if (!("gpu" in navigator) || !navigator.gpu) throw new AppError("gpu/unavailable", NO_WEBGPU);
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new AppError("gpu/unavailable", NO_ADAPTER);
  return adapter;
}

function reportOf(adapter: GPUAdapter): GpuReport {
  const { info, limits } = adapter;
  return {
    adapter: [info.vendor, info.architecture || info.device || info.description].filter(Boolean).join(" ") || "unnamed adapter",
    features: [...adapter.features].sort(),
    maxBufferBytes: limits.maxBufferSize,
    maxBindingBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    software: isSoftwareAdapter(info),
  };
}

/** What WebGPU offers here, without making a device. Throws `gpu/unavailable` saying what to do. */
export async function probeGpu(): Promise<GpuReport> {
  return reportOf(await requestAdapter());
}

/** A device, its memory account and its compiled pipelines. Owned by whoever opened it. */
export class Gpu {
  readonly device: GPUDevice;
  readonly report: GpuReport;
  readonly memory: GpuMemory;
  readonly pipelines: PipelineCache;
  /** The first thing that went wrong without anyone asking: a lost device or a validation error. Undefined while all is well. */
  failure: AppError | undefined;

  constructor(device: GPUDevice, report: GpuReport) {
    this.device = device;
    this.report = report;
    this.memory = new GpuMemory(device, report.maxBindingBytes);
    this.pipelines = new PipelineCache(device);
    device.addEventListener("uncapturederror", ({ error }) => {
      const code = error instanceof GPUOutOfMemoryError ? "gpu/memory" : "bug";
      this.failure ??= new AppError(code, code === "bug" ? `The GPU refused a command: ${error.message}` : "The GPU is out of memory. Lower the expert budget or the context length.");
    });
    void device.lost.then(({ reason, message }) => {
      if (reason === "destroyed") return;
      this.failure = new AppError("gpu/lost", `The GPU was lost (${message || "no reason given"}). Load the model again.`);
    });
  }

  /** Throws the failure, if there is one. Called wherever results are read back. */
  check(): void {
    if (this.failure) throw this.failure;
  }

  close(): void {
    this.memory.close();
    this.device.destroy();
  }
}

/** Throws `gpu/unavailable` saying what to do. */
export async function openGpu(): Promise<Gpu> {
  const adapter = await requestAdapter();
  const { limits } = adapter;
  try {
    const device = await adapter.requestDevice({
      label: "tabwright",
      requiredLimits: { maxBufferSize: limits.maxBufferSize, maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize },
    });
    return new Gpu(device, reportOf(adapter));
  } catch (cause) {
    throw new AppError("gpu/unavailable", "The graphics adapter refused to make a device. Close other tabs that use the GPU and reload the page.", { cause });
  }
}
