// A script of package.json with its `pre…` and `post…`, each through the shell, in the words of the package manager that was
// asked. `npm run` of one package does not come here: the kernel starts it itself (kernel/npm.ts).
import { npmTitleOf, scriptEnv } from "../kernel/npm.ts";
import type { Env } from "../executables.ts";
import { packageFolder, quote } from "../kernel/plan.ts";
import { joinPath, parentPath } from "../posix-path.ts";
import { foldersOf, type Host } from "./host.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { PLATFORM } from "./pick.ts";

/** A folder with its package.json. */
export interface Package {
  readonly path: string;
  readonly manifest: Manifest;
}

export interface Manner {
  readonly agent: "npm" | "yarn" | "pnpm";
  readonly version: string;
  /** Whether `preX` and `postX` run with X. */
  readonly hooks: boolean;
  /** Said before each script; `line` has its arguments. */
  banner(of: Package, event: string, line: string): string;
  /** Where the scripts' output goes; absent: where the manager's own goes. */
  readonly output?: (data: Uint8Array) => void;
}

export const titleOf = ({ manifest: { name, version } }: Package): string => (version === "" ? name : `${name}@${version}`);

export const NPM: Manner = { agent: "npm", version: PLATFORM.npm, hooks: true, banner: (of, event, line) => `\n> ${npmTitleOf(of.manifest)}${event}\n> ${line}\n\n` };

/** The package whose folder `cwd` is in; one without a name where there is none. */
export function packageAt(host: Host, cwd: string): Package {
  const path = packageFolder(host.vfs, cwd);
  return { path, manifest: foldersOf(host.vfs).manifest(path) ?? readManifest({}) };
}

/** The package whose folder `cwd` is in, then those above it. */
export function* packagesFrom(host: Host, cwd: string): Generator<Package> {
  for (let at = packageAt(host, cwd); ; ) {
    yield at;
    const above = packageAt(host, parentPath(at.path));
    if (at.path === "/" || !at.path.startsWith(`${above.path}/`) || host.vfs.find(joinPath(above.path, "package.json")) === undefined) return;
    at = above;
  }
}

/** Resolves with the code of the first that fails, else with 0. The script must be there. */
export async function runScript(host: Host, of: Package, name: string, args: readonly string[], manner: Manner): Promise<number> {
  for (const event of manner.hooks ? [`pre${name}`, name, `post${name}`] : [name]) {
    const script = of.manifest.scripts[event];
    if (script === undefined) continue;
    const line = event === name ? [script, ...args.map(quote)].join(" ") : script;
    host.out(manner.banner(of, event, line));
    const code = await host.run("sh", ["-c", line], { cwd: of.path, env: environment(host, of, event, script, manner), ...(manner.output ? { output: manner.output } : {}) });
    if (code !== 0) return code;
  }
  return 0;
}

/** What a script, or a program that a manager starts, finds in its environment. */
export function environment(host: Host, { path, manifest }: Package, event: string, script: string, { agent, version }: Pick<Manner, "agent" | "version">): Env {
  const own = scriptEnv(host.env, manifest, path, host.cwd, event, script);
  const paths = [...binFolders(path), host.env["PATH"] ?? ""].join(":");
  return agent === "npm" ? { ...own, PATH: paths } : { ...own, PATH: paths, npm_execpath: `/usr/bin/${agent}`, npm_config_user_agent: `${agent}/${version} npm/? node/v20.0.0 linux x64` };
}

/** Of the folder and of those it is in, the nearest first. */
export function binFolders(folder: string): readonly string[] {
  const own = joinPath(folder, "node_modules/.bin");
  return folder === "/" ? [own] : [own, ...binFolders(parentPath(folder))];
}

/** The path of a command of installed packages. */
export function findBinary(host: Host, folder: string, name: string): string | undefined {
  return binFolders(folder).map((bin) => joinPath(bin, name)).find((path) => host.vfs.find(path)?.kind === "file");
}
