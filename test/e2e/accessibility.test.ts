// Every screen of the page, in both themes: nothing that axe finds, nothing cut off at 200 % zoom or on a phone, the main
// job done by keyboard alone, and a second language that leaves no English behind.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DIALOGS } from "../../src/ui/session/session-state.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { openOneBug } from "../support/app-steps.ts";
import { shot } from "../support/shots.ts";

let site: AppSite;
let page: Page;

const TABS = ["Tests", "Changes", "Files", "Terminal", "Timeline"] as const;

async function ready(of: Page): Promise<void> {
  await of.locator("tw-stats-strip .status", { hasText: /^\s*(Ready|Bereit)\s*$/ }).waitFor({ timeout: 180_000 });
}

async function ask(of: Page, text: string): Promise<void> {
  await of.getByRole("textbox", { name: /Message|Nachricht/ }).fill(text);
  await of.keyboard.press("Enter");
  await of.locator("tw-composer .stop").waitFor({ timeout: 30_000 });
  await of.locator("tw-composer .send").waitFor({ timeout: 300_000 });
}

/** What axe has to say about the page as it stands, one line each. */
async function complaints(of: Page): Promise<string[]> {
  const { violations } = await of.evaluate(() => (globalThis as typeof globalThis & { axe: typeof axe }).axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.flat().join(" ")} ${failureSummary ?? ""}`));
}

async function openDialog(of: Page, name: (typeof DIALOGS)[number]): Promise<void> {
  await of.evaluate((dialog) => document.querySelector<HTMLElement & { session: { openDialog(name: string): void } }>("tw-app")!.session.openDialog(dialog), name);
  await of.locator("tw-dialogs dialog[open] .body > *").first().waitFor();
}

beforeAll(async () => {
  site = await openSite({ shared: true });
  ({ page } = await site.open());
  await page.evaluate(axe.source);
});
// What a test leaves open must not stand in the way of the next.
afterEach(async () => {
  await page.keyboard.press("Escape");
  await page.locator("tw-dialogs dialog[open]").waitFor({ state: "detached" });
});
afterAll(async () => {
  await site?.close();
});

it("on first open axe finds nothing, in either theme", async () => {
  const fresh = await site.open();
  await fresh.page.evaluate(axe.source);
  await fresh.page.locator("tw-work").getByRole("tab").first().waitFor();
  await ready(fresh.page);
  for (const colorScheme of ["light", "dark"] as const) {
    await fresh.page.emulateMedia({ colorScheme });
    await shot(fresh.page, `first-${colorScheme}.png`);
    expect(await complaints(fresh.page), colorScheme).toEqual([]);
  }
  await fresh.context.close();
});

describe.each(["light", "dark"] as const)("in the %s theme axe finds nothing", (colorScheme) => {
  beforeAll(() => page.emulateMedia({ colorScheme }));

  it("on the conversation and each panel beside it", async () => {
    if (colorScheme === "light") {
      await ready(page);
      await openOneBug(page);
      await ask(page, "Fix the failing test");
    }
    for (const tab of TABS) {
      await page.getByRole("tab", { name: new RegExp(tab) }).click();
      await page.locator(`[role=tabpanel]:not([hidden]) > *`).first().waitFor();
      await page.waitForTimeout(300); // the panel's chunk
      expect(await complaints(page), tab).toEqual([]);
      await shot(page, `${tab.toLowerCase()}-${colorScheme}.png`);
    }
  });

  it.each(DIALOGS)("in the dialog: %s", async (name) => {
    await openDialog(page, name);
    await page.waitForTimeout(300);
    expect(await complaints(page)).toEqual([]);
    await shot(page, `dialog-${name}-${colorScheme}.png`);
  });

  it("with the menu open", async () => {
    await page.getByRole("button", { name: "More" }).click();
    expect(await complaints(page)).toEqual([]);
    await page.keyboard.press("Escape");
  });
});

describe("a small view", () => {
  // 1280 × 800 at 200 % is a view of 640 × 400; a phone is 390 wide.
  it.each([[640, 400], [390, 844]] as const)("of %d × %d shows and does everything without scrolling sideways", async (width, height) => {
    await page.setViewportSize({ width, height });
    for (const tab of TABS) {
      await page.getByRole("tab", { name: new RegExp(tab) }).click();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), tab).toBeLessThanOrEqual(0);
    }
    expect(await complaints(page)).toEqual([]);
    await page.getByRole("textbox", { name: "Message" }).scrollIntoViewIfNeeded();
    await page.getByRole("textbox", { name: "Message" }).fill("What is here?");
    expect(await page.locator("tw-composer .send").isVisible()).toBe(true);
    await page.getByRole("textbox", { name: "Message" }).fill("");
    for (const name of DIALOGS) {
      await openDialog(page, name);
      const box = await page.locator("tw-dialogs dialog[open]").boundingBox();
      expect(box && box.x >= 0 && box.x + box.width <= width && box.height <= height, name).toBe(true);
      await page.keyboard.press("Escape");
      await page.locator("tw-dialogs dialog[open]").waitFor({ state: "detached" });
    }
    await shot(page, `view-${width}.png`);
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});

/** The focused element, through shadow roots, as "tag.class name". */
function focused(of: Page): Promise<string> {
  return of.evaluate(() => {
    let at: Element | null = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at ? `${at.localName}.${at.className} ${at.getAttribute("aria-label") ?? at.textContent?.trim().slice(0, 30) ?? ""}` : "";
  });
}

describe("by keyboard alone", () => {
  it("a person asks, sees the tests, undoes, opens a dialog and comes back to where they were", async () => {
    const { page: fresh, context } = await site.open();
    await ready(fresh);
    await openOneBug(fresh);
    const reach = async (wanted: RegExp, key = "Tab"): Promise<void> => {
      const passed: string[] = [];
      for (let presses = 0; presses < 80; presses++) {
        const at = await focused(fresh);
        if (wanted.test(at)) return;
        passed.push(at);
        await fresh.keyboard.press(key);
      }
      throw new Error(`${String(wanted)} was not reached: ${passed.join(" | ")}`);
    };
    await reach(/^textarea/);
    await fresh.keyboard.type("Fix the failing test");
    await fresh.keyboard.press("Enter");
    await fresh.locator("tw-composer .stop").waitFor({ timeout: 30_000 });
    await fresh.locator("tw-composer .send").waitFor({ timeout: 300_000 });
    expect(await focused(fresh)).toMatch(/^textarea/); // streaming never takes the focus
    await reach(/^button.*Tests/);
    await fresh.keyboard.press("ArrowRight");
    await expect.poll(() => focused(fresh)).toMatch(/Changes/);
    await reach(/^button\.undo/);
    await fresh.keyboard.press("Enter");
    await expect.poll(() => fresh.locator("tw-diff-view section").count()).toBe(0);
    await reach(/^button\.menu/, "Shift+Tab");
    await fresh.keyboard.press("Enter");
    await reach(/^button.*Keyboard shortcuts/);
    await fresh.keyboard.press("Enter");
    await fresh.locator("tw-dialogs dialog[open]").waitFor();
    await fresh.keyboard.press("Escape");
    await expect.poll(() => focused(fresh)).not.toMatch(/^body/);
    await context.close();
  });
});

describe("in German", () => {
  it("the page speaks German at once, remembers it, and does its work", async () => {
    const { page: german } = await site.open();
    await ready(german);
    await german.getByRole("button", { name: "More" }).click();
    await german.locator("select.language").selectOption("de");
    await german.keyboard.press("Escape");
    await expect.poll(() => german.locator("html").getAttribute("lang")).toBe("de");
    await openDialog(german, "practice");
    const isLogging = german.getByRole("checkbox", { name: "Protokoll führen" });
    expect(await isLogging.isChecked()).toBe(false);
    await isLogging.check();
    await german.keyboard.press("Escape");
    for (const tab of ["Tests", "Änderungen", "Dateien", "Terminal", "Verlauf"]) await german.getByRole("tab", { name: new RegExp(tab) }).click();
    await german.reload();
    await german.mouse.click(1, 1);
    await ready(german);
    await openOneBug(german);
    await ask(german, "Fix the failing test");
    await german.locator("tw-chat .note", { hasText: "Fertig, die Tests sind grün" }).waitFor();
    await shot(german, "german.png");
    // What it did to the files is in the log that was asked for, which the reload did not end.
    await openDialog(german, "practice");
    await german.locator("tw-practice-dialog .logged", { hasText: "1 Eintrag" }).waitFor();
    expect(await isLogging.isChecked()).toBe(true);
  });
});
