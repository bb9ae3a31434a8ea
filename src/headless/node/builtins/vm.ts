// node:vm: scripts in the process's own realm and in contexts (see vm-context.ts for what a context can and cannot be).
import { invalidArgType, nodeError, received } from "../errors.ts";
import { placeSyntaxError } from "../loader/compile.ts";
import { SCOPE_PARAMETERS, scopeFunctions } from "../loader/async-scope.ts";
import { rewriteImports } from "../loader/rewrite-imports.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { VmContext, contextOf, contextify } from "./vm-context.ts";
import { USE_MAIN_CONTEXT_DEFAULT_LOADER, scriptImport } from "./vm-imports.ts";
import type { ScriptImport } from "./vm-module.ts";
import { createVmModules } from "./vm-modules.ts";
import { checkContext, checkNewContext, checkOffsets, checkScript, optionsOf, timeoutOf } from "./vm-options.ts";
import { CHECK_NAME, limitLoops, readScript } from "./vm-rewrite.ts";

const DEFAULT_NAME = "evalmachine.<anonymous>";
/** What `import()` becomes: a name in the script's scope, or, in global code, a function that is told which script's. */
const IMPORT_NAME = "__tw_import";
const GLOBAL_IMPORT = "__tw_vm_import";
const DONT_CONTEXTIFY = Symbol("vm_context_no_contextify");

function checkObject(value: unknown, name: string): asserts value is object {
  if (typeof value !== "object" || value === null) {
    if (typeof value !== "function") throw invalidArgType(name, "object", value);
  }
}

export function createVm(runtime: Runtime): Dict {
  const { realm, sources, loop } = runtime;
  /** Of the scripts that ran as global code and have an `import()`. */
  const importers: ScriptImport[] = [];

  const define = (name: string, value: unknown): void => void Object.defineProperty(realm.global, name, { value, configurable: true, writable: true, enumerable: false });
  // For code that awaits.
  for (const [k, value] of scopeFunctions(loop).entries()) define(SCOPE_PARAMETERS[k] as string, value);

  /** The runs with a time limit that are under way. */
  const limits: { readonly endMs: number; readonly timeout: number }[] = [];
  /** Loops ask it; when the run that had a limit is over, what it has left behind may take its time. */
  const check = (): void => {
    for (const { endMs, timeout } of limits) if (performance.now() > endMs) throw nodeError(Error, "ERR_SCRIPT_EXECUTION_TIMEOUT", `Script execution timed out after ${timeout}ms`);
  };
  const within = (timeout: number | undefined, run: () => unknown): unknown => {
    if (timeout === undefined) return run();
    limits.push({ endMs: performance.now() + timeout, timeout });
    try {
      return run();
    } finally {
      limits.pop();
    }
  };

  /** Runs a script as global code; its last value comes back. */
  const runHere = (code: string, filename: string, timeout: number | undefined, importer: ScriptImport): unknown => {
    const rewritten = rewriteImports(code, `${GLOBAL_IMPORT}(${importers.length})`);
    if (rewritten) {
      importers.push(importer);
      define(GLOBAL_IMPORT, (k: number) => importers[k]);
    }
    const imported = rewritten?.columnBefore ?? same;
    const text = rewritten?.code ?? code;
    const limited = timeout === undefined ? { code: text, columnBefore: same } : limitLoops(text);
    if (timeout !== undefined) define(CHECK_NAME, check);
    const ending = sources.add(filename, code, (line, column) => imported(line, limited.columnBefore(line, column)), rewritten);
    try {
      return within(timeout, () => (realm.evaluate("(0, eval)", "") as (text: string) => unknown)(limited.code + ending));
    } catch (error) {
      throw error instanceof SyntaxError ? placeSyntaxError(error, code, filename, sources, "commonjs") : error;
    }
  };

  const runIn = (context: VmContext, code: string, filename: string, timeout: number | undefined, importer: ScriptImport): unknown => {
    const rewritten = rewriteImports(code, IMPORT_NAME);
    const imported = rewritten?.columnBefore ?? same;
    let script: ReturnType<typeof readScript>;
    try {
      script = readScript(rewritten?.code ?? code, timeout !== undefined);
    } catch (error) {
      throw placeSyntaxError(error, code, filename, sources, "commonjs");
    }
    context.declare(script);
    // Functions exist before the first statement; `eval` makes them, then they are handed over.
    const hoisted = script.functions.map((name) => `arguments[2](${JSON.stringify(name)}, ${name});`).join("") + (script.functions.length > 0 ? "arguments[3]();" : "");
    const ending = sources.add(filename, code, (line, column) => imported(line, script.columnBefore(line, line === 1 ? column - hoisted.length : column)));
    const run = realm.evaluate(`(function () { with (arguments[0]) { return eval(arguments[1]); } })`, "") as AnyFunction;
    const handOver = (name: string, value: unknown): void => context.handOver(name, value);
    const text = script.code.startsWith('"use strict"') || script.code.startsWith("'use strict'") ? `"use strict";${hoisted}${script.code.slice(12)}` : hoisted + script.code;
    const names = { ...(timeout === undefined ? {} : { [CHECK_NAME]: check }), ...(rewritten ? { [IMPORT_NAME]: importer } : {}) };
    const scope = Object.keys(names).length === 0 ? context.scope : withNames(context.scope, names);
    return within(timeout, () => (run as (this: unknown, ...args: unknown[]) => unknown).call(context.global, scope, text + ending, handOver, () => context.declareVariables(script.variables)));
  };

  const need = (object: unknown): VmContext => {
    if (!isContext(object)) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "contextifiedObject" argument must be an vm.Context. ${received(object)}`);
    return contextOf(object as object) as VmContext;
  };
  const isContext = (object: unknown): boolean => {
    checkObject(object, "object");
    return contextOf(object) !== undefined;
  };
  const createContext = (object: unknown = {}, options?: unknown): object => {
    if (object === DONT_CONTEXTIFY) return contextify({}, realm.global).global;
    checkObject(object, "object");
    if (contextOf(object)) return object;
    checkContext(options);
    contextify(object, realm.global);
    return object;
  };

  class Script {
    readonly #code: string;
    readonly #filename: string;
    readonly #importer: ScriptImport;
    sourceMapURL: string | undefined;

    constructor(code: unknown, given?: unknown) {
      const options = optionsOf(given);
      const { filename = DEFAULT_NAME, cachedData, importModuleDynamically } = options;
      checkScript(options);
      this.#code = String(code);
      this.#filename = filename as string;
      this.#importer = scriptImport(runtime, importModuleDynamically, this.#filename, () => this);
      this.sourceMapURL = /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(this.#code)?.[1];
      if (cachedData !== undefined) Object.assign(this, { cachedDataRejected: false });
      try {
        // Compiled now, so that a syntax error is thrown by the constructor.
        // oxlint-disable-next-line no-new-func -- only compiled
        void new Function(this.#code);
        if (/\breturn\b/.test(this.#code)) readScript(this.#code, false);
      } catch (error) {
        throw placeSyntaxError(error, this.#code, this.#filename, sources, "commonjs");
      }
    }

    runInThisContext(options?: unknown): unknown {
      return runHere(this.#code, this.#filename, timeoutOf(options), this.#importer);
    }

    runInContext(object: unknown, options?: unknown): unknown {
      return runIn(need(object), this.#code, this.#filename, timeoutOf(options), this.#importer);
    }

    runInNewContext(object?: unknown, options?: unknown): unknown {
      checkNewContext(options);
      return this.runInContext(createContext(object), options);
    }

    createCachedData(): unknown {
      return Buffer.from(this.#code);
    }
  }

  return {
    Script, createContext, isContext,
    createScript: (code: unknown, options?: unknown) => new Script(code, options),
    runInContext: (code: unknown, object: unknown, options?: unknown) => {
      need(object);
      return new Script(code, options).runInContext(object, optionsOf(options));
    },
    runInNewContext: (code: unknown, object?: unknown, options?: unknown) => {
      checkNewContext(options);
      const context = createContext(object);
      return new Script(code, options).runInContext(context, optionsOf(options));
    },
    runInThisContext: (code: unknown, options?: unknown) => new Script(code, options).runInThisContext(optionsOf(options)),
    compileFunction: (code: unknown, parameters: unknown = [], given: unknown = {}) => {
      if (typeof code !== "string") throw invalidArgType("code", "string", code);
      if (!Array.isArray(parameters) || !parameters.every((each) => typeof each === "string")) throw invalidArgType("params", "Array", parameters);
      const { filename = "", parsingContext, contextExtensions = [], importModuleDynamically } = optionsOf(given) as { filename?: string; parsingContext?: object; contextExtensions?: object[]; importModuleDynamically?: unknown };
      checkOffsets(optionsOf(given));
      const importer = scriptImport(runtime, importModuleDynamically, filename, () => made);
      const rewritten = rewriteImports(code, IMPORT_NAME);
      const imported = rewritten?.columnBefore ?? same;
      const head = `(function (${parameters.join(",")}) {`;
      const scopes = [...(parsingContext ? [need(parsingContext).scope] : []), ...contextExtensions, ...(rewritten ? [{ __proto__: null, [IMPORT_NAME]: importer }] : [])];
      const shift = head.length;
      const ending = sources.add(filename, code, (line, column) => imported(line, line === 1 ? column - shift : column));
      let made: unknown;
      try {
        const run = realm.evaluate(`(function () { ${scopes.map((_, k) => `with (arguments[${k + 1}])`).join(" ")} { return eval(arguments[0]); } })`, "") as AnyFunction;
        made = run(`${head}${rewritten?.code ?? code}\n})${ending}`, ...scopes);
        return made;
      } catch (error) {
        throw placeSyntaxError(error, code, filename, sources, "commonjs");
      }
    },
    ...(runtime.options.vmModules ? createVmModules(runtime) : {}),
    constants: Object.freeze({ __proto__: null, USE_MAIN_CONTEXT_DEFAULT_LOADER, DONT_CONTEXTIFY }),
  };
}

const same = (_line: number, column: number): number => column;

/** A scope with some names more, of ours. */
function withNames(scope: object, names: Dict): object {
  return new Proxy(scope, {
    has: (target, key) => Object.hasOwn(names, key) || Reflect.has(target, key),
    get: (target, key) => (Object.hasOwn(names, key) ? names[key as string] : (Reflect.get(target, key) as unknown)),
  });
}
