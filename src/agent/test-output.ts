// What a command printed, as the model and the page's test panel see it. Recognised test runs become a report and a few
// lines that say what matters; anything else is shown head and tail. The model is trained on these very lines.
import { LIMITS } from "../base/limits.ts";
import { parseAva, parseJest, parseMocha, parseUvu, parseVitest } from "./test-other.ts";
import { cutValue, pathReader, stripAnsi, type TestFailure, type TestReport } from "./test-report.ts";
import { parseSpec } from "./test-spec.ts";
import { parseTap } from "./test-tap.ts";

/** What is known of a finished command; a `RunResult` is one. */
export interface CommandResult {
  readonly exitCode: number | null;
  readonly output: string;
  readonly end: "exit" | "timeout" | "aborted" | "output-limit" | "crashed";
  readonly durationMs: number;
}

/** Characters of output read for tests: a run of 100 MB is judged by its end, where every runner puts its counts. */
const PARSED_CHARS = 1_000_000;
/** The same for runners whose layout takes patterns that look far ahead. */
const OTHER_CHARS = 100_000;

/** The report of a test run, or undefined if nothing in the output looks like one. `files`: the project's, to shorten paths. */
export function parseTestOutput(output: string, files: readonly string[] = []): TestReport | undefined {
  const read = pathReader(files);
  const text = withoutRoot(stripAnsi(output.slice(-PARSED_CHARS)).replaceAll("\r\n", "\n"), files);
  const tail = text.slice(-OTHER_CHARS);
  return parseSpec(text, read) ?? parseTap(text, read) ?? parseVitest(tail, read) ?? parseJest(tail, read) ?? parseMocha(tail, read) ?? parseAva(tail, read) ?? parseUvu(tail, read);
}

/** Absolute paths made relative, in error messages too: the folder is what stands before a known file's path. */
function withoutRoot(text: string, files: readonly string[]): string {
  if (files.length === 0) return text;
  const known = new Set(files);
  const votes = new Map<string, number>();
  for (const [absolute] of text.matchAll(/(?:file:\/\/)?(?:\/[^\s/:()'"`]{1,80}){1,20}\.\w{1,10}/g)) {
    const path = absolute.replace(/^file:\/\//, "");
    for (let slash = path.indexOf("/", 1); slash > 0; slash = path.indexOf("/", slash + 1)) {
      if (!known.has(path.slice(slash + 1))) continue;
      votes.set(path.slice(0, slash + 1), (votes.get(path.slice(0, slash + 1)) ?? 0) + 1);
      break;
    }
  }
  const root = [...votes].sort((a, b) => b[1] - a[1] || a[0].length - b[0].length)[0]?.[0];
  return root === undefined ? text : text.replaceAll(`file://${root}`, "").replaceAll(root, "");
}

/** The tool result of a command. `timeoutMs` is what it was given. */
export function condense(result: CommandResult, report: TestReport | undefined, timeoutMs: number): string {
  const how = ending(result, timeoutMs);
  if (!report) return `${how}${result.end === "exit" ? "" : result.output.trim() === "" ? ": no output" : ":"}${shownOutput(result.output)}`;
  const { passed, failed, skipped } = report;
  if (passed + failed + skipped === 0 && result.exitCode === 0) return `${how}: no tests ran`;
  const lines = [`${how}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`];
  const first = report.failures[0];
  if (first) lines.push(...failureLines(first));
  else if (failed > 0 || result.exitCode !== 0) return lines[0] + shownOutput(result.output);
  if (failed > 1) lines.push(`and ${failed - 1} more failed`);
  return lines.join("\n");
}

function ending(result: CommandResult, timeoutMs: number): string {
  switch (result.end) {
    case "timeout":
      return `timed out after ${Math.round(timeoutMs / 1000)} s`;
    case "aborted":
      return "stopped by the user";
    case "output-limit":
      return `stopped after more than ${Math.floor(LIMITS.commandOutputBytes / 2 ** 20)} MB of output`;
    case "crashed":
      return "the container crashed and was started again; run it again, unless it takes too much memory";
    case "exit":
      return result.exitCode === null ? "could not be started" : `exit code ${result.exitCode}`;
    default:
      return result.end satisfies never;
  }
}

function failureLines(failure: TestFailure): string[] {
  const where = failure.place ? `${failure.place.file}:${failure.place.line} ` : "";
  const title = failure.name === failure.place?.file ? "" : cutValue(failure.name);
  const head = `FAIL ${where}${title}`.trimEnd();
  if (failure.expected !== undefined && failure.actual !== undefined) {
    return [head, `expected ${cutValue(failure.expected)}`, `actual ${cutValue(failure.actual)}`];
  }
  return [head, `error ${cutValue(failure.message)}`, ...(failure.at ? [`at ${failure.at.file}:${failure.at.line}`] : [])];
}

function shownOutput(output: string): string {
  const text = cutMiddle(stripAnsi(output).trimEnd());
  return text === "" ? "" : `\n${text}`;
}

/** Head and tail of a long text, and how much is missing between them. */
export function cutMiddle(text: string, head: number = LIMITS.toolResultHead, tail: number = LIMITS.toolResultTail): string {
  if (text.length <= head + tail) return text;
  const first = text.slice(0, head).replace(/[\ud800-\udbff]$/, "");
  const last = text.slice(text.length - tail).replace(/^[\udc00-\udfff]/, "");
  return `${first}\n[... ${text.length - first.length - last.length} characters left out ...]\n${last}`;
}
