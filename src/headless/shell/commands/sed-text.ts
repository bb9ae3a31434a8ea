// What sed makes of a pattern space: `s` and `l`.
import type { Substitute } from "./sed-script.ts";
import { bytesOf } from "./text-input.ts";

/** The text after it; undefined where nothing matched. */
export function substituted(text: string, regexp: RegExp, { parts, global, nth }: Pick<Substitute, "parts" | "global" | "nth">): string | undefined {
  let out = "";
  let at = 0;
  let count = 0;
  let done = false;
  for (let from = 0; from <= text.length; ) {
    regexp.lastIndex = from;
    const match = regexp.exec(text);
    if (!match) break;
    const end = match.index + match[0].length;
    // An empty match right after another is none.
    const isNone = match[0] === "" && match.index === at && count > 0;
    if (!isNone && ++count >= nth) {
      out += text.slice(at, match.index) + replacement(parts, match);
      at = end;
      done = true;
      if (!global) break;
    } else if (!isNone) {
      out += text.slice(at, end);
      at = end;
    }
    from = match[0] === "" ? end + 1 : end;
  }
  return done ? out + text.slice(at) : undefined;
}

function replacement(parts: Substitute["parts"], match: RegExpExecArray): string {
  let out = "";
  let all = "";
  let one = "";
  for (const part of parts) {
    if (typeof part === "object") {
      if ("lu".includes(part.to)) one = part.to;
      else all = part.to === "E" ? "" : part.to;
      continue;
    }
    let text = typeof part === "number" ? (match[part] ?? "") : part;
    if (all !== "") text = all === "U" ? text.toUpperCase() : text.toLowerCase();
    if (one !== "" && text !== "") {
      const [first = ""] = text;
      text = (one === "u" ? first.toUpperCase() : first.toLowerCase()) + text.slice(first.length);
      one = "";
    }
    out += text;
  }
  return out;
}

const NAMED: Readonly<Record<string, string>> = { "\\": "\\\\", "\u0007": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v" };

/** `l`: what cannot be seen as escapes, long lines cut; 0 or 1: not cut. */
export function unambiguous(text: string, raw: boolean, width: number): string {
  const pieces = [...text].flatMap((c) => {
    const named = NAMED[c];
    if (named !== undefined || (c >= " " && c <= "~")) return [named ?? c];
    return [...bytesOf(c, raw)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`);
  });
  let out = "";
  let column = 0;
  for (const piece of pieces) {
    if (width > 1 && column + piece.length > width - 1) {
      out += "\\\n";
      column = 0;
    }
    out += piece;
    column += piece.length;
  }
  return `${out}$\n`;
}
