// Two tabs of one browser share one engine; when the tab that runs it closes or crashes, the other takes over.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENGINE_CHANNEL } from "../../src/engine/engine-channel.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ready } from "../support/app-steps.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
});

async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(site.origin);
  await page.mouse.click(1, 1);
  await ready(page);
  return page;
}

async function send(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
  await page.locator("tw-composer .stop").waitFor();
}

const answered = (page: Page): Promise<void> => page.locator("tw-composer .send").waitFor({ timeout: 300_000 });

/** A tab in the background paints nothing. */
async function saysSomething(page: Page): Promise<void> {
  await page.bringToFront();
  await expect.poll(() => page.locator("tw-chat .assistant").last().locator("p").first().innerText(), { timeout: 60_000 }).toMatch(/\w{2}/);
}

const shared = (page: Page) => page.locator("tw-stats-strip .shared");
const engines = (page: Page): number => page.workers().filter((worker) => /inference/.test(worker.url())).length;

describe("a second tab", () => {
  it("uses the engine of the first, says so, and both get their answers when they ask at the same time", async () => {
    const { page: first, context, errors } = await site.open();
    await ready(first);
    const second = await openTab(context);
    expect(await shared(second).innerText()).toContain("another tab");
    expect(await shared(first).count()).toBe(0);
    expect([engines(first), engines(second)]).toEqual([1, 0]);
    await Promise.all([send(first, "Hello"), send(second, "What can you do?")]);
    await Promise.all([answered(first), answered(second)]);
    for (const page of [first, second]) await saysSomething(page);
    await second.locator("tw-stats-strip .details").click();
    await second.locator("tw-details-dialog .memory").waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it.each([
    ["closes", async (page: Page) => page.close({ runBeforeUnload: false })],
    [
      "crashes",
      async (page: Page) => {
        const session = await page.context().newCDPSession(page);
        session.send("Page.crash").catch(() => undefined); // a crashed page answers nothing
      },
    ],
  ] as const)("takes over within two seconds when the first %s, fails what ran with a reason, and answers when asked again", async (_how, end) => {
    const { page: first, context } = await site.open();
    await ready(first);
    const second = await openTab(context);
    await shared(second).waitFor();
    // The host falls silent, as if its answer took long: so that one is surely under way when it goes.
    const asked = first.evaluate(
      (channel) =>
        new Promise<void>((resolve) => {
          BroadcastChannel.prototype.postMessage = () => undefined;
          new BroadcastChannel(channel).onmessage = ({ data }) => ["countTokens", "generate"].includes(data.message?.call) && resolve();
        }),
      ENGINE_CHANNEL,
    );
    await send(second, "Fix the failing test");
    await asked;
    const gone = Date.now();
    await end(first);
    await shared(second).waitFor({ state: "detached", timeout: 10_000 });
    expect(Date.now() - gone).toBeLessThan(2000);
    await second.locator("tw-chat .note.bad", { hasText: /The engine stopped.*The tab that ran the engine was closed.*Send your message again/s }).waitFor({ timeout: 30_000 });
    await answered(second);
    await ready(second);
    expect(engines(second)).toBe(1);
    await send(second, "Hello");
    await saysSomething(second);
    await second.keyboard.press("Escape"); // after a turn that was cut the bundled model finds no end
    await answered(second);
    await context.close();
  });
});
