// node:vm: scripts in the process's own realm and in contexts (see vm-context.ts for what a context can and cannot be).
import { monotonicMs } from "../../clock.ts";
import { invalidArgType, nodeError, received } from "../errors.ts";
import { excerptOf } from "../report.ts";
import { placeSyntaxError } from "../loader/compile.ts";
import { SCOPE_PARAMETERS, scopeFunctions } from "../loader/async-scope.ts";
import { rewriteImports } from "../loader/rewrite-imports.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import type { Start } from "../stack.ts";
import { VmContext, contextOf, contextify } from "./vm-context.ts";
import { USE_MAIN_CONTEXT_DEFAULT_LOADER, scriptImport } from "./vm-imports.ts";
import type { ScriptImport } from "./vm-module.ts";
import { createVmModules } from "./vm-modules.ts";
import { cacheOf, checkContext, checkNewContext, checkOffsets, checkScript, type Generation, isCacheOf, optionsOf, type RunOptions, runOptions, startOf } from "./vm-options.ts";
import { CHECK_NAME, limitLoops, readScript } from "./vm-rewrite.ts";

const DEFAULT_NAME = "evalmachine.<anonymous>";
/** What `import()` becomes: a name in the script's scope, or, in global code, a function that is told which script's. */
const IMPORT_NAME = "__tw_import";
const GLOBAL_IMPORT = "__tw_vm_import";
const DONT_CONTEXTIFY = Symbol("vm_context_no_contextify");

interface Code {
  readonly code: string;
  readonly filename: string;
  readonly start: Start | undefined;
  readonly importer: ScriptImport;
}

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
    for (const { endMs, timeout } of limits) if (monotonicMs() > endMs) throw nodeError(Error, "ERR_SCRIPT_EXECUTION_TIMEOUT", `Script execution timed out after ${timeout}ms`);
  };
  const within = (timeout: number | undefined, run: () => unknown): unknown => {
    if (timeout === undefined) return run();
    limits.push({ endMs: monotonicMs() + timeout, timeout });
    try {
      return run();
    } finally {
      limits.pop();
    }
  };

  /** What a run throws shows, as Node has it, where that was made. */
  const showing = (displayErrors: boolean, run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      if (displayErrors) sources.decorate(error, (position) => `${excerptOf(error, position)}\n`);
      throw error;
    }
  };

  /** Runs a script as global code; its last value comes back. */
  const runHere = ({ code, filename, start, importer }: Code, { timeout, displayErrors }: RunOptions): unknown => {
    const rewritten = rewriteImports(code, `${GLOBAL_IMPORT}(${importers.length})`);
    if (rewritten) {
      importers.push(importer);
      define(GLOBAL_IMPORT, (k: number) => importers[k]);
    }
    const imported = rewritten?.columnBefore ?? same;
    const text = rewritten?.code ?? code;
    const limited = timeout === undefined ? { code: text, columnBefore: same } : limitLoops(text);
    if (timeout !== undefined) define(CHECK_NAME, check);
    const ending = sources.add(filename, code, (line, column) => imported(line, limited.columnBefore(line, column)), rewritten, start);
    return showing(displayErrors, () => within(timeout, () => (realm.evaluate("(0, eval)", "") as (text: string) => unknown)(limited.code + ending)));
  };

  const runIn = (context: VmContext, { code, filename, start, importer }: Code, { timeout, displayErrors }: RunOptions): unknown => {
    const rewritten = rewriteImports(code, IMPORT_NAME, true);
    const imported = rewritten?.columnBefore ?? same;
    let script: ReturnType<typeof readScript>;
    try {
      script = readScript(rewritten?.code ?? code, timeout !== undefined);
    } catch (error) {
      throw placeSyntaxError(error, code, filename, sources, "script");
    }
    context.declare(script);
    // Functions exist before the first statement; `eval` makes them, then they are handed over.
    const hoisted = script.functions.map((name) => `arguments[2](${JSON.stringify(name)}, ${name});`).join("") + (script.functions.length > 0 ? "arguments[3]();" : "");
    const ending = sources.add(filename, code, (line, column) => imported(line, script.columnBefore(line, line === 1 ? column - hoisted.length : column)), undefined, start);
    const run = realm.evaluate(`(function () { with (arguments[0]) { return eval(arguments[1]); } })`, "") as AnyFunction;
    const handOver = (name: string, value: unknown): void => context.handOver(name, value);
    const isStrict = script.code.startsWith('"use strict"') || script.code.startsWith("'use strict'");
    const text = isStrict ? `"use strict";${hoisted}${script.code.slice(12)}` : hoisted + script.code;
    const names = { ...(timeout === undefined ? {} : { [CHECK_NAME]: check }), ...(rewritten ? { [IMPORT_NAME]: importer } : {}) };
    const plain = isStrict ? context.strictScope : context.scope;
    const scope = Object.keys(names).length === 0 ? plain : withNames(plain, names);
    context.start();
    return showing(displayErrors, () => within(timeout, () => (run as (this: unknown, ...args: unknown[]) => unknown).call(context.global, scope, text + ending, handOver, () => context.declareVariables(script.variables))));
  };

  const need = (object: unknown): VmContext => {
    if (!isContext(object)) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "contextifiedObject" argument must be an vm.Context. ${received(object)}`);
    return contextOf(object as object) as VmContext;
  };
  const isContext = (object: unknown): boolean => {
    checkObject(object, "object");
    return contextOf(object) !== undefined;
  };
  const makeContext = (object: unknown, generation: () => Generation): object => {
    const made = (sandbox: object): VmContext => contextify(sandbox, realm.global, { ...generation(), gc: runtime.options.exposeGc });
    if (object === DONT_CONTEXTIFY) return made({}).global;
    checkObject(object, "object");
    if (!contextOf(object)) made(object);
    return object;
  };
  // Functions that may be called with `new`, too.
  function createContext(object: unknown = {}, options?: unknown): object {
    return makeContext(object, () => checkContext(options));
  }

  class Script {
    readonly #made: Code;
    sourceMapURL: string | undefined;

    constructor(code: unknown, given?: unknown) {
      const options = optionsOf(given);
      const { filename = DEFAULT_NAME, cachedData, importModuleDynamically, displayErrors } = options as { filename?: string; cachedData?: ArrayBufferView; importModuleDynamically?: unknown; displayErrors?: boolean };
      checkScript(options);
      const text = String(code);
      this.#made = { code: text, filename, start: startOf(options), importer: scriptImport(runtime, importModuleDynamically, filename, () => this) };
      this.sourceMapURL = /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(text)?.[1];
      if (cachedData !== undefined) Object.assign(this, { cachedDataRejected: !isCacheOf(text, cachedData) });
      showing(displayErrors !== false, () => placing(this.#made, () => compile(text)));
    }

    runInThisContext(options?: unknown): unknown {
      return runHere(this.#made, runOptions(options));
    }

    runInContext(object: unknown, options?: unknown): unknown {
      return runIn(need(object), this.#made, runOptions(options));
    }

    runInNewContext(object: unknown = {}, options?: unknown): unknown {
      return this.runInContext(makeContext(object, () => checkNewContext(options)), options);
    }

    createCachedData(): unknown {
      return cacheOf(this.#made.code);
    }
  }

  const placing = ({ code, filename, start }: Omit<Code, "importer">, run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      throw placeSyntaxError(error, code, filename, sources, "script", start);
    }
  };

  /** So that a syntax error is thrown by the constructor. */
  const compile = (code: string): void => {
    // oxlint-disable-next-line no-new-func -- only compiled
    void new Function(code);
    if (/\breturn\b/.test(code)) readScript(code, false);
  };

  return {
    Script, createContext, isContext,
    createScript: (code: unknown, options?: unknown) => new Script(code, options),
    runInContext: (code: unknown, object: unknown, options?: unknown) => {
      need(object);
      return new Script(code, options).runInContext(object, optionsOf(options));
    },
    runInNewContext: (code: unknown, object: unknown = {}, options?: unknown) => {
      const context = makeContext(object, () => checkNewContext(options));
      return new Script(code, options).runInContext(context, optionsOf(options));
    },
    runInThisContext: (code: unknown, options?: unknown) => new Script(code, options).runInThisContext(optionsOf(options)),
    compileFunction: (code: unknown, parameters: unknown = [], given: unknown = {}) => {
      if (typeof code !== "string") throw invalidArgType("code", "string", code);
      if (!Array.isArray(parameters) || !parameters.every((each) => typeof each === "string")) throw invalidArgType("params", "Array", parameters);
      const { filename = "", parsingContext, contextExtensions = [], importModuleDynamically } = optionsOf(given) as { filename?: string; parsingContext?: object; contextExtensions?: object[]; importModuleDynamically?: unknown };
      checkOffsets(optionsOf(given));
      const importer = scriptImport(runtime, importModuleDynamically, filename, () => made);
      const rewritten = rewriteImports(code, IMPORT_NAME, parsingContext !== undefined);
      const imported = rewritten?.columnBefore ?? same;
      const head = `(function (${parameters.join(",")}) {`;
      const scopes = [...(parsingContext ? [need(parsingContext).scope] : []), ...contextExtensions, ...(rewritten ? [{ __proto__: null, [IMPORT_NAME]: importer }] : [])];
      const shift = head.length;
      const ending = sources.add(filename, code, (line, column) => imported(line, line === 1 ? column - shift : column), undefined, startOf(given as Dict));
      let made: unknown;
      const make = (): unknown => {
        const run = realm.evaluate(`(function () { ${scopes.map((_, k) => `with (arguments[${k + 1}])`).join(" ")} { return eval(arguments[0]); } })`, "") as AnyFunction;
        made = run(`${head}${rewritten?.code ?? code}\n})${ending}`, ...scopes);
        return made;
      };
      return showing(true, () => placing({ code, filename, start: startOf(given as Dict) }, make));
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
