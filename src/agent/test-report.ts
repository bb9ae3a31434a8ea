// What a run of tests says, whatever runner said it: counts, and each failure with its place and values.
// The page's test panel and the model's tool results are both made from this.

export interface Place {
  /** Relative to the project where the project's files are known. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface TestFailure {
  /** The test's own title, without its suites. */
  readonly name: string;
  /** Where the test failed: the line of the assertion in the test file, else where the test begins. */
  readonly place?: Place;
  /** One line, such as `TypeError: x.foo is not a function`. */
  readonly message: string;
  /** Values as JavaScript on one line; only where the assertion compared two. */
  readonly expected?: string;
  readonly actual?: string;
  /** The first frame inside the project, where the error was thrown. */
  readonly at?: Place;
}

/** One test, passed ones too, in the order they were printed. */
export interface TestResult {
  readonly name: string;
  /** Outermost first. */
  readonly suites: readonly string[];
  readonly state: "passed" | "failed" | "skipped";
  readonly durationMs?: number;
  /** Where the runner says in which file the test stands. */
  readonly file?: string;
}

/** Results of one run that are kept by name; the counts are of all. */
export const LISTED_TESTS = 5_000;

export interface TestReport {
  readonly runner: "node-tap" | "node-spec" | "vitest" | "jest" | "mocha" | "tap" | "ava" | "uvu";
  readonly passed: number;
  readonly failed: number;
  /** Skipped and to-do tests. */
  readonly skipped: number;
  /** Some runners tell only counts: then this is shorter than `failed`. */
  readonly failures: readonly TestFailure[];
  /** Every test by name. Absent or short where the runner prints only counts. */
  readonly tests?: readonly TestResult[];
}

export type TestOutcome = "passed" | "failed" | "none";

/** `none`: the runner ran and found no test, which proves nothing. An exit code other than 0 is a failure whatever was printed. */
export function outcomeOf(report: TestReport, exitCode: number | null): TestOutcome {
  if (report.failed > 0 || exitCode !== 0) return "failed";
  return report.passed > 0 ? "passed" : "none";
}

const EQUALITY = /^(?:Expected values to be (?:strictly|loosely)? ?(?:deep-)?equal|Expected values to have same structure)/;

/** An assertion's two values, read from node:assert's message: the only form that every reporter prints in full. */
export function comparedValues(message: string): { expected: string; actual: string } | undefined {
  const lines = message.split("\n");
  const body = lines.slice(1).join("\n");
  const diffAt = lines.findIndex((line) => line.trim() === "+ actual - expected" || /^\+ actual - expected\b/.test(line.trim()));
  if (diffAt >= 0) {
    if (/lines? skipped|^\.\.\.$|Skipped lines/m.test(body)) return undefined;
    const diff = lines.slice(diffAt + 1).filter((line) => line.trim() !== "" && !/^\s*\^\s*$/.test(line));
    const side = (mark: string) => compactValue(diff.filter((line) => !line.startsWith(mark)).map((line) => line.slice(2)).join("\n"));
    return { actual: side("-"), expected: side("+") };
  }
  const inline = /^([^\n]+) (?:!==|!=) ([^\n]+)$/m.exec(body);
  if (inline && (EQUALITY.test(lines[0]!) || lines[1]?.trim() === "")) return { actual: compactValue(inline[1]!), expected: compactValue(inline[2]!) };
  return undefined;
}

/** A value as `util.inspect` prints it, on one line: `[ 1,\n  2 ]` → `[1, 2]`. Strings inside are not touched. */
export function compactValue(text: string): string {
  const pieces = text.trim().match(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|\s+|[^\s'"`]+|['"`]/g) ?? [];
  const line = pieces.map((piece) => (/^\s+$/.test(piece) ? " " : piece));
  let out = "";
  for (const [i, piece] of line.entries()) {
    if (piece === " " && (out.endsWith("[") || line[i + 1]?.startsWith("]"))) continue;
    // A diff's line may end in the other side's comma: `-1,` before the end of a list that has no more.
    if (/^[\]}]/.test(piece === " " ? (line[i + 1] ?? "") : piece)) out = out.replace(/,$/, "");
    out += piece;
  }
  return out.replaceAll("[ ]", "[]").replaceAll("{ }", "{}");
}

/** Characters of a value or message shown. */
const VALUE_CHARS = 200;

export function cutValue(text: string): string {
  return text.length > VALUE_CHARS ? `${text.slice(0, VALUE_CHARS).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Turns a reporter's paths into the project's: the longest known file that the path ends with. */
export type PathReader = (path: string) => string | undefined;

export function pathReader(files: readonly string[]): PathReader {
  const known = new Set(files);
  return (path) => {
    let rest = path.replace(/^file:\/\//, "").replaceAll("\\", "/").replace(/^\.\//, "");
    if (rest.length > 1_000 || /node_modules\//.test(rest) || rest.startsWith("node:")) return undefined;
    if (known.size === 0) return rest.replace(/^\/home\/projects\/[^/]+\//, "");
    for (;;) {
      if (known.has(rest)) return rest;
      const slash = rest.indexOf("/");
      if (slash < 0) return undefined;
      rest = rest.slice(slash + 1);
    }
  };
}

/** The stack's frames that lie in the project, innermost first. */
export function projectFrames(stack: string, read: PathReader): Place[] {
  return [...stack.matchAll(/(?:\(|^|\s)((?:file:\/\/)?[^\s()]{1,300}?):(\d+)(?::\d+)?\)?[ \t]*$/gm)].flatMap((match) => {
    const file = read(match[1]!);
    return file === undefined || !/\.[A-Za-z]+$/.test(file) ? [] : [{ file, line: Number(match[2]) }];
  });
}

/** Colours and cursor moves, as runners print them to terminals. */
export function stripAnsi(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007/g, "");
}
