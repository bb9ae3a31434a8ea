import { describe, expect, it } from "vitest";
import { NO_STEPS, pushStep, redoStep, undoStep } from "../../src/project/undo-stack.ts";

const a = { label: "a", before: "1", after: "2" };
const b = { label: "b", before: "2", after: "3" };

describe("the undo stack", () => {
  it("goes back to before the last step and forward to after it", () => {
    const stack = pushStep(pushStep(NO_STEPS, a), b);
    const once = undoStep(stack)!;
    expect(once.restore).toBe("2");
    const twice = undoStep(once.stack)!;
    expect(twice.restore).toBe("1");
    expect(undoStep(twice.stack)).toBeUndefined();
    const again = redoStep(twice.stack)!;
    expect(again.restore).toBe("2");
    expect(redoStep(redoStep(again.stack)!.stack)).toBeUndefined();
  });

  it("forgets what was undone once something new is done", () => {
    const undone = undoStep(pushStep(NO_STEPS, a))!.stack;
    const stack = pushStep(undone, b);
    expect(redoStep(stack)).toBeUndefined();
    expect(stack.steps).toEqual([b]);
  });
});
