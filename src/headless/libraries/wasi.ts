// node:wasi: the class, its options and its start. The functions that a program imports are in wasi/.
import { offerLibrary } from "../libraries.ts";
import type { AnyFunction, Dict } from "../node/runtime.ts";
import { makeInstance } from "./wasi/instance.ts";
import type { WasiTools } from "./wasi/tools.ts";

/** Makes the class for one process. */
export type WasiLibrary = (tools: WasiTools) => AnyFunction;

const BINDINGS: Readonly<Record<string, string>> = { unstable: "wasi_unstable", preview1: "wasi_snapshot_preview1" };

// Symbols with Node's names: emnapi finds them by those.
const kBindingName = Symbol("kBindingName");
const kSetMemory = Symbol("kSetMemory");
const kStarted = Symbol("kStarted");
const kExitCode = Symbol("kExitCode");
const kInstance = Symbol("kInstance");

const wasi: WasiLibrary = (tools) => {
  const { invalidArgType, invalidArgValue, nodeError, outOfRange } = tools;

  const checkObject = (value: unknown, name: string): void => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidArgType(name, "object", value);
  };
  const checkFunction = (value: unknown, name: string): void => {
    if (typeof value !== "function") throw invalidArgType(name, "function", value);
  };
  const checkUndefined = (value: unknown, name: string): void => {
    if (value !== undefined) throw invalidArgType(name, "undefined", value);
  };
  const descriptor = (value: unknown, name: string): number => {
    if (typeof value !== "number") throw invalidArgType(name, "number", value);
    if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
    if (value < 0 || value > 2 ** 31 - 1) throw outOfRange(name, ">= 0 && <= 2147483647", value);
    return value;
  };
  const texts = (options: Dict): string[] => {
    if (options["args"] !== undefined && !Array.isArray(options["args"])) throw invalidArgType("options.args", "Array", options["args"]);
    return ((options["args"] ?? []) as unknown[]).map(String);
  };
  const pairs = (options: Dict, name: string): (readonly [string, unknown])[] => {
    if (options[name] === undefined) return [];
    checkObject(options[name], `options.${name}`);
    return Object.entries(options[name] as Dict);
  };

  return class WASI {
    [kBindingName]: string;
    [kSetMemory]: (memory: unknown) => void;
    [kStarted] = false;
    [kExitCode] = 0;
    [kInstance]: { readonly exports: Dict } | undefined = undefined;
    wasiImport: Dict;

    constructor(options: Dict = {}) {
      checkObject(options, "options");
      const { version, stdin = 0, stdout = 1, stderr = 2, returnOnExit = true } = options;
      if (typeof version !== "string") throw invalidArgType("options.version", "string", version);
      const binding = Object.hasOwn(BINDINGS, version) ? BINDINGS[version] : undefined;
      if (binding === undefined) throw invalidArgValue("options.version", version, "unsupported WASI version");
      this[kBindingName] = binding;
      const args = texts(options);
      const env = pairs(options, "env").flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${String(value)}`]));
      const preopens = pairs(options, "preopens").map(([name, value]) => [name, String(value)] as const);
      const stdio = [descriptor(stdin, "options.stdin"), descriptor(stdout, "options.stdout"), descriptor(stderr, "options.stderr")];
      const exit = (code: number): void => {
        if (!returnOnExit) tools.exit(code);
        this[kExitCode] = code;
        throw kExitCode;
      };
      const { imports, setMemory } = makeInstance(tools, { args, env, preopens, stdio, exit });
      if (typeof returnOnExit !== "boolean") throw invalidArgType("options.returnOnExit", "boolean", returnOnExit);
      this[kSetMemory] = setMemory;
      this.wasiImport = imports;
    }

    start(instance: unknown): number {
      const { _start, _initialize } = this.#begin(instance);
      checkFunction(_start, "instance.exports._start");
      checkUndefined(_initialize, "instance.exports._initialize");
      try {
        (_start as AnyFunction)();
      } catch (thrown) {
        if (thrown !== kExitCode) throw thrown;
      }
      return this[kExitCode];
    }

    initialize(instance: unknown): void {
      const { _start, _initialize } = this.#begin(instance);
      checkUndefined(_start, "instance.exports._start");
      if (_initialize === undefined) return;
      checkFunction(_initialize, "instance.exports._initialize");
      (_initialize as AnyFunction)();
    }

    #begin(instance: unknown): Dict {
      if (this[kStarted]) throw nodeError(Error, "ERR_WASI_ALREADY_STARTED", "WASI instance has already started");
      this[kStarted] = true;
      checkObject(instance, "instance");
      const { exports } = instance as { exports: Dict };
      checkObject(exports, "instance.exports");
      this[kInstance] = instance as { readonly exports: Dict };
      this[kSetMemory](exports["memory"]);
      return exports;
    }

    getImportObject(): Dict {
      return { [this[kBindingName]]: this.wasiImport };
    }
  } as unknown as AnyFunction;
};

offerLibrary<"wasi">(wasi);
