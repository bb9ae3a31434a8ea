// What can be missing or broken on a user's machine: each gives a sentence that says what and what next, never a blank page.
import { strToU8, zipSync } from "fflate";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
});

async function notice(page: Page, title: string, timeoutMs = 60_000): Promise<string> {
  const shown = page.locator("tw-app .notice", { hasText: title });
  await shown.first().waitFor({ timeout: timeoutMs });
  return shown.first().innerText();
}

describe("the page says what is wrong and what to do", () => {
  it("for a file that is no GGUF", async () => {
    const { page } = await site.open();
    await page.locator("tw-stats-strip .status", { hasText: "Ready" }).waitFor({ timeout: 120_000 });
    await page.locator("input.open-model").setInputFiles({ name: "broken.gguf", mimeType: "application/octet-stream", buffer: Buffer.from("this is not a model") });
    expect(await notice(page, "The model file cannot be read")).toContain("GGUF");
    expect(await page.getByLabel("Message").isVisible()).toBe(true);
  });

  it("for a zip with paths outside the project, and leaves the project as it was", async () => {
    const { page } = await site.open();
    const bytes = zipSync({ "../evil.js": strToU8("x"), "ok.js": strToU8("y") });
    await page.locator("input.open-zip").setInputFiles({ name: "evil.zip", mimeType: "application/zip", buffer: Buffer.from(bytes) });
    expect(await notice(page, "The archive cannot be opened")).toContain("../evil.js");
    await page.getByRole("tab", { name: /Files/ }).click();
    expect(await page.locator("tw-files-panel li button").count()).toBeGreaterThan(3);
  });

  it("for a project without a test command", async () => {
    const { page } = await site.open();
    await page.locator("tw-stats-strip .status", { hasText: /Ready/ }).waitFor({ timeout: 120_000 });
    const bytes = zipSync({ "notes/readme.txt": strToU8("hello") });
    await page.locator("input.open-zip").setInputFiles({ name: "notes.zip", mimeType: "application/zip", buffer: Buffer.from(bytes) });
    await expect.poll(() => page.locator("tw-app .project").innerText()).toContain("notes");
    await page.getByRole("tab", { name: /Tests/ }).click();
    expect(await page.locator("tw-tests-panel p").first().innerText()).toContain("no test command");
  });

  it("when the container does not boot, within its time-out, and the chat still opens", async () => {
    const { page } = await site.open("/", (context) => context.route("**/headless**", (route) => route.abort()));
    expect(await notice(page, "The container did not start", 40_000)).toMatch(/reload/i);
    expect(await page.getByLabel("Message").isVisible()).toBe(true);
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
    const bare = await openSite({ webgpu: false });
    try {
      const { page } = await bare.open();
      expect(await notice(page, "offers no WebGPU")).toMatch(/Chrome|Edge/);
      await page.getByRole("tab", { name: /Tests/ }).click();
      await page.getByRole("button", { name: "Run tests" }).click();
      await expect.poll(() => page.locator("tw-tests-panel .verdict").textContent(), { timeout: 60_000 }).toMatch(/^✗ \d+ failed/);
    } finally {
      await bare.close();
    }
  });
});
