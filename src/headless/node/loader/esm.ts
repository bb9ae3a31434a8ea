// ES modules: loads the graph, checks that every import exists, publishes all exports, then runs the bodies in the
// standard's order. A module with `await` at its top level holds up exactly the modules that depend on it.
import { initSync as initLexer, parse as lexCommonJs } from "cjs-module-lexer";
import { isBuiltin } from "../builtins/index.ts";
import { nodeError } from "../errors.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";
import type { Dict, Runtime } from "../runtime.ts";
import type { CommonJs } from "./commonjs.ts";
import { evaluateModule, formatOf, missingAttribute, parseJson, placeSyntaxError } from "./compile.ts";
import { type TransformedModule, parseModule, transformModule } from "./esm-transform.ts";
import type { Resolver } from "./resolve.ts";

type Getter = () => unknown;
type Body = Generator<unknown, unknown, unknown> | AsyncGenerator<unknown, unknown, unknown>;

interface EsmRecord {
  readonly url: string;
  readonly path: string;
  readonly kind: "esm" | "cjs" | "builtin" | "json";
  /** Getters, read by the importing modules' code. */
  readonly namespace: Dict;
  /** The namespace as programs see it: data properties that cannot be written. */
  readonly facade: Dict;
  /** Bindings of the module itself; for foreign kinds, all there are. */
  readonly locals: Map<string, Getter>;
  readonly source: string;
  readonly transformed: TransformedModule | undefined;
  dependencies: EsmRecord[];
  linked: boolean;
  published: boolean;
  status: "new" | "running" | "waiting" | "done";
  failure: { readonly error: unknown } | undefined;
  promise: Promise<void> | undefined;
  body: Body | undefined;
}

const ambiguous = Symbol("ambiguous");

export class EsmLoader {
  readonly #runtime: Runtime;
  readonly #resolver: Resolver;
  readonly #commonJs: CommonJs;
  readonly #records = new Map<string, EsmRecord>();

  constructor(runtime: Runtime, resolver: Resolver, commonJs: CommonJs) {
    this.#runtime = runtime;
    this.#resolver = resolver;
    this.#commonJs = commonJs;
    initLexer();
  }

  /** Loads and runs a file. Resolves when its graph has run. */
  async import(path: string): Promise<Dict> {
    return this.#run(this.#record(fileToUrl(path), path, "esm"));
  }

  /** Code without a file: -e and stdin with --input-type=module. */
  async importSource(source: string, path: string): Promise<Dict> {
    return this.#run(this.#makeEsm(`${fileToUrl(path)}`, path, source));
  }

  /** `import()` in `parent`. */
  async dynamicImport(specifier: unknown, parent: string, options?: unknown): Promise<unknown> {
    const attributes = (options as { with?: { type?: string } } | undefined)?.with;
    return this.#run(this.#resolve(String(specifier), parent, attributes?.type));
  }

  /** `require` of an ES module: possible when nothing in its graph awaits. */
  requireSync(path: string): unknown {
    const record = this.#record(fileToUrl(path), path, "esm");
    this.#link(record);
    if (this.#awaits(record, new Set())) {
      throw nodeError(Error, "ERR_REQUIRE_ASYNC_MODULE", "require() cannot be used on an ESM graph with top-level await. Use import() instead. To see where the top-level await comes from, use --experimental-print-required-tla.");
    }
    void this.#evaluate(record);
    const { namespace, facade } = record;
    if ("module.exports" in namespace) return namespace["module.exports"];
    if (!("default" in namespace) || "__esModule" in namespace) return facade;
    const marked = makeNamespace();
    fill(marked.namespace, new Map<string, Getter>([["__esModule", () => true], ...Object.keys(namespace).map((name): [string, Getter] => [name, () => namespace[name]])]));
    return marked.facade;
  }

  resolveUrl(specifier: string, parent: string): string {
    if (isBuiltin(specifier)) return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
    return fileToUrl(this.#resolver.import(specifier, parent));
  }

  async #run(record: EsmRecord): Promise<Dict> {
    this.#link(record);
    await this.#evaluate(record);
    return record.facade;
  }

  #awaits(record: EsmRecord, seen: Set<EsmRecord>): boolean {
    if (seen.has(record)) return false;
    seen.add(record);
    return record.transformed?.topLevelAwait === true || record.dependencies.some((x) => this.#awaits(x, seen));
  }

  #resolve(specifier: string, parent: string, type: string | undefined): EsmRecord {
    if (isBuiltin(specifier)) return this.#builtin(specifier.replace(/^node:/, ""));
    if (specifier.startsWith("node:")) throw nodeError(Error, "ERR_UNKNOWN_BUILTIN_MODULE", `No such built-in module: ${specifier}`);
    if (specifier.startsWith("data:")) return this.#data(specifier);
    const path = this.#resolver.import(specifier, parent);
    const query = /^(?:\.{0,2}\/|file:)/.test(specifier) ? (/[?#].*$/.exec(specifier)?.[0] ?? "") : "";
    const source = (): string => this.#commonJs.readText(path);
    const format = formatOf(path, this.#resolver, source);
    if (format === "json") {
      if (type !== "json") throw missingAttribute(path);
      return this.#foreign(fileToUrl(path) + query, path, "json", ["default"]);
    }
    if (format === "module") return this.#record(fileToUrl(path) + query, path, "esm");
    return this.#record(fileToUrl(path) + query, path, "cjs");
  }

  #record(url: string, path: string, kind: "esm" | "cjs"): EsmRecord {
    const known = this.#records.get(url);
    if (known) return known;
    if (kind === "cjs") return this.#foreign(url, path, "cjs", ["default", ...this.#commonJsNames(path, new Set())]);
    return this.#makeEsm(url, path, this.#commonJs.readText(path));
  }

  #makeEsm(url: string, path: string, source: string): EsmRecord {
    let transformed: TransformedModule;
    try {
      transformed = transformModule(source, parseModule(source));
    } catch (error) {
      throw placeSyntaxError(error, source, url, this.#runtime.sources, "module");
    }
    const record: EsmRecord = {
      url, path, kind: "esm", ...makeNamespace(), locals: new Map(), source, transformed,
      dependencies: [], linked: false, published: false, status: "new", failure: undefined, promise: undefined, body: undefined,
    };
    this.#records.set(url, record);
    return record;
  }

  #foreign(url: string, path: string, kind: "cjs" | "builtin" | "json", names: readonly string[]): EsmRecord {
    const known = this.#records.get(url);
    if (known) return known;
    const values: Dict = {};
    const record: EsmRecord = {
      url, path, kind, ...makeNamespace(), locals: new Map(names.map((name) => [name, () => values[name]])), source: "", transformed: undefined,
      dependencies: [], linked: false, published: false, status: "new", failure: undefined, promise: undefined, body: undefined,
    };
    record.body = this.#foreignBody(record, values);
    this.#records.set(url, record);
    return record;
  }

  *#foreignBody(record: EsmRecord, values: Dict): Generator<unknown, void, unknown> {
    if (record.kind === "json") {
      values["default"] = parseJson(this.#commonJs.readText(record.path), record.path);
      return;
    }
    const exported = this.#commonJs.load(record.path).exports;
    for (const name of record.locals.keys()) {
      if (name !== "default" && exported != null) values[name] = (exported as Dict)[name];
    }
    values["default"] = exported;
  }

  #builtin(name: string): EsmRecord {
    const known = this.#records.get(`node:${name}`);
    if (known) return known;
    const exported = this.#runtime.builtin(name);
    const record = this.#foreign(`node:${name}`, name, "builtin", []);
    for (const key of Object.keys(exported)) record.locals.set(key, () => exported[key]);
    record.locals.set("default", () => exported);
    record.status = "done";
    return record;
  }

  #data(url: string): EsmRecord {
    const [, type = "", base64, body = ""] = /^data:([^,;]*)(?:;[^,;]*?)*?(;base64)?,(.*)$/s.exec(url) ?? [];
    const text = base64 ? new TextDecoder().decode(Uint8Array.from(atob(body), (c) => c.charCodeAt(0))) : decodeURIComponent(body);
    if (type === "text/javascript" || type === "application/javascript") return this.#records.get(url) ?? this.#makeEsm(url, "/[data]", text);
    throw nodeError(RangeError, "ERR_UNKNOWN_MODULE_FORMAT", `Unknown module format: ${type} for URL ${url}`);
  }

  #commonJsNames(path: string, seen: Set<string>): string[] {
    if (seen.has(path) || path.endsWith(".json")) return [];
    seen.add(path);
    let found: { exports: string[]; reexports: string[] };
    try {
      found = lexCommonJs(this.#commonJs.readText(path));
    } catch (error) {
      // The lexer gives up on code that the engine will refuse as well, with a better message.
      if (error instanceof Error) return [];
      throw error;
    }
    const names = new Set(found.exports.filter((name) => name !== "default"));
    for (const specifier of found.reexports) {
      const target = isBuiltin(specifier) ? undefined : this.#resolver.require(specifier, path);
      const more = isBuiltin(specifier) ? Object.keys(this.#runtime.builtin(specifier.replace(/^node:/, ""))) : target ? this.#commonJsNames(target, seen) : [];
      for (const name of more) if (name !== "default") names.add(name);
    }
    return [...names];
  }

  /** Loads everything below, checks the imports, and publishes the exports of all of it. */
  #link(root: EsmRecord): void {
    const fresh: EsmRecord[] = [];
    try {
      this.#load(root, fresh);
      for (const record of fresh) this.#check(record);
      for (const record of fresh) this.#publish(record);
      for (const record of fresh) this.#fillNamespace(record);
    } catch (error) {
      for (const record of fresh) this.#records.delete(record.url);
      throw error;
    }
  }

  #load(record: EsmRecord, fresh: EsmRecord[]): void {
    if (record.linked) return;
    record.linked = true;
    fresh.push(record);
    record.dependencies = (record.transformed?.requests ?? []).map((request) => this.#resolve(request.specifier, record.path, request.type));
    for (const dependency of record.dependencies) this.#load(dependency, fresh);
  }

  #check(record: EsmRecord): void {
    for (const [k, request] of (record.transformed?.requests ?? []).entries()) {
      const dependency = record.dependencies[k] as EsmRecord;
      for (const { name, offset } of request.names) {
        const found = this.#find(dependency, name, new Set());
        if (found !== undefined && found !== ambiguous) continue;
        throw this.#missingExport(record, request.specifier, name, offset, dependency, found === ambiguous);
      }
    }
  }

  #missingExport(record: EsmRecord, specifier: string, name: string, offset: number, dependency: EsmRecord, isAmbiguous: boolean): Error {
    const message = dependency.kind === "cjs"
      ? `Named export '${name}' not found. The requested module '${specifier}' is a CommonJS module, which may not support all module.exports as named exports.\nCommonJS modules can always be imported via the default export, for example using:\n\nimport pkg from '${specifier}';\nconst ${braces(record.source, offset)} = pkg;\n`
      : isAmbiguous ? `The requested module '${specifier}' contains conflicting star exports for name '${name}'`
      : `The requested module '${specifier}' does not provide an export named '${name}'`;
    const error = new SyntaxError(message);
    error.stack = `SyntaxError: ${message}`;
    const before = record.source.slice(0, offset).split("\n");
    this.#runtime.sources.setPosition(error, { label: record.url, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, sourceLine: record.source.split("\n")[before.length - 1] });
    return error;
  }

  /** The getter behind an export, through re-exports. */
  #find(record: EsmRecord, name: string, seen: Set<string>): Getter | undefined | typeof ambiguous {
    const key = `${record.url} ${name}`;
    if (seen.has(key)) return undefined;
    seen.add(key);
    if (!record.transformed) return record.locals.get(name);
    for (const entry of record.transformed.exports) {
      if (entry.kind === "star" || entry.name !== name) continue;
      if (entry.kind === "local") return () => (record.locals.get(name) as Getter)();
      const target = record.dependencies[entry.request] as EsmRecord;
      if (entry.imported === "*") return () => target.facade;
      return this.#find(target, entry.imported, seen);
    }
    if (name === "default") return undefined;
    let found: { getter: Getter; origin: string } | undefined;
    for (const entry of record.transformed.exports) {
      if (entry.kind !== "star") continue;
      const target = record.dependencies[entry.request] as EsmRecord;
      const getter = this.#find(target, name, seen);
      if (getter === ambiguous) return ambiguous;
      if (!getter) continue;
      const origin = this.#origin(target, name, new Set());
      if (found && found.origin !== origin) return ambiguous;
      found ??= { getter, origin };
    }
    return found?.getter;
  }

  /** Which binding an export is, to tell one thing exported twice from two things of one name. */
  #origin(record: EsmRecord, name: string, seen: Set<string>): string {
    const key = `${record.url} ${name}`;
    if (seen.has(key) || !record.transformed) return key;
    seen.add(key);
    for (const entry of record.transformed.exports) {
      if (entry.kind === "star" || entry.name !== name) continue;
      if (entry.kind === "local") return `${record.url} ${entry.local}`;
      return this.#origin(record.dependencies[entry.request] as EsmRecord, entry.imported, seen);
    }
    for (const entry of record.transformed.exports) {
      if (entry.kind !== "star") continue;
      const target = record.dependencies[entry.request] as EsmRecord;
      if (this.#names(target, new Set()).has(name)) return this.#origin(target, name, seen);
    }
    return key;
  }

  #names(record: EsmRecord, seen: Set<EsmRecord>): Set<string> {
    if (seen.has(record)) return new Set();
    seen.add(record);
    if (!record.transformed) return new Set(record.locals.keys());
    const names = new Set<string>();
    for (const entry of record.transformed.exports) {
      if (entry.kind !== "star") names.add(entry.name);
      else for (const name of this.#names(record.dependencies[entry.request] as EsmRecord, seen)) if (name !== "default") names.add(name);
    }
    return names;
  }

  #publish(record: EsmRecord): void {
    if (record.published) return;
    record.published = true;
    if (!record.transformed) return;
    const make = evaluateModule(record.transformed.code, record.url, record.source, record.transformed.columnBefore, this.#runtime.realm, this.#runtime.sources) as (...args: unknown[]) => Body;
    const publish = (getters: Record<string, Getter>): void => {
      for (const [name, getter] of Object.entries(getters)) record.locals.set(name, getter);
    };
    const importer = (specifier: unknown, options?: unknown): Promise<unknown> => this.dynamicImport(specifier, record.path, options);
    record.body = make.call(undefined, publish, importer, this.#makeMeta(record), ...record.dependencies.flatMap((x) => [x.namespace, x.facade]));
    void record.body.next();
  }

  #fillNamespace(record: EsmRecord): void {
    const getters = new Map<string, Getter>();
    for (const name of [...this.#names(record, new Set())].sort()) {
      const getter = record.locals.get(name) ?? this.#find(record, name, new Set());
      if (getter && getter !== ambiguous) getters.set(name, getter);
    }
    fill(record.namespace, getters);
  }

  #makeMeta(record: EsmRecord): Dict {
    const url = record.url;
    const path = url.startsWith("file:") ? urlToFile(url) : undefined;
    const resolve = (specifier: string): string => this.resolveUrl(specifier, record.path);
    return Object.assign(Object.create(null) as Dict, path === undefined ? {} : { dirname: path.replace(/\/[^/]*$/, "") || "/", filename: path }, { resolve, url });
  }

  /** Runs the body after its dependencies. A promise when something awaits; it rejects with the module's error. */
  #evaluate(record: EsmRecord): Promise<void> | undefined {
    if (record.failure) throw record.failure.error;
    if (record.status === "running" || record.status === "done") return undefined;
    if (record.status === "waiting") return record.promise;
    record.status = "running";
    const waits: Promise<void>[] = [];
    try {
      for (const dependency of record.dependencies) {
        const wait = this.#evaluate(dependency);
        if (wait) waits.push(wait);
      }
      if (waits.length === 0 && record.transformed?.topLevelAwait !== true) {
        void record.body?.next();
        record.status = "done";
        return undefined;
      }
    } catch (error) {
      record.status = "done";
      record.failure = { error };
      throw error;
    }
    record.status = "waiting";
    record.promise = this.#evaluateLater(record, waits);
    // Whoever imports it handles the failure; the module's own copy of the promise must not count as unhandled.
    record.promise.catch(() => undefined);
    return record.promise;
  }

  async #evaluateLater(record: EsmRecord, waits: readonly Promise<void>[]): Promise<void> {
    try {
      if (waits.length > 0) await Promise.all(waits);
      if (record.body) await drive(record.body);
      record.status = "done";
    } catch (error) {
      record.failure = { error };
      throw error;
    }
  }
}

function makeNamespace(): { namespace: Dict; facade: Dict } {
  const namespace = Object.defineProperty(Object.create(null) as Dict, Symbol.toStringTag, { value: "Module" });
  const refuse = (_: Dict, key: PropertyKey): never => {
    throw new TypeError(`Cannot assign to read only property '${String(key)}' of object '[object Module]'`);
  };
  const facade = new Proxy(namespace, {
    getOwnPropertyDescriptor: (target, key) => {
      const found = Reflect.getOwnPropertyDescriptor(target, key);
      return found?.get ? { value: (found.get as Getter)(), writable: true, enumerable: true, configurable: true } : found;
    },
    set: refuse,
  });
  return { namespace, facade };
}

/** Runs a body whose `yield`s are awaits. An async generator awaits by itself and yields nothing more. */
async function drive(body: Body): Promise<void> {
  let step = body.next();
  for (;;) {
    if (step instanceof Promise) {
      await step;
      return;
    }
    if (step.done) return;
    let value: unknown;
    let failure: { error: unknown } | undefined;
    try {
      value = await step.value;
    } catch (error) {
      failure = { error };
    }
    step = failure ? body.throw(failure.error) : (body as Generator<unknown, unknown, unknown>).next(value);
  }
}

/** The `{ … }` of an import statement, as written. */
function braces(source: string, offset: number): string {
  return source.slice(source.lastIndexOf("{", offset), source.indexOf("}", offset) + 1);
}

function refuseAssignment(): never {
  throw new TypeError("Assignment to constant variable.");
}

/** In alphabetical order, as the standard lists exports. */
function fill(namespace: Dict, getters: ReadonlyMap<string, Getter>): void {
  for (const [name, get] of [...getters].sort(([a], [b]) => (a < b ? -1 : 1))) Object.defineProperty(namespace, name, { get, set: refuseAssignment, enumerable: true, configurable: true });
  Object.preventExtensions(namespace);
}
