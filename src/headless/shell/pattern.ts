// Glob patterns. A pattern is text in which a backslash makes the character after it plain: so what was quoted stays plain.
import { joinPath, resolvePath } from "../posix-path.ts";
import type { Vfs } from "../vfs.ts";

export interface PatternOptions {
  /** `?(a|b)` and the like. */
  readonly extended?: boolean;
  readonly ignoreCase?: boolean;
}

/** The text as a pattern that matches itself alone. */
export function escapePattern(text: string): string {
  return text.replaceAll(/[\\*?[\]!+@()|^-]/g, "\\$&");
}

/** The text that a pattern was written as, quotes removed. */
export function unescapePattern(pattern: string): string {
  return pattern.includes("\\") ? pattern.replaceAll(/\\([^])/g, "$1") : pattern;
}

export function hasGlob(pattern: string): boolean {
  const plain = pattern.replaceAll(/\\[^]/g, "");
  return /[*?]|\[[^]*\]|[?*+@!]\(/.test(plain);
}

const compiled = new Map<string, RegExp>();
const KEPT = 1000;

/** For the whole text. */
export function patternRegExp(pattern: string, options: PatternOptions = {}): RegExp {
  const key = `${options.extended === true}${options.ignoreCase === true}${pattern}`;
  let made = compiled.get(key);
  if (!made) {
    if (compiled.size >= KEPT) compiled.clear();
    made = new RegExp(`^(?:${patternSource(pattern, options)})$`, options.ignoreCase === true ? "isu" : "su");
    compiled.set(key, made);
  }
  return made;
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: "\\p{L}\\p{N}", alpha: "\\p{L}", blank: " \\t", cntrl: "\\x00-\\x1f\\x7f", digit: "0-9", graph: "\\x21-\\x7e", lower: "\\p{Ll}", print: "\\x20-\\x7e",
  punct: "!-\\/:-@\\[-`\\{-~", space: "\\s", upper: "\\p{Lu}", word: "\\w", xdigit: "0-9A-Fa-f",
};

/** The source of a regular expression; `any` is what `*` and `?` stand for. */
export function patternSource(pattern: string, options: PatternOptions = {}, any = "."): string {
  let out = "";
  for (let i = 0; i < pattern.length; ) {
    const c = pattern[i] ?? "";
    if (c === "\\" && i + 1 < pattern.length) {
      const point = String.fromCodePoint(pattern.codePointAt(i + 1) ?? 0);
      out += literal(point);
      i += 1 + point.length;
    } else if (options.extended === true && "?*+@!".includes(c) && pattern[i + 1] === "(") {
      const end = closing(pattern, i + 1);
      if (end < 0) {
        out += literal(c);
        i++;
        continue;
      }
      const group = `(?:${alternatives(pattern.slice(i + 2, end)).map((part) => patternSource(part, options, any)).join("|")})`;
      const rest = patternSource(pattern.slice(end + 1), options, any);
      if (c === "!") return `${out}(?!${group}${rest}$)${any}*${rest}`;
      out += c === "@" ? group : group + c;
      i = end + 1;
    } else if (c === "*") {
      out += `${any}*`;
      i++;
    } else if (c === "?") {
      out += any;
      i++;
    } else if (c === "[") {
      const end = bracketEnd(pattern, i);
      out += end < 0 ? "\\[" : bracket(pattern.slice(i + 1, end));
      i = end < 0 ? i + 1 : end + 1;
    } else {
      const point = String.fromCodePoint(pattern.codePointAt(i) ?? 0);
      out += literal(point);
      i += point.length;
    }
  }
  return out;
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function bracketEnd(pattern: string, start: number): number {
  let i = start + 1;
  if (pattern[i] === "!" || pattern[i] === "^") i++;
  if (pattern[i] === "]") i++;
  for (; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "[" && pattern[i + 1] === ":") {
      const end = pattern.indexOf(":]", i + 2);
      if (end >= 0) i = end + 1;
    } else if (pattern[i] === "]") return i;
  }
  return -1;
}

function bracket(inside: string): string {
  const negated = inside.startsWith("!") || inside.startsWith("^");
  let out = "";
  for (let i = negated ? 1 : 0; i < inside.length; i++) {
    const c = inside[i] ?? "";
    const name = c === "[" ? /^\[:(\w+):\]/.exec(inside.slice(i))?.[1] : undefined;
    if (name !== undefined && CLASSES[name] !== undefined) {
      out += CLASSES[name];
      i += name.length + 3;
    } else if (c === "\\" && i + 1 < inside.length) out += classLiteral(inside[++i] ?? "");
    else if (c === "-" && out !== "" && i + 1 < inside.length) out += "-";
    else out += classLiteral(c);
  }
  return out === "" ? (negated ? "[^]" : "(?!)") : `[${negated ? "^" : ""}${out}]`;
}

function classLiteral(c: string): string {
  return /[\\\]^[/(){}.*+?$|-]/.test(c) ? `\\${c}` : c;
}

/** The index of the parenthesis that closes the one at `open`. */
function closing(pattern: string, open: number): number {
  let depth = 0;
  for (let i = open; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "(") depth++;
    else if (pattern[i] === ")" && --depth === 0) return i;
  }
  return -1;
}

function alternatives(inside: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] === "\\") i++;
    else if (inside[i] === "(") depth++;
    else if (inside[i] === ")") depth--;
    else if (inside[i] === "|" && depth === 0) {
      parts.push(inside.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, inside.slice(from)];
}

export interface GlobOptions extends PatternOptions {
  /** `*` matches names that begin with a dot. */
  readonly dots?: boolean;
  /** `**` goes through folders. */
  readonly deep?: boolean;
}

/** Paths that match, sorted, spelled as the pattern spells them; none: an empty list. */
export function expandPath(vfs: Vfs, cwd: string, pattern: string, options: GlobOptions = {}): string[] {
  const parts = splitPath(pattern);
  let found: string[] = [pattern.startsWith("/") ? "/" : ""];
  const at = (prefix: string): string => resolvePath(prefix === "" ? "." : prefix, cwd);
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    if (part === "") {
      // A slash at the end: folders alone.
      found = found.map((prefix) => `${prefix}/`).filter((prefix) => vfs.find(at(prefix))?.kind === "dir");
      continue;
    }
    const next: string[] = [];
    for (const prefix of found) {
      const join = (name: string): string => (prefix === "" || prefix.endsWith("/") ? prefix + name : `${prefix}/${name}`);
      if (!hasGlob(part)) {
        const name = join(unescapePattern(part));
        if (vfs.find(at(name), false)) next.push(name);
        continue;
      }
      const folder = vfs.find(at(prefix));
      if (folder?.kind !== "dir") continue;
      if (part === "**" && options.deep === true) {
        if (!last) next.push(prefix);
        walk(vfs, at(prefix), "", options.dots === true, last, (below) => next.push(join(below)));
        continue;
      }
      const matches = patternRegExp(part, options);
      const dots = options.dots === true || part.startsWith(".") || part.startsWith("\\.");
      for (const [name, node] of folder.entries) {
        if ((name.startsWith(".") && !dots) || !matches.test(name)) continue;
        if (last || node.kind !== "file") next.push(join(name));
      }
    }
    found = next;
  }
  return found.sort(compareNames);
}

function walk(vfs: Vfs, folder: string, below: string, dots: boolean, files: boolean, take: (path: string) => void): void {
  const node = vfs.find(folder);
  if (node?.kind !== "dir") return;
  for (const [name, child] of node.entries) {
    if (name.startsWith(".") && !dots) continue;
    const path = below === "" ? name : `${below}/${name}`;
    if (files || child.kind === "dir") take(path);
    if (child.kind === "dir") walk(vfs, joinPath(folder, name), path, dots, files, take);
  }
}

/** By code unit, as in the C locale. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function splitPath(pattern: string): string[] {
  return pattern.replace(/^\/+/, "").split(/\/+/);
}
