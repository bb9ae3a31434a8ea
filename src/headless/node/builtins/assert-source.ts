// The message of `assert(x)`: the call's own source, as Node quotes it.
import { parse as parseCode } from "../later/parser.ts";
import { type Ast, isNode } from "../loader/references.ts";
import type { Runtime } from "../runtime.ts";

function parse(source: string): Ast | undefined {
  for (const sourceType of ["module", "script"] as const) {
    try {
      return parseCode(source, { ecmaVersion: "latest", sourceType, allowHashBang: true, allowReturnOutsideFunction: true }) as unknown as Ast;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

/** The innermost call that holds the offset in its callee. */
function callAt(node: Ast, offset: number): Ast | undefined {
  if (offset < node.start || offset > node.end) return undefined;
  for (const key in node) {
    const value = node[key];
    for (const child of Array.isArray(value) ? value : [value]) {
      const found = isNode(child) ? callAt(child, offset) : undefined;
      if (found) return found;
    }
  }
  return node.type === "CallExpression" ? node : undefined;
}

export function falsyMessage(runtime: Runtime): string {
  const plain = "The expression evaluated to a falsy value";
  const place = runtime.sources.here();
  const source = place && runtime.sources.text(place.label);
  const program = source === undefined ? undefined : parse(source);
  if (!place || source === undefined || !program) return `${plain}\n`;
  const lines = source.split("\n");
  const lineStart = lines.slice(0, place.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const call = callAt(program, lineStart + place.column - 1);
  if (!call) return `${plain}\n`;
  const indent = call.start - lineStart;
  const [first = "", ...rest] = source.slice(call.start, call.end).split("\n");
  const dedented = rest.map((line) => `\n  ${line.slice(Math.min(indent, /^[ \t]*/.exec(line)?.[0].length ?? 0))}`);
  return `${plain}:\n\n  ${first}${dedented.join("")}\n`;
}
