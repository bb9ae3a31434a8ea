// Keeps an edit from turning a file that parses into one that does not. Only that: a file that did not parse before is
// not judged, and neither is a language without a parser here. Parsers load when first needed.

/** Why `text` does not parse as the language of `path`, with the place; undefined if it does or nobody can tell. */
export async function syntaxError(path: string, text: string): Promise<string | undefined> {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  switch (extension) {
    case "js":
    case "mjs":
    case "cjs":
      return javascriptError(text, extension);
    case "ts":
    case "mts":
    case "cts":
      return typescriptError(text, ["typescript"]);
    case "tsx":
      return typescriptError(text, ["typescript", "jsx"]);
    case "jsx":
      return typescriptError(text, ["jsx"]);
    case "json":
      return /(?:^|\/)[jt]sconfig[^/]*\.json$/.test(path) ? undefined : jsonError(text);
    default:
      return undefined;
  }
}

/** The refusal, if the edit breaks the syntax; a file that is new, or did not exist, counts as one that parsed. */
export async function gate(path: string, before: string | undefined, after: string): Promise<string | undefined> {
  const error = await syntaxError(path, after);
  if (error === undefined) return undefined;
  if (before !== undefined && before.trim() !== "" && (await syntaxError(path, before)) !== undefined) return undefined;
  return error;
}

async function javascriptError(text: string, extension: string): Promise<string | undefined> {
  const { parse } = await import("acorn");
  const source = text.replace(/^\ufeff/, "");
  const kinds = extension === "cjs" ? (["script"] as const) : extension === "mjs" ? (["module"] as const) : (["module", "script"] as const);
  let first: unknown;
  for (const sourceType of kinds) {
    try {
      parse(source, { ecmaVersion: "latest", sourceType, allowHashBang: true, allowReturnOutsideFunction: sourceType === "script" });
      return undefined;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      first ??= error;
    }
  }
  // Components are often kept in .js files.
  if (/<\/|\/>/.test(source) && (await typescriptError(text, ["jsx"])) === undefined) return undefined;
  const { message, loc } = first as SyntaxError & { loc?: { line: number; column: number } };
  return describe(message.replace(/ \(\d+:\d+\)$/, ""), loc?.line, source);
}

async function typescriptError(text: string, transforms: ("typescript" | "jsx")[]): Promise<string | undefined> {
  const { transform } = await import("sucrase");
  try {
    transform(text.replace(/^\ufeff/, ""), { transforms, production: true });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { loc } = error as Error & { loc?: { line: number } };
    const reason = error.message.replace(/^Error transforming [^:]*: /, "").replace(/ \(\d+:\d+\)$/, "");
    return describe(reason, loc?.line ?? (Number(/\((\d+):\d+\)/.exec(error.message)?.[1]) || undefined), text);
  }
}

function jsonError(text: string): string | undefined {
  try {
    JSON.parse(text.replace(/^\ufeff/, ""));
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = /position (\d+)/.exec(error.message)?.[1];
    return describe(error.message.split(" in JSON")[0]!, at === undefined ? undefined : text.slice(0, Number(at)).split("\n").length, text);
  }
}

/** `Unexpected token at line 4: return x +;` */
function describe(reason: string, line: number | undefined, text: string): string {
  const source = line === undefined ? undefined : text.split("\n")[line - 1]?.trim().slice(0, 120);
  return `${reason}${line === undefined ? "" : ` at line ${line}`}${source ? `: ${source}` : ""}`;
}
