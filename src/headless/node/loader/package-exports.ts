// What a package offers under a name: Node's PACKAGE_EXPORTS_RESOLVE and PACKAGE_IMPORTS_RESOLVE, with its errors.
// (https://nodejs.org/api/esm.html#resolution-algorithm-specification) Looks at package.json only, never at files.
import { nodeError } from "../errors.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";

export interface PackageJson {
  readonly path: string;
  readonly folder: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Lookup {
  readonly found: PackageJson;
  /** For messages; undefined where Node names no importer (`require` of another package). */
  readonly base: string | undefined;
  readonly conditions: ReadonlySet<string>;
  /** For targets of `imports` that name a package or a builtin. */
  readonly bare?: (specifier: string) => string;
}

interface Match {
  readonly key: string;
  /** What the `*` of a pattern stands for; undefined for an exact key. */
  readonly star: string | undefined;
}

/** Segments that would leave the package or enter another one. */
const BAD_SEGMENT = /(^|[\\/])((\.|%2e)(\.|%2e)?|(n|%6e|%4e)(o|%6f|%4f)(d|%64|%44)(e|%65|%45)(_|%5f)(m|%6d|%4d)(o|%6f|%4f)(d|%64|%44)(u|%75|%55)(l|%6c|%4c)(e|%65|%45)(s|%73|%53))([\\/]|$)/i;

const from = (base: string | undefined): string => (base === undefined ? "" : ` imported from ${base}`);
const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

export function invalidSpecifier(request: string, reason: string, base: string | undefined): Error {
  return nodeError(TypeError, "ERR_INVALID_MODULE_SPECIFIER", `Invalid module "${request}" ${reason}${from(base)}`);
}

function invalidConfig({ found, base }: Lookup, message: string): Error {
  return nodeError(Error, "ERR_INVALID_PACKAGE_CONFIG", `Invalid package config ${found.path}${base === undefined ? "" : ` while importing ${fileToUrl(base)}`}. ${message}`);
}

function invalidTarget({ found, base }: Lookup, key: string, target: unknown, internal: boolean): Error {
  const relative = typeof target === "string" && !internal && target !== "" && !target.startsWith("./") ? '; targets must start with "./"' : "";
  const shown = JSON.stringify(target);
  const what = key === "." ? `"exports" main target ${shown} defined` : `"${internal ? "imports" : "exports"}" target ${shown} defined for '${key}'`;
  return nodeError(Error, "ERR_INVALID_PACKAGE_TARGET", `Invalid ${what} in the package config ${found.path}${from(base)}${relative}`);
}

function notExported({ found, base }: Lookup, subpath: string): Error {
  const what = subpath === "." ? `No "exports" main defined in ${found.path}` : `Package subpath '${subpath}' is not defined by "exports" in ${found.path}`;
  return nodeError(Error, "ERR_PACKAGE_PATH_NOT_EXPORTED", `${what}${from(base)}`);
}

/** `subpath` is "." or starts with "./". The absolute path it stands for. */
export function resolveExports(subpath: string, lookup: Lookup): string {
  let exports = lookup.found.data["exports"];
  if (isMainOnly(exports, lookup)) exports = { ".": exports };
  const match = bestMatch(exports as Record<string, unknown>, subpath);
  const result = match && resolveTarget((exports as Record<string, unknown>)[match.key], match, false, lookup);
  if (result == null) throw notExported(lookup, subpath);
  return result;
}

/** `specifier` starts with "#". An absolute path, or what `bare` made of it. */
export function resolveImports(specifier: string, lookup: Lookup): string | undefined {
  const { imports } = lookup.found.data as { imports?: unknown };
  const match = isPlain(imports) ? bestMatch(imports, specifier) : undefined;
  return (match && resolveTarget((imports as Record<string, unknown>)[match.key], match, true, lookup)) ?? undefined;
}

/** `"exports": "./x.js"`, or conditions without subpaths. */
function isMainOnly(exports: unknown, lookup: Lookup): boolean {
  if (!isPlain(exports)) return true;
  const keys = Object.keys(exports);
  const dotted = keys.filter((key) => key.startsWith(".")).length;
  if (dotted !== 0 && dotted !== keys.length) {
    throw invalidConfig(lookup, `"exports" cannot contain some keys starting with '.' and some not. The exports object must either be an object of package subpath keys or an object of main entry condition name keys only.`);
  }
  return dotted === 0 && keys.length > 0;
}

function bestMatch(map: Record<string, unknown>, subpath: string): Match | undefined {
  if (Object.hasOwn(map, subpath) && !subpath.includes("*") && !subpath.endsWith("/")) return { key: subpath, star: undefined };
  let best: Match | undefined;
  for (const key of Object.keys(map)) {
    const at = key.indexOf("*");
    if (at < 0 || key.lastIndexOf("*") !== at || subpath.length < key.length) continue;
    const trailer = key.slice(at + 1);
    if (!subpath.startsWith(key.slice(0, at)) || !subpath.endsWith(trailer)) continue;
    if (best && !isMoreSpecific(key, best.key)) continue;
    best = { key, star: subpath.slice(at, subpath.length - trailer.length) };
  }
  return best;
}

function isMoreSpecific(key: string, than: string): boolean {
  const [a, b] = [key.indexOf("*"), than.indexOf("*")];
  return a === b ? key.length > than.length : a > b;
}

/** Undefined: no condition applies. Null: forbidden on purpose. */
function resolveTarget(target: unknown, match: Match, internal: boolean, lookup: Lookup): string | null | undefined {
  if (typeof target === "string") return resolveText(target, match, internal, lookup);
  if (Array.isArray(target)) return resolveFirst(target, match, internal, lookup);
  if (target === null) return null;
  if (!isPlain(target)) throw invalidTarget(lookup, match.key, target, internal);
  if (Object.keys(target).some((key) => /^(0|[1-9]\d*)$/.test(key))) throw invalidConfig(lookup, `"exports" cannot contain numeric property keys.`);
  for (const [condition, inner] of Object.entries(target)) {
    if (condition !== "default" && !lookup.conditions.has(condition)) continue;
    const result = resolveTarget(inner, match, internal, lookup);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** The first of a list that is valid. */
function resolveFirst(targets: readonly unknown[], match: Match, internal: boolean, lookup: Lookup): string | null | undefined {
  let last: { result: null | undefined } | { error: unknown } = { result: targets.length === 0 ? null : undefined };
  for (const target of targets) {
    try {
      const result = resolveTarget(target, match, internal, lookup);
      if (typeof result === "string") return result;
      if (result === null) last = { result };
    } catch (error) {
      if ((error as { code?: string }).code !== "ERR_INVALID_PACKAGE_TARGET") throw error;
      last = { error };
    }
  }
  if ("error" in last) throw last.error;
  return last.result;
}

function resolveText(target: string, { key, star }: Match, internal: boolean, lookup: Lookup): string {
  const fill = (text: string): string => (star === undefined ? text : text.replaceAll("*", () => star));
  if (!target.startsWith("./")) {
    if (internal && lookup.bare && !target.startsWith("../") && !target.startsWith("/") && !URL.canParse(target)) return lookup.bare(fill(target));
    throw invalidTarget(lookup, key, target, internal);
  }
  if (BAD_SEGMENT.test(target.slice(2))) throw invalidTarget(lookup, key, target, internal);
  if (star !== undefined && BAD_SEGMENT.test(star)) {
    const reason = `request is not a valid match in pattern "${key}" for the "${internal ? "imports" : "exports"}" resolution of ${lookup.found.path}`;
    throw invalidSpecifier(key.replace("*", () => star), reason, lookup.base);
  }
  const url = new URL(fill(new URL(target, fileToUrl(`${lookup.found.folder === "/" ? "" : lookup.found.folder}/`)).href));
  if (/%2f|%5c/i.test(url.pathname)) throw invalidSpecifier(url.pathname, `must not include encoded "/" or "\\" characters`, lookup.base);
  return urlToFile(url);
}
