// The TAP reporter, in Node 20's layout.
import { inspect } from "node-inspect-extracted";
import type { TestData, TestDetails, TestEvent } from "./events.ts";
import { UNWRAPPED } from "./failure.ts";
import type { Reporter } from "./reporter.ts";

const LINE = /\n|\r\n/;
const FRAME = /^ {4}at /;
const SHOW = { colors: false, breakLength: Number.POSITIVE_INFINITY } as const;
const indent = (nesting: number): string => "    ".repeat(nesting);

function escape(text: string): string {
  return text
    .replaceAll("\b", "\\b").replaceAll("\f", "\\f").replaceAll("\t", "\\t").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\v", "\\v")
    .replaceAll("\\", "\\\\").replaceAll("#", "\\#");
}

function testLine(status: "ok" | "not ok", data: TestData): string {
  const reason = (word: string, value: string | true): string => ` # ${word}${typeof value === "string" && value !== "" ? ` ${escape(value)}` : ""}`;
  const directive = data.skip !== undefined ? reason("SKIP", data.skip) : data.todo !== undefined ? reason("TODO", data.todo) : "";
  return `${indent(data.nesting)}${status} ${data.testNumber}${data.name ? ` ${escape(`- ${data.name}`)}` : ""}${directive}\n`;
}

function details(nesting: number, data: TestDetails, location: string | null): string {
  const space = indent(nesting);
  return `${space}  ---\n${yaml(space, "duration_ms", data.duration_ms)}${yaml(space, "type", data.type)}${location === null ? "" : yaml(space, "location", location)}${yaml(space, null, data.error, new Set())}${space}  ...\n`;
}

function yaml(space: string, name: string | null, value: unknown, seen: Set<unknown> = new Set()): string {
  if (value === undefined) return "";
  const prefix = `${space}  ${name}:`;
  if (value === null) return `${prefix} ~\n`;
  if (typeof value === "string" && LINE.test(value)) return `${prefix} |-\n${value.split(LINE).map((line) => `${space}    ${line}\n`).join("")}`;
  if (typeof value !== "object") return `${prefix} ${inspect(value, SHOW)}\n`;
  seen.add(value);
  const isError = value instanceof Error;
  const inner = name === null ? space : `${space}  `;
  let text = name === null ? "" : `${prefix}${value instanceof Date ? ` ${value.toISOString()}` : ""}\n`;
  for (const [key, entry] of Object.entries(value)) {
    if (isError && (key === "cause" || key === "code")) continue;
    text += seen.has(entry) ? `${inner}  ${key}: <Circular>\n` : yaml(inner, key, entry, seen);
  }
  return isError ? text + errorYaml(space, value, seen) : text;
}

interface ReportedError {
  readonly message?: unknown;
  readonly name?: unknown;
  readonly stack?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly failureType?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
  readonly operator?: unknown;
}

const isAssertion = (value: unknown): boolean => typeof value === "object" && value !== null && "expected" in value && "actual" in value;

function errorYaml(space: string, error: ReportedError, seen: Set<unknown>): string {
  const unwrap = error.code === "ERR_TEST_FAILURE" && UNWRAPPED.has(error.failureType ?? "");
  const cause = (unwrap ? (error.cause ?? {}) : {}) as ReportedError;
  const code = cause.code ?? error.code;
  const name = cause.name ?? error.name;
  const compared = isAssertion(cause) ? cause : isAssertion(error) ? error : undefined;
  let text = yaml(space, "error", cause.message ?? error.message ?? "<unknown error>", seen);
  if (code) text += yaml(space, "code", code, seen);
  if (name && name !== "Error") text += yaml(space, "name", name, seen);
  if (compared) {
    text += yaml(space, "expected", compared.expected, new Set(seen)) + yaml(space, "actual", compared.actual, new Set(seen));
    if (compared.operator) text += yaml(space, "operator", compared.operator, seen);
  }
  const stack = cause.stack ?? error.stack;
  const frames = typeof stack === "string" ? stack.split(LINE).filter((line) => FRAME.test(line)).map((line) => line.replace(FRAME, "")) : [];
  return frames.length === 0 ? text : `${text}${space}  stack: |-\n${frames.map((frame) => `${space}    ${frame}\n`).join("")}`;
}

export class TapReporter implements Reporter {
  readonly head = "TAP version 13\n";

  report({ type, data }: TestEvent): string {
    switch (type) {
      case "test:fail":
        return testLine("not ok", data) + details(data.nesting, data.details as TestDetails, data.file === undefined ? null : `${data.file}:${data.line}:${data.column}`);
      case "test:pass":
        return testLine("ok", data) + details(data.nesting, data.details as TestDetails, null);
      case "test:plan":
        return `${indent(data.nesting)}1..${data.count}\n`;
      case "test:start":
        return `${indent(data.nesting)}# Subtest: ${escape(data.name ?? "")}\n`;
      case "test:stdout":
      case "test:stderr":
        return (data.message ?? "").split(LINE).filter((line) => line !== "").map((line) => `# ${escape(line)}\n`).join("");
      case "test:diagnostic":
        return `${indent(data.nesting)}# ${escape(data.message ?? "")}\n`;
      default:
        return "";
    }
  }

  end(): string {
    return "";
  }
}
