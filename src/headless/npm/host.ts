// What an npm command has: the file system, a registry, a place for its words, processes to start. The Worker has them by
// messages to the kernel; tests give their own.
import { FsError } from "../fs-error.ts";
import { joinPath, parentPath } from "../posix-path.ts";
import type { Vfs } from "../vfs.ts";
import type { Config } from "./config.ts";
import { NpmError } from "./error.ts";
import { type Json, type Manifest, readManifest, record } from "./manifest.ts";
import type { Folders } from "./workspaces.ts";

/** The only network there is: two questions. Both throw NpmError: E404, ENEEDCONSENT, EOFFLINE, … */
export interface Registry {
  /** A package's document, as JSON. `registry` ends with a slash. */
  document(registry: string, name: string): Promise<unknown>;
  /** Bytes of a tarball; from the cache when one is there under this hash. They are not checked yet. */
  tarball(registry: string, url: string, integrity: string): Promise<Uint8Array>;
}

export interface Host {
  /** Changes are seen by others only after `commit`. */
  readonly vfs: Vfs;
  readonly registry: Registry;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** True when stdout is a terminal. */
  readonly terminal: boolean;
  out(text: string): void;
  err(text: string): void;
  /** All changes since the last time, at once. */
  commit(): Promise<void>;
  /** Runs it to its end with this process's input, and its output unless another is given; resolves with its code. */
  run(command: string, args: readonly string[], options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly output?: (data: Uint8Array) => void }): Promise<number>;
}

/** This container's npm on the host's project, for the managers that leave installing to it; resolves with the exit code. */
export type RunNpm = (host: Host, argv: readonly string[]) => Promise<number>;

export interface Project {
  readonly host: Host;
  readonly config: Config;
  /** The folder whose package.json counts. */
  readonly path: string;
}

/** The nearest folder upwards with a package.json or node_modules; else `cwd`. */
export function findProject(vfs: Vfs, cwd: string): string {
  for (let folder = cwd; folder !== "/"; folder = parentPath(folder)) {
    if (vfs.find(joinPath(folder, "package.json"))?.kind === "file" || vfs.find(joinPath(folder, "node_modules"))?.kind === "dir") return folder;
  }
  return cwd;
}

export function readText(vfs: Vfs, path: string): string | undefined {
  return vfs.find(path)?.kind === "file" ? new TextDecoder().decode(vfs.readFile(path)) : undefined;
}

export function writeText(vfs: Vfs, path: string, text: string): void {
  if (readText(vfs, path) !== text) vfs.writeFile(path, new TextEncoder().encode(text));
}

/** Throws ENOENT and EJSONPARSE in npm's words. */
export function readPackageJson(vfs: Vfs, folder: string): Json {
  const path = joinPath(folder, "package.json");
  let contents: string;
  try {
    contents = new TextDecoder().decode(vfs.readFile(path));
  } catch (cause) {
    if (!(cause instanceof FsError)) throw cause;
    throw new NpmError(cause.code, "", {
      exitCode: 254,
      cause,
      notes: ["syscall open", `path ${path}`, `errno ${cause.errno}`, `${cause.code.toLowerCase()} Could not read package.json: Error: ${cause.message}`, `${cause.code.toLowerCase()} This is related to npm not being able to find a file.`, cause.code.toLowerCase()],
    });
  }
  try {
    return record(JSON.parse(contents.replace(/^\uFEFF/, "")));
  } catch (cause) {
    throw new NpmError("EJSONPARSE", "", {
      cause,
      notes: [`path ${path}`, `JSON.parse Invalid package.json: JSONParseError: ${(cause as Error).message}`, "JSON.parse Failed to parse JSON data.", "JSON.parse Note: package.json must be actual JSON, not just JavaScript."],
    });
  }
}

/** With the file's own indentation and last line break. */
export function writePackageJson(vfs: Vfs, folder: string, json: Json): void {
  const path = joinPath(folder, "package.json");
  const old = readText(vfs, path);
  const indent = old === undefined ? "  " : (/^[ \t]+/m.exec(old)?.[0] ?? "  ");
  writeText(vfs, path, JSON.stringify(json, null, indent) + (old === undefined || old.endsWith("\n") ? "\n" : ""));
}

export function foldersOf(vfs: Vfs): Folders {
  return {
    list: (path) => (vfs.find(path)?.kind === "dir" ? [...vfs.dir(path).entries].filter(([, node]) => node.kind === "dir").map(([name]) => name).sort() : []),
    manifest(path): Manifest | undefined {
      const contents = readText(vfs, joinPath(path, "package.json"));
      if (contents === undefined) return undefined;
      try {
        return readManifest(JSON.parse(contents));
      } catch {
        return undefined; // not a package
      }
    },
    workspaceFile: (path) => readText(vfs, joinPath(path, "pnpm-workspace.yaml")),
  };
}
