// The terminal panel through the built app: the log of commands with its line, and a shell at a terminal.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { App } from "../../src/ui/app.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { whenIdle } from "../support/app-steps.ts";
import { enter, openShell, openTerminal, shellRows, shellShows } from "../support/terminal-steps.ts";

const SHOTS = process.env["TABWRIGHT_SHOTS"];
let site: AppSite;
let page: Page;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
});
beforeEach(async () => {
  ({ page } = await site.open("/"));
  await openTerminal(page);
});
afterAll(async () => {
  await site?.close();
});

function fileText(path: string): Promise<string | undefined> {
  return page.locator("tw-app").evaluate((app, name) => {
    const bytes = (app as App).session.state.project.files.get(name);
    return bytes && new TextDecoder().decode(bytes);
  }, path);
}

async function shot(name: string): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, name) });
}

describe("the terminal", () => {
  it("shows colours, remembers commands, and stops one with Ctrl+C", async () => {
    const line = page.getByLabel("Command", { exact: true });
    await line.fill("node -e \"console.log('\\u001b[31mred\\u001b[0m plain')\"");
    await page.keyboard.press("Enter");
    await page.locator("tw-terminal-panel .xterm-rows", { hasText: "red plain" }).waitFor({ timeout: 30_000 });
    expect(await page.locator("tw-terminal-panel .out").innerText()).toContain("red plain");
    const color = (text: string): Promise<string> => page.locator("tw-terminal-panel .xterm-rows span", { hasText: text }).last().evaluate((span) => getComputedStyle(span).color);
    expect(await color("red")).not.toBe(await color("plain"));
    await whenIdle(page);

    await line.fill("node -e \"for (;;) {}\"");
    await page.keyboard.press("Enter");
    await page.locator("tw-terminal-panel .stop").waitFor();
    await line.press("Control+c");
    await expect.poll(() => page.locator("tw-terminal-panel .out").innerText(), { timeout: 10_000 }).toContain("stopped");
    await whenIdle(page);
    await line.fill("half a lin");
    await line.press("ArrowUp");
    expect(await line.inputValue()).toContain("for (;;)");
    await line.press("ArrowUp");
    expect(await line.inputValue()).toContain("red");
    await line.press("ArrowDown");
    await line.press("ArrowDown");
    expect(await line.inputValue()).toBe("half a lin");
    await shot("work-terminal.png");

    await page.locator("tw-terminal-panel").getByRole("button", { name: "Plain text" }).click();
    expect(await page.locator("tw-terminal-panel .screen").isVisible()).toBe(false);
    expect(await page.locator("tw-terminal-panel .out").isVisible()).toBe(true);
  });
});

describe("a command that ends in &", () => {
  it("runs beside others, shows what it prints, and has a button that stops it", async () => {
    const line = page.getByLabel("Command", { exact: true });
    const out = page.locator("tw-terminal-panel .out");
    await line.fill("node -e \"console.log('ser' + 'ving'); setInterval(() => {}, 1000)\" &");
    await page.keyboard.press("Enter");
    await expect.poll(() => out.innerText(), { timeout: 30_000 }).toContain("serving");
    await line.fill("echo beside");
    await page.keyboard.press("Enter");
    await expect.poll(() => out.innerText(), { timeout: 30_000 }).toContain("beside\nexit code 0");
    await page.locator("tw-terminal-panel").getByRole("button", { name: /^Stop node -e/ }).click();
    await expect.poll(() => out.innerText(), { timeout: 30_000 }).toContain("serving\nstopped");
    expect(await page.locator("tw-terminal-panel .stop-job").count()).toBe(0);
    expect(await out.innerText()).toContain("beside\nexit code 0");
  });
});

describe("a shell in the terminal panel", () => {
  it("keeps its folder, gives programs their input, stops them with Ctrl+C, runs jobs, and lets the keyboard out", async () => {
    const shows = (text: string | RegExp): Promise<void> => shellShows(page, text);
    await openShell(page);
    await enter(page, "cd packages/cart/src && X=kept; ls");
    await shows("cart-total.js");
    await shows(/cart\/src \$/);
    await enter(page, "read name; echo \"hello $name from $X\"");
    await enter(page, "Ann");
    await shows("hello Ann from kept");
    await enter(page, "node -e \"require('readline').createInterface({ input: process.stdin, output: process.stdout }).question('age? ', (a) => { console.log('next', +a + 1); process.exit(3) })\"");
    await shows(/age\? (?!')/);
    await enter(page, "41");
    await shows("next 42");
    await enter(page, "echo code $?");
    await shows("code 3");
    await enter(page, "node -e \"console.log('en' + 'dless'); for (;;) {}\"");
    await shows("endless");
    await page.keyboard.press("Control+c");
    await enter(page, "echo after $?");
    await shows("after 130");
    await enter(page, "sleep 100 &");
    await enter(page, "jobs; kill %1; wait %1; echo ended $?");
    await shows(/Running +sleep 100 &/);
    await shows("ended 143");
    await enter(page, "echo by the shell > made.txt");
    await expect.poll(() => fileText("packages/cart/src/made.txt"), { timeout: 30_000 }).toBe("by the shell\n");
    await enter(page, "node");
    await enter(page, "const answer = await Promise.resolve(42)");
    await enter(page, "answer * 2");
    await shows("84");
    await page.keyboard.press("Control+d");
    await expect.poll(async () => (await shellRows(page).innerText()).trimEnd(), { timeout: 30_000 }).toMatch(/src \$$/);
    await page.keyboard.type("echo completed mad");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await shows("completed made.txt");
    // What a screen reader is told, and the way out for the keyboard.
    expect(await page.locator("tw-shell-view .xterm-accessibility").count()).toBe(1);
    expect(await page.getByRole("textbox", { name: "Shell" }).count()).toBe(1);
    await page.keyboard.press("Shift+Tab");
    await expect.poll(() => page.evaluate(() => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active?.className;
    })).not.toContain("xterm");
    await expect.poll(() => page.locator("tw-app").evaluate((app) => (app as App).session.state.timeline.at(-1)?.label)).toBe("Shell");
    await shot("work-shell.png");
    const toggle = page.locator("tw-terminal-panel").getByRole("button", { name: "Shell" });
    await toggle.click();
    await page.getByLabel("Command", { exact: true }).waitFor();
    // It went on meanwhile.
    await toggle.click();
    await page.getByRole("textbox", { name: "Shell" }).focus();
    await enter(page, "echo still $X");
    await shows("still kept");
  });
});
