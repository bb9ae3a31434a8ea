// node_modules is not stored with a project: it is made again from the lockfile and the packages this browser keeps.
import type { RunResult, Sandbox } from "./sandbox.ts";

/** Packages of a large project are many files; they come from this browser, not over a line. */
const REBUILD_MS = 120_000;

/**
 * `npm ci --offline`, for a project that has a lockfile. Undefined when it has none: then there is nothing to go by.
 * A package that is not kept any more fails it by name (ENOTCACHED), and nothing is installed: `npm ci` with a network helps.
 */
export async function rebuildNodeModules(sandbox: Sandbox, signal?: AbortSignal): Promise<RunResult | undefined> {
  if (!(await sandbox.list()).includes("package-lock.json")) return undefined;
  return sandbox.run("npm ci --offline --no-fund", { timeoutMs: REBUILD_MS }, signal);
}
