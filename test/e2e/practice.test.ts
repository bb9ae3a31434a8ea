// Practice tasks, made from the project beside the chat.
import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TaskLineReader } from "../../src/tasks/task-line.ts";
import type { App } from "../../src/ui/app.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { whenIdle } from "../support/app-steps.ts";
import { putRepository } from "../support/git-folder.ts";
import { stubPicker } from "../support/opfs-folder.ts";
import { fileText, openProject, PROJECT, SUM } from "../support/work-steps.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
});
afterAll(async () => {
  await site?.close();
});

describe("practice tasks", () => {
  it("are made from the project beside it, by keyboard; one opens as a step that undo takes back, all can be taken along", { timeout: 120_000 }, async () => {
    const right = SUM.replace("a - b", "a + b");
    const { page, errors } = await openProject(site, { ...PROJECT, "src/sum.js": right }, "sums", (context) => stubPicker(context, "repository"));
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("button", { name: "Make practice tasks from this project" }).click();
    await page.locator("tw-practice-dialog .count").fill("2");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const tasks = page.locator("tw-practice-dialog li");
    await expect.poll(() => tasks.count(), { timeout: 90_000 }).toBe(2);
    await page.locator("tw-practice-dialog .make").waitFor();
    expect(await fileText(page, "src/sum.js")).toBe(right);

    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("tw-practice-dialog .lines").click()]);
    const reader = new TaskLineReader();
    const lines = readFileSync(await download.path(), "utf8").trim().split("\n");
    const made = lines.flatMap((line) => reader.read(line, "tasks.jsonl") ?? []);
    expect(made.map(({ task }) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(task.solution.get("src/sum.js")))).toEqual([right, right]);
    const [zip] = await Promise.all([page.waitForEvent("download"), page.locator("tw-practice-dialog .zip").click()]);
    expect(Object.keys(unzipSync(new Uint8Array(readFileSync(await zip.path())))).filter((path) => path.endsWith("/task.json")).length).toBe(2);

    // The wrong sum, then the right one with its tests: a commit that is a task.
    await putRepository(page, "repository", [{ "package.json": PROJECT["package.json"]!, "src/sum.js": SUM.replace("a - b", "b * 2") }, { "src/sum.js": right, "test/sum.test.js": PROJECT["test/sum.test.js"]! }]);
    await page.locator("tw-practice-dialog .count").fill("1");
    await page.locator("tw-practice-dialog .history").click();
    await expect.poll(() => tasks.count(), { timeout: 90_000 }).toBe(3);
    await page.locator("tw-practice-dialog .make").waitFor();
    expect(await tasks.nth(2).locator("span").innerText()).toContain("adds");

    await page.locator("tw-practice-dialog .level").selectOption("exact");
    const asked = await tasks.first().locator("span").innerText();
    await tasks.first().getByRole("button").click();
    await page.locator("tw-dialogs dialog[open]").waitFor({ state: "detached" });
    await whenIdle(page);
    const { files } = made[0]!.task;
    expect(await fileText(page, "src/sum.js")).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(files.get("src/sum.js")));
    await page.getByText(asked).first().waitFor();
    await page.locator("tw-app").evaluate((app) => (app as App).session.timeline.undo());
    await expect.poll(() => fileText(page, "src/sum.js")).toBe(right);
    expect(errors).toEqual([]);
  });
});
