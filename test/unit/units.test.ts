import { describe, expect, it } from "vitest";
import { formatBytes, formatMs } from "../../src/base/units.ts";

describe("numbers as people read them", () => {
  it.each([[0, "0 B"], [999, "999 B"], [1500, "1.5 KB"], [2_520_800, "2.5 MB"], [45_080_000_000, "45.1 GB"], [250_000, "250 KB"]])("%d bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([[0.4, "0 ms"], [999, "999 ms"], [3400, "3.4 s"], [72_500, "1 min 13 s"], [119_800, "2 min 0 s"]])("%d ms are %s", (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });
});
