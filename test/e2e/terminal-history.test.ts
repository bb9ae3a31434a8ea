// What was typed at the terminal is there after a reload and after a crash of the container, for its project alone and in no file
// of it; and what is pasted there runs with Enter.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { App } from "../../src/ui/app.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { containerReady, startWithoutModel, whenIdle } from "../support/app-steps.ts";
import { enter, openShell, openTerminal, shellRows, shellShows } from "../support/terminal-steps.ts";

let site: AppSite;
let page: Page;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
});
beforeEach(async () => {
  ({ page } = await site.open("/"));
  await openTerminal(page);
});
afterAll(() => site?.close());

const shows = (text: string | RegExp): Promise<void> => shellShows(page, text);
const commandLine = (): ReturnType<Page["locator"]> => page.getByLabel("Command", { exact: true });

/** As from the clipboard, into the shell. */
async function paste(text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Shell" }).evaluate((area, given) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", given);
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true, composed: true }));
  }, text);
}

describe("the terminal's history", () => {
  it("is there after a reload and after a crash, for its project alone and in none of its files", async () => {
    await commandLine().fill("echo on the line");
    await page.keyboard.press("Enter");
    await whenIdle(page);
    await openShell(page);
    await enter(page, "echo yesterday-$((40 + 2))");
    await shows("yesterday-42");
    await enter(page, " echo secret-$((40 + 2))");
    await shows("secret-42");
    const steps = await page.locator("tw-app").evaluate((app) => (app as App).session.state.timeline.length);

    await page.reload();
    await startWithoutModel(page);
    await openTerminal(page);
    const recalled = async (): Promise<string> => {
      await commandLine().press("ArrowUp");
      return commandLine().inputValue();
    };
    await expect.poll(recalled, { timeout: 10_000 }).toBe("echo yesterday-$((40 + 2))");
    expect(await recalled()).toBe("echo on the line");
    await openShell(page);
    await page.keyboard.press("Control+r");
    await page.keyboard.type("yester");
    await page.keyboard.press("Enter");
    await shows("yesterday-42");
    await enter(page, "history");
    await shows(/1 {2}echo on the line/);
    expect(await shellRows(page).innerText()).not.toContain("secret");

    const { files, changed, timeline } = await page.locator("tw-app").evaluate(async (app) => {
      const { session } = app as App;
      return { files: await session.sandbox!.list(), changed: [...session.project.changedPaths], timeline: session.state.timeline.length };
    });
    expect(files.filter((path) => path.includes("history"))).toEqual([]);
    expect(changed).toEqual([]);
    expect(timeline).toBe(steps);

    // The kernel ends as a lack of memory would end it: from inside, without a word.
    const kernel = page.frames().find((frame) => frame.url() === "about:srcdoc" && frame.parentFrame()?.url().endsWith("/headless/frame.html"));
    await kernel!.evaluate("location.href = 'http://127.0.0.1:1/'").catch(() => undefined); // it is gone before it answers
    await page.locator("tw-shell-view").waitFor({ state: "detached", timeout: 30_000 });
    await containerReady(page);
    await shows(/project \$/);
    await page.getByRole("textbox", { name: "Shell" }).focus();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await shows("yesterday-42");

    // Another project has its own; the first one's comes back with it.
    const first = await page.locator("tw-app").evaluate(async (app) => {
      const { session } = app as App;
      const { id } = session.state.project;
      await session.project.openFiles("other", new Map([["a.txt", new TextEncoder().encode("a")]]));
      return id;
    });
    await page.getByRole("tab", { name: /Terminal/ }).click();
    await page.getByRole("textbox", { name: "Shell" }).focus();
    await expect.poll(async () => {
      await enter(page, "clear; history | wc -l");
      return shellRows(page).innerText();
    }, { timeout: 20_000 }).toMatch(/^\s*[1-9]\s*\n/);
    await page.locator("tw-app").evaluate((app, id) => (app as App).session.project.openRecent(id), first);
    await page.getByRole("tab", { name: /Terminal/ }).click();
    await page.getByRole("textbox", { name: "Shell" }).focus();
    await enter(page, "clear; history | grep yesterday");
    await shows(/\d {2}echo yesterday/);
    expect(await shellRows(page).innerText()).not.toContain("wc -l");
  });
});

describe("what is pasted into the shell", () => {
  it("stands there until Enter, and keys in it do nothing", async () => {
    await openShell(page);
    await paste("echo first-$((40 + 1))\nfor i in 1 2; do\n\techo \"turn $i\"\ndone\u0003\u0004\u001b[201~\r");
    await shows(/done/);
    await page.waitForTimeout(300);
    expect(await shellRows(page).innerText()).not.toMatch(/first-41|^turn/m);
    await page.keyboard.press("Backspace");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowDown");
    for (let i = 0; i < "[201~".length; i++) await page.keyboard.press("Backspace");
    await page.keyboard.press("Enter");
    await shows(/first-41/);
    await shows(/turn 2/);
    // A program that reads lines gets the text as it is, once the shell has told the screen that it does not edit any more.
    await enter(page, "echo reads-$((1 + 1)); cat > pasted.txt");
    await shows("reads-2");
    await paste("one\n\ttwo\u0003\n");
    await page.keyboard.press("Control+d");
    await enter(page, "od -c pasted.txt | head -n 1");
    await shows(/o\s+n\s+e\s+\\n\s+\\t\s+t\s+w\s+o\s+\\n/);
  });
});
