// What a person sees of the device and the engine: the card on first open, the choice of a model by keyboard, loading with
// progress and a way to stop it, the figures after a chat, the report that is copied.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatBytes } from "../../src/base/units.ts";
import { type AppSite, type OpenPage, openSite } from "../support/app-page.ts";
import { ready, start } from "../support/app-steps.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [SHIPPED] = JSON.parse(readFileSync(new URL("../../public/models/models.json", import.meta.url), "utf8")) as { readonly bytes: number }[];
const SIZE = formatBytes(SHIPPED?.bytes ?? 0);
/** Of the bundled model, as its card says. */
const LAYERS = 6;
const EXPERTS = 16;
let site: AppSite;
/** With a page for the tests that leave the device and its settings as they are: to load a model costs more than all they do. */
let shared: AppSite;
let kept: OpenPage;

beforeAll(async () => {
  site = await openSite();
  shared = await openSite({ shared: true });
  kept = await shared.open();
  await kept.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await ready(kept.page);
});
afterAll(async () => {
  await site?.close();
  await shared?.close();
});

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
  await page.locator("tw-composer .stop").waitFor();
  await page.locator("tw-composer .send").waitFor({ timeout: 300_000 });
}

/** What axe finds wrong inside an element, shadow roots included. */
async function violations(page: Page, selector: string): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async (target) => {
    const host = (function find(root: Document | ShadowRoot): Element | undefined {
      for (const element of root.querySelectorAll("*")) {
        if (element.matches(target)) return element;
        const inner = element.shadowRoot && find(element.shadowRoot);
        if (inner) return inner;
      }
      return undefined;
    })(document);
    const { violations: found } = await (globalThis as unknown as { axe: { run(node: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run(host);
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  }, selector);
}

describe("the device card", () => {
  it("is on the first screen, each line with its consequence, before anything of engine or model is fetched", async () => {
    const context = await site.browser.newContext({ serviceWorkers: "block" });
    const page = await context.newPage();
    const fetched: string[] = [];
    page.on("request", (request) => fetched.push(request.url()));
    await page.goto(site.origin);
    const lines = page.locator("tw-device-card [data-line]");
    await lines.first().waitFor();
    expect(await lines.evaluateAll((all) => all.map((line) => (line as HTMLElement).dataset["line"]))).toEqual(["gpu", "limits", "f16", "memory", "storage", "isolation"]);
    for (const line of await lines.all()) {
      expect(await line.getAttribute("data-level")).toMatch(/good|fair|bad/);
      expect((await line.locator("dd").innerText()).length).toBeGreaterThan(10);
      expect(await line.locator(".mark").getAttribute("aria-label")).toMatch(/good|limited|missing/);
    }
    expect(fetched.filter((url) => /inference|shared-engine|\.gguf|webllm/i.test(url))).toEqual([]);
    expect(await violations(page, "tw-device-card")).toEqual([]);
    await context.close();
  });

  it("says what works where there is no GPU", async () => {
    const bare = await openSite({ webgpu: false });
    try {
      const { page } = await bare.open();
      await expect.poll(() => page.locator("tw-device-card [data-line=gpu]").innerText(), { timeout: 30_000 }).toMatch(/No model can run:.*Files, tests and the terminal work/s);
      await page.locator("tw-device-card .choose").click();
      const verdicts = page.locator("tw-device-dialog .model");
      await verdicts.first().waitFor({ timeout: 60_000 });
      expect(new Set(await verdicts.evaluateAll((all) => all.map((model) => (model as HTMLElement).dataset["verdict"])))).toEqual(new Set(["cannot"]));
    } finally {
      await bare.close();
    }
  });
});

describe("the choice of a model", () => {
  it("works by keyboard: open, walk through the models with their verdicts, close, and focus is back", async () => {
    const { page, errors } = kept;
    errors.length = 0;
    const choose = page.locator("tw-device-card .choose");
    await choose.focus();
    await page.keyboard.press("Enter");
    const models = page.locator("tw-device-dialog .model");
    await expect.poll(() => models.count(), { timeout: 30_000 }).toBeGreaterThan(3);
    const micro = page.locator("tw-device-dialog [data-model=tabwright-micro]");
    expect(await micro.getAttribute("data-verdict")).toBe("fits");
    expect(await micro.innerText()).toMatch(new RegExp(`loaded[\\s\\S]*fits[\\s\\S]*${SIZE}, part of this site; needs \\d`));
    expect(await models.nth(1).innerText()).toMatch(/needs .*GPU memory/);
    expect(await violations(page, "tw-device-dialog")).toEqual([]);

    await page.locator("tw-device-dialog input[type=radio]:checked").focus();
    await page.keyboard.press("ArrowDown");
    const load = page.locator("tw-device-dialog .load");
    await expect.poll(() => page.locator("tw-device-dialog .get").innerText()).toMatch(/^Get Qwen/); // an offer
    expect(await models.nth(1).innerText()).toMatch(/about \d+\.\d GB to download; these numbers are estimates/);
    await page.keyboard.press("ArrowUp");
    await expect.poll(() => load.innerText()).toBe("Load Tabwright micro");
    expect(await load.isDisabled()).toBe(true); // it is loaded
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator("tw-device-dialog").count()).toBe(0);
    await expect.poll(() => choose.evaluate((button) => (button.getRootNode() as ShadowRoot).activeElement === button)).toBe(true);
    expect(errors).toEqual([]);
  });

  it("lets the user say how much GPU memory a model may take, refuses too little with a sentence, and keeps it", async () => {
    const { page } = await site.open();
    await ready(page);
    await page.locator("tw-device-card .choose").click();
    const field = page.getByLabel("GPU memory for a model, at most");
    const load = page.locator("tw-device-dialog .load");
    const hint = page.locator("tw-gpu-budget p");
    await expect.poll(() => hint.innerText()).toMatch(/guessed of this device.*loaded model takes [\d.]+ MB and needs at least [\d.]+ MB/);
    expect(await load.isDisabled()).toBe(true);
    await field.fill("0.002");
    await field.press("Tab");
    await expect.poll(() => load.isEnabled()).toBe(true);
    await load.click();
    await page.getByText(/GPU budget of 2 MB is too small.*Allow at least \d+ MB/).first().waitFor({ timeout: 60_000 });
    await field.fill("0.5");
    await field.press("Tab");
    await load.click();
    await ready(page);
    await expect.poll(() => load.isDisabled(), { timeout: 60_000 }).toBe(true);
    await page.reload();
    await start(page);
    await page.locator("tw-device-card .choose").click();
    await expect.poll(() => field.inputValue()).toBe("0.5");
  });

  it("measures the device on request, and expects nothing before", async () => {
    const { page } = await site.open();
    await ready(page);
    await page.locator("tw-device-card .choose").click();
    const micro = page.locator("tw-device-dialog [data-model=tabwright-micro]");
    await micro.waitFor();
    expect(await micro.innerText()).toContain("Speed not measured yet");
    await page.locator("tw-device-dialog .measure").click();
    await expect.poll(() => page.locator("tw-device-dialog .row p").first().innerText(), { timeout: 60_000 }).toMatch(/Storage [\d.]+ [MG]B\/s, into the GPU [\d.]+ [MG]B\/s, inside the GPU [\d.]+ [MG]B\/s/);
    await page.keyboard.press("Escape");
    await ask(page, "Hello");
    await page.getByRole("button", { name: "More" }).click();
    await page.locator("[data-dialog=device]").click();
    await expect.poll(() => micro.innerText(), { timeout: 30_000 }).toMatch(/Seen here: [\d.]+ tokens\/s/);
  });

  it("shows how far loading is, and stops it", async () => {
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const { page } = await site.open("/", (context) =>
      context.route("**/*.gguf", async (route) => {
        await held;
        await route.continue();
      }),
    );
    await page.locator("tw-device-card .choose").click();
    const cancel = page.locator("tw-device-dialog .cancel");
    await cancel.waitFor({ timeout: 60_000 });
    expect(await page.locator("tw-device-dialog progress").getAttribute("aria-label")).toMatch(/Fetching Tabwright micro|Loading/);
    await cancel.click();
    await cancel.waitFor({ state: "detached", timeout: 20_000 });
    letGo();
    await page.locator("tw-device-dialog .load").click();
    await page.keyboard.press("Escape");
    await ready(page);
  });
});

describe("the figures", () => {
  it("show memory, layers and cache after a chat, and a report without a word of it", async () => {
    const { page, errors } = kept;
    errors.length = 0;
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "New chat" }).click();
    const secret = "zebra crossing forty-two";
    await ask(page, secret);
    await page.locator("tw-stats-strip .details").click();
    const dialog = page.locator("tw-details-dialog");
    await dialog.locator(".memory [data-kind]").first().waitFor();
    const bytes = await dialog.locator(".memory dd").allInnerTexts();
    expect(bytes).toHaveLength(5);
    for (const text of bytes) expect(text).toMatch(/^[1-9][\d.]* [KMG]B/);
    const planned = dialog.locator(".plan [data-line]");
    expect(await planned.evaluateAll((all) => all.map((line) => (line as HTMLElement).dataset["line"]))).toEqual(["dense", "experts", "cache", "recurrent", "snapshots", "prefill", "staging", "scratch"]);
    for (const text of await planned.locator("dd").allInnerTexts()) expect(text).toMatch(/^[1-9][\d.]* [KMG]B/);
    await dialog.locator(".time").click();
    await expect.poll(() => dialog.locator("tr.layer").count(), { timeout: 30_000 }).toBe(LAYERS);
    expect(await dialog.locator("tr.layer").first().innerText()).toMatch(/Layer 0 DeltaNet\s+[\d.]+ ms\s+[\d.]+ ms\s+0/);
    expect(await dialog.locator("tw-cache-picture canvas").getAttribute("aria-label")).toContain(`${LAYERS * EXPERTS} of ${LAYERS * EXPERTS} experts`);
    await dialog.locator("summary").click();
    const rows = dialog.locator("table.cache tbody tr");
    expect(await rows.count()).toBe(LAYERS);
    for (const text of await rows.allInnerTexts()) expect(text).toMatch(/16 \/ 16\s+[1-9]\d*\s+100\.0 %\s+expert \d+: [1-9]/);
    expect(await violations(page, "tw-details-dialog")).toEqual([]);

    await dialog.locator(".copy").click();
    await expect.poll(() => dialog.locator("[role=status]").innerText()).toMatch(/Copied/);
    const report = await page.evaluate(() => navigator.clipboard.readText());
    expect(report).toContain("# Tabwright report");
    expect(report).toContain("swiftshader");
    expect(report).toContain("## Time of a token");
    for (const word of ["zebra", "forty", "corner-shop", "cart"]) expect(report).not.toContain(word);
    expect(errors).toEqual([]);
  });
});
