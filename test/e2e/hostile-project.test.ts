// A project that is meant to harm the page that shows it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { whenIdle } from "../support/app-steps.ts";
import { openProject, PROJECT } from "../support/work-steps.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
});
afterAll(async () => {
  await site?.close();
});

describe("a hostile project (fault 26)", () => {
  const SCRIPTS = [
    "<img src=x onerror=globalThis.harmed=1>",
    "<svg onload=globalThis.harmed=1>",
    "'\"><script>globalThis.harmed=1</script>",
    "${globalThis.harmed=1}",
    "{{globalThis.harmed=1}}",
    "<a href='javascript:globalThis.harmed=1'>x</a>",
  ];
  const safeName = (text: string): string => text.replaceAll("/", "∕").replaceAll("\\", "");

  it("runs no script from file names, contents, changes, test names or the terminal, and touches no clipboard, title or link", async () => {
    const requests: string[] = [];
    const files = Object.fromEntries(SCRIPTS.map((script, i) => [`evil/${safeName(script)}-${i}.md`, `# ${script}\n[x](javascript:globalThis.harmed=1)\n`]));
    const tests = SCRIPTS.map((script) => `test(${JSON.stringify(script)}, () => { throw new Error(${JSON.stringify(script)}); });`).join("\n");
    const { page, errors } = await openProject(site, { ...PROJECT, ...files, "evil/\u202egpj.exe": "x", "test/evil.test.js": `import { test } from "node:test";\n${tests}\n` }, "evil", (context) => {
      context.on("request", (request) => requests.push(request.url()));
      return context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: site.origin });
    });
    const title = await page.title();
    await page.evaluate(() => navigator.clipboard.writeText("mine"));
    await expect.poll(() => page.locator('tw-files-panel [role="treeitem"]', { hasText: "U+202E" }).count()).toBe(1);
    for (const row of await page.locator('tw-files-panel [data-path^="evil/"]:not([data-path="evil/"])').all()) await row.click();
    await page.getByRole("tab", { name: /Tests/ }).click();
    await page.getByRole("button", { name: "Run tests" }).click();
    await expect.poll(() => page.locator("tw-tests-panel .verdict").textContent(), { timeout: 60_000 }).toMatch(/^✗ \d+ failed/);
    expect(await page.locator("tw-tests-panel li.failed").count()).toBeGreaterThanOrEqual(SCRIPTS.length);

    await whenIdle(page);
    await page.getByRole("tab", { name: /Terminal/ }).click();
    const hostile = "\\u001b]0;pwned\\u0007\\u001b]52;c;cHduZWQ=\\u0007\\u001b]8;;https://evil.example/\\u0007link\\u001b]8;;\\u0007\\u001b[6n\\u001b[c<img src=x onerror=globalThis.harmed=1>";
    await page.getByLabel("Command", { exact: true }).fill(`node -e "console.log('${hostile}')" && for f in evil/*; do echo changed > "$f"; done`);
    await page.keyboard.press("Enter");
    await page.locator("tw-terminal-panel .xterm-rows", { hasText: "link<img" }).waitFor({ timeout: 30_000 });
    await whenIdle(page);
    await page.getByRole("tab", { name: /Changes/ }).click();
    await expect.poll(() => page.locator("tw-diff-view section").count()).toBeGreaterThanOrEqual(SCRIPTS.length);
    await page.getByRole("tab", { name: /Timeline/ }).click();
    await page.locator("tw-timeline li").first().waitFor();

    expect(await page.evaluate(() => (globalThis as { harmed?: number }).harmed)).toBeUndefined();
    expect(await page.title()).toBe(title);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("mine");
    const elements = await page.locator("tw-work").evaluate((work) => {
      const found: string[] = [];
      const visit = (root: ParentNode): void => {
        for (const element of root.querySelectorAll("*")) {
          if (/^(IMG|SCRIPT|SVG|IFRAME|A)$/i.test(element.tagName)) found.push(element.outerHTML);
          if (element.shadowRoot) visit(element.shadowRoot);
        }
      };
      visit(work.shadowRoot!);
      return found;
    });
    expect(elements).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(site.origin) && !url.startsWith("blob:") && !url.startsWith("data:"))).toEqual([]);
    expect(errors).toEqual([]);
  });
});
