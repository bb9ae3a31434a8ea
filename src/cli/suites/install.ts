// Fetches a package with real npm into a cache outside the repository: the published files, the package's own
// dependencies, and what its tests need. Lifecycle scripts stay off.
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AppError } from "../../base/errors.ts";
import { type PackageSuite, REGISTRY_DATE } from "./package-suite.ts";

const run = promisify(execFile);
const OWN_SUITES = fileURLToPath(new URL("../../../test/fixtures/suites/", import.meta.url));
const INSTALL_MS = 240_000;
/** Written last: a folder that has it is whole and was made for these very needs. */
const STAMP = ".tabwright-suite";

/** TABWRIGHT_SUITES, else a folder of the user's cache. */
export function cacheFolder(): string {
  return process.env["TABWRIGHT_SUITES"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tabwright", "suites");
}

/** The folder of the installed package; from the cache when it is there. Throws `command/usage` with npm's words. */
export async function installSuite(suite: PackageSuite, cache = cacheFolder()): Promise<string> {
  const folder = join(cache, `${suite.name.replaceAll("/", "+")}@${suite.version}+${suite.runner.replace(":", "-")}`);
  const stamp = JSON.stringify([suite.needs ?? [], REGISTRY_DATE, ...(suite.overrides ? [suite.overrides] : []), ...(suite.builds ? [suite.builds] : [])]);
  if (suite.folder === undefined && existsSync(join(folder, STAMP)) && (await readFile(join(folder, STAMP), "utf8")) === stamp) return folder;
  const making = `${folder}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  const npm = (args: readonly string[], cwd: string) => run("npm", [...args, "--silent"], { cwd, timeout: INSTALL_MS, maxBuffer: 16 * 2 ** 20 });
  try {
    const files = join(making, "files");
    if (suite.folder !== undefined) await cp(join(OWN_SUITES, suite.folder), files, { recursive: true });
    else {
      const { stdout } = await npm(["pack", `${suite.name}@${suite.version}`, "--pack-destination", making], making);
      await run("tar", ["xzf", join(making, stdout.trim().split("\n").at(-1) ?? ""), "-C", making, "--one-top-level=files", "--strip-components=1", "--no-same-permissions", "--no-same-owner"]);
    }
    const manifest = JSON.parse(await readFile(join(files, "package.json"), "utf8")) as Record<string, unknown>;
    manifest["devDependencies"] = Object.fromEntries([...(suite.needs ?? []), ...(suite.builds ?? [])].map(nameAndVersion));
    if (suite.overrides) manifest["overrides"] = suite.overrides;
    await writeFile(join(files, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    await npm(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", "--no-package-lock", ...(suite.builds ? ["--force"] : []), `--before=${REGISTRY_DATE}`], files);
    await writeFile(join(files, STAMP), stamp);
    await rm(folder, { recursive: true, force: true });
    await rename(files, folder);
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim() || (cause as Error).message;
    throw new AppError("command/usage", `${suite.name}@${suite.version} could not be installed: ${said.split("\n").at(-1)} Check the name and the registry, then run this again.`, { cause });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}

/** `@scope/name@1.2.3` as its two parts. */
function nameAndVersion(spec: string): [string, string] {
  const at = spec.lastIndexOf("@");
  if (at <= 0) throw new AppError("bug", `${spec} names no version.`);
  return [spec.slice(0, at), spec.slice(at + 1)];
}

/** The licence that the package states. */
export async function licenceOf(folder: string): Promise<string> {
  const { license, licenses } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { license?: string | { type?: string }; licenses?: { type?: string }[] };
  const stated = license ?? licenses?.[0];
  return (typeof stated === "string" ? stated : stated?.type) ?? "not stated";
}

/** A copy for one run: tests write beside themselves. */
export async function copyForRun(folder: string, to: string): Promise<void> {
  await cp(folder, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith(STAMP) });
}
