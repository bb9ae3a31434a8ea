// Modules that a test has put something else in the place of (`mock.module`): asked before anything is loaded, by `require`
// and by `import` alike, so that what was loaded before comes back untouched when the mock is gone.
import type { Dict } from "../runtime.ts";
import { type EsmRecord, type Getter, makeRecord } from "./esm-record.ts";

export interface ModuleMock {
  /** Of the module that it stands for; `node:fs` for a builtin. */
  readonly url: string;
  readonly path: string;
  /** The original is an ES module: it then has no default export but the one given. */
  readonly isModule: boolean;
  /** One instance for all, as modules have; else each import makes its own. */
  readonly cache: boolean;
  readonly defaultExport: readonly [unknown] | undefined;
  readonly namedExports: Dict;
}

interface Kept {
  readonly mock: ModuleMock;
  exports?: readonly [unknown];
  record?: EsmRecord;
}

export class ModuleMocks {
  readonly #kept = new Map<string, Kept>();

  get size(): number {
    return this.#kept.size;
  }

  has(url: string): boolean {
    return this.#kept.has(url);
  }

  add(mock: ModuleMock): void {
    this.#kept.set(mock.url, { mock });
  }

  remove(url: string): void {
    this.#kept.delete(url);
  }

  /** What `require` gives, if the module is mocked. Throws when named exports cannot be put on the default one. */
  exportsOf(url: string): readonly [unknown] | undefined {
    const kept = this.#kept.get(url);
    if (!kept) return undefined;
    if (kept.exports) return kept.exports;
    const exports = [commonJsExports(kept.mock)] as const;
    if (kept.mock.cache) kept.exports = exports;
    return exports;
  }

  /** What `import` links to, if the module is mocked. */
  recordOf(url: string): EsmRecord | undefined {
    const kept = this.#kept.get(url);
    if (!kept) return undefined;
    if (kept.record) return kept.record;
    const { mock } = kept;
    const locals = new Map<string, Getter>(Object.keys(mock.namedExports).map((name) => [name, () => mock.namedExports[name]]));
    if (!mock.isModule) {
      const exports = (this.exportsOf(url) as readonly [unknown])[0];
      locals.set("default", () => exports);
    } else if (mock.defaultExport) {
      const [value] = mock.defaultExport;
      locals.set("default", () => value);
    }
    const record = makeRecord({ url, path: mock.path, kind: "builtin", locals, shape: undefined });
    record.status = "evaluated";
    if (mock.cache) kept.record = record;
    return record;
  }
}

function commonJsExports({ defaultExport, namedExports }: ModuleMock): unknown {
  const exports = defaultExport ? defaultExport[0] : {};
  const names = Object.keys(namedExports);
  if (names.length === 0) return exports;
  if ((typeof exports !== "object" && typeof exports !== "function") || exports === null) {
    throw new Error("Cannot create mock because named exports cannot be applied to the provided default export.");
  }
  for (const name of names) Object.defineProperty(exports, name, Object.getOwnPropertyDescriptor(namedExports, name) as PropertyDescriptor);
  return exports;
}
