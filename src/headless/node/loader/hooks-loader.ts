// The loader that hooks of the ES module loader are loaded by: another one than the program's, so that a module which both
// use has two instances, as it has in Node, where hooks live in a thread of their own.
import { urlToFile } from "../file-url.ts";
import { makeBuiltin } from "../builtins/index.ts";
import { quietPorts } from "../builtins/quiet-ports.ts";
import { NativeProxy } from "../proxies.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import type { EsmLoader } from "./esm.ts";
import type { ModuleHooks } from "./hooks.ts";
import type { Loader } from "./index.ts";

export class HooksLoader {
  readonly #runtime: Runtime;
  readonly #hooks: ModuleHooks;
  readonly #makeLoader: (runtime: Runtime) => Loader;
  #esm: EsmLoader | undefined;

  constructor(runtime: Runtime, hooks: ModuleHooks, makeLoader: (runtime: Runtime) => Loader) {
    this.#runtime = runtime;
    this.#hooks = hooks;
    this.#makeLoader = makeLoader;
  }

  /** `module.register`. Throws what the module throws, unless it awaits: then the imports that wait for it fail. */
  register(specifier: unknown, parent: unknown, options?: unknown): void {
    const { parentURL, data, transferList } = readArguments(parent, options);
    const name = specifier instanceof URL ? specifier.href : `${specifier as string}`;
    const esm = (this.#esm ??= (hooksRuntime(this.#runtime, this.#makeLoader).loader as Loader).esm);
    const given = data === undefined ? undefined : structuredClone(data, { transfer: transferList });
    markQuiet(given);
    const { namespace, finished } = esm.start(name, parentURL.startsWith("file:") ? urlToFile(parentURL) : parentURL);
    if (finished) this.#hooks.add(name, finished.then(() => namespace), given);
    else this.#hooks.add(name, namespace, given);
  }
}

function readArguments(parent: unknown, options: unknown): { parentURL: string; data: unknown; transferList: Transferable[] } {
  const isOptions = typeof parent === "object" && parent !== null && !(parent instanceof URL);
  const given = ((isOptions ? parent : options) ?? {}) as { parentURL?: unknown; data?: unknown; transferList?: unknown };
  const parentURL = String((isOptions ? given.parentURL : parent) ?? "data:");
  return { parentURL, data: given.data, transferList: Array.isArray(given.transferList) ? (given.transferList as Transferable[]) : [] };
}

/** A port of the hooks' keeps no process alive: in Node their thread does not. */
function markQuiet(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof MessagePort) quietPorts.add(value);
  else if (!ArrayBuffer.isView(value)) for (const inner of Object.values(value)) markQuiet(inner, seen);
}

/** The runtime as hooks see it: the process' own but for the loader, and a thread that is not the main one. */
function hooksRuntime(runtime: Runtime, makeLoader: (runtime: Runtime) => Loader): Runtime {
  const own = new Map<string, Dict>();
  let loader: Loader | undefined;
  const builtin = (name: string): Dict => {
    if (name !== "module" && name !== "worker_threads") return runtime.builtin(name);
    let made = own.get(name);
    if (!made) own.set(name, (made = name === "module" ? makeBuiltin(facade, name) : { ...runtime.builtin(name), isMainThread: false }));
    return made;
  };
  const facade: Runtime = new NativeProxy(runtime, {
    get: (target, key) => {
      if (key === "loader") return (loader ??= makeLoader(facade));
      if (key === "builtin") return builtin;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value as AnyFunction).bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  return facade;
}
