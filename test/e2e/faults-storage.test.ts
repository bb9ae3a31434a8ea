// Faults 6 and 8: a disk that is full while one chats, and a browser that keeps nothing. Everything works in memory, a notice says
// that it is gone when the tab closes, and the way out, Export, works.
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ask, idle, openOneBug, ready, start } from "../support/app-steps.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
});

async function fixes(page: Page): Promise<void> {
  await page.locator("tw-stats-strip .status", { hasText: /^\s*Ready\s*$/ }).waitFor({ timeout: 120_000 });
  await openOneBug(page);
  await page.getByRole("textbox", { name: "Message" }).fill("Fix the failing test");
  await page.keyboard.press("Enter");
  await page.locator("tw-chat .note", { hasText: "Done, and the tests pass" }).waitFor({ timeout: 300_000 });
}

describe("fault 6: a disk that is full while one chats", () => {
  it("loses nothing: the chat goes on, says that it is only in this tab, and is stored whole when there is room again", async () => {
    // A quota that is set from outside is noticed late: the browser remembers how much room there was.
    const { page } = await site.open("/", (context) =>
      context.addInitScript(() => {
        const { put } = IDBObjectStore.prototype;
        IDBObjectStore.prototype.put = function (...args) {
          if ("full" in globalThis) throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
          return put.apply(this, args);
        };
      }),
    );
    await ready(page);
    await page.evaluate(() => Object.assign(globalThis, { full: true }));
    await ask(page, "Hello");
    const full = page.locator("tw-talk .notice", { hasText: "storage is full" });
    await full.waitFor();
    expect(await full.innerText()).toMatch(/only in this tab.*Export/s);
    await idle(page);
    expect(await page.locator("tw-talk .notice").count()).toBe(1);
    const answer = (await page.locator("tw-chat .assistant").last().innerText()).trim();
    await page.evaluate(() => Reflect.deleteProperty(globalThis, "full"));
    await page.getByRole("button", { name: "New chat" }).click(); // stores the old one first, as the next message would
    await full.waitFor({ state: "detached" });
    await page.reload();
    await start(page);
    const chats = await page.evaluate(() => document.querySelector<HTMLElement & { session: { chat: { list(): Promise<readonly { title: string; conversation: object }[]> } } }>("tw-app")!.session.chat.list());
    expect(chats.map(({ title }) => title)).toEqual(["Hello"]);
    expect(JSON.stringify(chats[0]!.conversation)).toContain(answer);
  });
});

describe("fault 8: a browser that keeps nothing", () => {
  it("blocked: the job is done in memory, a banner says so, and the work is exported", async () => {
    // As a browser does it that blocks site data; in the page and in the engine's worker.
    const block = `Object.defineProperty(IDBFactory.prototype, "open", { value() { throw new DOMException("Storage is blocked", "SecurityError"); } });`;
    const blocked = await openSite({ engineAfter: block });
    onTestFinished(() => blocked.close());
    const { page, errors } = await blocked.open("/", (context) => context.addInitScript(block));
    const banner = page.locator("tw-talk .notice", { hasText: "lets this page store nothing" });
    await banner.waitFor({ timeout: 60_000 });
    expect(await banner.innerText()).toContain("Export");
    await fixes(page);
    await page.getByRole("button", { name: "Export", exact: true }).click();
    const download = page.waitForEvent("download");
    await page.locator("tw-export-dialog").getByRole("button", { name: /zip/i }).first().click();
    expect((await readFile(await (await download).path())).length).toBeGreaterThan(500);
    expect(errors).toEqual([]);
  });

  it("a refused promise to keep the storage is shown where one asks for it, and nothing else changes", async () => {
    const { page } = await site.open("/", (context) => context.addInitScript(() => {
      StorageManager.prototype.persist = () => Promise.resolve(false);
      StorageManager.prototype.persisted = () => Promise.resolve(false);
    }));
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name: "Offline and storage" }).click();
    const panel = page.locator("tw-offline-panel");
    await panel.locator("button.persist").click();
    await panel.getByText("has declined for now").first().waitFor();
    expect(await panel.locator("button.persist").isVisible()).toBe(true); // it can be asked again
    await page.keyboard.press("Escape");
    await fixes(page);
  });
});
