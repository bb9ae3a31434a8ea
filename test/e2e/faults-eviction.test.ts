// Fault 7: a full disk makes the browser delete all that a site has stored, at once: under an open page, and between visits.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ask, fixBug, idle, openOneBug, start } from "../support/app-steps.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
});

/** What Chromium's quota system clears when it evicts an origin. */
async function evict(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send("Storage.clearDataForOrigin", { origin: site.origin, storageTypes: "indexeddb,cache_storage,service_workers,file_systems" });
  await session.detach();
}

async function notice(page: Page, text: string): Promise<string> {
  const shown = page.locator(".notice", { hasText: text });
  await shown.first().waitFor({ timeout: 30_000 });
  return shown.first().innerText();
}

async function storedProjects(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open("tabwright");
        opening.onerror = () => reject(opening.error ?? new Error("not opened"));
        opening.onsuccess = () => {
          const counting = opening.result.transaction("projects").objectStore("projects").count();
          counting.onsuccess = () => {
            opening.result.close();
            resolve(counting.result);
          };
        };
      }),
  );
}

describe("fault 7: the browser deletes everything the site has stored", () => {
  it("while it is open: the open project and chat are stored again, the user is told, and a reload has them", async () => {
    const { page, context } = await site.open();
    await start(page);
    await openOneBug(page);
    await fixBug(page);
    await page.getByRole("tab", { name: /Changes/ }).click();
    const fixed = await page.locator("tw-diff-view section").count();
    expect(fixed).toBeGreaterThan(0);

    await evict(context, page);
    expect(await notice(page, "deleted stored data")).toMatch(/stored again.*Export/s);
    await expect.poll(() => storedProjects(page)).toBe(1);

    await page.reload();
    await start(page);
    expect(await page.locator("tw-chat .user").first().innerText()).toContain("Fix the failing test");
    await page.getByRole("tab", { name: /Changes/ }).click();
    await expect.poll(() => page.locator("tw-diff-view section").count()).toBe(fixed);
  });

  it("while it is closed: the page opens, says which project is gone and where to get it, and works", async () => {
    const { page, context } = await site.open();
    await start(page);
    await ask(page, "Hello");
    await idle(page);
    await page.goto("about:blank");
    await evict(context, page);

    await page.goto(site.origin);
    expect(await notice(page, "deleted stored data")).toContain("“corner-shop (demo)”");
    await start(page);
    await openOneBug(page);
    await fixBug(page);
    await page.reload();
    await start(page);
    expect(await page.locator(".notice").count()).toBe(0);
  });
});
