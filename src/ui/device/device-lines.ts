// What was found of the device, line by line, and what follows from each. Pure: a report in, words out.
import { formatBytes } from "../../base/units.ts";
import type { DeviceReport } from "../../engine/api.ts";
import { t } from "../strings/more.ts";

/** What a line means for the user: all is well, something is slower or smaller, something does not work. */
export type Level = "good" | "fair" | "bad";

/** One fact of the device, in words. */
export interface DeviceLine {
  readonly id: "gpu" | "limits" | "f16" | "memory" | "storage" | "isolation";
  readonly level: Level;
  readonly name: string;
  readonly value: string;
  readonly consequence: string;
}

/** With 1 GiB a layer's experts of an 80 B model lie in one buffer; with 256 MiB its largest matrix does. */
const LARGE_BINDING = 1 << 30;
const SMALL_BINDING = 1 << 28;
/** GB of main memory: room for a 7 B model and a browser; for a small one. */
const MUCH_MEMORY = 16;
const SOME_MEMORY = 8;

/** `isolated`: the page's own `crossOriginIsolated`. */
export function deviceLines(report: DeviceReport, isolated: boolean): readonly DeviceLine[] {
  const words = t().device.line;
  const { f16, isolation } = words;
  return [
    gpuLine(report),
    ...(report.problem === undefined ? [limitsLine(report)] : []),
    ...(report.problem === undefined
      ? [{ id: "f16", level: report.f16 ? "good" : "fair", name: f16.name, value: report.f16 ? f16.yes : f16.no, consequence: report.f16 ? f16.good : f16.fair } as const]
      : []),
    memoryLine(report),
    storageLine(report),
    { id: "isolation", level: isolated ? "good" : "fair", name: isolation.name, value: isolated ? isolation.yes : isolation.no, consequence: isolated ? isolation.good : isolation.fair },
  ];
}

function gpuLine({ problem, software, adapter }: DeviceReport): DeviceLine {
  const { name, ...words } = t().device.line.gpu;
  if (problem !== undefined) return { id: "gpu", level: "bad", name, value: words.none, consequence: words.bad(problem) };
  if (software) return { id: "gpu", level: "fair", name, value: words.software(adapter), consequence: words.fair };
  return { id: "gpu", level: "good", name, value: adapter, consequence: words.good };
}

function limitsLine({ maxBindingBytes }: DeviceReport): DeviceLine {
  const { name, value, ...words } = t().device.line.limits;
  const level = maxBindingBytes >= LARGE_BINDING - 4096 ? "good" : maxBindingBytes >= SMALL_BINDING - 4096 ? "fair" : "bad";
  return { id: "limits", level, name, value: value(formatBytes(maxBindingBytes)), consequence: words[level] };
}

function memoryLine({ memoryGb }: DeviceReport): DeviceLine {
  const { name, value, unknown, hidden, ...words } = t().device.line.memory;
  if (memoryGb === undefined) return { id: "memory", level: "fair", name, value: unknown, consequence: hidden };
  const level = memoryGb >= MUCH_MEMORY ? "good" : memoryGb >= SOME_MEMORY ? "fair" : "bad";
  return { id: "memory", level, name, value: value(String(memoryGb)), consequence: words[level] };
}

function storageLine({ storageQuotaBytes, storageUsedBytes, persisted }: DeviceReport): DeviceLine {
  const { name, value, kept, none, ...words } = t().device.line.storage;
  if (storageQuotaBytes === 0) return { id: "storage", level: "bad", name, value: none, consequence: words.bad };
  const used = formatBytes(storageUsedBytes);
  return { id: "storage", level: persisted ? "good" : "fair", name, value: persisted ? kept(used) : value(used), consequence: persisted ? words.good : words.fair };
}
