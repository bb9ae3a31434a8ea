// Tasks to practise on by trial: families and names of training, never those kept for measuring, with hidden tests that
// decide. Harder than what the corpus shows: several bugs in one function or project need the tests' feedback over turns.
import { encodeText } from "../project/text.ts";
import type { Family } from "./draft.ts";
import { promptFor } from "./episode.ts";
import { TRAINED_FAMILIES } from "./families/index.ts";
import { applyMutation, mutations } from "./mutate.ts";
import { callSafely, loadFunction, parses } from "./program.ts";
import { type Case, makeProblem, type Problem } from "./problem.ts";
import { type Placed, placeProblems, projectTree, sourcePath, testFile, testPath } from "./project.ts";
import { hashText, Random } from "./random.ts";
import type { Task } from "./task.ts";
import { isPlain, showValue } from "./values.ts";
import type { WordSource } from "./words.ts";

export type PracticeKind = "one" | "two" | "packages";

/** Shares of the kinds; they sum to 1. */
const MIX: Readonly<Record<PracticeKind, number>> = { one: 0.4, two: 0.5, packages: 0.1 };
/** How often all families are equally likely: most are compositions that the corpus shows seldom. */
const ANY_FAMILY = 0.7;
const HIDDEN_CASES = 10;

/** Practice task `index` of this seed; the same whichever others are made. */
export function practiceTask(seed: number, index: number, words: WordSource): Task {
  const random = new Random(hashText(`practice/${seed}/${index}`));
  const kind = random.weighted(Object.keys(MIX) as PracticeKind[], (one) => MIX[one]);
  for (;;) {
    const problems = draw(kind, words, random);
    if (problems) return toTask(`practice-${seed}-${index}`, kind, problems, words, random);
  }
}

function pickFamily(random: Random): Family {
  return random.chance(ANY_FAMILY) ? random.pick(TRAINED_FAMILIES) : random.weighted(TRAINED_FAMILIES, (family) => family.weight);
}

function draw(kind: PracticeKind, words: WordSource, random: Random): Problem[] | undefined {
  const one = (): Problem => makeProblem(pickFamily, { side: "train", words, hiddenCases: HIDDEN_CASES }, random);
  const first = one();
  if (kind === "one") return enough(first) ? [first] : undefined;
  if (kind === "two") {
    const twice = breakAgain(first, random);
    return twice && enough(twice) ? [twice] : undefined;
  }
  const second = one();
  return enough(first) && enough(second) && first.rendered.fileName !== second.rendered.fileName ? [first, second] : undefined;
}

/** Hidden tests must be more than the visible ones, else guessing pays. */
function enough(problem: Problem): boolean {
  return problem.hidden.length > problem.visible.length;
}

/** A second bug in a line of its own, so that neither edit alone turns the tests green. Undefined where none is found. */
function breakAgain(problem: Problem, random: Random): Problem | undefined {
  const { rendered, broken, visible, hidden } = problem;
  const all = mutations(broken, rendered.name);
  const fixedLine = problem.fix.oldText;
  for (let attempt = 0; attempt < 6; attempt++) {
    if (all.length === 0) return undefined;
    const mutation = random.pick(all); // of every class alike: the corpus prefers those that read easily
    const twice = applyMutation(broken, mutation);
    if (!parses(twice) || !twice.includes(fixedLine)) continue;
    const onlySecond = twice.replace(fixedLine, problem.fix.newText);
    if (onlySecond === rendered.source || !parses(onlySecond)) continue;
    if ([broken, onlySecond, twice].every((source) => isRed(source, rendered.name, visible)) && endsWell(twice, rendered.name, [...visible, ...hidden])) {
      return { ...problem, broken: twice, mutation: mutation.kind };
    }
  }
  return undefined;
}

function isRed(source: string, name: string, cases: readonly Case[]): boolean {
  const fn = loadFunction(source, name);
  return cases.some(({ args, expected }) => {
    const outcome = callSafely(fn, args);
    return outcome.kind === "error" || !isPlain(outcome.value) || showValue(outcome.value) !== showValue(expected);
  });
}

/** No call runs without an end. */
function endsWell(source: string, name: string, cases: readonly Case[]): boolean {
  const fn = loadFunction(source, name);
  return cases.every(({ args }) => {
    const outcome = callSafely(fn, args);
    return outcome.kind === "value" || outcome.name === "TypeError";
  });
}

function toTask(id: string, kind: PracticeKind, problems: readonly Problem[], words: WordSource, random: Random): Task {
  const multi = kind === "packages";
  const placed = placeProblems(problems, problems.length, multi, () => words.noun(random), random);
  return {
    id,
    instruction: promptFor(placed, random),
    test: "npm test",
    set: kind,
    family: problems[0]!.rendered.family,
    files: projectTree(words.noun(random), placed, "start"),
    hidden: new Map(placed.map((one) => hiddenTests(one))),
    solution: new Map(placed.map((one) => [sourcePath(one), encodeText(one.problem.rendered.source)])),
  };
}

function hiddenTests(placed: Placed): readonly [string, Uint8Array] {
  const { name, fileName } = placed.problem.rendered;
  return [testPath(placed).replace(/\.test\.js$/, ".hidden.test.js"), encodeText(testFile(name, fileName, placed.problem.hidden))];
}
