// The right half of the page with a small project of its own, as a person uses it.
import { strToU8, zipSync } from "fflate";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { App } from "../../src/ui/app.ts";
import type { AppSite, OpenPage } from "./app-page.ts";
import { containerReady, whenIdle } from "./app-steps.ts";

const FILLER = Array.from({ length: 24 }, (_, i) => `// line ${i}\r\n`).join("");
/** Windows line ends, a byte order mark, no final newline: all of it has to survive. */
export const SUM = `\ufeffexport function sum(a, b) {\r\n  return a - b;\r\n}\r\n${FILLER}export const last = true;`;
export const PROJECT: Readonly<Record<string, string>> = {
  "package.json": '{ "type": "module", "scripts": { "test": "node --test" } }\n',
  "src/sum.js": SUM,
  "test/sum.test.js": 'import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { sum } from "../src/sum.js";\n\ntest("adds", () => {\n  assert.equal(sum(1, 2), 3);\n});\n\ntest("adds nothing", () => {\n  assert.equal(sum(1, 0), 1);\n});\n',
};

/** Opens these files as a zip. */
export async function openProject(site: AppSite, files: Readonly<Record<string, string | Uint8Array>>, name = "sums", prepare?: Parameters<AppSite["open"]>[1]): Promise<OpenPage> {
  const opened = await site.open("/", prepare);
  const { page } = opened;
  await containerReady(page);
  const bytes = zipSync(Object.fromEntries(Object.entries(files).map(([path, content]) => [path, typeof content === "string" ? strToU8(content) : content])));
  await page.locator("tw-header button.open").click();
  await page.locator("tw-open-dialog input.open-zip").setInputFiles({ name: `${name}.zip`, mimeType: "application/zip", buffer: Buffer.from(bytes) });
  await expect.poll(() => page.locator("tw-header .project").innerText(), { timeout: 30_000 }).toContain(name);
  await whenIdle(page);
  return opened;
}

/** Of the project that is open; a byte order mark included. */
export function fileText(page: Page, path: string): Promise<string | undefined> {
  return page.locator("tw-app").evaluate((app, name) => {
    const bytes = (app as App).session.state.project.files.get(name);
    return bytes && new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }, path);
}
