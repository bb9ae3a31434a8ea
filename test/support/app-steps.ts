// What a person does on the page, step by step, for e2e tests.
import { zipSync } from "fflate";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
import { demoProject } from "../../src/project/demo.ts";
import type { FileTree } from "../../src/project/tree.ts";
import type { App } from "../../src/ui/app.ts";

export async function ready(page: Page): Promise<void> {
  await page.locator("tw-stats-strip .status", { hasText: /^\s*Ready\s*$/ }).waitFor({ timeout: 120_000 });
}

/** Waits for the container alone: on a browser without WebGPU the page is never "Ready". */
export async function containerReady(page: Page): Promise<void> {
  await expect.poll(() => page.locator("tw-app").evaluate((app) => (app as App).session.state.container.phase), { timeout: 60_000 }).toBe("ready");
}

/** Touches the page that has just been loaded, so that it starts, and waits until it is ready. */
export async function start(page: Page): Promise<void> {
  await page.waitForLoadState("load");
  await page.mouse.click(1, 1);
  await ready(page);
}

/** As `start`, on a browser without WebGPU. */
export async function startWithoutModel(page: Page): Promise<void> {
  await page.waitForLoadState("load");
  await page.mouse.click(1, 1);
  await containerReady(page);
}

export async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until nothing runs and nothing waits its turn: what is asked while the engine is not ready is sent later. */
export async function idle(page: Page): Promise<void> {
  await page.waitForFunction(() => (document.querySelector<App>("tw-app")?.session.state.queue.length ?? 0) === 0, undefined, { timeout: 300_000, polling: 200 });
  await page.locator("tw-composer .send").waitFor({ timeout: 300_000 });
}

/** Waits until nothing of the page's own runs: no command, no change that is being written. */
export async function whenIdle(page: Page): Promise<void> {
  await page.locator("tw-app").evaluate((app) => (app as App).session.whenIdle());
}

/** The bugs of the demo that `openOneBug` leaves out, and what is right. */
const REPAIRED: readonly (readonly [path: string, wrong: string, right: string])[] = [
  ["packages/stats/src/range.js", ") +", ") -"],
  ["packages/text/src/capitalize.js", "toLowerCase", "toUpperCase"],
];
/** The file that `openOneBug` leaves wrong. */
export const ONE_BUG = "packages/cart/src/cart-total.js";

/** The demo with one of its three bugs. */
export function oneBugProject(): FileTree {
  const files = new Map(demoProject());
  for (const [path, wrong, right] of REPAIRED) {
    const text = new TextDecoder().decode(files.get(path));
    if (!text.includes(wrong)) throw new Error(`${path} of the demo has changed: say here what is wrong with it`);
    files.set(path, new TextEncoder().encode(text.replace(wrong, right)));
  }
  return files;
}

/**
 * Opens the demo with one of its three bugs, as a zip file: a third of the work for a model that answers on the CPU. The names
 * of its files are the demo's, so the prompt is the same up to the message.
 */
export async function openOneBug(page: Page): Promise<void> {
  await page.locator("tw-header button.open").click();
  await page.locator("tw-open-dialog input.open-zip").setInputFiles({ name: "one-bug.zip", mimeType: "application/zip", buffer: Buffer.from(zipSync(Object.fromEntries(oneBugProject()))) });
  await page.locator("tw-header .project", { hasText: "one-bug" }).waitFor({ timeout: 60_000 });
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  await whenIdle(page);
}

/** Asks for the fix of the bug that the open project has, and sees its tests turn green. */
export async function fixBug(page: Page): Promise<void> {
  await ask(page, "Fix the failing test");
  await idle(page);
  await page.getByRole("tab", { name: /Tests/ }).click();
  await expect.poll(() => page.locator("tw-tests-panel .verdict").textContent(), { timeout: 60_000 }).toMatch(/^✓ \d+ passed/);
}

/** Puts a conversation into the history, as if it had been held, and opens it. */
export async function openChat(page: Page, events: readonly AgentEvent[]): Promise<void> {
  await page.locator("tw-app").evaluate(async (app, events) => {
    const { chat } = (app as App).session;
    await chat.restore({ id: "chat-planted", workspace: "w", project: "planted", title: "Planted", time: Date.now(), conversation: { exchanges: [{ id: "1", time: 1, events }], head: "1" } });
    await chat.openChat("chat-planted");
  }, events as AgentEvent[]);
}
