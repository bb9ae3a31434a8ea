// The words of an awk program. A slash begins a regular expression where no value stands before it.
import { UsageError } from "./getopt.ts";

export interface Token {
  readonly kind: "number" | "string" | "regexp" | "name" | "call" | "builtin" | "word" | "operator" | "newline" | "end";
  readonly text: string;
  readonly line: number;
}

const WORDS = new Set("BEGIN END function func if else while for do in delete print printf next nextfile exit return break continue getline".split(" "));
export const BUILTINS = new Set("length substr index split sub gsub match sprintf sin cos atan2 exp log sqrt int rand srand tolower toupper system close fflush".split(" "));
const OPERATORS = /\*\*=|\*\*|\+\+|--|\+=|-=|\*=|\/=|%=|\^=|==|<=|>=|!=|!~|&&|\|\||>>|[{}()[\];,+\-*/%^!<>|?:~$=]/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", '"': '"', "/": "/", a: "\u0007", b: "\b", f: "\f", v: "\v" };

/** A string as awk reads it between quotes. */
export function unescaped(text: string): string {
  return text.replaceAll(/\\(?:([0-7]{1,3})|([^]))/g, (whole, octal: string | undefined, letter = "") => (octal === undefined ? (ESCAPES[letter] ?? whole) : String.fromCharCode(Number.parseInt(octal, 8))));
}

export function tokens(source: string): Token[] {
  const found: Token[] = [];
  let line = 1;
  const add = (kind: Token["kind"], text: string): void => void found.push({ kind, text, line });
  const sticky = (pattern: RegExp, at: number): string | undefined => {
    const copy = new RegExp(pattern.source, "y");
    copy.lastIndex = at;
    return copy.exec(source)?.[0];
  };
  for (let at = 0; at < source.length; ) {
    const c = source[at] ?? "";
    const last = found.at(-1);
    const blank = sticky(/[ \t\r]+|\\\r?\n|#[^\n]*/, at);
    if (blank !== undefined) {
      if (blank.endsWith("\n")) line++;
      at += blank.length;
    } else if (c === "\n") {
      add("newline", "\n");
      line++;
      at++;
    } else if (c === '"') {
      const text = sticky(/"(?:[^"\\\n]|\\[^])*"/, at);
      if (text === undefined) throw new UsageError(`line ${line}: runaway string constant ${source.slice(at, at + 20).split("\n", 1)[0]} ...`);
      add("string", unescaped(text.slice(1, -1).replaceAll(/\\\r?\n/g, "")));
      at += text.length;
    } else if (c === "/" && !(last && (["number", "string", "name", "builtin"].includes(last.kind) || [")", "]", "$", "++", "--"].includes(last.text)))) {
      const text = sticky(/\/(?:[^/\\\n[]|\\[^\n]|\[\^?\]?(?:\[:\w+:\]|[^\]\n])*\])*\//, at) ?? sticky(/\/(?:[^/\\\n]|\\[^\n])*\//, at);
      if (text === undefined) throw new UsageError(`line ${line}: runaway regular expression ${source.slice(at, at + 20).split("\n", 1)[0]} ...`);
      add("regexp", text.slice(1, -1).replaceAll("\\/", "/").replaceAll('\\"', '"'));
      at += text.length;
    } else {
      const number = sticky(/0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/, at);
      const name = number === undefined ? sticky(/[A-Za-z_]\w*/, at) : undefined;
      if (number !== undefined) {
        add("number", number);
        at += number.length;
      } else if (name !== undefined) {
        at += name.length;
        add(WORDS.has(name) ? "word" : BUILTINS.has(name) ? "builtin" : source[at] === "(" ? "call" : "name", name === "func" ? "function" : name);
      } else {
        OPERATORS.lastIndex = at;
        const operator = OPERATORS.exec(source)?.[0];
        if (operator === undefined) throw new UsageError(`line ${line}: syntax error at or near ${c}`);
        add("operator", operator === "**" ? "^" : operator === "**=" ? "^=" : operator);
        at += operator.length;
      }
    }
  }
  found.push({ kind: "end", text: "end of file", line });
  return found;
}
