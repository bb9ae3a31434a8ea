// One broken function with its tests: the unit that tasks and episodes are built of.
import type { Family } from "./draft.ts";
import { type Fix, smallestFix } from "./fix.ts";
import { applyMutation, type MutationKind, mutations, pickMutation } from "./mutate.ts";
import { callSafely, loadFunction, type Outcome, parses } from "./program.ts";
import type { Random } from "./random.ts";
import { type Rendered, render } from "./render.ts";
import { drawArguments, isPlain, showValue, type Value } from "./values.ts";
import type { Side, WordSource } from "./words.ts";

/** One call with the value the right function returns. */
export interface Case {
  readonly args: readonly Value[];
  readonly expected: Value;
  /** `median([1, 2])`: the title of the test and the call itself. */
  readonly call: string;
}

export interface Problem {
  readonly rendered: Rendered;
  readonly broken: string;
  readonly fix: Fix;
  readonly mutation: MutationKind;
  /** Tests the agent sees; at least one fails on `broken`. */
  readonly visible: readonly Case[];
  /** Further tests for grading. */
  readonly hidden: readonly Case[];
}

/** Title length that still reads well, and keeps episodes short. */
const CALL_LENGTH = 58;
/** Records are longer by nature. */
const RECORD_CALL_LENGTH = 84;
const VALUE_LENGTH = 36;

export interface ProblemOptions {
  readonly side: Side;
  readonly words: WordSource;
  readonly hiddenCases: number;
}

/** Draws until a mutant is found that its tests kill and one edit repairs. */
export function makeProblem(pickFamily: (random: Random) => Family, options: ProblemOptions, random: Random): Problem {
  for (;;) {
    const rendered = render(pickFamily(random), options.side, options.words, random);
    const problem = tryBreak(rendered, options.hiddenCases, random);
    if (problem) return problem;
  }
}

function tryBreak(rendered: Rendered, hiddenCases: number, random: Random): Problem | undefined {
  const right = loadFunction(rendered.source, rendered.name);
  const cases = drawCases(rendered, right, 8 + hiddenCases, random);
  if (cases.length < 4 || !varied(cases)) return undefined;
  const all = mutations(rendered.source, rendered.name);
  for (let attempt = 0; attempt < 4; attempt++) {
    const mutation = pickMutation(all, random);
    if (!mutation) return undefined;
    const broken = applyMutation(rendered.source, mutation);
    const fix = parses(broken) ? smallestFix(broken, rendered.source) : undefined;
    if (!fix) continue;
    const split = chooseTests(broken, rendered.name, cases, random);
    if (split) return { rendered, broken, fix, mutation: mutation.kind, ...split };
  }
  return undefined;
}

/** Distinct calls whose results are plain. */
export function drawCases(rendered: Rendered, fn: (...args: unknown[]) => unknown, count: number, random: Random): Case[] {
  const numbers = [...rendered.source.matchAll(/\b\d+\b/g)].map((match) => Number(match[0])).filter((n) => n < 200);
  const longest = rendered.fields.length > 0 ? RECORD_CALL_LENGTH : CALL_LENGTH;
  const cases = new Map<string, Case>();
  for (let attempt = 0; attempt < count * 3 && cases.size < count; attempt++) {
    const args = drawArguments(rendered.params, { numbers, fields: rendered.fields }, random);
    const call = `${rendered.name}(${args.map(showValue).join(", ")})`;
    if (call.length > longest || cases.has(call) || !args.every((arg) => isPlain(arg))) continue;
    const outcome = callSafely(fn, args);
    if (outcome.kind !== "value" || !isPlain(outcome.value) || showValue(outcome.value).length > VALUE_LENGTH) continue;
    cases.set(call, { args, expected: outcome.value, call });
  }
  return [...cases.values()];
}

function varied(cases: readonly Case[]): boolean {
  return new Set(cases.map((one) => showValue(one.expected))).size > 1;
}

/** True if the mutant's outcome is a red test that reads well; undefined if the mutant must be dropped (it never ends). */
function fails(outcome: Outcome, expected: Value): boolean | undefined {
  if (outcome.kind === "error") return outcome.name === "TypeError" ? true : undefined;
  const { value } = outcome;
  if (isPlain(value)) return showValue(value) !== showValue(expected);
  const readable = value === undefined || (typeof value === "number" && (Number.isNaN(value) || !Number.isFinite(value)));
  return readable || (typeof value === "number" && String(value).length < 20) ? true : undefined;
}

function chooseTests(broken: string, name: string, cases: readonly Case[], random: Random): Pick<Problem, "visible" | "hidden"> | undefined {
  const mutant = loadFunction(broken, name);
  const red: Case[] = [];
  const green: Case[] = [];
  for (const one of cases) {
    const failed = fails(callSafely(mutant, one.args), one.expected);
    if (failed === undefined) return undefined;
    (failed ? red : green).push(one);
  }
  if (red.length === 0) return undefined;
  const size = random.int(2, 4);
  const visible = [red[0]!, ...random.shuffle([...red.slice(1), ...green]).slice(0, size - 1)];
  const chosen = new Set(visible);
  return { visible: random.shuffle(visible), hidden: cases.filter((one) => !chosen.has(one)) };
}
