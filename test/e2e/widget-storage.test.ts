// Where the browser keeps each site's storage apart, or gives none: what the reader is told, what is fetched, and that one
// download serves all sites where the browser allows it (Storage Access API for unpartitioned storage).
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Widget } from "../../src/ui/widget/widget.ts";
import { RegistryServer } from "../support/registry-server.ts";
import { openWidgetSite, widgetAt, type WidgetSite } from "../support/widget-site.ts";

let site: WidgetSite;

beforeAll(async () => {
  site = await openWidgetSite({ blockCookies: true });
});
afterAll(async () => {
  await site?.close();
});

/** The browser's own line in the console when it refuses. */
const REFUSED = /^requestStorageAccess: Permission denied/;

const modelRequests = (): number => site.served.filter((path) => path.endsWith(".gguf")).length;

/** The reader uses the full page first: the model is in this site's own storage, and the browser knows that they were there. */
async function useFullPage(context: BrowserContext): Promise<void> {
  const page = await context.newPage();
  await page.goto(site.origin);
  await page.getByText("What shall we fix?").click();
  await page.locator("tw-stats-strip .status", { hasText: /^\s*Ready\s*$/ }).waitFor({ timeout: 120_000 });
  await page.close();
}

/** What a reader says to the browser's question; it asks for each pair of sites. */
async function grantStorage(context: BrowserContext): Promise<void> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send("Target.getTargetInfo");
  const browser = await site.browser.newBrowserCDPSession();
  await browser.send("Browser.grantPermissions", { permissions: ["storageAccess"], ...(targetInfo.browserContextId ? { browserContextId: targetInfo.browserContextId } : {}) });
  await page.close(); // the browser's session stays: what it granted ends with it
}

async function openAssistant(page: Page): Promise<ReturnType<typeof widgetAt>> {
  const widget = widgetAt(page);
  await widget.open.click();
  await widget.frame.getByRole("tab", { name: "Assistant" }).click({ timeout: 60_000 });
  return widget;
}

async function fixes({ frame }: ReturnType<typeof widgetAt>): Promise<void> {
  await frame.getByRole("button", { name: "Fix the failing test" }).first().click();
  await expect.poll(() => frame.locator("tw-code-pane .verdict").innerText(), { timeout: 300_000 }).toBe("✓ 3 passed");
}

describe("with third-party storage blocked", () => {
  it("the reader is told what a second download costs before it begins, and must click; then it works", async () => {
    const { page, errors } = await site.open("/guide/cart", useFullPage);
    const before = modelRequests();
    const widget = await openAssistant(page);
    const card = widget.frame.locator("tw-start-card .card");
    expect(await card.innerText()).toMatch(/If this browser has it already.*else \d+\.\d MB are fetched once, for all sites/s);
    await card.getByRole("button").click();
    await expect.poll(() => card.innerText()).toMatch(/cannot be used on 127\.0\.0\.1:\d+: \d+\.\d MB would be fetched for this site alone/);
    expect(modelRequests()).toBe(before);
    await card.getByRole("button", { name: /Fetch \d+\.\d MB/ }).click();
    await fixes(widget);
    expect(modelRequests()).toBe(before + 1);
    // On another page of the same site nothing is fetched, and nothing asked.
    await page.locator(".VPSidebar").getByRole("link", { name: "Text", exact: true }).click();
    await page.getByRole("heading", { name: "Text", level: 1 }).waitFor();
    const other = await openAssistant(page);
    await other.frame.locator("tw-composer").waitFor();
    await other.frame.locator("tw-start-card .card").waitFor({ state: "detached", timeout: 120_000 });
    expect(modelRequests()).toBe(before + 1);
    expect(errors.filter((error) => !REFUSED.test(error))).toEqual([]);
  });

  it("one download serves all sites once the reader has allowed it: nothing is fetched again", async () => {
    const { page, errors } = await site.open("/guide/cart", async (context) => {
      await useFullPage(context);
      await grantStorage(context);
    });
    const before = modelRequests();
    const widget = await openAssistant(page);
    await fixes(widget);
    expect(modelRequests()).toBe(before);
    expect(errors.filter((error) => !REFUSED.test(error))).toEqual([]);
  });

  it("what a widget fetched with that permission is there for the full page", async () => {
    const { page, context } = await site.open("/guide/cart", async (context) => {
      const visited = await context.newPage();
      await visited.goto(`${site.origin}/models/models.json`);
      await visited.mouse.click(10, 10);
      await visited.close();
      await grantStorage(context);
    });
    const before = modelRequests();
    const widget = await openAssistant(page);
    await widget.frame.locator("tw-start-card .card").getByRole("button").click();
    await fixes(widget);
    expect(modelRequests()).toBe(before + 1);
    await useFullPage(context);
    expect(modelRequests()).toBe(before + 1);
  });
});

describe("the container in a widget, where third-party storage is blocked and nothing is isolated (fault 17)", () => {
  it("runs what it can, names what it cannot, and installs packages from the one registry that the page around allows", async () => {
    const registry = await RegistryServer.start([]);
    onTestFinished(() => registry.close());
    registry.add({ name: "greets", version: "1.0.0", files: { "index.js": "module.exports = 'hello'" } });
    const { page } = await site.open("/guide/cart");
    const run = async (command: string): Promise<string> => {
      const frame = page.frames().find((one) => one.url().startsWith(`${site.origin}/embed`));
      return frame!.evaluate(async (line) => {
        const { session } = document.querySelector("tw-widget") as Widget;
        const { output, exitCode } = await session.sandbox!.run(line);
        return `${output}exit ${String(exitCode)}`;
      }, command);
    };
    const open = async (): Promise<void> => {
      await widgetAt(page).open.click();
      const ready = (): Promise<string | undefined> => page.frames().find((one) => one.url().startsWith(`${site.origin}/embed`))?.evaluate(() => (document.querySelector("tw-widget") as Widget | null)?.session.state.container.phase).catch(() => "") ?? Promise.resolve("");
      await expect.poll(ready, { timeout: 60_000 }).toBe("ready");
    };
    await open();
    expect(await run("node -p 6*7")).toBe("42\nexit 0");
    expect(await run("node -e \"console.log(require('child_process').spawnSync('node', ['-p', '1']).error.message)\"")).toMatch(/isolated/);
    expect(await run(`npm install greets --registry ${registry.origin}`)).toMatch(/does not allow packages from .*\(its attribute registry\)[\s\S]*exit 1$/);
    expect(registry.requests).toEqual([]);
    // The page around says which registry before it opens the widget.
    await page.reload();
    await page.locator("tab-wright").first().evaluate((element, origin) => element.setAttribute("registry", origin), registry.origin);
    await open();
    expect(await run(`npm install greets --registry ${registry.origin} && node -p "require('greets')"`)).toMatch(/added 1 package[\s\S]*hello\nexit 0$/);
  });
});

describe("with no storage at all", () => {
  it("the widget works in memory and says that nothing is kept", async () => {
    const block = `Object.defineProperty(IDBFactory.prototype, "open", { value() { throw new DOMException("Storage is blocked", "SecurityError"); } });`;
    const blocked = await openWidgetSite({ blockCookies: true, engineAfter: block });
    onTestFinished(() => blocked.close());
    const { page, errors } = await blocked.open("/guide/cart", (context) => context.addInitScript(`if (location.origin === ${JSON.stringify(blocked.origin)}) { ${block} }`));
    const widget = await openAssistant(page);
    await widget.frame.getByText("This browser stores nothing for this frame").waitFor();
    const card = widget.frame.locator("tw-start-card .card");
    await card.getByRole("button").click();
    await card.getByText("it is fetched again next time").or(card.getByText("for this site alone")).or(widget.frame.locator("progress")).first().waitFor();
    const again = card.getByRole("button", { name: /Fetch/ });
    if (await again.isVisible()) await again.click();
    await fixes(widget);
    expect(errors.filter((error) => !REFUSED.test(error))).toEqual([]);
  });
});
