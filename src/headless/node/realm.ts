// Where a program's code is evaluated and which globals it sees. A Worker of its own is the process: Node's globals
// are put onto the real global object. Inside a host that goes on living (unit tests, the task maker) the program gets
// them as variables around its modules instead, and the host keeps its own.

import facts from "./builtins/facts.json" with { type: "json" };
import { trackedProxy } from "./proxies.ts";

export interface Realm {
  /** What `globalThis` is to the program. */
  readonly global: object;
  /** Characters put before the code on its first line. */
  readonly prefixLength: number;
  /** Evaluates an expression as sloppy global code. `ending` is appended (a source URL). */
  evaluate(expression: string, ending: string): unknown;
  /** Takes back what the program left on the host's global object. */
  close(): void;
}

// oxlint-disable-next-line no-eval -- running programs is what this room does
const indirectEval = globalThis.eval;

/** What a newer engine has of the language; a program may use it. */
const LANGUAGE = ["Iterator", "Float16Array", "SuppressedError", "DisposableStack", "AsyncDisposableStack", "Temporal"];
const IN_NODE: ReadonlySet<string> = new Set([...facts.globals, ...LANGUAGE]);

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: facts.shownGlobals.includes(name) });
}

/**
 * Programs look at globals to find out where they run: what Node does not have must not be there. A Worker's own things
 * lie on the global object and on its prototypes.
 */
function hideBrowser(): void {
  for (let at: object | null = globalThis; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    // Event targets keep their methods, the global object loses them.
    if (at === EventTarget.prototype) break;
    for (const name of Object.getOwnPropertyNames(at)) {
      if (IN_NODE.has(name) || name === "constructor") continue;
      // A constant of an interface cannot be taken away (TEMPORARY, PERSISTENT), but covered.
      if (!Reflect.deleteProperty(at, name) && at !== globalThis) define(globalThis, name, undefined);
    }
  }
  for (const name of Object.getOwnPropertyNames(EventTarget.prototype)) if (name !== "constructor") define(globalThis, name, undefined);
  for (const name of HIDDEN) if (name in globalThis) define(globalThis, name, undefined);
}

/** The ones that matter most, should an engine not let go of them. */
const HIDDEN = ["self", "window", "document", "importScripts", "postMessage", "location", "navigator", "WorkerGlobalScope", "XMLHttpRequest"];

/** For a Worker that is one process. Call once, before any program code. */
export function ownRealm(globals: Readonly<Record<string, unknown>>): Realm {
  hideBrowser();
  for (const [name, value] of Object.entries(globals)) define(globalThis, name, value);
  define(globalThis, "global", globalThis);
  // In Node all lie on the global object itself.
  for (const name of facts.globals) if (name in globalThis && !Object.hasOwn(globalThis, name)) define(globalThis, name, (globalThis as unknown as Record<string, unknown>)[name]);
  // A program that deletes one does not find the browser's own behind it.
  for (let at = Object.getPrototypeOf(globalThis) as object | null; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    for (const name of [...Object.keys(globals), ...facts.globals]) if (name !== "constructor") Reflect.deleteProperty(at, name);
  }
  define(globalThis, "Proxy", trackedProxy());
  for (const name of facts.globals) {
    const known = Object.getOwnPropertyDescriptor(globalThis, name);
    const shown = facts.shownGlobals.includes(name);
    if (known?.configurable && known.enumerable !== shown) Object.defineProperty(globalThis, name, { ...known, enumerable: shown });
  }
  Object.defineProperty(globalThis, Symbol.toStringTag, { value: "global", writable: false, enumerable: false, configurable: true });
  return {
    global: globalThis,
    prefixLength: 0,
    evaluate: (expression, ending) => indirectEval(expression + ending),
    close: () => undefined,
  };
}

/** For a host's realm. New globals that a program makes are seen by everyone until `close`. */
export function sharedRealm(globals: Readonly<Record<string, unknown>>): Realm {
  const own = new Map<PropertyKey, unknown>(Object.entries(globals));
  const added: PropertyKey[] = [];
  // Stands for the global object where the engine holds the proxy to its target: what a program fixes is fixed there only.
  const fixed = Object.create(Object.getPrototypeOf(globalThis) as object) as object;
  const global: object = new Proxy(fixed, {
    get: (_, key) => (own.has(key) ? own.get(key) : (Reflect.get(globalThis, key) as unknown)),
    has: (_, key) => own.has(key) || Reflect.has(globalThis, key),
    set: (_, key, value) => {
      if (own.has(key)) {
        own.set(key, value);
        return true;
      }
      if (!Reflect.has(globalThis, key)) added.push(key);
      return Reflect.set(globalThis, key, value);
    },
    defineProperty: (_, key, descriptor) => {
      if (descriptor.configurable !== true && !Reflect.getOwnPropertyDescriptor(globalThis, key)) Reflect.defineProperty(fixed, key, descriptor);
      if (own.has(key)) {
        own.set(key, descriptor.get ? (descriptor.get as () => unknown)() : descriptor.value);
        return true;
      }
      if (!Reflect.has(globalThis, key)) added.push(key);
      return Reflect.defineProperty(globalThis, key, { ...descriptor, configurable: true });
    },
    deleteProperty: (_, key) => (Object.hasOwn(fixed, key) ? false : own.has(key) ? own.delete(key) : Reflect.deleteProperty(globalThis, key)),
    ownKeys: () => [...new Set([...Reflect.ownKeys(globalThis), ...own.keys()])] as (string | symbol)[],
    getOwnPropertyDescriptor: (_, key) => {
      const kept = Reflect.getOwnPropertyDescriptor(fixed, key);
      if (kept) return kept;
      if (own.has(key)) return { value: own.get(key), writable: true, enumerable: false, configurable: true };
      const found = Reflect.getOwnPropertyDescriptor(globalThis, key);
      return found && { ...found, configurable: true };
    },
  });
  own.set("globalThis", global);
  own.set("global", global);
  const names = [...own.keys()] as string[];
  const prefix = `(function (${names.join(", ")}) { return `;
  return {
    global,
    prefixLength: prefix.length,
    evaluate: (expression, ending) => (indirectEval(`${prefix}${expression}})${ending}`) as (...values: unknown[]) => unknown)(...names.map((name) => own.get(name))),
    close: () => {
      for (const key of added) Reflect.deleteProperty(globalThis, key);
    },
  };
}
