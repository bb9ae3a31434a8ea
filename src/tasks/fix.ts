// The smallest edit that turns broken text into right text: whole lines without their indentation, unique in the file.

export interface Fix {
  readonly oldText: string;
  readonly newText: string;
}

/** Undefined unless exactly one line differs and one or two lines around it are unique in `broken`. */
export function smallestFix(broken: string, right: string): Fix | undefined {
  const [before, after] = [broken.split("\n"), right.split("\n")];
  if (before.length !== after.length) return undefined;
  const changed = before.map((line, i) => (line === after[i] ? -1 : i)).filter((i) => i >= 0);
  if (changed.length !== 1) return undefined;
  const at = changed[0]!;
  for (const [from, to] of [[at, at], [at - 1, at], [at, at + 1]] as const) {
    if (from < 0 || to >= before.length) continue;
    const oldText = before.slice(from, to + 1).join("\n").trim();
    if (oldText !== "" && occurrences(broken, oldText) === 1 && oldText !== after.slice(from, to + 1).join("\n").trim()) {
      return { oldText, newText: after.slice(from, to + 1).join("\n").trim() };
    }
  }
  return undefined;
}

/** How often `part` occurs, overlaps not counted. */
export function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}
