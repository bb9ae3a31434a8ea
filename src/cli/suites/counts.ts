// How many tests a run passed, failed and skipped, by the parsers that the agent reads test output with.
import { parseTestOutput } from "../../agent/test-output.ts";
import { stripAnsi } from "../../agent/test-report.ts";
import { parseTap } from "../../agent/test-tap.ts";
import type { Counts, PackageSuite } from "./package-suite.ts";

/** Undefined when no test run is to be seen. A script of plain assertions is one test: its exit code is the result. */
export function countTests(runner: PackageSuite["runner"], output: string, exitCode: number | null): Counts | undefined {
  if (runner === "script") return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  const text = stripAnsi(output);
  // Assertions are counted one by one, so the whole text matters; the other runners tell their counts at the end.
  const report = runner === "tape" || runner === "tap" || runner === "ava" ? parseTap(text, () => undefined) : parseTestOutput(text);
  return report && { passed: report.passed, failed: report.failed, skipped: report.skipped };
}
