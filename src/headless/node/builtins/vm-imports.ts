// `import()` in scripts of node:vm: what `importModuleDynamically` says, with Node's errors where it says nothing.
import { resolvePath } from "../../posix-path.ts";
import { invalidArgType, nodeError } from "../errors.ts";
import { urlToFile } from "../file-url.ts";
import { isNamespace } from "../loader/esm-record.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { type ScriptImport, VmModule, notModule } from "./vm-module.ts";

export const USE_MAIN_CONTEXT_DEFAULT_LOADER = Symbol("vm_dynamic_import_main_context_default");

const warned = new WeakSet<Runtime>();

/** `referrer`: what the callback is told asked. Throws for what is no callback. */
export function scriptImport(runtime: Runtime, callback: unknown, filename: string, referrer: () => unknown): ScriptImport {
  if (callback !== undefined && callback !== USE_MAIN_CONTEXT_DEFAULT_LOADER && typeof callback !== "function") throw invalidArgType("options.importModuleDynamically", "function", callback);
  const importer: ScriptImport = async (specifier, options) => {
    const name = `${specifier as string}`;
    if (callback === undefined) throw nodeError(TypeError, "ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING", "A dynamic import callback was not specified.");
    if (callback === USE_MAIN_CONTEXT_DEFAULT_LOADER) {
      if (!warned.has(runtime)) runtime.process.emitWarning("vm.USE_MAIN_CONTEXT_DEFAULT_LOADER is an experimental feature and might change at any time", "ExperimentalWarning");
      warned.add(runtime);
      const file = filename.startsWith("file:") ? urlToFile(filename) : filename.startsWith("/") ? filename : resolvePath("[vm]", runtime.cwd);
      return runtime.loader.import(name, file, options);
    }
    if (!runtime.options.vmModules) throw nodeError(TypeError, "ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG", "A dynamic import callback was invoked without --experimental-vm-modules");
    const attributes = Object.assign(Object.create(null) as Dict, (options as { with?: object } | undefined)?.with);
    const found = await (callback as AnyFunction)(name, referrer(), attributes);
    if (typeof found === "object" && found !== null && isNamespace(found)) return found;
    if (!VmModule.is(found)) throw notModule();
    if (found.status === "errored") throw found.error;
    return found.namespace;
  };
  return importer;
}
