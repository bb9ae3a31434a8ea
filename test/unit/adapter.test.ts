// A GPU that the browser holds back after a loss: asked for again and again, told once, given up at last.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { awaitAdapter } from "../../src/gpu/adapter.ts";

const adapter = { name: "the one" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A browser that gives none before it was asked so often. */
function holdingBack(refusals: number): { readonly asked: () => number } {
  let asked = 0;
  vi.stubGlobal("navigator", { gpu: { requestAdapter: async () => (++asked > refusals ? adapter : null) } });
  return { asked: () => asked };
}

describe("after a loss, an adapter", () => {
  it("that is there is taken at once", async () => {
    const { asked } = holdingBack(0);
    const told = vi.fn();
    expect(await awaitAdapter(told)).toBe(adapter);
    expect([asked(), told.mock.calls.length]).toEqual([1, 0]);
  });

  it("that is held back is asked for again until it is there; that is told once", async () => {
    const { asked } = holdingBack(3);
    const told = vi.fn();
    const got = awaitAdapter(told);
    await vi.advanceTimersByTimeAsync(3 * LIMITS.gpuRetryMs + 100);
    expect(await got).toBe(adapter);
    expect([asked(), told.mock.calls.length]).toEqual([4, 1]);
  });

  it("that never comes is given up, later than Chrome holds one back", async () => {
    holdingBack(Infinity);
    const given = awaitAdapter(() => undefined).catch((error: unknown) => error);
    let over = false;
    void given.then(() => (over = true));
    await vi.advanceTimersByTimeAsync(125_000);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(LIMITS.gpuBlockedMs);
    expect(await given).toMatchObject({ code: "gpu/lost", message: expect.stringContaining("150 seconds") });
  });

  it("is no longer waited for once that is stopped", async () => {
    holdingBack(Infinity);
    const stop = new AbortController();
    const given = awaitAdapter(() => undefined, stop.signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(500);
    stop.abort();
    await vi.advanceTimersByTimeAsync(1);
    expect(await given).toMatchObject({ code: "aborted" });
  });
});
