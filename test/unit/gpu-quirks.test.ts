// What some browsers need that others do not, without those browsers: Firefox itself was not run.
import { describe, expect, it } from "vitest";
import { hasSlowMaps, nudgeUntil } from "../../src/gpu/quirks.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0";
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15";

/** A clock that moves by 0.25 ms a task and by what is waited; a map that is told at the first submission after `doneAt`, as Firefox does it. */
function firefox(doneAt: number) {
  let now = 0;
  const log: { readonly submits: number[]; waits: number } = { submits: [], waits: 0 };
  let finish!: () => void;
  let fail!: (error: Error) => void;
  const map = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const nudging = {
    submitNothing: () => {
      log.submits.push(now);
      if (now >= doneAt) finish();
    },
    now: () => now,
    nextTask: async () => void (now += 0.25),
    wait: async (ms: number) => {
      log.waits++;
      now += ms;
    },
  };
  return { map, nudging, log, finish, fail, now: () => now };
}

describe("where a timer tells of mapped buffers", () => {
  it("is Firefox, and neither Chrome nor Safari", () => {
    expect([FIREFOX, CHROME, SAFARI, ""].map(hasSlowMaps)).toEqual([true, false, false, false]);
  });

  it("a map is known about a millisecond after the work is done", async () => {
    const { map, nudging, log, now } = firefox(4.3);
    await nudgeUntil(map, nudging);
    expect(now()).toBeLessThan(6);
    expect(log.submits.length).toBeLessThanOrEqual(6);
  });

  it("nothing is submitted for a map that is there already", async () => {
    const { map, nudging, log, finish } = firefox(0);
    finish();
    await nudgeUntil(map, nudging);
    expect(log.submits).toEqual([]);
  });

  it("long work is asked after by a timer, without flooding the queue", async () => {
    const { map, nudging, log } = firefox(400);
    await nudgeUntil(map, nudging);
    expect(log.waits).toBeGreaterThan(50);
    expect(log.submits.length).toBeLessThan(110);
  });

  it("a map that fails is the caller's error", async () => {
    const { map, nudging, fail } = firefox(50);
    fail(new Error("the device is lost"));
    await expect(nudgeUntil(map, nudging)).rejects.toThrow("the device is lost");
  });

  it("a lost device is not submitted to for ever", async () => {
    const { map, nudging, log, finish, now } = firefox(Infinity);
    const waiting = nudgeUntil(map, nudging);
    while (now() < 1000) await Promise.resolve();
    const submits = log.submits.length;
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    expect(log.submits.length).toBeLessThanOrEqual(submits + 1);
    finish();
    await waiting;
  });
});
