import { describe, expect, it } from "vitest";
import type { TimelineEntry } from "../../src/ui/session/session-state.ts";
import { timelineGroups } from "../../src/ui/work/timeline-groups.ts";

const entry = (id: string, label: string, kind: TimelineEntry["kind"], current = false): TimelineEntry => ({ id, label, time: 0, paths: [], current, ...(kind ? { kind } : {}) });

describe("the timeline's list", () => {
  it("folds saves of one file that follow each other, and nothing else", () => {
    const groups = timelineGroups([
      entry("1", "Opened", "opened"),
      entry("2", "Edited a.js", "edit"),
      entry("3", "Edited a.js", "edit"),
      entry("4", "npm test", "command"),
      entry("5", "Edited a.js", "edit"),
      entry("6", "Edited b.js", "edit"),
      entry("7", "Edited b.js", "edit"),
      entry("8", "Edited b.js", "edit"),
    ]);
    expect(groups.map(({ entry: { id }, earlier }) => [id, ...earlier.map((other) => other.id)])).toEqual([["8", "7", "6"], ["5"], ["4"], ["3", "2"], ["1"]]);
  });

  it("folds the edits that were tried into the one that was kept, and not where none was", () => {
    const groups = timelineGroups([entry("1", "Opened", "opened"), entry("2", "Try 1", "try"), entry("3", "Try 2", "try"), entry("4", "Edited a.js (try 3 of 3)", "step"), entry("5", "Try 1", "try")]);
    expect(groups.map(({ entry: { id }, earlier }) => [id, ...earlier.map((other) => other.id)])).toEqual([["5"], ["4", "3", "2"], ["1"]]);
  });

  it("never folds away the state that is current", () => {
    const groups = timelineGroups([entry("1", "Edited a.js", "edit"), entry("2", "Edited a.js", "edit", true), entry("3", "Edited a.js", "edit")]);
    expect(groups.map(({ entry: { id }, earlier }) => [id, ...earlier.map((other) => other.id)])).toEqual([["3"], ["2", "1"]]);
  });
});
