// Tests in the container: one headless browser, one container, a project beside the other for every host. What runs there
// reaches neither files nor network of this machine.
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeTree } from "../../container/snapshot.ts";
import type { FileTree } from "../../project/tree.ts";
import type { TestHost } from "../../tasks/making/host.ts";
import type { Lab } from "../../ui/lab/lab.ts";
import { pack } from "../../ui/lab/lab-solve.ts";
import { launchBrowser } from "../browser.ts";
import { buildIfNeeded } from "../build.ts";
import { readProject } from "../project-files.ts";
import { serveSite } from "../serve.ts";
import type { Hosts } from "./make.ts";

const SNAPSHOT_PATH = "/lab/packages.snapshot";
const LAB_MS = 60_000;

type LabWindow = typeof globalThis & { tabwrightLab?: Lab };

/** `packages`: a node_modules folder that the project needs. */
export async function containerHosts(count: number, packages?: string): Promise<Hosts> {
  await buildIfNeeded();
  const scratch = await mkdtemp(join(tmpdir(), "tabwright-tasks-"));
  const snapshot = join(scratch, "packages.snapshot");
  const hasPackages = packages !== undefined && existsSync(packages);
  if (hasPackages) await writeFile(snapshot, await packagesSnapshot(packages));
  const site = await serveSite({ port: 0, ...(hasPackages ? { files: new Map([[SNAPSHOT_PATH, snapshot]]) } : {}) });
  const browser = await launchBrowser({ webgpu: false });
  const close = async (): Promise<void> => {
    await browser.close();
    await site.close();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    const page = await browser.newPage();
    await page.goto(`${site.origin}/?lab`);
    await page.waitForFunction(() => (globalThis as LabWindow).tabwrightLab?.tasks !== undefined, undefined, { timeout: LAB_MS });
    await page.evaluate(([slots, url]) => (globalThis as LabWindow).tabwrightLab!.tasks.open(slots, url), [count, hasPackages ? SNAPSHOT_PATH : undefined] as const);
    const host = (slot: number): TestHost => {
      let sent: FileTree = new Map();
      return {
        run(files, command, timeoutMs) {
          const isSent = (path: string, bytes: Uint8Array): boolean => sent.get(path) === bytes || (sent.has(path) && Buffer.from(bytes).equals(sent.get(path)!));
          const changed = new Map([...files].filter(([path, bytes]) => !isSent(path, bytes)));
          const removed = [...sent.keys()].filter((path) => !files.has(path));
          sent = files;
          return page.evaluate((asked) => (globalThis as LabWindow).tabwrightLab!.tasks.run(...asked), [slot, pack(changed), removed, command, timeoutMs] as const);
        },
        close: () => Promise.resolve(),
      };
    };
    return { where: `the container, ${count} at once`, list: Array.from({ length: count }, (_, i) => host(i)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function packagesSnapshot(folder: string): Promise<Uint8Array> {
  const { files, links } = await readProject(folder, [".cache"]);
  const below = <T>(map: ReadonlyMap<string, T>): Map<string, T> => new Map([...map].map(([path, value]) => [`node_modules/${path}`, value]));
  return encodeTree(below(files), below(links));
}
