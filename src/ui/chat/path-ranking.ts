// Finds a file by a few letters of its path, and the words in a message that name one. Pure.

/** Rows of the list. */
const SHOWN = 8;

/** The `@word` that ends at the caret: where it begins and what has been typed of it. */
export interface Mention {
  readonly from: number;
  readonly query: string;
}

/** Undefined where nothing is being mentioned. Only the last stretch before the caret is looked at, however long the text. */
export function mentionAt(text: string, caret: number): Mention | undefined {
  const before = text.slice(Math.max(0, caret - 200), caret);
  const match = /(?:^|\s)@([^\s@]*)$/.exec(before);
  if (!match) return undefined;
  const query = match[1] ?? "";
  return { from: caret - query.length - 1, query };
}

/** The best paths for the query, best first. All letters must occur in order; whole names and beginnings of words win. */
export function rankPaths(query: string, paths: readonly string[], limit = SHOWN): readonly string[] {
  const wanted = query.toLowerCase();
  const scored: { path: string; score: number }[] = [];
  for (const path of paths) {
    const score = scoreOf(wanted, path.toLowerCase());
    if (score !== undefined) scored.push({ path, score });
  }
  scored.sort((a, b) => b.score - a.score || a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
  return scored.slice(0, limit).map(({ path }) => path);
}

/** The project's paths that a message names with `@`, in order, each once. */
export function mentionedPaths(text: string, paths: ReadonlySet<string>): readonly string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(/(?:^|\s)@([^\s@]+)/g)) {
    const word = match[1] ?? "";
    const path = paths.has(word) ? word : word.replace(/[.,;:!?)\]}]+$/, "");
    if (paths.has(path)) found.add(path);
  }
  return [...found];
}

function scoreOf(query: string, path: string): number | undefined {
  if (query === "") return path.includes("/") ? -path.split("/").length : 0;
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === query || path === query) return 1000;
  if (name.startsWith(query)) return 500;
  const inName = name.indexOf(query);
  if (inName >= 0) return 400 - inName;
  const inPath = path.indexOf(query);
  if (inPath >= 0) return 300 - inPath;
  return scattered(query, path);
}

/** Letters in order with gaps: a letter after another, or at the beginning of a word, counts more. */
function scattered(query: string, path: string): number | undefined {
  let score = 0;
  let at = -1;
  for (const letter of query) {
    const next = path.indexOf(letter, at + 1);
    if (next < 0) return undefined;
    if (next === at + 1) score += 3;
    if (next === 0 || "/-_. ".includes(path[next - 1] ?? "")) score += 2;
    at = next;
  }
  return score - path.length / 100;
}
