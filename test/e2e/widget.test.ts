// The widget in a documentation site of another origin, under a strict policy, without isolation headers, with storage
// kept apart: what a reader does with it, by clicking.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Frame, FrameLocator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventsOf, openWidgetSite, watchEvents, widgetAt, type WidgetSite } from "../support/widget-site.ts";

const SHOTS = process.env["TABWRIGHT_SHOTS"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** The browser's own line in the console when it refuses. */
const REFUSED = /^requestStorageAccess: Permission denied/;
let site: WidgetSite;

beforeAll(async () => {
  site = await openWidgetSite();
});
afterAll(async () => {
  await site?.close();
});

async function shot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, name) });
}

/** What moved in the text of the page without a click of the reader. (The theme's own header moves when it comes alive.) */
const WATCH_SHIFTS = `
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, sources } of list.getEntries()) {
      if (!hadRecentInput) window.shifts.push(...sources.filter(({ node }) => node?.parentElement?.closest("main, tab-wright")).map(({ node }) => node.outerHTML.slice(0, 80)));
    }
  }).observe({ type: "layout-shift", buffered: true });
`;

describe("the widget in somebody's documentation", () => {
  it("asks nothing of its origin but the loader until the reader clicks, moves nothing, leaves no globals and no cookies", async () => {
    const { page, context, requests, errors } = await site.open("/guide/cart", (context) => context.addInitScript(WATCH_SHIFTS));
    const { open, frame } = widgetAt(page);
    await open.waitFor();
    await page.waitForTimeout(1500);
    expect(requests).toEqual(["/embed.js"]);
    expect(await widgetAt(page).element.locator(".notice").innerText()).toMatch(/Loads \d+ KB; the assistant another \d+\.\d MB, if you start it/);
    await open.click();
    await frame.getByRole("tab", { name: "src/cart-total.js" }).waitFor({ timeout: 60_000 });
    expect(requests).toContain("/embed/");
    expect(requests.filter((path) => /inference|webllm|\.gguf/.test(path))).toEqual([]);
    expect(await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts)).toEqual([]);
    expect(await context.cookies()).toEqual([]);

    const names = (withWidget: boolean): Promise<string[]> => globalsOf(site, withWidget);
    const without = new Set(await names(false));
    expect((await names(true)).filter((name) => !without.has(name))).toEqual([]);
    expect(errors).toEqual([]);
  });

  it("lets the reader edit a sample, run its tests, have it fixed, say whether that was good, and take it along", async () => {
    const { page, context, errors } = await site.open("/guide/cart");
    await watchEvents(page);
    const { open, frame } = widgetAt(page);
    await open.click();
    const verdict = frame.locator("tw-code-pane .verdict");
    await frame.locator("button.test:enabled").click({ timeout: 60_000 });
    await expect.poll(() => verdict.innerText(), { timeout: 60_000 }).toBe("✗ 1 failed, 2 passed");
    await shot(page, "widget-red.png");

    // An edit of the reader's own, which the tests see at once.
    await frame.getByRole("tab", { name: "test/cart-total.test.js" }).click();
    await frame.locator(".cm-content").getByText("node:assert/strict").click();
    await page.keyboard.press("ControlOrMeta+End");
    await page.keyboard.type('\ntest("mine", () => {});');
    await frame.locator("button.test").click();
    await expect.poll(() => verdict.innerText(), { timeout: 60_000 }).toBe("✗ 1 failed, 3 passed");

    await frame.getByRole("tab", { name: "Assistant" }).click();
    await frame.getByRole("button", { name: "Fix the failing test" }).click();
    const card = frame.locator("tw-start-card");
    await expect.poll(() => card.locator(".card").innerText()).toMatch(/\d+\.\d MB.*Your message is sent then/s);
    await startAssistant(frame);
    await expect.poll(() => verdict.innerText(), { timeout: 300_000 }).toBe("✓ 4 passed");
    // It rests on what the page told about itself.
    const source = frame.locator(".sources a");
    await expect.poll(() => source.innerText(), { timeout: 60_000 }).toBe("[1] Cart");
    expect(await source.getAttribute("href")).toBe(`${site.docs}/guide/cart`);
    await shot(page, "widget-green.png");

    await frame.getByText(`A rating tells ${new URL(site.docs).host} your question and this answer.`).waitFor();
    await frame.getByRole("button", { name: "Good answer" }).click();
    await expect.poll(async () => (await eventsOf(page)).map(([type]) => type)).toEqual(["open", "ready", "feedback"]);
    expect((await eventsOf(page)).at(-1)?.[1]).toMatchObject({ rating: "up", question: "Fix the failing test", answer: expect.stringContaining("cartTotal") });

    const [full] = await Promise.all([context.waitForEvent("page"), frame.getByRole("button", { name: "Open in full page" }).click()]);
    await full.locator("tw-app").waitFor({ timeout: 60_000 });
    await full.getByRole("tab", { name: /Files/ }).click();
    await full.getByText("cart-total.test.js").first().click();
    await expect.poll(() => full.locator(".cm-content").innerText(), { timeout: 60_000 }).toContain('test("mine"');
    expect(new URL(full.url()).hash).toBe("");
    await full.close(); // it would load its model

    await frame.getByRole("button", { name: "Close" }).click();
    await open.waitFor();
    await expect.poll(async () => (await eventsOf(page)).at(-1)?.[0]).toBe("close");
    expect(errors.filter((error) => !REFUSED.test(error))).toEqual([]);
  });

  it("runs a sample that is a program, and shows what it printed", async () => {
    const { page } = await site.open("/guide/cart");
    const { open, frame } = widgetAt(page, 1);
    await open.click();
    await frame.locator("button.go:enabled").click({ timeout: 60_000 });
    await expect.poll(() => frame.locator("tw-run-result pre").innerText(), { timeout: 60_000 }).toMatch(/\$ node receipt\.js\s+2 x tea: 4\s+1 x bread: 3/);
  });

  it("opens at the side by Ctrl+I, closes by Esc and by the same keys, and gives the focus back", async () => {
    const { page } = await site.open("/guide/plain");
    const link = page.getByRole("link", { name: "Guide" }).first();
    await link.focus();
    await page.keyboard.press("Control+i");
    const { element, frame } = widgetAt(page);
    await frame.locator("tw-composer").waitFor({ timeout: 60_000 });
    expect(await frame.locator("tw-code-pane").count()).toBe(0); // data-mode="chat"
    const box = await element.locator("iframe").boundingBox();
    expect([Math.round((box?.x ?? 0) + (box?.width ?? 0)), box?.height]).toEqual([1280, 900]);
    await shot(page, "widget-side.png");
    await expect.poll(() => page.evaluate(() => document.activeElement?.localName)).toBe("tab-wright");
    for (const keys of ["Escape", "Control+i"]) {
      await page.keyboard.press(keys);
      await element.locator("iframe").waitFor({ state: "hidden" });
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Guide");
      await page.keyboard.press("Control+i");
      await element.locator("iframe").waitFor();
    }
  });

  it("follows the page's theme while it is open, and speaks its language", async () => {
    const { page } = await site.open("/guide/text");
    const { element, open, frame } = widgetAt(page);
    await element.evaluate((widget) => widget.setAttribute("lang", "de"));
    expect(await open.innerText()).toBe("Ausprobieren");
    await open.click();
    await frame.getByRole("button", { name: "Tests ausführen" }).waitFor({ timeout: 60_000 });
    const ground = () => frame.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
    const light = await ground();
    await page.locator(".VPSwitchAppearance").first().click();
    await expect.poll(ground).not.toBe(light);
    await shot(page, "widget-dark.png");
    await page.locator(".VPSwitchAppearance").first().click();
    await expect.poll(ground).toBe(light);
  });

  it.each(["light", "dark"] as const)("has no accessibility violation axe can see, closed and in both panes, in %s", async (theme) => {
    const { page } = await site.open("/guide/cart", (context) => context.addInitScript(`localStorage.setItem("vitepress-theme-appearance", "${theme}")`));
    const { open, frame } = widgetAt(page);
    await open.waitFor();
    expect(await violations(page.mainFrame(), "tab-wright")).toEqual([]);
    await open.click();
    await frame.locator("button.test:enabled").click({ timeout: 60_000 });
    await frame.locator("tw-run-result .fix").waitFor({ timeout: 60_000 });
    const inside = page.frames().find((one) => one.url().endsWith("/embed/"))!;
    expect(await inside.evaluate(() => document.documentElement.dataset["theme"])).toBe(theme);
    expect(await violations(inside)).toEqual([]);
    await frame.getByRole("tab", { name: "Assistant" }).click();
    await frame.locator("tw-start-card .card").waitFor();
    expect(await violations(inside)).toEqual([]);
    expect(await violations(page.mainFrame(), "tab-wright")).toEqual([]);
  });

  it("runs one engine on a page: the second widget offers to take it over, and does", async () => {
    const { page, errors } = await site.open("/guide/cart");
    const [first, second] = [widgetAt(page), widgetAt(page, 1)];
    for (const { open, frame } of [first, second]) {
      await open.click();
      await frame.getByRole("tab", { name: "Assistant" }).click({ timeout: 60_000 });
    }
    await startAssistant(first.frame);
    await first.frame.locator("tw-start-card .card").waitFor({ state: "detached", timeout: 120_000 });
    await expect.poll(() => engines(page)).toBe(1);
    // The model is stored now, so the second asks for the engine by itself when it is opened, or by a click.
    const card = second.frame.locator("tw-start-card");
    if (await card.getByRole("button", { name: "Start the assistant" }).isVisible()) await startAssistant(second.frame);
    await card.getByRole("button", { name: "Use it here" }).click();
    await second.frame.locator("tw-start-card .card").waitFor({ state: "detached", timeout: 120_000 });
    await first.frame.locator("tw-start-card").getByText("another widget of this page").waitFor();
    await expect.poll(() => engines(page)).toBe(1);
    // The one that has it goes; the one that waits gets it back.
    await second.element.evaluate((widget) => widget.remove());
    await first.frame.locator("tw-start-card .card").waitFor({ state: "detached", timeout: 120_000 });
    await expect.poll(() => engines(page)).toBe(1);
    expect(errors.filter((error) => !REFUSED.test(error))).toEqual([]);
  });
});

async function violations(frame: Frame, within?: string): Promise<string[]> {
  await frame.evaluate(AXE);
  return frame.evaluate(async (selector) => {
    const { axe } = globalThis as unknown as { axe: { run(context: unknown, options: unknown): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }> } };
    const found = await axe.run(selector ? [...document.querySelectorAll(selector)] : document, { iframes: false, rules: { region: { enabled: false } } });
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => JSON.stringify(target)).join(" ")}`);
  }, within);
}

/** The reader agrees; a browser that gives no access to what it may have stored before has them asked once more. */
async function startAssistant(frame: FrameLocator): Promise<void> {
  const card = frame.locator("tw-start-card");
  await card.getByRole("button", { name: "Start the assistant" }).click();
  await card.getByRole("button", { name: /Fetch \d+\.\d MB/ }).click();
}

function engines(page: Page): number {
  return page.workers().filter((worker) => /inference/.test(worker.url())).length;
}

/** Names of the window's own properties on a page with and without the loader. */
async function globalsOf({ open, origin }: WidgetSite, withWidget: boolean): Promise<string[]> {
  const { page } = await open("/guide/plain", async (context) => {
    if (!withWidget) await context.route(`${origin}/**`, (route) => route.abort());
  });
  if (withWidget) await widgetAt(page).open.waitFor();
  await page.waitForTimeout(500);
  return page.evaluate(() => Object.getOwnPropertyNames(window));
}
