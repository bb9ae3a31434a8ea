// Fault 30: a host's page that forbids us, removes us, moves us, hides us, loads us twice, changes under us. It must see
// no error of ours and keep nothing of ours. And fault 26 where strangers speak to the widget: attributes and messages.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONNECT, HELLO, PROTOCOL_VERSION } from "../../src/embed/protocol.ts";
import { eventsOf, openWidgetSite, watchEvents, widgetAt, type WidgetSite } from "../support/widget-site.ts";

const XSS = `"><img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
/** Attributes as an attacker writes them; `&` and `"` as HTML wants them. */
const attribute = (text: string): string => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
const hostile = `<!doctype html><title>host</title><h1>Host</h1>
<tab-wright name="${attribute(XSS)}" accent="red;background:url(https://evil.example/x)" theme="${attribute(XSS)}" lang="${attribute(XSS)}" position="${attribute(XSS)}" mode="run chat"
  prompt="${attribute(XSS)}" open="javascript:document.title='owned'" files="${attribute(JSON.stringify({ [`${XSS}.js`]: XSS, "b.md": "[x](javascript:document.title='owned')" }))}"></tab-wright>
<tab-wright files="no json"></tab-wright>
<tab-wright code="[[["></tab-wright>
<tab-wright files="${attribute(JSON.stringify({ "../../evil.js": "1" }))}"></tab-wright>
<script type="module" src="http://widget.test/embed.js"></script>
<script type="module" src="http://widget.test/embed.js?again"></script>`;

const files = `<!doctype html><title>files</title><script type="module" src="http://widget.test/embed.js"></script><main>
<tab-wright mode="run" files='{"a.js":"1"}'></tab-wright>
<tab-wright mode="run"><script type="application/json">{"files":{"b.js":"2","c.js":"3"}}</script></tab-wright>
<tab-wright mode="run" files-url="/hashmap.json"></tab-wright>
<tab-wright mode="run"></tab-wright></main>`;

let site: WidgetSite;

beforeAll(async () => {
  const pages = { "/hostile": hostile, "/files": files };
  site = await openWidgetSite({ pages });
});
afterAll(async () => {
  await site?.close();
});

async function opened(page: Page, index = 0): Promise<void> {
  const { open, frame } = widgetAt(page, index);
  await open.click();
  await frame.getByRole("button", { name: "Close" }).waitFor({ timeout: 60_000 });
}

/** Garbage is collected; what is still there of these elements is kept by somebody. */
async function alive(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  for (let i = 0; i < 3; i++) await session.send("HeapProfiler.collectGarbage");
  await session.detach();
  return page.evaluate(() => (document as unknown as { kept: WeakRef<Element>[] }).kept.filter((ref) => ref.deref()).length);
}

describe("a host's page", () => {
  it("that is a single-page site loses all of a widget with the page it was on, and keeps none of it", async () => {
    const { page, errors } = await site.open("/guide/plain");
    await widgetAt(page).open.waitFor();
    await page.evaluate(() => Object.assign(document, { kept: [] }));
    for (const name of ["Cart", "Text", "Cart", "Text"]) {
      await page.locator(".VPSidebar").getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
      await opened(page);
      await page.evaluate(() => {
        const { kept } = document as unknown as { kept: WeakRef<Element>[] };
        for (const widget of document.querySelectorAll("main tab-wright")) kept.push(new WeakRef(widget), new WeakRef(widget.shadowRoot!.querySelector("iframe, .panel")!));
      });
    }
    await page.locator(".VPSidebar").getByRole("link", { name: "Plain page" }).click();
    await page.getByRole("heading", { name: "Plain page" }).waitFor();
    await expect.poll(() => page.frames().length).toBe(1);
    await expect.poll(() => page.workers().map((worker) => worker.url()), { timeout: 30_000 }).toEqual([]);
    await expect.poll(() => alive(page), { timeout: 30_000 }).toBe(0);
    expect(errors).toEqual([]);
  });

  it("may remove, add, move, hide and open the widget as it likes", async () => {
    const { page, errors } = await site.open("/guide/text");
    await watchEvents(page);
    await opened(page);
    // Removed while it is open, and put back: a button again.
    await page.evaluate(() => {
      const widget = document.querySelector("main tab-wright")!;
      const place = widget.parentElement!;
      widget.remove();
      place.append(widget);
    });
    const { element, open, frame } = widgetAt(page);
    await open.waitFor();
    await expect.poll(() => page.frames().length).toBe(1);
    // Opened twice, while nobody can see it.
    await element.evaluate((widget) => {
      (widget as HTMLElement).hidden = true;
      (widget as unknown as { show(): void }).show();
      (widget as unknown as { show(): void }).show();
    });
    await expect.poll(() => element.locator("iframe").count()).toBe(1);
    await element.evaluate((widget) => ((widget as HTMLElement).hidden = false));
    await frame.locator("button.test:enabled").waitFor({ timeout: 60_000 });
    // Removed in the middle of loading, again and again.
    await element.evaluate((widget) => {
      const place = widget.parentElement!;
      for (let i = 0; i < 20; i++) {
        widget.remove();
        place.append(widget);
        (widget as unknown as { show(): void }).show();
      }
    });
    await frame.locator("button.test:enabled").waitFor({ timeout: 60_000 });
    expect(page.frames().filter((frame) => frame.url().endsWith("/embed/")).length).toBe(1);
    expect((await eventsOf(page)).filter(([type]) => type === "error")).toEqual([]);
    expect(errors).toEqual([]);
  });

  it("whose policy forbids the frame is told so, and the reader too", async () => {
    const strict = await openWidgetSite({ forbidWidget: true });
    try {
      const { page, errors } = await strict.open("/guide/text");
      await watchEvents(page);
      const { element, open } = widgetAt(page);
      await open.click();
      await expect.poll(() => element.locator(".notice").innerText()).toContain(`must add ${strict.origin} to frame-src`);
      expect((await eventsOf(page)).map(([type, detail]) => [type, detail?.["code"]])).toEqual([["open", undefined], ["error", "blocked"]]);
      expect(await open.innerText()).toBe("Try again");
      // The browser's own report is the only one.
      expect(errors.filter((error) => !/Content Security Policy|frame-src/.test(error))).toEqual([]);
    } finally {
      await strict.close();
    }
  });

  it("that says the worst in attributes runs no script, loads nothing, and gets the widget or a reason", async () => {
    const { page, errors } = await site.open("/hostile", (context) => context.route("https://evil.example/**", (route) => route.abort()));
    const evil: string[] = [];
    page.on("request", (request) => request.url().includes("evil") && evil.push(request.url()));
    await watchEvents(page);
    expect(await page.locator("tab-wright").count()).toBe(4); // the loader came twice
    await opened(page);
    const { frame } = widgetAt(page);
    expect(await frame.getByRole("heading", { level: 1 }).innerText()).toBe(XSS);
    // Both panes are there: the page is wide.
    expect(await frame.locator(".suggestions button").first().innerText()).toBe(XSS);
    await frame.locator("button.go:enabled").click({ timeout: 60_000 });
    await frame.locator("tw-run-result pre").getByText("exit code").waitFor({ timeout: 60_000 });
    for (const index of [1, 2]) {
      await widgetAt(page, index).open.click();
      await widgetAt(page, index).element.getByRole("alert").waitFor({ timeout: 60_000 });
    }
    await widgetAt(page, 3).open.click();
    await widgetAt(page, 3).frame.getByText('The path "../../evil.js" contains ".."').waitFor({ timeout: 60_000 });
    const titles = await Promise.all(page.frames().map((one) => one.title()));
    expect(titles.filter((title) => title === "owned")).toEqual([]);
    expect(evil).toEqual([]);
    expect((await eventsOf(page)).filter(([type]) => type === "error").map(([, detail]) => detail?.["code"])).toEqual(["files", "files", "project/archive"]);
    expect(errors).toEqual([]);
  });

  it("is the only one that the frame answers, and the frame the only one that it answers", async () => {
    const { page, context, errors } = await site.open("/guide/text");
    await opened(page);
    const [stranger] = await Promise.all([context.waitForEvent("page"), page.evaluate((url) => void open(url), `${site.docs}/guide/plain`)]);
    await stranger.waitForLoadState();
    const heard = await stranger.evaluate(
      async ({ connect, hello, version }) => {
        const said: unknown[] = [];
        addEventListener("message", ({ data }) => said.push(data));
        const channel = new MessageChannel();
        channel.port1.onmessage = ({ data }) => said.push(data);
        // To the frame, as if we were its host; to the host, as if we were its frame. (Only a page of the host's own origin
        // can reach the frame at all: it is in a shadow tree.)
        const frame = opener.document.querySelector("main tab-wright").shadowRoot.querySelector("iframe").contentWindow;
        frame.postMessage({ tabwright: connect, version }, "*", [channel.port2]);
        opener.postMessage({ tabwright: hello, version }, "*");
        for (const type of ["setup", "engine", "look", "close", "feedback"]) {
          opener.postMessage({ type, state: "yours" }, "*");
          frame.postMessage({ type, state: "yours" }, "*");
        }
        await new Promise((resolve) => setTimeout(resolve, 1500));
        return said;
      },
      { connect: CONNECT, hello: HELLO, version: PROTOCOL_VERSION },
    );
    expect(heard).toEqual([]);
    expect(page.frames().filter((frame) => frame.url().endsWith("/embed/")).length).toBe(1);
    await widgetAt(page).frame.getByRole("button", { name: "Close" }).click();
    await widgetAt(page).open.waitFor();
    expect(errors).toEqual([]);
  });

  it("may give files inline, in a child, by address, or none of them", async () => {
    const { page, errors } = await site.open("/files");
    const tabs: string[][] = [];
    for (const index of [0, 1, 2, 3]) {
      await opened(page, index);
      tabs.push((await widgetAt(page, index).frame.getByRole("tab").allInnerTexts()).map((text) => text.trim()));
    }
    expect(tabs).toEqual([["a.js", "package.json"], ["b.js", "c.js", "package.json"], expect.arrayContaining(["guide_cart.md", "package.json"]), ["package.json"]]);
    expect(errors).toEqual([]);
  });
});
