// The names a CommonJS module seems to export, for `import { name }` from it: found in its text before it runs.
import { initSync, parse } from "cjs-module-lexer";
import { isBuiltin } from "../builtins/index.ts";
import type { Runtime } from "../runtime.ts";
import type { CommonJs } from "./commonjs.ts";

let ready = false;

/** `text`: of the module, where it is not the file's. */
export function commonJsNames(path: string, commonJs: CommonJs, runtime: Runtime, seen = new Set<string>(), text?: string): Set<string> {
  const names = new Set<string>();
  if (seen.has(path) || (text === undefined && /\.(json|node)$/.test(path))) return names;
  seen.add(path);
  if (!ready) initSync();
  ready = true;
  let found: { exports: string[]; reexports: string[] };
  try {
    found = parse(text ?? commonJs.readText(path));
  } catch (error) {
    // The lexer gives up on code that the engine will refuse as well, with a better message.
    if (error instanceof Error) return names;
    throw error;
  }
  for (const name of found.exports) names.add(name);
  for (const specifier of found.reexports) {
    let target: string;
    try {
      target = commonJs.resolveFrom(specifier, path);
    } catch (error) {
      if (error instanceof Error) continue;
      throw error;
    }
    const more = isBuiltin(target) ? Object.keys(runtime.builtin(target.replace(/^node:/, ""))) : commonJsNames(target, commonJs, runtime, seen);
    for (const name of more) names.add(name);
  }
  names.delete("default");
  return names;
}
