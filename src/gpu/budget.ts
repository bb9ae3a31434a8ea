// How much GPU memory to use where nobody said: WebGPU tells limits of single buffers, not what there is.
import type { GpuReport } from "./adapter.ts";

const GIB = 1 << 30;
/** Of main memory, where the GPU has no other: beside a browser and a system. */
const SHARED_PART = 0.5;
/** Where the browser does not tell of its memory. */
const UNTOLD_BYTES = 4 * GIB;
/** A card of 8 GB less what a desktop and a browser take of it. Larger ones cannot be told from it: their owners raise it. */
const CARD_BYTES = 6 * GIB;
/** A device that allows only small buffers is a small device: so many of its largest. */
const BUFFERS = 8;

/** Vendors whose GPUs share main memory, as WebGPU names them. */
const SHARING = ["apple", "intel", "qualcomm", "arm", "img-tec", "samsung", "broadcom"];

/** Bytes. A guess that refuses nothing: a model that needs more is tried with what it needs. `memoryGb`: `navigator.deviceMemory`. */
export function defaultGpuBytes({ vendor, software, maxBufferBytes }: Pick<GpuReport, "vendor" | "software" | "maxBufferBytes">, memoryGb: number | undefined): number {
  const shares = software || SHARING.includes(vendor.toLowerCase());
  const memory = memoryGb === undefined ? UNTOLD_BYTES : memoryGb * GIB * SHARED_PART;
  return Math.floor(Math.min(shares ? memory : CARD_BYTES, BUFFERS * maxBufferBytes));
}
