// A context of node:vm: an object as the global object of scripts. A Worker has one realm, so the language's own objects
// (Object, Array, Error …) are the process's; everything else a script sees is what the object holds.
// A name that is nowhere is a ReferenceError; Node's own globals (process, setTimeout …) are undefined in it. Two things
// tell it from a real one: the language's objects are the same inside and out, and a sloppy function called without an
// owner has the process's global object as `this`.
import { gc } from "../collect-garbage.ts";
import { SCOPE_PARAMETERS } from "../loader/async-scope.ts";
import type { Dict } from "../runtime.ts";
import type { Generation } from "./vm-options.ts";

const LANGUAGE = [
  "Object", "Function", "Array", "Number", "parseFloat", "parseInt", "Infinity", "NaN", "undefined", "Boolean", "String", "Symbol", "Date", "Promise", "RegExp", "Error", "AggregateError", "EvalError", "RangeError", "ReferenceError",
  "SyntaxError", "TypeError", "URIError", "globalThis", "JSON", "Math", "Intl", "ArrayBuffer", "Uint8Array", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array", "Float32Array", "Float64Array", "Uint8ClampedArray",
  "BigUint64Array", "BigInt64Array", "DataView", "Map", "BigInt", "Set", "WeakMap", "WeakSet", "Proxy", "Reflect", "FinalizationRegistry", "WeakRef", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "unescape",
  "eval", "isFinite", "isNaN", "console", "SharedArrayBuffer", "Atomics", "WebAssembly",
] as const;
const language: ReadonlySet<PropertyKey> = new Set(LANGUAGE);
/** Found outside, as they are of no program. */
const ours: ReadonlySet<PropertyKey> = new Set(SCOPE_PARAMETERS);

interface Lexical {
  value: unknown;
  readonly constant: boolean;
  ready: boolean;
}

/** What `console` is in a context: there, and silent. */
const silent = (): Dict => {
  const nothing = (): void => undefined;
  return Object.fromEntries(["debug", "error", "info", "log", "warn", "dir", "dirxml", "table", "trace", "group", "groupCollapsed", "groupEnd", "clear", "count", "countReset", "assert", "profile", "profileEnd", "time", "timeLog", "timeEnd", "timeStamp", "context"].map((name) => [name, nothing]));
};

const refused = (Failure: new (message: string) => Error, message: string): (() => never) =>
  function () {
    throw new Failure(message);
  };

/** What stands for parts of the language in a context that may not make code (a function's `constructor` is as it was), and what flags add to it. */
function replaced({ strings, wasm, gc: exposesGc }: Generation): ReadonlyMap<PropertyKey, unknown> {
  const code = refused(EvalError, "Code generation from strings disallowed for this context");
  const { CompileError } = WebAssembly as unknown as { CompileError: new (message: string) => Error };
  const binary = (name: string): (() => never) => refused(CompileError, `WebAssembly.${name}: Wasm code generation disallowed by embedder`);
  const later = (name: string) => async (): Promise<never> => binary(name)();
  return new Map<PropertyKey, unknown>([
    ...(exposesGc === true ? [["gc", gc]] as const : []),
    ...(strings === false ? [["eval", code], ["Function", Object.assign(code, { prototype: Function.prototype })]] as const : []),
    ...(wasm === false ? [["WebAssembly", Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(WebAssembly), Module: { value: binary("Module()") }, compile: { value: later("compile()") }, instantiate: { value: later("instantiate()") } })]] as const : []),
  ]);
}

export class VmContext {
  readonly sandbox: Dict;
  /** `this` and `globalThis` in the context. */
  readonly global: object;
  /** What `with` is given. */
  readonly scope: object;
  /** The same for strict code. */
  readonly strictScope: object;
  readonly #lexical = new Map<PropertyKey, Lexical>();
  readonly #assigned = new Set<PropertyKey>();
  /** Functions of a script that is about to begin: until it hands them over, they are its own. */
  readonly #hoisting = new Set<PropertyKey>();
  readonly #console = silent();
  #starting = false;
  readonly #replaced: ReadonlyMap<PropertyKey, unknown>;
  /** Variables and functions of scripts: none of them can be deleted there. */
  readonly #declared = new Set<PropertyKey>();
  readonly #outer: object;

  constructor(sandbox: object, outer: object, generation: Generation) {
    this.sandbox = sandbox as Dict;
    this.#outer = outer;
    this.#replaced = replaced(generation);
    this.global = this.#makeGlobal();
    this.scope = this.#makeScope(false);
    this.strictScope = this.#makeScope(true);
  }

  /** Before a script runs: its names exist from the start, as hoisting has it. */
  declare(script: { variables: readonly string[]; functions: readonly string[]; lexical: ReadonlyMap<string, boolean>; assigned: readonly string[] }): void {
    for (const name of script.lexical.keys()) if (this.#lexical.has(name)) throw new SyntaxError(`Identifier '${name}' has already been declared`);
    for (const name of [...script.functions, ...script.variables]) {
      this.#declared.add(name);
      if (this.#lexical.has(name)) throw new SyntaxError(`Identifier '${name}' has already been declared`);
      if (script.functions.includes(name)) this.#hoisting.add(name);
    }
    if (script.functions.length === 0) this.declareVariables(script.variables);
    for (const [name, constant] of script.lexical) this.#lexical.set(name, { value: undefined, constant, ready: false });
    for (const name of script.assigned) this.#assigned.add(name);
  }

  /** The next `eval` is the one that runs the script. */
  start(): void {
    this.#starting = this.#replaced.has("eval");
  }

  /** After the functions, as the engine does it: the order is that of the object's keys. */
  declareVariables(names: readonly string[]): void {
    for (const name of names) if (!Reflect.has(this.sandbox, name)) Reflect.set(this.sandbox, name, undefined);
  }

  /** A function of the script, made. */
  handOver(name: string, value: unknown): void {
    this.#hoisting.delete(name);
    Reflect.set(this.sandbox, name, value);
  }

  /** What the object has; where that is the object itself, it is the global object to scripts. */
  #held(key: PropertyKey): unknown {
    const value = Reflect.get(this.sandbox, key) as unknown;
    return value === this.sandbox ? this.global : value;
  }

  #languageValue(key: PropertyKey): unknown {
    if (this.#replaced.has(key)) return this.#replaced.get(key);
    if (!language.has(key)) return undefined;
    if (key === "globalThis") return this.global;
    return key === "console" ? this.#console : (Reflect.get(globalThis, key) as unknown);
  }

  #makeGlobal(): object {
    const { sandbox } = this;
    return new Proxy(sandbox, {
      has: (target, key) => Reflect.has(target, key) || language.has(key) || this.#replaced.has(key),
      get: (target, key) => {
        if (Reflect.has(target, key)) return this.#held(key);
        return this.#languageValue(key);
      },
      set: (target, key, value) => Reflect.set(target, key, value),
      // A frozen one shows what it really has: the engine insists.
      ownKeys: (target) => (Object.isExtensible(target) ? [...new Set([...LANGUAGE, ...Reflect.ownKeys(target)])] : Reflect.ownKeys(target)),
      getOwnPropertyDescriptor: (target, key) => {
        const own = Reflect.getOwnPropertyDescriptor(target, key);
        if (own) return own;
        return language.has(key) && Object.isExtensible(target) ? { value: this.#languageValue(key), writable: true, enumerable: false, configurable: true } : undefined;
      },
    });
  }

  #makeScope(isStrict: boolean): object {
    const { sandbox } = this;
    return new Proxy(Object.create(null) as object, {
      has: (_target, key) => {
        if (key === Symbol.unscopables || this.#hoisting.has(key)) return false;
        if (key === "eval" && this.#starting) return (this.#starting = false);
        if (this.#lexical.has(key) || Reflect.has(sandbox, key) || key === "globalThis" || key === "console" || this.#replaced.has(key)) return true;
        // The language's own are found outside, and called there without a `this`.
        return !language.has(key) && !ours.has(key) && (this.#assigned.has(key) || key in globalThis || key in this.#outer);
      },
      get: (_target, key) => {
        if (key === Symbol.unscopables) return undefined;
        const lexical = this.#lexical.get(key);
        if (lexical) {
          if (!lexical.ready) throw new ReferenceError(`Cannot access '${String(key)}' before initialization`);
          return lexical.value;
        }
        if (Reflect.has(sandbox, key)) return this.#held(key);
        return this.#languageValue(key);
      },
      set: (_target, key, value) => {
        const lexical = this.#lexical.get(key);
        if (!lexical) {
          if (!Reflect.set(sandbox, key, value) && isStrict) throw new TypeError(`Cannot assign to read only property '${String(key)}' of object '[object Object]'`);
          return true;
        }
        if (lexical.ready && lexical.constant) throw new TypeError("Assignment to constant variable.");
        lexical.value = value;
        lexical.ready = true;
        return true;
      },
      deleteProperty: (_target, key) => !this.#declared.has(key) && Reflect.deleteProperty(sandbox, key),
    });
  }
}

const contexts = new WeakMap<object, VmContext>();

export const contextOf = (sandbox: object): VmContext | undefined => contexts.get(sandbox);

export function contextify(sandbox: object, outer: object, generation: Generation = {}): VmContext {
  const known = contexts.get(sandbox);
  if (known) return known;
  const made = new VmContext(sandbox, outer, generation);
  contexts.set(sandbox, made);
  contexts.set(made.global, made);
  return made;
}

