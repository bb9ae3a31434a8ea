// POSIX regular expressions, basic and extended, with GNU's additions, as JavaScript's. One thing stays JavaScript's: of
// alternatives the first that matches is taken, not the longest.
import { UsageError } from "./getopt.ts";

export interface Syntax {
  readonly extended: boolean;
  readonly ignoreCase?: boolean;
  /** sed's M: ^ and $ at every line. */
  readonly multiline?: boolean;
  /** \n, \t and the like are characters, as in sed. */
  readonly escapes?: boolean;
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: "\\p{L}", digit: "0-9", alnum: "\\p{L}\\p{Nd}", upper: "\\p{Lu}", lower: "\\p{Ll}", space: "\\s", blank: " \\t", punct: "!-\\/:-@\\[-`\\{-~", xdigit: "0-9A-Fa-f",
  cntrl: "\\u0000-\\u001f\\u007f", print: "\\u0020-\\u007e\\u00a0-\\u{10ffff}", graph: "\\u0021-\\u007e\\u00a1-\\u{10ffff}",
};
const CHARACTERS: Readonly<Record<string, string>> = { n: "\\n", t: "\\t", f: "\\f", v: "\\v", r: "\\r", a: "\\u0007" };
const WORDS: Readonly<Record<string, string>> = { w: "[\\w]", W: "[^\\w]", s: "\\s", S: "\\S", b: "\\b", B: "\\B", "<": "\\b(?=\\w)", ">": "\\b(?<=\\w)", "`": "(?<![^])", "'": "(?![^])" };

export const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** Where the bracket expression that begins at `at` ends, and what it is in JavaScript. */
function bracket(pattern: string, at: number, escapes: boolean): readonly [source: string, end: number] {
  const inClass = (text: string): string => text.replaceAll(/[\\\]^[-]/g, "\\$&");
  let i = at + 1;
  const negated = pattern[i] === "^";
  if (negated) i++;
  let source = "";
  for (let first = true; ; first = false) {
    const c = pattern[i];
    if (c === undefined && first) throw new UsageError("Invalid regular expression");
    if (c === undefined) throw new UsageError("Unmatched [, [^, [:, [., or [=");
    if (c === "]" && !first) return [`[${negated ? "^" : ""}${source}]`, i + 1];
    const named = /^\[([:.=])([^]*?)\1\]/.exec(pattern.slice(i));
    if (c === "[" && named) {
      const [whole, kind, name = ""] = named;
      if (kind === ":" && !CLASSES[name]) throw new UsageError("Invalid character class name");
      source += kind === ":" ? (CLASSES[name] ?? "") : inClass(name);
      i += whole.length;
    } else if (c === "[" && /^\[[:.=]/.test(pattern.slice(i))) throw new UsageError("Unmatched [, [^, [:, [., or [=");
    else if (c === "\\" && escapes && CHARACTERS[pattern[i + 1] ?? ""]) {
      source += CHARACTERS[pattern[i + 1] ?? ""];
      i += 2;
    } else {
      const letter = String.fromCodePoint(pattern.codePointAt(i) ?? 0);
      const range = c === "-" && !first && pattern[i + 1] !== "]";
      source += range ? "-" : inClass(letter);
      i += letter.length;
    }
  }
}

/** The pattern on its way: what it is so far, and where in that what a repetition would repeat begins; -1: nothing. */
class Source {
  out = "";
  atom = -1;
  readonly #open: number[] = [];
  groups = 0;

  get depth(): number {
    return this.#open.length;
  }

  add(source: string, repeatable = true): void {
    this.atom = repeatable ? this.out.length : -1;
    this.out += source;
  }

  open(): void {
    this.#open.push(this.out.length);
    this.groups++;
    this.add("(", false);
  }

  close(): void {
    const from = this.#open.pop() ?? 0;
    this.out += ")";
    this.atom = from;
  }

  /** A repetition may be repeated, which JavaScript takes for a reluctant one. */
  repeat(times: string): void {
    if (/[*+?}]$/.test(this.out) && this.atom < this.out.length - 1 && !/\\.$/.test(this.out)) this.out = `${this.out.slice(0, this.atom)}(?:${this.out.slice(this.atom)})`;
    this.out += times;
  }
}

/** Throws UsageError with the words of GNU's regcomp. */
export function posixSource(pattern: string, { extended, escapes = false }: Syntax): string {
  const source = new Source();
  for (let i = 0; i < pattern.length; ) {
    const escaped = pattern[i] === "\\";
    const c = escaped ? (pattern[i + 1] ?? "") : String.fromCodePoint(pattern.codePointAt(i) ?? 0);
    if (escaped && c === "") throw new UsageError("Trailing backslash");
    const next = i + (escaped ? 2 : c.length);
    const isOperator = "(){}|+?".includes(c) && escaped !== extended;
    if (c === "[" && !escaped) {
      const [set, end] = bracket(pattern, i, escapes);
      source.add(set);
      i = end;
      continue;
    }
    i = next;
    if (isOperator && c === "(") source.open();
    else if (isOperator && c === ")" && source.depth > 0) source.close();
    else if (isOperator && c === ")" && !extended) throw new UsageError("Unmatched ) or \\)");
    else if (isOperator && c === "|") source.add("|", false);
    else if ((isOperator && (c === "+" || c === "?")) || (c === "*" && !escaped)) {
      if (source.atom >= 0) source.repeat(c);
      else if (!extended) source.add(literal(c));
    } else if (isOperator && c === "{") i = interval(source, pattern, next, extended);
    else if (c === "^" && !escaped && (extended || /(^|\(|\|)$/.test(source.out) && source.atom < 0)) source.add("^", false);
    else if (c === "$" && !escaped && (extended || next === pattern.length || /^\\[)|]/.test(pattern.slice(next)))) source.add("$", false);
    else if (!escaped) source.add(c === "." ? "[^]" : literal(c));
    else if (/[1-9]/.test(c)) {
      if (Number(c) > source.groups) throw new UsageError("Invalid back reference");
      source.add(`(?:\\${c})`);
    } else source.add(WORDS[c] ?? (escapes ? CHARACTERS[c] : undefined) ?? literal(c));
  }
  if (source.depth > 0) throw new UsageError("Unmatched ( or \\(");
  return source.out;
}

/** `{1,3}`, whose brace is before `at`; a brace that begins none stands for itself where GNU lets it. Where it ends. */
function interval(source: Source, pattern: string, at: number, extended: boolean): number {
  const close = extended ? "}" : "\\}";
  const [whole = "", from = "", comma = "", to = ""] = /^(\d*)(,?)(\d*)/.exec(pattern.slice(at)) ?? [];
  const valid = pattern.startsWith(close, at + whole.length) && (from !== "" || comma !== "");
  if (!valid && !extended) throw new UsageError(pattern.includes(close, at) ? "Invalid content of \\{\\}" : "Unmatched \\{");
  if (!valid || source.atom < 0) {
    source.add("\\{");
    return at;
  }
  source.repeat(`{${from || "0"}${comma}${to}}`);
  return at + whole.length + close.length;
}

/** Throws UsageError. */
export function posixRegExp(pattern: string, syntax: Syntax, flags = ""): RegExp {
  const source = posixSource(pattern, syntax);
  try {
    return new RegExp(source, `u${flags}${syntax.ignoreCase ? "i" : ""}${syntax.multiline ? "m" : ""}`);
  } catch {
    throw new UsageError("Invalid preceding regular expression");
  }
}
