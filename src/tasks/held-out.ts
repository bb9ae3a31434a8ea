// Held-out tasks: known families under names that training never uses, families that the corpus never shows, and families built
// of pieces that practice never shows either.
import { encodeText } from "../project/text.ts";
import type { FileTree } from "../project/tree.ts";
import type { Family } from "./draft.ts";
import { promptFor } from "./episode.ts";
import { BUILT_KEPT } from "./families/built.ts";
import { NOVEL_FAMILIES, TRAINED_FAMILIES } from "./families/index.ts";
import { makeProblem, type Problem } from "./problem.ts";
import { type Placed, placeProblems, projectTree, sourcePath, testFile, testPath } from "./project.ts";
import { hashText, Random } from "./random.ts";
import type { Task } from "./task.ts";
import { WordSource } from "./words.ts";

export const HELD_OUT_SETS = ["known", "novel", "built"] as const;
export type HeldOutSet = (typeof HELD_OUT_SETS)[number];

const FAMILIES: Readonly<Record<HeldOutSet, readonly Family[]>> = { known: TRAINED_FAMILIES, novel: NOVEL_FAMILIES, built: BUILT_KEPT.all };
/** One in this many tasks has several packages. */
const MULTI_EVERY = 10;
const HIDDEN_CASES = 10;

/** `count` tasks of a set, every one of another family as long as there are enough. Deterministic by seed. */
export function heldOutTasks(set: HeldOutSet, count: number, seed: number): Task[] {
  const words = new WordSource("held-out");
  const families = FAMILIES[set];
  const used = new Set<string>();
  const tasks: Task[] = [];
  for (let index = 0; tasks.length < count; index++) {
    const random = new Random(hashText(`held-out/${set}/${seed}/${index}`));
    const pick = (inner: Random): Family => (set === "built" ? BUILT_KEPT.pick(inner) : inner.weighted(families, (family) => family.weight));
    const problem = makeProblem(pick, { side: "held-out", words, hiddenCases: HIDDEN_CASES }, random);
    const { family } = problem.rendered;
    if ((used.has(family) && used.size < families.length) || problem.hidden.length <= problem.visible.length) continue;
    used.add(family);
    tasks.push(toTask(set, tasks.length, problem, pick, words, random));
  }
  return tasks;
}

function toTask(set: HeldOutSet, number: number, problem: Problem, pick: (random: Random) => Family, words: WordSource, random: Random): Task {
  const multi = number % MULTI_EVERY === MULTI_EVERY - 1;
  const others: Problem[] = [];
  while (others.length < (multi ? 1 : 0)) {
    const other = makeProblem(pick, { side: "held-out", words, hiddenCases: HIDDEN_CASES }, random);
    if (other.rendered.fileName !== problem.rendered.fileName) others.push(other);
  }
  // The other package is right from the start; the task is to find the broken one.
  const placed = placeProblems([problem, ...others], 0, multi, () => words.noun(random), random).map((one, i): Placed => ({ ...one, isBroken: i === 0 }));
  const red = placed[0]!;
  return {
    id: `${set}-${String(number + 1).padStart(2, "0")}-${problem.rendered.fileName}`,
    instruction: promptFor([red], random),
    test: "npm test",
    set,
    family: problem.rendered.family,
    files: projectTree(words.noun(random), placed, "start"),
    hidden: hiddenTests(red),
    solution: new Map([[sourcePath(red), encodeText(problem.rendered.source)]]),
  };
}

function hiddenTests(placed: Placed): FileTree {
  const { name, fileName } = placed.problem.rendered;
  const path = testPath(placed).replace(/\.test\.js$/, ".hidden.test.js");
  return new Map([[path, encodeText(testFile(name, fileName, placed.problem.hidden))]]);
}
