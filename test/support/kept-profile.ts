// A browser whose profile stays on disk, so that it can be closed and opened again as a person does.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { launchProfile } from "../../src/cli/browser.ts";

export interface KeptProfile {
  /** Starts the browser, or starts it again. */
  launch(): Promise<BrowserContext>;
  /** Closes the browser; the profile stays. */
  quit(): Promise<void>;
  /** Closes the browser and deletes the profile. */
  dispose(): Promise<void>;
}

/** `webgpu`: false where a test needs no model. */
export async function keptProfile({ webgpu = true }: { readonly webgpu?: boolean } = {}): Promise<KeptProfile> {
  const folder = await mkdtemp(join(tmpdir(), "tabwright-profile-"));
  let context: BrowserContext | undefined;
  const quit = async (): Promise<void> => {
    await context?.close();
    context = undefined;
  };
  return {
    async launch() {
      context = await launchProfile(folder, { webgpu });
      return context;
    },
    quit,
    async dispose() {
      await quit();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when a stored version of the app answers this page's requests. */
export async function storedForOffline(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated", undefined, { timeout: 120_000 });
}

/** The version the page runs on; undefined for one from the network. */
export function versionOfPage(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.querySelector<HTMLMetaElement>('meta[name="tabwright-version"]')?.content);
}
