// Practice tasks: deterministic, of training's names and families, decided by hidden tests.
import { describe, expect, it } from "vitest";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { BUILT } from "../../src/tasks/families/built.ts";
import { NOVEL_FAMILIES, TRAINED_FAMILIES } from "../../src/tasks/families/index.ts";
import { PRACTISED } from "../../src/tasks/families/practised.ts";
import { PRACTICE_KINDS, practiceTask } from "../../src/tasks/practice.ts";
import { gradingTree, solvedTree, type Task } from "../../src/tasks/task.ts";
import { WordSource } from "../../src/tasks/words.ts";
import type { FileTree } from "../../src/project/tree.ts";

const words = new WordSource("train");
const tasks = PRACTICE_KINDS.flatMap((kind) => Array.from({ length: 12 }, (_, index) => practiceTask(kind, 11, index, words)));

async function passes(files: FileTree): Promise<boolean> {
  return (await new FastSandbox(files).run("npm test")).exitCode === 0;
}

/** The start with the reference's lines put in place of the first `count` lines that differ. */
function halfSolved(task: Task, skip: number): FileTree {
  const [[path, right]] = [...task.solution] as [[string, Uint8Array]];
  const wrong = new TextDecoder().decode(task.files.get(path)).split("\n");
  const lines = new TextDecoder().decode(right).split("\n");
  const differing = lines.flatMap((line, i) => (line === wrong[i] ? [] : [i]));
  expect(differing).toHaveLength(2);
  const at = differing[skip]!;
  return new Map([...task.files, [path, new TextEncoder().encode(wrong.map((line, i) => (i === at ? lines[i] : line)).join("\n"))]]);
}

describe("practice tasks", () => {
  it("fail at the start, fail when nothing is done, pass with the reference", async () => {
    for (const task of tasks) {
      expect([await passes(task.files), await passes(gradingTree(task, task.files)), await passes(gradingTree(task, solvedTree(task)))], task.id).toEqual([false, false, true]);
    }
  });

  it("are the same whichever others are made", () => {
    expect(practiceTask("one", 11, 7, new WordSource("train"))).toEqual(tasks[7]);
  });

  it("are of training's families only, or of those that are built or written for practice", () => {
    const [trained, built, written, novel] = [TRAINED_FAMILIES, BUILT.all, PRACTISED, NOVEL_FAMILIES].map((families) => new Set(families.map(({ id }) => id)));
    const own = (set: string | undefined): Set<string> => (set === "built" ? built! : set === "written" ? written! : trained!);
    expect(tasks.filter(({ set, family }) => novel!.has(family!) || !own(set).has(family!)).map(({ id }) => id)).toEqual([]);
  });

  it("of the catalogue have bugs of many kinds", () => {
    const operators = new Set(tasks.filter(({ set }) => set === "mutant").map(({ origin }) => origin?.operator));
    expect(operators.size).toBeGreaterThan(4);
    expect(operators).not.toContain(undefined);
  });

  it("with a name that says nothing have it everywhere, and the old one nowhere", () => {
    for (const task of tasks.filter(({ set }) => set === "renamed")) {
      const texts = [...task.files].filter(([path]) => path !== "package.json").map(([, bytes]) => new TextDecoder().decode(bytes));
      const name = /function (\w+)\(|const (\w+) =/.exec(texts.find((text) => text.startsWith("export"))!)!.slice(1).find((part) => part !== undefined)!;
      expect(name, task.id).toMatch(/^[a-z0-9]+([A-Z][a-z0-9]*)?$/);
      for (const text of texts) expect(text, task.id).toContain(name);
    }
  });

  it("with two bugs stay red when only one is repaired", async () => {
    const two = tasks.filter(({ set }) => set === "two");
    expect(two.length).toBeGreaterThan(8);
    for (const task of two) for (const skip of [0, 1]) expect(await passes(halfSolved(task, skip)), task.id).toBe(false);
  });
});
