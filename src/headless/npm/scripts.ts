// Scripts that packages want to run when they are installed. They run whatever their author wrote, so they are off unless
// the project's owner allows them, and the ones that did not run are named.
import { NpmError } from "./error.ts";
import { foldersOf, type Project } from "./host.ts";
import { say } from "./install.ts";
import type { Manifest } from "./manifest.ts";
import { nameOf } from "./place.ts";
import { environment, NPM } from "./run-script.ts";
import type { TreeNode } from "./tree.ts";

const OF_PACKAGES = ["preinstall", "install", "postinstall"];
const OF_THE_PROJECT = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];
const SHOWN = 8;

export async function runInstallScripts(project: Project, root: TreeNode, packages: readonly TreeNode[]): Promise<void> {
  const own = OF_THE_PROJECT.filter((name) => name in root.manifest.scripts && !project.config.flag("package-lock-only"));
  if (!areAllowed(project)) return notice(project, packages, own);
  for (const node of packages) {
    const manifest = foldersOf(project.host.vfs).manifest(node.path);
    if (manifest) for (const event of OF_PACKAGES) await runScript(project, node.path, manifest, event);
  }
  for (const event of own) await runScript(project, root.path, root.manifest, event);
}

/** `ignore-scripts=false` in .npmrc or on the command line; who asks for scripts in the foreground asks for them as well. */
function areAllowed({ config }: Project): boolean {
  return config.get("ignore-scripts") === "false" || (config.get("ignore-scripts") === undefined && config.flag("foreground-scripts"));
}

function notice(project: Project, packages: readonly TreeNode[], own: readonly string[]): void {
  if (packages.length === 0 && own.length === 0) return;
  if (project.config.get("ignore-scripts") === "true") return; // asked for
  const names = packages.map(nameOf);
  const listed = names.length > SHOWN ? `${names.slice(0, SHOWN).join(", ")} and ${names.length - SHOWN} more` : names.join(", ");
  if (names.length > 0) say(project, "notice", `install scripts were not run: ${listed}`);
  if (own.length > 0) say(project, "notice", `this project's own ${own.join(", ")} did not run either`);
  say(project, "notice", "to allow them: npm install --foreground-scripts, or ignore-scripts=false in .npmrc");
}

async function runScript({ host }: Project, folder: string, manifest: Manifest, event: string): Promise<void> {
  const script = manifest.scripts[event];
  if (script === undefined) return;
  host.out(`\n> ${manifest.name}@${manifest.version} ${event}\n> ${script}\n\n`);
  const env = { ...environment(host, { path: folder, manifest }, event, script, NPM), npm_command: "install" };
  const code = await host.run("sh", ["-c", script], { cwd: folder, env });
  if (code === 0) return;
  throw new NpmError("ELIFECYCLE", `command failed: sh -c ${script}`, { exitCode: code, notes: [`path ${folder}`, `${manifest.name}@${manifest.version} ${event} ended with ${code}. The packages are installed; this script has not done its work.`] });
}
