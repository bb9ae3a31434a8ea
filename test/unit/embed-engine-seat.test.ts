// One engine for all widgets of a page: who has it, who waits, and what happens when one of them goes.
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { EngineSeat } from "../../src/embed/engine-seat.ts";
import type { ToFrame } from "../../src/embed/protocol.ts";

class Frame {
  readonly heard: string[] = [];
  send(message: ToFrame): void {
    if (message.type === "engine") this.heard.push(message.state);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the page's one engine", () => {
  it("goes to who asks first; the second is told that it is elsewhere", () => {
    const [seat, a, b] = [new EngineSeat(), new Frame(), new Frame()];
    seat.wanted(a);
    seat.wanted(b);
    expect([a.heard, b.heard]).toEqual([["yours"], ["elsewhere"]]);
  });

  it("is taken over only after the first has ended its own", () => {
    const [seat, a, b] = [new EngineSeat(), new Frame(), new Frame()];
    seat.wanted(a);
    seat.take(b);
    expect([a.heard, b.heard]).toEqual([["yours", "give-up"], []]);
    seat.released(a);
    expect([a.heard.at(-1), b.heard]).toEqual(["elsewhere", ["yours"]]);
  });

  it("is taken from a frame that does not answer", () => {
    const [seat, a, b] = [new EngineSeat(), new Frame(), new Frame()];
    seat.wanted(a);
    seat.take(b);
    vi.advanceTimersByTime(LIMITS.widgetReleaseMs + 1);
    expect(b.heard).toEqual(["yours"]);
  });

  it("goes to who waits longest when its frame is removed from the page", () => {
    const [seat, a, b, c] = [new EngineSeat(), new Frame(), new Frame(), new Frame()];
    for (const frame of [a, b, c]) seat.wanted(frame);
    seat.left(a);
    seat.left(c);
    expect([b.heard, c.heard]).toEqual([["elsewhere", "yours"], ["elsewhere"]]);
  });

  it("is never with two frames at once, whatever they do", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("wanted", "take", "released", "left"), fc.nat(3)), { maxLength: 60 }), (steps) => {
        const seat = new EngineSeat();
        const frames = [new Frame(), new Frame(), new Frame(), new Frame()];
        /** Runs an engine from "yours" until it says that it has ended. */
        const running = new Set<Frame>();
        const look = (): void => {
          for (const frame of frames) {
            for (const word of frame.heard.splice(0)) if (word === "yours") running.add(frame);
            expect(running.size).toBeLessThanOrEqual(1);
          }
        };
        for (const [step, index] of steps) {
          const frame = frames[index]!;
          if (step === "released" || step === "left") running.delete(frame);
          seat[step as "wanted"](frame);
          look();
        }
      }),
    );
  });
});
