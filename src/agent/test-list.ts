// Every test by name, from the lines with a tick or a cross that reporters for people print: node:test's spec reporter,
// vitest, jest and ava with --verbose, mocha. Suites are told by indentation. Counts are read elsewhere: this is for reading.
import { LISTED_TESTS, type PathReader, type TestResult } from "./test-report.ts";

const RESULT = /^(\s*)(✔|✓|√|✖|✗|✕|×|﹣|○|↓|⚠|\d+\)) +(.+)$/;
const DURATION = / \(?([\d.]+) ?(ms|s)\)?(?: # (?:SKIP|TODO).*)?$/;
const SUITE = /^(\s*)(?:▶ )(.+)$/;
const FILE = /^\s*(?:PASS|FAIL|❯)\s+(\S+)/;

export function listedTests(lines: readonly string[], read: PathReader): TestResult[] {
  const tests: TestResult[] = [];
  /** Open suites with their indentation, innermost last. */
  const suites: { readonly indent: number; readonly name: string }[] = [];
  let file: string | undefined;
  for (const [i, line] of lines.entries()) {
    if (tests.length >= LISTED_TESTS) break;
    file = read(FILE.exec(line)?.[1] ?? "") ?? file;
    const suite = SUITE.exec(line);
    const result = RESULT.exec(line);
    if (!suite && !result && !opensSuite(line, lines[i + 1] ?? "")) continue;
    const indent = line.search(/\S/);
    while (suites.length > 0 && suites.at(-1)!.indent > indent) suites.pop();
    const last = suites.at(-1);
    const title = withoutDuration(suite?.[2] ?? result?.[3] ?? line.trim());
    const closes = last?.indent === indent;
    if (closes) suites.pop();
    if (closes && last.name === title.name) continue;
    if (result) tests.push(resultOf(result[2]!, title, suites, file, read));
    else suites.push({ indent, name: title.name });
  }
  return tests;
}

/** Mocha and jest name a suite on a line of its own, above deeper ones. Errors are indented too, so only results may follow. */
function opensSuite(line: string, next: string): boolean {
  const indent = line.search(/\S/);
  return indent >= 2 && RESULT.test(next) && next.search(/\S/) > indent && !FILE.test(line);
}

function withoutDuration(title: string): { readonly name: string; readonly durationMs?: number; readonly directed: boolean } {
  const directed = / # (?:SKIP|TODO)\b/.test(title);
  const found = DURATION.exec(title);
  const name = (found ? title.slice(0, found.index) : title).replace(/ # (?:SKIP|TODO).*$/, "").trim();
  return { name, directed, ...(found ? { durationMs: Number(found[1]) * (found[2] === "s" ? 1000 : 1) } : {}) };
}

function resultOf(mark: string, title: ReturnType<typeof withoutDuration>, suites: readonly { name: string }[], file: string | undefined, read: PathReader): TestResult {
  const state = title.directed || /[﹣○↓⚠]/.test(mark) ? "skipped" : /[✔✓√]/.test(mark) ? "passed" : "failed";
  // vitest: `test/a.test.ts > suite > name` on one line.
  const parts = title.name.split(" > ");
  const own = parts.length > 1 ? read(parts[0]!) : undefined;
  const where = own ?? file;
  return {
    name: own === undefined ? (read(title.name) ?? title.name) : parts.at(-1)!,
    suites: own === undefined ? suites.map(({ name }) => name) : parts.slice(1, -1),
    state,
    ...(title.durationMs === undefined || !Number.isFinite(title.durationMs) ? {} : { durationMs: title.durationMs }),
    ...(where === undefined ? {} : { file: where }),
  };
}
