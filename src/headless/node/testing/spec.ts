// The spec reporter (the one for people), in Node 20's layout, and the lines it shares with the dot reporter.
import { inspect } from "node-inspect-extracted";
import { isRevived, type TestData, type TestEvent } from "./events.ts";
import { type Colors, type Reporter } from "./reporter.ts";

const SYMBOLS = { fail: "\u2716 ", pass: "\u2714 ", note: "\u2139 ", parent: "\u25B6 ", skipped: "\uFE63 " } as const;
const indent = (nesting: number): string => "  ".repeat(nesting);

interface ReportedError {
  readonly code?: string;
  readonly cause?: unknown;
  readonly failureType?: string;
}

/** Errors that have come from another process have lost their constructor there, and Node's print-out says so. */
export function inspectReported(error: unknown, fromProcess: boolean): string {
  const text = inspect(error, { breakLength: Number.POSITIVE_INFINITY });
  return fromProcess ? text.replace(/^(\[?|\s*\[?cause\]?: )((?:Type|Range|Reference|Syntax|Eval|URI)Error)(?=:|$)/gm, "$1$2 [Error]") : text;
}

function errorText(error: unknown, space: string): string {
  if (!error) return "";
  const { code, cause } = error as ReportedError;
  const shown = code === "ERR_TEST_FAILURE" ? cause : error;
  const told = inspectReported(shown, isRevived(shown));
  return `\n${space}  ${told.split(/\r?\n/).join(`\n${space}  `)}\n`;
}

/** One test's line, with its error below it. */
export function resultLine(passed: boolean, data: TestData, colors: Colors, prefix = "", space = "", hasChildren = false): string {
  const { skip, todo, details } = data;
  const duration = details?.duration_ms ? ` ${colors.gray}(${details.duration_ms}ms)${colors.white}` : "";
  const directive = skip !== undefined ? ` # ${skip === true || skip === "" ? "SKIP" : skip}` : todo !== undefined ? ` # ${todo === true || todo === "" ? "TODO" : todo}` : "";
  const error = errorText(details?.error, space);
  const below = !hasChildren ? error : !error || (details?.error as ReportedError | undefined)?.failureType === "subtestsFailed" ? "" : `\n${error}`;
  const color = skip !== undefined ? colors.gray : passed ? colors.green : colors.red;
  const symbol = skip !== undefined ? SYMBOLS.skipped : passed ? SYMBOLS.pass : SYMBOLS.fail;
  return `${prefix}${space}${color}${symbol}${data.name}${duration}${directive}${colors.white}${below}`;
}

export class SpecReporter implements Reporter {
  readonly head = "";
  readonly #colors: Colors;
  readonly #cwd: string;
  /** Tests that have started and not reported, innermost first. */
  #started: TestData[] = [];
  /** Those of them whose line has been printed as a parent. */
  readonly #parents: TestData[] = [];
  readonly #failed: TestData[] = [];

  constructor(colors: Colors, cwd: string) {
    this.#colors = colors;
    this.#cwd = cwd;
  }

  report({ type, data }: TestEvent): string {
    switch (type) {
      case "test:fail":
        if ((data.details?.error as ReportedError | undefined)?.failureType !== "subtestsFailed") this.#failed.push(data);
        return this.#result(false, data);
      case "test:pass":
        return this.#result(true, data);
      case "test:start":
        this.#started.unshift(data);
        return "";
      case "test:stdout":
      case "test:stderr":
        return data.message ?? "";
      case "test:diagnostic":
        return `${this.#colors.blue}${indent(data.nesting)}${SYMBOLS.note}${data.message}${this.#colors.white}\n`;
      default:
        return "";
    }
  }

  #result(passed: boolean, data: TestData): string {
    this.#started.shift();
    let prefix = "";
    for (let parent = this.#started.pop(); parent; parent = this.#started.pop()) {
      this.#parents.unshift(parent);
      prefix += `${indent(parent.nesting)}${SYMBOLS.parent}${parent.name}\n`;
    }
    const hasChildren = this.#parents[0]?.nesting === data.nesting && this.#parents[0].name === data.name;
    if (hasChildren) this.#parents.shift();
    return `${resultLine(passed, data, this.#colors, prefix, indent(data.nesting), hasChildren)}\n`;
  }

  end(): string {
    if (this.#failed.length === 0) return "";
    const lines = [`\n${this.#colors.red}${SYMBOLS.fail}failing tests:${this.#colors.white}\n`];
    for (const data of this.#failed) {
      if (data.file !== undefined) lines.push(`test at ${relative(this.#cwd, data.file)}:${data.line}:${data.column}`);
      lines.push(resultLine(false, data, this.#colors));
    }
    return lines.join("\n");
  }
}

function relative(from: string, to: string): string {
  const [a, b] = [from.split("/").filter(Boolean), to.split("/").filter(Boolean)];
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common++;
  return [...a.slice(common).map(() => ".."), ...b.slice(common)].join("/");
}

/** One character a test, then the failures. */
export class DotReporter implements Reporter {
  readonly head = "";
  readonly #colors: Colors;
  readonly #columns: number;
  #count = 0;
  readonly #failed: TestData[] = [];

  constructor(colors: Colors, columns: number) {
    this.#colors = colors;
    this.#columns = Math.max(columns, 20);
  }

  report({ type, data }: TestEvent): string {
    if (type !== "test:pass" && type !== "test:fail") return "";
    if (type === "test:fail") this.#failed.push(data);
    const mark = type === "test:pass" ? `${this.#colors.green}.${this.#colors.reset}` : `${this.#colors.red}X${this.#colors.reset}`;
    if (++this.#count < this.#columns) return mark;
    this.#count = 0;
    return `${mark}\n`;
  }

  end(): string {
    if (this.#failed.length === 0) return "\n";
    return `\n\n${this.#colors.red}Failed tests:${this.#colors.white}\n\n${this.#failed.map((data) => resultLine(false, data, this.#colors)).join("")}`;
  }
}
