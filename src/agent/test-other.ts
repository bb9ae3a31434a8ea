// The closing counts of other runners: vitest, jest, mocha, ava, uvu. Their failures are read where one line tells them;
// the counts alone are enough to know whether a run was green, red or empty.
import { listedTests } from "./test-list.ts";
import { compactValue, oneLine, type PathReader, type TestFailure, type TestReport } from "./test-report.ts";

function count(text: string, word: string): number {
  return Number(new RegExp(`(\\d+) ${word}`).exec(text)?.[1] ?? 0);
}

export function parseVitest(output: string, read: PathReader): TestReport | undefined {
  const tests = /^[ \t]*Tests[ \t]+(.*\(\d+\)|no tests)[ \t]*$/m.exec(output)?.[1];
  if (tests === undefined || !/^[ \t]*Test Files\s/m.test(output)) return undefined;
  const failures = [...output.matchAll(/^[ \t]*FAIL[ \t]+(\S+?) > (.+)\n(.*)$/gm)].map((match) => runnerFailure(match[2]!.split(" > ").at(-1)!, match[1]!, match[3]!, output.slice(match.index), read));
  return { runner: "vitest", passed: count(tests, "passed"), failed: count(tests, "failed"), skipped: count(tests, "skipped") + count(tests, "todo"), failures, tests: listedTests(output.split("\n"), read) };
}

export function parseJest(output: string, read: PathReader): TestReport | undefined {
  const tests = /^Tests:\s+(.*)$/m.exec(output)?.[1];
  const suites = /^Test Suites:\s+(.*)$/m.exec(output)?.[1];
  if (tests === undefined || suites === undefined) return undefined;
  const failures = [...output.matchAll(/^ {2}● (.+)\n\n([\s\S]*?)(?=^ {2}● |^Test Suites:)/gm)].map((match) => {
    const stack = /\(?([^\s()]+):(\d+):\d+\)?\s*$/m.exec(match[2]!);
    return runnerFailure(match[1]!.split(" › ").at(-1)!, stack?.[1] ?? "", match[2]!.trim().split("\n")[0]!, match[2]!, read);
  });
  const failed = count(tests, "failed") || (count(tests, "passed") === 0 ? count(suites, "failed") : 0);
  return { runner: "jest", passed: count(tests, "passed"), failed, skipped: count(tests, "skipped") + count(tests, "todo"), failures, tests: listedTests(output.split("\n"), read) };
}

export function parseMocha(output: string, read: PathReader): TestReport | undefined {
  const passing = /^[ \t]*(\d+) passing \(/m.exec(output);
  if (!passing) return undefined;
  const failures = [...output.slice(passing.index).matchAll(/^ {2}\d+\) ([\s\S]*?):\n\s*\n?\s*((?:\w*Error|Assertion).*)$/gm)].map((match) =>
    runnerFailure(oneLine(match[1]!.split("\n").at(-1)!), /\(?([^\s()]+):\d+:\d+\)?/.exec(output.slice(match.index))?.[1] ?? "", match[2]!, output.slice(match.index), read),
  );
  return { runner: "mocha", passed: Number(passing[1]), failed: count(output.slice(passing.index), "failing"), skipped: count(output.slice(passing.index), "pending"), failures, tests: listedTests(output.slice(0, passing.index).split("\n"), read) };
}

export function parseAva(output: string, read: PathReader): TestReport | undefined {
  const passed = /^[ \t]*(\d+) tests? passed[ \t]*$/m.exec(output);
  const failed = /^[ \t]*(\d+) tests? failed[ \t]*$/m.exec(output);
  if (!passed && !failed) return undefined;
  return { runner: "ava", passed: Number(passed?.[1] ?? 0), failed: Number(failed?.[1] ?? 0), skipped: count(output, "tests? skipped"), failures: [], tests: listedTests(output.split("\n"), read) };
}

export function parseUvu(output: string, read: PathReader): TestReport | undefined {
  const totals = /^[ \t]*Total:[ \t]+(\d+)\n[ \t]*Passed:[ \t]+(\d+)\n[ \t]*Skipped:[ \t]+(\d+)/m.exec(output);
  if (!totals) return undefined;
  const [total, passed, skipped] = totals.slice(1).map(Number) as [number, number, number];
  const failures = [...output.matchAll(/^[ \t]*FAIL[ \t]+(?:(.+?) )?"(.+)"\n[ \t]*(.+)$/gm)].map((match) => {
    const body = output.slice(match.index, match.index + FAILURE_CHARS);
    return runnerFailure(match[2]!, /\(?([^\s()]+):\d+:\d+\)?/.exec(body)?.[1] ?? "", match[3]!.trim(), body, read);
  });
  // Its totals count only what ran: a test that failed has passed nothing, and skipped ones stand beside.
  return { runner: "uvu", passed, failed: total - passed, skipped, failures };
}

/** How far below its heading a failure's stack begins, at most. */
const FAILURE_CHARS = 4_000;

function runnerFailure(name: string, path: string, message: string, body: string, read: PathReader): TestFailure {
  const file = read(path);
  const line = file === undefined ? undefined : Number(new RegExp(`${file.replace(/[.[\]()$^*+?{}|\\/]/g, "\\$&")}:(\\d+)`).exec(body)?.[1]);
  const expected = /^\s*(?:Expected:|[-] Expected\s*\n[\s\S]*?^\s*- )\s*(.+)$/m.exec(body)?.[1];
  const actual = /^\s*(?:Received:|[+] Received\s*\n[\s\S]*?^\s*\+ )\s*(.+)$/m.exec(body)?.[1];
  return {
    name: name.trim(),
    message: oneLine(message),
    ...(file !== undefined && line ? { place: { file, line } } : {}),
    ...(expected !== undefined && actual !== undefined ? { expected: compactValue(expected), actual: compactValue(actual) } : {}),
  };
}
