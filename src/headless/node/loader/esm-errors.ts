// What the ES module loader says of programs that are not right: Node's sentences, with the way out.
import { nodeError } from "../errors.ts";
import { excerptOf } from "../report.ts";
import type { SourceTable } from "../stack.ts";
import type { EsmRecord } from "./esm-record.ts";
import type { Resolver } from "./resolve.ts";

const COMMONJS_GLOBALS = new Set(["exports", "module", "require", "__filename", "__dirname"]);

/** A module that is written as CommonJS: say why it does not run. */
export function explainCommonJs(error: unknown, record: EsmRecord, resolver: Resolver): void {
  const name = error instanceof ReferenceError ? /^([\w$]+) is not defined$/.exec(error.message)?.[1] : undefined;
  if (!(error instanceof Error) || name === undefined || !COMMONJS_GLOBALS.has(name)) return;
  let more = " in ES module scope";
  if (name === "require") more += ", you can use import instead";
  const manifest = record.path.endsWith(".js") ? resolver.packageOf(record.path) : undefined;
  if (manifest?.data["type"] === "module") {
    more += `\nThis file is being treated as an ES module because it has a '.js' file extension and '${manifest.path}' contains "type": "module". To treat it as a CommonJS script, rename it to use the '.cjs' file extension.`;
  }
  const before = error.message;
  const { stack } = error;
  error.message = before + more;
  Object.defineProperty(error, "stack", { value: stack?.replace(before, () => before + more), writable: true, configurable: true, enumerable: false });
}

/** `request` of the record asks a module for a name that it does not have, or has twice. */
export function missingExport(record: EsmRecord, request: { specifier: string; name: string; offset: number }, dependency: EsmRecord, isAmbiguous: boolean, sources: SourceTable): Error {
  const { specifier, name, offset } = request;
  const source = record.shape?.source ?? "";
  const message = dependency.kind === "cjs"
    ? `Named export '${name}' not found. The requested module '${specifier}' is a CommonJS module, which may not support all module.exports as named exports.\nCommonJS modules can always be imported via the default export, for example using:\n\nimport pkg from '${specifier}';\n${destructuring(source, offset)}`
    : isAmbiguous ? `The requested module '${specifier}' contains conflicting star exports for name '${name}'`
    : `The requested module '${specifier}' does not provide an export named '${name}'`;
  const error = new SyntaxError(message);
  error.stack = `SyntaxError: ${message}\n    at ModuleJob._instantiate (node:internal/modules/esm/module_job:213:21)\n    at async ModuleJob.run (node:internal/modules/esm/module_job:320:5)`;
  const before = source.slice(0, offset).split("\n");
  sources.setPosition(error, { label: record.url, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, sourceLine: source.split("\n")[before.length - 1] });
  sources.decorate(error, (position) => excerptOf(error, position));
  return error;
}

/** What is relative to a module that is no file, and to whose URL nothing can be relative. */
export function unsupportedRequest(specifier: string, base: string): Error {
  const cause = nodeError(TypeError, "ERR_INVALID_URL", "Invalid URL", { input: specifier, base });
  return nodeError(TypeError, "ERR_UNSUPPORTED_RESOLVE_REQUEST", `Failed to resolve module specifier "${specifier}" from "${base}": Invalid relative URL or base scheme is not hierarchical.`, { cause });
}

/** `require` of an ES module that is in the middle of its run, or imports a module that is. */
export function cycleRefused({ kind, path }: EsmRecord, imported: string | undefined, from: string | undefined): Error {
  const trace = from === undefined ? "" : ` (from ${from})`;
  if (imported !== undefined) return nodeError(Error, "ERR_REQUIRE_CYCLE_MODULE", `Cannot import ${kind === "cjs" ? "CommonJS " : ""}Module ${imported} in a cycle.${trace}`);
  return nodeError(Error, "ERR_REQUIRE_CYCLE_MODULE", `Cannot require() ES Module ${path} in a cycle.${trace} A cycle involving require(esm) is not allowed to maintain invariants mandated by the ECMAScript specification. Try making at least part of the dependency in the graph lazily loaded.`);
}

/** `require` of an ES module where it may not load any; `isWritten`: it is one by its syntax too. */
export function requireRefused(path: string, from: string | undefined, resolver: Resolver, isWritten: boolean): Error {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const manifest = path.endsWith(".js") ? resolver.packageOf(path) : undefined;
  const first = `require() of ES Module ${path}${from === undefined ? "" : ` from ${from}`} not supported.`;
  const instead = manifest === undefined || isWritten
    ? `Instead change the require of ${manifest ? `${name} in ${from ?? null}` : path} to a dynamic import() which is available in all CommonJS modules.`
    : `${name} is treated as an ES module file as it is a .js file whose nearest parent package.json contains "type": "module" which declares all .js files in that package scope as ES modules.\nInstead either rename ${name} to end in .cjs, change the requiring code to use dynamic import() which is available in all CommonJS modules, or change "type": "module" to "type": "commonjs" in ${manifest.path} to treat all .js files as CommonJS (using .mjs for all ES modules instead).\n`;
  return nodeError(Error, "ERR_REQUIRE_ESM", `${first}\n${instead}`);
}

/** How to write an import's `{ … }` for a CommonJS module, as far as the line with the name shows it. */
function destructuring(source: string, offset: number): string {
  const line = source.slice(source.lastIndexOf("\n", offset - 1) + 1).split("\n")[0] ?? "";
  const braces = /{.*}/.exec(line)?.[0];
  return braces === undefined ? "" : `const ${braces.replace(/\s+as\s+/g, ": ")} = pkg;\n`;
}
