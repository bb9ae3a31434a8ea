// TypeScript to JavaScript. Types are taken off by sucrase, which does enums, parameter properties and `import x =` as
// well (libraries/types.ts); files with decorators or namespaces go to TypeScript's own compiler (libraries/typescript.ts).
// Either way traces lead back to the text as written.
import { joinPath, parentPath } from "../../posix-path.ts";
import { nodeError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Origin } from "../stack.ts";

export interface TransformContext {
  /** The nearest tsconfig.json. */
  readonly tsconfig: string | undefined;
  readonly readFile: (path: string) => string | undefined;
}

/** Throws a SyntaxError with `typescriptAt` for code that is not TypeScript. `map` is a source map's JSON. */
export type TypeScriptTransform = (source: string, path: string, context: TransformContext) => { readonly code: string; readonly map: string };

const TYPESCRIPT = /\.[cm]?ts$/;
export const isTypeScript = (path: string): boolean => TYPESCRIPT.test(path);

/** Decorators, namespaces, accessors, merged enums. Finding too much is harmless: the compiler does the other files as well. */
const BEYOND_TYPES = [
  /^\s*(?:export\s+(?:default\s+)?)?@[\w$(]/m, /[(,;}]\s*@[\w$]|\{\s+@[\w$]/, /(?<!\bdeclare\s+)\b(?:namespace|module)\s+[\w$.]+\s*\{/, /\baccessor\s+[\w$#[]/,
  /\benum\s+([\w$]+)\b[\s\S]*\benum\s+\1\b/,
];

export interface JavaScript {
  readonly code: string;
  readonly origin: Origin | undefined;
}

export function toJavaScript(source: string, path: string, runtime: Runtime): JavaScript {
  if (!isTypeScript(path)) return { code: source, origin: undefined };
  const types = runtime.host.library("types");
  if (!types) throw nodeError(SyntaxError, "ERR_UNKNOWN_FILE_EXTENSION", `${path} is TypeScript: its types are taken off by a part that a process gets when the container has TypeScript files as it starts. Run it again.`);
  const { code, map } = BEYOND_TYPES.some((pattern) => pattern.test(source)) ? compile(source, path, runtime) : types.strip(source, path);
  return { code, origin: { text: source, place: types.placeThrough(map) } };
}

function compile(source: string, path: string, { host, vfs }: Runtime): { code: string; map: string } {
  const transform = host.library("typescript");
  if (!transform) {
    throw nodeError(SyntaxError, "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", `${path} has decorators or namespaces in it: they need TypeScript's compiler, which a process gets when the project has TypeScript files as it starts. Run it again.`);
  }
  const readFile = (file: string): string | undefined => {
    const node = vfs.find(file);
    return node?.kind === "file" ? new TextDecoder().decode(node.data) : undefined;
  };
  let tsconfig: string | undefined;
  for (let folder = parentPath(path); tsconfig === undefined; folder = parentPath(folder)) {
    if (vfs.find(joinPath(folder, "tsconfig.json"))?.kind === "file") tsconfig = joinPath(folder, "tsconfig.json");
    if (folder === "/") break;
  }
  return transform(source, path, { tsconfig, readFile });
}
