// One module of the graph as the loader keeps it, and the namespace object that programs see of it.
import { NativeProxy } from "../proxies.ts";
import type { Dict } from "../runtime.ts";
import type { ModuleShape } from "./esm-transform.ts";

export type Getter = () => unknown;
export type ModuleStatus = "new" | "linked" | "evaluating" | "evaluating-async" | "evaluated";

export interface EsmRecord {
  readonly url: string;
  readonly path: string;
  /** `synthetic`: what a program exports by calls. */
  readonly kind: "esm" | "cjs" | "builtin" | "json" | "synthetic";
  /** Bindings of the module itself; for foreign kinds, all there are. */
  readonly locals: Map<string, Getter>;
  readonly shape: ModuleShape | undefined;
  /** In the order of `shape.requests`. */
  dependencies: EsmRecord[];
  /** Whether modules that it imports import it in turn. */
  inCycle: boolean;
  loaded: boolean;
  /** Its dependencies are on their way, by hooks. */
  loading: Promise<void> | undefined;
  namespace: Dict | undefined;
  /** What `require` gives, when that is not the namespace itself. */
  requiredAs: Dict | undefined;
  /** CommonJS code has been given its namespace. */
  required: boolean;
  /** Of CommonJS that a hook gave: its text, what its requests became by hooks, and what it has exported so far. */
  given: string | undefined;
  readonly requires: Map<string, EsmRecord>;
  exported: Getter | undefined;
  /** Runs the module's code; returns a promise when it awaits at its top level. */
  body: (() => unknown) | undefined;
  // What the standard's algorithm keeps of each module while it runs the graph, under its names there.
  status: ModuleStatus;
  failure: { readonly error: unknown } | undefined;
  dfsIndex: number;
  dfsAncestorIndex: number;
  cycleRoot: EsmRecord | undefined;
  asyncOrder: number | undefined;
  pendingDependencies: number;
  asyncParents: EsmRecord[];
  /** Of the module at the root of a cycle or of an import. */
  capability: { readonly promise: Promise<void>; readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
}

export function makeRecord(given: Pick<EsmRecord, "url" | "path" | "kind" | "locals" | "shape">): EsmRecord {
  return {
    ...given, dependencies: [], inCycle: false, loaded: false, loading: undefined, namespace: undefined, requiredAs: undefined, required: false, given: undefined, requires: new Map(), exported: undefined, body: undefined, status: "new", failure: undefined, dfsIndex: 0, dfsAncestorIndex: 0,
    cycleRoot: undefined, asyncOrder: undefined, pendingDependencies: 0, asyncParents: [], capability: undefined,
  };
}

/** Of every namespace object made; `util.types.isModuleNamespaceObject`. */
const namespaces = new WeakSet<object>();
export const isNamespace = (value: object): boolean => namespaces.has(value);

/**
 * A module namespace object as the standard describes it, over live getters: keys in order, data properties that look
 * writable and refuse every change. The refusal is an error worded as the engine does where only modules, which are
 * strict, see the object; code that is not strict must be able to go on after one (`forScripts`).
 */
export function makeNamespace(getters: ReadonlyMap<string, Getter>, forScripts: () => boolean): Dict {
  const target = Object.create(null) as Dict;
  for (const name of [...getters.keys()].sort()) Object.defineProperty(target, name, { value: undefined, writable: true, enumerable: true, configurable: false });
  Object.defineProperty(target, Symbol.toStringTag, { value: "Module" });
  Object.preventExtensions(target);
  const has = (key: PropertyKey): key is string => typeof key === "string" && getters.has(key);
  const read = (key: string): unknown => {
    try {
      return (getters.get(key) as Getter)();
    } catch (error) {
      throw namedAs(error, key);
    }
  };
  const namespace = new NativeProxy(target, {
    get: (object, key) => (has(key) ? read(key) : (Reflect.get(object, key) as unknown)),
    getOwnPropertyDescriptor: (object, key) => (has(key) ? { value: read(key), writable: true, enumerable: true, configurable: false } : Reflect.getOwnPropertyDescriptor(object, key)),
    set: (object, key) => {
      if (forScripts()) return false;
      throw new TypeError(key in object ? `Cannot assign to read only property '${String(key)}' of object '[object Module]'` : `Cannot add property ${String(key)}, object is not extensible`);
    },
    defineProperty: (object, key, wanted) => {
      if (!has(key)) return Reflect.defineProperty(object, key, wanted);
      const refused = wanted.configurable === true || wanted.enumerable === false || wanted.writable === false || "get" in wanted || "set" in wanted || ("value" in wanted && !Object.is(wanted.value, read(key)));
      if (refused && forScripts()) return false;
      if (refused) throw new TypeError(`Cannot redefine property: ${key}`);
      return true;
    },
    deleteProperty: (object, key) => {
      if (has(key) && forScripts()) return false;
      if (has(key)) throw new TypeError(`Cannot delete property '${key}' of [object Module]`);
      return Reflect.deleteProperty(object, key);
    },
  });
  namespaces.add(namespace);
  return namespace;
}

/** The engine names the exporting module's variable when it is read too early; the reader knows it by another name. */
export function namedAs(error: unknown, name: string): unknown {
  const tooEarly = error instanceof ReferenceError && /^Cannot access '.*' before initialization$/.test(error.message);
  return tooEarly ? new ReferenceError(`Cannot access '${name}' before initialization`) : error;
}
