// Built families: none is one of the corpus or of the frozen novel set, and what is kept for measuring is in no practice.
import { describe, expect, it } from "vitest";
import type { Family } from "../../src/tasks/draft.ts";
import { BUILT, BUILT_KEPT } from "../../src/tasks/families/built.ts";
import { NOVEL_FAMILIES, TRAINED_FAMILIES } from "../../src/tasks/families/index.ts";
import { FastSandbox } from "../../src/tasks/fast-sandbox.ts";
import { heldOutTasks } from "../../src/tasks/held-out.ts";
import { practiceTask } from "../../src/tasks/practice.ts";
import { Random } from "../../src/tasks/random.ts";
import { gradingTree, solvedTree, type Task } from "../../src/tasks/task.ts";
import { sideOf, WordSource } from "../../src/tasks/words.ts";
import { behaviourOf, shapeOf } from "../support/family-likeness.ts";

const SEED = 20261127;
const random = new Random(SEED);
const drafts = (families: readonly Family[], times: number) => families.flatMap((family) => Array.from({ length: times }, () => ({ id: family.id, draft: family.draft(random) })));
const practised = drafts(BUILT.all, 1);
const kept = drafts(BUILT_KEPT.all, 1);
const others = drafts([...TRAINED_FAMILIES, ...NOVEL_FAMILIES], 8);
const functionName = (task: Task): string => /\{ (\w+) \}/.exec(new TextDecoder().decode([...task.files].find(([path]) => path.endsWith(".test.js"))![1]))![1]!;

describe("built families", () => {
  it("are thousands, for practice and for measuring, each with an id of its own", () => {
    expect(practised.length).toBeGreaterThan(7000);
    expect(kept.length).toBeGreaterThan(4500);
    expect(new Set([...practised, ...kept].map(({ id }) => id)).size).toBe(practised.length + kept.length);
  });

  it("are written like no family of the corpus or of the novel set, and those that are kept like none that is practised", () => {
    const known = new Map(others.map(({ id, draft }) => [shapeOf(draft), id]));
    expect([...practised, ...kept].filter(({ draft }) => known.has(shapeOf(draft))).map(({ id, draft }) => [id, known.get(shapeOf(draft))])).toEqual([]);
    const shapes = new Set(practised.map(({ draft }) => shapeOf(draft)));
    expect(kept.filter(({ draft }) => shapes.has(shapeOf(draft))).map(({ id }) => id)).toEqual([]);
  });

  it("do what no family of the corpus or of the novel set does", { timeout: 120_000 }, () => {
    const known = new Map(others.map(({ id, draft }) => [behaviourOf(draft), id]));
    known.delete(undefined);
    expect([...practised, ...kept].map(({ id, draft }) => [id, known.get(behaviourOf(draft))]).filter(([, other]) => other), `seed ${SEED}`).toEqual([]);
  });
});

describe("the likeness of families", () => {
  const draft = (body: string) => ({ stem: "f", params: ["ints"] as const, body });

  it("sees the same function under other names, numbers, loops and forms", () => {
    const sum = draft("let $t = 0;\neach $x of $1 {\n  if ($x > 3) {\n    $t += $x;\n  }\n}\nreturn $t;");
    const renamed = draft("let $u = 0;\nfor (const $y of $1) {\n  if ($y > 5) {\n    $u += $y;\n  }\n}\nreturn $u;");
    const rewritten = draft("return $1.filter(($x) => $x > 3).reduce(($t, $x) => $t + $x, 0);");
    expect(shapeOf(renamed)).toBe(shapeOf(sum));
    expect(shapeOf(rewritten)).not.toBe(shapeOf(sum));
    expect(behaviourOf(rewritten)).toBe(behaviourOf(sum));
    expect(behaviourOf(renamed)).not.toBe(behaviourOf(sum));
  });
});

describe("tasks of built families", () => {
  const words = new WordSource("train");
  const practice = Array.from({ length: 40 }, (_, index) => practiceTask("built", 11, index, words));
  const measured = heldOutTasks("built", 40, 11);

  it("fail at the start and pass with the reference", async () => {
    const passes = async (files: Task["files"]): Promise<boolean> => (await new FastSandbox(files).run("npm test")).exitCode === 0;
    for (const task of [...practice, ...measured]) {
      expect([await passes(task.files), await passes(gradingTree(task, task.files)), await passes(gradingTree(task, solvedTree(task)))], task.id).toEqual([false, false, true]);
    }
  });

  it("are of families of their own side, each of another", () => {
    const ids = [BUILT, BUILT_KEPT].map(({ all }) => new Set(all.map(({ id }) => id)));
    for (const { family } of practice) expect([ids[0]!.has(family!), ids[1]!.has(family!)], family).toEqual([true, false]);
    for (const { family } of measured) expect([ids[0]!.has(family!), ids[1]!.has(family!)], family).toEqual([false, true]);
    expect(new Set(measured.map(({ family }) => family)).size).toBe(measured.length);
  });

  it("share no function's name with the held-out sets, whose words they never use", () => {
    const heldOut = new Set([...measured, ...heldOutTasks("novel", 60, 2027)].map(functionName));
    for (const task of practice) {
      const name = functionName(task);
      expect(heldOut.has(name), name).toBe(false);
    }
    for (const task of measured) expect(sideOf(functionName(task).split(/(?=[A-Z])/).at(-1)!.toLowerCase()), task.id).toBe("held-out");
  });
});
