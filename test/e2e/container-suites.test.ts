// Published test suites of packages that this project installs anyway, with the runners it installs: in real Node and in
// the container the same counts and the same exit code. All the suites: `npm run suites`.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchBrowser } from "../../src/cli/browser.ts";
import { serveSite } from "../../src/cli/serve.ts";
import type { PackageSuite } from "../../src/cli/suites/package-suite.ts";
import { packSuite, runInContainer, runInNode, SNAPSHOT_PATH } from "../../src/cli/suites/run-suite.ts";

const MODULES = fileURLToPath(new URL("../../node_modules/", import.meta.url));
const LIMIT_MS = 60_000;

const SUITES: readonly (Omit<PackageSuite, "version"> & { readonly tests: number })[] = [
  { name: "minimist", runner: "tape", command: "tape 'test/**/*.js'", needs: ["tape"], tests: 100 },
  { name: "json-schema-traverse", runner: "mocha", command: "mocha spec -R spec", needs: ["mocha"], tests: 5 },
  { name: "side-channel-list", runner: "tape", command: "tape 'test/**/*.js'", needs: ["tape"], tests: 10 },
  { name: "rc", runner: "script", command: "node test/test.js && node test/ini.js && node test/nested-env-vars.js", tests: 1 },
];

let scratch: string;
let site: Awaited<ReturnType<typeof serveSite>>;
let browser: Browser;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "container-suites-"));
  await writeFile(join(scratch, "snapshot"), "");
  site = await serveSite({ port: 0, files: new Map([[SNAPSHOT_PATH, join(scratch, "snapshot")]]) });
  browser = await launchBrowser({ webgpu: false });
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  await rm(scratch, { recursive: true, force: true });
});

/** The installed package with everything that it and its tests need, as npm would lay it out. */
async function project({ name, needs = [] }: (typeof SUITES)[number]): Promise<string> {
  const folder = join(scratch, name);
  await cp(join(MODULES, name), folder, { recursive: true });
  await mkdir(join(folder, "node_modules/.bin"), { recursive: true });
  const waiting = [...needs, ...(await dependencies(folder))];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const to = join(folder, "node_modules", next);
    if (existsSync(to) || !existsSync(join(MODULES, next))) continue;
    await cp(join(MODULES, next), to, { recursive: true });
    waiting.push(...(await dependencies(to)));
  }
  for (const need of needs) await cp(join(MODULES, ".bin", need), join(folder, "node_modules/.bin", need), { verbatimSymlinks: true });
  return folder;
}

/** Of a package, and of the packages that npm put inside it. */
async function dependencies(folder: string): Promise<string[]> {
  const own = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
  const inner = await readdir(join(folder, "node_modules")).catch(() => []);
  const nested = await Promise.all(inner.filter((name) => /^[^.@]/.test(name)).map((name) => dependencies(join(folder, "node_modules", name))));
  return [...Object.keys(own.dependencies ?? {}), ...nested.flat()];
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

it.each(SUITES)("the suite of $name runs in the container as in Node", async (given) => {
  const suite: PackageSuite = { ...given, version: "" };
  const folder = await project(given);
  const node = await runInNode(suite, folder, LIMIT_MS);
  await packSuite(folder, join(scratch, "snapshot"));
  const container = await runInContainer(browser, site.origin, suite, LIMIT_MS);
  expect({ exitCode: container.exitCode, counts: container.counts }, container.output.slice(-2000)).toEqual({ exitCode: node.exitCode, counts: node.counts });
  expect(node.exitCode, node.output.slice(-2000)).toBe(0);
  expect(node.counts?.passed).toBeGreaterThanOrEqual(given.tests);
});
