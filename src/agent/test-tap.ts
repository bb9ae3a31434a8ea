// node:test's TAP reporter (Node 18 to 24), and other TAP: leaf results, their YAML, and the closing counts.
// A file that died before its tests ran is a failure too: its error is in the comments before its line.
import { comparedValues, compactValue, LISTED_TESTS, oneLine, type PathReader, projectFrames, type TestFailure, type TestReport, type TestResult } from "./test-report.ts";

const POINT = /^\s*(not ok|ok)\b(?:\s+\d+)?(?:\s+-)?\s*(.*)$/;
const SUMMARY_KEYS = ["tests", "suites", "pass", "fail", "cancelled", "skipped", "todo"] as const;

export function parseTap(output: string, read: PathReader): TestReport | undefined {
  if (!/^TAP version \d+|^[ \t]*(?:not )?ok \d+/m.test(output)) return undefined;
  const lines = output.split("\n");
  const failures: TestFailure[] = [];
  const tests: TestResult[] = [];
  let [passed, failed, skipped] = [0, 0, 0];
  let comments: string[] = [];
  /** Names announced by `# Subtest:`, by depth: the suites of the points below them. */
  const open: string[] = [];
  const totals = tapTotals(lines);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const point = POINT.exec(line);
    if (!point) {
      const announced = SUBTEST.exec(line);
      if (announced) open.splice(depthOf(line), open.length, unescape(announced[1]!));
      if (/^# (?!Subtest)/.test(line)) comments.push(line.slice(2));
      continue;
    }
    const yaml: string[] = [];
    if (lines[i + 1]?.trim() === "---") {
      // No deeper than its `---`: an error's text may hold a line of three dots too (node:assert's skipped lines).
      const depth = lines[i + 1]!.indexOf("-");
      for (i += 2; i < lines.length && !(lines[i]!.trim() === "..." && lines[i]!.indexOf(".") <= depth); i++) yaml.push(lines[i]!);
    }
    const fields = readYaml(dedent(yaml));
    const directive = /\s#\s*(SKIP|TODO)\b/i.exec(point[2]!);
    const name = unescape(point[2]!.slice(0, directive?.index ?? undefined)).trim();
    const isParent = fields.get("type")?.text === "suite" || fields.get("failureType")?.text === "subtestsFailed";
    if (isParent) continue;
    if (directive) skipped++;
    else if (point[1] === "ok") passed++;
    else {
      failed++;
      failures.push(tapFailure(name, fields, comments.join("\n"), read));
    }
    if (tests.length < LISTED_TESTS) tests.push(tapResult(name, directive ? "skipped" : point[1] === "ok" ? "passed" : "failed", open.slice(0, depthOf(line)), fields, read));
    comments = [];
  }
  const isNode = totals !== undefined;
  if (!isNode && passed + failed + skipped === 0 && !/^1\.\.0/m.test(output)) return undefined;
  if (totals) [passed, failed, skipped] = [totals.pass, totals.fail + totals.cancelled, totals.skipped + totals.todo];
  return { runner: isNode ? "node-tap" : "tap", passed, failed, skipped, failures, tests };
}

const SUBTEST = /^\s*# Subtest: (.*)$/;

/** Four spaces a level, as every TAP printer indents. */
function depthOf(line: string): number {
  return Math.floor(line.search(/\S/) / 4);
}

function unescape(name: string): string {
  return name.replace(/\\([#\\])/g, "$1");
}

function tapResult(name: string, state: TestResult["state"], above: readonly string[], fields: ReadonlyMap<string, YamlValue>, read: PathReader): TestResult {
  const durationMs = Number(fields.get("duration_ms")?.text ?? Number.NaN);
  const location = place(fields.get("location")?.text ?? locationOf(fields.get("at")), read);
  // Node 18 prints the test file as the outermost suite.
  const outer = above[0] === undefined ? undefined : read(above[0]);
  const file = location?.file ?? outer;
  return { name: read(name) ?? name, suites: above.slice(outer === undefined ? 0 : 1), state, ...(Number.isFinite(durationMs) ? { durationMs } : {}), ...(file === undefined ? {} : { file }) };
}

type Totals = Record<(typeof SUMMARY_KEYS)[number], number>;

/** The sum of all `# tests N … # todo N` blocks: a script may run several suites. A lone `# pass 3` is a test's own output. */
function tapTotals(lines: readonly string[], mark = "#"): Totals | undefined {
  let sum: Totals | undefined;
  for (let i = 0; i + SUMMARY_KEYS.length <= lines.length; i++) {
    if (!lines[i]!.startsWith(`${mark} tests `)) continue;
    const counts = SUMMARY_KEYS.map((key, k) => new RegExp(`^${mark} ${key} (\\d+)$`).exec(lines[i + k]!.trimEnd()));
    if (counts.some((count) => count === null)) continue;
    const block = Object.fromEntries(SUMMARY_KEYS.map((key, k) => [key, Number(counts[k]![1])])) as Totals;
    sum = sum ? (Object.fromEntries(SUMMARY_KEYS.map((key) => [key, sum![key] + block[key]])) as Totals) : block;
  }
  return sum;
}

/** The counts that node:test's spec reporter closes with. */
export function specTotals(lines: readonly string[]): Totals | undefined {
  return tapTotals(lines, "ℹ");
}

function tapFailure(name: string, fields: ReadonlyMap<string, YamlValue>, comments: string, read: PathReader): TestFailure {
  const error = fields.get("error")?.text ?? "";
  const location = place(fields.get("location")?.text ?? locationOf(fields.get("at")), read);
  if (error === "test failed" || fields.has("exitCode")) {
    return { ...fileFailure(name, comments, read), ...(location && !comments ? { place: location } : {}) };
  }
  const frames = projectFrames(fields.get("stack")?.text ?? "", read);
  const compared = comparedValues(error) ?? yamlValues(fields);
  return failure({ name, error, errorName: fields.get("name")?.text, frames, location, compared });
}

/** What both node reporters know of a failure, as ours. */
export function failure(known: {
  name: string;
  error: string;
  errorName: string | undefined;
  frames: readonly { file: string; line: number }[];
  location: { file: string; line: number } | undefined;
  compared: { expected: string; actual: string } | undefined;
}): TestFailure {
  const { frames, location, compared } = known;
  const inTest = location ? frames.find((frame) => frame.file === location.file) : frames.at(-1);
  const where = inTest ?? location;
  const text = oneLine(known.error);
  return {
    name: known.name,
    message: known.errorName && known.errorName !== "Error" && !text.startsWith(known.errorName) ? `${known.errorName}: ${text}` : text,
    ...(where ? { place: where } : {}),
    ...compared,
    ...(frames[0] ? { at: frames[0] } : {}),
  };
}

/** A test file that could not run: `text` is what it printed on its way down. */
export function fileFailure(name: string, text: string, read: PathReader): TestFailure {
  const error = /^(?:Uncaught )?((?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?: .*)$/m.exec(text)?.[1];
  const first = /^((?:file:\/\/)?\S+?\.\w+):(\d+)$/m.exec(text);
  const file = first ? read(first[1]!) : undefined;
  const frames = projectFrames(text, read);
  const at = first && file !== undefined ? { file, line: Number(first[2]) } : frames[0];
  const testFile = read(name);
  return {
    name: testFile ?? name,
    message: oneLine(error?.replace(/ \[\w+\]: /, ": ").replace(/^Error: /, "").replace(/ \{$/, "") ?? (text.trim().split("\n").at(-1) || "The file could not be run.")),
    ...(testFile ? { place: { file: testFile, line: at?.file === testFile ? at.line : 1 } } : {}),
    ...(at ? { at } : {}),
  };
}

export function place(location: string | undefined, read: PathReader): { file: string; line: number } | undefined {
  const match = /^(.*?):(\d+)(?::\d+)?$/.exec(location ?? "");
  const file = match ? read(match[1]!) : undefined;
  return match && file !== undefined ? { file, line: Number(match[2]) } : undefined;
}

/** `at:` as tape prints it: `Test.<anonymous> (/p/test/a.js:4:5)`. */
function locationOf(at: YamlValue | undefined): string | undefined {
  return /\(([^()]+)\)$/.exec(at?.text ?? "")?.[1] ?? at?.text;
}

interface YamlValue {
  /** The scalar's text; "" for a map. */
  readonly text: string;
  /** The value as JavaScript on one line. */
  readonly shown: string;
  readonly blank: boolean;
}

const COMPARISONS = new Set(["strictEqual", "deepStrictEqual", "equal", "deepEqual", "==", "partialDeepStrictEqual", "deeplooseequal", "looseEqual"]);

/** Fallback where the message tells no values: the YAML's, unless they are of a kind that TAP cannot show. */
function yamlValues(fields: ReadonlyMap<string, YamlValue>): { expected: string; actual: string } | undefined {
  const operator = fields.get("operator")?.text;
  const [expected, actual] = [fields.get("expected"), fields.get("actual")];
  if (!expected || !operator || !COMPARISONS.has(operator)) return undefined;
  if (expected.blank || actual?.blank) return undefined;
  return { expected: expected.shown, actual: actual?.shown ?? "undefined" };
}

function dedent(lines: readonly string[]): string[] {
  const indent = lines.reduce((least, line) => (line.trim() === "" ? least : Math.min(least, line.search(/\S/))), Number.POSITIVE_INFINITY);
  return lines.map((line) => line.slice(indent));
}

/** The YAML that TAP reporters write: `key: scalar`, `key: |-` with a block, nested maps. Anything else is skipped. */
function readYaml(lines: readonly string[]): Map<string, YamlValue> {
  const fields = new Map<string, YamlValue>();
  for (let i = 0; i < lines.length; i++) {
    const match = /^([\w$. -]+?):(?: +(.*))?$/.exec(lines[i]!);
    if (!match) continue;
    const inner: string[] = [];
    while (i + 1 < lines.length && (/^\s{2}/.test(lines[i + 1]!) || lines[i + 1] === "")) inner.push(lines[++i]!.slice(2));
    fields.set(match[1]!, yamlValue(match[2] ?? "", inner));
  }
  return fields;
}

function yamlValue(scalar: string, inner: readonly string[]): YamlValue {
  if (/^[|>][-+]?$/.test(scalar)) {
    const text = inner.join("\n").replace(/\n$/, "");
    return { text, shown: quote(text), blank: false };
  }
  if (scalar !== "") return { text: unquote(scalar), shown: scalar === "~" ? "null" : compactValue(scalar), blank: false };
  const entries = [...readYaml(inner)];
  if (entries.length === 0) return { text: "", shown: "", blank: true };
  const isList = entries.every(([key], i) => key === String(i));
  const shown = isList ? `[${entries.map(([, value]) => value.shown).join(", ")}]` : `{ ${entries.map(([key, value]) => `${key}: ${value.shown}`).join(", ")} }`;
  return { text: "", shown, blank: entries.some(([, value]) => value.blank) };
}

function unquote(scalar: string): string {
  const match = /^(['"])([\s\S]*)\1$/.exec(scalar);
  return match ? match[2]!.replace(/\\(.)/g, (_, char: string) => ({ n: "\n", t: "\t" })[char] ?? char) : scalar;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("'", "\\'")}'`;
}
