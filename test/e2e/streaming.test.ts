// Streaming in the built app, held to its bars: what a decoded token costs beside GPU work, and that nothing piles up.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabPage, openLabPage } from "../../src/cli/lab-page.ts";
import { measureStreaming } from "../../src/cli/bench/streaming.ts";

const MODEL = "tabwright-micro";

let lab: LabPage;
beforeAll(async () => {
  lab = await openLabPage();
});
afterAll(() => lab.close());

describe("a token whose experts are all resident", () => {
  it("takes at most 8 dispatches a layer and one readback", async () => {
    const rows = await measureStreaming(lab, "decode", MODEL);
    const value = (what: RegExp): number => rows.find((row) => what.test(row.what))!.value;
    expect(value(/dispatches/)).toBeLessThanOrEqual(8);
    expect(value(/readbacks/)).toBe(1);
    expect(value(/of it, GPU work/)).toBeGreaterThan(0);
    expect(value(/of it, GPU work/)).toBeLessThan(value(/a token$/));
  });
});

describe("500 tokens that stream their experts", () => {
  it("leave the worker's heap and its buffers where they were, far below 600 MB", async () => {
    const rows = await measureStreaming(lab, "heap", MODEL);
    const sizes = rows.filter(({ what }) => what.startsWith("the engine's worker after")).map(({ value }) => value);
    expect(sizes.length).toBe(6);
    expect(Math.max(...sizes)).toBeLessThan(600);
    expect(sizes.at(-1)! - sizes[1]!).toBeLessThan(2); // MB; a copy of every record read meanwhile would be over 30
    expect(rows.find(({ what }) => what === "expert hits meanwhile")!.value).toBeLessThan(99);
  });
});
