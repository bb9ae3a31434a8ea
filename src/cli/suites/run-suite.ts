// Runs a suite's command twice: with the Node that runs this, and in the container. Times are of the command alone, from
// its start to its end; both places have run a trivial program before.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { encodeTree } from "../../container/snapshot.ts";
import { readProject } from "../project-files.ts";
import { ContainerPage } from "./container-run.ts";
import { countTests } from "./counts.ts";
import { copyForRun } from "./install.ts";
import type { PackageSuite, SuiteRun } from "./package-suite.ts";

export const SNAPSHOT_PATH = "/lab/suite.snapshot";

/** Colours off; what the container's processes see too. */
const ENVIRONMENT = { NO_COLOR: "1", TZ: "UTC" };

/** In a copy of the folder, by this very Node. */
export async function runInNode(suite: PackageSuite, folder: string, limitMs: number): Promise<SuiteRun> {
  const base = await mkdtemp(join(tmpdir(), "tabwright-suite-"));
  const project = join(base, "project");
  await copyForRun(folder, project);
  const startedMs = performance.now();
  try {
    return await new Promise((resolve, reject) => {
      const env = { PATH: `${join(project, "node_modules/.bin")}:${process.env["PATH"]}`, HOME: base, ...ENVIRONMENT };
      const child = spawn("sh", ["-c", suite.command], { cwd: project, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      const timer = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, "SIGKILL"), limitMs);
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
      child.on("error", reject);
      child.on("close", (exitCode) => {
        clearTimeout(timer);
        resolve({ exitCode, output, durationMs: performance.now() - startedMs, counts: countTests(suite.runner, output, exitCode) });
      });
    });
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

/** Writes what the page mounts. */
export async function packSuite(folder: string, snapshot: string): Promise<void> {
  const { files, links } = await readProject(folder);
  await writeFile(snapshot, encodeTree(files, links));
}

/** In a page and a container of its own; `origin` serves the app and the packed suite. */
export async function runInContainer(browser: Browser, origin: string, suite: PackageSuite, limitMs: number): Promise<SuiteRun> {
  const page = await ContainerPage.open(browser, origin, SNAPSHOT_PATH);
  try {
    await page.run("node", ["-e", "0"], limitMs);
    const end = await page.run("sh", ["-c", suite.command], limitMs, { ...ENVIRONMENT, PATH: `${page.workdir}/node_modules/.bin:${page.path}` });
    return { ...end, counts: countTests(suite.runner, end.output, end.exitCode) };
  } finally {
    await page.close();
  }
}
