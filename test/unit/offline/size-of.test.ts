// What a stored value weighs: its content, counted.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sizeOf } from "../../../src/storage/measure.ts";

describe("the size of a value", () => {
  it("is that of its text as UTF-8, whatever the text", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(sizeOf(text)).toBe(new TextEncoder().encode(text).byteLength);
    }));
  });

  it("is that of its bytes, in maps, lists and objects, with their names", () => {
    expect(sizeOf(new Uint8Array(1000))).toBe(1000);
    expect(sizeOf(new Uint8Array(1000).subarray(10, 20))).toBe(10);
    expect(sizeOf(new Map([["a.js", new Uint8Array(5)]]))).toBe(9);
    expect(sizeOf({ name: "ab", list: [1, "xyz", null, true] })).toBe(4 + 2 + 4 + 8 + 3 + 1 + 1);
  });

  it("counts what is there twice once, and ends on a circle", () => {
    const file = new Uint8Array(100);
    const value: Record<string, unknown> = { a: file, b: file };
    value["me"] = value;
    expect(sizeOf(value)).toBe(1 + 1 + 2 + 100);
  });
});
