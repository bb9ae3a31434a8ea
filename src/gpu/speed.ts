// How fast bytes get into GPU memory, and how fast the GPU moves them about: what decode is bound by.
import type { Gpu } from "./device.ts";

const PIECE_BYTES = 1 << 21;
const BUFFER_BYTES = 64 << 20;
/** Long enough for the clock and for a GPU that sleeps to wake up. */
const LEAST_MS = 120;
/** Uploads wait in memory until the GPU has taken them: half a GB of them at most. Copies take none. */
const UPLOAD_ROUNDS = 8;
const COPY_ROUNDS = 512;

/** What one GPU was seen to do. */
export interface GpuSpeed {
  /** Bytes a second from JavaScript into GPU memory. */
  readonly uploadPerSecond: number;
  /** Bytes read and written a second by copies inside GPU memory. */
  readonly gpuPerSecond: number;
}

/** Takes two buffers of 64 MiB for as long. Throws `gpu/memory` or what made the GPU fail. */
export async function measureGpu(gpu: Gpu): Promise<GpuSpeed> {
  const { device, memory } = gpu;
  const [from, to] = await memory.within("a measurement", () => [memory.storage("from", BUFFER_BYTES), memory.storage("to", BUFFER_BYTES)] as const);
  try {
    const piece = new Uint8Array(PIECE_BYTES).fill(7);
    const upload = await rate(gpu, () => {
      for (let at = 0; at < BUFFER_BYTES; at += PIECE_BYTES) memory.write(from, at, piece);
      device.queue.submit([]);
      return BUFFER_BYTES;
    }, UPLOAD_ROUNDS);
    const copy = await rate(gpu, () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(from, 0, to, 0, BUFFER_BYTES);
      device.queue.submit([encoder.finish()]);
      return 2 * BUFFER_BYTES;
    }, COPY_ROUNDS);
    gpu.check();
    return { uploadPerSecond: upload, gpuPerSecond: copy };
  } finally {
    memory.free(from);
    memory.free(to);
  }
}

/** Once to warm up, then twice as many rounds each time until they take long enough to be timed. */
async function rate({ device }: Gpu, round: () => number, mostRounds: number): Promise<number> {
  round();
  await device.queue.onSubmittedWorkDone();
  for (let rounds = 1; ; rounds *= 2) {
    const started = performance.now();
    let bytes = 0;
    for (let i = 0; i < rounds; i++) bytes += round();
    await device.queue.onSubmittedWorkDone();
    const ms = performance.now() - started;
    if (ms >= LEAST_MS || rounds >= mostRounds) return (bytes * 1000) / Math.max(0.1, ms);
  }
}
