// Tasks to practise on by trial: families and names of training, never those kept for measuring, with hidden tests that
// decide. Harder than what the corpus shows: several bugs need the tests' feedback over turns, bugs of the wider catalogue
// were never seen, a function whose name says nothing must be understood by its code and its tests, and one that is built of
// pieces in a way of its own, or written for practice alone, is like none that was seen.
import { encodeText } from "../project/text.ts";
import type { Family } from "./draft.ts";
import { promptFor } from "./episode.ts";
import { BUILT } from "./families/built.ts";
import { TRAINED_FAMILIES } from "./families/index.ts";
import { PRACTISED } from "./families/practised.ts";
import { applyMutation, mutations } from "./mutate.ts";
import { isMutantOf, mutantsOf, type Operator, spliced } from "./operators/index.ts";
import { callSafely, loadFunction, parses } from "./program.ts";
import { type Case, makeProblem, type Problem } from "./problem.ts";
import { type Placed, placeProblems, projectTree, sourcePath, testFile, testPath } from "./project.ts";
import { hashText, Random } from "./random.ts";
import type { Task } from "./task.ts";
import { isPlain, showValue } from "./values.ts";
import type { WordSource } from "./words.ts";

/**
 * One bug as the corpus makes them; two in one function; two broken packages; one bug of the catalogue in `operators/`; one bug
 * in a function that is named by a word without meaning; one in a function of a family that the corpus does not have, built of
 * pieces (`families/built.ts`) or written out (`families/practised.ts`). Who practises says how much of each: see training/practice.py.
 */
export const PRACTICE_KINDS = ["one", "two", "packages", "mutant", "renamed", "built", "written"] as const;
export type PracticeKind = (typeof PRACTICE_KINDS)[number];

/** How often all families are equally likely: most are compositions that the corpus shows seldom. */
const ANY_FAMILY = 0.7;
const HIDDEN_CASES = 10;

/** Practice task `index` of this kind and seed; the same whichever others are made. */
export function practiceTask(kind: PracticeKind, seed: number, index: number, words: WordSource): Task {
  const random = new Random(hashText(`practice/${kind}/${seed}/${index}`));
  for (;;) {
    const drawn = draw(kind, words, random);
    if (drawn) return toTask(`practice-${kind}-${seed}-${index}`, kind, seed, index, drawn, words, random);
  }
}

interface Drawn {
  readonly problems: readonly Problem[];
  readonly operator?: Operator;
}

function pickFamily(random: Random): Family {
  return random.chance(ANY_FAMILY) ? random.pick(TRAINED_FAMILIES) : random.weighted(TRAINED_FAMILIES, (family) => family.weight);
}

/** Kinds of one bug in a function of a family that is not the corpus's. */
const PICKS: { readonly [kind in PracticeKind]?: (random: Random) => Family } = {
  built: (random) => BUILT.pick(random),
  written: (random) => random.pick(PRACTISED),
};

function draw(kind: PracticeKind, words: WordSource, random: Random): Drawn | undefined {
  const pick = PICKS[kind] ?? pickFamily;
  const one = (): Problem => makeProblem(pick, { side: "train", words, hiddenCases: HIDDEN_CASES }, random);
  const first = one();
  if (!enough(first)) return undefined;
  if (kind === "one" || kind in PICKS) return { problems: [first] };
  if (kind === "renamed") return { problems: [renamed(first, words.wide(random))] };
  if (kind === "mutant") return breakOtherwise(first, random);
  if (kind === "two") {
    const twice = breakAgain(first, random);
    return twice && { problems: [twice] };
  }
  const second = one();
  return enough(second) && first.rendered.fileName !== second.rendered.fileName ? { problems: [first, second] } : undefined;
}

/** The same function under a name that says nothing of what it does. */
function renamed(problem: Problem, name: string): Problem {
  const old = new RegExp(`\\b${problem.rendered.name}\\b`, "g");
  const put = (text: string): string => text.replace(old, name);
  const cases = (all: readonly Case[]): Case[] => all.map((one) => ({ ...one, call: put(one.call) }));
  const { rendered, broken, fix, visible, hidden } = problem;
  return {
    ...problem,
    rendered: { ...rendered, name, fileName: name.toLowerCase(), source: put(rendered.source) },
    broken: put(broken),
    fix: { oldText: put(fix.oldText), newText: put(fix.newText) },
    visible: cases(visible),
    hidden: cases(hidden),
  };
}

/** Broken by an operator of the catalogue, all of them alike, in place of the bug it had. */
function breakOtherwise(problem: Problem, random: Random): Drawn | undefined {
  const { rendered, visible, hidden } = problem;
  const path = `${rendered.fileName}.js`;
  const all = mutantsOf(rendered.source, path).filter(({ inFunction }) => inFunction === rendered.name);
  for (const operator of random.shuffle([...new Set(all.map((mutant) => mutant.operator))])) {
    const mutant = random.pick(all.filter((other) => other.operator === operator));
    const broken = spliced(rendered.source, mutant);
    if (isMutantOf(rendered.source, path, mutant) && isRed(broken, rendered.name, visible) && endsWell(broken, rendered.name, [...visible, ...hidden])) {
      return { problems: [{ ...problem, broken }], operator };
    }
  }
  return undefined;
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

function toTask(id: string, kind: PracticeKind, seed: number, index: number, { problems, operator }: Drawn, words: WordSource, random: Random): Task {
  const multi = kind === "packages";
  const placed = placeProblems(problems, problems.length, multi, () => words.noun(random), random);
  return {
    id,
    instruction: promptFor(placed, random),
    test: "npm test",
    set: kind,
    family: problems[0]!.rendered.family,
    origin: { source: `practice/${kind}/${seed}`, seed: index, ...(operator ? { operator } : {}) },
    files: projectTree(words.noun(random), placed, "start"),
    hidden: new Map(placed.map((one) => hiddenTests(one))),
    solution: new Map(placed.map((one) => [sourcePath(one), encodeText(one.problem.rendered.source)])),
  };
}

function hiddenTests(placed: Placed): readonly [string, Uint8Array] {
  const { name, fileName } = placed.problem.rendered;
  return [testPath(placed).replace(/\.test\.js$/, ".hidden.test.js"), encodeText(testFile(name, fileName, placed.problem.hidden))];
}
