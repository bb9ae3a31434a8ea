// The life of the page's own container: what is served in it is seen in the page; when it crashes it comes back by itself with
// the project and its packages, three times, and then by a button; after a reload the packages come from this browser alone.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/ui/app.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import type { LabWindow } from "../support/page-sandbox.ts";
import { RegistryServer } from "../support/registry-server.ts";

let site: AppSite;
let registry: RegistryServer;
let page: Page;

/** Without a model: only the container starts. */
async function start(): Promise<void> {
  await page.waitForFunction(() => (globalThis as LabWindow).tabwrightLab?.container !== undefined);
  await page.locator("tw-app").evaluate(async (app, origin) => {
    (globalThis as LabWindow).tabwrightLab.container.allowRegistries([origin]);
    await (app as App).session.container.boot();
  }, registry.origin);
}

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
  readonly end: string;
}

const run = (command: string): Promise<Ended> => page.locator("tw-app").evaluate(async (app, line) => {
  const { exitCode, output, end } = await (app as App).session.sandbox!.run(line);
  return { exitCode, output, end };
}, command);
const phase = (): Promise<string> => page.locator("tw-app").evaluate((app) => (app as App).session.state.container.phase);
const opaque = () => page.frames().find((frame) => frame.url() === "about:srcdoc" && frame.parentFrame()?.url().endsWith("/headless/frame.html"));

/** Ends the kernel as a lack of memory would: from inside, without a word. */
async function crash(): Promise<void> {
  await opaque()!.evaluate("location.href = 'http://127.0.0.1:1/'").catch(() => undefined); // it is gone before it answers
}

beforeAll(async () => {
  registry = await RegistryServer.start([]);
  registry.add({ name: "greets", version: "1.0.0", files: { "index.js": "module.exports = 'hello'" } });
  site = await openSite({ webgpu: false, shared: true });
  ({ page } = await site.open("/?lab"));
  await start();
  await page.locator("tw-app").evaluate(async (app, origin) => {
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    await (app as App).session.project.openFiles("lives", new Map([
      [".npmrc", text(`registry=${origin}/\n`)], ["package.json", text('{ "name": "lives", "version": "1.0.0" }\n')], ["bytes.bin", new Uint8Array([0, 255, 128, 10])],
      ["server.js", text("require('http').createServer((q, r) => r.setHeader('content-type', 'text/html').end(`<title>${q.url}</title><h1>Served</h1><a href='/next'>next</a>`)).listen(4000)")],
    ]));
  }, registry.origin);
});
afterAll(async () => {
  await site?.close();
  await registry?.close();
});

describe("a server of the project", () => {
  it("is shown in a tab of its own, with its path, until it ends", async () => {
    expect(await page.getByRole("tab", { name: "Preview" }).count()).toBe(0);
    await page.locator("tw-app").evaluate((app) => void (app as App).session.runs.runCommand("node server.js"));
    await page.getByRole("tab", { name: "Preview" }).click({ timeout: 20_000 });
    const served = page.frameLocator("tw-preview-panel iframe").frameLocator("iframe");
    await served.getByRole("link", { name: "next" }).click({ timeout: 20_000 });
    await expect.poll(() => page.getByLabel("Path").inputValue()).toBe("/next");
    await page.getByLabel("Path").fill("other?x=1");
    await page.getByLabel("Path").press("Enter");
    await expect.poll(() => page.frames().find((frame) => frame.url() === "about:srcdoc" && frame.parentFrame()?.url().includes("preview"))?.title().catch(() => "")).toBe("/other?x=1");
    await page.locator("tw-app").evaluate(async (app) => {
      (app as App).session.stop();
      await (app as App).session.whenIdle();
    });
    await page.getByRole("button", { name: "Reload" }).click();
    await expect.poll(() => page.frameLocator("tw-preview-panel iframe").getByRole("alert").textContent()).toContain("Nothing listens on port 4000");
  });
});

describe("a container that crashes", () => {
  it("is back by itself with the project and its packages; what ran says why it ended and can be run again", async () => {
    expect((await run("npm install greets && echo 'console.log(1)' > made.js && mkdir -p bin && ln -s ../made.js bin/link")).exitCode).toBe(0);
    await page.locator("tw-app").evaluate((app) => (app as App).session.save());
    const running = run("node -e \"console.log('going'); setInterval(() => {}, 1000)\"");
    await expect.poll(() => page.locator("tw-app").evaluate((app) => (app as App).session.sandbox!.readFile("made.js").then(() => true))).toBe(true);
    await crash();
    const ended = await running;
    expect(ended).toMatchObject({ exitCode: 137, end: "crashed" });
    expect(ended.output).toMatch(/The container crashed while this ran.*can be run again/);
    // Asked at once: it waits for the next container.
    expect(await run("node -p \"[require('greets'), [...require('fs').readFileSync('bytes.bin')].join(), require('fs').readlinkSync('bin/link')].join(' ')\"")).toMatchObject({ exitCode: 0, output: "hello 0,255,128,10 ../made.js\n" });
    await expect.poll(phase).toBe("ready");
    expect(await page.getByRole("alert").filter({ hasText: "The container crashed" }).count()).toBe(1);
  });

  it("is started again three times, and then by a button", async () => {
    for (const left of ["ready", "ready", "failed"]) {
      await crash();
      await expect.poll(phase, { timeout: 20_000 }).not.toBe(left === "failed" ? "ready" : "");
      await expect.poll(async () => `${await phase()} ${left === "failed" || opaque() !== undefined}`, { timeout: 20_000 }).toBe(`${left} true`);
      if (left === "ready") expect((await run("node -p 6*7")).output).toBe("42\n");
    }
    const again = page.getByRole("button", { name: "Start the container again" });
    await again.click({ timeout: 10_000 });
    await expect.poll(phase, { timeout: 20_000 }).toBe("ready");
    expect((await run("node -p \"require('greets')\"")).output).toBe("hello\n");
    await expect.poll(() => again.count()).toBe(0);
  });
});

describe("node_modules", () => {
  it("are there after a reload, from this browser alone", async () => {
    await page.locator("tw-app").evaluate((app) => (app as App).session.save());
    registry.requests.length = 0;
    await page.reload();
    await start();
    expect(await phase()).toBe("ready");
    expect(await run("node -p \"require('greets')\"")).toMatchObject({ exitCode: 0, output: "hello\n" });
    expect(registry.requests).toEqual([]);
  });
});
