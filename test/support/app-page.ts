// The built app in a real browser, for e2e tests: one server and one browser for each test file.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { launchBrowser } from "../../src/cli/browser.ts";
import { serveSite, type ServeOptions, type SiteServer } from "../../src/cli/serve.ts";
import { engineAfter } from "./engine-after.ts";

export interface AppSite {
  readonly origin: string;
  readonly browser: Browser;
  /**
   * A fresh profile with the app open in it and clicked once, so that it starts. What the page logs as an error is kept in `errors`.
   * It is closed with the test that opened it: a page left open goes on drawing and computing.
   */
  open(path?: string, prepare?: (context: BrowserContext) => Promise<unknown>): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly errors: string[];
}

export interface SiteOptions {
  /** False where a test needs no model: none is loaded then, which is most of what a page costs on a CPU. */
  readonly webgpu?: boolean;
  /** Pages outlive the test that opened them. */
  readonly shared?: boolean;
  /** Lines that run in the engine's worker before its own. */
  readonly engineAfter?: string;
}

/** Without a service worker: a fresh profile would store the whole app for nothing. Its own tests use kept-profile.ts. */
export async function openSite(options: SiteOptions = {}, serve: Partial<ServeOptions> = {}): Promise<AppSite> {
  const engine = await engineAfter(options.engineAfter);
  const site: SiteServer = await serveSite({ port: 0, files: engine.files, ...serve });
  const browser = await launchBrowser(options);
  return {
    origin: site.origin,
    browser,
    async open(path = "/", prepare) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: "block", reducedMotion: "reduce" });
      if (!options.shared) onTestFinished(() => context.close());
      await prepare?.(context);
      const page = await context.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(site.origin + path);
      await page.mouse.click(1, 1);
      return { page, context, errors };
    },
    async close() {
      await browser.close();
      await site.close();
      await engine.dispose();
    },
  };
}
