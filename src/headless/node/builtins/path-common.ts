// What POSIX and Windows paths have in common.
import { invalidArgType } from "../errors.ts";
import type { Dict } from "../runtime.ts";

export interface ParsedPath {
  root: string;
  dir: string;
  base: string;
  ext: string;
  name: string;
}

type IsSlash = (character: string | undefined) => boolean;

/** Without ".", "..", and empty parts; `allowsUp`: leading ".." stay. */
export function normalizeParts(path: string, allowsUp: boolean, separator: string, isSlash: IsSlash): string {
  const parts: string[] = [];
  let part = "";
  for (let k = 0; k <= path.length; k++) {
    if (k < path.length && !isSlash(path[k])) {
      part += path[k];
      continue;
    }
    if (part === "..") {
      if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
      else if (allowsUp) parts.push("..");
    } else if (part !== "" && part !== ".") parts.push(part);
    part = "";
  }
  return parts.join(separator);
}

/** The last part. `whole`: the path as given, of which `path` may be all but the drive. */
export function baseNameOf(path: string, isSlash: IsSlash, suffix?: unknown, whole = path): string {
  if (typeof suffix === "string" && suffix.length > 0 && suffix.length <= whole.length) return suffix === whole ? "" : withoutSuffix(path, isSlash, suffix);
  let end = path.length;
  while (end > 0 && isSlash(path[end - 1])) end--;
  let start = end;
  while (start > 0 && !isSlash(path[start - 1])) start--;
  return path.slice(start, end);
}

/** One scan from the end, as Node does it: slashes at the end stay where the suffix is neither found nor refuted. */
function withoutSuffix(path: string, isSlash: IsSlash, suffix: string): string {
  let left = suffix.length - 1;
  let nameEnd = -1;
  let start = 0;
  let end = -1;
  for (let k = path.length - 1; k >= 0; k--) {
    const character = path[k];
    if (isSlash(character)) {
      if (nameEnd === -1) continue;
      start = k + 1;
      break;
    }
    if (nameEnd === -1) nameEnd = k + 1;
    if (left < 0) continue;
    if (character !== suffix[left]) {
      left = -1;
      end = nameEnd;
    } else if (--left === -1) end = k;
  }
  if (start === end) end = nameEnd;
  else if (end === -1) end = path.length;
  return path.slice(start, end);
}

/** From the last dot, unless that is the first character, or the name is "..". */
export function extensionOf(base: string): string {
  const dot = base.lastIndexOf(".");
  return dot <= 0 || base === ".." ? "" : base.slice(dot);
}

export function formatWith(separator: string, value: unknown): string {
  if (typeof value !== "object" || value === null) throw invalidArgType("pathObject", "object", value);
  const { dir, root, base, name, ext } = value as Dict as Partial<ParsedPath>;
  const folder = dir || root;
  const last = base || `${name || ""}${ext ? `${ext.startsWith(".") ? "" : "."}${ext}` : ""}`;
  if (!folder) return last;
  return folder === root ? `${folder}${last}` : `${folder}${separator}${last}`;
}
