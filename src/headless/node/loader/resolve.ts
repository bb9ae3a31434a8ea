// Which file a specifier means: Node's two algorithms (require and import) over the virtual file system, with package
// `exports`, `imports`, self-reference and `node_modules`. Adds one thing to Node: TypeScript files are found too.
import { joinPath, parentPath, resolvePath } from "../../posix-path.ts";
import type { Vfs } from "../../vfs.ts";
import { unshared } from "../../vfs-node.ts";
import { isBuiltin } from "../builtins/index.ts";
import { nodeError } from "../errors.ts";
import type { Options } from "../options.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";
import { type PackageJson, invalidSpecifier, resolveExports, resolveImports } from "./package-exports.ts";

export type ResolveMode = "require" | "import";
const CONDITIONS: Readonly<Record<ResolveMode, readonly string[]>> = {
  require: ["node", "require", "module-sync"],
  import: ["node", "import", "module-sync"],
};
const MAIN_EXTENSIONS = [".js", ".json", ".node", ".ts", ".cts", ".mts"];
/** TypeScript sources import each other by the name of the file they compile to. */
const TYPESCRIPT_TWINS: Readonly<Record<string, string>> = { ".js": ".ts", ".mjs": ".mts", ".cjs": ".cts" };
const RELATIVE = /^\.{0,2}\/|^\.{1,2}$/;
/** What `require` takes for a package's name and the path in it. */
const PACKAGE_PATH = /^((?:@[^/\\%]+\/)?[^./\\%][^/\\%]*)(\/.*)?$/;

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/** `require` of a file that a package promises and does not have. */
function promisedMissing(path: string, packagePath?: string): Error {
  return Object.assign(new Error(`Cannot find module '${path}'`), { code: "MODULE_NOT_FOUND" }, packagePath === undefined ? {} : { path: packagePath });
}

/** A URL that names no file says which import it came from. */
function fileOf(url: URL, specifier: string, parent: string): string {
  try {
    return urlToFile(url);
  } catch (error) {
    throw Object.assign(error as Error, { input: specifier, module: fileToUrl(parent) });
  }
}

export class Resolver {
  readonly #vfs: Vfs;
  readonly #options: { readonly preserveSymlinks: boolean; readonly preserveSymlinksMain: boolean };
  readonly #conditions: Readonly<Record<ResolveMode, ReadonlySet<string>>>;
  readonly #packages = new Map<string, { mtimeMs: number; found: PackageJson }>();
  readonly #told = new Set<string>();
  /** Tells of a deprecated package.json; set by the loader. */
  onDeprecated: (message: string, code: string) => void = () => undefined;

  constructor(vfs: Vfs, options: Pick<Options, "conditions" | "addons" | "preserveSymlinks" | "preserveSymlinksMain">) {
    this.#vfs = vfs;
    this.#options = options;
    const named = (mode: ResolveMode): Set<string> => new Set([...CONDITIONS[mode], ...(options.addons ? ["node-addons"] : []), ...options.conditions]);
    this.#conditions = { require: named("require"), import: named("import") };
  }

  /** What a file that was found is called: by its real path, unless links are to be kept. */
  #real(path: string, keep = this.#options.preserveSymlinks): string {
    return keep ? path : this.#vfs.realpath(path);
  }

  isFile(path: string): boolean {
    return this.#vfs.find(path)?.kind === "file";
  }

  isFolder(path: string): boolean {
    return this.#vfs.find(path)?.kind === "dir";
  }

  /** `importing`: for the message, what is being imported and from where. */
  readPackage(folder: string, importing?: string): PackageJson | undefined {
    const path = joinPath(folder, "package.json");
    const node = this.#vfs.find(path);
    if (node?.kind !== "file") return undefined;
    const known = this.#packages.get(path);
    if (known && known.mtimeMs === node.mtimeMs) return known.found;
    let data: unknown;
    try {
      data = JSON.parse(new TextDecoder().decode(unshared(node.data)));
    } catch (error) {
      const reason = (error as Error).message.replace(/ \(line \d+ column \d+\)$/, "");
      throw nodeError(Error, "ERR_INVALID_PACKAGE_CONFIG", `Invalid package config ${path}${importing === undefined ? "" : ` while importing ${importing}`}. ${reason}`);
    }
    const found = { path, folder, data: (typeof data === "object" && data !== null ? data : {}) as Record<string, unknown> };
    this.#packages.set(path, { mtimeMs: node.mtimeMs, found });
    return found;
  }

  /** The package.json that rules a file. */
  packageOf(file: string): PackageJson | undefined {
    for (let folder = parentPath(file); ; folder = parentPath(folder)) {
      if (folder.endsWith("/node_modules")) return undefined;
      const found = this.readPackage(folder);
      if (found || folder === "/") return found;
    }
  }

  get importConditions(): readonly string[] {
    return [...this.#conditions.import];
  }

  /** The real path of what `import` of the specifier in `parent` (a path) means, or the name of a builtin. */
  import(specifier: string, parent: string, named?: readonly string[]): string {
    const conditions = named ? new Set(named) : this.#conditions.import;
    try {
      if (RELATIVE.test(specifier) || specifier.startsWith("file:")) {
        const url = specifier.startsWith("file:") ? new URL(specifier) : new URL(specifier, fileToUrl(parent));
        if (/%2f|%5c/i.test(url.pathname)) throw invalidSpecifier(url.pathname, `must not include encoded "/" or "\\" characters`, parent);
        return this.#finish(fileOf(url, specifier, parent), parent);
      }
      const scheme = /^([a-z][a-z\d+.-]+):/i.exec(specifier)?.[1];
      if (scheme) {
        throw nodeError(Error, "ERR_UNSUPPORTED_ESM_URL_SCHEME", `Only URLs with a scheme in: file, data, and node are supported by the default ESM loader. Received protocol '${scheme}:'`);
      }
      const found = specifier.startsWith("#") ? this.#internal(specifier, parent, conditions) : this.#bare(specifier, parent, conditions);
      return isBuiltin(found) ? found : this.#finish(found, parent);
    } catch (error) {
      if (codeOf(error) === "ERR_MODULE_NOT_FOUND" || codeOf(error) === "ERR_UNSUPPORTED_DIR_IMPORT") this.#hint(error as Error, specifier, parent);
      throw error;
    }
  }

  /** `Module._findPath`: the real path of a request looked up in these folders, or undefined. */
  findPath(request: string, folders: readonly string[], extensions: readonly string[], keepLinks = this.#options.preserveSymlinks): string | undefined {
    const absolute = request.startsWith("/");
    const asFolder = /(^|\/)(\.{1,2})?$/.test(request);
    for (const folder of absolute ? ["/"] : folders) {
      if (!absolute && !request.startsWith("..") && !this.isFolder(folder)) continue;
      const exported = absolute ? undefined : this.#requireExported(folder, request);
      if (exported !== undefined) return exported;
      const base = resolvePath(request, folder);
      const found = (asFolder ? undefined : this.#asFile(base, extensions)) ?? this.#asFolder(base, extensions, request);
      if (found !== undefined) return this.#real(found, keepLinks);
    }
    return undefined;
  }

  /** `require("#x")` in a file. */
  requireInternal(specifier: string, parent: string): string {
    try {
      const found = this.#internal(specifier, parent, this.#conditions.require);
      return isBuiltin(found) ? found : this.#promised(found, this.packageOf(parent)?.path);
    } catch (error) {
      throw codeOf(error) === "ERR_MODULE_NOT_FOUND" ? promisedMissing(specifier) : error;
    }
  }

  /** A package that requires itself by name, if `exports` lets it. */
  requireSelf(request: string, parent: string): string | undefined {
    const [, name, rest = ""] = PACKAGE_PATH.exec(request) ?? [];
    const own = this.packageOf(parent);
    if (!own || own.data["exports"] == null || own.data["name"] !== name) return undefined;
    return this.#promised(resolveExports(`.${rest}`, { found: own, base: parent, conditions: this.#conditions.require }), own.path);
  }

  /** The program named on the command line. */
  main(path: string): string | undefined {
    return this.findPath(path, [], MAIN_EXTENSIONS, this.#options.preserveSymlinksMain);
  }

  /** Folders `require` would look in, nearest first. */
  nodeModulesPaths(folder: string): string[] {
    const paths: string[] = [];
    for (let at = folder; ; at = parentPath(at)) {
      if (!at.endsWith("/node_modules")) paths.push(joinPath(at, "node_modules"));
      if (at === "/") return paths;
    }
  }

  #finish(path: string, parent: string): string {
    if (!path.endsWith("/")) {
      if (this.isFile(path)) return this.#real(path);
      const twin = this.#twin(path);
      if (twin) return this.#real(twin);
    }
    const url = { url: fileToUrl(path) };
    if (this.isFolder(path)) throw nodeError(Error, "ERR_UNSUPPORTED_DIR_IMPORT", `Directory import '${path}' is not supported resolving ES modules imported from ${parent}`, url);
    throw nodeError(Error, "ERR_MODULE_NOT_FOUND", `Cannot find module '${path}' imported from ${parent}`, url);
  }

  /** `require` would have found it: say how to write it. */
  #hint(error: Error, specifier: string, parent: string): void {
    let found: string | undefined;
    try {
      const request = specifier.startsWith("file:") ? urlToFile(specifier) : specifier;
      const relative = /^\.{1,2}(\/|$)/.test(request);
      found = this.findPath(request, relative ? [parentPath(parent)] : this.nodeModulesPaths(parentPath(parent)), MAIN_EXTENSIONS);
      if (found === undefined) return;
      if (relative) found = relativeTo(parentPath(parent), found);
      else if (!request.startsWith("/")) {
        const name = request.split("/")[0] as string;
        const at = found.lastIndexOf(`/node_modules/${name}/`);
        found = at >= 0 ? found.slice(at + "/node_modules/".length) : fileToUrl(found);
      }
      if (found === specifier) return;
    } catch (failure) {
      if (failure instanceof Error) return;
      throw failure;
    }
    const hint = `Did you mean to import ${JSON.stringify(found)}?`;
    const [first = "", ...rest] = (error.stack ?? "").split("\n");
    Object.defineProperty(error, "stack", { value: [first, hint, ...rest].join("\n"), writable: true, configurable: true, enumerable: false });
    error.message += `\n${hint}`;
  }

  #twin(path: string): string | undefined {
    const extension = /\.[cm]?js$/.exec(path)?.[0];
    if (!extension || path.includes("/node_modules/")) return undefined;
    const twin = path.slice(0, -extension.length) + (TYPESCRIPT_TWINS[extension] as string);
    return this.isFile(twin) ? twin : undefined;
  }

  #asFile(path: string, extensions: readonly string[]): string | undefined {
    if (this.isFile(path)) return path;
    return this.#withExtension(path, extensions) ?? this.#twin(path);
  }

  #withExtension(path: string, extensions: readonly string[]): string | undefined {
    const found = extensions.find((extension) => this.isFile(path + extension));
    return found === undefined ? undefined : path + found;
  }

  #asFolder(path: string, extensions: readonly string[], request: string): string | undefined {
    if (!this.isFolder(path)) return undefined;
    const index = this.#withExtension(joinPath(path, "index"), extensions);
    const found = this.readPackage(path);
    const main = found?.data["main"];
    if (!found || typeof main !== "string" || main === "") return index;
    const target = resolvePath(main, path);
    const entry = this.#asFile(target, extensions) ?? this.#withExtension(joinPath(target, "index"), extensions);
    if (entry !== undefined) return entry;
    if (index === undefined) {
      throw Object.assign(new Error(`Cannot find module '${target}'. Please verify that the package.json has a valid "main" entry`), { code: "MODULE_NOT_FOUND", path: found.path, requestPath: request });
    }
    this.onDeprecated(`Invalid 'main' field in '${found.path}' of '${main}'. Please either fix that or report it to the module author`, "DEP0128");
    return index;
  }

  /** A package's entry for `import` without `exports`. */
  #legacyMain(folder: string, main: unknown, parent: string): string {
    const tries = typeof main === "string" ? ["", ".js", ".json", ".node", "/index.js", "/index.json", "/index.node"].map((end) => resolvePath(`./${main}${end}`, folder)) : [];
    const found = [...tries, ...[".js", ".json", ".node", ".ts"].map((end) => joinPath(folder, `index${end}`))].find((file) => this.isFile(file));
    if (found !== undefined) {
      this.#tellOfLookup(folder, main, found, parent);
      return found;
    }
    throw nodeError(Error, "ERR_MODULE_NOT_FOUND", `Cannot find package '${typeof main === "string" ? resolvePath(main, folder) : joinPath(folder, "index.js")}' imported from ${parent}`);
  }

  /** The entry of a package of ES modules should be written out. */
  #tellOfLookup(folder: string, main: unknown, found: string, parent: string): void {
    const isModule = /\.m[jt]s$/.test(found) || (/\.[jt]s$/.test(found) && this.packageOf(found)?.data["type"] === "module");
    const named = typeof main === "string" && main !== "";
    if (!isModule || (named && resolvePath(main, folder) === found)) return;
    const entry = found.slice(folder.length + 1);
    const text = named
      ? `Package ${folder}/ has a "main" field set to "${main}", excluding the full filename and extension to the resolved file at "${entry}", imported from ${parent}.\n Automatic extension resolution of the "main" field is deprecated for ES modules.`
      : `No "main" or "exports" field defined in the package.json for ${folder}/ resolving the main entry point "${entry}", imported from ${parent}.\nDefault "index" lookups for the main are deprecated for ES modules.`;
    // One import is looked up more than once on its way.
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.onDeprecated(text, "DEP0151");
  }

  /** An absolute path that may not exist, or a builtin's name. */
  #bare(specifier: string, parent: string, conditions: ReadonlySet<string>): string {
    if (isBuiltin(specifier)) return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
    const [, name = "", rest = ""] = /^((?:@[^/]*\/)?[^/]*)(\/.*)?$/.exec(specifier) ?? [];
    if (name.startsWith(".") || /[\\%]/.test(name) || /^@[^/]*\/?$/.test(name)) throw invalidSpecifier(specifier, "is not a valid package name", parent);
    const lookup = { base: parent, conditions };
    const own = this.packageOf(parent);
    if (own?.data["name"] === name && own.data["exports"] != null) return resolveExports(`.${rest}`, { ...lookup, found: own });
    for (const modules of this.nodeModulesPaths(parentPath(parent))) {
      const folder = joinPath(modules, name);
      if (name === "" || !this.isFolder(folder)) continue;
      const found = this.readPackage(folder, `"${specifier}" from ${parent}`);
      if (found && found.data["exports"] != null) return resolveExports(`.${rest}`, { ...lookup, found });
      if (rest === "") return this.#legacyMain(folder, found?.data["main"], parent);
      return urlToFile(new URL(`.${rest}`, fileToUrl(`${folder}/`)));
    }
    throw nodeError(Error, "ERR_MODULE_NOT_FOUND", `Cannot find package '${name}' imported from ${parent}`);
  }

  #internal(specifier: string, parent: string, conditions: ReadonlySet<string>): string {
    if (specifier === "#" || specifier.startsWith("#/")) throw invalidSpecifier(specifier, "is not a valid internal imports specifier name", parent);
    const scope = this.packageOf(parent);
    const found = scope && resolveImports(specifier, { found: scope, base: parent, conditions, bare: (target) => this.#bare(target, scope.path, conditions) });
    if (found !== undefined) return found;
    throw nodeError(TypeError, "ERR_PACKAGE_IMPORT_NOT_DEFINED", `Package import specifier "${specifier}" is not defined${scope ? ` in package ${scope.path}` : ""} imported from ${parent}`);
  }

  #requireExported(folder: string, request: string): string | undefined {
    const [, name, rest = ""] = PACKAGE_PATH.exec(request) ?? [];
    if (name === undefined) return undefined;
    const found = this.readPackage(resolvePath(name, folder));
    if (!found || found.data["exports"] == null) return undefined;
    return this.#promised(resolveExports(`.${rest}`, { found, base: undefined, conditions: this.#conditions.require }), found.path);
  }

  #promised(path: string, packagePath: string | undefined): string {
    if (this.isFile(path)) return this.#real(path);
    const twin = this.#twin(path);
    if (twin !== undefined) return this.#real(twin);
    throw promisedMissing(path, packagePath);
  }
}

function relativeTo(folder: string, file: string): string {
  const [a, b] = [folder.split("/").filter(Boolean), file.split("/").filter(Boolean)];
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const up = a.length - same;
  return `${up === 0 ? "./" : "../".repeat(up)}${b.slice(same).join("/")}`;
}
