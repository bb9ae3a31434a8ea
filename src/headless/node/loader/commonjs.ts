// CommonJS: how a file becomes a module, what its `require` is, and where its requests are looked up. The `Module`
// class over it, with the parts that tools reach into, is in module-class.ts.
import { parentPath, resolvePath } from "../../posix-path.ts";
import { isBuiltin } from "../builtins/index.ts";
import { invalidArgValue } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { type CommonJsFunction, compileCommonJs, detectFormat, type Format, formatByName, placeSyntaxError } from "./compile.ts";
import { requireRefused } from "./esm-errors.ts";
import type { EsmLoader } from "./esm.ts";
import { type CjsModule, type ModuleClass, makeModuleClass, parentOf } from "./module-class.ts";
import type { Resolver } from "./resolve.ts";
import { ModuleMocks } from "./module-mocks.ts";
import { isTypeScript, toJavaScript } from "./typescript.ts";
import { reportLoaded } from "../watch/changed-files.ts";

export interface ResolveOptions {
  readonly paths?: unknown;
}

/** What the engine says to `import` and `export` in a script. */
const MODULE_SYNTAX = /^(Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module)$/;

/** What is said to `_compile` of a file. */
export type GivenFormat = Format | "typescript" | `${Format}-typescript`;

/** What requires the modules of `-r`. */
const PRELOAD = "internal/preload";

export class CommonJs {
  readonly mocks = new ModuleMocks();
  readonly Module: ModuleClass;
  readonly runtime: Runtime;
  /** While the modules of `-r` load. */
  isPreloading = false;
  readonly #resolver: Resolver;
  readonly #esm: () => EsmLoader;
  /** The text read last: a module's is asked for more than once on its way. */
  #last: { path: string; data: Uint8Array; text: string } | undefined;

  constructor(runtime: Runtime, resolver: Resolver, esm: () => EsmLoader) {
    this.runtime = runtime;
    this.#resolver = resolver;
    this.#esm = esm;
    this.Module = makeModuleClass(this);
  }

  /** A file as JavaScript. */
  readText(path: string): string {
    reportLoaded(this.runtime, path);
    const data = this.runtime.vfs.readFile(path);
    if (this.#last?.path === path && this.#last.data === data) return this.#last.text;
    const text = this.#toJavaScript(new TextDecoder().decode(data), path);
    this.#last = { path, data, text };
    return text;
  }

  #toJavaScript(written: string, path: string): string {
    try {
      const { code, origin } = toJavaScript(written, path, this.runtime);
      if (origin) this.runtime.sources.setOrigin(path, origin);
      return code;
    } catch (error) {
      throw placeSyntaxError(error, written, path, this.runtime.sources, "module");
    }
  }

  loadMain(path: string): void {
    this.Module._load(path, null, true);
  }

  /** `module.exports` of a file that an ES module imports. */
  loadForImport(path: string, isMain = false): unknown {
    const cached = this.Module._cache[path];
    return cached?.loaded ? cached.exports : this.Module._load(path, undefined, isMain);
  }

  /** `module.exports` of a text that stands for the module's file. */
  loadText(module: CjsModule, text: string, isMain: boolean): unknown {
    if (isMain) this.runtime.process["mainModule"] = module;
    module._compile(text, module.filename as string, "commonjs");
    module.loaded = true;
    return module.exports;
  }

  /** `require` as seen from a file that may not exist ("/app/[eval]"). */
  requireFrom(file: string): AnyFunction & Dict {
    return this.makeRequire(this.moduleFor(file));
  }

  /** A module that is not loaded from a file, though it lies at its path. */
  moduleFor(file: string): CjsModule {
    const module = new this.Module(file);
    module.filename = file;
    module.paths = file.startsWith("/") ? this.#resolver.nodeModulesPaths(parentPath(file)) : [];
    return module;
  }

  /** What `require.resolve` says in a file. */
  resolveFrom(specifier: string, file: string): string {
    return this.Module._resolveFilename(specifier, this.moduleFor(file), false);
  }

  /** `format` is what the name says; without one the text says it. A tool's own `_compile` has been asked before. */
  compile(module: CjsModule, given: string, filename: string, format?: GivenFormat): unknown {
    const source = format?.endsWith("typescript") ? this.#toJavaScript(given, filename) : given;
    const known = format === "typescript" ? undefined : format?.replace("-typescript", "");
    if (this.runtime.options.requireModule && (known ?? detectFormat(source)) === "module") {
      module.exports = this.#esm().requireSync(filename, parentOf(module)?.filename ?? undefined);
      return undefined;
    }
    const dynamicImport = (specifier: unknown, options?: unknown): Promise<unknown> => this.#esm().dynamicImport(specifier, filename, options);
    let run: CommonJsFunction;
    try {
      run = compileCommonJs(source, filename, this.runtime, dynamicImport, this.Module.customWrap());
    } catch (error) {
      if (error instanceof SyntaxError && MODULE_SYNTAX.test(error.message)) {
        // At once: the error may end the process before anything that waits.
        const warning = new Error(`To load an ES module, set "type": "module" in the package.json or use the .mjs extension.`);
        this.runtime.process.emit("warning", Object.defineProperty(warning, "name", { value: "Warning" }));
      }
      throw error;
    }
    return run.call(module.exports, module.exports, this.makeRequire(module), module, filename, parentPath(filename));
  }

  /** The `.js` handler: a file as the module system it belongs to. Of one with another ending the text tells, whatever the package says. */
  loadScript(module: CjsModule, filename: string): void {
    const format = /\.[cm]?[jt]s$/.test(filename) ? formatByName(filename, this.#resolver) : undefined;
    if (format === "module" && !this.runtime.options.requireModule) throw requireRefused(filename, parentOf(module)?.filename ?? undefined, this.#resolver, detectFormat(this.readText(filename)) === "module");
    // A tool that has its own `_compile` gets TypeScript as it is written.
    if (isTypeScript(filename) && Object.hasOwn(module, "_compile")) {
      reportLoaded(this.runtime, filename);
      module._compile(new TextDecoder().decode(this.runtime.vfs.readFile(filename)), filename, format === undefined ? "typescript" : `${format}-typescript`);
    } else {
      const read = this.runtime.replacedRead?.();
      module._compile(read ? this.#toJavaScript(String(read(filename, "utf8")), filename) : this.readText(filename), filename, format);
    }
  }

  makeRequire(module: CjsModule): AnyFunction & Dict {
    const { Module } = this;
    const require = function (specifier: unknown): unknown {
      return module.require(specifier);
    };
    Object.defineProperty(require, "name", { value: "require", configurable: true });
    const resolve = (specifier: unknown, options?: ResolveOptions): string => Module._resolveFilename(specifier, module, false, options);
    const paths = (specifier: unknown): string[] | null => Module._resolveLookupPaths(specifier, module);
    return Object.assign(require as AnyFunction, { resolve: Object.assign(resolve, { paths }), main: this.runtime.process["mainModule"], extensions: Module._extensions, cache: Module._cache }) as unknown as AnyFunction & Dict;
  }

  /** `Module._resolveLookupPaths`: the folders a request is looked up in; null for a builtin. */
  lookupPaths(request: string, parent: CjsModule | undefined): string[] | null {
    if (isBuiltin(request)) return null;
    if (/^\.{1,2}(\/|$)/.test(request)) return [parent?.filename ? parentPath(parent.filename) : "."];
    const paths = [...(parent?.paths ?? []), ...this.Module.globalPaths];
    return paths.length > 0 ? paths : null;
  }

  /** `Module._resolveFilename`. */
  resolve(request: string, parent: CjsModule | undefined, options: ResolveOptions | undefined, isMain = false): string {
    if (isBuiltin(request)) return request;
    const file = parent?.filename ?? undefined;
    // Without `imports` in its package.json it is a name like any other, and there are packages with such names.
    if (request.startsWith("#") && file !== undefined && this.#resolver.packageOf(file)?.data["imports"] != null) return this.#resolver.requireInternal(request, file);
    const from = file ?? (parent?.id === PRELOAD ? `${this.runtime.cwd}/` : undefined);
    const own = from === undefined ? undefined : this.#resolver.requireSelf(request, from);
    if (own !== undefined) return own;
    const found = this.#resolver.findPath(request, this.#folders(request, parent, options?.paths), Object.keys(this.Module._extensions), isMain ? this.runtime.options.preserveSymlinksMain : undefined);
    if (found !== undefined) return found;
    const stack: string[] = [];
    for (let at: CjsModule | null | undefined = parent; at; at = parentOf(at)) stack.push(at.filename ?? at.id);
    const trace = stack.length > 0 ? `\nRequire stack:\n- ${stack.join("\n- ")}` : "";
    throw Object.assign(new Error(`Cannot find module '${request}'${trace}`), { code: "MODULE_NOT_FOUND", requireStack: stack });
  }

  #folders(request: string, parent: CjsModule | undefined, paths: unknown): string[] {
    if (paths === undefined) return (this.Module._resolveLookupPaths(request, parent) ?? []).map((path) => resolvePath(path, this.runtime.cwd));
    if (!Array.isArray(paths)) throw invalidArgValue("options.paths", paths);
    const folders = (paths as string[]).map((path) => resolvePath(path, this.runtime.cwd));
    if (/^\.{1,2}(\/|$)/.test(request)) return folders;
    return [...new Set([...folders.flatMap((folder) => this.#resolver.nodeModulesPaths(folder)), ...this.Module.globalPaths])];
  }

  /** Those of `-r`, before the program. */
  preload(specifiers: readonly string[]): void {
    const parent = new this.Module(PRELOAD);
    parent.paths = this.nodeModulePaths(this.runtime.cwd);
    this.isPreloading = true;
    for (const specifier of specifiers) parent.require(specifier);
    this.isPreloading = false;
  }

  nodeModulePaths(folder: string): string[] {
    return this.#resolver.nodeModulesPaths(resolvePath(folder, this.runtime.cwd));
  }

  findPath(request: string, folders: readonly string[] | null): string | undefined {
    return this.#resolver.findPath(request, folders ?? [], Object.keys(this.Module._extensions));
  }

  isRunningAsEsm(path: string): boolean {
    return this.#esm().isRunning(path);
  }

  syncBuiltins(): void {
    this.#esm().syncBuiltins();
  }
}
