// What can be missing or broken on a user's machine: each gives a sentence that says what and what next, never a blank page.
import { strToU8, zipSync } from "fflate";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ask, containerReady, idle, openOneBug, ready } from "../support/app-steps.ts";

let site: AppSite;
let bare: AppSite;

beforeAll(async () => {
  site = await openSite();
  bare = await openSite({ webgpu: false });
});
afterAll(async () => {
  await site?.close();
  await bare?.close();
});

async function notice(page: Page, title: string, timeoutMs = 60_000): Promise<string> {
  const shown = page.locator("tw-talk .notice", { hasText: title });
  await shown.first().waitFor({ timeout: timeoutMs });
  return shown.first().innerText();
}

describe("the page says what is wrong and what to do", () => {
  it("for a file that is no GGUF", async () => {
    const { page } = await site.open();
    await ready(page);
    await page.locator("input.open-model").setInputFiles({ name: "broken.gguf", mimeType: "application/octet-stream", buffer: Buffer.from("this is not a model") });
    expect(await notice(page, "The model file cannot be read")).toContain("GGUF");
    expect(await page.getByLabel("Message").isVisible()).toBe(true);
    // No longer true once a model is loaded.
    await page.locator("tw-device-card .choose").click();
    await page.locator("tw-device-dialog [data-model=tabwright-micro] input").check();
    await page.locator("tw-device-dialog .load").click();
    await page.keyboard.press("Escape");
    await ready(page);
    expect(await page.locator("tw-talk .notice").count()).toBe(0);
  });

  it("for a zip with paths outside the project, and leaves the project as it was", async () => {
    const { page } = await bare.open();
    const bytes = zipSync({ "../evil.js": strToU8("x"), "ok.js": strToU8("y") });
    await page.locator("tw-header button.open").click();
    await page.locator("tw-open-dialog input.open-zip").setInputFiles({ name: "evil.zip", mimeType: "application/zip", buffer: Buffer.from(bytes) });
    expect(await page.locator("tw-open-dialog .error").innerText()).toContain("../evil.js");
    await page.keyboard.press("Escape");
    await page.getByRole("tab", { name: /Files/ }).click();
    await expect.poll(() => page.locator('tw-files-panel [role="treeitem"]').count()).toBeGreaterThan(3);
  });

  it("for a project without a test command", async () => {
    const { page } = await bare.open();
    await containerReady(page);
    const bytes = zipSync({ "notes/readme.txt": strToU8("hello") });
    await page.locator("tw-header button.open").click();
    await page.locator("tw-open-dialog input.open-zip").setInputFiles({ name: "notes.zip", mimeType: "application/zip", buffer: Buffer.from(bytes) });
    await expect.poll(() => page.locator("tw-header .project").innerText()).toContain("notes");
    await page.getByRole("tab", { name: /Tests/ }).click();
    expect(await page.locator("tw-tests-panel p").first().innerText()).toContain("no test command");
  });

  it("when the container does not boot, within its time-out, and the chat still opens", async () => {
    const { page } = await bare.open("/", (context) => context.route("**/headless**", (route) => route.abort()));
    expect(await notice(page, "The container did not start", 40_000)).toMatch(/reload/i);
    expect(await page.getByLabel("Message").isVisible()).toBe(true);
  });

  it("when tool calls cannot be held to their form, once, and the answer goes on without", async () => {
    const { page } = await site.open("/", (context) => context.route(/\/assets\/xgrammar-/, (route) => route.abort()));
    await ready(page);
    await openOneBug(page);
    await ask(page, "Fix the failing test");
    expect(await notice(page, "Tool calls are not held to their form")).toMatch(/works without it/);
    await idle(page);
    expect(await page.locator("tw-chat .note.bad").count()).toBe(0);
    await page.getByRole("tab", { name: /Tests/ }).click();
    await expect.poll(() => page.locator("tw-tests-panel .verdict").textContent(), { timeout: 60_000 }).toMatch(/^✓ \d+ passed/);
    expect(await page.locator("tw-talk .notice").count()).toBe(1);
  });

  it("when the browser has no room for the model", async () => {
    const { page } = await site.open("/", async (context) => {
      const blank = await context.newPage();
      const session = await context.newCDPSession(blank);
      await session.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize: 200_000 });
    });
    expect(await notice(page, "storage is full")).toMatch(/free/i);
    expect(await page.getByLabel("Message").isVisible()).toBe(true);
  });
});

describe("a browser without a GPU adapter", () => {
  it("is told so, and the project and its tests work without a model", async () => {
    const { page } = await bare.open();
    expect(await notice(page, "offers no WebGPU")).toMatch(/Chrome|Edge/);
    await page.getByRole("tab", { name: /Tests/ }).click();
    await page.getByRole("button", { name: "Run tests" }).click();
    await expect.poll(() => page.locator("tw-tests-panel .verdict").textContent(), { timeout: 60_000 }).toMatch(/^✗ \d+ failed/);
  });
});
