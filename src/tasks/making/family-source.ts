// Candidates from generated functions: a family, names, one operator on the function's body, tests that see the
// difference and further ones for grading.
import { callSafely, loadFunction } from "../program.ts";
import { encodeText } from "../../project/text.ts";
import type { Family } from "../draft.ts";
import { NOVEL_FAMILIES, TRAINED_FAMILIES } from "../families/index.ts";
import { isMutantOf, type Mutant, mutantsOf, OPERATORS, spliced } from "../operators/index.ts";
import { type Case, drawCases } from "../problem.ts";
import { type FunctionAt, projectTree, sourcePath, testFile, testPath } from "../project.ts";
import { hashText, Random } from "../random.ts";
import { render } from "../render.ts";
import type { DropReason } from "../task-line.ts";
import { isPlain, showValue } from "../values.ts";
import { type Side, WordSource } from "../words.ts";
import type { Candidate, Source } from "./candidate.ts";

export const FAMILY_SETS = ["train", "known", "novel"] as const;
/** `train`: families and words of training. `known`: the same families under held-out words. `novel`: families that training never sees. */
export type FamilySet = (typeof FAMILY_SETS)[number];

const SETS: Readonly<Record<FamilySet, { readonly families: readonly Family[]; readonly side: Side }>> = {
  train: { families: TRAINED_FAMILIES, side: "train" },
  known: { families: TRAINED_FAMILIES, side: "held-out" },
  novel: { families: NOVEL_FAMILIES, side: "held-out" },
};
const CASES = 14;
const TIMEOUT_MS = 10_000;

/** No end: every number is a function and a bug of its own. */
export function familySource(set: FamilySet): Source {
  const { families, side } = SETS[set];
  const words = new WordSource(side);
  return {
    name: `families/${set}`,
    size: Number.POSITIVE_INFINITY,
    timeoutMs: TIMEOUT_MS,
    readable: true,
    candidate: async (seed) => familyCandidate(seed, set, families, side, words),
  };
}

function familyCandidate(seed: number, set: FamilySet, families: readonly Family[], side: Side, words: WordSource): Candidate | DropReason {
  const random = new Random(hashText(`families/${set}/${seed}`));
  const rendered = render(random.weighted(families, ({ weight }) => weight), side, words, random);
  const { source, name, fileName, family } = rendered;
  const cases = drawCases(rendered, loadFunction(source, name), CASES, random);
  if (cases.length < 4 || new Set(cases.map(({ expected }) => showValue(expected))).size < 2) return "start";
  const mutant = draw(source, random);
  if (!mutant) return "start";
  const broken = spliced(source, mutant);
  const split = chooseTests(broken, name, cases, random);
  if (typeof split === "string") return split;
  const at: FunctionAt = { folder: "", isBroken: true, problem: { rendered, broken, visible: split.visible } };
  const path = sourcePath(at);
  return {
    path,
    inFunction: name,
    task: {
      id: `${set}-${seed}-${fileName}`,
      test: "npm test",
      set,
      family,
      origin: { source: `families/${set}`, seed, operator: mutant.operator },
      files: projectTree(words.noun(random), [at], "start"),
      hidden: new Map([[testPath(at).replace(/\.test\.js$/, ".hidden.test.js"), encodeText(testFile(name, fileName, split.hidden))]]),
      solution: new Map([[path, encodeText(source)]]),
    },
  };
}

/** An operator first, then a place: each kind of bug is as likely wherever it can be. */
function draw(source: string, random: Random): Mutant | undefined {
  const all = mutantsOf(source, "function.js");
  const operators = OPERATORS.filter((operator) => all.some((one) => one.operator === operator));
  if (operators.length === 0) return undefined;
  const operator = random.pick(operators);
  const mutant = random.pick(all.filter((one) => one.operator === operator));
  return isMutantOf(source, "function.js", mutant) ? mutant : undefined;
}

/** A few tests to see, at least one of them red, and the rest for grading. */
function chooseTests(broken: string, name: string, cases: readonly Case[], random: Random): { readonly visible: readonly Case[]; readonly hidden: readonly Case[] } | DropReason {
  const mutant = loadFunction(broken, name);
  const [red, green]: [Case[], Case[]] = [[], []];
  for (const one of cases) {
    const outcome = callSafely(mutant, one.args);
    if (outcome.kind === "error" && outcome.name === "RunawayLoop") return "hung";
    const right = outcome.kind === "value" && isPlain(outcome.value) && showValue(outcome.value) === showValue(one.expected);
    (right ? green : red).push(one);
  }
  if (red.length === 0) return "survived";
  const visible = [red[0]!, ...random.shuffle([...red.slice(1), ...green]).slice(0, random.int(1, 3))];
  const shown = new Set(visible);
  return { visible: random.shuffle(visible), hidden: cases.filter((one) => !shown.has(one)) };
}
