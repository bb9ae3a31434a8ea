// path.win32: Windows paths as Node reads them - drives, UNC roots, both slashes, reserved names.
import { checkString } from "../errors.ts";
import { type ParsedPath, baseNameOf, extensionOf, formatWith, normalizeParts } from "./path-common.ts";

const isSlash = (character: string | undefined): boolean => character === "/" || character === "\\";
const isLetter = (character: string | undefined): boolean => character !== undefined && /^[a-z]$/i.test(character);

interface Root {
  /** Drive ("C:") or share ("\\\\server\\share"); empty for none. */
  readonly device: string;
  /** How many characters the root takes, its slash included. */
  readonly length: number;
  readonly isAbsolute: boolean;
}

/** The share of `//server/share/…`: both names must be there. */
function uncRoot(path: string): Root | undefined {
  const found = /^[\\/]{2}([^\\/]+)[\\/]+([^\\/]+)([\\/]?)/.exec(path);
  if (!found) return undefined;
  const [whole, server, share] = found;
  return { device: `\\\\${server}\\${share}`, length: whole.length, isAbsolute: true };
}

function rootOf(path: string): Root {
  if (isSlash(path[0])) return uncRoot(path) ?? { device: "", length: 1, isAbsolute: true };
  if (!isLetter(path[0]) || path[1] !== ":") return { device: "", length: 0, isAbsolute: false };
  const isAbsolute = isSlash(path[2]);
  return { device: path.slice(0, 2), length: isAbsolute ? 3 : 2, isAbsolute };
}

export function makeWin32(cwd: () => string): Record<string, unknown> {
  const resolve = (...paths: unknown[]): string => {
    let device = "";
    let tail = "";
    let isAbsolute = false;
    for (let k = paths.length - 1; k >= -1; k--) {
      let path: string;
      if (k >= 0) {
        checkString(paths[k], `paths[${k}]`);
        path = paths[k] as string;
        if (path === "") continue;
      } else if (device === "") path = cwd();
      else path = `${device}\\`;
      const root = rootOf(path);
      if (root.device !== "") {
        if (device !== "") {
          if (root.device.toLowerCase() !== device.toLowerCase()) continue;
        } else device = root.device;
      }
      if (isAbsolute) {
        if (device !== "") break;
        continue;
      }
      tail = `${path.slice(root.length)}\\${tail}`;
      isAbsolute = root.isAbsolute;
      if (isAbsolute && device !== "") break;
    }
    tail = normalizeParts(tail, !isAbsolute, "\\", isSlash);
    return (isAbsolute ? `${device}\\${tail}` : `${device}${tail}`) || ".";
  };
  const normalize = (path: unknown): string => {
    checkString(path, "path");
    if (path === "") return ".";
    if (path.length === 1) return path === "/" ? "\\" : path;
    // A device (\\\\.\\COM1) keeps its two parts apart.
    const root = /^[\\/]{2}[.?][\\/]/.test(path) ? { device: `\\\\${path[2]}`, length: 4, isAbsolute: true } : rootOf(path);
    const unc = root.device.startsWith("\\\\");
    if (unc && root.length === path.length && !isSlash(path.at(-1))) return `${root.device}\\`;
    let tail = root.length < path.length ? normalizeParts(path.slice(root.length), !root.isAbsolute, "\\", isSlash) : "";
    if (tail === "" && !root.isAbsolute) tail = ".";
    if (tail !== "" && isSlash(path.at(-1))) tail += "\\";
    // A relative path must not become one of a drive by losing what stood before.
    if (!root.isAbsolute && root.device === "" && (/:(?:[\\/]|$)/.test(path) || (path.includes(":") && /^[a-z]:/i.test(tail)))) return `.\\${tail}`;
    if (root.device === "") return root.isAbsolute ? `\\${tail}` : tail;
    return root.isAbsolute ? `${root.device}\\${tail}` : `${root.device}${tail}`;
  };
  const join = (...paths: unknown[]): string => {
    let joined: string | undefined;
    let first = "";
    for (const path of paths) {
      checkString(path, "path");
      if (path === "") continue;
      if (joined === undefined) joined = first = path;
      else joined += `\\${path}`;
    }
    if (joined === undefined) return ".";
    // Only a first part that is a share itself may begin with two slashes.
    let replace = true;
    let slashes = 0;
    if (isSlash(first[0])) {
      slashes++;
      if (first.length > 1 && isSlash(first[1])) {
        slashes++;
        if (first.length > 2) {
          if (isSlash(first[2])) slashes++;
          else replace = false;
        }
      }
    }
    if (replace) {
      while (slashes < joined.length && isSlash(joined[slashes])) slashes++;
      if (slashes >= 2) joined = `\\${joined.slice(slashes)}`;
    }
    return normalize(joined);
  };
  const isAbsolute = (path: unknown): boolean => {
    checkString(path, "path");
    return isSlash(path[0]) || (isLetter(path[0]) && path[1] === ":" && isSlash(path[2]));
  };
  const relative = (from: unknown, to: unknown): string => {
    checkString(from, "from");
    checkString(to, "to");
    if (from === to) return "";
    const [fromFull, toFull] = [resolve(from), resolve(to)];
    if (fromFull.toLowerCase() === toFull.toLowerCase()) return "";
    const trim = (path: string): string => path.replace(/^\\+|\\+$/g, "");
    const [a, b] = [trim(fromFull).split("\\"), trim(toFull).split("\\")];
    let same = 0;
    while (same < a.length && same < b.length && a[same]?.toLowerCase() === b[same]?.toLowerCase()) same++;
    if (same === 0) return toFull;
    return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("\\");
  };
  const dirname = (path: unknown): string => {
    checkString(path, "path");
    if (path === "") return ".";
    if (path.length === 1) return isSlash(path) ? path : ".";
    const root = dirRoot(path);
    if (root === path.length && path.startsWith("\\\\")) return path;
    let end = path.length;
    while (end > root && isSlash(path[end - 1])) end--;
    while (end > root && !isSlash(path[end - 1])) end--;
    if (end <= root) return root === 0 ? "." : path.slice(0, root);
    return path.slice(0, end - 1);
  };
  const afterDrive = (path: string): string => (isLetter(path[0]) && path[1] === ":" ? path.slice(2) : path);
  const parse = (path: unknown): ParsedPath => {
    checkString(path, "path");
    if (path === "") return { root: "", dir: "", base: "", ext: "", name: "" };
    const length = dirRoot(path);
    const root = path.slice(0, length);
    const rest = path.slice(length);
    const base = baseNameOf(rest, isSlash);
    const ext = extensionOf(base);
    const start = length + rest.replace(/[\\/]+$/, "").length - base.length;
    const dir = start > length ? path.slice(0, start - 1) : root;
    return { root, dir, base, ext, name: base.slice(0, base.length - ext.length) };
  };
  return {
    resolve, normalize, isAbsolute, join, relative,
    toNamespacedPath: (path: unknown) => {
      if (typeof path !== "string" || path.length === 0) return path;
      const resolved = resolve(path);
      if (resolved.length <= 2) return path;
      if (resolved.startsWith("\\\\") && !/^\\\\[?.]/.test(resolved)) return `\\\\?\\UNC\\${resolved.slice(2)}`;
      return isLetter(resolved[0]) && resolved[1] === ":" && resolved[2] === "\\" ? `\\\\?\\${resolved}` : path;
    },
    dirname,
    basename: (path: unknown, suffix?: unknown) => {
      if (suffix !== undefined) checkString(suffix, "suffix");
      checkString(path, "path");
      return baseNameOf(afterDrive(path), isSlash, suffix, path);
    },
    extname: (path: unknown) => {
      checkString(path, "path");
      return extensionOf(baseNameOf(afterDrive(path), isSlash));
    },
    format: (value: unknown) => formatWith("\\", value), parse, sep: "\\", delimiter: ";",
  };
}

/** Length of the root as `dirname` and `parse` cut it. */
function dirRoot(path: string): number {
  const unc = uncRoot(path);
  if (unc) return unc.length;
  return rootOf(path).length;
}
