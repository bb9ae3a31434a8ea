// Fault 10 as a person meets it, in a browser of its own: the GPU is lost three times in a row; the browser's whole GPU process
// crashes in the middle of a sentence; it crashes again, and Chrome holds the GPU back for two minutes.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ask, idle, ready, start } from "../support/app-steps.ts";
import { shot } from "../support/shots.ts";

const QUESTION = "What can you do?";
const MANY_LOSSES = 9;
/** So many of the engine's next devices are lost soon after they were made, and the one it has is lost now. */
const LOSING = `{
  const asked = new BroadcastChannel("test: lose the GPU");
  const request = GPUAdapter.prototype.requestDevice;
  let last, left = 0;
  asked.onmessage = ({ data }) => { left = data; last?.destroy(); };
  GPUAdapter.prototype.requestDevice = async function (...args) {
    last = await request.apply(this, args);
    const device = last;
    if (left-- > 0) setTimeout(() => device.destroy(), 100);
    return device;
  };
}`;

let site: AppSite;
let page: Page;
/** The answer as it is when nothing is lost. */
let whole: string;

beforeAll(async () => {
  site = await openSite({ shared: true, engineAfter: LOSING });
  ({ page } = await site.open());
  await ready(page);
  await askAnew();
  await idle(page);
  whole = await answer();
  expect(whole.length).toBeGreaterThan(40);
});
afterAll(async () => {
  await site?.close();
});

type Item = { readonly kind: string; readonly text?: string };
type App = HTMLElement & { readonly session: { readonly state: { readonly items: readonly Item[] }; readonly chat: { newChat(): Promise<void> } } };

/** What was said last, as far as it has come. */
function answer(): Promise<string> {
  return page.evaluate(() => document.querySelector<App>("tw-app")!.session.state.items.findLast(({ kind }) => kind === "assistant")?.text ?? "");
}

/** In a chat of its own, so that the answer is always the same. */
async function askAnew(): Promise<void> {
  await page.evaluate(() => document.querySelector<App>("tw-app")!.session.chat.newChat());
  await ask(page, QUESTION);
}

/** Asks, and returns when some words of the answer are there: it is not in sight before its first line is whole. */
async function askAndHear(): Promise<string> {
  await askAnew();
  await page.waitForFunction(
    () => {
      const last = document.querySelector<App>("tw-app")!.session.state.items.at(-1);
      return last?.kind === "assistant" && (last.text ?? "").length > 8;
    },
    undefined,
    { polling: 10 },
  );
  return answer();
}

/** The whole answer comes, and it is the end: one that goes on after a loss waits for the model first. */
async function saysWhole(): Promise<void> {
  await expect.poll(answer, { timeout: 120_000 }).toBe(whole);
  await idle(page);
  expect(await answer()).toBe(whole);
}

async function crash(): Promise<void> {
  // Its answer may not come.
  void (await site.browser.newBrowserCDPSession()).send("Browser.crashGpuProcess" as never).catch(() => undefined);
}

/** A tab that Chromium takes down with its GPU (it does, now and then) is opened anew: to the one who uses it, that is the same. */
async function reload(): Promise<void> {
  const url = page.url();
  await page.reload().catch(async () => {
    page = await page.context().newPage();
    await page.goto(url);
  });
}

const notice = (title: string) => page.locator("tw-talk .notice", { hasText: title });

describe("fault 10: the GPU", () => {
  it("is lost three times in a row: the page says so and offers less memory, with which the next answer comes", async () => {
    await askAndHear();
    await page.evaluate((count) => new BroadcastChannel("test: lose the GPU").postMessage(count), MANY_LOSSES);
    const lost = notice("The GPU keeps being reset");
    await lost.waitFor({ timeout: 60_000 });
    expect(await lost.innerText()).toMatch(/3 times in a row/);
    await shot(page, "gpu-lost-three-times.png");
    await page.evaluate(() => new BroadcastChannel("test: lose the GPU").postMessage(0));
    await lost.getByRole("button", { name: "Load with less GPU memory" }).click();
    await lost.waitFor({ state: "detached" });
    await ready(page);
    await askAnew();
    await saysWhole();
  });

  it("goes down with the browser's GPU process in the middle of a sentence: the model is loaded again, and the sentence goes on", async () => {
    const before = await askAndHear();
    await crash();
    await notice("The GPU was reset").waitFor({ timeout: 30_000 });
    expect(whole.startsWith(before) && before.length < whole.length).toBe(true);
    await saysWhole();
    expect(await page.locator("tw-chat .note.bad").count()).toBe(0);
  });

  it("goes down again, and the browser holds it back: the page says so and waits; a reload has what was said, and answers", async () => {
    await askAndHear();
    await crash();
    await notice("The browser holds the GPU back").waitFor({ timeout: 30_000 });
    await shot(page, "gpu-blocked.png");
    await reload();
    await start(page);
    expect(await page.evaluate(() => document.querySelector<App>("tw-app")!.session.state.items.filter(({ kind }) => kind === "user").map(({ text }) => text))).toEqual([QUESTION]);
    await askAnew();
    await saysWhole();
  });
});
