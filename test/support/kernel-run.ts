// Runs one kernel on real buffers with guard words round every output, and holds the result against its definition.
import { afterAll, expect } from "vitest";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { encode, prepare } from "../../src/gpu/dispatch.ts";
import type { Kernel, KernelFeatures } from "../../src/gpu/kernel.ts";
import { readBuffer } from "../../src/gpu/readback.ts";

let opened: Promise<Gpu> | undefined;

/** One device for a test file; closed after its last test. */
export function testGpu(): Promise<Gpu> {
  opened ??= openGpu();
  return opened;
}
afterAll(async () => {
  (await opened)?.close();
  opened = undefined;
});

/** A word that no kernel computes: a NaN with this payload. Outputs start filled with it. */
const GUARD = 0x7fc0dead;
const GUARD_BYTES = 256;

type Words = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export interface Run<B extends string, P extends string, W extends string, C extends string> {
  readonly params: Readonly<Record<P, number>>;
  readonly types?: Readonly<Record<W, string>>;
  readonly constants?: Partial<Readonly<Record<C, number>>>;
  /** Absent: those that the device is used with, which is none on a CPU. */
  readonly features?: KernelFeatures;
  /** What every binding holds before; a number makes a guarded buffer of so many words, full of NaN. */
  readonly buffers: Readonly<Record<B, Words | number>>;
}

/** Runs the kernel and returns the words of every written binding. Throws when a word outside of one was touched. */
export async function runKernel<B extends string, P extends string, W extends string, C extends string>(
  kernel: Kernel<B, P, W, C>,
  { params, types, constants, features, buffers }: Run<B, P, W, C>,
): Promise<Record<string, Float32Array>> {
  const gpu = await testGpu();
  const made: GPUBuffer[] = [];
  const bound = {} as Record<B, GPUBufferBinding>;
  const outputs: { name: B; bytes: number; buffer: GPUBuffer }[] = [];
  for (const name of Object.keys(kernel.bindings) as B[]) {
    const contents = buffers[name];
    const bytes = typeof contents === "number" ? contents * 4 : contents.byteLength;
    const guarded = kernel.bindings[name].access === "write";
    const padded = Math.ceil(bytes / 16) * 16;
    const image = new Uint32Array((padded + (guarded ? 2 * GUARD_BYTES : 0)) / 4).fill(guarded ? GUARD : 0);
    if (typeof contents !== "number") new Uint8Array(image.buffer).set(new Uint8Array(contents.buffer, contents.byteOffset, bytes), guarded ? GUARD_BYTES : 0);
    const buffer = gpu.memory.upload(name, image.length ? image : new Uint32Array(4));
    made.push(buffer);
    bound[name] = guarded ? { buffer, offset: GUARD_BYTES } : { buffer };
    if (guarded) outputs.push({ name, bytes, buffer });
  }
  const dispatch = await prepare(gpu, kernel, { label: kernel.name, params, buffers: bound, types: types ?? ({} as Record<W, string>), ...(constants ? { constants } : {}), ...(features ? { features } : {}) });
  const encoder = gpu.device.createCommandEncoder();
  encode(encoder, kernel.name, [dispatch]);
  gpu.device.queue.submit([encoder.finish()]);
  const results: Record<string, Float32Array> = {};
  for (const { name, bytes, buffer } of outputs) {
    const words = new Uint32Array(await readBuffer(gpu, buffer));
    const touched = words.findIndex((word, i) => word !== GUARD && (i * 4 < GUARD_BYTES || i * 4 >= GUARD_BYTES + bytes));
    if (touched >= 0) throw new Error(`${kernel.name} wrote outside of ${name}: word ${touched - GUARD_BYTES / 4} of ${bytes / 4}`);
    results[name] = new Float32Array(words.buffer, GUARD_BYTES, bytes / 4);
  }
  made.forEach((buffer) => gpu.memory.free(buffer));
  return results;
}

export interface Tolerance {
  /** Of the largest reference value: the part of an error that grows with the sums, not with the result. */
  readonly ofLargest: number;
}

/** The largest error as a part of the largest reference value. NaN and infinities must be where the reference has them. */
export function errorOf(actual: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (actual.length !== reference.length) return Infinity;
  let largest = 0;
  let error = 0;
  for (let i = 0; i < reference.length; i++) {
    const [a, r] = [actual[i]!, reference[i]!];
    if (!Number.isFinite(r)) {
      if (!Object.is(a, r)) return Infinity;
      continue;
    }
    if (!Number.isFinite(a)) return Infinity;
    largest = Math.max(largest, Math.abs(r));
    error = Math.max(error, Math.abs(a - r));
  }
  return largest === 0 ? error : error / largest;
}

/** Fails, naming the case, unless `actual` is `reference` within the tolerance. */
export function expectClose(actual: ArrayLike<number>, reference: ArrayLike<number>, { ofLargest }: Tolerance, what: string): void {
  const error = errorOf(actual, reference);
  expect(error, `${what}: largest error ${error.toExponential(2)}, allowed ${ofLargest}`).toBeLessThanOrEqual(ofLargest);
}

/** A routing buffer that is not stalled, for kernels that only look at its first word. */
export const RUNNING = new Uint32Array(4);
/** A routing buffer after a miss. */
export const STALLED = new Uint32Array([1, 0, 0, 0]);
