// ES modules: finds and loads the graph, has it connected (esm-link.ts) and run.
// (Over 300 lines: one table of records, and the ways a module comes into it.)
import { isBuiltin } from "../builtins/index.ts";
import { nodeError } from "../errors.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { AttributeChecks } from "./attributes.ts";
import { commonJsNames } from "./cjs-names.ts";
import type { CommonJs } from "./commonjs.ts";
import { detectFormat, evaluateModule, formatByName, parseJson, placeSyntaxError } from "./compile.ts";
import { readDataUrl } from "./data-url.ts";
import { cycleRefused, explainCommonJs, unsupportedRequest } from "./esm-errors.ts";
import { evaluateGraph } from "./esm-evaluate.ts";
import { exportGetters, exportedNames } from "./esm-exports.ts";
import { HookedGraph, pathOf } from "./esm-hooked.ts";
import { GraphLinker } from "./esm-link.ts";
import { type EsmRecord, type Getter, makeNamespace, makeRecord } from "./esm-record.ts";
import { type ModuleShape, shapeOf } from "./esm-transform.ts";
import type { Attributes as Given, ModuleHooks } from "./hooks.ts";
import type { Resolver } from "./resolve.ts";

type Attributes = Given | undefined;

/** `hooks`: undefined for the loader that the hooks themselves come through. */
export function createEsmLoader(runtime: Runtime, resolver: Resolver, commonJs: CommonJs, hooks: ModuleHooks | undefined): EsmLoader {
  return new EsmLoader(runtime, resolver, commonJs, hooks);
}

export class EsmLoader {
  readonly #runtime: Runtime;
  readonly #resolver: Resolver;
  readonly #commonJs: CommonJs;
  readonly #records = new Map<string, EsmRecord>();
  readonly #located = new Map<string, { url: string; path: string }>();
  /** Of modules that are none: an import fails the same way each time. */
  readonly #failures = new Map<string, unknown>();
  readonly #attributes = new AttributeChecks();
  readonly #builtinSyncs: (() => void)[] = [];
  readonly #hooked: HookedGraph | undefined;
  #main: string | undefined;
  /** Manifests that have been told of. */
  readonly #typeless = new Set<string>();
  readonly #linker: GraphLinker;

  constructor(runtime: Runtime, resolver: Resolver, commonJs: CommonJs, hooks: ModuleHooks | undefined) {
    this.#runtime = runtime;
    this.#resolver = resolver;
    this.#commonJs = commonJs;
    this.#linker = new GraphLinker(runtime, {
      importer: (record) => (specifier, options) => this.dynamicImport(specifier, record.path, options, record.url),
      meta: (record) => this.#makeMeta(record),
      evaluate: (code, record) => evaluateModule(code, record.url, record.shape?.source ?? "", runtime.realm, runtime.sources),
    });
    this.#hooked = hooks && new HookedGraph(hooks, {
      cwd: () => runtime.cwd, conditions: resolver.importConditions,
      known: (url) => this.#records.get(url),
      make: (url, format, text) => this.#make(url, format, text),
      locate: (specifier, parent, conditions) => this.#locate(specifier, parent, conditions),
      formatByName: (path) => formatByName(path, resolver), formatOf: (path) => this.#formatOf(path),
      readText: (path) => commonJs.readText(path), readFile: (path) => runtime.vfs.readFile(path),
      locateRequired: (specifier, path) => commonJs.resolveFrom(specifier, path),
    });
  }

  /** Loads and runs the main program. Resolves when its graph has run. */
  async importMain(path: string): Promise<void> {
    // As Node does: the program runs in a microtask, so that its promise reactions come before its next-ticks.
    await undefined;
    if (this.#runtime.options.inputType !== undefined) throw nodeError(Error, "ERR_INPUT_TYPE_NOT_ALLOWED", "--input-type can only be used with string input via --eval, --print, or STDIN");
    this.#checkExtension(path);
    const url = fileToUrl(path);
    this.#main = path;
    await this.#run(this.#hooks ? await this.#hooks.find(url, undefined, undefined) : this.#record(url, path));
  }

  /** The way of loading while there are hooks. */
  get #hooks(): HookedGraph | undefined {
    return this.#hooked?.hooks.active === true ? this.#hooked : undefined;
  }

  /** Starts a module at once; `finished` when it awaits at its top level. */
  start(specifier: string, parent: string): { namespace: Dict; finished: Promise<void> | undefined } {
    const record = this.#resolve(specifier, parent, undefined);
    this.#link(record);
    const finished = evaluateGraph(record);
    if (record.failure) throw record.failure.error;
    return { namespace: this.#linker.namespace(record), finished: record.status === "evaluated" ? undefined : finished };
  }

  /** Code without a file, under a name in the current folder: -e and stdin with --input-type=module. */
  async importSource(source: string, name: string): Promise<void> {
    await undefined;
    const folder = this.#runtime.cwd.replace(/\/?$/, "/");
    await this.#run(this.#makeEsm(new URL(name, fileToUrl(folder)).href, folder + name, source));
  }

  /** `import()` in `parent`. The module runs later, never during the call. */
  async dynamicImport(specifier: unknown, parent: string, options?: unknown, parentUrl?: string): Promise<unknown> {
    const { loop } = this.#runtime;
    const { scope } = loop;
    const name = `${specifier as string}`;
    const attributes = optionsAttributes(options);
    if (this.#hooks || !this.#hasRun(name, parent)) await new Promise<void>((resolve) => loop.post(resolve));
    const record = this.#hooks ? await this.#hooks.find(name, parentUrl ?? (parent.startsWith("/") ? fileToUrl(parent) : parent), attributes) : this.#resolve(name, parent, attributes);
    await loop.within(scope, () => this.#run(record));
    return this.#linker.namespace(record);
  }

  /** `require` of an ES module: possible when nothing in its graph awaits. */
  requireSync(path: string, from: string | undefined): unknown {
    const record = this.#record(fileToUrl(path), path);
    this.#link(record);
    this.#checkRequired(record, from, new Set());
    void evaluateGraph(record);
    if (record.failure) {
      explainCommonJs(record.failure.error, record, this.#resolver);
      throw record.failure.error;
    }
    record.required = true;
    const names = exportedNames(record);
    const namespace = this.#linker.namespace(record);
    if (names.has("module.exports")) return namespace["module.exports"];
    if (!names.has("default") || names.has("__esModule")) return namespace;
    return (record.requiredAs ??= makeNamespace(new Map([...exportGetters(record, (x) => this.#linker.namespace(x)), ["__esModule", () => true]]), () => true));
  }

  /** What `import.meta.resolve` says; files need not exist. */
  resolveUrl(specifier: string, parent: string): string {
    if (specifier.startsWith("node:")) return specifier;
    if (isBuiltin(specifier)) return `node:${specifier}`;
    if (specifier.startsWith("data:")) return specifier;
    if (!/^(?:file|node):/.test(specifier) && URL.canParse(specifier)) return new URL(specifier).href;
    try {
      return this.#locate(specifier, parent).url;
    } catch (error) {
      if (!Object.hasOwn(error as object, "url")) throw error;
      return (error as { url: string }).url;
    }
  }

  /** `module.syncBuiltinESMExports`: what programs changed on a builtin shows in its named imports from now on. */
  syncBuiltins(): void {
    for (const sync of this.#builtinSyncs) sync();
  }

  async #run(record: EsmRecord): Promise<void> {
    if (this.#hooks) await this.#linkHooked(this.#hooks, record);
    else this.#link(record);
    try {
      await evaluateGraph(record);
    } catch (error) {
      explainCommonJs(error, record, this.#resolver);
      throw error;
    }
  }

  #checkRequired(record: EsmRecord, from: string | undefined, seen: Set<EsmRecord>): void {
    const visit = (module: EsmRecord, importer: EsmRecord | undefined, specifier: string): void => {
      if (seen.has(module)) return;
      seen.add(module);
      const isRunning = module.kind === "esm" ? module.status === "evaluating" : module.kind === "cjs" && this.#commonJs.Module._cache[module.path]?.loaded === false;
      if (isRunning) throw cycleRefused(module, importer && specifier, importer?.path ?? from);
      if (module.shape?.topLevelAwait === true) {
        const places = from === undefined ? "" : `\n  From ${from} \n  Requiring ${record.path} `;
        throw nodeError(Error, "ERR_REQUIRE_ASYNC_MODULE", `require() cannot be used on an ESM graph with top-level await. Use import() instead. To see where the top-level await comes from, use --experimental-print-required-tla.${places}`);
      }
      for (const [k, dependency] of module.dependencies.entries()) visit(dependency, module, module.shape?.requests[k]?.specifier ?? "");
    };
    visit(record, undefined, "");
  }

  /** Whether an import has nothing left to load or run. Throws for a specifier that leads nowhere. */
  #hasRun(specifier: string, parent: string): boolean {
    if (isBuiltin(specifier) || this.#commonJs.mocks.size > 0) return true;
    if (specifier.startsWith("node:")) return false;
    const before = this.#located.get(`${parent}\0${specifier}`);
    const url = specifier.startsWith("data:") ? specifier : before && this.#records.has(before.url) ? before.url : this.#locate(specifier, parent).url;
    return this.#records.get(url)?.status === "evaluated";
  }

  /** Whether an ES module of this file is in the middle of its run. */
  isRunning(path: string): boolean {
    const record = this.#records.get(fileToUrl(path));
    return record?.kind === "esm" && record.status === "evaluating";
  }

  #locate(specifier: string, parent: string, conditions?: readonly string[]): { url: string; path: string } {
    if (!parent.startsWith("/") && !specifier.startsWith("file:")) throw unsupportedRequest(specifier, parent);
    const path = this.#resolver.import(specifier, parent, conditions);
    if (isBuiltin(path)) return { url: path, path };
    const query = /^(?:\.{0,2}\/|file:)/.test(specifier) ? (/[?#].*$/.exec(specifier)?.[0] ?? "") : "";
    return { url: fileToUrl(path) + query, path };
  }

  /** Where a mock of it takes its place. */
  locate(specifier: string, parent: string): { url: string; path: string; isModule: boolean } {
    const { url, path } = isBuiltin(specifier) ? { url: specifier, path: specifier } : this.#locate(specifier, parent);
    if (isBuiltin(path)) return { url: `node:${path.replace(/^node:/, "")}`, path, isModule: false };
    return { url, path, isModule: this.#formatOf(path) === "module" };
  }

  #resolve(specifier: string, parent: string, attributes: Attributes): EsmRecord {
    const { mocks } = this.#commonJs;
    if (mocks.size > 0 && !specifier.startsWith("data:")) {
      const mocked = mocks.recordOf(this.locate(specifier, parent).url);
      if (mocked) return mocked;
    }
    if (isBuiltin(specifier)) {
      this.#attributes.check(`node:${specifier.replace(/^node:/, "")}`, "builtin", attributes);
      return this.#builtin(specifier.replace(/^node:/, ""));
    }
    if (specifier.startsWith("node:")) throw nodeError(Error, "ERR_UNKNOWN_BUILTIN_MODULE", `No such built-in module: ${specifier}`);
    if (specifier.startsWith("data:")) return this.#data(specifier, attributes);
    // An import that was made before leads where it led, whatever became of the files.
    const wanted = `${parent}\0${specifier}`;
    const before = this.#located.get(wanted);
    const { url, path } = before && this.#records.has(before.url) ? before : this.#locate(specifier, parent);
    this.#located.set(wanted, { url, path });
    if (isBuiltin(path)) return this.#builtin(path.replace(/^node:/, ""));
    const known = this.#records.get(url);
    const format = known ? ({ esm: "module", cjs: "commonjs", json: "json", builtin: "builtin", synthetic: "synthetic" } as const)[known.kind] : this.#formatOf(path);
    this.#attributes.check(url, format, attributes);
    if (known) return known;
    if (format === "json") return this.#json(url, url === fileToUrl(path) ? path : "", this.#commonJs.readText(path));
    return format === "module" ? this.#record(url, path) : this.#commonJsRecord(url, path);
  }

  #formatOf(path: string): "module" | "commonjs" | "json" {
    this.#checkExtension(path);
    const named = formatByName(path, this.#resolver);
    const format = named ?? detectFormat(this.#commonJs.readText(path));
    if (named === undefined && format === "module") this.noteTypeless(path);
    return format;
  }

  /** A module only its text says to be one: the package should. */
  noteTypeless(path: string): void {
    const manifest = this.#resolver.packageOf(path)?.path;
    if (manifest === undefined || this.#typeless.has(manifest)) return;
    this.#typeless.add(manifest);
    const text = `Module type of ${fileToUrl(path)} is not specified and it doesn't parse as CommonJS.\nReparsing as ES module because module syntax was detected. This incurs a performance overhead.\nTo eliminate this warning, add "type": "module" to ${manifest}.`;
    this.#runtime.process.emitWarning(text, { code: "MODULE_TYPELESS_PACKAGE_JSON" });
  }

  #checkExtension(path: string): void {
    const extension = /\.[^./]*$/.exec(path)?.[0] ?? "";
    if (!/^(\.[cm]?[jt]s|\.json|)$/.test(extension)) throw nodeError(TypeError, "ERR_UNKNOWN_FILE_EXTENSION", `Unknown file extension "${extension}" for ${path}`);
  }

  #record(url: string, path: string): EsmRecord {
    if (this.#failures.has(url)) throw this.#failures.get(url);
    return this.#records.get(url) ?? this.#makeEsm(url, path, this.#commonJs.readText(path));
  }

  #makeEsm(url: string, path: string, source: string): EsmRecord {
    let shape: ModuleShape;
    try {
      shape = shapeOf(source);
    } catch (error) {
      const failure = placeSyntaxError(error, source, url, this.#runtime.sources, "module");
      this.#failures.set(url, failure);
      throw failure;
    }
    return this.#keep(makeRecord({ url, path, kind: "esm", locals: new Map(), shape }));
  }

  #keep(record: EsmRecord): EsmRecord {
    this.#records.set(record.url, record);
    return record;
  }

  #commonJsRecord(url: string, path: string): EsmRecord {
    return this.#foreign(url, path, commonJsNames(path, this.#commonJs, this.#runtime), () => this.#commonJs.loadForImport(path, path === this.#main));
  }

  /** CommonJS that a hook gave the text of. */
  #commonJsText(url: string, path: string, text: string): EsmRecord {
    const module = this.#commonJs.moduleFor(path);
    const record = this.#foreign(url, path, commonJsNames(path, this.#commonJs, this.#runtime, new Set(), text), () => this.#commonJs.loadText(module, text, path === this.#main));
    record.given = text;
    record.exported = () => module.exports;
    const plain = (specifier: unknown): unknown => Object.getPrototypeOf(module).require.call(module, specifier) as unknown;
    module.require = (specifier) => {
      const found = record.requires.get(specifier as string);
      return found ? this.#requireFound(found) : plain(specifier);
    };
    return record;
  }

  /** `module.exports` of what hooks made of a request; as far as it is, in a cycle. */
  #requireFound(record: EsmRecord): unknown {
    void evaluateGraph(record);
    if (record.failure) throw record.failure.error;
    if (record.status !== "evaluated") return (record.exported ?? (() => this.#commonJs.Module._cache[record.path]?.exports))();
    return (record.locals.get("default") as Getter)();
  }

  #foreign(url: string, path: string, found: ReadonlySet<string>, load: () => unknown): EsmRecord {
    const values: Dict = {};
    const names = new Set(["default", ...found]);
    const record = makeRecord({ url, path, kind: "cjs", locals: new Map([...names].map((name) => [name, () => values[name]])), shape: undefined });
    record.body = () => {
      const exported = load();
      for (const name of names) if (name !== "default" && exported != null && Object.hasOwn(exported, name)) values[name] = readQuietly(exported as Dict, name);
      values["default"] = exported;
    };
    return this.#keep(record);
  }

  #json(url: string, path: string, text: string): EsmRecord {
    const { _cache } = this.#commonJs.Module;
    let cached = path === "" ? undefined : _cache[path];
    if (!cached?.loaded) {
      cached = { exports: parseJson(text, path === "" ? url : path), loaded: true } as unknown as typeof cached;
      if (path !== "") _cache[path] = cached as NonNullable<typeof cached>;
    }
    const value = cached?.exports;
    return this.#keep(makeRecord({ url, path, kind: "json", locals: new Map([["default", () => value]]), shape: undefined }));
  }

  #builtin(name: string): EsmRecord {
    const known = this.#records.get(`node:${name}`);
    if (known) return known;
    const exported = this.#runtime.builtin(name);
    const values: Dict = {};
    const names = Object.keys(exported).filter((key) => key !== "default");
    const sync = (): void => {
      for (const key of names) values[key] = readQuietly(exported, key);
    };
    sync();
    this.#builtinSyncs.push(sync);
    const locals = new Map<string, Getter>(names.map((key) => [key, () => values[key]]));
    locals.set("default", () => exported);
    const record = makeRecord({ url: `node:${name}`, path: name, kind: "builtin", locals, shape: undefined });
    record.status = "evaluated";
    return this.#keep(record);
  }

  #data(url: string, attributes: Attributes): EsmRecord {
    const { format, text } = readDataUrl(url, attributes);
    this.#attributes.check(url, format, attributes);
    const known = this.#records.get(url);
    if (known) return known;
    return format === "json" ? this.#json(url, "", text) : this.#makeEsm(url, url, text);
  }

  /** What a hook gave, or found; without a text, the module is what its name says. */
  #make(url: string, format: string, text: string | undefined): EsmRecord {
    if (format === "builtin") return this.#builtin(url.replace(/^node:/, ""));
    const path = pathOf(url);
    if (format === "commonjs") return text === undefined ? this.#commonJsRecord(url, path) : this.#commonJsText(url, path, text);
    if (format === "json") return this.#json(url, "", text ?? "");
    if (format === "module") return this.#makeEsm(url, path, text ?? "");
    throw nodeError(RangeError, "ERR_UNKNOWN_MODULE_FORMAT", `Unknown module format: ${format} for URL ${url}`);
  }

  /** Loads everything below, checks the imports, and publishes the exports of all of it. */
  #link(root: EsmRecord): void {
    const fresh: EsmRecord[] = [];
    try {
      this.#load(root, fresh);
      this.#linker.connect(fresh);
    } catch (error) {
      for (const record of fresh) this.#records.delete(record.url);
      throw error;
    }
  }

  async #linkHooked(hooked: HookedGraph, root: EsmRecord): Promise<void> {
    const graph = new Set<EsmRecord>();
    try {
      await hooked.gather(root, graph);
      this.#linker.connect([...graph].filter(({ status }) => status === "new"));
    } catch (error) {
      for (const record of graph) if (record.status === "new") this.#records.delete(record.url);
      throw error;
    }
  }

  #load(record: EsmRecord, fresh: EsmRecord[]): void {
    if (record.loaded) return;
    record.loaded = true;
    fresh.push(record);
    record.dependencies = (record.shape?.requests ?? []).map((request) => this.#resolve(request.specifier, record.path, request.attributes));
    for (const dependency of record.dependencies) this.#load(dependency, fresh);
  }

  #makeMeta(record: EsmRecord): Dict {
    const { url } = record;
    const path = url.startsWith("file:") ? urlToFile(url) : undefined;
    const resolve = (specifier: string): string => this.resolveUrl(`${specifier}`, record.path);
    return Object.assign(Object.create(null) as Dict, path === undefined ? {} : { dirname: path.replace(/\/[^/]*$/, "") || "/", filename: path }, { resolve, url });
  }
}

function optionsAttributes(options: unknown): Attributes {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || options === null) throw new TypeError("The second argument of import() must be an object");
  const attributes = (options as { with?: unknown }).with;
  if (attributes === undefined) return undefined;
  if (typeof attributes !== "object" || attributes === null) throw new TypeError("The 'with' option must be an object");
  return attributes as Record<string, string>;
}

/** A getter that throws leaves the name undefined, as in Node. */
function readQuietly(object: Dict, name: string): unknown {
  try {
    return object[name];
  } catch (error) {
    return void error;
  }
}
