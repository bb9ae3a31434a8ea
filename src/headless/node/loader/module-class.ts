// The `Module` class of `node:module`: what `require` goes through, open to the tools that replace parts of it (mocks,
// transpilers, coverage): `_load`, `_resolveFilename`, `_extensions`, `_cache`, `wrap`, `prototype._compile` and so on
// are looked up on the class at every use, as in Node.
import { parentPath } from "../../posix-path.ts";
import { isBuiltin } from "../builtins/index.ts";
import { invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";
import { isTrackedProxy } from "../proxies.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import type { CommonJs, GivenFormat, ResolveOptions } from "./commonjs.ts";
import { parseJson } from "./compile.ts";

export interface CjsModule {
  id: string;
  path: string;
  exports: unknown;
  filename: string | null;
  loaded: boolean;
  children: CjsModule[];
  paths: string[];
  parent: CjsModule | null | undefined;
  require(specifier: unknown): unknown;
  _compile(source: string, filename: string, format?: GivenFormat): unknown;
  load(filename: string): void;
}

export interface ModuleStatics {
  _cache: Record<string, CjsModule | undefined>;
  _extensions: Record<string, (module: CjsModule, filename: string) => void>;
  globalPaths: string[];
  _load(specifier: string, parent: CjsModule | null | undefined, isMain: boolean): unknown;
  _resolveFilename(specifier: unknown, parent: CjsModule | null | undefined, isMain?: boolean, options?: ResolveOptions): string;
  _resolveLookupPaths(specifier: unknown, parent: CjsModule | null | undefined): string[] | null;
  /** `Module.wrap` when a tool has put its own in place. */
  customWrap(): ((source: string) => string) | undefined;
  /** `Module.runMain` likewise. */
  customRunMain(): AnyFunction | undefined;
  /** Whether a tool has put its own handler in the place of the one for such files. */
  customHandler(filename: string): boolean;
}

export type ModuleClass = (new (id?: string, parent?: CjsModule | null) => CjsModule) & Dict & ModuleStatics;

const WRAPPER = ["(function (exports, require, module, __filename, __dirname) { ", "\n});"] as const;

/** Who required a module first. */
const parents = new WeakMap<object, CjsModule | null | undefined>();

/** `module.parent` without the warning that programs get. */
export function parentOf(module: CjsModule): CjsModule | null | undefined {
  return parents.get(module);
}

const PARENT_ADVICE = "module.parent is deprecated due to accuracy issues. Please use require.main to find program entry point instead.";

/** With `--pending-deprecation` the first use of it is told. */
function parentAccessor({ options, process }: CommonJs["runtime"]): PropertyDescriptor {
  let told = !options.pendingDeprecation;
  const tell = (): void => {
    if (!told) process.emitWarning(PARENT_ADVICE, "DeprecationWarning", "DEP0144");
    told = true;
  };
  return {
    get(this: CjsModule): unknown {
      tell();
      return parents.get(this);
    },
    set(this: CjsModule, parent: CjsModule): void {
      tell();
      parents.set(this, parent);
    },
    configurable: false, enumerable: false,
  };
}

export function makeModuleClass(loader: CommonJs): ModuleClass {
  const { runtime } = loader;
  const Module = makeConstructor();
  Object.assign(Module.prototype as object, makePrototype(loader, Module));
  Object.defineProperty(Module.prototype, "parent", parentAccessor(runtime));
  Object.defineProperty(Module.prototype, "isPreloading", { get: () => loader.isPreloading, configurable: true });
  let wrapper: string[] = [...WRAPPER];
  const wrap = (source: string): string => wrapper[0] + source + wrapper[1];
  const runMain = (): unknown => Module._load(String(runtime.process.argv[1]), null, true);
  const script = (module: CjsModule, filename: string): void => loader.loadScript(module, filename);
  const statics: ModuleStatics & Dict = {
    _cache: Object.create(null) as Record<string, CjsModule>,
    _pathCache: Object.create(null) as Dict,
    _extensions: Object.assign(Object.create(null) as object, {
      ".js": script,
      ".json": (module: CjsModule, filename: string) => {
        module.exports = parseJson(loader.readText(filename), filename);
      },
      ".node": (_module: CjsModule, filename: string) => {
        throw nodeError(Error, "ERR_DLOPEN_FAILED", `${filename}: native addons cannot run in the browser`);
      },
      ".ts": script, ".cts": script, ".mts": script,
    }),
    globalPaths: globalFolders(runtime.host.env),
    _load: (specifier, parent, isMain) => load(loader, Module, specifier, parent, isMain),
    _resolveFilename: (specifier, parent, isMain, options) => {
      if (typeof specifier !== "string") throw invalidArgType("request", "string", specifier);
      return loader.resolve(specifier, parent ?? undefined, options, isMain);
    },
    _resolveLookupPaths: (specifier, parent) => {
      if (typeof specifier !== "string") throw invalidArgType("request", "string", specifier);
      return loader.lookupPaths(specifier, parent ?? undefined);
    },
    _nodeModulePaths: (folder: string) => loader.nodeModulePaths(folder),
    _findPath: (request: string, folders: readonly string[] | null) => loader.findPath(request, folders) ?? false,
    // Programs change NODE_PATH and have it read again.
    _initPaths: () => {
      Module.globalPaths = globalFolders(runtime.process.env);
    },
    _preloadModules: (requests: unknown) => {
      if (Array.isArray(requests)) for (const request of requests as string[]) loader.requireFrom(`${runtime.cwd}/[preload]`)(request);
    },
    _debug: () => undefined,
    _stat: (path: string) => (runtime.vfs.find(path)?.kind === "dir" ? 1 : runtime.vfs.exists(path) ? 0 : -2),
    wrap, wrapper,
    customWrap: () => (Module["wrap"] === wrap && wrapper[0] === WRAPPER[0] && wrapper[1] === WRAPPER[1] ? undefined : (Module["wrap"] as typeof wrap)),
    createRequire: (from: unknown) => {
      const file = fileOf(from);
      return loader.requireFrom(file.endsWith("/") ? `${file}noop.js` : file);
    },
    isBuiltin,
    syncBuiltinESMExports: () => loader.syncBuiltins(),
    findSourceMap: (file: string) => runtime.sources.maps?.find(String(file)),
    runMain,
    customHandler: (filename) => Module._extensions[extensionOf(filename, Module._extensions)] !== script,
    customRunMain: () => (Module["runMain"] === runMain ? undefined : (Module["runMain"] as AnyFunction)),
  };
  Object.assign(Module, statics, { Module });
  Object.defineProperty(Module, "wrapper", { get: () => wrapper, set: (value: string[]) => (wrapper = value), enumerable: true, configurable: true });
  for (const hidden of ["customWrap", "customRunMain", "customHandler", "_stat", "_preloadModules"]) Object.defineProperty(Module, hidden, { enumerable: false });
  return Module;
}

/** Looked in after every `node_modules` on the way up. */
function globalFolders({ NODE_PATH = "", HOME }: Readonly<Record<string, string | undefined>>): string[] {
  return [...NODE_PATH.split(":").filter(Boolean), ...(HOME === undefined ? [] : [`${HOME}/.node_modules`, `${HOME}/.node_libraries`]), "/usr/local/lib/node"];
}

function makeConstructor(): ModuleClass {
  // A function and not a class: tools call it without `new` in their own constructors.
  function Module(this: CjsModule, id = "", parent?: CjsModule | null): void {
    this.id = id;
    this.path = parentPath(id);
    Object.defineProperty(this, "exports", { value: {}, writable: true, enumerable: true, configurable: true });
    parents.set(this, parent);
    this.filename = null;
    this.loaded = false;
    this.children = [];
    addChild(parent, this);
  }
  return Module as unknown as ModuleClass;
}

function makePrototype(loader: CommonJs, Module: ModuleClass): Dict {
  return {
    require(this: CjsModule, specifier: unknown): unknown {
      if (typeof specifier !== "string") throw invalidArgType("id", "string", specifier);
      if (specifier === "") throw invalidArgValue("id", specifier, "must be a non-empty string");
      return Module._load(specifier, this, false);
    },
    load(this: CjsModule, filename: string): void {
      this.filename = filename;
      this.paths = loader.nodeModulePaths(parentPath(filename));
      (Module._extensions[extensionOf(filename, Module._extensions)] as AnyFunction)(this, filename);
      this.loaded = true;
    },
    _compile(this: CjsModule, source: string, filename: string, format?: GivenFormat): unknown {
      return loader.compile(this, source, filename, format);
    },
  };
}

/** The longest end of the name that has a handler; `.js` when none has. */
function extensionOf(filename: string, extensions: object): string {
  const name = filename.slice(filename.lastIndexOf("/") + 1);
  for (let dot = name.indexOf(".", 1); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    if (name.slice(dot) in extensions) return name.slice(dot);
  }
  return ".js";
}

function load(loader: CommonJs, Module: ModuleClass, specifier: string, parent: CjsModule | null | undefined, isMain: boolean): unknown {
  const { runtime } = loader;
  if (specifier.startsWith("node:")) {
    if (!isBuiltin(specifier)) throw nodeError(Error, "ERR_UNKNOWN_BUILTIN_MODULE", `No such built-in module: ${specifier}`);
    const mocked = loader.mocks.exportsOf(specifier);
    if (mocked) return mocked[0];
    return runtime.builtin(specifier.slice("node:".length));
  }
  const filename = Module._resolveFilename(specifier, parent, isMain);
  const mocked = loader.mocks.size > 0 ? loader.mocks.exportsOf(isBuiltin(filename) ? `node:${filename.replace(/^node:/, "")}` : fileToUrl(filename)) : undefined;
  if (mocked) return mocked[0];
  const cached = Module._cache[filename];
  if (cached) {
    addChild(parent, cached);
    if (cached.loaded) return cached.exports;
    if (loader.isRunningAsEsm(filename)) {
      const from = parentOf(cached)?.filename;
      throw nodeError(Error, "ERR_REQUIRE_CYCLE_MODULE", `Cannot require() ES Module ${cached.id} in a cycle.${from ? ` (from ${from})` : ""}`);
    }
    return exportsSoFar(cached, (text) => runtime.process.emitWarning(text));
  }
  if (isBuiltin(filename)) return runtime.builtin(filename.replace(/^node:/, ""));
  const module = new Module(filename, parent);
  if (isMain) {
    module.id = ".";
    runtime.process["mainModule"] = module;
  }
  Module._cache[filename] = module;
  let failed = true;
  try {
    module.load(filename);
    failed = false;
  } finally {
    if (failed) {
      delete Module._cache[filename];
      const at = parent?.children?.indexOf(module) ?? -1;
      if (at >= 0) parent?.children.splice(at, 1);
    } else {
      unmarkUnfinished(module.exports);
    }
  }
  return module.exports;
}

function addChild(parent: CjsModule | null | undefined, child: CjsModule): void {
  if (Array.isArray(parent?.children) && !parent.children.includes(child)) parent.children.push(child);
}

/** Prototypes of exports that were seen by a cycle before they were complete. */
const unfinished = new WeakSet<object>();

/** A cycle sees what is there already, and a warning for each name that is not. */
function exportsSoFar(module: CjsModule, warn: (text: string) => void): unknown {
  const { exports } = module as { exports: Dict };
  const plain = !isTrackedProxy(exports) && typeof exports === "object" && exports !== null && Object.getPrototypeOf(exports) === Object.prototype && exports["__esModule"] !== true;
  if (!plain) return exports;
  const tell = (key: PropertyKey): void => warn(`Accessing non-existent property '${String(key)}' of module exports inside circular dependency`);
  const prototype: object = new Proxy({}, {
    get: (target, key) => {
      if (key in target || key === "__esModule") return Reflect.get(target, key) as unknown;
      tell(key);
      return undefined;
    },
    getOwnPropertyDescriptor: (target, key) => {
      if (Object.hasOwn(target, key) || key === "__esModule") return Reflect.getOwnPropertyDescriptor(target, key);
      tell(key);
      return undefined;
    },
  });
  unfinished.add(prototype);
  Object.setPrototypeOf(exports, prototype);
  return exports;
}

function unmarkUnfinished(exports: unknown): void {
  if (typeof exports !== "object" || exports === null || isTrackedProxy(exports)) return;
  const prototype: object | null = Object.getPrototypeOf(exports) as object | null;
  if (prototype && unfinished.has(prototype)) Object.setPrototypeOf(exports, Object.prototype);
}

function fileOf(from: unknown): string {
  if (from instanceof URL) return urlToFile(from);
  if (typeof from === "string" && from.startsWith("file:")) return urlToFile(from);
  if (typeof from === "string" && from.startsWith("/")) return from;
  throw invalidArgValue("filename", from, "must be a file URL object, file URL string, or absolute path string");
}
