// What is asked, at three levels of vagueness, from what fails: that something is wrong; which test; which call, what it
// should give and where the bug is.
import type { TestFailure, TestReport } from "../../agent/test-report.ts";
import type { FileTree } from "../../project/tree.ts";
import type { Random } from "../random.ts";
import type { Instructions } from "../task.ts";

export interface Symptoms {
  readonly report: TestReport | undefined;
  /** Only tests in these are spoken of; the others nobody sees. */
  readonly visible: FileTree;
  /** Used where there is no report. */
  readonly tail: string;
  readonly path: string;
  readonly inFunction?: string;
  /** Something may be missing rather than broken. */
  readonly isChange?: boolean;
}

export function writeInstructions(symptoms: Symptoms, random: Random): Instructions {
  const all = symptoms.report?.failures ?? [];
  const seen = all.filter(({ place }) => place === undefined || symptoms.visible.has(place.file));
  const failures = seen.length > 0 ? seen : all;
  // A runner may tell only counts; what it lists is what can be seen.
  const failed = seen.length < all.length ? failures.length : (symptoms.report?.failed ?? 0);
  const first = failures[0];
  return { vague: random.pick(vague(failed, first)), plain: random.pick(plain(symptoms, failed, first)), exact: random.pick(exact(symptoms, first)) };
}

/** The kind of symptom, and no name. */
function vague(failed: number, first: TestFailure | undefined): string[] {
  const thrown = first && first.expected === undefined ? /^\w*Error\b/.exec(first.message)?.[0] : undefined;
  return [
    "The tests fail. Find the bug and fix it.",
    "Something does not work any more. Find out what, and repair it.",
    ...(failed > 0 ? [`${failed === 1 ? "One test fails" : `${failed} tests fail`}. Please fix the code.`] : []),
    ...(thrown === undefined ? ["A result is wrong somewhere. Find it and fix it."] : [`Something throws ${article(thrown)} ${thrown}. Find it and fix it.`]),
  ];
}

const article = (word: string): string => (/^[AEIOU]/.test(word) ? "an" : "a");

/** Which test fails. */
function plain({ inFunction, path }: Symptoms, failed: number, first: TestFailure | undefined): string[] {
  const more = failed - 1;
  const others = more <= 0 ? "" : more === 1 ? " and one more" : ` and ${more} more`;
  if (!first) return [`The tests of ${path} fail. Fix the code, not the tests.`, `${inFunction ?? path} is broken: the tests fail. Please repair it.`];
  const name = JSON.stringify(first.name);
  return [
    others === "" ? `The test ${name} fails. Fix the code, not the test.` : `The tests ${name}${others} fail. Fix the code, not the tests.`,
    `Make ${name}${others} pass again.`,
    ...(first.place ? [`${name} in ${first.place.file} fails${others === "" ? "" : `,${others}`}. Find out why and fix it.`] : []),
  ];
}

/** Where, and what it should be. */
function exact(symptoms: Symptoms, first: TestFailure | undefined): string[] {
  const { path, inFunction, tail, isChange } = symptoms;
  const where = isChange ? `The change belongs into ${path}.` : inFunction === undefined ? `The bug is in ${path}.` : `The bug is in ${inFunction} in ${path}.`;
  if (!first) return [`The tests fail:\n${tail}\n${where} Fix it.`];
  const name = JSON.stringify(first.name);
  const at = first.place ? ` (${first.place.file})` : "";
  const what =
    first.expected !== undefined && first.actual !== undefined ? `expects ${first.expected} and gets ${first.actual}` : `fails with “${first.message}”`;
  return [`The test ${name}${at} ${what}. ${where} Fix it.`, `${where} The test ${name}${at} ${what}. Please correct it.`];
}
