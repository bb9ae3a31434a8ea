// A project is what its files were shortly before the page ended, however it ended: byte for byte, with links, permission
// bits and empty folders, changes by running commands included.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serveSite, type SiteServer } from "../../src/cli/serve.ts";
import type { App } from "../../src/ui/app.ts";
import { startWithoutModel } from "../support/app-steps.ts";
import { type KeptProfile, keptProfile } from "../support/kept-profile.ts";

let site: SiteServer;
let profile: KeptProfile;
let context: BrowserContext;

beforeAll(async () => {
  site = await serveSite({ port: 0 });
});
afterAll(() => site?.close());
beforeEach(async () => {
  profile = await keptProfile({ webgpu: false });
  context = await profile.launch();
});
afterEach(() => profile?.dispose());

async function openPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(site.origin);
  await startWithoutModel(page);
  return page;
}

/** Changes everything that can be changed, and then goes on for ever. */
const PROGRAM = `
const fs = require("fs");
fs.chmodSync("tool.sh", 0o755);
fs.symlinkSync("data.bin", "link");
fs.mkdirSync("empty/below", { recursive: true });
fs.rmSync("old.txt");
fs.renameSync("named.txt", "renamed.txt");
fs.writeFileSync("made.bin", Buffer.from(Array.from({ length: 256 }, (_, k) => k)));
setInterval(() => fs.writeFileSync("count.txt", String(Date.now())), 50);
`;

/** As the page shows the files, and as a program in the container sees what bytes do not say. */
async function look(page: Page): Promise<Record<string, unknown>> {
  return page.locator("tw-app").evaluate(async (app) => {
    const { session } = app as App;
    const files = Object.fromEntries([...session.state.project.files].filter(([path]) => path !== "work.js" && path !== "count.txt").map(([path, bytes]) => [path, [...bytes].join()]));
    const seen = await session.sandbox!.run("node -p \"const fs = require('fs'); [(fs.statSync('tool.sh').mode & 0o777).toString(8), fs.readlinkSync('link'), fs.readFileSync('link').length, fs.readdirSync('empty'), fs.readdirSync('empty/below').length, fs.readFileSync('made.bin').length].join()\"");
    return { files, container: seen.output.trim() };
  });
}

const EXPECTED = {
  files: { "data.bin": "0,255,128", "empty.txt": "", "tool.sh": "35", "renamed.txt": "120", "made.bin": Array.from({ length: 256 }, (_, k) => k).join() },
  container: "755,data.bin,3,below,0,256",
};

describe("a project in the browser", () => {
  it("comes back after a crash in the middle of a command with at most the last seconds lost, and again after a reload; a second tab leaves it alone", async () => {
    let page = await openPage();
    await page.locator("tw-app").evaluate(async (app, program) => {
      const { session } = app as App;
      const text = (value: string): Uint8Array => new TextEncoder().encode(value);
      await session.project.openFiles("kept", new Map([["work.js", text(program)], ["data.bin", new Uint8Array([0, 255, 128])], ["empty.txt", new Uint8Array()], ["tool.sh", text("#")], ["old.txt", text("old")], ["named.txt", text("x")]]));
      void session.runs.runCommand("node work.js");
    }, PROGRAM);
    const runs = (): Promise<boolean> => page.locator("tw-app").evaluate((app) => (app as App).session.sandbox!.readFile("count.txt").then(() => true, () => false));
    await expect.poll(runs, { timeout: 60_000 }).toBe(true);
    await page.waitForTimeout(3000);
    const crashed = page.waitForEvent("crash"); // a tab opened before it is over would share the process that ends
    const crashedAt = Date.now();
    (await context.newCDPSession(page)).send("Page.crash").catch(() => undefined); // a crashed page answers nothing
    await crashed;
    page = await openPage();
    expect(await look(page)).toEqual(EXPECTED);
    const lostMs = crashedAt - (await page.locator("tw-app").evaluate((app) => Number(new TextDecoder().decode((app as App).session.state.project.files.get("count.txt")))));
    // About a second on a calm machine; this one runs other tests as well.
    expect(lostMs).toBeLessThan(5000);
    // What the command made is a state to go back from, and the one before it is one to go back to.
    expect(await page.locator("tw-app").evaluate((app) => (app as App).session.state.timeline.at(-1)?.paths)).toEqual(expect.arrayContaining(["made.bin", "old.txt"]));

    await page.reload();
    await startWithoutModel(page);
    expect(await look(page)).toEqual(EXPECTED);

    const second = await openPage();
    const id = (of: Page): Promise<string> => of.locator("tw-app").evaluate((app) => (app as App).session.state.project.id);
    expect(await id(second)).not.toBe(await id(page));
    await second.close();
    expect(await look(page)).toEqual(EXPECTED);
  });
});
