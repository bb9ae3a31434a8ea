// Fault 24: clocks that jump, machines that sleep, tabs that are throttled. Time-outs and estimates are driven by a clock in
// the test's hand; nothing waits.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterAwake, type AwakeClock, countedMs } from "../../src/base/awake-timer.ts";
import { addSample, leftMs, rateOf, type Sample } from "../../src/ui/device/eta.ts";

const HOUR = 3_600_000;

/** A clock that goes as the test says: `look` lets the next look happen when the clock has moved by `ms`. */
class HandClock implements AwakeClock {
  time = 1_000_000;
  unseen = false;
  #next: (() => void) | undefined;
  #dueMs = 0;

  now(): number {
    return this.time;
  }
  hidden(): boolean {
    return this.unseen;
  }
  after(ms: number, call: () => void): () => void {
    this.#next = call;
    this.#dueMs = ms;
    return () => (this.#next = undefined);
  }
  get waits(): boolean {
    return this.#next !== undefined;
  }
  /** The timer fires, `ms` after it was set by this clock's word; by default when it was due. */
  look(ms = this.#dueMs): void {
    const call = this.#next;
    this.#next = undefined;
    this.time += ms;
    call?.();
  }
}

function timer(ms: number): { readonly clock: HandClock; fired(): boolean; cancel(): void } {
  const clock = new HandClock();
  let fired = false;
  const cancel = afterAwake(ms, () => (fired = true), clock);
  return { clock, fired: () => fired, cancel };
}

/** Looks until it fires; how much time passed by the clock. */
function untilFired({ clock, fired }: ReturnType<typeof timer>): number {
  const started = clock.time;
  for (let looks = 0; !fired(); looks++) {
    expect(looks).toBeLessThan(10_000);
    clock.look();
  }
  return clock.time - started;
}

describe("fault 24: a time-out", () => {
  it("fires after its time when nothing is wrong, and never when it was taken back", () => {
    for (const ms of [10, 800, 15_000, 600_000]) expect(untilFired(timer(ms))).toBeCloseTo(ms, -1);
    const taken = timer(1000);
    taken.clock.look();
    taken.cancel();
    expect(taken.clock.waits).toBe(false);
    expect(taken.fired()).toBe(false);
  });

  it("does not fire because the machine slept for a night", () => {
    const boot = timer(15_000);
    for (let seconds = 0; seconds < 5; seconds++) boot.clock.look();
    boot.clock.look(9 * HOUR);
    expect(boot.fired()).toBe(false);
    expect(untilFired(boot)).toBeGreaterThan(8_000);
  });

  it("fires all the same when the clock was put back, and not too soon", () => {
    const command = timer(60_000);
    command.clock.look(-2 * HOUR);
    expect(command.fired()).toBe(false);
    expect(untilFired(command)).toBeGreaterThan(55_000);
  });

  it("goes on in a hidden tab, where timers fire once a minute", () => {
    const command = timer(120_000);
    command.clock.unseen = true;
    command.clock.look(60_000);
    expect(command.fired()).toBe(false);
    command.clock.look(60_000);
    expect(command.fired()).toBe(true);
  });

  it("does not take sleep in a hidden tab for waiting", () => {
    const command = timer(120_000);
    command.clock.unseen = true;
    command.clock.look(8 * HOUR);
    expect(command.fired()).toBe(false);
  });

  it("counts no more than passed, and something whatever the clock does", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 1000 }), fc.boolean(), (elapsed, step, hidden) => {
        const counted = countedMs(elapsed, step, hidden);
        expect(counted).toBeGreaterThanOrEqual(0);
        if (elapsed >= step) expect(counted).toBeLessThanOrEqual(elapsed);
        if (elapsed < 0) expect(counted).toBe(step);
      }),
    );
  });
});

describe("fault 24: the time that is left", () => {
  const steady = (count: number, from: Sample = { atMs: 0, doneBytes: 0 }): readonly Sample[] =>
    Array.from({ length: count }, (_, i) => ({ atMs: from.atMs + i * 500, doneBytes: from.doneBytes + i * 1_000_000 })).reduce<readonly Sample[]>(addSample, []);

  it("follows the rate of the last ten seconds", () => {
    const samples = steady(21);
    expect(rateOf(samples)).toBeCloseTo(2_000_000);
    expect(leftMs(samples, 40_000_000)).toBeCloseTo(10_000);
  });

  it("is not told across sleep, and told again a second after it", () => {
    let samples = steady(10);
    const last = samples.at(-1)!;
    samples = addSample(samples, { atMs: last.atMs + 7 * HOUR, doneBytes: last.doneBytes + 1_000_000 });
    expect(leftMs(samples, 1e9)).toBeUndefined();
    for (let i = 1; i <= 3; i++) samples = addSample(samples, { atMs: last.atMs + 7 * HOUR + i * 500, doneBytes: last.doneBytes + (1 + i) * 1_000_000 });
    expect(rateOf(samples)).toBeCloseTo(2_000_000);
  });

  it("begins anew when the clock was put back or the count starts over", () => {
    const samples = steady(10);
    const last = samples.at(-1)!;
    expect(leftMs(addSample(samples, { atMs: last.atMs - HOUR, doneBytes: last.doneBytes + 1 }), 1e9)).toBeUndefined();
    expect(leftMs(addSample(samples, { atMs: last.atMs + 500, doneBytes: 0 }), 1e9)).toBeUndefined();
  });

  it("is a sane number or none, whatever the clock does", () => {
    const step = fc.record({ byMs: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: -1e12, max: 1e12 })), byBytes: fc.oneof(fc.integer({ min: 0, max: 5e6 }), fc.integer({ min: -1e9, max: 1e9 })) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 50e9 }), (steps, total) => {
        let samples: readonly Sample[] = [];
        let at = 0;
        let done = 0;
        for (const { byMs, byBytes } of steps) {
          at += byMs;
          done = Math.max(0, done + byBytes);
          samples = addSample(samples, { atMs: at, doneBytes: done });
          const left = leftMs(samples, total);
          if (left === undefined) continue;
          expect(left).toBeGreaterThan(0);
          expect(left).toBeLessThanOrEqual(24 * HOUR);
        }
      }),
    );
  });
});
