// node:path: the kept POSIX implementation with Node's argument checks.
import pathModule from "path-browserify";
import { checkString } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

/** The checked arguments' names in error messages; "all" is every argument. */
const CHECKS: Readonly<Record<string, readonly string[] | "all">> = {
  join: "all", resolve: "all", normalize: ["path"], isAbsolute: ["path"], dirname: ["path"], extname: ["path"], parse: ["path"], basename: ["path"], relative: ["from", "to"],
};

export function createPath(runtime: Runtime): Dict {
  const base = (pathModule["default"] as Dict | undefined) ?? pathModule;
  const path: Dict = { ...base };
  for (const [name, parameters] of Object.entries(CHECKS)) {
    const original = base[name] as AnyFunction;
    const checked = (...args: unknown[]): unknown => {
      if (parameters === "all") for (const arg of args) checkString(arg, "path");
      else for (const [k, parameter] of parameters.entries()) checkString(args[k], parameter);
      return original.apply(base, args);
    };
    path[name] = Object.defineProperty(checked, "name", { value: name });
  }
  // The kept implementation asks a global process for the current folder; each of ours has its own.
  const resolve = path["resolve"] as AnyFunction;
  const relative = path["relative"] as AnyFunction;
  path["resolve"] = (...parts: unknown[]) => resolve(runtime.cwd, ...parts);
  path["relative"] = (from: unknown, to: unknown) => {
    checkString(from, "from");
    checkString(to, "to");
    return relative(resolve(runtime.cwd, from), resolve(runtime.cwd, to));
  };
  Object.assign(path, { posix: path, win32: path, toNamespacedPath: (value: unknown) => value });
  return path;
}
