// less, watch and code at the terminal panel of the built app: screens of their own, with the keyboard, and the prompt after them.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { enter, openShell, openTerminal } from "../support/terminal-steps.ts";

let site: AppSite;
let page: Page;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
});
beforeEach(async () => {
  ({ page } = await site.open("/"));
  await openTerminal(page);
  await openShell(page);
});
afterAll(() => site?.close());

const screen = async (): Promise<string> => (await page.locator("tw-shell-view .xterm-rows > div").allInnerTexts()).map((row) => row.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd();
const shows = (text: string | RegExp): Promise<void> => expect.poll(screen, { timeout: 30_000 }).toMatch(text);

it("less pages what a pipe gives it, by its keys, and gives the screen back", async () => {
  await enter(page, "echo before; seq 1 500 | less");
  await shows(/^1\n2\n[^]*\n:$/);
  expect(await screen()).not.toContain("before");
  const height = (await screen()).split("\n").length - 1;
  await page.keyboard.press("Space");
  await shows(new RegExp(`^${height + 1}\n`));
  await page.keyboard.press("ArrowDown");
  await shows(new RegExp(`^${height + 2}\n`));
  await page.keyboard.press("b");
  await shows(/^2\n/);
  await page.keyboard.press("G");
  await shows(/\n500\n\(END\)$/);
  await page.keyboard.type("g/^23");
  await page.keyboard.press("Enter");
  await shows(/^23\n/);
  await page.keyboard.press("n");
  await shows(/^230\n/);
  await page.keyboard.press("q");
  await shows(/before\n~\/project \$$/);
  // In a shell of its own, that an npm script or a program would start.
  await enter(page, "sh -c 'seq 1 500 | less'; echo left $?");
  await shows(/^1\n2\n[^]*\n:$/);
  await page.keyboard.type("200gq");
  await shows(/left 0\n~\/project \$$/);
});

it("watch runs a command again and again until Ctrl+C", async () => {
  await enter(page, "clear; watch -n 0.2 'date >> dates; wc -l < dates'");
  await shows(/^Every 0\.2s: date >> dates; wc -l < dates +container: [^\n]*\n\n(?!1$)\d+$/);
  await page.keyboard.press("Control+c");
  await enter(page, "echo stopped $?");
  await shows(/stopped 130\n/);
});

it("code opens a file of the project in the editor, one that was just made too", async () => {
  await enter(page, "cd packages/cart; code src/cart-total.js");
  await page.locator("tw-files-area .cm-content").filter({ hasText: "export" }).waitFor({ timeout: 30_000 });
  await page.getByRole("tab", { name: /Terminal/ }).click();
  await page.getByRole("textbox", { name: "Shell" }).focus();
  await enter(page, "code nosuch; code /tmp; echo code $?");
  await shows(/code: nosuch: No such file\ncode: \/tmp: No such file\ncode 1\n/);
  await enter(page, "echo just made > made.txt; open made.txt");
  await page.locator("tw-files-area .cm-content").filter({ hasText: "just made" }).waitFor({ timeout: 30_000 });
});
