// The storage manager as a person uses it: a model is checked while it runs, what is damaged is fetched again, models go where
// the user says, and a file of the user's own is read in place, asked for again when it was changed. Faults 4 and 6.
import { readFileSync } from "node:fs";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ready, start } from "../support/app-steps.ts";
import { shot } from "../support/shots.ts";

const GGUF = readFileSync(new URL("../../public/models/tabwright-micro.gguf", import.meta.url));
const ASKS = `FileSystemHandle.prototype.queryPermission = async () => ((await caches.has("asks")) ? "prompt" : "granted");
  FileSystemHandle.prototype.requestPermission = async () => (await caches.delete("asks"), "granted");`;
let site: AppSite;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  // Where the page and the engine ask.
  site = await openSite({ engineAfter: ASKS });
});
beforeEach(async () => {
  context = await site.browser.newContext({ serviceWorkers: "block" });
  // The picker's question cannot be answered in a headless browser: what it would give is a real handle of the same kind.
  // Nor can the browser's question after a reload: here it is open while there is a cache of this name.
  await context.addInitScript(ASKS);
  await context.addInitScript(() => {
    Object.assign(globalThis, { showOpenFilePicker: async () => [await (await navigator.storage.getDirectory()).getFileHandle("own.gguf")] });
  });
  page = await context.newPage();
  await page.goto(site.origin);
  await start(page);
});
afterEach(async () => {
  await context?.close();
});
afterAll(async () => {
  await site?.close();
});

async function dialog(name: "offline" | "device"): Promise<void> {
  await page.evaluate((which) => document.querySelector<HTMLElement & { session: { openDialog(name: string): void } }>("tw-app")!.session.openDialog(which), name);
  await page.locator("tw-dialogs dialog[open] .body > *").first().waitFor();
}

async function closeDialog(): Promise<void> {
  await page.keyboard.press("Escape");
  await page.locator("tw-dialogs dialog[open]").waitFor({ state: "detached" });
}

const row = (name: string) => page.locator("tw-offline-panel .thing", { hasText: name });
const result = () => page.locator("tw-model-check [role=status]");

async function check(name: string): Promise<string> {
  await row(name).getByRole("button", { name: `Check ${name}` }).click();
  await result().waitFor({ timeout: 60_000 });
  return result().innerText();
}

/** Flips a bit of the first expert that is stored in the database. */
async function damage(): Promise<void> {
  await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("tabwright");
      request.onsuccess = () => resolve(request.result);
    });
    const store = database.transaction("experts", "readwrite").objectStore("experts");
    await new Promise<void>((resolve) => {
      store.openCursor().onsuccess = ({ target }) => {
        const cursor = (target as IDBRequest<IDBCursorWithValue>).result;
        (cursor.value as Uint8Array)[40]! ^= 2;
        cursor.update(cursor.value).onsuccess = () => resolve();
      };
    });
    database.close();
  });
}

describe("the storage manager", () => {
  it("fault 4: checks a model that runs, says what is damaged, and fetches exactly that again", { timeout: 300_000 }, async () => {
    await dialog("offline");
    expect(await row("Tabwright micro").innerText()).toContain("in the database");
    expect(await check("Tabwright micro")).toMatch(/^All [\d.]+ MB are as they were stored\.$/);
    await row("Tabwright micro").getByRole("button", { name: "Close" }).click();
    await damage();
    expect(await check("Tabwright micro")).toMatch(/^One part is damaged, [\d.]+ KB in all\./);
    await shot(page, "storage-damaged.png");
    const fetched: string[] = [];
    const ranges = (request: { url(): string; headers(): Record<string, string> }): void => void (request.url().endsWith(".gguf") && fetched.push(request.headers()["range"] ?? "all"));
    context.on("request", ranges);
    await row("Tabwright micro").getByRole("button", { name: /^Fetch .* again$/ }).click();
    await expect.poll(() => result().innerText(), { timeout: 60_000 }).toMatch(/The model is whole\.$/);
    context.off("request", ranges);
    expect(fetched).toEqual([expect.stringMatching(/^bytes=\d+-\d+$/)]);
    await row("Tabwright micro").getByRole("button", { name: "Close" }).click();
    expect(await check("Tabwright micro")).toMatch(/^All .* are as they were stored\.$/);
    await closeDialog();
  });

  it("puts models where the user says, measured or not, and checks one whose file the engine holds", { timeout: 180_000 }, async () => {
    await dialog("offline");
    const choice = page.locator("tw-store-choice");
    const words = choice.getByRole("status");
    await choice.getByText("Both are measured once").waitFor();
    await choice.getByRole("button", { name: "Measure now" }).click();
    await expect.poll(() => words.innerText(), { timeout: 60_000 }).toMatch(/(File storage|The database) is (the )?faster here: file storage gave [\d.]+ [MG]B\/s, the database [\d.]+ [MG]B\/s/);
    await choice.getByLabel("Put new models").selectOption("opfs");
    await shot(page, "storage-choice.png");
    await closeDialog();
    await page.locator("input.open-model").setInputFiles({ name: "second.gguf", mimeType: "application/octet-stream", buffer: GGUF });
    await dialog("device");
    await page.locator("tw-device-dialog .model[data-model='second.gguf'] .tag", { hasText: "loaded" }).waitFor({ timeout: 120_000 });
    await closeDialog();
    await page.reload();
    await start(page);
    await dialog("offline");
    await expect.poll(() => page.locator("tw-store-choice select").inputValue()).toBe("opfs");
    const second = page.locator("tw-offline-panel .thing", { hasText: "in file storage" });
    await second.getByRole("button", { name: /^Check/ }).click();
    await result().waitFor({ timeout: 60_000 });
    expect(await result().innerText()).toMatch(/^All .* are as they were stored\.$/);
    await closeDialog();
  });

  it("reads a file of the user's own in place, after a reload too, and refuses it once it was changed", { timeout: 240_000 }, async () => {
    const write = (bytes: Buffer): Promise<void> =>
      page.evaluate(async (base64) => {
        const file = await (await navigator.storage.getDirectory()).getFileHandle("own.gguf", { create: true });
        const stream = await file.createWritable();
        await stream.write(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
        await stream.close();
      }, bytes.toString("base64"));
    await write(GGUF);
    await dialog("device");
    await page.getByRole("button", { name: "Use a file in place …" }).click();
    await page.locator("tw-device-dialog .model[data-model='own.gguf'] .tag", { hasText: "loaded" }).waitFor({ timeout: 120_000 });
    await shot(page, "storage-in-place.png");
    await closeDialog();
    await dialog("offline");
    const own = page.locator("tw-offline-panel .thing", { hasText: "your own file, in place" });
    expect(Number.parseInt((await own.locator(".bytes").getAttribute("title")) ?? "")).toBeLessThan(GGUF.byteLength / 4); // the catalogue's word of it
    expect(await own.getByRole("button", { name: /^Check/ }).count()).toBe(0);
    await closeDialog();
    await page.reload();
    await start(page);
    const load = (): Promise<void> => page.evaluate(() => document.querySelector<HTMLElement & { session: { loadModel(id: string): Promise<void> } }>("tw-app")!.session.loadModel("own.gguf"));
    await page.evaluate(() => caches.open("asks"));
    await load();
    const closed = page.locator("tw-talk .notice", { hasText: "own.gguf may not be read until you allow it again, as after every reload" });
    await closed.waitFor();
    await shot(page, "storage-permission.png");
    await closed.getByRole("button", { name: "Allow reading" }).click();
    await closed.waitFor({ state: "detached", timeout: 60_000 });
    await ready(page);
    expect(await page.evaluate(() => document.querySelector<HTMLElement & { session: { state: { engine: { modelId: string } } } }>("tw-app")!.session.state.engine.modelId)).toBe("own.gguf");
    await write(Buffer.concat([GGUF, Buffer.from("more")]));
    await page.reload();
    await start(page);
    await load();
    await page.getByText(/own\.gguf has \d+ bytes now and had \d+\. Choose the file again/).waitFor({ timeout: 60_000 });
    await shot(page, "storage-changed.png");
  });
});
