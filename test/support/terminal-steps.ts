// The terminal panel of the built app, as a person uses it.
import type { Locator, Page } from "playwright-core";
import { containerReady, whenIdle } from "./app-steps.ts";

/** Waits for the container, and for what opening the project still does in it; then shows the panel. */
export async function openTerminal(page: Page): Promise<void> {
  await containerReady(page);
  await whenIdle(page);
  await page.getByRole("tab", { name: /Terminal/ }).click();
}

/** Opens its shell and waits for the prompt. */
export async function openShell(page: Page): Promise<void> {
  await page.locator("tw-terminal-panel").getByRole("button", { name: "Shell" }).click();
  await shellShows(page, /project \$/);
}

/** What the shell's screen shows. */
export function shellRows(page: Page): Locator {
  return page.locator("tw-shell-view .xterm-rows");
}

export async function shellShows(page: Page, text: string | RegExp): Promise<void> {
  await shellRows(page).filter({ hasText: text }).waitFor({ timeout: 30_000 });
}

/** Types a line and runs it. */
export async function enter(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
}
