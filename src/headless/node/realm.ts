// Where a program's code is evaluated and which globals it sees. A Worker of its own is the process: Node's globals
// are put onto the real global object. Inside a host that goes on living (unit tests, the task maker) the program gets
// them as variables around its modules instead, and the host keeps its own.

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

/** Browser globals that Node does not have; programs look at them to find out where they run. */
const NOT_IN_NODE = [
  "self", "importScripts", "postMessage", "onmessage", "onmessageerror", "location", "navigator", "indexedDB", "caches", "XMLHttpRequest",
  "WorkerGlobalScope", "DedicatedWorkerGlobalScope", "WorkerLocation", "WorkerNavigator", "close", "name", "origin", "isSecureContext", "Worker", "requestAnimationFrame",
];

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
}

/** For a Worker that is one process. Call once, before any program code. */
export function ownRealm(globals: Readonly<Record<string, unknown>>): Realm {
  for (const name of NOT_IN_NODE) {
    if (!(name in globalThis)) continue;
    // What cannot be deleted lies on a prototype; an own undefined hides it from `typeof`.
    if (!Reflect.deleteProperty(globalThis, name) || name in globalThis) define(globalThis, name, undefined);
  }
  for (const [name, value] of Object.entries(globals)) define(globalThis, name, value);
  define(globalThis, "global", globalThis);
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
  const global: object = new Proxy(globalThis, {
    get: (target, key) => (own.has(key) ? own.get(key) : (Reflect.get(target, key) as unknown)),
    has: (target, key) => own.has(key) || Reflect.has(target, key),
    set: (target, key, value) => {
      if (own.has(key)) {
        own.set(key, value);
        return true;
      }
      if (!Reflect.has(target, key)) added.push(key);
      return Reflect.set(target, key, value);
    },
    defineProperty: (target, key, descriptor) => {
      if (own.has(key)) {
        own.set(key, descriptor.get ? (descriptor.get as () => unknown)() : descriptor.value);
        return true;
      }
      if (!Reflect.has(target, key)) added.push(key);
      return Reflect.defineProperty(target, key, { ...descriptor, configurable: true });
    },
    deleteProperty: (target, key) => (own.has(key) ? own.delete(key) : Reflect.deleteProperty(target, key)),
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
