// Whether a model runs on this device, what it needs, why, and how fast it can be. Every figure is the model's own, the
// browser's, or was measured here; what was not measured is said not to be.
import { formatBytes } from "../../base/units.ts";
import type { DeviceReport, DeviceSpeed, ModelInfo } from "../../engine/api.ts";
import { t } from "../strings/more.ts";

/** What to expect of a model on this device, in words. */
export interface ModelVerdict {
  readonly level: "fits" | "slow" | "unsure" | "cannot";
  /** GB, in words: what it takes in storage, or to download. */
  readonly size: string;
  readonly needs: string;
  readonly why: string;
  readonly expected: string;
}

/** What was measured on this device; absent where it was not yet. */
export interface Measured {
  readonly speed?: DeviceSpeed;
  /** Tokens a second that models were seen to write here, by id. */
  readonly rates: Readonly<Record<string, number>>;
}

const GIB = 1 << 30;
/** Below this a model is small anywhere. */
const SMALL_BYTES = 300e6;
/** Where the browser does not tell of its memory, more than this is a guess. */
const UNTOLD_BYTES = 2e9;
/** Of main memory, what a model may take beside a browser and a system: those that share it have no other. */
const SHARE = 0.5;
/** Above this rate it is not memory that limits a model. */
const UNBOUND_RATE = 150;

/** The verdict on one model; nothing is expected of one that cannot run. */
export function modelVerdict(model: ModelInfo, device: DeviceReport, measured: Measured): ModelVerdict {
  const { level, why } = judge(model, device);
  return { level, why, size: sizeOf(model), needs: needsOf(model), expected: level === "cannot" ? "" : expectedOf(model, measured) };
}

function judge({ needs, bytes, source }: ModelInfo, device: DeviceReport): Pick<ModelVerdict, "level" | "why"> {
  const { why } = t().device.model;
  if (device.problem !== undefined) return { level: "cannot", why: why.problem };
  if (needs && needs.bindingBytes > device.maxBindingBytes) {
    return { level: "cannot", why: why.binding(formatBytes(needs.bindingBytes), formatBytes(device.maxBindingBytes)) };
  }
  const least = needs?.leastGpuBytes ?? bytes ?? 0;
  if (!needs && source !== "bundled") return { level: "unsure", why: why.unread };
  if (least < SMALL_BYTES) return { level: "fits", why: why.small };
  if (device.software) return { level: "slow", why: why.software };
  if (device.memoryGb === undefined && least > UNTOLD_BYTES) return { level: "unsure", why: t().device.line.memory.hidden };
  if (device.memoryGb !== undefined && least > device.memoryGb * GIB * SHARE) {
    return { level: "unsure", why: why.memory(formatBytes(least), `${device.memoryGb} GB`) };
  }
  if (needs?.perToken && device.memoryGb !== undefined && needs.gpuBytes > device.memoryGb * GIB * SHARE) return { level: "slow", why: why.streams };
  return { level: "fits", why: why.fits };
}

function sizeOf({ source, bytes }: ModelInfo): string {
  const words = t().device.model;
  if (source === "offer") return words.offer(formatBytes(bytes ?? 0));
  if (source === "remote" || bytes === undefined) return words.download;
  return source === "bundled" ? words.part(formatBytes(bytes)) : words.stored(formatBytes(bytes));
}

function needsOf({ needs }: ModelInfo): string {
  const words = t().device.model;
  if (!needs) return "";
  const [least, all] = [formatBytes(needs.leastGpuBytes), formatBytes(needs.gpuBytes)];
  return least === all ? words.needs(all) : words.needsRange(least, all);
}

/** A rate that was seen, else what the measured speeds allow at most, else that nothing was measured. */
function expectedOf({ id, needs }: ModelInfo, { speed, rates }: Measured): string {
  const words = t().device.model.expected;
  const seen = rates[id];
  if (seen !== undefined) return words.seen(format(seen));
  if (!speed || !needs?.perToken) return words.none;
  const { denseBytes, expertBytes } = needs.perToken;
  const most = speed.gpuPerSecond / (denseBytes + expertBytes);
  if (most > UNBOUND_RATE) return words.unbound;
  const least = 1 / (denseBytes / speed.gpuPerSecond + expertBytes / Math.min(speed.readPerSecond, speed.uploadPerSecond));
  return expertBytes > 0 ? words.range(format(least), format(most)) : words.most(format(most));
}

function format(rate: number): string {
  return rate >= 10 ? rate.toFixed(0) : rate.toFixed(1);
}

/** In the order of what is recommended. */
const PLACES = ["bundled", "remote", "offer", "file"] as const satisfies readonly ModelInfo["source"][];
/** Main memory from which experts that come from storage are kept by the system between two reads. */
const STREAMING_GB = 16;

/**
 * The model to begin with, and why: of those that run here, what is stored before what is offered, that before WebLLM's, that
 * before the bundled one; the one that wants most of each.
 */
export function recommendedModel(models: readonly ModelInfo[], device: DeviceReport): { readonly id: string; readonly why: string } | undefined {
  const streams = (model: ModelInfo, gb: number): boolean => !device.software && model.needs?.perToken !== undefined && (device.memoryGb ?? 0) >= gb;
  const runs = (model: ModelInfo): boolean => {
    const { level } = judge(model, device);
    if (model.source === "offer") return (level === "fits" || level === "slow") && streams(model, model.memoryGb ?? STREAMING_GB);
    return level === "fits" || (level === "slow" && streams(model, STREAMING_GB));
  };
  const worth = ({ source, needs }: ModelInfo): number => PLACES.indexOf(source) * 1e15 + (needs?.gpuBytes ?? 0);
  const best = models.filter(runs).toSorted((a, b) => worth(b) - worth(a))[0];
  if (!best) return undefined;
  const { bestWhy } = t().device.model;
  return { id: best.id, why: best.source === "offer" ? bestWhy.offer(String(best.memoryGb ?? STREAMING_GB)) : bestWhy[best.source] };
}
