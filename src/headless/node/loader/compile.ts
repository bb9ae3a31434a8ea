// From a text to code that can run: which module system it belongs to, and evaluation with errors that say where.
// Nothing here resolves or caches.
import { parseModule, readModule } from "../later/modules.ts";
import { parse as parseCode } from "../later/parser.ts";
import { urlToFile } from "../file-url.ts";
import { factsOf } from "../../known-code.ts";
import type { Realm } from "../realm.ts";
import { excerptOf } from "../report.ts";
import type { Runtime } from "../runtime.ts";
import type { SourceTable, Start } from "../stack.ts";
import { SCOPE_PARAMETERS, keepScopes, mayAwait, scopeFunctions } from "./async-scope.ts";
import { type EditData, Edits, type Rewritten } from "./edits.ts";
import type { Ast } from "./references.ts";
import { NAMES } from "./code-names.ts";
import type { ModuleCode } from "./esm-transform.ts";
import { redirectImports, withEvalCode } from "./rewrite-imports.ts";
import type { Resolver } from "./resolve.ts";

export type Format = "module" | "commonjs" | "json";

const same = (_line: number, column: number): number => column;

function parseScript(source: string): Ast {
  return parseCode(source, { ecmaVersion: "latest", sourceType: "script", allowReturnOutsideFunction: true, allowHashBang: true, preserveParens: true }) as unknown as Ast;
}

function parsesAsScript(source: string): boolean {
  try {
    parseScript(source);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function parsesAsModule(source: string): boolean {
  try {
    parseModule(source);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** For code that nothing declares: ESM if it only makes sense as such, as Node 20.19 decides too. */
export function detectFormat(source: string): "module" | "commonjs" {
  if (!/\b(import|export|await)\b/.test(source)) return "commonjs";
  return factsOf("format", source, () => (!parsesAsScript(source) && parsesAsModule(source) ? "module" : "commonjs"));
}

/** `source` is read only where the name and the package leave it open. */
export function formatOf(path: string, resolver: Resolver, source: () => string): Format {
  return formatByName(path, resolver) ?? detectFormat(source());
}

/** Undefined where only the text can tell. */
export function formatByName(path: string, resolver: Resolver): Format | undefined {
  if (path.endsWith(".json")) return "json";
  if (/\.m[jt]s$/.test(path)) return "module";
  if (/\.c[jt]s$/.test(path)) return "commonjs";
  const type = resolver.packageOf(path)?.data["type"];
  return type === "module" || type === "commonjs" ? type : undefined;
}

/** How the engine words the mistake, since acorn (which knows the place) words it differently. */
function engineMessage(source: string): string | undefined {
  const plain = source
    .replace(/^#!.*/, "")
    .replace(/\bimport\s+(?:[\w*${},\s]+?\s+from\s+)?(["'])[^"'\n]*\1/g, "void 0")
    .replace(/\bexport\s+default\b/g, "void ")
    .replace(/\bexport\s+(?=(?:const|let|var|function|async|class)\b)/g, "");
  try {
    // Compiled, never called.
    // oxlint-disable-next-line no-eval -- running programs is what this room does
    void (0, eval)(`(async function* () { "use strict"; ${plain}\n})`);
    return undefined;
  } catch (error) {
    return error instanceof SyntaxError ? error.message : undefined;
  }
}

/** What of Node stands above the program's own frames when code does not compile. */
const FRAMES = {
  module: "\n    at compileSourceTextModule (node:internal/modules/esm/utils:346:16)",
  commonjs: "\n    at wrapSafe (node:internal/modules/cjs/loader:1464:18)",
  script: "\n    at new Script (node:vm:117:7)",
  "vm-module": "\n    at new SourceTextModule (node:internal/vm/module:289:5)",
} as const;

/** A syntax error of the engine or of acorn as Node reports it, placed at the token in question. */
export function placeSyntaxError(error: unknown, source: string, label: string, sources: SourceTable, kind: keyof typeof FRAMES, { lines, columns }: Start = { lines: 0, columns: 0 }): unknown {
  if (!(error instanceof SyntaxError)) return error;
  let place = acornPlace(error) ?? (error as { typescriptAt?: { line: number; column: number } }).typescriptAt;
  if (!place) {
    try {
      parseCode(source, { ecmaVersion: "latest", sourceType: kind.endsWith("module") ? "module" : "script", allowReturnOutsideFunction: true, allowHashBang: true });
    } catch (found) {
      place = acornPlace(found);
    }
  }
  const message = place && atEnd(source, place) ? "Unexpected end of input" : acornPlace(error) ? (engineMessage(source) ?? error.message.replace(/ \(\d+:\d+\)$/, "")) : error.message;
  if (place && message === "Unexpected end of input") {
    const before = source.split("\n");
    place = { line: before.length, column: before.at(-1)?.length ?? 0 };
  }
  const placed = new SyntaxError(message);
  const { stack } = placed;
  const head = `SyntaxError: ${message}`;
  // What a program's own `prepareStackTrace` makes stays as it is.
  if (stack?.startsWith(head)) Object.defineProperty(placed, "stack", { value: head + FRAMES[kind] + (kind === "module" ? "" : stack.slice(head.length)), configurable: true, writable: true, enumerable: false });
  const sourceLine = place ? source.split("\n")[place.line - 1] : undefined;
  const columnsBefore = place?.line === 1 ? columns : 0;
  if (place) sources.setPosition(placed, { label, line: place.line + lines, column: place.column + 1 + columnsBefore, sourceLine, columnsBefore });
  if (!kind.endsWith("module")) sources.decorate(placed, (position) => `${excerptOf(placed, position)}\n`);
  return placed;
}

/** Whether only blanks follow: the code was cut off. */
function atEnd(source: string, place: { line: number; column: number }): boolean {
  const lines = source.split("\n");
  return [(lines[place.line - 1] ?? "").slice(place.column), ...lines.slice(place.line)].every((line) => line.trim() === "");
}

function acornPlace(error: unknown): { line: number; column: number } | undefined {
  const loc = (error as { loc?: { line: number; column: number } } | null)?.loc;
  return loc && typeof loc.line === "number" ? loc : undefined;
}

export type CommonJsFunction = (exports: unknown, require: unknown, module: unknown, filename: string, dirname: string) => unknown;
export type DynamicImport = (specifier: unknown, options?: unknown) => Promise<unknown>;

const CJS_HEAD = "(function (exports, require, module, __filename, __dirname) { ";

/** `import()` becomes a call of ours and `await` keeps its scope; undefined when there is nothing to change. */
function rewriteScript(source: string): Rewritten | undefined {
  // An `eval` is looked at for what it may be given.
  const imports = /\bimport\s*\(|\beval\s*\(/.test(source);
  if (!imports && !mayAwait(source)) return undefined;
  const data = factsOf("script", source, () => scriptEdits(source, imports));
  return data.length === 0 ? undefined : Edits.of(source, data).apply();
}

function scriptEdits(source: string, imports: boolean): EditData {
  let program: Ast;
  try {
    program = parseScript(source);
  } catch (error) {
    // The engine will say what is wrong.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const edits = new Edits(source);
  keepScopes(program, edits);
  if (imports) redirectImports(edits, readModule(program, new Set()), NAMES.import);
  return edits.data;
}

const OUTER = `(function (${[NAMES.import, ...SCOPE_PARAMETERS].join(", ")}) { return `;

/** `wrap`: what a tool put in the place of `Module.wrap`. */
export function compileCommonJs(source: string, path: string, { realm, sources, loop }: Runtime, dynamicImport: DynamicImport, wrap?: (source: string) => string): CommonJsFunction {
  sources.maps?.note(path, source);
  const unhashed = source.startsWith("#!") ? `//${source.slice(2)}` : source;
  const text = wrap ? wrap(unhashed) : unhashed;
  const rewritten = rewriteScript(text);
  const { code, columnBefore } = rewritten ?? { code: text, columnBefore: same };
  const outer = wrap ? OUTER : `${OUTER}${CJS_HEAD}`;
  const shift = realm.prefixLength + outer.length;
  const url = sources.add(path, source, (line, column) => columnBefore(line, line === 1 ? column - shift : column), rewritten);
  try {
    const make = realm.evaluate(`${outer}${code}\n${wrap ? "" : "})"}})`, url) as (...given: unknown[]) => CommonJsFunction;
    return make(withEvalCode(dynamicImport, NAMES.import), ...scopeFunctions(loop));
  } catch (error) {
    throw placeSyntaxError(error, text, path, sources, "commonjs");
  }
}

export function evaluateModule({ code, columnBefore, rewritten }: ModuleCode, label: string, source: string, realm: Realm, sources: SourceTable): unknown {
  sources.maps?.note(label.startsWith("file:") ? urlToFile(label.replace(/[?#].*$/, "")) : label, source);
  const url = sources.add(label, source, (line, column) => columnBefore(line, line === 1 ? column - realm.prefixLength : column), rewritten);
  try {
    return realm.evaluate(code, url);
  } catch (error) {
    throw placeSyntaxError(error, source, label, sources, "module");
  }
}

export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")) as unknown;
  } catch (error) {
    const failure = error as SyntaxError;
    const { stack = "" } = failure;
    // Newer engines than Node 20's say the line as well.
    failure.message = `${path}: ${failure.message.replace(/ \(line \d+ column \d+\)$/, "")}`;
    failure.stack = `SyntaxError: ${failure.message}${stack.slice(stack.indexOf("\n    at "))}`;
    throw failure;
  }
}

/** Global code whose completion value counts (-p). The names of `require` and its kin must be globals by then. */
export function evaluateScript({ realm, sources, loop, host }: Runtime, source: string, name: string, importer: DynamicImport): unknown {
  const dynamicImport = withEvalCode(importer, NAMES.import);
  const rewritten = rewriteScript(source);
  const { code, columnBefore } = rewritten ?? { code: source, columnBefore: same };
  const url = sources.add(name, source, columnBefore, rewritten);
  try {
    if (host.ownsRealm) {
      // Global code, so that its `var`s are global; what the edits need is global then as well.
      for (const [k, value] of [dynamicImport, ...scopeFunctions(loop)].entries()) {
        Object.defineProperty(realm.global, [NAMES.import, ...SCOPE_PARAMETERS][k] as string, { value, configurable: true, writable: true, enumerable: false });
      }
      return realm.evaluate(code, url);
    }
    const run = realm.evaluate(`(function (${[NAMES.import, "require", "module", "exports", "__filename", "__dirname", ...SCOPE_PARAMETERS].join(", ")}, code) { return eval(code); })`, "") as (...args: unknown[]) => unknown;
    const global = realm.global as Record<string, unknown>;
    return run(dynamicImport, global["require"], global["module"], global["exports"], name, ".", ...scopeFunctions(loop), code + url);
  } catch (error) {
    throw error instanceof SyntaxError ? placeSyntaxError(error, source, name, sources, "script") : error;
  }
}
