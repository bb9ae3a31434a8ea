// `npm exec` and `npx`: a command of the project's packages; else of a package that is fetched into the home folder.
import { joinPath, parentPath } from "../posix-path.ts";
import { makeConfig, type Parsed } from "./config.ts";
import { NpmError } from "./error.ts";
import { foldersOf, type Project, writePackageJson } from "./host.ts";
import { install, say } from "./install.ts";
import type { Manifest } from "./manifest.ts";
import { integrityOf } from "./tarball.ts";
import { parseArgument } from "./spec.ts";

/** Resolves with the command's code. */
export async function exec(project: Project, words: readonly string[], parsed: Parsed): Promise<number> {
  const { host, config } = project;
  const call = config.get("call");
  const packages = parsed.options.get("package") ?? [];
  const [first, ...args] = words;
  if (first === undefined && call === undefined) throw new NpmError("", "npx needs the name of a command, for example: npx mocha", { notes: [] });
  const wanted = packages.length > 0 || first === undefined ? packages : [first];
  const spec = wanted.length === 1 ? parseArgument(wanted[0] ?? "") : undefined;
  const unversioned = packages.length === 0 && spec && "wanted" in spec && spec.wanted === "*";
  if (unversioned && first !== undefined) {
    const local = localBinary(project, spec.name) ?? (host.vfs.exists(joinPath(project.path, `node_modules/${spec.name}/package.json`)) ? binaryOf(project, project.path, first) : undefined);
    if (local !== undefined) return host.run(local, args, { cwd: host.cwd, env: host.env });
  }
  const folder = wanted.length === 0 ? project.path : await fetched(project, wanted);
  const env = { ...host.env, PATH: `${joinPath(folder, "node_modules/.bin")}:${host.env["PATH"] ?? ""}` };
  if (call !== undefined) return host.run("sh", ["-c", call], { cwd: host.cwd, env });
  const binary = packages.length > 0 ? joinPath(folder, `node_modules/.bin/${first ?? ""}`) : binaryOf(project, folder, wanted[0] ?? "");
  if (host.vfs.find(binary)?.kind !== "file") throw new NpmError("", `could not determine executable to run`, { notes: [`${wanted.join(", ")} has no command ${first ?? ""}.`] });
  return host.run(binary, args, { cwd: host.cwd, env });
}

function localBinary({ host: { vfs, cwd } }: Project, name: string): string | undefined {
  for (let folder = cwd; ; folder = parentPath(folder)) {
    const path = joinPath(folder, `node_modules/.bin/${name}`);
    if (vfs.find(path)?.kind === "file") return vfs.realpath(path);
    if (folder === "/") return undefined;
  }
}

/** Installs into a folder of its own, once for each set of packages. */
async function fetched(project: Project, wanted: readonly string[]): Promise<string> {
  const { host, config } = project;
  const key = (await integrityOf(new TextEncoder().encode([...wanted].sort().join("\n")))).replace(/[^a-zA-Z0-9]/g, "").slice(6, 22).toLowerCase();
  const folder = joinPath(host.env["HOME"] ?? "/home", `.npm/_npx/${key}`);
  if (host.vfs.find(joinPath(folder, "node_modules/.package-lock.json"))) return folder;
  if (config.get("yes") === "false") throw new NpmError("", `npx canceled due to missing packages and no YES option: ${JSON.stringify(wanted)}`);
  say(project, "warn", `exec The following package${wanted.length === 1 ? " was" : "s were"} not found and will be installed: ${wanted.join(", ")}`);
  host.vfs.mkdir(folder, { recursive: true });
  writePackageJson(host.vfs, folder, { _npx: { packages: wanted } });
  // npx speaks only of what went wrong.
  const quiet = makeConfig(new Map([["loglevel", ["silent"]], ["registry", [config.registryOf("")]]]), host.env, []);
  await install({ ...project, path: folder, config: { ...config, get: (name) => (name === "loglevel" ? "silent" : config.get(name)), flag: (name, fallback) => (/^save|^package-lock|^dry-run|^global/.test(name) ? quiet.flag(name, fallback) : config.flag(name, fallback)) } }, { add: wanted });
  return folder;
}

/** A package's only command, or the one that is called as the package is. */
function binaryOf({ host: { vfs } }: Project, folder: string, word: string): string {
  const asked = parseArgument(word);
  const names = Object.keys(foldersOf(vfs).manifest(folder)?.dependencies ?? {});
  const name = asked.name !== "" ? asked.name : (names[0] ?? "");
  const manifest: Manifest | undefined = foldersOf(vfs).manifest(joinPath(folder, `node_modules/${name}`));
  const bins = Object.entries(manifest?.bin ?? {});
  const plain = (manifest?.name ?? name).split("/").pop() ?? "";
  const chosen = bins.length === 1 || new Set(bins.map(([, path]) => path)).size === 1 ? bins[0] : bins.find(([bin]) => bin === plain);
  if (!chosen) throw new NpmError("", "could not determine executable to run", { notes: [`${word} has ${bins.length === 0 ? "no commands" : `these: ${bins.map(([bin]) => bin).join(", ")}. Choose one: npx -p ${word} COMMAND`}`] });
  return joinPath(folder, `node_modules/.bin/${chosen[0]}`);
}
