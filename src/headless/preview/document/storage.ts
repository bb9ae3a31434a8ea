// Storage for the time the document is shown: an opaque origin has none, and most pages expect some.
import type { Served } from "./served.ts";

export function installStorage(served: Served, cookies: string): void {
  for (const name of ["localStorage", "sessionStorage"]) {
    const storage = memoryStorage();
    Object.defineProperty(window, name, { configurable: true, enumerable: true, get: () => storage });
  }
  const jar = new Map(cookies.split("; ").filter(Boolean).map((pair) => [pair.split("=")[0] ?? "", pair]));
  Object.defineProperty(document, "cookie", {
    configurable: true,
    get: () => [...jar.values()].join("; "),
    set: (line: unknown) => {
      const text = String(line);
      const pair = (text.split(";")[0] ?? "").trim();
      const name = pair.split("=")[0] ?? "";
      if (/;\s*max-age=(?:0|-)/i.test(text) || /;\s*expires=[^;]*\b1970\b/i.test(text)) jar.delete(name);
      else jar.set(name, pair);
      served.tell({ type: "cookie", text });
    },
  });
}

function memoryStorage(): Storage {
  const items = new Map<string, string>();
  const methods = {
    getItem: (key: string) => items.get(String(key)) ?? null,
    setItem: (key: string, value: string) => void items.set(String(key), String(value)),
    removeItem: (key: string) => void items.delete(String(key)),
    clear: () => items.clear(),
    key: (index: number) => [...items.keys()][index] ?? null,
  };
  const named = (key: string | symbol): key is string => typeof key === "string" && !(key in methods) && key !== "length";
  return new Proxy(methods as unknown as Storage, {
    get: (target, key) => (key === "length" ? items.size : named(key) ? items.get(key) : (Reflect.get(target, key) as unknown)),
    set: (_target, key, value) => {
      if (named(key)) items.set(key, String(value));
      return true;
    },
    has: (target, key) => (named(key) ? items.has(key) : key in target),
    deleteProperty: (_target, key) => {
      if (named(key)) items.delete(key);
      return true;
    },
    ownKeys: () => [...items.keys()],
    getOwnPropertyDescriptor: (_target, key) => (named(key) && items.has(key) ? { value: items.get(key), enumerable: true, configurable: true, writable: true } : undefined),
  });
}
