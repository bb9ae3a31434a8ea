// The main job, as a person does it: open the page, ask, watch it turn green, undo, redo, reload, stop.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";

const SHOTS = process.env["TABWRIGHT_SHOTS"];
let site: AppSite;

beforeAll(async () => {
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
});

async function ready(page: Page): Promise<void> {
  await page.locator("tw-stats-strip .status", { hasText: /^\s*Ready\s*$/ }).waitFor({ timeout: 120_000 });
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

async function idle(page: Page): Promise<void> {
  await page.locator("tw-composer .send").waitFor({ timeout: 200_000 });
}

async function shot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, name) });
}

describe("the page", () => {
  it("fixes the demo's failing tests, shows the diff, undoes, redoes, and survives a reload", async () => {
    const { page, errors } = await site.open();
    await ready(page);
    await ask(page, "Fix the failing test");
    await idle(page);

    const verdict = page.locator("tw-tests-panel .verdict");
    await page.getByRole("tab", { name: /Tests/ }).click();
    await expect.poll(() => verdict.textContent()).toMatch(/^✓ \d+ passed$/);
    expect(await page.locator("tw-tool-card").count()).toBeGreaterThanOrEqual(4);
    const strip = await page.locator("tw-stats-strip dl").innerText();
    expect(strip).toMatch(/tokens\/s\s+\d/);
    expect(strip).toMatch(/expert hits\s+\d/);

    const changes = page.locator("tw-diff-view section");
    await page.getByRole("tab", { name: /Changes/ }).click();
    const fixed = await changes.count();
    expect(fixed).toBeGreaterThanOrEqual(1);
    await shot(page, "fixed.png");

    await page.getByRole("button", { name: "Undo", exact: true }).click();
    // One click takes back all that the request did.
    await expect.poll(() => changes.count()).toBe(0);
    await page.getByRole("button", { name: "Redo", exact: true }).click();
    await expect.poll(() => changes.count()).toBe(fixed);

    await page.reload();
    await ready(page);
    expect(await page.locator("tw-chat .user").first().innerText()).toContain("Fix the failing test");
    await page.getByRole("tab", { name: /Changes/ }).click();
    expect(await changes.count()).toBe(fixed);
    await page.getByRole("tab", { name: /Tests/ }).click();
    await page.getByRole("button", { name: "Run tests" }).click();
    await expect.poll(() => verdict.textContent(), { timeout: 60_000 }).toMatch(/^✓ \d+ passed$/);
    expect(errors).toEqual([]);
  });

  it("stops in the middle of an answer, soon, and works on afterwards", async () => {
    const { page } = await site.open();
    await ready(page);
    await ask(page, "Fix the failing test");
    await page.locator("tw-composer .stop").waitFor();
    const asked = Date.now(); // the engine's and the agent's own tests hold the second; here the browser's driver takes part of the time
    await page.keyboard.press("Escape");
    await page.locator("tw-composer .send").waitFor({ timeout: 10_000 });
    expect(Date.now() - asked).toBeLessThan(3000);
    await page.locator("tw-chat .note", { hasText: "Stopped" }).waitFor();
    await ask(page, "Hello");
    await idle(page);
    expect((await page.locator("tw-chat .assistant").last().innerText()).length).toBeGreaterThan(3);
  });

  it("turns dark and light at once, and remembers which", async () => {
    const { page } = await site.open();
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.locator("select.theme").selectOption("dark");
    const dark = await ground();
    expect(dark).not.toBe(light);
    await expect.poll(async () => {
      await page.reload();
      return ground();
    }).toBe(dark);
  });

  it("stops a command that would never end", async () => {
    const { page } = await site.open();
    await ready(page);
    await page.getByRole("tab", { name: /Terminal/ }).click();
    await page.getByLabel("Command", { exact: true }).fill("node -e \"console.log('started'); for (;;) {}\"");
    await page.keyboard.press("Enter");
    const output = page.locator("tw-terminal-panel .out");
    await expect.poll(() => output.innerText(), { timeout: 30_000 }).toMatch(/\nstarted/);
    await page.locator("tw-terminal-panel").getByRole("button", { name: "Stop" }).click();
    await expect.poll(() => output.innerText(), { timeout: 5000 }).toContain("stopped");
    await idle(page);
  });
});
