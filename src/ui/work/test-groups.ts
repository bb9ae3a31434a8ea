// A run's report as the list the page shows: grouped by test file or suite, red first, each test with its failure and
// with the place where it stands. Runners seldom say where a passed test is: then its title is looked up in the test files.
import type { Place, TestFailure, TestReport, TestResult } from "../../agent/test-report.ts";
import { isTestFile } from "../../project/paths.ts";
import { decodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";

/** A test of the last run, with why it failed and where it stands, as far as that is known. */
export interface ListedTest extends TestResult {
  readonly failure?: TestFailure;
  readonly place?: Place;
}

/** Tests that are shown under one title. */
export interface TestGroup {
  /** A file's path, else the outermost suite, else "". */
  readonly title: string;
  readonly tests: readonly ListedTest[];
  readonly failed: number;
}

/** What the list is narrowed to. */
export interface TestFilter {
  readonly state: "all" | TestResult["state"];
  /** Part of a name, suite or file; case is ignored. */
  readonly text: string;
}

// Every length is bounded: what does not end would be read to the end of the file again and again.
const DECLARATION = /\b(?:test|it)(?:\.\w{1,20}){0,3}\(\s{0,100}(?:"((?:\\.|[^"\\\n]){0,200})"|'((?:\\.|[^'\\\n]){0,200})'|`((?:\\.|[^`\\]){0,200})`)/g;

/** Where tests are declared in the project's test files, by title. */
export function testPlaces(files: FileTree): ReadonlyMap<string, readonly Place[]> {
  const places = new Map<string, Place[]>();
  for (const [file, bytes] of files) {
    if (!isTestFile(file)) continue;
    let line = 1;
    let at = 0;
    const text = decodeText(bytes) ?? "";
    for (const match of text.matchAll(DECLARATION)) {
      for (; at < match.index; at++) if (text.charCodeAt(at) === 10) line++;
      const title = (match[1] ?? match[2] ?? match[3] ?? "").replace(/\\(.)/g, "$1");
      const known = places.get(title);
      if (known) known.push({ file, line });
      else places.set(title, [{ file, line }]);
    }
  }
  return places;
}

/** Groups with a red test first, then in the order of the run. */
export function testGroups(report: TestReport, places: ReadonlyMap<string, readonly Place[]>): readonly TestGroup[] {
  const failures = [...report.failures];
  const takeFailure = (name: string): TestFailure | undefined => {
    const index = failures.findIndex((failure) => failure.name === name);
    return index < 0 ? undefined : failures.splice(index, 1)[0];
  };
  const listed = (report.tests ?? []).map((test): ListedTest => {
    const failure = test.state === "failed" ? takeFailure(test.name) : undefined;
    return located({ ...test, ...(failure ? { failure } : {}) }, places);
  });
  const unlisted = failures.map((failure): ListedTest => located({ name: failure.name, suites: [], state: "failed", failure }, places));
  const groups = new Map<string, ListedTest[]>();
  for (const test of [...unlisted, ...listed]) {
    const title = test.place?.file ?? test.file ?? test.suites[0] ?? "";
    const group = groups.get(title);
    if (group) group.push(test);
    else groups.set(title, [test]);
  }
  return [...groups].map(([title, tests]) => groupOf(title, tests)).sort((a, b) => Number(b.failed > 0) - Number(a.failed > 0));
}

function groupOf(title: string, tests: readonly ListedTest[]): TestGroup {
  const red = tests.filter(({ state }) => state === "failed");
  return { title, tests: [...red, ...tests.filter(({ state }) => state !== "failed")], failed: red.length };
}

function located(test: ListedTest, places: ReadonlyMap<string, readonly Place[]>): ListedTest {
  if (test.failure?.place) return { ...test, place: test.failure.place };
  const found = (places.get(test.name) ?? []).filter(({ file }) => test.file === undefined || test.file === file);
  const [first] = found;
  // The same title in two files: which of them ran is not known, so none is claimed.
  if (!first || found.some(({ file }) => file !== first.file)) return test;
  return { ...test, place: first };
}

/** What the filter leaves; groups of which nothing is left are gone. */
export function filterGroups(groups: readonly TestGroup[], filter: TestFilter): readonly TestGroup[] {
  const text = filter.text.trim().toLowerCase();
  const fits = (test: ListedTest, title: string): boolean =>
    (filter.state === "all" || test.state === filter.state) && (text === "" || [title, test.name, ...test.suites].some((part) => part.toLowerCase().includes(text)));
  return groups
    .map((group) => ({ ...group, tests: group.tests.filter((test) => fits(test, group.title)) }))
    .filter(({ tests }) => tests.length > 0);
}
