// The panel that says what works without a network and what is stored: each line is true, and what is deleted is gone.
import { strToU8, zipSync } from "fflate";
import type { Page } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import { serveSite, type SiteServer } from "../../src/cli/serve.ts";
import { ask, idle, start } from "../support/app-steps.ts";
import { type KeptProfile, keptProfile, storedForOffline } from "../support/kept-profile.ts";

let profile: KeptProfile;
let site: SiteServer;

afterEach(async () => {
  await profile?.dispose();
  await site?.close();
});

async function openPanel(page: Page): Promise<void> {
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name: "Offline and storage" }).click();
  await page.locator("tw-offline-panel .thing").first().waitFor();
}

/** "✓ Chat" … */
async function lines(page: Page): Promise<readonly string[]> {
  return page.locator("tw-offline-panel .line").evaluateAll((items) => items.map((item) => `${item.querySelector(".mark")?.textContent} ${item.querySelector(".what")?.textContent}`));
}

/** Kind, name and bytes. */
async function things(page: Page): Promise<readonly { readonly kind: string; readonly name: string; readonly bytes: number }[]> {
  return page.locator("tw-offline-panel .thing").evaluateAll((items) =>
    items.map((item) => ({ kind: item.querySelector(".kind")?.textContent ?? "", name: item.querySelector(".name")?.textContent?.trim() ?? "", bytes: Number.parseInt(item.querySelector<HTMLElement>(".bytes")?.title ?? "") })),
  );
}

describe("the panel of offline use and storage", () => {
  it("says what works and what is stored in bytes, deletes what is not in use, and asks the browser to keep the rest", async () => {
    site = await serveSite({ port: 0 });
    profile = await keptProfile();
    const page = (await profile.launch()).pages()[0]!;
    await page.goto(site.origin);
    await start(page);
    await storedForOffline(page);
    await ask(page, "Hello");
    await idle(page);
    const zip = zipSync({ "big.txt": strToU8("x".repeat(300_000)) });
    await page.locator("tw-header button.open").click();
    await page.locator("tw-open-dialog input.open-zip").setInputFiles({ name: "big.zip", mimeType: "application/zip", buffer: Buffer.from(zip) });
    await page.locator("tw-header .project", { hasText: "big" }).waitFor();
    await openPanel(page);

    expect(await lines(page)).toEqual(["✓ Opening this page", "✓ Chat", "✓ Files, tests, terminal", "✗ WebLLM’s models", "✗ Opening GitHub repositories", "✗ StackBlitz’s container", "✗ npm install", "✗ New versions"]);
    const stored = await things(page);
    const of = (kind: string, name = "") => stored.find((thing) => thing.kind === kind && thing.name.includes(name));
    const cached = await page.evaluate(async () => {
      const cache = await caches.open((await caches.keys()).find((name) => name.startsWith("tabwright-app-"))!);
      let bytes = 0;
      for (const request of await cache.keys()) if (!request.url.endsWith("precache-list.json")) bytes += (await (await cache.match(request))!.arrayBuffer()).byteLength;
      return bytes;
    });
    expect(of("This page")?.bytes).toBe(cached);
    expect(of("Model", "Tabwright micro")?.bytes).toBeGreaterThan(2_300_000);
    // The files as they were opened and as they are; the same bytes stored twice are two copies there.
    expect(of("Project", "big")?.bytes).toBeGreaterThan(300_000);
    expect(of("Chats")?.bytes).toBeGreaterThan(1000);

    const demo = page.locator("tw-offline-panel .thing", { hasText: "corner-shop" });
    await demo.getByRole("button", { name: /^Delete corner-shop/ }).click();
    await demo.getByRole("button", { name: /^Delete .*\?$/ }).click();
    await demo.waitFor({ state: "detached" });
    expect(await page.locator("tw-offline-panel .said").innerText()).toMatch(/deleted.*freed/);
    expect(await page.locator("tw-offline-panel .thing", { hasText: "big" }).getByRole("button").count()).toBe(0);

    await page.getByRole("button", { name: "Ask the browser to keep it" }).click();
    await expect.poll(() => page.locator("tw-offline-panel .said").innerText()).toMatch(/promised|declined/);
  });

  it("says that the page does not open without a network where no copy can be made, and why", async () => {
    site = await serveSite({ port: 0 });
    profile = await keptProfile();
    const context = await profile.launch();
    await context.addInitScript(() => {
      Object.defineProperty(ServiceWorkerContainer.prototype, "register", { value: () => Promise.reject(new TypeError("The script could not be loaded.")) });
    });
    const page = context.pages()[0]!;
    await page.goto(site.origin);
    await start(page);
    await openPanel(page);
    expect((await lines(page)).slice(0, 3)).toEqual(["✗ Opening this page", "✗ Chat", "✗ Files, tests, terminal"]);
    expect(await page.locator("tw-offline-panel .problem").innerText()).toContain("could not be loaded");
    expect(await page.getByRole("button", { name: "Try again" }).isVisible()).toBe(true);
  });
});
