// Which file a specifier means: Node's two algorithms (require and import) over the virtual file system, with package
// `exports`, `imports`, self-reference and `node_modules`. Adds one thing to Node: TypeScript files are found too.
import { exports as resolveExports, imports as resolveImports } from "resolve.exports";
import { joinPath, parentPath, resolvePath } from "../../posix-path.ts";
import type { Vfs } from "../../vfs.ts";
import { nodeError } from "../errors.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";

export interface PackageJson {
  readonly path: string;
  readonly folder: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type ResolveMode = "require" | "import";
const CONDITIONS: Readonly<Record<ResolveMode, readonly string[]>> = {
  require: ["node", "require", "module-sync", "node-addons", "default"],
  import: ["node", "import", "module-sync", "node-addons", "default"],
};
const REQUIRE_EXTENSIONS = [".js", ".json", ".node", ".ts", ".cts", ".mts"];
/** TypeScript sources import each other by the name of the file they compile to. */
const TYPESCRIPT_TWINS: Readonly<Record<string, string>> = { ".js": ".ts", ".mjs": ".mts", ".cjs": ".cts" };

export class Resolver {
  readonly #vfs: Vfs;
  readonly #conditions: readonly string[];
  readonly #packages = new Map<string, { mtimeMs: number; found: PackageJson }>();

  constructor(vfs: Vfs, extraConditions: readonly string[]) {
    this.#vfs = vfs;
    this.#conditions = extraConditions;
  }

  isFile(path: string): boolean {
    return this.#vfs.find(path)?.kind === "file";
  }

  isFolder(path: string): boolean {
    return this.#vfs.find(path)?.kind === "dir";
  }

  readPackage(folder: string): PackageJson | undefined {
    const path = joinPath(folder, "package.json");
    const node = this.#vfs.find(path);
    if (node?.kind !== "file") return undefined;
    const known = this.#packages.get(path);
    if (known && known.mtimeMs === node.mtimeMs) return known.found;
    let data: Record<string, unknown>;
    try {
      data = JSON.parse(new TextDecoder().decode(node.data)) as Record<string, unknown>;
    } catch (error) {
      throw nodeError(Error, "ERR_INVALID_PACKAGE_CONFIG", `Invalid package config ${path}. ${(error as Error).message}`);
    }
    const found = { path, folder, data };
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

  /** The real path of what `import` of the specifier in `parent` (a path) means. Builtins are not its business. */
  import(specifier: string, parent: string): string {
    if (/^(\.{0,2}\/|\.{1,2}$)/.test(specifier) || specifier.startsWith("file:")) {
      const url = specifier.startsWith("file:") ? new URL(specifier) : new URL(specifier, fileToUrl(parent));
      return this.#finish(urlToFile(url), specifier, parent);
    }
    const scheme = /^([a-z][a-z\d+.-]+):/i.exec(specifier)?.[1];
    if (scheme) {
      throw nodeError(Error, "ERR_UNSUPPORTED_ESM_URL_SCHEME", `Only URLs with a scheme in: file, data, and node are supported by the default ESM loader. Received protocol '${scheme}:'`);
    }
    return this.#finish(this.#bare(specifier, parent, "import"), specifier, parent);
  }

  /** The real path, or undefined when there is nothing. Throws only for what a package forbids. */
  require(specifier: string, parent: string, parentFolder = parentPath(parent)): string | undefined {
    if (/^(\.{0,2}\/|\.{1,2}$)/.test(specifier)) {
      const path = resolvePath(specifier, parentFolder);
      const found = (specifier.endsWith("/") || /(^|\/)\.{1,2}$/.test(specifier) ? undefined : this.#asFile(path)) ?? this.#asFolder(path);
      return found && this.#vfs.realpath(found);
    }
    try {
      const found = this.#bare(specifier, parent, "require");
      return this.isFile(found) ? this.#vfs.realpath(found) : undefined;
    } catch (error) {
      if ((error as { code?: string }).code === "ERR_MODULE_NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** The program named on the command line. */
  main(path: string): string | undefined {
    const found = this.#asFile(path) ?? this.#asFolder(path);
    return found && this.#vfs.realpath(found);
  }

  /** Folders `require` would look in, nearest first. */
  nodeModulesPaths(folder: string): string[] {
    const paths: string[] = [];
    for (let at = folder; ; at = parentPath(at)) {
      if (!at.endsWith("/node_modules")) paths.push(joinPath(at, "node_modules"));
      if (at === "/") return paths;
    }
  }

  #finish(path: string, specifier: string, parent: string): string {
    if (this.isFile(path)) return this.#vfs.realpath(path);
    const twin = this.#twin(path);
    if (twin) return this.#vfs.realpath(twin);
    if (this.isFolder(path)) {
      throw nodeError(Error, "ERR_UNSUPPORTED_DIR_IMPORT", `Directory import '${path}' is not supported resolving ES modules imported from ${parent}`, { url: fileToUrl(path) });
    }
    void specifier;
    throw nodeError(Error, "ERR_MODULE_NOT_FOUND", `Cannot find module '${path}' imported from ${parent}`, { url: fileToUrl(path) });
  }

  #twin(path: string): string | undefined {
    const extension = /\.[cm]?js$/.exec(path)?.[0];
    if (!extension) return undefined;
    const twin = path.slice(0, -extension.length) + (TYPESCRIPT_TWINS[extension] as string);
    return this.isFile(twin) ? twin : undefined;
  }

  #asFile(path: string): string | undefined {
    if (this.isFile(path)) return path;
    return REQUIRE_EXTENSIONS.map((extension) => path + extension).find((x) => this.isFile(x)) ?? this.#twin(path);
  }

  #asFolder(path: string): string | undefined {
    if (!this.isFolder(path)) return undefined;
    const main = this.readPackage(path)?.data["main"];
    if (typeof main === "string" && main !== "") {
      const target = resolvePath(main, path);
      const found = this.#asFile(target) ?? this.#index(target);
      if (found) return found;
    }
    return this.#index(path);
  }

  #index(folder: string): string | undefined {
    return REQUIRE_EXTENSIONS.map((extension) => joinPath(folder, `index${extension}`)).find((x) => this.isFile(x));
  }

  #bare(specifier: string, parent: string, mode: ResolveMode): string {
    const scope = this.packageOf(parent);
    if (specifier.startsWith("#")) return this.#internal(specifier, parent, scope, mode);
    const [, name = "", rest = ""] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
    if (scope?.data["name"] === name && scope.data["exports"] !== undefined) return this.#exported(scope, `.${rest}`, mode, parent);
    for (const modules of this.nodeModulesPaths(parentPath(parent))) {
      const folder = joinPath(modules, name);
      if (!this.isFolder(folder)) {
        const file = mode === "require" ? this.#asFile(joinPath(modules, specifier)) : undefined;
        if (file) return file;
        continue;
      }
      const found = this.readPackage(folder);
      if (found && found.data["exports"] != null) return this.#exported(found, `.${rest}`, mode, parent);
      if (rest === "") {
        const entry = this.#asFolder(folder);
        if (entry) return entry;
        continue;
      }
      const path = joinPath(folder, rest.slice(1));
      const file = mode === "require" ? (this.#asFile(path) ?? this.#asFolder(path)) : path;
      if (file) return file;
    }
    throw nodeError(Error, "ERR_MODULE_NOT_FOUND", `Cannot find package '${name}' imported from ${parent}`);
  }

  #exported(found: PackageJson, subpath: string, mode: ResolveMode, parent: string): string {
    let targets: string[] | undefined;
    try {
      targets = resolveExports(found.data as never, subpath, { unsafe: true, conditions: [...CONDITIONS[mode], ...this.#conditions] }) ?? undefined;
    } catch (error) {
      if (!/^(Missing|No known)/.test((error as Error).message)) throw error;
    }
    if (!targets?.[0]) {
      const what = subpath === "." ? `No "exports" main defined in ${found.path}` : `Package subpath '${subpath}' is not defined by "exports" in ${found.path}`;
      throw nodeError(Error, "ERR_PACKAGE_PATH_NOT_EXPORTED", mode === "import" ? `${what} imported from ${parent}` : what);
    }
    return resolvePath(targets[0], found.folder);
  }

  #internal(specifier: string, parent: string, scope: PackageJson | undefined, mode: ResolveMode): string {
    let targets: string[] | undefined;
    try {
      if (scope) targets = resolveImports(scope.data as never, specifier, { unsafe: true, conditions: [...CONDITIONS[mode], ...this.#conditions] }) ?? undefined;
    } catch (error) {
      if (!/^(Missing|No known)/.test((error as Error).message)) throw error;
    }
    const target = targets?.[0];
    if (!scope || !target) {
      const where = scope ? ` in package ${scope.path}` : "";
      throw nodeError(TypeError, "ERR_PACKAGE_IMPORT_NOT_DEFINED", `Package import specifier "${specifier}" is not defined${where} imported from ${parent}`);
    }
    return target.startsWith("./") ? resolvePath(target, scope.folder) : this.#bare(target, scope.path, mode);
  }
}
