// Fault 24 on the built app: a page that is frozen in the midst of an answer, as a laptop's lid does it, goes on when it
// wakes up. That time-outs count only time awake is held by test/faults/clock.test.ts.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { idle, openOneBug, ready } from "../support/app-steps.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
});

describe("fault 24: a page that sleeps", () => {
  it("in the midst of an answer finishes it when it is awake", async () => {
    const { page, context } = await site.open();
    await ready(page);
    await openOneBug(page);
    await page.getByLabel("Message", { exact: true }).fill("Fix the failing test");
    await page.keyboard.press("Enter");
    await page.locator("tw-composer .stop").waitFor();
    const session = await context.newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await new Promise((resolve) => setTimeout(resolve, 8000));
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await idle(page);
    await page.getByRole("tab", { name: /Tests/ }).click();
    await expect.poll(() => page.locator("tw-tests-panel .verdict").textContent(), { timeout: 60_000 }).toMatch(/passed/);
  });
});
