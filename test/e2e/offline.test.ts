// Someone on a plane: opened once with a network, then the site is gone and the browser was closed in between. And hosts
// that can do nothing but send files.
import type { Page } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import { DIST, serveSite } from "../../src/cli/serve.ts";
import { fixBug, openOneBug, start, startWithoutModel } from "../support/app-steps.ts";
import { type KeptProfile, keptProfile, storedForOffline, versionOfPage } from "../support/kept-profile.ts";
import { type FolderHabit, startStaticHost, type StaticHost } from "../support/static-host.ts";

let profile: KeptProfile | undefined;

afterEach(async () => {
  await profile?.dispose();
  profile = undefined;
});

async function newProfile(webgpu = true): Promise<KeptProfile> {
  profile = await keptProfile({ webgpu });
  return profile;
}

function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return errors;
}

describe("after one visit with a network", () => {
  it("the page opens with the site gone and the browser restarted, chats, and fixes a project until it is green", async () => {
    const site = await serveSite({ port: 0 });
    const browser = await newProfile();
    const first = (await browser.launch()).pages()[0]!;
    await first.goto(site.origin);
    await start(first);
    await storedForOffline(first);
    await browser.quit();
    await site.close();

    const context = await browser.launch();
    const page = context.pages()[0]!;
    const errors = errorsOf(page);
    await page.goto(site.origin);
    await start(page);
    expect(await versionOfPage(page)).toMatch(/^[0-9a-f]{12}$/);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await openOneBug(page);
    await fixBug(page);
    expect(errors).toEqual([]);
    await expect(fetch(site.origin)).rejects.toThrow();
  });
});

/** Until it is stored and isolated, which takes one reload; `begin` starts the page. */
async function firstVisit(habit: FolderHabit, begin: typeof start): Promise<{ host: StaticHost; page: Page; loads: () => number }> {
  const host = await startStaticHost(DIST, habit);
  const page = (await (await newProfile(begin === start)).launch()).pages()[0]!;
  let loads = 0;
  page.on("framenavigated", (frame) => void (frame === page.mainFrame() && loads++));
  await page.goto(host.origin);
  await storedForOffline(page);
  await expect.poll(() => page.evaluate(() => crossOriginIsolated), { timeout: 60_000 }).toBe(true);
  await begin(page);
  expect(loads).toBe(2);
  return { host, page, loads: () => loads };
}

describe("a host that only sends files", () => {
  it("and knows no /headless: the first visit works, isolation comes by one reload at most, and offline it works too", async () => {
    const { host, page, loads } = await firstVisit("missing", start);
    await host.stop();
    await page.reload();
    await start(page);
    await openOneBug(page);
    await fixBug(page);
    expect(loads()).toBe(3);
  });

  it("and redirects /headless to its folder: the same, as far as the host has part in it", async () => {
    const { host, page, loads } = await firstVisit("redirect", startWithoutModel);
    await host.stop();
    await page.reload();
    await startWithoutModel(page);
    await page.getByRole("tab", { name: /Tests/ }).click();
    await page.getByRole("button", { name: "Run tests" }).click();
    await expect.poll(() => page.locator("tw-tests-panel .verdict").textContent(), { timeout: 60_000 }).toMatch(/3 failed/);
    expect(loads()).toBe(3);
  });

  it("does not reload a page that was touched: what was typed stays, and the next visit is isolated", async () => {
    const host = await startStaticHost(DIST);
    const browser = await newProfile(false);
    const page = (await browser.launch()).pages()[0]!;
    await page.goto(host.origin, { waitUntil: "commit" });
    await page.getByLabel("Message").fill("half a thought");
    await storedForOffline(page);
    await startWithoutModel(page);
    expect(await page.getByLabel("Message").inputValue()).toBe("half a thought");
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.reload();
    await startWithoutModel(page);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await host.stop();
  });
});
