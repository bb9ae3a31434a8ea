// What a person does on the page, step by step, for e2e tests.
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
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
  await page.waitForFunction(() => (document.querySelector<App>("tw-app")?.session.state.queue.length ?? 0) === 0, undefined, { timeout: 300_000 });
  await page.locator("tw-composer .send").waitFor({ timeout: 300_000 });
}

/** Asks for the fix of the demo's bug and sees the tests turn green. */
export async function fixDemo(page: Page): Promise<void> {
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
