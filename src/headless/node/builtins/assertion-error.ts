// AssertionError, whose message is a comparison of the two values in Node 20's layout: test reports are read by people
// and by the assistant, who both know that layout.
import { inspect } from "node-inspect-extracted";
import { invalidArgType } from "../errors.ts";

const HEADLINES: Readonly<Record<string, string>> = {
  deepStrictEqual: "Expected values to be strictly deep-equal:",
  strictEqual: "Expected values to be strictly equal:",
  strictEqualObject: 'Expected "actual" to be reference-equal to "expected":',
  deepEqual: "Expected values to be loosely deep-equal:",
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notIdentical: "Values have same structure but are not reference-equal:",
  notDeepEqualUnequal: "Expected values not to be loosely deep-equal:",
};
/** Two short primitives are shown as `1 !== 2` rather than as a comparison of lines. */
const SHORT = 12;
const LINES_SHOWN = 50;

export interface AssertionOptions {
  readonly message?: unknown;
  readonly actual?: unknown;
  readonly expected?: unknown;
  readonly operator?: string;
  readonly stackStartFn?: unknown;
}

function show(value: unknown): string {
  return inspect(value, {
    compact: false, customInspect: false, depth: 1000, maxArrayLength: Number.POSITIVE_INFINITY, showHidden: false, showProxy: false, sorted: true, getters: true,
  });
}

const isReference = (value: unknown): boolean => (typeof value === "object" && value !== null) || typeof value === "function";

function cutLines(lines: string[]): string[] {
  return lines.length > LINES_SHOWN ? [...lines.slice(0, 46), "..."] : lines;
}

function compareLines(actual: unknown, expected: unknown, givenOperator: string, message: string): string {
  const actualText = show(actual);
  const actualLines = actualText.split("\n");
  const expectedLines = show(expected).split("\n");
  const bothReferences = isReference(actual) && isReference(expected) && typeof actual === typeof expected;
  const operator = givenOperator === "strictEqual" && bothReferences ? "strictEqualObject" : givenOperator;
  const headline = message || HEADLINES[operator];
  let indicator = "";
  let matching = 0;

  const [actualLine = "", expectedLine = ""] = [actualLines[0], expectedLines[0]];
  if (actualLines.length === 1 && expectedLines.length === 1 && actualLine !== expectedLine) {
    const length = actualLine.length + expectedLine.length;
    if (length <= SHORT) {
      const primitives = (typeof actual !== "object" || actual === null) && (typeof expected !== "object" || expected === null);
      if (primitives && (actual !== 0 || expected !== 0)) return `${headline}\n\n${actualLine} !== ${expectedLine}\n`;
    } else if (operator !== "strictEqualObject" && length < 80) {
      while (actualLine[matching] === expectedLine[matching]) matching++;
      if (matching > 2) {
        indicator = `\n  ${" ".repeat(matching)}^`;
        matching = 0;
      }
    }
  }

  let ending = "";
  let beforeEnding = "";
  while (actualLines.length > 0 && expectedLines.length > 0 && actualLines.at(-1) === expectedLines.at(-1)) {
    const line = actualLines.pop() as string;
    expectedLines.pop();
    if (matching++ < 3) ending = `\n  ${line}${ending}`;
    else beforeEnding = line;
  }
  if (actualLines.length === 0 && expectedLines.length === 0) return `${HEADLINES["notIdentical"]}\n\n${cutLines(actualText.split("\n")).join("\n")}\n`;
  let skipped = matching >= 5;
  if (skipped) ending = `\n...${ending}`;
  if (beforeEnding !== "") ending = `\n  ${beforeEnding}${ending}`;
  return new Comparison(actualLines, expectedLines).render(`${headline}\n+ actual - expected`, skipped, ending, indicator);
}

/** The walk down both texts: changed lines with their sign, runs of equal lines collapsed. */
class Comparison {
  readonly #actual: readonly string[];
  readonly #expected: readonly string[];
  #result = "";
  /** Expected lines wait here so that they follow the actual lines they stand against. */
  #held = "";
  #identical = 0;
  #printed = 0;
  #skipped = false;

  constructor(actual: readonly string[], expected: readonly string[]) {
    this.#actual = actual;
    this.#expected = expected;
  }

  render(head: string, skippedAtEnd: boolean, ending: string, indicator: string): string {
    const total = Math.max(this.#actual.length, this.#expected.length);
    const both = Math.min(this.#actual.length, this.#expected.length);
    const longer = this.#actual.length < total ? this.#expected : this.#actual;
    for (let k = 0; k < total; k++) {
      if (k >= both) this.#extra(longer, k);
      else this.#pair(k);
      if (this.#printed > LINES_SHOWN && k < total - 2) return `${head} ... Lines skipped\n${this.#result}\n...${this.#held}\n...`;
    }
    return `${head}${skippedAtEnd || this.#skipped ? " ... Lines skipped" : ""}\n${this.#result}${this.#held}${ending}${indicator}`;
  }

  #extra(lines: readonly string[], k: number): void {
    this.#flushIdentical(lines, k);
    if (lines === this.#actual) this.#result += `\n+ ${lines[k]}`;
    else this.#held += `\n- ${lines[k]}`;
    this.#printed++;
  }

  #pair(k: number): void {
    const expected = this.#expected[k] as string;
    let actual = this.#actual[k] as string;
    let differs = actual !== expected && (!actual.endsWith(",") || actual.slice(0, -1) !== expected);
    if (differs && expected.endsWith(",") && expected.slice(0, -1) === actual) {
      // Equal but for the comma that the longer list needs.
      differs = false;
      actual += ",";
    }
    if (differs) {
      this.#flushIdentical(this.#actual, k);
      this.#result += `\n+ ${actual}`;
      this.#held += `\n- ${expected}`;
      this.#printed += 2;
      return;
    }
    this.#result += this.#held;
    this.#held = "";
    if (++this.#identical <= 2) {
      this.#result += `\n  ${actual}`;
      this.#printed++;
    }
  }

  #flushIdentical(lines: readonly string[], k: number): void {
    const line = (back: number): void => {
      this.#result += `\n  ${lines[k - back]}`;
      this.#printed++;
    };
    if (this.#identical > 2) {
      if (this.#identical === 5) line(3);
      else if (this.#identical > 5) {
        this.#result += "\n...";
        this.#skipped = true;
      }
      if (this.#identical > 3) line(2);
      line(1);
    }
    this.#identical = 0;
  }
}

function unequalMessage(actual: unknown, operator: string): string {
  const headline = operator === "notStrictEqual" && isReference(actual) ? HEADLINES["notStrictEqualObject"] : HEADLINES[operator];
  const lines = cutLines(show(actual).split("\n"));
  if (lines.length > 1) return `${headline}\n\n${lines.join("\n")}\n`;
  return `${headline}${(lines[0] as string).length > 5 ? "\n\n" : " "}${lines[0]}`;
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 3)}...` : text);

function looseMessage(actual: unknown, expected: unknown, operator: string): string {
  const left = show(actual);
  const right = show(expected);
  if (operator === "notDeepEqual" && left === right) return cut(`${HEADLINES["notDeepEqual"]}\n\n${left}`, 1024);
  const [a, b] = [cut(left, 512), cut(right, 512)];
  if (operator === "deepEqual") return `${HEADLINES["deepEqual"]}\n\n${a}\n\nshould loosely deep-equal\n\n${b}`;
  const unequal = HEADLINES[`${operator}Unequal`];
  if (unequal) return `${unequal}\n\n${a}\n\nshould not loosely deep-equal\n\n${b}`;
  return `${a} ${operator} ${b}`;
}

/** Two errors are compared without their stacks, which would always differ. */
function withoutStack(error: Error): unknown {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(error) as object) as object, error);
  return Object.defineProperty(copy, "message", { value: error.message });
}

function messageFor(options: AssertionOptions): string {
  const { message, operator = "" } = options;
  const compares = operator === "deepStrictEqual" || operator === "strictEqual";
  if (message != null) return compares ? compareLines(options.actual, options.expected, operator, String(message)) : String(message);
  const errors = options.actual instanceof Error && options.expected instanceof Error;
  const actual = errors ? withoutStack(options.actual as Error) : options.actual;
  const expected = errors ? withoutStack(options.expected as Error) : options.expected;
  if (compares) return compareLines(actual, expected, operator, "");
  if (operator === "notDeepStrictEqual" || operator === "notStrictEqual") return unequalMessage(actual, operator);
  return looseMessage(actual, expected, operator);
}

function ellipsis(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const lines = value.split("\n", 11);
  if (lines.length > 10) return `${lines.slice(0, 10).join("\n")}\n...`;
  return value.length > 512 ? `${value.slice(512)}...` : value;
}

export class AssertionError extends Error {
  generatedMessage: boolean;
  readonly code = "ERR_ASSERTION";
  actual: unknown;
  expected: unknown;
  operator: string | undefined;

  constructor(options: AssertionOptions) {
    if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
    super(messageFor(options));
    this.generatedMessage = !options.message;
    // Own properties in Node's order, for printing: generatedMessage, code, actual, expected, operator.
    Reflect.deleteProperty(this, "code");
    Object.defineProperty(this, "name", { value: "AssertionError [ERR_ASSERTION]", enumerable: false, writable: true, configurable: true });
    (this as { code: string }).code = "ERR_ASSERTION";
    for (const key of ["actual", "expected", "operator"] as const) Reflect.deleteProperty(this, key);
    this.actual = options.actual;
    this.expected = options.expected;
    this.operator = options.operator;
    const capture = (Error as unknown as { captureStackTrace?: (error: Error, from?: unknown) => void }).captureStackTrace;
    capture?.call(Error, this, typeof options.stackStartFn === "function" ? options.stackStartFn : AssertionError);
    void this.stack;
    this.name = "AssertionError";
  }

  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](_depth: number, context: object): string {
    const { actual, expected } = this;
    this.actual = ellipsis(actual);
    this.expected = ellipsis(expected);
    const text = inspect(this, { ...context, customInspect: false, depth: 0 });
    this.actual = actual;
    this.expected = expected;
    return text;
  }
}
