// node:module.
import type { Dict, Runtime } from "../runtime.ts";
import { builtinNames, isBuiltin } from "./index.ts";

export function createModule(runtime: Runtime): Dict {
  const { Module } = runtime.loader;
  Object.assign(Module, { builtinModules: builtinNames, isBuiltin, register: () => undefined, enableCompileCache: () => ({ status: 3 }) });
  return Module;
}
