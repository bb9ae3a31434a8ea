// No "done" without proof: a request that changed files, or ran red tests, ends after a green run of the present state.
// The model is sent back at most twice; then the end is reported as what it is.
import type { DoneReason } from "./events.ts";
import type { TestOutcome } from "./test-report.ts";

export interface WorkState {
  /** Did the request change any file? */
  readonly changed: boolean;
  /** Was the last change made after the last test run? */
  readonly changedSinceTests: boolean;
  /** The last test run of the request, if there was one. */
  readonly tests: TestOutcome | undefined;
}

export const UNTOUCHED: WorkState = { changed: false, changedSinceTests: false, tests: undefined };

/** The state after a tool: `changed` by itself (a test run may write files; it still tested them), `tests` if it ran any. */
export function afterTool(state: WorkState, step: { readonly changed: boolean; readonly tests: TestOutcome | undefined }): WorkState {
  return {
    changed: state.changed || step.changed,
    changedSinceTests: step.tests === undefined && (step.changed || state.changedSinceTests),
    tests: step.tests ?? state.tests,
  };
}

export type Verdict =
  | { readonly do: "push-back"; readonly text: string }
  | { readonly do: "finish"; readonly reason: Extract<DoneReason, "answered" | "verified" | "not-verified">; readonly message: string };

const PUSHES = 2;

/** What happens when the model stops calling tools, having been sent back `pushes` times already. */
export function review(state: WorkState, pushes: number): Verdict {
  const unproven = state.changedSinceTests
    ? { push: "Files changed after the last test run. Run the tests before you finish.", message: "Not verified: files changed after the last test run." }
    : state.tests === "failed"
      ? { push: "The last test run failed. Fix it, or say what blocks you.", message: "Not verified: the last test run failed." }
      : undefined;
  if (unproven && pushes < PUSHES) return { do: "push-back", text: unproven.push };
  if (unproven) return { do: "finish", reason: "not-verified", message: unproven.message };
  if (state.tests === "passed") return { do: "finish", reason: "verified", message: "The tests pass." };
  if (state.tests === "none") return { do: "finish", reason: "not-verified", message: "Not verified: the test command ran no tests." };
  return { do: "finish", reason: "answered", message: "" };
}
