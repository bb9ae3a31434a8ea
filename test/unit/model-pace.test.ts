// How much is queued before the host looks: longer while it goes well, shorter when layers miss or take long.
import { describe, expect, it } from "vitest";
import { Pace } from "../../src/model/pace.ts";

describe("the pace", () => {
  it("starts with one token, doubles while submissions pass quickly, and has a limit", () => {
    const pace = new Pace(4, 20);
    const seen = [pace.amount];
    for (let i = 0; i < 4; i++) {
      pace.passed(pace.amount, 10);
      seen.push(pace.amount);
    }
    expect(seen).toEqual([4, 8, 16, 20, 20]);
  });

  it("does not grow by submissions that were short for want of tokens", () => {
    const pace = new Pace(8, 100);
    pace.passed(4, 10);
    expect(pace.amount).toBe(8);
  });

  it("halves what took long, down to one token, so that a stop is noticed in time", () => {
    const pace = new Pace(20, 100);
    for (let i = 0; i < 2; i++) pace.passed(pace.amount, 10);
    const seen = [pace.amount];
    for (let i = 0; i < 3; i++) {
      pace.passed(pace.amount, 500);
      seen.push(pace.amount);
    }
    expect(seen).toEqual([80, 40, 20, 20]);
    pace.passed(20, 100);
    expect(pace.amount).toBe(20);
  });

  it("falls to about what ran before a miss, never below one layer", () => {
    const pace = new Pace(48, 100);
    pace.missed(7);
    expect(pace.amount).toBe(7);
    pace.missed(0);
    expect(pace.amount).toBe(1);
    pace.passed(1, 1);
    expect(pace.amount).toBe(2);
  });
});
