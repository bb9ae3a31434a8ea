// One budget of GPU memory, divided: what must be there, the context, and experts with what is left.
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { defaultGpuBytes } from "../../src/gpu/budget.ts";
import { type MemoryAsk, type MemoryNeeds, type MemoryPlan, type MemoryRoom, planMemory, smallerPlan } from "../../src/model/memory-plan.ts";
import { seededRandom } from "../../src/model/sampling.ts";

const MB = 1e6;
const MIB = 1 << 20;
const GIB = 1 << 30;

/** About Qwen3-Coder-Next at Q4_K_M. */
const NEXT: MemoryNeeds = {
  denseBytes: 1.4 * GIB,
  contextTokens: 262_144,
  cacheBytesPerToken: 48 * 1024,
  cacheRowBytes: 2048,
  recurrentBytes: 75 * MIB,
  snapshots: 2,
  scratchBytes: 8 * MB,
  stagingBytes: 28 * MB,
  prefillBytes: 100 * MB,
  recordBytes: Array.from({ length: 48 }, () => 1_769_472),
  experts: 512,
  topK: 10,
};
const ROOM: MemoryRoom = { maxBindingBytes: 2 * GIB, defaultBytes: 6 * GIB };

function failure(needs: MemoryNeeds, room: MemoryRoom, ask: MemoryAsk): AppError {
  try {
    planMemory(needs, room, ask);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("the plan was made");
}

describe("a plan of GPU memory", () => {
  it("for an 80 B model on a card of 8 GB keeps within the budget and gives most of it to experts", () => {
    const plan = planMemory(NEXT, ROOM);
    expect(plan.totalBytes).toBeLessThanOrEqual(6 * GIB);
    expect(plan.totalBytes).toBeGreaterThan(5.9 * GIB);
    expect(plan.contextTokens).toBe(21_845); // 1 GiB of keys and values
    expect(plan.lines.experts).toBeGreaterThan(2.9 * GIB);
    expect(plan.pools.length).toBe(48);
    expect(plan.pools.every(({ slots }) => slots >= 36)).toBe(true);
  });

  it("shortens the context before it starves the experts, down to what an agent needs", () => {
    const plan = planMemory(NEXT, { ...ROOM, defaultBytes: 3 * GIB });
    expect(plan.contextTokens).toBeGreaterThanOrEqual(4096);
    expect(plan.contextTokens).toBeLessThan(8192);
    expect(plan.totalBytes).toBeLessThanOrEqual(3 * GIB);
  });

  it("gives no more to experts than there are", () => {
    const plan = planMemory(NEXT, ROOM, { gpuBytes: 100 * GIB });
    expect(plan.lines.experts).toBe(48 * 512 * 1_769_472);
    expect(plan.pools.every(({ slots }) => slots === 512)).toBe(true);
  });

  it("never makes a pool that one binding cannot hold", () => {
    const plan = planMemory(NEXT, { ...ROOM, maxBindingBytes: 128 * MIB }, { gpuBytes: 40 * GIB });
    expect(plan.pools.every(({ slots, slotBytes }) => slots * slotBytes <= 128 * MIB)).toBe(true);
    expect(plan.pools[0]!.slots).toBe(Math.floor((128 * MIB) / 1_769_472));
    expect(plan.contextTokens).toBeLessThanOrEqual((128 * MIB) / 2048);
  });

  it("takes what must be where the budget is only a guess, and says how much that is where it was asked for", () => {
    const tried = planMemory(NEXT, { ...ROOM, defaultBytes: 1 * GIB });
    expect(tried.totalBytes).toBe(tried.leastBytes + tried.lines.prefill);
    expect(tried.lines.prefill).toBe(32 * MIB);
    expect(tried.contextTokens).toBe(4096);
    const error = failure(NEXT, ROOM, { gpuBytes: 1000 * MB });
    expect(error.code).toBe("gpu/memory");
    expect(error.message).toMatch(/1000 MB is too small.*context of 4096 tokens.*Allow at least 1995 MB/);
    expect(error.data).toMatchObject({ knob: "gpuMb", smallestMb: 1995 });
    expect(planMemory(NEXT, ROOM, { gpuBytes: 1995 * MB }).totalBytes).toBeLessThanOrEqual(1995 * MB);
  });

  it("names the longest context that would do, where the one that was asked for does not fit", () => {
    const error = failure(NEXT, ROOM, { gpuBytes: 3 * GIB, contextTokens: 100_000 });
    expect(error.data["knob"]).toBe("context");
    const most = error.data["most"] as number;
    expect(error.message).toContain(`Lower the context to ${most} tokens`);
    expect(planMemory(NEXT, ROOM, { gpuBytes: 3 * GIB, contextTokens: most }).contextTokens).toBe(most);
    expect(() => planMemory(NEXT, ROOM, { gpuBytes: 3 * GIB, contextTokens: most + 32 })).toThrow(AppError);
  });

  it("names the longest context that one buffer holds", () => {
    const error = failure(NEXT, { ...ROOM, maxBindingBytes: 32 * MIB }, { contextTokens: 20_000 });
    expect(error.message).toMatch(/at most 16384 tokens/);
    expect(planMemory(NEXT, { ...ROOM, maxBindingBytes: 32 * MIB }).contextTokens).toBeLessThanOrEqual(16_384);
  });

  it("refuses a context that the model was not made for", () => {
    expect(failure(NEXT, ROOM, { contextTokens: 262_145 })).toMatchObject({ code: "model/context" });
    expect(failure(NEXT, ROOM, { contextTokens: 0 })).toMatchObject({ code: "model/context" });
  });

  it("takes an expert budget as a ceiling, and beyond the guess where it was asked for", () => {
    const slotted = (ask: MemoryAsk): number => planMemory(NEXT, ROOM, ask).lines.experts;
    expect(slotted({ expertBytes: 500 * MB })).toBeLessThanOrEqual(500 * MB);
    expect(slotted({ expertBytes: 10 * GIB })).toBeGreaterThan(9.9 * GIB);
    expect(slotted({ gpuBytes: 4 * GIB, expertBytes: 10 * GIB })).toBeLessThan(2 * GIB);
    expect(failure(NEXT, ROOM, { expertBytes: 5 * MB }).message).toMatch(/at least 18 MB/);
  });

  it("needs no experts for a model that has none", () => {
    const dense: MemoryNeeds = { ...NEXT, recordBytes: [], experts: 0, topK: 0, stagingBytes: 0 };
    const plan = planMemory(dense, ROOM);
    expect(plan.pools).toEqual([]);
    expect(plan.lines.prefill).toBe(dense.prefillBytes);
    expect(plan.totalBytes).toBe(plan.leastBytes + plan.lines.prefill);
  });

  it("adds up, keeps within a budget that was asked for, and fits the limits, whatever the numbers are", () => {
    const random = seededRandom(17);
    const whole = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
    let made = 0;
    for (let round = 0; round < 500; round++) {
      const experts = whole(1, 64);
      const needs: MemoryNeeds = {
        denseBytes: whole(0, 5000), contextTokens: whole(1, 20_000), cacheBytesPerToken: whole(0, 8), cacheRowBytes: whole(0, 3), recurrentBytes: whole(0, 500), snapshots: whole(0, 3),
        scratchBytes: whole(0, 900), stagingBytes: whole(0, 900), prefillBytes: whole(0, 900), recordBytes: Array.from({ length: whole(1, 9) }, () => 16 * whole(1, 20)), experts, topK: whole(1, experts),
      };
      const room = { maxBindingBytes: whole(20_000, 80_000), defaultBytes: whole(0, 200_000) };
      const ask = { gpuBytes: whole(0, 200_000) };
      let plan: MemoryPlan;
      try {
        plan = planMemory(needs, room, ask);
      } catch (error) {
        expect(error).toMatchObject({ code: "gpu/memory" });
        continue;
      }
      made++;
      expect(Object.values(plan.lines).reduce((sum, bytes) => sum + bytes, 0)).toBe(plan.totalBytes);
      expect(plan.totalBytes).toBeLessThanOrEqual(ask.gpuBytes);
      expect(plan.leastBytes).toBeLessThanOrEqual(plan.totalBytes);
      for (const { slots, slotBytes } of plan.pools) expect(slots * slotBytes).toBeLessThanOrEqual(room.maxBindingBytes);
      expect(plan.contextTokens * needs.cacheRowBytes).toBeLessThanOrEqual(room.maxBindingBytes);
    }
    expect(made).toBeGreaterThan(100);
  });
});

describe("when the device has less than was planned", () => {
  const sizes = (ask: MemoryAsk): readonly MemoryPlan[] => {
    const plans = [planMemory(NEXT, ROOM, ask)];
    for (let next = smallerPlan(plans[0]!, NEXT, ROOM, ask); next; next = smallerPlan(next, NEXT, ROOM, ask)) plans.push(next);
    return plans;
  };

  it("plans get smaller until nothing smaller runs: first fewer experts, then a shorter context", () => {
    const plans = sizes({});
    expect(plans.length).toBeGreaterThan(4);
    plans.slice(1).forEach((plan, i) => expect(plan.totalBytes).toBeLessThan(plans[i]!.totalBytes));
    const shortened = plans.findIndex(({ contextTokens }) => contextTokens < plans[0]!.contextTokens);
    expect(plans[shortened - 1]!.totalBytes).toBe(plans[shortened - 1]!.leastBytes + plans[shortened - 1]!.lines.prefill);
    expect(plans.at(-1)!.contextTokens).toBe(4096);
    expect(plans.at(-1)!.totalBytes).toBe(plans.at(-1)!.leastBytes);
  });

  it("a context that the user chose stays", () => {
    expect(new Set(sizes({ contextTokens: 30_000 }).map(({ contextTokens }) => contextTokens))).toEqual(new Set([30_000]));
  });
});

describe("the GPU budget where nobody said", () => {
  const nvidia = { vendor: "nvidia", software: false, maxBufferBytes: 4 * GIB };
  it.each([
    ["a card of its own memory", nvidia, 32, 6 * GIB],
    ["a card where little is told", nvidia, undefined, 6 * GIB],
    ["a GPU that shares 16 GB", { ...nvidia, vendor: "apple" }, 16, 8 * GIB],
    ["a GPU that shares memory of which the browser does not tell", { ...nvidia, vendor: "intel" }, undefined, 4 * GIB],
    ["an adapter that computes on the CPU", { ...nvidia, vendor: "google", software: true }, 4, 2 * GIB],
    ["a device of small buffers", { ...nvidia, maxBufferBytes: 256 * MIB }, 32, 2 * GIB],
  ])("fits %s", (_, report, memoryGb, bytes) => {
    expect(defaultGpuBytes(report, memoryGb)).toBe(bytes);
  });
});
