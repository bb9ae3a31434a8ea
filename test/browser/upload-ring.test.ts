// Bytes through staging into GPU buffers: by mapped buffers that take turns, and by the queue's own copies.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { UploadRing } from "../../src/gpu/upload-ring.ts";
import { seededRandom } from "../../src/model/sampling.ts";

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.close());

describe.each(["mapped", "written"] as const)("a ring of %s staging", (method) => {
  it("puts every part of every granule where it belongs, through more granules than there are", async () => {
    const random = seededRandom(5);
    const ring = await UploadRing.open(gpu, 4096, 3, method);
    const target = gpu.memory.storage("target", 64 * 1024);
    const expected = new Uint8Array(64 * 1024);
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        const granule = await ring.take();
        expect(granule.bytes.byteLength).toBe(4096);
        const copies = [0, 2048].map((from) => ({ from, to: target, at: 1024 * Math.floor(random() * 64), bytes: 1024 }));
        for (const { from } of copies) for (let i = 0; i < 1024; i++) granule.bytes[from + i] = Math.floor(random() * 256);
        for (const { from, at, bytes } of copies) expected.set(granule.bytes.subarray(from, from + bytes), at);
        ring.submit(granule, copies);
      }),
    );
    expect(new Uint8Array(await readBuffer(gpu, target))).toEqual(expected);
    gpu.memory.free(target);
    ring.close();
    gpu.check();
  });

  it("lends a granule again that was given back unused, and not while it is lent", async () => {
    const ring = await UploadRing.open(gpu, 64, 1, method);
    const first = await ring.take();
    let lent = false;
    const second = ring.take().then((granule) => {
      lent = true;
      return granule;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lent).toBe(false);
    ring.giveBack(first);
    expect((await second).bytes.byteLength).toBe(64);
    ring.close();
  });

  it("ends whoever waits when it is closed, and gives its memory back", async () => {
    const before = gpu.memory.count;
    const ring = await UploadRing.open(gpu, 64, 1, method);
    await ring.take();
    const waiting = ring.take().catch((error: unknown) => error);
    ring.close();
    expect(await waiting).toBeInstanceOf(AppError);
    expect(((await waiting) as AppError).code).toBe("aborted");
    expect(gpu.memory.count).toBe(before);
    gpu.check();
  });
});
