// path.matchesGlob: patterns as minimatch reads them, which Node asks. A pattern and a path are compared part by part.

const CLASSES: Readonly<Record<string, string>> = {
  alnum: String.raw`\p{L}\p{Nl}\p{Nd}`, alpha: String.raw`\p{L}\p{Nl}`, digit: String.raw`\p{Nd}`, lower: String.raw`\p{Ll}`, upper: String.raw`\p{Lu}`,
  space: String.raw`\p{Z}\t\r\n\v\f`, blank: String.raw`\p{Zs}\t`, word: String.raw`\p{L}\p{Nl}\p{Nd}\p{Pc}`, xdigit: "A-Fa-f0-9", punct: String.raw`\p{P}`,
};
const GLOBSTAR = "**";

/** Backslashes in the pattern are slashes; those of the path only on Windows. */
export function matchesGlob(path: string, pattern: string, onWindows: boolean): boolean {
  if (pattern === "") return path === "";
  const parts = partsOf(onWindows ? path.replaceAll("\\", "/") : path);
  return braces(pattern.replaceAll("\\", "/")).some((plain) => matchParts(parts, withoutDots(partsOf(plain))));
}

/** Empty ones only at both ends. */
function partsOf(path: string): string[] {
  return path.replace(/\/+/g, "/").split("/");
}

function withoutDots(parts: readonly string[]): string[] {
  const kept: string[] = [];
  for (const part of parts) {
    const before = kept.at(-1);
    if (part === ".." && before !== undefined && !["", ".", "..", GLOBSTAR].includes(before)) kept.pop();
    else if (part !== "." || kept.length === 0) kept.push(part);
  }
  return kept;
}

function matchParts(parts: readonly string[], pattern: readonly string[]): boolean {
  for (const [k, wanted] of pattern.entries()) {
    const rest = parts.slice(k);
    if (wanted === GLOBSTAR) {
      const after = pattern.slice(k + 1);
      if (after.length === 0) return rest.length > 0 && !rest.some((part) => part.startsWith("."));
      for (let skipped = 0; skipped < rest.length; skipped++) {
        if (matchParts(rest.slice(skipped), after)) return true;
        if (rest[skipped]?.startsWith(".")) return false;
      }
      return false;
    }
    const [part] = rest;
    if (part === undefined || !matchPart(part, wanted)) return false;
  }
  // A folder may be named with its slash.
  return parts.length === pattern.length || (parts.length === pattern.length + 1 && parts.at(-1) === "");
}

function matchPart(part: string, pattern: string): boolean {
  if (!/[*?[(]/.test(pattern)) return part === pattern;
  if (part === "." || part === "..") return false;
  if (part.startsWith(".") && !pattern.startsWith(".")) return false;
  // What a pattern of stars alone matches has at least a character.
  if (part === "" && !/^[?*]\(/.test(pattern)) return false;
  return new RegExp(`^${partSource(pattern)}$`, "su").test(part);
}

function partSource(pattern: string): string {
  let source = "";
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] as string;
    const close = "?*+@!".includes(character) && pattern[at + 1] === "(" ? closing(pattern, at + 1, "(", ")") : -1;
    if (close >= 0) {
      const group = `(?:${alternatives(pattern.slice(at + 2, close), "|").map(partSource).join("|")})`;
      source += character === "!" ? `(?:(?!${group}${partSource(pattern.slice(close + 1))}$).*?)` : group + (character === "@" ? "" : character);
      at = close + 1;
      continue;
    }
    const set = character === "[" ? bracket(pattern, at) : undefined;
    if (set) source += set.source;
    else source += character === "*" ? "[^/]*?" : character === "?" ? "[^/]" : character.replace(/[\\^$.*+?()[\]{}|]/, String.raw`\$&`);
    at = set ? set.end : at + 1;
  }
  return source;
}

/** `[a-z]`, `[!a]`, `[[:alpha:]]`, `[]a]`; undefined where it is no set, and the bracket stands for itself. */
function bracket(pattern: string, start: number): { readonly source: string; readonly end: number } | undefined {
  const negated = /^[!^]/.test(pattern[start + 1] ?? "");
  const first = start + (negated ? 2 : 1);
  let source = "";
  for (let at = first; at < pattern.length; ) {
    if (pattern[at] === "]" && at > first) return { source: `[${negated ? "^" : ""}${source}]`, end: at + 1 };
    const [whole, name] = /^\[:(\w+):\]/.exec(pattern.slice(at)) ?? [];
    if (whole !== undefined && CLASSES[name ?? ""] !== undefined) {
      source += CLASSES[name ?? ""];
      at += whole.length;
      continue;
    }
    const [range = ""] = /^.(?:-[^\]])?/su.exec(pattern.slice(at)) ?? [];
    const [from = "", , to = from] = [...range];
    if (from <= to) source += [...new Set([from, to])].map((end) => end.replace(/[\\^$.*+?()[\]{}|/-]/, String.raw`\$&`)).join("-");
    at += range.length;
  }
  return undefined;
}

/** `a{b,c}` is `ab` and `ac`, `a{1..3}` is `a1`, `a2` and `a3`. */
function braces(pattern: string): string[] {
  for (let open = pattern.indexOf("{"); open >= 0; open = pattern.indexOf("{", open + 1)) {
    const close = closing(pattern, open, "{", "}");
    if (close < 0) continue;
    const inside = pattern.slice(open + 1, close);
    const choices = sequence(inside) ?? alternatives(inside, ",");
    if (choices.length < 2) continue;
    const after = braces(pattern.slice(close + 1));
    return choices.flatMap((choice) => braces(choice)).flatMap((choice) => after.map((end) => pattern.slice(0, open) + choice + end));
  }
  return [pattern];
}

function sequence(text: string): string[] | undefined {
  const [, from = "", to = "", by] = /^(-?\d+|[a-z])\.\.(-?\d+|[a-z])(?:\.\.(-?\d+))?$/i.exec(text) ?? [];
  const letters = /[a-z]/i.test(from);
  if (from === "" || letters !== /[a-z]/i.test(to)) return undefined;
  const [first, last] = [from, to].map((end) => (letters ? (end.codePointAt(0) as number) : Number(end))) as [number, number];
  const step = Math.max(1, Math.abs(Number(by ?? 1)));
  const length = Math.min(Math.floor(Math.abs(last - first) / step) + 1, MOST_CHOICES);
  return Array.from({ length }, (_, k) => first + (first <= last ? k : -k) * step).map((value) => (letters ? String.fromCodePoint(value) : String(value)));
}

/** As minimatch caps them. */
const MOST_CHOICES = 100_000;

/** Between separators that are in no parentheses or braces of their own. */
function alternatives(text: string, separator: string): string[] {
  const found = [""];
  let depth = 0;
  for (const character of text) {
    if ("({".includes(character)) depth++;
    if (")}".includes(character)) depth--;
    if (character === separator && depth === 0) found.push("");
    else found.push((found.pop() as string) + character);
  }
  return found;
}

function closing(text: string, start: number, open: string, close: string): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === open) depth++;
    if (text[at] === close && --depth === 0) return at;
  }
  return -1;
}
