// Pictures of the main screens, kept where TABWRIGHT_SHOTS names a folder: CI keeps them, and the README's come from there.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";

const FOLDER = process.env["TABWRIGHT_SHOTS"];

export async function shot(page: Page, name: string): Promise<void> {
  if (!FOLDER) return;
  mkdirSync(FOLDER, { recursive: true });
  await page.screenshot({ path: join(FOLDER, name) });
}
