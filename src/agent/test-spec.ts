// node:test's spec reporter. Counts come from its closing lines, failures from its list of failing tests, which has
// each one's place; a run cut short has no such list, then the results printed on the way are counted.
import { listedTests } from "./test-list.ts";
import { comparedValues, compactValue, type PathReader, projectFrames, type TestFailure, type TestReport } from "./test-report.ts";
import { failure, fileFailure, place, specTotals } from "./test-tap.ts";

const RESULT = /^(\s*)(✔|✖|﹣|⚠) (.*?)(?: \([\d.]+ms\))?(?: # (SKIP|TODO).*)?$/;
/** With a fraction: mocha puts whole milliseconds behind its slow tests. */
const TIMED = /^\s*[✔✖] .* \(\d+\.\d+ms\)/;

export function parseSpec(output: string, read: PathReader): TestReport | undefined {
  const lines = output.split("\n");
  const totals = specTotals(lines);
  if (!totals && !lines.some((line) => TIMED.test(line))) return undefined;
  const listAt = lines.findIndex((line) => line.trim() === "✖ failing tests:");
  const failures = listAt >= 0 ? listedFailures(lines, listAt, read) : [];
  const tests = listedTests(listAt >= 0 ? lines.slice(0, listAt) : lines, read);
  if (totals) {
    return { runner: "node-spec", passed: totals.pass, failed: totals.fail + totals.cancelled, skipped: totals.skipped + totals.todo, failures, tests };
  }
  let [passed, failed, skipped] = [0, 0, 0];
  for (const line of lines) {
    const result = RESULT.exec(line);
    if (!result) continue;
    if (result[4] || result[2] === "﹣") skipped++;
    else if (result[2] === "✔") passed++;
    else failed++;
  }
  return { runner: "node-spec", passed, failed, skipped, failures, tests };
}

function listedFailures(lines: readonly string[], listAt: number, read: PathReader): TestFailure[] {
  const failures: TestFailure[] = [];
  for (let i = listAt + 1; i < lines.length; i++) {
    const location = /^\s*test at (.+)$/.exec(lines[i]!);
    if (!location) continue;
    const title = RESULT.exec(lines[i + 1] ?? "");
    if (!title) continue;
    const body: string[] = [];
    for (i += 2; i < lines.length && !/^\s*test at .+:\d+:\d+$/.test(lines[i]!); i++) body.push(lines[i]!.replace(/^ {2}/, ""));
    i--;
    failures.push(listed(title[3]!, place(location[1], read), body.join("\n").trimEnd(), lines.slice(0, listAt), read));
  }
  return failures;
}

function listed(name: string, location: { file: string; line: number } | undefined, body: string, before: readonly string[], read: PathReader): TestFailure {
  if (body.trim() === "'test failed'") {
    const found = fileFailure(name, printedBefore(name, before), read);
    return location && !found.place ? { ...found, place: location } : found;
  }
  const stackAt = body.search(/^[ \t]+at .+$/m);
  const head = (stackAt < 0 ? body : body.slice(0, stackAt)).trimEnd();
  const named = /^(\w*(?:Error|Exception))(?: \[\w+\])?: ([\s\S]*)$/.exec(head);
  const error = named ? named[2]! : head.replace(/^'([\s\S]*)'$/, "$1");
  return failure({
    name,
    error,
    errorName: named?.[1],
    frames: projectFrames(body, read),
    location,
    compared: comparedValues(error) ?? propertyValues(body),
  });
}

/** `actual: 3, expected: 2.5, operator: 'strictEqual'` at the end of an assertion's print-out. */
function propertyValues(body: string): { expected: string; actual: string } | undefined {
  const match = /\n[ \t]*actual: ([\s\S]*?),\n[ \t]*expected: ([\s\S]*?),\n[ \t]*operator: '(\w+|==)'/.exec(body);
  if (!match || !/^(?:strictEqual|deepStrictEqual|equal|deepEqual|==|partialDeepStrictEqual)$/.test(match[3]!)) return undefined;
  return { actual: compactValue(match[1]!), expected: compactValue(match[2]!) };
}

/** What was printed between the result before a file's own and the file's. */
function printedBefore(name: string, lines: readonly string[]): string {
  const at = lines.findIndex((line) => RESULT.exec(line)?.[3] === name);
  if (at < 0) return "";
  let from = at - 1;
  while (from >= 0 && !RESULT.test(lines[from]!)) from--;
  return lines.slice(from + 1, at).filter((line) => line.trim() !== "'test failed'").map((line) => line.replace(/^ℹ /, "")).join("\n").trim();
}
