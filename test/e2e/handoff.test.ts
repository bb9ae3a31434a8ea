// "Open in full page" at its other end: an address that carries a project. A stranger may have made it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeHandoff } from "../../src/ui/project/handoff.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { treeOf } from "../support/trees.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
});
afterAll(async () => {
  await site?.close();
});

describe("an address that carries a project", () => {
  it("opens it, offers its words without sending them, and is clean afterwards", async () => {
    const files = treeOf({ "package.json": '{"scripts":{"test":"node --test"}}', "src/<b>.js": "export const one = 1;\n" });
    const fragment = await writeHandoff({ name: "Corner <i>shop</i>", files, open: "src/<b>.js", prompt: "Explain <script>one</script>" });
    const { page, errors } = await site.open(`/${fragment}`);
    await page.locator("tw-chat").getByRole("button", { name: "Explain <script>one</script>" }).waitFor({ timeout: 60_000 });
    await expect.poll(() => page.locator("tw-header").getByText("Corner <i>shop</i>").count()).toBeGreaterThan(0);
    expect(await page.locator("tw-chat .user").count()).toBe(0);
    expect(new URL(page.url()).hash).toBe("");
    expect(errors).toEqual([]);
  });

  it("that is damaged is refused in words, and what was open stays", async () => {
    const { page } = await site.open("/#project=UEsDBBQAAAAAAA");
    await page.getByRole("alert").waitFor({ timeout: 60_000 });
    expect(await page.getByRole("alert").innerText()).toMatch(/zip/i);
    expect(new URL(page.url()).hash).toBe("");
    await page.getByText("corner-shop").first().waitFor();
  });
});
