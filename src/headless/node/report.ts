// What Node prints when a program ends badly: the place, the source line with its caret, the error, the version.
import { inspect } from "node-inspect-extracted";
import { emissionOf } from "./builtins/event-emitter.ts";
import { NODE_VERSION, type Runtime } from "./runtime.ts";
import type { Position } from "./stack.ts";

const BANNER = `\nNode.js ${NODE_VERSION}\n`;

/** Without the engine's word: it points at the `throw`, the stack at the error's making; the same when one line does both. */
function caretColumn(position: Position): number {
  const column = position.column - (position.columnsBefore ?? 0);
  const before = position.sourceLine?.slice(0, column - 1) ?? "";
  const thrown = /\bthrow\s+(?:new\s+)?$/.exec(before);
  return thrown ? thrown.index + 1 : column;
}

/** What has more than one letter. */
const TOKEN = /^(?:[\w$]+|"[^"]*"?|'[^']*'?|=>|\.{3}|\*\*=?|[=!]==?|<<=?|>>>?=?|&&=?|\|\|=?|\?\?=?|\?\.|\+\+|--|[-+*/%&|^<>]=)/;

function caretLength(position: Position, error: unknown): number {
  if (!(error instanceof SyntaxError)) return 1;
  const rest = position.sourceLine?.slice(position.column - 1) ?? "";
  return TOKEN.exec(rest)?.[0].length ?? Math.min(1, rest.length);
}

function excerpt(position: Position, column: number, error: unknown): string {
  const line = position.sourceLine ?? "";
  const indent = line.slice(0, column - 1).replace(/[^\t]/g, " ");
  return `${position.label}:${position.line}\n${line}\n${indent}${"^".repeat(caretLength(position, error))}\n`;
}

/** The source line of an error's place with its caret, for an error that is not fatal. */
export function excerptOf(error: unknown, position: Position): string {
  return excerpt(position, caretColumn(position), error);
}

/** The whole text for an error that ends the process. */
export function describeFatal(runtime: Runtime, error: unknown): string {
  const thrown = runtime.sources.thrown(error);
  const position = thrown ?? runtime.sources.position(error);
  const column = position && (thrown?.column ?? caretColumn(position));
  const written = position && runtime.sources.maps?.through({ ...position, column: column as number });
  const head = runtime.sources.isDecorated(error) ? "" : written ? excerpt(written, written.column, error) : position ? excerpt(position, column as number, error) : "";
  if (!(error instanceof Error)) {
    if (typeof error === "object" && error !== null) return `${head && `\n${head}`}${inspect(error)}\n${BANNER}`;
    return `${head === "" ? "Uncaught:\n" : `\n${head}`}${typeof error === "string" ? error : inspect(error)}\n(Use \`node --trace-uncaught ...\` to show where the exception was thrown)\n${BANNER}`;
  }
  // With a source map, Node leaves one line more.
  const gap = head === "" || isLinkError(error) ? "" : written ? "\n\n" : "\n";
  // Without frames, inspect puts brackets around the first part; a fatal error is never printed with them.
  const text = withEmission(error, inspect(error, { customInspect: false }).replace(/^\[([\s\S]*?)\](?=$| \{\n)/, "$1"));
  return `${head}${gap}${text}\n${BANNER}`;
}

/** Where it was emitted stands below its stack, before its properties. */
function withEmission(error: Error, text: string): string {
  const emission = emissionOf(error);
  if (emission === undefined) return text;
  const { stack } = error;
  const end = typeof stack === "string" && text.startsWith(stack) ? stack.length : text.length;
  return `${text.slice(0, end)}\n${emission}${text.slice(end)}`;
}

/** Node prints no empty line between the caret and an import that does not exist. */
function isLinkError(error: Error): boolean {
  return error instanceof SyntaxError && /^(The requested module|Named export) /.test(error.message);
}
