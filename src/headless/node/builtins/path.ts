// node:path: POSIX paths; path.win32 beside them.
import { checkString } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";
import { type ParsedPath, baseNameOf, extensionOf, formatWith, normalizeParts } from "./path-common.ts";
import { matchesGlob } from "./path-glob.ts";
import { makeWin32 } from "./path-win32.ts";

const isSlash = (character: string | undefined): boolean => character === "/";

function makePosix(cwd: () => string): Record<string, unknown> {
  const resolve = (...paths: unknown[]): string => {
    let whole = "";
    let isAbsolute = false;
    for (let k = paths.length - 1; k >= -1 && !isAbsolute; k--) {
      if (k >= 0) checkString(paths[k], `paths[${k}]`);
      const path = k >= 0 ? (paths[k] as string) : cwd();
      if (path === "") continue;
      whole = `${path}/${whole}`;
      isAbsolute = path.startsWith("/");
    }
    const tail = normalizeParts(whole, !isAbsolute, "/", isSlash);
    return isAbsolute ? `/${tail}` : tail || ".";
  };
  const normalize = (path: unknown): string => {
    checkString(path, "path");
    if (path === "") return ".";
    const isAbsolute = path.startsWith("/");
    const ends = path.endsWith("/");
    const tail = normalizeParts(path, !isAbsolute, "/", isSlash);
    if (tail === "") return isAbsolute ? "/" : ends ? "./" : ".";
    return `${isAbsolute ? "/" : ""}${tail}${ends ? "/" : ""}`;
  };
  const relative = (from: unknown, to: unknown): string => {
    checkString(from, "from");
    checkString(to, "to");
    if (from === to) return "";
    const [a, b] = [resolve(from).split("/").filter(Boolean), resolve(to).split("/").filter(Boolean)];
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("/");
  };
  const dirname = (path: unknown): string => {
    checkString(path, "path");
    if (path === "") return ".";
    let end = path.length;
    while (end > 1 && path[end - 1] === "/") end--;
    while (end > 0 && path[end - 1] !== "/") end--;
    if (end === 0) return ".";
    // One slash is the root's; two, at the start, POSIX leaves open and Node keeps.
    if (end === 2 && path.startsWith("//")) return "//";
    return end === 1 ? "/" : path.slice(0, end - 1);
  };
  return {
    resolve, normalize,
    isAbsolute: (path: unknown) => {
      checkString(path, "path");
      return path.startsWith("/");
    },
    join: (...paths: unknown[]) => {
      for (const path of paths) checkString(path, "path");
      const joined = paths.filter((path) => path !== "").join("/");
      return joined === "" ? "." : normalize(joined);
    },
    relative, toNamespacedPath: (path: unknown) => path, dirname,
    basename: (path: unknown, suffix?: unknown) => {
      if (suffix !== undefined) checkString(suffix, "suffix");
      checkString(path, "path");
      return baseNameOf(path, isSlash, suffix);
    },
    extname: (path: unknown) => {
      checkString(path, "path");
      return extensionOf(baseNameOf(path, isSlash));
    },
    format: (value: unknown) => formatWith("/", value),
    parse: (path: unknown): ParsedPath => {
      checkString(path, "path");
      const root = path.startsWith("/") ? "/" : "";
      const base = baseNameOf(path, isSlash);
      const ext = extensionOf(base);
      const start = path.replace(/\/+$/, "").length - base.length;
      const dir = base === "" ? root : start > 1 ? path.slice(0, start - 1) : root;
      return { root, dir, base, ext, name: base.slice(0, base.length - ext.length) };
    },
    sep: "/", delimiter: ":",
  };
}

const made = new WeakMap<Runtime, Dict>();

export function createPath(runtime: Runtime): Dict {
  const known = made.get(runtime);
  if (known) return known;
  // Programs put their own in its place, tests above all.
  const cwd = (): string => runtime.process.cwd();
  const posix = makePosix(cwd);
  const win32 = makeWin32(cwd);
  let warned = false;
  for (const each of [posix, win32]) {
    each["matchesGlob"] = (path: unknown, pattern: unknown) => {
      if (!warned) runtime.process.emitWarning("glob is an experimental feature and might change at any time", "ExperimentalWarning");
      warned = true;
      checkString(path, "path");
      checkString(pattern, "pattern");
      return matchesGlob(path, pattern, each === win32);
    };
  }
  for (const each of [posix, win32]) for (const [name, value] of Object.entries(each)) if (typeof value === "function") Object.defineProperty(value, "name", { value: name });
  for (const each of [posix, win32]) Object.assign(each, { win32, posix, _makeLong: each["toNamespacedPath"] });
  made.set(runtime, posix);
  return posix;
}
