// CommonJS: `require`, `module`, the cache, cycles, JSON, and the parts of the `Module` class that tools reach into.
import { parentPath, resolvePath } from "../../posix-path.ts";
import { invalidArgType, invalidArgValue, nodeError } from "../errors.ts";
import { urlToFile } from "../file-url.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { isBuiltin } from "../builtins/index.ts";
import { compileCommonJs, formatOf, parseJson, placeSyntaxError, stripTypes } from "./compile.ts";
import type { EsmLoader } from "./esm.ts";
import type { Resolver } from "./resolve.ts";

export interface CjsModule {
  id: string;
  path: string;
  exports: unknown;
  filename: string;
  loaded: boolean;
  children: CjsModule[];
  paths: string[];
  parent: CjsModule | undefined;
  require(specifier: string): unknown;
  _compile(source: string, filename: string): unknown;
  load(filename: string): void;
}

type ModuleClass = (new (id: string, parent?: CjsModule) => CjsModule) & Dict & {
  _cache: Record<string, CjsModule>;
  _extensions: Record<string, (module: CjsModule, filename: string) => void>;
  _load(specifier: string, parent: CjsModule | undefined, isMain: boolean): unknown;
  _resolveFilename(specifier: string, parent: CjsModule | undefined, isMain?: boolean, options?: { paths?: string[] }): string;
};

export class CommonJs {
  readonly Module: ModuleClass;
  main: CjsModule | undefined;
  readonly #runtime: Runtime;
  readonly #resolver: Resolver;
  readonly #esm: () => EsmLoader;

  constructor(runtime: Runtime, resolver: Resolver, esm: () => EsmLoader) {
    this.#runtime = runtime;
    this.#resolver = resolver;
    this.#esm = esm;
    this.Module = this.#makeModuleClass();
  }

  readText(path: string): string {
    const text = new TextDecoder().decode(this.#runtime.vfs.readFile(path));
    try {
      return stripTypes(text, path);
    } catch (error) {
      throw placeSyntaxError(error, text, path, this.#runtime.sources, "module");
    }
  }

  /** Runs a file as CommonJS unless it has run; its module. */
  load(path: string, parent?: CjsModule, isMain = false): CjsModule {
    const cached = this.Module._cache[path];
    if (cached) return cached;
    const module = new this.Module(path, parent);
    if (isMain) {
      module.id = ".";
      this.main = module;
      this.#runtime.process["mainModule"] = module;
    }
    this.Module._cache[path] = module;
    let finished = false;
    try {
      module.load(path);
      finished = true;
    } finally {
      if (!finished) delete this.Module._cache[path];
    }
    return module;
  }

  /** `require` as seen from a file that may not exist ("/app/[eval]"). */
  requireFrom(file: string): AnyFunction & Dict {
    const module = new this.Module(file);
    return this.#makeRequire(module);
  }

  /** Code that has no file: -e, stdin. */
  run(source: string, name: string, folder: string): unknown {
    const module = new this.Module(resolvePath(name, folder));
    module.filename = resolvePath(name, folder);
    module.paths = this.#resolver.nodeModulesPaths(folder);
    return this.#compile(module, source, name, ".");
  }

  #compile(module: CjsModule, source: string, filename: string, dirname = parentPath(filename)): unknown {
    const parent = module.filename;
    const run = compileCommonJs(source, filename, this.#runtime.realm, this.#runtime.sources, (specifier, options) => this.#esm().dynamicImport(specifier, parent, options));
    return run.call(module.exports, module.exports, this.#makeRequire(module), module, filename, dirname);
  }

  #makeRequire(module: CjsModule): AnyFunction & Dict {
    const { Module } = this;
    const require = (specifier: unknown): unknown => module.require(specifier as string);
    const resolve = (specifier: string, options?: { paths?: string[] }): string => Module._resolveFilename(specifier, module, false, options);
    Object.defineProperty(resolve, "paths", {
      value: (specifier: string) => (isBuiltin(specifier) ? null : this.#resolver.nodeModulesPaths(parentPath(module.filename))), enumerable: true,
    });
    return Object.assign(require as AnyFunction, { resolve, main: this.main, extensions: Module._extensions, cache: Module._cache }) as unknown as AnyFunction & Dict;
  }

  #resolve(specifier: string, parent: CjsModule | undefined, options?: { paths?: string[] }): string {
    if (isBuiltin(specifier)) return specifier;
    const from = parent?.filename ?? resolvePath("[repl]", this.#runtime.cwd);
    const folders = options?.paths ?? [parentPath(from)];
    for (const folder of folders) {
      const found = this.#resolver.require(specifier, options?.paths ? resolvePath("_", folder) : from, resolvePath(folder, this.#runtime.cwd));
      if (found) return found;
    }
    const stack: string[] = [];
    for (let at = parent; at; at = at.parent) stack.push(at.filename);
    const trace = stack.length > 0 ? `\nRequire stack:\n- ${stack.join("\n- ")}` : "";
    const error = new Error(`Cannot find module '${specifier}'${trace}`);
    throw Object.assign(error, { code: "MODULE_NOT_FOUND", requireStack: stack });
  }

  #makeModuleClass(): ModuleClass {
    // oxlint-disable-next-line no-this-alias -- the constructor below has a `this` of its own
    const loader = this;
    const runtime = this.#runtime;
    function Module(this: CjsModule, id = "", parent?: CjsModule): void {
      this.id = id;
      this.path = parentPath(id);
      this.exports = {};
      Object.defineProperty(this, "parent", { value: parent, writable: true, configurable: true, enumerable: false });
      this.filename = id;
      this.loaded = false;
      this.children = [];
      this.paths = id.startsWith("/") ? loader.#resolver.nodeModulesPaths(parentPath(id)) : [];
      if (parent) parent.children.push(this);
    }
    const methods = {
      require(this: CjsModule, specifier: unknown): unknown {
        if (typeof specifier !== "string") throw invalidArgType("id", "string", specifier);
        if (specifier === "") throw invalidArgValue("id", specifier, "must be a non-empty string");
        return (Module as unknown as ModuleClass)._load(specifier, this, false);
      },
      load(this: CjsModule, filename: string): void {
        const { _extensions } = Module as unknown as ModuleClass;
        const extension = /(\.[^./]+)$/.exec(filename)?.[1] ?? ".js";
        (_extensions[extension] ?? (_extensions[".js"] as AnyFunction))(this, filename);
        this.loaded = true;
      },
      _compile(this: CjsModule, source: string, filename: string): unknown {
        return loader.#compile(this, source, filename);
      },
    };
    Object.assign((Module as unknown as { prototype: object }).prototype, methods);
    const script = (module: CjsModule, filename: string): void => loader.#loadScript(module, filename);
    const statics = {
      _cache: Object.create(null) as Record<string, CjsModule>,
      _pathCache: Object.create(null) as Dict,
      _extensions: {
        ".js": script,
        ".json": (module: CjsModule, filename: string) => {
          module.exports = parseJson(loader.readText(filename), filename);
        },
        ".node": (_module: CjsModule, filename: string) => {
          throw nodeError(Error, "ERR_DLOPEN_FAILED", `${filename}: native addons cannot run in the browser`);
        },
        ".ts": script, ".cts": script, ".mts": script, ".cjs": script, ".mjs": script,
      },
      _load: (specifier: string, parent: CjsModule | undefined, isMain: boolean) => {
        if (isBuiltin(specifier)) return runtime.builtin(specifier.replace(/^node:/, ""));
        if (specifier.startsWith("node:")) throw nodeError(Error, "ERR_UNKNOWN_BUILTIN_MODULE", `No such built-in module: ${specifier}`);
        const path = (Module as unknown as ModuleClass)._resolveFilename(specifier, parent, isMain);
        if (isBuiltin(path)) return runtime.builtin(path.replace(/^node:/, ""));
        return loader.load(path, parent, isMain).exports;
      },
      _resolveFilename: (specifier: string, parent: CjsModule | undefined, _isMain?: boolean, options?: { paths?: string[] }) => loader.#resolve(specifier, parent, options),
      _nodeModulePaths: (folder: string) => loader.#resolver.nodeModulesPaths(folder),
      _initPaths: () => undefined,
      globalPaths: [],
      wrap: (source: string) => `(function (exports, require, module, __filename, __dirname) { ${source}\n});`,
      createRequire: (from: unknown) => loader.requireFrom(fileOf(from)),
      isBuiltin,
      syncBuiltinESMExports: () => undefined,
      findSourceMap: () => undefined,
      runMain: () => undefined,
    };
    Object.assign(Module, statics, { Module });
    return Module as unknown as ModuleClass;
  }

  #loadScript(module: CjsModule, filename: string): void {
    let source: string | undefined;
    const read = (): string => (source ??= this.readText(filename));
    if (formatOf(filename, this.#resolver, read) === "module") module.exports = this.#esm().requireSync(filename);
    else module._compile(read(), filename);
  }
}

function fileOf(from: unknown): string {
  if (from instanceof URL) return urlToFile(from);
  if (typeof from === "string" && from.startsWith("file:")) return urlToFile(from);
  if (typeof from === "string" && from.startsWith("/")) return from;
  throw invalidArgValue("filename", from, "must be a file URL object, file URL string, or absolute path string");
}
