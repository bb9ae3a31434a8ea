// node:module: the loader's `Module` class with what else the module exports.
import type { Dict, Runtime } from "../runtime.ts";
import { builtinNames } from "./index.ts";
import { SourceMap } from "./source-map.ts";

/** Status codes of `enableCompileCache`; there is no compile cache here. */
const compileCacheStatus = Object.freeze(Object.assign(Object.create(null) as object, { FAILED: 0, ENABLED: 1, ALREADY_ENABLED: 2, DISABLED: 3 }));

export function createModule(runtime: Runtime): Dict {
  const { Module } = runtime.loader;
  const more: Dict = {
    builtinModules: builtinNames,
    constants: Object.freeze(Object.assign(Object.create(null) as object, { compileCacheStatus })),
    enableCompileCache: () => ({ status: 3 }),
    getCompileCacheDir: () => undefined,
    flushCompileCache: () => undefined,
    register: (specifier: unknown, parent?: unknown, options?: unknown) => runtime.loader.register(specifier, parent, options),
    SourceMap,
  };
  Object.assign(Module, more);
  return Module;
}
