// `npm run NAME --workspaces`, `-w NAME`, and `npm exec` with them: the same thing in some of the project's packages, one after
// the other, in npm's words. A failure in one does not keep the others from running.
import { joinPath, resolvePath } from "../posix-path.ts";
import type { Parsed } from "./config.ts";
import { NpmError } from "./error.ts";
import { foldersOf, type Project } from "./host.ts";
import { NPM, type Package, packageAt, runScript, titleOf } from "./run-script.ts";
import { findWorkspaces } from "./workspaces.ts";

/** Those that `-w` names, by name or by folder; all for `--workspaces`; with the root first if it is asked for. Throws npm's error for none. */
export function chosenWorkspaces({ host, config, path }: Project): readonly Package[] {
  const folders = foldersOf(host.vfs);
  const root = packageAt(host, path);
  const all = [...findWorkspaces(path, root.manifest, folders)].map(([folder, manifest]) => ({ path: folder, manifest }));
  const names = config.list("workspace");
  const found = names.length === 0 ? all : all.filter((one) => names.some((name) => one.manifest.name === name || `${one.path}/`.startsWith(`${resolvePath(name, host.cwd)}/`) || one.path === joinPath(path, name)));
  if (found.length === 0) throw new NpmError("", `No workspaces found${names.length > 0 ? `:\n${names.map((name) => `  --workspace=${name}`).join("\n")}` : "!"}`);
  return config.flag("include-workspace-root") ? [root, ...found] : found;
}

/** Resolves with the code of the last that failed. */
export async function runInWorkspaces(project: Project, name: string, words: readonly string[], { rest }: Pick<Parsed, "rest">): Promise<number> {
  const { host, config } = project;
  const silent = config.get("loglevel") === "silent";
  const manner = silent ? { ...NPM, banner: () => "" } : NPM;
  const chosen = chosenWorkspaces(project);
  let code = 0;
  for (const one of chosen) {
    const isMissing = one.manifest.scripts[name] === undefined;
    if (isMissing && config.flag("if-present")) continue;
    const ended = isMissing ? 1 : await runScript(host, one, name, [...words, ...rest], manner);
    if (ended === 0) continue;
    code = ended;
    if (silent) continue;
    const where = [`workspace ${titleOf(one)}`, `location ${one.path}`];
    const lines = isMissing
      ? [...where, `Missing script: "${name}"`, "", "To see a list of scripts, run:", `  npm run --workspace=${titleOf(one)}`]
      : [`code ${ended}`, `path ${one.path}`, ...where, "command failed", `command sh -c ${one.manifest.scripts[name] ?? ""}`];
    host.err([`Lifecycle script \`${name}\` failed with error:`, ...lines].map((line) => `npm error ${line}`.trimEnd() + "\n").join("") + (one === chosen.at(-1) ? "" : "\n"));
  }
  return code;
}
