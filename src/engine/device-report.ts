// The device as the engine will find it: GPU, memory, storage. Runs in the page as well as in the worker and loads nothing
// of the engine, so that a card can be shown before any model is chosen.
import { toAppError } from "../base/errors.ts";
import { type GpuReport, probeGpu } from "../gpu/adapter.ts";
import type { DeviceReport } from "./api.ts";

const NO_GPU: GpuReport = { adapter: "", vendor: "", architecture: "", features: [], maxBufferBytes: 0, maxBindingBytes: 0, software: false };

async function storage(): Promise<Pick<DeviceReport, "storageUsedBytes" | "storageQuotaBytes" | "persisted">> {
  try {
    const [{ usage = 0, quota = 0 }, persisted] = await Promise.all([navigator.storage.estimate(), navigator.storage.persisted()]);
    return { storageUsedBytes: usage, storageQuotaBytes: quota, persisted };
  } catch {
    // An opaque origin, or site data is blocked: nothing can be stored.
    return { storageUsedBytes: 0, storageQuotaBytes: 0, persisted: false };
  }
}

/** Never rejects: without a GPU it says why in `problem`. */
export async function deviceReport(): Promise<DeviceReport> {
  const { deviceMemory } = navigator as { readonly deviceMemory?: number };
  const [kept, gpu] = await Promise.all([storage(), probeGpu().catch((error: unknown) => toAppError(error).message)]);
  const shared = { ...kept, cores: navigator.hardwareConcurrency, ...(deviceMemory === undefined ? {} : { memoryGb: deviceMemory }) };
  if (typeof gpu === "string") return { webgpu: false, ...NO_GPU, f16: false, subgroups: false, timestamps: false, ...shared, problem: gpu };
  const has = (feature: string): boolean => gpu.features.includes(feature);
  return { webgpu: true, ...gpu, f16: has("shader-f16"), subgroups: has("subgroups"), timestamps: has("timestamp-query"), ...shared };
}
