// Fault 23: everything that can happen to the stored page while people use it. The measure: an old tab finishes with its
// own files, a reload gets the new ones, never a mixture; and what cannot be had is said.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DIST } from "../../src/cli/serve.ts";
import { ask, fixBug, idle, openOneBug, start, startWithoutModel } from "../support/app-steps.ts";
import { type KeptProfile, keptProfile, storedForOffline, versionOfPage } from "../support/kept-profile.ts";
import { type OtherBuild, otherBuild } from "../support/other-build.ts";
import { startStaticHost, type StaticHost } from "../support/static-host.ts";

let next: OtherBuild;
let host: StaticHost;
let profile: KeptProfile;
let context: BrowserContext;

beforeAll(async () => {
  next = await otherBuild();
});
afterAll(async () => {
  await next?.dispose();
});
afterEach(async () => {
  await profile?.dispose();
  await host?.stop();
});

/** A tab on the stored first version, isolated and ready. */
async function openStored(webgpu = true): Promise<Page> {
  host = await startStaticHost(DIST);
  profile = await keptProfile({ webgpu });
  context = await profile.launch();
  const page = context.pages()[0]!;
  await page.goto(host.origin);
  await storedForOffline(page);
  await expect.poll(() => page.evaluate(() => crossOriginIsolated), { timeout: 60_000 }).toBe(true);
  await (webgpu ? start : startWithoutModel)(page);
  return page;
}

async function openTab(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(host.origin);
  await start(page);
  return page;
}

/** The site has a new version, and the browser has looked. */
async function update(page: Page): Promise<void> {
  host.deploy(next.folder);
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    await registration?.update();
    await new Promise<void>((resolve) => {
      const look = (): void => void (registration?.waiting ? resolve() : setTimeout(look, 100));
      look();
    });
  });
}

/** The page's version, and those of its frames that are ours. */
async function versions(page: Page): Promise<readonly (string | undefined)[]> {
  const found = [await versionOfPage(page)];
  for (const frame of page.frames()) {
    if (frame === page.mainFrame() || !frame.url().startsWith(host.origin)) continue;
    // Waits, because the sandbox's frame loads while the page is usable already.
    found.push((await frame.locator('meta[name="tabwright-version"]').getAttribute("content")) ?? undefined);
  }
  return found;
}

function storedVersions(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith("tabwright-app-")).map((name) => name.slice("tabwright-app-".length)));
}

/** Changes the stored copy of a file of the page's version; `part` is a part of its name. */
function damage(page: Page, part: string): Promise<string> {
  return page.evaluate(async (wanted) => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      const request = (await cache.keys()).find(({ url }) => url.includes(wanted));
      if (!request) continue;
      await cache.put(request, new Response("this is not the file"));
      return request.url;
    }
    return "";
  }, part);
}

const bar = (page: Page) => page.locator("tw-update-bar");

describe("fault 23: a new version", () => {
  it("that arrives during generation is not offered before the answer is there, and the reload gets it whole", async () => {
    const page = await openStored();
    const old = await versionOfPage(page);
    await ask(page, "Fix the failing test");
    await page.locator("tw-composer .stop").waitFor();
    await update(page);
    expect([await bar(page).count(), await page.locator("tw-composer .stop").count()]).toEqual([0, 1]);
    const offered = bar(page).waitFor({ timeout: 60_000 }).then(() => page.locator("tw-composer .stop").count());
    await page.keyboard.press("Escape"); // as much of an answer as this needs
    await idle(page);
    expect(await offered).toBe(0);
    expect(new Set(await versions(page))).toEqual(new Set([old]));
    expect((await versions(page)).length).toBeGreaterThanOrEqual(3);

    await bar(page).getByRole("button", { name: "Reload" }).click();
    await page.waitForFunction((before) => document.querySelector<HTMLMetaElement>('meta[name="tabwright-version"]')?.content !== before, old, { timeout: 30_000 });
    await start(page);
    const now = await versions(page);
    expect(new Set(now).size).toBe(1);
    expect(now[0]).not.toBe(old);
    expect(await page.locator("tw-chat .user").first().innerText()).toContain("Fix the failing test");
    await expect.poll(() => storedVersions(page)).toEqual([now[0]]);
  });

  it("that one tab has taken leaves the other tab, its frames and its late chunks on their own version", async () => {
    const a = await openStored();
    const old = await versionOfPage(a);
    const b = await openTab();
    expect(await versionOfPage(b)).toBe(old);
    const release = host.hold("/big.bin", new Uint8Array(1_000_000).fill(7));
    await a.evaluate(() => Object.assign(globalThis, { download: fetch("/big.bin").then((response) => response.arrayBuffer()) }));
    await update(b);
    await bar(b).getByRole("button", { name: "Reload" }).click();
    await b.waitForFunction((before) => document.querySelector<HTMLMetaElement>('meta[name="tabwright-version"]')?.content !== before, old, { timeout: 30_000 });
    await start(b);
    expect(new Set(await versions(b)).size).toBe(1);

    // Nothing of the old version is on the site any more; the old tab does not notice.
    expect(await versionOfPage(a)).toBe(old);
    const late = await a.evaluate(async () => {
      const frame = document.createElement("iframe");
      frame.src = "/headless?late";
      document.body.append(frame);
      const version = (): string | undefined => frame.contentDocument?.querySelector<HTMLMetaElement>('meta[name="tabwright-version"]')?.content;
      while (version() === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
      return version();
    });
    expect(late).toBe(old);
    await openOneBug(a);
    await fixBug(a);
    release();
    expect(await a.evaluate(async () => (await (globalThis as unknown as { download: Promise<ArrayBuffer> }).download).byteLength)).toBe(1_000_000);
    expect((await storedVersions(a)).length).toBe(2);

    await bar(a).getByRole("button", { name: "Reload" }).click();
    await a.waitForFunction((before) => document.querySelector<HTMLMetaElement>('meta[name="tabwright-version"]')?.content !== before, old, { timeout: 30_000 });
    await start(a);
    expect(await versionOfPage(a)).toBe(await versionOfPage(b));
  });

  it("of which a file is missing on the site never becomes active, and the old one works on", async () => {
    const page = await openStored(false);
    const old = await versionOfPage(page);
    host.deploy(next.folder);
    host.lose("/headless/frame.html");
    host.lose("/index.html");
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      await registration?.update();
      await new Promise<void>((resolve) => {
        const look = (): void => void (registration?.installing ? setTimeout(look, 100) : resolve());
        look();
      });
    });
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.waiting ?? null)).toBeNull();
    await page.reload();
    await startWithoutModel(page);
    expect(new Set(await versions(page))).toEqual(new Set([old]));
  });
});

describe("fault 23: a damaged stored file", () => {
  it("is found when it is used, and fetched again", async () => {
    const page = await openStored();
    const url = await damage(page, "/assets/inference-");
    expect(url).not.toBe("");
    await page.reload();
    await start(page);
    expect(await page.evaluate(async (address) => (await (await caches.match(address))?.text())?.length, url)).toBeGreaterThan(10_000);
  });

  it("is refused with a sentence when the site cannot be reached", async () => {
    const page = await openStored(false);
    await damage(page, `${host.origin}/index.html`);
    await host.stop();
    await page.reload();
    expect(await page.locator("body").innerText()).toMatch(/index\.html, could not be fetched.*Connect to the network/s);
    await host.start();
    await page.reload();
    await startWithoutModel(page);
  });
});

describe("fault 23: a site without its service worker's script", () => {
  it("works as a page without an offline copy", async () => {
    host = await startStaticHost(DIST);
    host.lose("/service-worker.js");
    profile = await keptProfile({ webgpu: false });
    const page = (await profile.launch()).pages()[0]!;
    await page.goto(host.origin);
    await startWithoutModel(page);
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
  });

  it("does not take away the copy that was made before", async () => {
    const page = await openStored(false);
    host.lose("/service-worker.js");
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update().catch(() => undefined));
    await host.stop();
    await page.reload();
    await startWithoutModel(page);
    expect(await versionOfPage(page)).toMatch(/^[0-9a-f]{12}$/);
  });
});
