// node:vm without contexts: code runs in the process's own realm. Enough for compiling and for templates; no isolation.
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

const sandboxes = new WeakSet<object>();

export function createVm(runtime: Runtime): Dict {
  const evaluate = (code: string, filename = "evalmachine.<anonymous>"): unknown => {
    const ending = runtime.sources.add(filename, code, (line, column) => (line === 1 ? column - runtime.realm.prefixLength : column));
    // An expression for the realm; a program of statements goes through eval so that its last value comes back.
    return runtime.realm.evaluate(`(0, eval)(${JSON.stringify(code + ending)})`, "");
  };
  const nameOf = (options: unknown): string | undefined => (typeof options === "string" ? options : (options as { filename?: string } | undefined)?.filename);
  const evaluateWith = (code: string, sandbox: object): unknown => {
    const scope = new Proxy(sandbox, {
      has: (target, key) => key !== Symbol.unscopables && (Reflect.has(target, key) || !(key in globalThis)),
      get: (target, key) => (key === Symbol.unscopables ? undefined : (Reflect.get(target, key) as unknown)),
    });
    return (runtime.realm.evaluate(`(function (scope, code) { with (scope) { return eval(code); } })`, "") as AnyFunction)(scope, code);
  };
  class Script {
    readonly #code: string;
    readonly #filename: string | undefined;

    constructor(code: string, options?: unknown) {
      this.#code = String(code);
      this.#filename = nameOf(options);
      // Compiled now, so that a syntax error is thrown by the constructor.
      void runtime.realm.evaluate(`(function () { ${this.#code}\n})`, "");
    }

    runInThisContext(): unknown {
      return evaluate(this.#code, this.#filename);
    }

    runInNewContext(sandbox: object = {}): unknown {
      return evaluateWith(this.#code, sandbox);
    }

    runInContext(sandbox: object): unknown {
      return evaluateWith(this.#code, sandbox);
    }
  }
  return {
    Script,
    runInThisContext: (code: string, options?: unknown) => evaluate(String(code), nameOf(options)),
    runInNewContext: (code: string, sandbox: object = {}) => evaluateWith(String(code), sandbox),
    runInContext: (code: string, sandbox: object) => evaluateWith(String(code), sandbox),
    createContext: (sandbox: object = {}) => {
      sandboxes.add(sandbox);
      return sandbox;
    },
    isContext: (value: object) => sandboxes.has(value),
    createScript: (code: string, options?: unknown) => new Script(code, options),
    compileFunction: (code: string, parameters: readonly string[] = []) => runtime.realm.evaluate(`(function (${parameters.join(", ")}) { ${code}\n})`, ""),
  };
}
