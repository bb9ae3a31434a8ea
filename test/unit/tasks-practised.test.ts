// Families written for practice: none is one of the corpus or of either novel set.
import { describe, expect, it } from "vitest";
import type { Draft, Family } from "../../src/tasks/draft.ts";
import { BUILT_KEPT } from "../../src/tasks/families/built.ts";
import { NOVEL_FAMILIES, TRAINED_FAMILIES } from "../../src/tasks/families/index.ts";
import { PRACTISED } from "../../src/tasks/families/practised.ts";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { practiceTask } from "../../src/tasks/practice.ts";
import { Random } from "../../src/tasks/random.ts";
import { gradingTree, solvedTree, type Task } from "../../src/tasks/task.ts";
import { WordSource } from "../../src/tasks/words.ts";
import { behaviourOf, shapeOf } from "../support/family-likeness.ts";

const random = new Random(20261128);
const drafts = (families: readonly Family[], times: number) => families.flatMap((family) => Array.from({ length: times }, () => ({ id: family.id, draft: family.draft(random) })));
const practised = drafts(PRACTISED, 8);
const others = [...drafts([...TRAINED_FAMILIES, ...NOVEL_FAMILIES], 8), ...drafts(BUILT_KEPT.all, 1)];

/** What of `practised` is like something else, by this view of it. */
function alike(view: (draft: Draft) => string | undefined): unknown[] {
  const known = new Map(others.map(({ id, draft }) => [view(draft), id]));
  known.delete(undefined);
  const found = practised.map(({ id, draft }) => `${id} is like ${known.get(view(draft))}`).filter((line) => !line.endsWith("undefined"));
  return [...new Set(found)];
}

describe("families written for practice", () => {
  it("are many, each with an id of its own", () => {
    expect(PRACTISED.length).toBeGreaterThan(150);
    expect(new Set(PRACTISED.map(({ id }) => id)).size).toBe(PRACTISED.length);
  });

  it("are written like no family of the corpus or of the novel sets", () => {
    expect(alike(shapeOf)).toEqual([]);
  });

  it("are none of the novel set with other operators", () => {
    const outlineOf = (draft: Draft): string => shapeOf(draft).replace(/[-+*/%<>=!&|?]+/g, "~");
    const novel = new Map(drafts(NOVEL_FAMILIES, 8).map(({ id, draft }) => [outlineOf(draft), id]));
    expect(practised.map(({ id, draft }) => [id, novel.get(outlineOf(draft))]).filter(([, other]) => other)).toEqual([]);
  });

  it("do what no family of the corpus or of the novel sets does", { timeout: 120_000 }, () => {
    expect(alike(behaviourOf)).toEqual([]);
  });

  it("give tasks that fail at the start and pass with the reference", async () => {
    const words = new WordSource("train");
    const passes = async (files: Task["files"]): Promise<boolean> => (await new FastSandbox(files).run("npm test")).exitCode === 0;
    const tasks = Array.from({ length: 60 }, (_, index) => practiceTask("written", 11, index, words));
    for (const task of tasks) {
      expect(task.family).toMatch(/^practised\//);
      expect([await passes(task.files), await passes(gradingTree(task, task.files)), await passes(gradingTree(task, solvedTree(task)))], task.id).toEqual([false, false, true]);
    }
  });
});
