// The right half of the page through the built app: editor, review by hunk, undo, tests, timeline.
// The first journey uses the keyboard alone.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/ui/app.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ONE_BUG, openOneBug, ready, whenIdle } from "../support/app-steps.ts";
import { fileText, openProject, PROJECT, SUM } from "../support/work-steps.ts";

const SHOTS = process.env["TABWRIGHT_SHOTS"];
let site: AppSite;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
});
afterAll(async () => {
  await site?.close();
});

/** Presses Tab until the element with the focus fits the selector. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    const found = await page.evaluate((wanted) => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active?.matches(wanted) ?? false;
    }, selector);
    if (found) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never came to ${selector}`);
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

async function shot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, name) });
}

describe("work with the keyboard alone", () => {
  it("edits, runs the tests on saving, rejects one hunk, undoes it and undoes the undoing", async () => {
    const { page, errors } = await openProject(site, PROJECT);
    await page.locator("tw-work #tab-files").focus();
    await press(page, "ArrowLeft", "ArrowLeft");
    await tabTo(page, "input.rerun");
    await page.keyboard.press("Space");

    await page.locator("tw-work #tab-tests").focus();
    await press(page, "ArrowRight", "ArrowRight");
    await tabTo(page, "[role=tree]");
    await page.keyboard.type("sum.js");
    await page.keyboard.press("Enter");
    await page.locator("tw-editor .cm-content").waitFor();
    await tabTo(page, ".cm-content");
    await press(page, "Control+Home", "ArrowDown", "End", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Backspace");
    await page.keyboard.type("+");
    await press(page, "Control+End");
    await page.keyboard.type(" // end");
    await shot(page, "work-editor.png");
    await press(page, "Control+s");

    const verdict = page.locator("tw-tests-panel .verdict");
    await expect.poll(() => verdict.textContent(), { timeout: 60_000 }).toBe("✓ 2 passed");
    expect(await page.locator("tw-tests-panel li.passed").count()).toBe(2);
    await whenIdle(page);
    const edited = SUM.replace("a - b", "a + b");
    expect(await fileText(page, "src/sum.js")).toBe(`${edited} // end`);

    // Escape, then Tab leaves the editor.
    await page.locator("tw-work #tab-tests").focus();
    await press(page, "ArrowRight");
    const hunks = page.locator("tw-diff-view .hunk");
    await expect.poll(() => hunks.count()).toBe(2);
    await tabTo(page, ".hunk");
    await press(page, "j");
    await shot(page, "work-diff.png");
    await press(page, "r");
    await expect.poll(() => hunks.count(), { timeout: 20_000 }).toBe(1);
    expect(await fileText(page, "src/sum.js")).toBe(edited);

    await whenIdle(page);
    await page.locator("tw-work #tab-diff").focus();
    await tabTo(page, "button.undo");
    await page.keyboard.press("Enter");
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBe(`${edited} // end`);
    await whenIdle(page);
    await page.locator("tw-work #tab-diff").focus();
    await tabTo(page, "button.redo");
    await page.keyboard.press("Enter");
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBe(edited);

    await whenIdle(page);
    await page.locator("tw-work #tab-diff").focus();
    await tabTo(page, ".hunk");
    await press(page, "a");
    await expect.poll(() => page.locator("tw-diff-view .open-count").innerText()).toBe("All changes are reviewed");
    expect(await page.locator("tw-diff-view .line").count()).toBe(0);
    expect(await page.locator("tw-work #tab-diff .mark").count()).toBe(0);
    await whenIdle(page);
    await page.reload();
    await page.getByRole("tab", { name: /Changes/ }).click();
    await expect.poll(() => page.locator("tw-diff-view .open-count").innerText(), { timeout: 30_000 }).toBe("All changes are reviewed");
    expect(errors).toEqual([]);
  });

  it("leaves the editor with Escape and Tab, and indents with Tab alone", async () => {
    const { page } = await openProject(site, PROJECT);
    await page.locator('[data-path="package.json"]').click();
    const content = page.locator("tw-editor .cm-content");
    await content.click();
    await press(page, "Control+Home", "Tab");
    expect((await content.innerText()).startsWith("  {")).toBe(true);
    await press(page, "Escape", "Tab");
    expect(await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.tagName)).not.toBe("TW-WORK");
  });
});

describe("a file that is edited by two at once", () => {
  /** Changes the file elsewhere. `typed` goes into the editor in the same moment: it has no time to be saved before. */
  const other = (page: Page, path: string, from: string, to: string, typed = ""): Promise<void> =>
    page.locator("tw-app").evaluate(
      async (app, edit) => {
        if (edit.typed) document.execCommand("insertText", false, edit.typed);
        const { session } = app as App;
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(session.state.project.files.get(edit.path)).replace(edit.from, edit.to);
        await session.project.change("Somebody else", new Map([[edit.path, new TextEncoder().encode(text)]]));
      },
      { path, from, to, typed },
    );

  it("takes in what the other changed elsewhere, keeps the cursor and what was typed", async () => {
    const { page } = await openProject(site, PROJECT);
    await page.locator('[data-path="src/sum.js"]').click();
    await page.locator("tw-editor .cm-content").click();
    await press(page, "Control+End");
    await page.keyboard.type(" // mine");
    await other(page, "src/sum.js", "a - b", "a + b");
    await page.keyboard.type("!");
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBe(`${SUM.replace("a - b", "a + b")} // mine!`);
  });

  it("asks where both changed the same line, and drops neither", async () => {
    const { page } = await openProject(site, PROJECT);
    await page.locator('[data-path="src/sum.js"]').click();
    await page.locator("tw-editor .cm-content").click();
    await press(page, "Control+Home", "ArrowDown", "End");
    await other(page, "src/sum.js", "a - b", "a + b", " // mine");
    const conflict = page.locator("tw-editor .conflict");
    await conflict.waitFor();
    expect(await page.locator("tw-editor .cm-content").innerText()).toContain("a - b; // mine");
    await shot(page, "work-conflict.png");
    await conflict.getByRole("button", { name: "Take the file's text" }).click();
    await expect.poll(() => page.locator("tw-editor .cm-content").innerText()).toContain("a + b;");
    await press(page, "Control+z");
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toContain("a - b; // mine");
  });
});

describe("what is typed while something else runs", () => {
  it("waits, and is written afterwards even if the file was removed meanwhile", async () => {
    const { page } = await openProject(site, { ...PROJECT, "image.png": new Uint8Array([0, 1]) });
    await page.locator('[data-path="src/sum.js"]').click();
    await page.locator("tw-editor .cm-content").click();
    await page.getByRole("tab", { name: /Terminal/ }).click();
    await page.getByLabel("Command", { exact: true }).fill("node -e \"setTimeout(() => {}, 4000)\" && rm src/sum.js");
    await page.keyboard.press("Enter");
    await page.locator("tw-terminal-panel .stop").waitFor();
    await page.getByRole("tab", { name: /Files/ }).click();
    await page.locator("tw-editor .cm-content").click();
    await press(page, "Control+End");
    await page.keyboard.type(" // kept");
    await expect.poll(() => page.locator("tw-editor .hint").innerText()).toContain("as soon as");
    await page.locator('[data-path="image.png"]').click();
    expect(await fileText(page, "src/sum.js")).toBe(SUM);
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 60_000 }).toBe(`${SUM} // kept`);
  });

  it("is undone by one click that comes at once", async () => {
    const { page } = await openProject(site, PROJECT);
    await page.locator('[data-path="src/sum.js"]').click();
    await page.locator("tw-editor .cm-content").click();
    await press(page, "Control+End");
    await page.keyboard.type(" // one");
    await press(page, "Control+s");
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBe(`${SUM} // one`);
    await whenIdle(page);
    await page.keyboard.type(" and two");
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBe(SUM);
    expect(await page.locator("tw-editor .cm-content").innerText()).not.toContain("one");
  });
});

describe("files in the tree", () => {
  it("are made, renamed, removed, and come back with Undo; names that exist or leave the project are refused", async () => {
    const { page } = await openProject(site, PROJECT);
    const tree = page.locator("tw-files-panel");
    const form = tree.locator("form");
    await tree.getByRole("button", { name: "New", exact: true }).click();
    await form.locator("input").fill("../outside.js");
    await page.keyboard.press("Enter");
    expect(await form.locator("p").innerText()).toContain("..");
    await form.locator("input").fill("PACKAGE.json");
    await page.keyboard.press("Enter");
    expect(await form.locator("p").innerText()).toContain("package.json");
    await form.locator("input").fill("notes/new.md");
    await page.keyboard.press("Enter");
    await tree.locator('[data-path="notes/new.md"]').waitFor({ timeout: 20_000 });
    await whenIdle(page);
    await tree.locator('[data-path="notes/new.md"]').click();
    await page.keyboard.press("F2");
    await form.locator("input").fill("notes/renamed.md");
    await page.keyboard.press("Enter");
    await tree.locator('[data-path="notes/renamed.md"]').waitFor({ timeout: 20_000 });
    await whenIdle(page);
    await tree.locator('[data-path="src/"]').click();
    await tree.getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBeUndefined();
    await whenIdle(page);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBe(SUM);
  });

  it("that are binary or very large are said to be so, and stay as they are", async () => {
    const image = new Uint8Array([137, 80, 78, 71, 0, 255, 254]);
    const { page } = await openProject(site, { ...PROJECT, "image.png": image, "large.txt": "x".repeat(1_200_000) });
    await page.locator('[data-path="image.png"]').click();
    await expect.poll(() => page.locator("tw-file-view .empty").innerText()).toContain("A binary file of 7 B");
    await page.locator('[data-path="large.txt"]').click();
    await expect.poll(() => page.locator("tw-file-view .empty").innerText()).toContain("too large to edit");
    expect(await page.locator("tw-editor").count()).toBe(0);
  });
});

describe("the list of tests", () => {
  let withModel: AppSite;
  beforeAll(async () => {
    withModel = await openSite();
  });
  afterAll(() => withModel?.close());

  it("shows every test by file, opens one where it fails, and has one fixed that is named", async () => {
    const { page } = await withModel.open();
    await ready(page);
    await openOneBug(page);
    await page.getByRole("tab", { name: /Tests/ }).click();
    await page.getByRole("button", { name: "Run tests" }).click();
    const verdict = page.locator("tw-tests-panel .verdict");
    await expect.poll(() => verdict.textContent(), { timeout: 60_000 }).toMatch(/^✗ \d+ failed, \d+ passed$/);
    const counts = /(\d+) failed, (\d+) passed/.exec((await verdict.textContent()) ?? "");
    expect([await page.locator("tw-tests-panel li.failed").count(), await page.locator("tw-tests-panel li.passed").count()]).toEqual([Number(counts?.[1]), Number(counts?.[2])]);
    await shot(page, "work-tests.png");

    await page.getByRole("button", { name: "Passed", exact: true }).click();
    expect(await page.locator("tw-tests-panel li.failed").count()).toBe(0);
    await page.getByRole("button", { name: "All", exact: true }).click();
    await page.locator("tw-tests-panel li.failed button.place").first().click();
    const line = page.locator("tw-editor .cm-activeLine");
    await expect.poll(() => line.innerText(), { timeout: 30_000 }).toContain("assert");

    await whenIdle(page);
    await page.getByRole("tab", { name: /Tests/ }).click();
    const red = page.locator("tw-tests-panel li.failed").first();
    const name = await red.locator("button.place bdi").last().innerText();
    await red.getByRole("button", { name: /^Fix this/ }).click();
    await expect.poll(() => page.locator("tw-chat .user").last().innerText()).toContain(JSON.stringify(name));
    await page.locator("tw-composer .send").waitFor({ timeout: 300_000 });
    await whenIdle(page);
    await expect.poll(() => verdict.textContent(), { timeout: 60_000 }).toMatch(/^✓ \d+ passed$/);
    expect(await page.locator("tw-tests-panel li.passed", { hasText: name }).count()).toBe(1);
    await shot(page, "work-fix-this.png");

    // Back to the beginning, files and chat; the files alone come back with Undo.
    const fixed = await fileText(page, ONE_BUG);
    await page.getByRole("tab", { name: /Timeline/ }).click();
    await shot(page, "work-timeline-chat.png");
    await page.locator("tw-timeline li", { hasText: "opened ·" }).getByRole("button", { name: /^Restore both/ }).click();
    await expect.poll(() => page.locator("tw-chat .user").count(), { timeout: 20_000 }).toBe(0);
    await expect.poll(() => fileText(page, ONE_BUG)).toContain("price + item.qty");
    await whenIdle(page);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(() => fileText(page, ONE_BUG), { timeout: 20_000 }).toBe(fixed);
  });
});

describe("the timeline", () => {
  it("goes back to a state and says so once it is checked, compares two, and names one; going back can be undone", async () => {
    const { page } = await openProject(site, PROJECT);
    await page.locator('[data-path="src/sum.js"]').click();
    await page.locator("tw-editor .cm-content").click();
    await press(page, "Control+End");
    await page.keyboard.type(" // one");
    await press(page, "Control+s");
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBe(`${SUM} // one`);
    await whenIdle(page);
    await page.getByRole("tab", { name: /Terminal/ }).click();
    await page.getByLabel("Command", { exact: true }).fill("echo made > by-shell.txt");
    await page.keyboard.press("Enter");
    await expect.poll(() => fileText(page, "by-shell.txt"), { timeout: 30_000 }).toBe("made\n");
    await whenIdle(page);

    await page.getByRole("tab", { name: /Timeline/ }).click();
    const entries = page.locator("tw-timeline ol > li");
    await expect.poll(() => entries.count()).toBe(3);
    expect(await entries.nth(0).innerText()).toMatch(/echo made > by-shell\.txt[\s\S]*now[\s\S]*a command · 1 file: by-shell\.txt/);
    expect(await entries.nth(1).innerText()).toMatch(/Edited src\/sum\.js[\s\S]*your edit · 1 file: src\/sum\.js/);
    await shot(page, "work-timeline.png");

    await entries.nth(2).getByRole("button", { name: /^Name/ }).click();
    await entries.nth(2).locator("input").fill("Where it began");
    await page.keyboard.press("Enter");
    await expect.poll(() => entries.nth(2).innerText()).toContain("Where it began");

    await entries.nth(2).getByRole("button", { name: /^Restore files/ }).click();
    await expect.poll(() => fileText(page, "src/sum.js"), { timeout: 20_000 }).toBe(SUM);
    expect(await fileText(page, "by-shell.txt")).toBeUndefined();
    await expect.poll(() => page.locator("tw-app").evaluate((app) => (app as App).session.state.spoken)).toContain("The files were checked");
    await expect.poll(() => entries.nth(2).innerText()).toContain("now");
    await whenIdle(page);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(() => fileText(page, "by-shell.txt"), { timeout: 20_000 }).toBe("made\n");

    await whenIdle(page);
    await page.getByRole("tab", { name: /Timeline/ }).click();
    await entries.nth(1).getByRole("button", { name: /^Compare with …/ }).click();
    await entries.nth(0).getByRole("button", { name: /^Compare with this/ }).click();
    await expect.poll(() => page.locator("tw-diff-view h3").allInnerTexts()).toEqual(["by-shell.txt"]);
    expect(await page.locator("tw-diff-view .accept-file").count()).toBe(0);
    await page.getByRole("button", { name: "Back to the changes" }).click();
    await expect.poll(() => page.locator("tw-diff-view h3").allInnerTexts()).toEqual(["by-shell.txt", "src/sum.js"]);
  });
});
