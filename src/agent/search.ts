// grep_search and glob over the project's files. Done here and not by the shell, so that both behave the same in every
// container, and bounded, so that no pattern of a model's can hold up the page.
import { AppError } from "../base/errors.ts";

const MATCHES = 100;
const LINE_CHARS = 200;
/** Longer lines are generated code, and where regular expressions blow up. */
const SEARCHED_CHARS = 500;
/** `*`, `+` and `{n,}` in one pattern: each multiplies the worst case by the line's length. */
const OPEN_REPEATS = 4;

/** The lines that match, as `path:line: text`. `texts`: path and content of text files. */
export function grep(pattern: string, texts: Iterable<readonly [path: string, text: string]>): string {
  const expression = searchExpression(pattern);
  const found: string[] = [];
  for (const [path, text] of texts) {
    for (const [index, line] of text.split("\n").entries()) {
      if (!expression.test(line.slice(0, SEARCHED_CHARS))) continue;
      if (found.length === MATCHES) return `${found.join("\n")}\n[only the first ${MATCHES} matches are shown; narrow the pattern or the path]`;
      found.push(`${path}:${index + 1}: ${line.trim().slice(0, LINE_CHARS)}`);
    }
  }
  return found.length === 0 ? `No line matches ${pattern}` : found.join("\n");
}

/** What is no valid expression, or could take for ever (a repeated repetition, too many of them), is searched for as it stands. */
function searchExpression(pattern: string): RegExp {
  const literal = () => new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  if ((pattern.match(/[*+]|\{\d+,\}/g)?.length ?? 0) > OPEN_REPEATS) return literal();
  if (/\((?:[^()\\]|\\.)*[+*}](?:[^()\\]|\\.)*\)[+*{]|\((?:[^()\\]|\\.)*\|(?:[^()\\]|\\.)*\)[+*{]/.test(pattern)) return literal();
  try {
    return new RegExp(pattern);
  } catch (error) {
    if (error instanceof SyntaxError) return literal();
    throw error;
  }
}

const LISTED = 200;

/** The paths that match, one a line. A pattern without a slash is looked for in every folder. */
export function listMatching(pattern: string, files: readonly string[]): string {
  const expression = globExpression(pattern.replace(/^\.\//, ""));
  const anywhere = pattern.includes("/") || pattern === "*" ? undefined : globExpression(`**/${pattern}`);
  const found = files.filter((file) => expression.test(file) || anywhere?.test(file));
  if (pattern === "*" || pattern.endsWith("/*")) found.push(...foldersOf(pattern, files));
  if (found.length === 0) return `No file matches ${pattern}`;
  const more = found.length > LISTED ? `\n[${found.length - LISTED} more; narrow the pattern]` : "";
  return found.slice(0, LISTED).join("\n") + more;
}

/** A listing of one folder names its folders too. */
function foldersOf(pattern: string, files: readonly string[]): string[] {
  const parent = pattern.slice(0, -1);
  const names = files.filter((file) => file.startsWith(parent)).map((file) => file.slice(parent.length).split("/"));
  return [...new Set(names.filter((segments) => segments.length > 1).map((segments) => `${parent}${segments[0]}/`))];
}

/** `**` spans folders, `*` and `?` do not, `{a,b}` and `[a-z]` as in a shell. */
export function globExpression(pattern: string): RegExp {
  if (pattern.length > 500) throw new AppError("project/path", "The pattern is too long. Use a shorter one, such as src/**/*.js.");
  pattern = pattern.replace(/(?:\*\*\/)+/g, "**/").replace(/\*{3,}/g, "**"); // repeated, they match the same and take for ever
  let source = "";
  let braces = 0;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === "*") {
      const many = pattern[i + 1] === "*";
      while (pattern[i + 1] === "*") i++;
      if (many && pattern[i + 1] === "/") {
        source += "(?:[^/]+/)*";
        i++;
      } else source += many ? ".*" : "[^/]*";
    } else if (char === "?") source += "[^/]";
    else if (char === "{" && pattern.indexOf("}", i) > 0) {
      source += "(?:";
      braces++;
    } else if (char === "}" && braces > 0) {
      source += ")";
      braces--;
    } else if (char === "," && braces > 0) source += "|";
    else if (char === "[" && pattern.indexOf("]", i + 2) > 0) {
      const end = pattern.indexOf("]", i + 2);
      const body = pattern.slice(i + 1, end).replace(/[\\\]^]/g, "\\$&").replace(/^!|^\\\^/, "^");
      source += `[${body}]`;
      i = end;
    } else source += char.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  }
  while (braces-- > 0) source += ")";
  try {
    return new RegExp(`^${source}$`);
  } catch (error) {
    if (error instanceof SyntaxError) return new RegExp(`^${pattern.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$`);
    throw error;
  }
}
