import { describe, expect, it } from "vitest";
import { joinStep, NO_STEPS, pushStep, redoStep, undoStep } from "../../src/project/undo-stack.ts";

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

  it("makes one step of edits that go on with each other, and only of those", () => {
    const edit = (before: string, after: string, label = "Edited a.js") => ({ label, before, after });
    const joined = joinStep(joinStep(pushStep(NO_STEPS, a), edit("2", "3")), edit("3", "4"));
    expect(joined).toEqual({ steps: [a, edit("2", "4")], done: 2 });
    expect(undoStep(joined)!.restore).toBe("2");
    expect(joinStep(joined, edit("4", "5", "Edited b.js")).steps).toHaveLength(3);
    expect(joinStep(joined, edit("9", "10")).steps).toHaveLength(3);
    expect(joinStep(undoStep(joined)!.stack, edit("2", "7")).steps).toEqual([a, edit("2", "7")]);
  });

  it("forgets what was undone once something new is done", () => {
    const undone = undoStep(pushStep(NO_STEPS, a))!.stack;
    const stack = pushStep(undone, b);
    expect(redoStep(stack)).toBeUndefined();
    expect(stack.steps).toEqual([b]);
  });
});
