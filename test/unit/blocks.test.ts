import { describe, expect, it } from "vitest";
import recorded from "../fixtures/weights/recorded.json" with { type: "json" };
import { blockWeights, dequantise, fileBytes, findWeightType, gpuBytes, gpuPlanes, halfToNumber, repackInto, repackToGpu, typeId, typeName, WEIGHT_TYPES, weightType } from "../../src/gguf/blocks.ts";

/** 1.0 and 0.5 as halves. */
const ONE = [0x00, 0x3c];
const HALF = [0x00, 0x38];

describe("weight types", () => {
  it("are found by their ggml id, and others are refused by tensor and type", () => {
    for (const type of WEIGHT_TYPES) expect(weightType(typeId(type), "x")).toBe(type);
    expect(findWeightType(16)).toBeUndefined();
    expect(typeName(34)).toBe("TQ1_0");
    expect(() => weightType(16, "blk.0.attn_q.weight")).toThrow("Tensor blk.0.attn_q.weight is of type IQ2_XXS, which cannot run here.");
    expect(() => weightType(99, "x")).toThrow("type 99");
  });

  it("have the block sizes of ggml", () => {
    expect(WEIGHT_TYPES.map((type) => [type, blockWeights(type), fileBytes(type, 1, 256)])).toEqual([
      ["F32", 1, 1024],
      ["F16", 1, 512],
      ["BF16", 1, 512],
      ["Q8_0", 32, 272],
      ["Q4_0", 32, 144],
      ["Q4_1", 32, 160],
      ["Q5_0", 32, 176],
      ["Q5_1", 32, 192],
      ["Q2_K", 256, 84],
      ["Q3_K", 256, 110],
      ["Q4_K", 256, 144],
      ["Q5_K", 256, 176],
      ["Q6_K", 256, 210],
      ["IQ4_NL", 32, 144],
      ["IQ4_XS", 256, 136],
      ["MXFP4", 32, 136],
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

describe("every weight type", () => {
  const bytesOf = (base64: string) => Uint8Array.from(Buffer.from(base64, "base64"));

  // gguf-py computes in f32 where the definition computes in f64: up to three roundings of 2^-24, of the larger of scale and minimum.
  it.each(Object.entries(recorded))("%s means what gguf-py reads", (type, { bytes, values }) => {
    const expected = new Float32Array(bytesOf(values).buffer);
    const ours = dequantise(type as keyof typeof recorded, bytesOf(bytes), expected.length);
    const block = blockWeights(type as keyof typeof recorded);
    for (let at = 0; at < expected.length; at += block) {
      const theirs = expected.subarray(at, at + block);
      const largest = Math.max(...theirs.map(Math.abs));
      expect(largest).toBeGreaterThan(0);
      theirs.forEach((value, i) => expect(Math.abs(ours[at + i]! - value) / largest, `weight ${at + i}`).toBeLessThan(3e-7));
    }
  });

  it("is among those that were recorded", () => {
    expect([...Object.keys(recorded), "F32"].sort()).toEqual([...WEIGHT_TYPES].sort());
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
      expect(planes.reduce((sum, bytes) => sum + bytes, 0), type).toBe(file.byteLength);
      expect([...packed.subarray(0, file.byteLength)].sort(), type).toEqual([...file].sort());
      expect(packed.subarray(file.byteLength).every((byte) => byte === 0), type).toBe(true);
    }
    const q8 = repackToGpu("Q8_0", Uint8Array.from({ length: 68 }, (_, i) => i), 1, 64);
    expect([q8[0], q8[31], q8[32], q8[63], ...q8.subarray(64, 68)]).toEqual([2, 33, 36, 67, 0, 1, 34, 35]);
  });

  it("is written in place too, from any byte of a file, and not past its end", () => {
    for (const type of WEIGHT_TYPES) {
      const [rows, columns] = [2, blockWeights(type) * 3];
      const file = Uint8Array.from({ length: fileBytes(type, rows, columns) }, (_, i) => (i * 11 + 3) % 256);
      const expected = repackToGpu(type, file, rows, columns);
      for (const shift of [0, 1, 2, 3]) {
        const moved = new Uint8Array(shift + file.length);
        moved.set(file, shift);
        const out = new Uint8Array(16 + expected.length + 16).fill(0xee);
        repackInto(type, moved.subarray(shift), rows, columns, out.subarray(16));
        expect(out.subarray(16, 16 + file.length), type).toEqual(expected.subarray(0, file.length));
        expect([...out.subarray(0, 16), ...out.subarray(16 + file.length)].every((byte) => byte === 0xee), type).toBe(true);
      }
    }
  });

  it("keeps the parts of a block in their planes", () => {
    // Two blocks of Q5_0: d, 4 bytes of high bits, 16 quants.
    const q5 = repackToGpu("Q5_0", Uint8Array.from({ length: 44 }, (_, i) => i), 1, 64);
    expect([q5[0], q5[15], q5[16], q5[31], ...q5.subarray(32, 40), ...q5.subarray(40, 44)]).toEqual([6, 21, 28, 43, 2, 3, 4, 5, 24, 25, 26, 27, 0, 1, 22, 23]);
    const q3 = repackToGpu("Q3_K", Uint8Array.from({ length: 220 }, (_, i) => i), 2, 256);
    expect([q3[0], q3[95], q3[96], q3[192], q3[203], q3[204], ...q3.subarray(216, 220)]).toEqual([0, 95, 110, 96, 107, 206, 108, 109, 218, 219]);
  });

  it("refuses bytes that are not as many as the shape needs", () => {
    expect(() => repackToGpu("Q4_K", new Uint8Array(143), 1, 256)).toThrow("takes 144 bytes, not 143: the file is damaged.");
  });
});
