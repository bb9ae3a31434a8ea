import { describe, expect, it } from "vitest";
import { blockWeights, dequantise, fileBytes, findWeightType, gpuBytes, gpuPlanes, halfToNumber, repackToGpu, typeId, typeName, WEIGHT_TYPES, weightType } from "../../src/gguf/blocks.ts";

/** 1.0 and 0.5 as halves. */
const ONE = [0x00, 0x3c];
const HALF = [0x00, 0x38];

describe("weight types", () => {
  it("are found by their ggml id, and others are refused by tensor and type", () => {
    for (const type of WEIGHT_TYPES) expect(weightType(typeId(type), "x")).toBe(type);
    expect(findWeightType(10)).toBeUndefined();
    expect(typeName(39)).toBe("MXFP4");
    expect(() => weightType(10, "blk.0.attn_q.weight")).toThrow("Tensor blk.0.attn_q.weight is of type Q2_K, which cannot run here.");
    expect(() => weightType(99, "x")).toThrow("type 99");
  });

  it("have the block sizes of ggml", () => {
    expect(WEIGHT_TYPES.map((type) => [type, blockWeights(type), fileBytes(type, 1, 256)])).toEqual([
      ["F32", 1, 1024],
      ["F16", 1, 512],
      ["BF16", 1, 512],
      ["Q8_0", 32, 272],
      ["Q4_0", 32, 144],
      ["Q4_K", 256, 144],
      ["Q6_K", 256, 210],
    ]);
    expect(() => fileBytes("Q8_0", 3, 40)).toThrow("rows of 40 weights, which is no multiple of 32");
  });
});

describe("dequantise", () => {
  it("reads halves of every kind", () => {
    expect([0x3c00, 0xc000, 0x0001, 0x8000, 0x7c00, 0x7bff].map(halfToNumber)).toEqual([1, -2, 2 ** -24, -0, Infinity, 65504]);
    expect(halfToNumber(0x7e00)).toBeNaN();
  });

  it("is the definition for blocks made by hand", () => {
    const q8 = new Uint8Array([...HALF, ...Array.from({ length: 32 }, (_, i) => (i === 0 ? 0x80 : i))]);
    expect([...dequantise("Q8_0", q8, 32)].slice(0, 3)).toEqual([-64, 0.5, 1]);

    // Byte i: weight i in the low nibble, weight i + 16 in the high one, both less 8.
    const q4 = new Uint8Array([...ONE, 0xf0, ...Array.from({ length: 15 }, () => 0x88)]);
    expect([...dequantise("Q4_0", q4, 32)]).toEqual(Array.from({ length: 32 }, (_, i) => (i === 0 ? -8 : i === 16 ? 7 : 0)));

    // d = 1, min = 0.5; scale 3 and minimum 2 for the first sub-block, scale 0x21 (low 1, high bits 2) for the fifth.
    const q4k = new Uint8Array(144);
    q4k.set([...ONE, ...HALF, 3 | 0x80, 0, 0, 0, 2, 0, 0, 0, 1]);
    q4k[16] = 0x05;
    q4k[16 + 64] = 0x07;
    const values = dequantise("Q4_K", q4k, 256);
    expect([values[0], values[1], values[32], values[128], values[129]]).toEqual([3 * 5 - 1, -1, 0, 33 * 7, 0]);

    // Low nibble 1 and high bits 2 make 33 − 32; the scale of weights 0 to 15 is −2.
    const q6k = new Uint8Array(210);
    q6k[0] = 1;
    q6k[128] = 2;
    q6k[192] = 0xfe;
    q6k.set(ONE, 208);
    const six = dequantise("Q6_K", q6k, 256);
    expect([six[0], six[1], six[16]]).toEqual([-2, 64, -0]);

    expect([...dequantise("BF16", new Uint8Array([0x80, 0x3f, 0x00, 0xc0]), 2)]).toEqual([1, -2]);
  });
});

describe("the GPU layout", () => {
  it("keeps every byte: quants first, then the scales, padded to 16", () => {
    for (const type of WEIGHT_TYPES) {
      const [rows, columns] = [3, blockWeights(type) * 4];
      const file = Uint8Array.from({ length: fileBytes(type, rows, columns) }, (_, i) => (i * 7 + 1) % 256);
      const packed = repackToGpu(type, file, rows, columns);
      const planes = gpuPlanes(type, rows, columns);
      expect(packed.byteLength, type).toBe(gpuBytes(type, rows, columns));
      expect(packed.byteLength % 16, type).toBe(0);
      expect(planes[0] + planes[1], type).toBe(file.byteLength);
      expect([...packed.subarray(0, file.byteLength)].sort(), type).toEqual([...file].sort());
      expect(packed.subarray(file.byteLength).every((byte) => byte === 0), type).toBe(true);
    }
    const q8 = repackToGpu("Q8_0", Uint8Array.from({ length: 68 }, (_, i) => i), 1, 64);
    expect([q8[0], q8[31], q8[32], q8[63], ...q8.subarray(64, 68)]).toEqual([2, 33, 36, 67, 0, 1, 34, 35]);
  });

  it("refuses bytes that are not as many as the shape needs", () => {
    expect(() => repackToGpu("Q4_K", new Uint8Array(143), 1, 256)).toThrow("takes 144 bytes, not 143: the file is damaged.");
  });
});
