// node:vm: scripts in the process's own realm and in contexts (see vm-context.ts for what a context can and cannot be).
import { invalidArgType, nodeError, received } from "../errors.ts";
import { placeSyntaxError } from "../loader/compile.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { VmContext, contextOf, contextify } from "./vm-context.ts";
import { CHECK_NAME, readScript } from "./vm-rewrite.ts";

const DEFAULT_NAME = "evalmachine.<anonymous>";
const DONT_CONTEXTIFY = Symbol("vm_context_no_contextify");

function checkObject(value: unknown, name: string): asserts value is object {
  if (typeof value !== "object" || value === null) {
    if (typeof value !== "function") throw invalidArgType(name, "object", value);
  }
}

function optionsOf(value: unknown): Dict {
  if (value === undefined) return {};
  if (typeof value === "string") return { filename: value };
  if (typeof value !== "object" || value === null) throw invalidArgType("options", "object", value);
  return value as Dict;
}

export function createVm(runtime: Runtime): Dict {
  const { realm, sources } = runtime;

  /** Runs a script as global code; its last value comes back. */
  const runHere = (code: string, filename: string): unknown => {
    const ending = sources.add(filename, code, (_line, column) => column);
    try {
      return (realm.evaluate("(0, eval)", "") as (text: string) => unknown)(code + ending);
    } catch (error) {
      throw error instanceof SyntaxError ? placeSyntaxError(error, code, filename, sources, "commonjs") : error;
    }
  };

  const runIn = (context: VmContext, code: string, filename: string, timeout: number | undefined): unknown => {
    let script: ReturnType<typeof readScript>;
    try {
      script = readScript(code, timeout !== undefined);
    } catch (error) {
      throw placeSyntaxError(error, code, filename, sources, "commonjs");
    }
    context.declare(script);
    const end = timeout === undefined ? 0 : performance.now() + timeout;
    const check = (): void => {
      if (performance.now() > end) throw nodeError(Error, "ERR_SCRIPT_EXECUTION_TIMEOUT", `Script execution timed out after ${timeout}ms`);
    };
    // Functions exist before the first statement; `eval` makes them, then they are handed over.
    const hoisted = script.functions.map((name) => `arguments[2](${JSON.stringify(name)}, ${name});`).join("") + (script.functions.length > 0 ? "arguments[3]();" : "");
    const ending = sources.add(filename, code, (line, column) => script.columnBefore(line, line === 1 ? column - hoisted.length : column));
    const run = realm.evaluate(`(function () { with (arguments[0]) { return eval(arguments[1]); } })`, "") as AnyFunction;
    const handOver = (name: string, value: unknown): void => context.handOver(name, value);
    const text = script.code.startsWith('"use strict"') || script.code.startsWith("'use strict'") ? `"use strict";${hoisted}${script.code.slice(12)}` : hoisted + script.code;
    return (run as (this: unknown, ...args: unknown[]) => unknown).call(context.global, timeout === undefined ? context.scope : withCheck(context.scope, check), text + ending, handOver, () => context.declareVariables(script.variables));
  };

  const timeoutOf = (options: Dict): number | undefined => {
    const { timeout } = options;
    if (timeout === undefined) return undefined;
    if (typeof timeout !== "number") throw invalidArgType("options.timeout", "number", timeout);
    if (!Number.isInteger(timeout) || timeout < 1) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "options.timeout" is out of range. It must be >= 1 && <= 4294967295. Received ${timeout}`);
    return timeout;
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
    if (options !== undefined) optionsOf(options);
    contextify(object, realm.global);
    return object;
  };

  class Script {
    readonly #code: string;
    readonly #filename: string;
    sourceMapURL: string | undefined;

    constructor(code: unknown, given?: unknown) {
      const { filename = DEFAULT_NAME, cachedData } = optionsOf(given);
      if (typeof filename !== "string") throw invalidArgType("options.filename", "string", filename);
      this.#code = String(code);
      this.#filename = filename;
      this.sourceMapURL = /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(this.#code)?.[1];
      if (cachedData !== undefined) Object.assign(this, { cachedDataRejected: false });
      try {
        // Compiled now, so that a syntax error is thrown by the constructor.
        // oxlint-disable-next-line no-new-func -- only compiled
        void new Function(this.#code);
        if (/\breturn\b/.test(this.#code)) readScript(this.#code, false);
      } catch (error) {
        throw placeSyntaxError(error, this.#code, filename, sources, "commonjs");
      }
    }

    runInThisContext(options?: unknown): unknown {
      optionsOf(options);
      return runHere(this.#code, this.#filename);
    }

    runInContext(object: unknown, options?: unknown): unknown {
      return runIn(need(object), this.#code, this.#filename, timeoutOf(optionsOf(options)));
    }

    runInNewContext(object?: unknown, options?: unknown): unknown {
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
      const context = createContext(object);
      return new Script(code, options).runInContext(context, optionsOf(options));
    },
    runInThisContext: (code: unknown, options?: unknown) => new Script(code, options).runInThisContext(optionsOf(options)),
    compileFunction: (code: unknown, parameters: unknown = [], given: unknown = {}) => {
      if (typeof code !== "string") throw invalidArgType("code", "string", code);
      if (!Array.isArray(parameters) || !parameters.every((each) => typeof each === "string")) throw invalidArgType("params", "Array", parameters);
      const { filename = "", parsingContext, contextExtensions = [] } = optionsOf(given) as { filename?: string; parsingContext?: object; contextExtensions?: object[] };
      const head = `(function (${parameters.join(",")}) {`;
      const scopes = [...(parsingContext ? [need(parsingContext).scope] : []), ...contextExtensions];
      const shift = head.length;
      const ending = sources.add(filename, code, (line, column) => (line === 1 ? column - shift : column));
      try {
        const run = realm.evaluate(`(function () { ${scopes.map((_, k) => `with (arguments[${k + 1}])`).join(" ")} { return eval(arguments[0]); } })`, "") as AnyFunction;
        return run(`${head}${code}\n})${ending}`, ...scopes);
      } catch (error) {
        throw placeSyntaxError(error, code, filename, sources, "commonjs");
      }
    },
    constants: Object.freeze({ __proto__: null, USE_MAIN_CONTEXT_DEFAULT_LOADER: Symbol("vm_dynamic_import_main_context_default"), DONT_CONTEXTIFY }),
  };
}

/** The scope of a script with a time limit: it can also see the check. */
function withCheck(scope: object, check: () => void): object {
  return new Proxy(scope, {
    has: (target, key) => key === CHECK_NAME || Reflect.has(target, key),
    get: (target, key) => (key === CHECK_NAME ? check : (Reflect.get(target, key) as unknown)),
  });
}
