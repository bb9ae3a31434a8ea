// The built app in a real browser, for e2e tests: one server and one browser for each test file.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchBrowser } from "../../src/cli/browser.ts";
import { serveSite, type ServeOptions, type SiteServer } from "../../src/cli/serve.ts";

export interface AppSite {
  readonly origin: string;
  readonly browser: Browser;
  /** A fresh profile with the app open in it. What the page logs as an error is kept in `errors`. */
  open(path?: string, prepare?: (context: BrowserContext) => Promise<unknown>): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly errors: string[];
}

export async function openSite(options: { readonly webgpu?: boolean } = {}, serve: Partial<ServeOptions> = {}): Promise<AppSite> {
  const site: SiteServer = await serveSite({ port: 0, ...serve });
  const browser = await launchBrowser(options);
  return {
    origin: site.origin,
    browser,
    async open(path = "/", prepare) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      await prepare?.(context);
      const page = await context.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(site.origin + path);
      return { page, context, errors };
    },
    async close() {
      await browser.close();
      await site.close();
    },
  };
}
