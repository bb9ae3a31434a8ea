// Which objects are proxies: script cannot tell, so the Proxy that programs see takes note of those it makes. `inspect`
// then looks past them, as in Node, and never calls a trap.
import { Proxy as ShownProxy } from "node-inspect-extracted";

interface Noting extends ProxyConstructor {
  getProxyDetails(value: object): unknown;
}
const noting = ShownProxy as unknown as Noting;

/** The engine's own: for what is a proxy here and none in Node (a module's namespace). */
export const NativeProxy = globalThis.Proxy;

export const isTrackedProxy = (value: unknown): boolean => ((typeof value === "object" && value !== null) || typeof value === "function") && noting.getProxyDetails(value) !== undefined;

/** The kept `inspect` makes proxies with the global `Proxy`: that must be the engine's meanwhile. */
function withNative<T>(run: () => T): T {
  const before = globalThis.Proxy;
  globalThis.Proxy = NativeProxy;
  try {
    return run();
  } finally {
    globalThis.Proxy = before;
  }
}

/** What takes the place of the global `Proxy`. */
export function trackedProxy(): ProxyConstructor {
  function made(this: unknown, target: object, handler: ProxyHandler<object>): object {
    if (!new.target) throw new TypeError("Constructor Proxy requires 'new'");
    return withNative(() => new noting(target, handler));
  }
  // A bound function has no `prototype`, as the engine's Proxy has none.
  const shown = made.bind(undefined);
  Object.defineProperty(shown, "name", { value: "Proxy" });
  Object.defineProperty(shown, "revocable", { value: (target: object, handler: ProxyHandler<object>) => withNative(() => noting.revocable(target, handler)), writable: true, configurable: true });
  return shown as unknown as ProxyConstructor;
}
