// Where a parameter's value ends, and what type it has. A value is raw text of any length that may itself contain
// tags (a model edits this very parser), so a tag ends it only where the format could really go on after it.

/** Names are bounded, so that a tag is recognised or given up after the same characters however the text arrives. */
const PARAMETER = /^<parameter=[ \t]{0,4}["']?([\w.-]{1,64})["']?[ \t]{0,4}>/;
const FUNCTION = /^<function=[ \t]{0,4}["']?([\w.-]{1,64})["']?[ \t]{0,4}(?:>|(?=\n))/;
const TAG_CHARS = 90;

/** A tag with a name in it: read, still arriving, or something else. */
export type NamedTag = { readonly name: string; readonly length: number } | "maybe" | "no";

function namedTagAt(text: string, at: number, pattern: RegExp, opening: string, ended: boolean): NamedTag {
  const rest = text.slice(at, at + TAG_CHARS);
  const match = pattern.exec(rest);
  if (match) return { name: match[1]!, length: match[0].length };
  if (ended || rest.length === TAG_CHARS) return "no";
  const open = literalAt(text, at, opening);
  return open === "maybe" || (open === "yes" && !/[<>\n]/.test(rest.slice(1))) ? "maybe" : "no";
}

export function parameterTagAt(text: string, at: number, ended: boolean): NamedTag {
  return namedTagAt(text, at, PARAMETER, "<parameter=", ended);
}

/** A missing `>` at the end of the line is forgiven. */
export function functionTagAt(text: string, at: number, ended: boolean): NamedTag {
  return namedTagAt(text, at, FUNCTION, "<function=", ended);
}

/** `end`: where the value ends. `next`: where parsing goes on. `maybe`: more text decides. */
export type ValueEnd = { readonly end: number; readonly next: number } | "maybe" | "no";

/** How far `literal` matches at `at`: whole, not, or as far as the text goes. */
export function literalAt(text: string, at: number, literal: string): "yes" | "maybe" | "no" {
  const have = text.slice(at, at + literal.length);
  if (have === literal) return "yes";
  return have.length < literal.length && literal.startsWith(have) ? "maybe" : "no";
}

export function skipSpace(text: string, at: number): number {
  let i = at;
  while (i < text.length && /\s/.test(text[i]!)) i++;
  return i;
}

/** How the output stands: still coming, ended by the model itself, or cut off at the token limit. */
export type OutputEnd = "open" | "stop" | "length";

/** Does white space, then one of `literals` (or the end that the model chose) follow? */
function followedBy(text: string, at: number, literals: readonly string[], output: OutputEnd): "yes" | "maybe" | "no" {
  const i = skipSpace(text, at);
  if (i === text.length && output !== "length") return output === "stop" ? "yes" : "maybe";
  let maybe = false;
  for (const literal of literals) {
    const match = literalAt(text, i, literal);
    if (match === "yes") return "yes";
    if (match === "maybe" && output === "open") maybe = true;
  }
  return maybe ? "maybe" : "no";
}

/**
 * Does the tag at `at` (a `<`) end the value that began at `start`?
 * - `</parameter>` does when another parameter, the function's end, the call's end or the output's end follows;
 * - `<parameter=K>` at the start of a line does when K is a parameter still missing (`</parameter>` forgotten);
 * - `</function>` does when the call's or the output's end follows; `</tool_call>` at the start of a line always does.
 */
export function valueEndAt(text: string, start: number, at: number, output: OutputEnd, isMissing: (key: string) => boolean): ValueEnd {
  const lineStart = at === start || text[at - 1] === "\n";
  let maybe = false;
  for (const [tag, after] of [
    ["</parameter>", ["<parameter=", "</function>", "</tool_call>"]],
    ["</function>", ["</tool_call>"]],
    ["</tool_call>", []],
  ] as const) {
    const match = literalAt(text, at, tag);
    if (match === "no") continue;
    if (match === "maybe") {
      maybe = true;
      continue;
    }
    const follows = tag === "</tool_call>" && lineStart ? "yes" : followedBy(text, at + tag.length, after, output);
    if (follows === "maybe") return "maybe";
    if (follows === "yes") return { end: at, next: tag === "</parameter>" ? at + tag.length : at };
    return "no";
  }
  if (lineStart) {
    const parameter = parameterTagAt(text, at, output !== "open");
    if (typeof parameter === "object") return isMissing(parameter.name) ? { end: at, next: at } : "no";
    if (parameter === "maybe") maybe = true;
  }
  return maybe && output === "open" ? "maybe" : "no";
}

/** The template puts one newline before and one after a value; exactly those are removed. */
export function stripOneNewline(value: string): string {
  return value.replace(/^\r?\n/, "").replace(/\r?\n$/, "");
}

/** A value as its schema's type; what does not read as that type stays text, for the tool to refuse by name. */
export function coerceValue(value: string, type: string | undefined): unknown {
  const trimmed = value.trim();
  switch (type) {
    case "integer":
    case "number": {
      const number = trimmed === "" ? Number.NaN : Number(trimmed);
      return Number.isFinite(number) ? number : value;
    }
    case "boolean":
      if (/^true$/i.test(trimmed)) return true;
      return /^false$/i.test(trimmed) ? false : value;
    case "object":
    case "array":
      try {
        return JSON.parse(trimmed) as unknown;
      } catch {
        return value; // not JSON: the tool says what it expected
      }
    default:
      return value;
  }
}
