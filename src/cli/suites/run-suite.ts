// Runs a suite's command twice: with the Node that runs this, and in the container. Times are of the command alone, from
// its start to its end; both places have run a trivial program before.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { encodeTree } from "../../container/snapshot.ts";
import type { ContainerLab } from "../../ui/lab/lab-container.ts";
import { readProject } from "../project-files.ts";
import { countTests } from "./counts.ts";
import { copyForRun } from "./install.ts";
import type { PackageSuite, SuiteRun } from "./package-suite.ts";

export const SNAPSHOT_PATH = "/lab/suite.snapshot";
const LAB_MS = 60_000;

type LabWindow = typeof globalThis & { tabwrightLab?: { container?: ContainerLab } };

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
  const page = await browser.newPage();
  try {
    await page.goto(`${origin}/?lab`);
    await page.waitForFunction(() => (globalThis as LabWindow).tabwrightLab?.container !== undefined, undefined, { timeout: LAB_MS });
    const asked = { snapshotUrl: SNAPSHOT_PATH, command: suite.command, env: ENVIRONMENT, limitMs };
    const end = await page.evaluate(async ({ snapshotUrl, command, env, limitMs: limit }) => {
      const container = await (globalThis as LabWindow).tabwrightLab!.container!.boot();
      await container.mount(new Uint8Array(await (await fetch(snapshotUrl)).arrayBuffer()));
      await (await container.spawn("node", ["-e", "0"])).exit;
      const startedMs = performance.now();
      const child = await container.spawn("sh", ["-c", command], { env: { ...env, PATH: `${container.workdir}/node_modules/.bin:${container.path}` } });
      let output = "";
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill();
      }, limit);
      // A method: a named arrow function would need a helper of the bundler that the page does not have.
      const read = child.output.pipeTo(
        new WritableStream({
          write(text) {
            output += text;
          },
        }),
      );
      const exitCode = await child.exit;
      const durationMs = performance.now() - startedMs;
      clearTimeout(timer);
      await Promise.race([read, new Promise((resolve) => setTimeout(resolve, 2000))]);
      return { exitCode: late ? null : exitCode, output, durationMs };
    }, asked);
    return { ...end, counts: countTests(suite.runner, end.output, end.exitCode) };
  } finally {
    await page.close();
  }
}
