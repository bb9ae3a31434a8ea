// Glob patterns of `export`: `*` and `?` within a name, `**` across folders, `{a,b}`. A pattern that matches a folder
// matches everything below it.

/** Tests relative paths such as `src/a.js`. */
export function globMatcher(patterns: readonly string[]): (path: string) => boolean {
  const expressions = patterns.map((pattern) => new RegExp(`^${globSource(pattern.replace(/^\.?\//, "").replace(/\/$/, ""))}(?:/.*)?$`, "s"));
  return (path) => expressions.some((expression) => expression.test(path));
}

function globSource(glob: string): string {
  let source = "";
  for (let i = 0; i < glob.length; ) {
    const c = glob[i] ?? "";
    if (glob.startsWith("**/", i)) {
      source += "(?:[^/]+/)*";
      i += 3;
    } else if (glob.startsWith("**", i)) {
      source += ".*";
      i += 2;
    } else if (c === "{" && glob.indexOf("}", i) > i) {
      const end = glob.indexOf("}", i);
      source += `(?:${glob.slice(i + 1, end).split(",").map(globSource).join("|")})`;
      i = end + 1;
    } else {
      source += c === "*" ? "[^/]*" : c === "?" ? "[^/]" : c.replace(/[.+^$(){}|[\]\\]/, "\\$&");
      i++;
    }
  }
  return source;
}
