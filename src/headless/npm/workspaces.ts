// `workspaces` of package.json, or pnpm's file: the folders of the project that are packages themselves.
import { globMatcher } from "../kernel/glob.ts";
import { joinPath } from "../posix-path.ts";
import { type Manifest, record, texts } from "./manifest.ts";

/** What is known of folders on the disk. */
export interface Folders {
  /** Names of the folders in a folder; none if there is no such folder. */
  list(path: string): readonly string[];
  /** Its package.json; undefined if there is none that can be read. */
  manifest(path: string): Manifest | undefined;
  /** Its pnpm-workspace.yaml: projects of pnpm's name their packages there. */
  workspaceFile(path: string): string | undefined;
}

/** By path, in order. A pattern that begins with `!` takes folders out again. */
export function findWorkspaces(root: string, manifest: Manifest, folders: Folders): ReadonlyMap<string, Manifest> {
  const { workspaces } = manifest.raw;
  const named = texts(Array.isArray(workspaces) ? workspaces : record(workspaces)["packages"]);
  const patterns = (named.length > 0 ? named : listOf(folders.workspaceFile(root) ?? "")).map((pattern) => pattern.replace(/^\.\//, "").replace(/\/+$/, ""));
  const found = new Map<string, Manifest>();
  if (patterns.length === 0) return found;
  const wanted = globMatcher(patterns.filter((pattern) => !pattern.startsWith("!")));
  const unwanted = globMatcher(patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1)));
  const depth = patterns.some((pattern) => pattern.includes("**")) ? 20 : Math.max(...patterns.map((pattern) => pattern.split("/").length));
  const visit = (path: string, below: string, level: number): void => {
    for (const name of folders.list(path)) {
      if (name === "node_modules" || name.startsWith(".")) continue;
      const here = below === "" ? name : `${below}/${name}`;
      const own = wanted(here) && !unwanted(here) ? folders.manifest(joinPath(path, name)) : undefined;
      if (own) found.set(joinPath(path, name), own.name === "" ? { ...own, name } : own);
      if (level < depth) visit(joinPath(path, name), here, level + 1);
    }
  };
  visit(root, "", 1);
  return found;
}

/** The packages of a pnpm-workspace.yaml. */
function listOf(yaml: string): readonly string[] {
  const block = /^packages:[ \t]*\n((?:[ \t]*(?:-.*|#.*)?\n?)*)/m.exec(yaml)?.[1] ?? "";
  return [...block.matchAll(/^\s*-\s*(["']?)(.+?)\1\s*(?:#.*)?$/gm)].map((match) => match[2] ?? "");
}
