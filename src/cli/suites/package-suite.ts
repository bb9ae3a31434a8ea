// A published test suite: which package, which files it needs beside itself, and how it is run. The same command runs in
// real Node and in the container, on the same files.

export interface PackageSuite {
  readonly name: string;
  readonly version: string;
  readonly runner: "node:test" | "tape" | "tap" | "script" | "mocha" | "jest" | "uvu" | "ava" | "vitest";
  /** What the package's own `npm test` runs its tests with, linters and coverage left out. Binaries of node_modules are found by name. */
  readonly command: string;
  /** Development packages that the tests need, exact versions: the package's own list also holds linters and builders. */
  readonly needs?: readonly string[];
  /** Not published: a project of our own in test/fixtures/suites, for a runner whose published suites cannot be run. */
  readonly folder?: string;
  /** Packages that stand for others, as npm's `overrides`: WebAssembly builds of what else is native code. In both places alike. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** WebAssembly builds of native code, exact versions. They lie beside it, where the package finds them once the native code has failed. */
  readonly builds?: readonly string[];
  /** Why the counts differ, or why they can only be equal in part. Checked against the run: it must be there when they differ. */
  readonly difference?: string;
}

/** npm's view of the registry is fixed to this day: dependencies by range resolve to the same versions on every run. */
export const REGISTRY_DATE = "2026-11-20";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One run of a suite in one of the two places. */
export interface SuiteRun {
  /** null: killed, or the time was up. */
  readonly exitCode: number | null;
  /** undefined: nothing in the output looks like a test run. */
  readonly counts: Counts | undefined;
  readonly durationMs: number;
  readonly output: string;
}

export interface SuiteResult {
  readonly suite: PackageSuite;
  readonly licence: string;
  readonly node: SuiteRun;
  readonly container: SuiteRun;
}

/** What takes less is run three times, and the middle time counts. */
export const SHORT_MS = 1000;

/** The same counts and the same exit code. */
export function isSame(a: SuiteRun, b: SuiteRun): boolean {
  return a.counts?.passed === b.counts?.passed && a.counts?.failed === b.counts?.failed && a.counts?.skipped === b.counts?.skipped && a.exitCode === b.exitCode;
}

/** Two runs without any test agree on nothing. */
export function agrees({ node, container }: Pick<SuiteResult, "node" | "container">): boolean {
  const { counts } = node;
  return counts !== undefined && counts.passed + counts.failed + counts.skipped > 0 && isSame(node, container);
}
