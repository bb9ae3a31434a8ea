// What WebGPU offers here, as plain data, without making a device: small enough for the page to ask before the engine is there.
import { afterAwake } from "../base/awake-timer.ts";
import { AppError, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { isSoftwareAdapter } from "./quirks.ts";

export interface GpuReport {
  /** "nvidia ampere", "google swiftshader": as the browser names it. */
  readonly adapter: string;
  readonly vendor: string;
  /** Empty where the browser keeps it to itself. */
  readonly architecture: string;
  readonly features: readonly string[];
  readonly maxBufferBytes: number;
  /** Of one storage buffer as a kernel sees it. */
  readonly maxBindingBytes: number;
  /** It computes on the CPU. */
  readonly software: boolean;
}

const NO_WEBGPU = "This browser has no WebGPU. Use a current Chrome or Edge, or Safari 26, and open the page over https or from localhost.";
const NO_ADAPTER =
  "WebGPU found no graphics adapter. Turn on hardware acceleration in the browser's settings, update the graphics driver, and look at chrome://gpu for the reason.";
const GIVEN_UP = `The GPU was lost, and the browser has given no other for ${Math.round(LIMITS.gpuBlockedMs / 1000)} seconds. Reload the page: a new one is not kept waiting.`;

/** Throws `gpu/unavailable` saying what to do. */
export async function requestAdapter(): Promise<GPUAdapter> {
  const adapter = await askForAdapter();
  if (!adapter) throw new AppError("gpu/unavailable", NO_ADAPTER);
  return adapter;
}

async function askForAdapter(): Promise<GPUAdapter | null> {
  if (!("gpu" in navigator) || !navigator.gpu) throw new AppError("gpu/unavailable", NO_WEBGPU);
  return navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
}

/**
 * As `requestAdapter`, for whoever had one before and lost it: where there is none now, it asks again and again, and tells that it
 * waits. Chrome gives a page none for two minutes when its GPU process has crashed a second time; a page loaded since gets one at
 * once (seen in 143, 2026-11-26). Throws `gpu/lost` when it was in vain, and `aborted`.
 */
export async function awaitAdapter(onWait: () => void, signal?: AbortSignal): Promise<GPUAdapter> {
  let told = false;
  for (let waitedMs = 0; ; waitedMs += LIMITS.gpuRetryMs) {
    const adapter = await askForAdapter();
    if (adapter) return adapter;
    if (waitedMs >= LIMITS.gpuBlockedMs) throw new AppError("gpu/lost", GIVEN_UP);
    if (!told) onWait();
    told = true;
    await new Promise<void>((resolve) => {
      const cancel = afterAwake(LIMITS.gpuRetryMs, resolve);
      signal?.addEventListener("abort", () => resolve(cancel()), { once: true });
    });
    throwIfAborted(signal, "Waiting for the GPU");
  }
}

export function reportOf(adapter: GPUAdapter): GpuReport {
  const { info, limits } = adapter;
  return {
    adapter: [info.vendor, info.architecture || info.device || info.description].filter(Boolean).join(" ") || "unnamed adapter",
    vendor: info.vendor,
    architecture: info.architecture,
    features: [...adapter.features].sort(),
    maxBufferBytes: limits.maxBufferSize,
    maxBindingBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    software: isSoftwareAdapter(info),
  };
}

/** Throws `gpu/unavailable` saying what to do. */
export async function probeGpu(): Promise<GpuReport> {
  return reportOf(await requestAdapter());
}
