// The module loader of one process: CommonJS and ES modules over one resolver.
import type { AnyFunction, Dict, LoaderApi, Runtime } from "../runtime.ts";
import { CommonJs } from "./commonjs.ts";
import { detectFormat, evaluateScript, formatByName } from "./compile.ts";
import { createEsmLoader } from "../later/modules.ts";
import type { EsmLoader } from "./esm.ts";
import { ModuleHooks } from "./hooks.ts";
import { HooksLoader } from "./hooks-loader.ts";
import { Resolver } from "./resolve.ts";

export interface Loader extends LoaderApi {
  readonly resolver: Resolver;
  readonly commonJs: CommonJs;
  readonly esm: EsmLoader;
  readonly hooks: ModuleHooks;
  /** Runs the main program; a promise when it is an ES module. */
  runMain(path: string): Promise<unknown> | undefined;
  /** Script code without a file (-e, stdin): the value of its last expression. */
  evalScript(code: string, name: string, file: string): unknown;
}

export function createLoader(runtime: Runtime): Loader {
  const hooks = new ModuleHooks();
  const hooksLoader: HooksLoader = new HooksLoader(runtime, hooks, (facade) => makeLoader(facade, hooks, hooksLoader, false));
  return makeLoader(runtime, hooks, hooksLoader, true);
}

/** `isHooked`: not so for the loader that hooks are loaded by. */
function makeLoader(runtime: Runtime, hooks: ModuleHooks, hooksLoader: HooksLoader, isHooked: boolean): Loader {
  const resolver = new Resolver(runtime.vfs, runtime.options);
  const commonJs: CommonJs = new CommonJs(runtime, resolver, esm);
  resolver.onDeprecated = (message, code) => runtime.process.emitWarning(message, { type: "DeprecationWarning", code });
  let made: EsmLoader | undefined;
  function esm(): EsmLoader {
    return (made ??= createEsmLoader(runtime, resolver, commonJs, isHooked ? hooks : undefined));
  }
  return {
    mocks: commonJs.mocks, locate: (specifier, parentFile) => esm().locate(specifier, parentFile),
    register: (specifier, parent, options) => hooksLoader.register(specifier, parent, options),
    resolver, commonJs, hooks,
    get esm() {
      return esm();
    },
    Module: commonJs.Module as unknown as AnyFunction & Dict,
    createRequire: (file) => commonJs.requireFrom(file),
    import: (specifier, parentFile, options) => esm().dynamicImport(specifier, parentFile, options),
    runMain: (path) => {
      const { loaders, preloads } = runtime.options;
      // As in Node: hooks see a CommonJS program when the command line names them or a module that may have brought them.
      if (hooks.active && (loaders.length > 0 || preloads.some(({ kind }) => kind === "import"))) return esm().importMain(path);
      const named = formatByName(path, resolver);
      // A transpiler's own handler knows better what the text will be.
      const asked = named === undefined && commonJs.Module.customHandler(path) ? "commonjs" : named;
      if ((asked ?? detectFormat(commonJs.readText(path))) === "module") {
        if (named === undefined) esm().noteTypeless(path);
        return esm().importMain(path);
      }
      commonJs.loadMain(path);
      return undefined;
    },
    evalScript: (code, name, file) => evaluateScript(runtime, code, name, (specifier, options) => esm().dynamicImport(specifier, file, options)),
  };
}
