// Which of two models writes a turn. A small one that is always there drafts, and runs the tests; the large one is asked when the
// draft cannot be read, when the small one was not sure of it, or when the tests stay red whatever it edits. Pure.
// Source of the idea: SynConfRoute, arXiv 2605.04894 (syntax and confidence route between models without training).
import type { ToolName } from "./tool-specs.ts";

export type Writer = "helper" | "model";

/** Why the large model is asked. `context`: what was said is longer than the small one can read. */
export type HandoverReason = "unreadable" | "unsure" | "red" | "context";

/** What is known of a draft. */
export interface Draft {
  /** It holds a call of a known tool with what it needs, or words and no call. */
  readonly isReadable: boolean;
  /** The tool it calls, if any. */
  readonly tool?: ToolName;
  /** Mean natural logarithm of the probabilities of its tokens; undefined where the model does not tell. */
  readonly meanLogprob: number | undefined;
}

/** What has come of the turns so far. */
export interface Route {
  /** Test runs that were red after an edit of the small model's, since the last green one. */
  readonly redRuns: number;
  /** Was the last change made after the last test run? */
  readonly untested: boolean;
  /** Who made it. */
  readonly editor: Writer | undefined;
  /** The last test run passed, and nothing changed since: there is nothing left to get wrong but the words. */
  readonly isGreen: boolean;
}

export const ROUTE_START: Route = { redRuns: 0, untested: false, editor: undefined, isGreen: false };

/** Red runs after which the large model edits. */
const RED_RUNS = 2;

/**
 * Below this mean log-probability a draft is not trusted. Youden's cut over the first edits of the bundled model on the 40
 * held-out tasks of families it never saw, as `npm run feedback` prints it (docs/learning.md): of the drafts above it
 * 93 % were right, of those below 36 %. Measure again with another bundled model; another small model has another scale.
 */
export const LEAST_CERTAINTY = -0.00042;

/** Who writes next. Where the tests stayed red the large model does, but for running the tests of what it changed. */
export function nextWriter({ redRuns, untested }: Route): Writer {
  return redRuns < RED_RUNS || untested ? "helper" : "model";
}

/** Why the large model must answer in place of this draft; undefined where the draft stands. */
export function handover(draft: Draft, { redRuns, isGreen }: Route, leastCertainty = LEAST_CERTAINTY): HandoverReason | undefined {
  if (!draft.isReadable) return "unreadable";
  // Past the red runs it is asked for a test run and for nothing else.
  if (redRuns >= RED_RUNS) return draft.tool === "run_shell_command" ? undefined : "red";
  if (isGreen && draft.tool === undefined) return undefined;
  return draft.meanLogprob === undefined || draft.meanLogprob < leastCertainty ? "unsure" : undefined;
}

/** The route after a step: who made it, whether it changed files, and what a test run in it said. */
export function routeAfter(route: Route, step: { readonly by: Writer; readonly changed: boolean; readonly tests: "passed" | "failed" | "none" | undefined }): Route {
  const { by, changed, tests } = step;
  if (tests === "passed") return { ...ROUTE_START, isGreen: true };
  if (tests === "failed") return { redRuns: route.redRuns + (route.untested && route.editor === "helper" ? 1 : 0), untested: false, editor: undefined, isGreen: false };
  return changed ? { ...route, untested: true, editor: by, isGreen: false } : route;
}
