// `vm.SourceTextModule` and `vm.SyntheticModule`. Only with --experimental-vm-modules, as in Node.
import { checkFunction, checkString, invalidArgType, invalidArgValue, nodeError, received } from "../errors.ts";
import { placeSyntaxError } from "../loader/compile.ts";
import { GraphLinker } from "../loader/esm-link.ts";
import { type EsmRecord, type Getter, makeRecord } from "../loader/esm-record.ts";
import { type ModuleCode, shapeOf } from "../loader/esm-transform.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { contextOf } from "./vm-context.ts";
import { scriptImport } from "./vm-imports.ts";
import { cacheOf, isCacheOf } from "./vm-options.ts";
import { VmModule, type VmModuleState, badStatus, owners, stateOf, states } from "./vm-module.ts";

/** How many have been named in each context; those of none are the process'. */
const counts = new WeakMap<object, number>();

interface Given {
  readonly context: object | undefined;
  readonly identifier: string;
}

function readOptions(runtime: Runtime, options: unknown): Given & Dict {
  if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
  const { context, identifier } = options as { context?: unknown; identifier?: unknown };
  if (context !== undefined && (typeof context !== "object" || context === null || !contextOf(context))) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "options.context" property must be an vm.Context. ${received(context)}`);
  if (identifier !== undefined) checkString(identifier, "options.identifier");
  const counted = context ?? runtime;
  const count = counts.get(counted) ?? 0;
  if (identifier === undefined) counts.set(counted, count + 1);
  return { ...options, context, identifier: (identifier as string | undefined) ?? `vm:module(${count})` };
}

export function createVmModules(runtime: Runtime): Dict {
  const { realm, sources } = runtime;
  let warned = false;
  const warn = (): void => {
    if (!warned) runtime.process.emitWarning("VM Modules is an experimental feature and might change at any time", "ExperimentalWarning");
    warned = true;
  };
  const ownerState = (record: EsmRecord): VmModuleState => states.get(owners.get(record) as VmModule) as VmModuleState;
  const evaluate = ({ code, columnBefore, rewritten }: ModuleCode, record: EsmRecord): unknown => {
    const { context } = ownerState(record);
    const source = record.shape?.source ?? "";
    const shift = context ? 0 : realm.prefixLength;
    const ending = sources.add(record.url, source, (line, column) => columnBefore(line, line === 1 ? column - shift : column), rewritten);
    try {
      if (!context) return realm.evaluate(code, ending);
      const run = realm.evaluate("(function () { with (arguments[0]) { return eval(arguments[1]); } })", "") as AnyFunction;
      return run(contextOf(context)?.scope, code + ending);
    } catch (error) {
      throw placeSyntaxError(error, source, record.url, sources, "module");
    }
  };
  const linker = new GraphLinker(runtime, {
    importer: (record) => ownerState(record).importer,
    meta: (record) => {
      const meta = Object.create(null) as Dict;
      ownerState(record).fillMeta?.(meta);
      return meta;
    },
    evaluate,
  });
  const keep = (module: VmModule, record: EsmRecord, given: Given, more: Pick<VmModuleState, "importer" | "fillMeta">): void => {
    owners.set(record, module);
    states.set(module, { record, linker, identifier: given.identifier, context: given.context, ...more, status: "unlinked", failure: undefined, specifiers: record.shape && [...new Set(record.shape.requests.map(({ specifier }) => specifier))] });
  };

  class SourceTextModule extends VmModule {
    constructor(source: unknown, options: unknown = {}) {
      super();
      warn();
      checkString(source, "code");
      const given = readOptions(runtime, options);
      const { importModuleDynamically, initializeImportMeta, cachedData } = given as Dict;
      if (initializeImportMeta !== undefined && typeof initializeImportMeta !== "function") throw invalidArgType("options.initializeImportMeta", "function", initializeImportMeta);
      if (cachedData !== undefined && !ArrayBuffer.isView(cachedData)) throw invalidArgType("options.cachedData", ["Buffer", "TypedArray", "DataView"], cachedData);
      if (cachedData !== undefined && !isCacheOf(source, cachedData)) throw nodeError(Error, "ERR_VM_MODULE_CACHED_DATA_REJECTED", "cachedData buffer was rejected");
      const importer = scriptImport(runtime, importModuleDynamically, given.identifier, () => this);
      try {
        const shape = shapeOf(source);
        const fillMeta = initializeImportMeta && ((meta: Dict): void => void (initializeImportMeta as AnyFunction)(meta, this));
        keep(this, makeRecord({ url: given.identifier, path: given.identifier, kind: "esm", locals: new Map(), shape }), given, { importer, fillMeta });
      } catch (error) {
        throw placeSyntaxError(error, source, given.identifier, sources, "vm-module");
      }
    }

    get dependencySpecifiers(): readonly string[] {
      return stateOf(this, "SourceTextModule").specifiers ?? [];
    }

    createCachedData(): unknown {
      const { record } = stateOf(this, "SourceTextModule");
      if (record.status.startsWith("evaluat")) throw nodeError(Error, "ERR_VM_MODULE_CANNOT_CREATE_CACHED_DATA", "Cached data cannot be created for a module which has been evaluated");
      return cacheOf(record.shape?.source ?? "");
    }
  }

  class SyntheticModule extends VmModule {
    readonly #values = new Map<string, unknown>();

    constructor(exportNames: unknown, evaluateCallback: unknown, options: unknown = {}) {
      super();
      warn();
      if (!Array.isArray(exportNames) || !exportNames.every((name) => typeof name === "string")) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "exportNames" argument must be an Array of unique strings. ${received(exportNames)}`);
      for (const [k, name] of (exportNames as string[]).entries()) {
        if (exportNames.indexOf(name) !== k) throw invalidArgValue(`exportNames.${name}`, name, "is duplicated");
        this.#values.set(name, undefined);
      }
      checkFunction(evaluateCallback, "evaluateCallback");
      const given = readOptions(runtime, options);
      const locals = new Map<string, Getter>([...this.#values.keys()].map((name) => [name, () => this.#values.get(name)]));
      const record = makeRecord({ url: given.identifier, path: given.identifier, kind: "synthetic", locals, shape: undefined });
      record.body = () => void Reflect.apply(evaluateCallback as AnyFunction, this, []);
      keep(this, record, given, { importer: scriptImport(runtime, undefined, given.identifier, () => this), fillMeta: undefined });
    }

    setExport(name: unknown, value: unknown): void {
      if (typeof this !== "object" || this === null || !(#values in this)) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "this" argument must be an instance of SyntheticModule. ${received(this)}`);
      checkString(name, "name");
      if (this.status === "unlinked" || this.status === "linking") throw badStatus("must be linked");
      if (!this.#values.has(name)) throw new ReferenceError(`Export '${name}' is not defined in module`);
      this.#values.set(name, value);
    }
  }

  return { Module: VmModule, SourceTextModule, SyntheticModule };
}
