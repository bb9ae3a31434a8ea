// What this device was seen to do, for expectations that are derived and not invented.
import { throwIfAborted } from "../base/errors.ts";
import { openGpu } from "../gpu/device.ts";
import { measureGpu } from "../gpu/speed.ts";
import { fasterOf, measureAndKeep } from "../storage/store-choice.ts";
import type { DeviceSpeed } from "./api.ts";

/** On a GPU device of its own, which is closed again. */
export async function measureDevice(signal: AbortSignal): Promise<DeviceSpeed> {
  const stores = await measureAndKeep(signal);
  const readPerSecond = stores[fasterOf(stores)] ?? stores.indexeddb;
  throwIfAborted(signal, "Measuring");
  const gpu = await openGpu();
  try {
    return { readPerSecond, ...(await measureGpu(gpu)), measuredAt: Date.now() };
  } finally {
    gpu.close();
  }
}
