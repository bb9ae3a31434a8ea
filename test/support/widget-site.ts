// The widget in somebody else's page: our site on localhost, the documentation on 127.0.0.1, and a browser that keeps
// their storage apart as people's browsers do.
import type { Browser, BrowserContext, FrameLocator, Page } from "playwright-core";
import { launchBrowser } from "../../src/cli/browser.ts";
import { serveSite } from "../../src/cli/serve.ts";
import { type DocsOptions, serveDocs } from "./docs-site.ts";
import { engineAfter } from "./engine-after.ts";

/**
 * Playwright switches the partitioning of third-party storage off; the last of two such flags counts. With the second
 * flag third-party cookies are blocked too, as some browsers do.
 */
const PARTITIONED = "--disable-features=MediaRouter";
const NO_THIRD_PARTY_COOKIES = "--test-third-party-cookie-phaseout";

export interface WidgetSite {
  /** Of the widget. */
  readonly origin: string;
  readonly docs: string;
  readonly browser: Browser;
  /** Paths of all requests, those of shared workers too, in order. */
  readonly served: string[];
  open(path: string, prepare?: (context: BrowserContext) => Promise<unknown>): Promise<HostPage>;
  close(): Promise<void>;
}

/** A page of the host. */
export interface HostPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Paths that were asked of the widget's origin, in order. */
  readonly requests: string[];
  /** Errors and policy violations of the host's own page and of the frames in it. */
  readonly errors: string[];
}

export async function openWidgetSite(options: DocsOptions & { readonly blockCookies?: boolean; readonly isolation?: boolean; readonly engineAfter?: string } = {}): Promise<WidgetSite> {
  const served: string[] = [];
  const engine = await engineAfter(options.engineAfter);
  const site = await serveSite({ port: 0, files: engine.files, isolation: options.isolation ?? false, onRequest: (path) => served.push(path) });
  const docs = await serveDocs(site.origin, options);
  const browser = await launchBrowser({ flags: [PARTITIONED, ...(options.blockCookies ? [NO_THIRD_PARTY_COOKIES] : [])] });
  return {
    origin: site.origin,
    docs: docs.origin,
    browser,
    served,
    async open(path, prepare) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: "block" });
      await prepare?.(context);
      const page = await context.newPage();
      const requests: string[] = [];
      const errors: string[] = [];
      page.on("request", (request) => request.url().startsWith(site.origin) && requests.push(request.url().slice(site.origin.length)));
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      await page.goto(docs.origin + path);
      return { page, context, requests, errors };
    },
    async close() {
      await browser.close();
      await Promise.all([site.close(), docs.close(), engine.dispose()]);
    },
  };
}

/** The n-th widget of the page, in the order of the document. */
export function widgetAt(page: Page, index = 0): { readonly element: ReturnType<Page["locator"]>; readonly open: ReturnType<Page["locator"]>; readonly frame: FrameLocator } {
  const element = page.locator("tab-wright").nth(index);
  return { element, open: element.locator("button.open"), frame: element.frameLocator("iframe") };
}

/** Writes down every event of the page's widgets; read them with `eventsOf`. */
export async function watchEvents(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: unknown[] = [];
    Object.assign(document, { widgetEvents: seen });
    for (const type of ["ready", "open", "close", "error", "feedback"]) {
      document.addEventListener(type, (event) => (event.target as Element).localName === "tab-wright" && seen.push([type, (event as CustomEvent).detail]), { capture: true });
    }
  });
}

export function eventsOf(page: Page): Promise<(readonly [type: string, detail: Record<string, string> | null])[]> {
  return page.evaluate(() => (document as unknown as { widgetEvents: [string, Record<string, string> | null][] }).widgetEvents);
}
