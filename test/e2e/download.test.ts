// Getting a model through the page, from a server that behaves as the hub does: list, consent, progress, pause, reload, two
// tabs, a full disk, a login page. Faults 3, 6, 7, 8 and 9, as a person meets them.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { DIST } from "../../src/cli/serve.ts";
import { modelMetadata, randomTensors, writable } from "../fixtures/models/random-model.ts";
import { splitGguf } from "../fixtures/models/split.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ask, idle, ready, start } from "../support/app-steps.ts";
import { type HubServer, openHubServer } from "../support/hub-server.ts";
import { SMALL } from "../support/small-model.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** The bundled model, with a name of its own: what is downloaded here runs. */
const MODEL = new Uint8Array(readFileSync(new URL("../../public/models/tabwright-micro.gguf", import.meta.url)));
const ID = "acme/tiny-GGUF/tiny-Q4_K_M.gguf";
/** Two files that are one random model. */
const PARTS = splitGguf("wee-F32", modelMetadata(SMALL), writable(randomTensors(SMALL)), [10]);
const SPLIT_ID = `acme/tiny-GGUF/${PARTS[0]!.name}`;
const FILES = { "tiny-Q4_K_M.gguf": MODEL, "tiny-Q8_0.gguf": new Uint8Array(3000), "README.md": new Uint8Array(10), ...Object.fromEntries(PARTS.map(({ name, bytes }) => [name, bytes])) };
const BLOCK = 4 << 20;

let site: AppSite;
let hub: HubServer;

beforeAll(async () => {
  site = await openSite({}, { files: await workerWithDisk() });
  hub = await openHubServer(FILES);
});
afterAll(async () => {
  await site?.close();
  await hub?.close();
});
afterEach(() => {
  Object.assign(hub.mood, { misdeed: undefined, times: 0, drops: [], flips: [], speed: 0, expired: false });
});

const row = (page: Page) => page.locator("tw-download-rows .download");
const phase = (page: Page): Promise<string | null> => row(page).getAttribute("data-phase", { timeout: 1000 }).catch(() => "none");
const percent = async (page: Page): Promise<number> => Number(await page.locator("tw-download-rows [role=progressbar]").getAttribute("aria-valuenow"));
const models = (page: Page): Promise<string[]> => page.locator("tw-header select.model option").evaluateAll((all) => all.map((option) => (option as HTMLOptionElement).value));

/** Opens the dialog, names the repository, and stops before the consent. */
async function choose(page: Page, what = ":Q4_K_M"): Promise<void> {
  await page.getByRole("button", { name: "More" }).click();
  await page.locator("[data-dialog=download]").click();
  const dialog = page.locator("tw-download-dialog");
  await dialog.locator(".mirror summary").click();
  await dialog.locator("input[name=hub]").fill(hub.origin);
  await dialog.locator(".mirror button").click();
  await dialog.getByText(`asked for at ${new URL(hub.origin).host}`).waitFor();
  await dialog.locator("#address").fill(`acme/tiny-GGUF${what}`);
  await page.keyboard.press("Enter");
  await expect.poll(() => dialog.evaluate((host) => (host.shadowRoot?.querySelector(".agree:not(:disabled)") ? "ready" : host.shadowRoot?.textContent?.replace(/\s+/g, " "))), { timeout: 60_000 }).toBe("ready");
}

async function agree(page: Page): Promise<void> {
  await page.locator("tw-download-dialog .agree").click();
  await row(page).waitFor({ timeout: 30_000 });
}

async function evict(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send("Storage.clearDataForOrigin", { origin: site.origin, storageTypes: "indexeddb,cache_storage,service_workers,file_systems" });
  await session.detach();
}

/**
 * The engine's worker with a switch: on `full` its storage answers as a browser's does whose disk is full. Served in place of
 * the built one: a browser whose requests are intercepted refuses the worker's own to other origins.
 */
async function workerWithDisk(): Promise<ReadonlyMap<string, string>> {
  const patch = `{
    let full = false;
    new BroadcastChannel("disk").onmessage = ({ data }) => { full = data === "full"; };
    const refuse = () => { if (full) throw new DOMException("The quota has been exceeded.", "QuotaExceededError"); };
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...args) { if (this.name === "tensors" || this.name === "experts") refuse(); return put.apply(this, args); };
    for (const name of ["write", "truncate"]) {
      const real = FileSystemSyncAccessHandle.prototype[name];
      FileSystemSyncAccessHandle.prototype[name] = function (...args) { refuse(); return real.apply(this, args); };
    }
  }\n`;
  const assets = join(DIST, "assets");
  const worker = (await readdir(assets)).find((name) => /^inference-[^/]+\.js$/.test(name))!;
  const file = join(await mkdtemp(join(tmpdir(), "tabwright-disk-")), worker);
  await writeFile(file, patch + (await readFile(join(assets, worker), "utf8")));
  return new Map([[`/assets/${worker}`, file]]);
}

/** Bytes that a download keeps free for chats and projects. */
function reserved(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const opening = indexedDB.open("tabwright");
        opening.onsuccess = () => {
          const getting = opening.result.transaction("settings").objectStore("settings").get("reserved-room");
          getting.onsuccess = () => {
            opening.result.close();
            resolve((getting.result as Uint8Array | undefined)?.byteLength ?? 0);
          };
        };
      }),
  );
}

function setDisk(page: Page, state: "full" | "roomy"): Promise<void> {
  return page.evaluate((word) => new BroadcastChannel("disk").postMessage(word), state);
}

describe("a model from the hub", () => {
  it("is listed with size and needs, agreed to, paused, kept over a reload, finished, and then works without the hub; fault 4: a bit flipped on the way is found and fetched again; fault 8: a refused promise to keep it is told", async () => {
    const { page, context, errors } = await site.open("/", (fresh) => fresh.addInitScript(() => {
      StorageManager.prototype.persist = () => Promise.resolve(false);
      StorageManager.prototype.persisted = () => Promise.resolve(false);
    }));
    await ready(page);
    await choose(page);
    const dialog = page.locator("tw-download-dialog");
    expect(await dialog.locator(".model").allInnerTexts()).toEqual([expect.stringContaining("3.0 KB"), expect.stringContaining("2 files"), expect.stringMatching(/Q4_K_M[\s\S]*7\.6 MB; checked against the published SHA-256[\s\S]*needs .* GPU memory/)]);
    expect(await dialog.locator(".consent").innerText()).toMatch(/Download 7\.6 MB\?[\s\S]*commit [0-9a-f]{10}[\s\S]*asked not to clear it/);
    await page.evaluate(AXE);
    const wrong = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
    });
    expect(wrong).toEqual([]);

    hub.mood.speed = 400_000;
    await agree(page);
    await expect.poll(() => percent(page), { timeout: 60_000 }).toBeGreaterThan(0);
    await expect.poll(() => row(page).locator(".numbers").innerText(), { timeout: 60_000 }).toMatch(/^\d+ % · [\d.]+ MB of 7\.6 MB · [\d.]+ KB\/s · about \d+ (s|min) left$/);
    expect(await page.title()).toMatch(/^\d+ % · Tabwright/);
    await row(page).locator(".pause").click();
    await expect.poll(() => phase(page)).toBe("paused");
    const before = hub.sent();

    await page.reload();
    await start(page);
    await expect.poll(() => phase(page), { timeout: 30_000 }).toBe("paused"); // as the user left it
    expect(hub.sent() - before).toBeLessThan(BLOCK);
    hub.mood.speed = 0;
    hub.mood.flips = [7_000_000];
    await row(page).locator(".resume").focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => phase(page), { timeout: 120_000 }).toBe("done");
    expect(hub.mood.flips).toEqual([]); // it was sent wrong once
    expect(await row(page).innerText()).toContain("has not promised to keep it");

    await hub.close();
    await row(page).locator(".use").click();
    await expect.poll(() => page.locator("tw-header select.model").inputValue(), { timeout: 60_000 }).toBe(ID);
    await ready(page);
    await expect.poll(() => row(page).count()).toBe(0);
    await ask(page, "Hello");
    await idle(page);
    expect(await page.locator("tw-chat .assistant, tw-chat tw-tool-card").count()).toBeGreaterThan(0);
    expect(errors.filter((error) => !/Failed to load resource/.test(error))).toEqual([]);
    await context.close();
    hub = await openHubServer(FILES);
  });

  it("fault 9: two tabs see one download and fetch it once; when the tab that runs it closes, the other goes on by itself", async () => {
    const { page: first, context } = await site.open();
    await ready(first);
    await choose(first);
    const before = hub.sent();
    hub.mood.speed = 500_000;
    await agree(first);
    const second = await context.newPage();
    await second.goto(site.origin);
    await start(second);
    await expect.poll(() => phase(second), { timeout: 30_000 }).toBe("running");
    await second.bringToFront();
    await choose(second);
    await agree(second); // the same again: it joins
    expect(await row(second).count()).toBe(1);
    await expect.poll(() => percent(second), { timeout: 60_000 }).toBeGreaterThan(15);
    await first.close({ runBeforeUnload: false });
    const closed = Date.now();
    await second.locator("tw-stats-strip .shared").waitFor({ state: "detached", timeout: 10_000 });
    expect(Date.now() - closed).toBeLessThan(5000);
    hub.mood.speed = 0;
    await expect.poll(() => phase(second), { timeout: 120_000 }).toBe("done");
    // The header is looked at twice, and what the closed tab had not stored comes again.
    expect(hub.sent() - before).toBeLessThan(2 * MODEL.byteLength + 4 * BLOCK);
    await expect.poll(() => models(second)).toContain(ID);
    await context.close();
  });

  it("fault 3: a login page in the middle stops it with a reason and stores nothing under its name; cancelling deletes or keeps what is there", async () => {
    const { page, context } = await site.open();
    await ready(page);
    await choose(page);
    hub.mood.speed = 800_000;
    await agree(page);
    await expect.poll(() => percent(page), { timeout: 60_000 }).toBeGreaterThan(5);
    hub.mood.misdeed = "html";
    hub.mood.speed = 0;
    await expect.poll(() => phase(page), { timeout: 60_000 }).toBe("failed");
    expect(await row(page).innerText()).toContain("a web page instead");
    expect(await models(page)).not.toContain(ID);
    hub.mood.misdeed = undefined;
    hub.mood.speed = 400_000;
    await row(page).locator(".resume").click();
    await expect.poll(() => phase(page), { timeout: 60_000 }).toBe("running");
    await row(page).locator(".cancel").click();
    expect(await row(page).locator(".end").innerText()).toMatch(/Keep the [\d.]+ [KM]B/);
    await row(page).locator(".delete").click();
    await expect.poll(() => row(page).count(), { timeout: 30_000 }).toBe(0);
    await page.reload();
    await start(page);
    expect(await row(page).count()).toBe(0);
    expect(await models(page)).not.toContain(ID);
    await context.close();
  });

  it("in two files is downloaded as one, picked as one, dropped as one; parts without the others are refused by name", async () => {
    const { page, context } = await site.open();
    await ready(page);
    await choose(page, ":F32");
    await agree(page);
    await expect.poll(() => phase(page), { timeout: 60_000 }).toBe("done");
    await row(page).locator(".use").click();
    const loaded = () => page.locator("tw-header select.model").inputValue();
    await expect.poll(loaded, { timeout: 60_000 }).toBe(SPLIT_ID);
    await ready(page);

    const files = PARTS.map(({ name, bytes }) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(bytes) }));
    await page.locator("input.open-model").setInputFiles(files.toReversed());
    await expect.poll(loaded, { timeout: 60_000 }).toBe("wee-F32.gguf");
    await ready(page);
    await page.locator("input.open-model").setInputFiles(files.slice(1));
    await page.locator("tw-talk .notice", { hasText: "one of 2 parts" }).waitFor({ timeout: 60_000 });

    await page.evaluate((parts) => {
      const data = new DataTransfer();
      for (const { name, base64 } of parts) data.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], name.replace("wee", "dropped")));
      document.body.dispatchEvent(new DragEvent("dragenter", { bubbles: true, composed: true, dataTransfer: data }));
      setTimeout(() => document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, composed: true, cancelable: true, dataTransfer: data })), 1500);
    }, PARTS.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString("base64") })));
    await expect.poll(loaded, { timeout: 60_000 }).toBe("dropped-F32.gguf");
    await context.close();
  });

  it("fault 6: a full disk pauses it with what is missing, and it goes on when there is room; fault 7: evicted, it can be had again", async () => {
    const { page, context } = await site.open();
    await ready(page);
    await choose(page);
    hub.mood.speed = 500_000;
    await agree(page);
    await expect.poll(() => reserved(page), { timeout: 60_000 }).toBe(LIMITS.reservedBytes);
    await setDisk(page, "full");
    hub.mood.speed = 0;
    await expect.poll(() => phase(page), { timeout: 60_000 }).toBe("full");
    await expect.poll(() => reserved(page), { timeout: 20_000 }).toBe(0); // room for chats
    expect(await row(page).innerText()).toMatch(/storage is full: [\d.]+ [KM]B more are needed/);
    await page.locator("tw-download-rows .space").click();
    await page.locator("tw-offline-panel").waitFor();
    await page.keyboard.press("Escape");
    await setDisk(page, "roomy");
    await row(page).locator(".resume").click();
    await expect.poll(() => phase(page), { timeout: 120_000 }).toBe("done");
    await expect.poll(() => models(page)).toContain(ID); // the list is read again once it is there

    await evict(context, page);
    await page.reload();
    await start(page);
    expect(await models(page)).not.toContain(ID);
    await choose(page);
    await agree(page);
    await expect.poll(() => phase(page), { timeout: 120_000 }).toBe("done");
    await context.close();
  });
});
