// npm in the container of the built page, through the real client: a local registry on another origin, the person's
// consent, the packages that stay in the browser, and what a registry's failure leaves behind.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer, type Ran } from "../support/container-page.ts";
import { RegistryServer } from "../support/registry-server.ts";

let registry: RegistryServer;
let site: AppSite;
let page: Page;

beforeAll(async () => {
  registry = await RegistryServer.start(["semver", "acorn", "readable-stream", "abort-controller", "event-target-shim", "buffer", "base64-js", "ieee754", "events", "process", "string_decoder", "safe-buffer"]);
  registry.add({ name: "slow", version: "1.0.0" }, { name: "greets", version: "1.0.0", bin: "cli.js", files: { "cli.js": "#!/usr/bin/env node\nconsole.log('hello', ...process.argv.slice(2), require('path').basename(process.cwd()));\nprocess.exitCode = 4;\n" } });
  ({ site, page } = await openContainer());
});
afterAll(async () => {
  await site.close();
  await registry.close();
});
beforeEach(async () => {
  registry.requests.length = 0;
  registry.faults.clear();
  // Each test has a project of its own, whatever the one before has left.
  await page.evaluate(async (json) => {
    const { fs } = (globalThis as ContainerWindow).wc;
    for (const name of await fs.readdir(".")) await fs.rm(name, { recursive: true, force: true });
    await fs.writeFile("package.json", json);
  }, JSON.stringify({ name: "demo", version: "1.0.0" }));
});

const run = (command: string): Promise<Ran> => page.evaluate(([line, url]) => (globalThis as ContainerWindow).run("sh", ["-c", line], { env: { npm_config_registry: url } }), [command, registry.origin] as const);
const allow = (origins: readonly string[]): Promise<void> => page.evaluate((list) => (globalThis as ContainerWindow).tabwrightLab.container.allowRegistries(list), origins);

describe("npm in the container", () => {
  it("fetches nothing before the registry's host is allowed, and says what to do", async () => {
    const { code, output } = await run("npm install semver");
    expect(code).toBe(1);
    expect(output).toContain(`npm error code ENEEDCONSENT\nnpm error This page does not allow packages to be fetched from ${registry.origin}.\n`);
    expect(registry.requests).toEqual([]);
    expect((await run("ls -A")).output).toBe("package.json\n");
  });

  it("installs packages that work, with their commands, once it is allowed", async () => {
    await allow([registry.origin]);
    const installed = await run("npm install semver readable-stream && npm install -D acorn");
    expect(installed.output).toMatch(/added \d+ packages in .*\n[\s\S]*added 1 package in/);
    expect(installed.code).toBe(0);
    await page.evaluate(() => (globalThis as ContainerWindow).wc.fs.writeFile("use.js", "const { Readable } = require('readable-stream'); console.log(require('semver').inc('1.2.3', 'minor'), typeof Readable.from);"));
    expect(await run("node use.js")).toEqual({ code: 0, output: "1.3.0 function\n" });
    expect(await run("npx semver 1.2.3 -i major")).toEqual({ code: 0, output: "2.0.0\n" });
    expect((await run("npm ls")).output).toMatch(/^demo@1\.0\.0 \/home\/project\n├── acorn@[\d.]+\n├── readable-stream@[\d.]+\n└── semver@[\d.]+\n\n$/);
    expect((await run("npm uninstall readable-stream && npm ls --all")).output).toMatch(/removed \d+ packages[\s\S]*├── acorn@[\d.]+\n└── semver@[\d.]+\n\n$/);
    // Documents and tarballs of one host, nothing else, and nothing that tells who asks.
    expect(registry.requests.every((path) => /^\/[a-z0-9_-]+$|^\/[a-z0-9_-]+\/-\/[^/]+\.tgz$/.test(path))).toBe(true);
    expect(registry.headers.every((headers) => headers.cookie === undefined && headers.authorization === undefined && headers.referer === undefined)).toBe(true);
  });

  it("installs again without a network, from the lockfile and what the browser has kept", async () => {
    expect((await run("npm install semver greets")).code).toBe(0);
    registry.faults.set("*", "offline");
    registry.requests.length = 0;
    expect(await run("rm -rf node_modules && npm ci --offline")).toMatchObject({ code: 0, output: expect.stringContaining("added 2 packages") as string });
    expect(await run("rm -rf node_modules && npm ci")).toMatchObject({ code: 0 });
    expect(await run("node -p \"require('semver').valid('1.0.0')\"")).toEqual({ code: 0, output: "1.0.0\n" });
    expect(registry.requests).toEqual([]);
    const unknown = await run("npm install acorn-walk --offline");
    expect(unknown).toMatchObject({ code: 1, output: expect.stringContaining("npm error code ENOTCACHED") as string });
  });

  it("installs for pnpm, and runs scripts of a workspace by pnpm, yarn and npm", async () => {
    await page.evaluate(async () => {
      const { fs } = (globalThis as ContainerWindow).wc;
      await fs.mkdir("packages/a", { recursive: true });
      await fs.writeFile("pnpm-workspace.yaml", "packages:\n  - packages/*\n");
      await fs.writeFile("packages/a/package.json", JSON.stringify({ name: "a", version: "1.0.0", scripts: { hi: "greets && echo never", pwd: "pwd" }, dependencies: { greets: "*" } }));
    });
    expect(await run("pnpm install 2>&1")).toMatchObject({ code: 0, output: expect.stringMatching(/pnpm's own installer is not in this container[\s\S]*added 2 packages/) as string });
    expect(await run("pnpm --filter a run hi you")).toMatchObject({ code: 4, output: expect.stringContaining("\nhello a\n") as string });
    expect(await run("cd packages/a && yarn -s greets you")).toEqual({ code: 4, output: "hello you a\n" });
    expect(await run("npm run -s pwd -ws")).toEqual({ code: 0, output: "/home/project/packages/a\n" });
  });

  it("npx fetches a command that is not installed and passes its arguments and exit code on", async () => {
    expect(await run("npx greets you")).toEqual({ code: 4, output: "npm warn exec The following package was not found and will be installed: greets\nhello you project\n" });
    expect(await run("npx greets again 2>&1")).toEqual({ code: 4, output: "hello again project\n" });
  });

  it("a kill in the middle leaves the project as it was", async () => {
    registry.faults.set("/slow/-/slow-1.0.0.tgz", "slow");
    const code = await page.evaluate(async (url) => {
      const w = globalThis as ContainerWindow;
      const process = await w.wc.spawn("npm", ["install", "semver", "slow"], { env: { npm_config_registry: url } });
      await w.pause(900);
      process.kill();
      return process.exit;
    }, registry.origin);
    expect(code).toBe(143);
    expect((await run("ls -A && cat package.json")).output).toBe('package.json\n{"name":"demo","version":"1.0.0"}');
  });

  it("refuses bytes that are not the published ones, by name", async () => {
    registry.faults.set("/slow/-/slow-1.0.0.tgz", "other bytes");
    expect(await run("npm install slow")).toMatchObject({ code: 1, output: expect.stringContaining("npm error code EINTEGRITY") as string });
    expect((await run("ls -A")).output).toBe("package.json\n");
  });
});

describe("the page", () => {
  it("asks the person, remembers the answer for the project, and lists and deletes what was kept", async () => {
    const { page: app } = await site.open("/");
    // No engine is needed, so nobody waits for it.
    await app.getByRole("tab", { name: "Terminal" }).click();
    const type = async (line: string): Promise<void> => {
      await app.getByLabel("Command", { exact: true }).fill(line);
      await app.keyboard.press("Enter");
    };
    const out = app.locator("tw-terminal-panel .out");
    await type(`npm install semver --no-save --registry ${registry.origin}`);
    const dialog = app.locator("tw-registry-consent dialog");
    await dialog.waitFor();
    expect(await dialog.innerText()).toContain(`Fetch packages from ${new URL(registry.origin).host}?`);
    expect(await dialog.innerText()).toContain("npm wants semver and whatever that depends on.");
    expect(registry.requests).toEqual([]);
    await app.evaluate(axe.source);
    const { violations } = await app.evaluate(() => (globalThis as typeof globalThis & { axe: typeof axe }).axe.run("tw-registry-consent"));
    expect(violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.flat().join(" ")}`))).toEqual([]);
    await dialog.getByRole("button", { name: "Do not fetch" }).click();
    await expect.poll(() => out.innerText(), { timeout: 20_000 }).toContain("npm error You did not allow packages");
    await type(`npm install semver --no-save --registry ${registry.origin}`);
    await dialog.getByRole("button", { name: /^Allow/ }).click();
    await expect.poll(() => out.innerText(), { timeout: 20_000 }).toContain("added 1 package");
    await app.reload();
    // No engine is needed, so nobody waits for it.
    await app.getByRole("tab", { name: "Terminal" }).click();
    await type(`npm view acorn name --registry ${registry.origin}`);
    await expect.poll(() => out.innerText(), { timeout: 20_000 }).toMatch(/\nacorn\n/);
    expect(await dialog.count()).toBe(0);

    await app.getByRole("button", { name: "More" }).click();
    await app.getByRole("button", { name: "Offline and storage" }).click();
    const row = app.locator("tw-offline-panel .thing", { hasText: "npm packages" });
    await row.getByRole("button", { name: "Delete" }).click();
    await row.getByRole("button", { name: /^Delete .*\?$/ }).click();
    await app.locator("tw-offline-panel .said", { hasText: "npm packages is deleted" }).waitFor();
    await expect.poll(() => row.count()).toBe(0);
  });
});
