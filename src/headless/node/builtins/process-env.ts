// process.env: every value is a string, symbols are no names, and what a real environment cannot hold is not kept.
import { nodeError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { setTimeZone } from "../time-zone.ts";

const NOT_CONVERTIBLE = "Cannot convert a Symbol value to a string";
const PENDING = "Assigning any value other than a string, number, or boolean to a process.env property is deprecated. Please make sure to convert the value to a string before setting process.env with it.";

const isName = (key: string): boolean => key !== "" && !key.includes("=");

/** The environments that were made here: what clones a program's values cannot clone a proxy. */
const environments = new WeakSet<object>();

export function isEnvironment(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null && environments.has(value);
}

export function makeEnv(runtime: Runtime, initial: Readonly<Record<string, string>>): Record<string, string | undefined> {
  // A realm that others share keeps its time.
  const follow = (key: string | symbol, zone: string | undefined): void => {
    if (key === "TZ" && runtime.host.ownsRealm) setTimeZone(zone);
  };
  let warned = !runtime.options.pendingDeprecation;
  const set = (target: Record<string, string | undefined>, key: string | symbol, value: unknown): boolean => {
    if (typeof key === "symbol" || typeof value === "symbol") throw new TypeError(NOT_CONVERTIBLE);
    if (!warned && !["string", "number", "boolean"].includes(typeof value)) {
      warned = true;
      runtime.process.emitWarning(PENDING, { type: "DeprecationWarning", code: "DEP0104" });
    }
    const text = String(value);
    follow(key, text);
    return isName(key) ? Reflect.defineProperty(target, key, { value: text, writable: true, enumerable: true, configurable: true }) : true;
  };
  const env = new Proxy({ ...initial } as Record<string, string | undefined>, {
    get: (target, key, receiver) => (typeof key === "symbol" ? undefined : (Reflect.get(target, key, receiver) as unknown)),
    has: (target, key) => typeof key !== "symbol" && Reflect.has(target, key),
    set,
    deleteProperty: (target, key) => {
      follow(key, undefined);
      return Reflect.deleteProperty(target, key);
    },
    defineProperty: (target, key, { value, get, set: setter, configurable, writable, enumerable }) => {
      if (get || setter) throw nodeError(TypeError, "ERR_INVALID_OBJECT_DEFINE_PROPERTY", "'process.env' does not accept an accessor(getter/setter) descriptor");
      if (configurable && writable && enumerable) return set(target, key, value);
      throw nodeError(TypeError, "ERR_INVALID_OBJECT_DEFINE_PROPERTY", "'process.env' only accepts a configurable, writable, and enumerable data descriptor");
    },
  });
  environments.add(env);
  if (initial["TZ"] !== undefined) follow("TZ", initial["TZ"]);
  return env;
}
