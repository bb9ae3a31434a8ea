// How projects come in and go out, as a person does it: folder and back, zip, GitHub, paste, drop; zip, patch, conversation.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { strToU8, unzipSync, zipSync } from "fflate";
import type { BrowserContext, Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppSite, openSite } from "../support/app-page.ts";
import { containerReady, openChat } from "../support/app-steps.ts";
import { type GitHubFake, openGitHubFake, TOKEN } from "../support/github-server.ts";
import { changeFolder, readOpfsFolder, stubPicker } from "../support/opfs-folder.ts";

let site: AppSite;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
});
afterAll(async () => {
  await site?.close();
});

async function openDialog(page: Page): Promise<void> {
  await page.locator("tw-header button.open").click();
  await page.locator("tw-open-dialog .open-folder").waitFor();
}

async function exportDialog(page: Page): Promise<void> {
  await page.locator("tw-header button.export").click();
  await page.locator("tw-export-dialog .zip").waitFor();
}

async function named(page: Page, text: string | RegExp): Promise<void> {
  await page.locator("tw-header .project", { hasText: text }).waitFor({ timeout: 60_000 });
}

async function bytesOf(download: Download): Promise<Uint8Array> {
  return new Uint8Array(readFileSync(await download.path()));
}

async function downloaded(page: Page, button: string): Promise<{ name: string; bytes: Uint8Array }> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator(`tw-export-dialog ${button}`).click()]);
  return { name: download.suggestedFilename(), bytes: await bytesOf(download) };
}

/** What the project holds now, as its zip says. */
async function projectFiles(page: Page): Promise<Record<string, string>> {
  await exportDialog(page);
  const { bytes } = await downloaded(page, ".zip");
  await page.keyboard.press("Escape");
  return Object.fromEntries(Object.entries(unzipSync(bytes)).map(([path, content]) => [path, Buffer.from(content).toString("utf8")]));
}

async function paste(page: Page, text: string, button: string): Promise<void> {
  await openDialog(page);
  await page.locator("tw-paste-form textarea").fill(text);
  await page.locator(`tw-paste-form ${button}`).click();
  await page.locator("dialog[open]").waitFor({ state: "detached" });
}

const block = (info: string, content: string): string => `\`\`\`${info}\n${content}\n\`\`\`\n`;

describe("a folder", () => {
  const START = { "package.json": '{ "name": "shop" }\n', "a.js": "one\ntwo\n", "b.js": "b\n", "gone.js": "x\n" };

  async function openFolder(): Promise<{ page: Page; errors: string[] }> {
    const { page, errors } = await site.open("/", (context) => stubPicker(context, "my-shop"));
    await containerReady(page);
    await changeFolder(page, "my-shop", START);
    await openDialog(page);
    await page.locator("tw-open-dialog .open-folder").click();
    await named(page, "my-shop");
    return { page, errors };
  }

  async function compare(page: Page): Promise<void> {
    await exportDialog(page);
    await page.locator("tw-export-dialog .write-back").click();
    await page.locator("tw-write-back .hint, tw-write-back p").first().waitFor();
  }

  const rows = (page: Page, group: "ours" | "conflict" | "theirs") => page.locator(`tw-write-back .group.${group}`).locator("xpath=following-sibling::ul[1]").locator("tw-write-change .head");

  it("is opened, changed here and there, and written back only as shown and ticked", async () => {
    const { page, errors } = await openFolder();
    await paste(page, block("js a.js", "one\nTWO") + block("js b.js", "ours") + block("js src/new.js", "new"), ".add");
    await page.getByRole("tab", { name: /Terminal/ }).click();
    await changeFolder(page, "my-shop", { "b.js": "theirs\n", "gone.js": "changed there\n" });
    expect(await readOpfsFolder(page, "my-shop")).toMatchObject({ "a.js": "one\ntwo\n" });

    await compare(page);
    await rows(page, "ours").first().waitFor();
    expect(await rows(page, "ours").allInnerTexts()).toEqual([expect.stringContaining("a.js"), expect.stringContaining("src/new.js")]);
    expect(await rows(page, "conflict").allInnerTexts()).toEqual([expect.stringContaining("b.js")]);
    expect(await rows(page, "theirs").allInnerTexts()).toEqual([expect.stringContaining("gone.js")]);
    await rows(page, "ours").first().locator(".show").click();
    expect(await page.locator("tw-write-change .removed").innerText()).toContain("two");
    expect(await rows(page, "conflict").first().locator("input").isChecked()).toBe(false);
    await page.locator("tw-write-back .write").click();
    await page.locator("tw-write-back .report").waitFor();
    expect(await page.locator("tw-write-back .written li").allInnerTexts()).toEqual(["a.js", "src/new.js"]);
    expect(await readOpfsFolder(page, "my-shop")).toEqual({ "package.json": START["package.json"], "a.js": "one\nTWO\n", "b.js": "theirs\n", "src/new.js": "new\n", "gone.js": "changed there\n" });

    // The folder's version is taken over, the conflict is written knowingly.
    await page.locator("tw-write-back .done").click();
    await page.locator("tw-export-dialog .write-back").click();
    await rows(page, "theirs").first().locator(".take").click();
    await rows(page, "theirs").first().waitFor({ state: "detached" });
    await rows(page, "conflict").first().locator("input").check();
    await page.locator("tw-write-back .write").click();
    await page.locator("tw-write-back .written li", { hasText: "b.js" }).waitFor();
    expect(await readOpfsFolder(page, "my-shop")).toMatchObject({ "b.js": "ours\n", "gone.js": "changed there\n" });
    await page.locator("tw-write-back .done").click();
    await page.locator("tw-export-dialog .write-back").click();
    await page.locator("tw-write-back p", { hasText: "hold the same files" }).waitFor();
    await page.keyboard.press("Escape");
    expect((await projectFiles(page))["gone.js"]).toBe("changed there\n");
    expect(errors).toEqual([]);
  });

  it("goes on after a reload: the handle is kept, deletions are written too", async () => {
    const { page } = await openFolder();
    await page.getByRole("tab", { name: /Terminal/ }).click();
    const input = page.getByLabel("Command", { exact: true });
    await input.fill("rm gone.js && echo made > made.txt");
    await input.press("Enter");
    await page.getByRole("tab", { name: /Changes\s+2/ }).waitFor({ timeout: 60_000 });
    await page.reload();
    await page.mouse.click(1, 1);
    await containerReady(page);
    await named(page, "my-shop");
    await compare(page);
    await rows(page, "ours").first().waitFor();
    expect(await rows(page, "ours").allInnerTexts()).toEqual([expect.stringMatching(/gone\.js\s+delete/), expect.stringMatching(/made\.txt\s+new/)]);
    await page.locator("tw-write-back .write").click();
    await page.locator("tw-write-back .report").waitFor();
    expect(await readOpfsFolder(page, "my-shop")).toEqual({ "package.json": START["package.json"], "a.js": START["a.js"], "b.js": START["b.js"], "made.txt": "made\n" });
  });

  it("without the permission, or changed while the list is open, stays as it is and says so", async () => {
    const { page } = await openFolder();
    await paste(page, block("js a.js", "ours"), ".add");
    await page.evaluate(() => {
      (FileSystemHandle.prototype as unknown as { requestPermission(): Promise<string> }).requestPermission = () => Promise.resolve("denied");
    });
    await compare(page);
    expect(await page.locator("tw-write-back .error").innerText()).toContain("Without your permission nothing");
    await page.evaluate(() => {
      (FileSystemHandle.prototype as unknown as { requestPermission(): Promise<string> }).requestPermission = () => Promise.resolve("granted");
    });
    await page.locator("tw-write-back .again").click();
    await rows(page, "ours").first().waitFor();
    await changeFolder(page, "my-shop", { "a.js": "just now\n" });
    await page.locator("tw-write-back .write").click();
    expect(await page.locator("tw-write-back .failed li").innerText()).toMatch(/a\.js it was changed in the folder while the list was open/);
    expect((await readOpfsFolder(page, "my-shop"))["a.js"]).toBe("just now\n");
  });
});

describe("a repository on GitHub", () => {
  let fake: GitHubFake;
  beforeAll(async () => {
    fake = await openGitHubFake({ "package.json": '{ "scripts": { "test": "node --test" } }\n', "src/a.js": "1\n", "link.js": "link:src/a.js" });
  });
  afterAll(() => fake?.close());

  /** The real addresses, under the page's own policy, answered by the local server: the real service is not asked. */
  async function answered(context: BrowserContext): Promise<void> {
    for (const [host, local] of [["https://api.github.com", fake.host.api], ["https://raw.githubusercontent.com", fake.host.raw]] as const) {
      await context.route(`${host}/**`, async (route) => {
        const response = await fetch(route.request().url().replace(host, local), { method: route.request().method(), headers: route.request().headers() });
        await route.fulfill({ status: response.status, headers: Object.fromEntries(response.headers), body: Buffer.from(await response.arrayBuffer()) });
      });
    }
  }

  it("is opened at its commit; what is left out is said first", async () => {
    const { page } = await site.open("/", answered);
    await openDialog(page);
    await page.locator("tw-github-form input[name=repository]").fill("https://github.com/octo/demo");
    await page.locator("tw-github-form .fetch").click();
    expect(await page.locator("tw-incoming-choice .skipped").innerText()).toMatch(/link\.js\s+symbolic link/);
    await page.locator("tw-incoming-choice .as-project").click();
    await named(page, `octo/demo@${fake.git("rev-parse", "HEAD").slice(0, 7)}`);
    expect(await projectFiles(page)).toEqual({ "package.json": '{ "scripts": { "test": "node --test" } }\n', "src/a.js": "1\n" });
  });

  it("that is private is told in the dialog, opens with a token, and the token is kept nowhere", async () => {
    fake.mood.private = true;
    try {
      const { page } = await site.open("/", answered);
      await containerReady(page);
      await openDialog(page);
      await page.locator("tw-github-form input[name=repository]").fill("octo/demo");
      await page.locator("tw-github-form .fetch").click();
      expect(await page.locator("tw-open-dialog .error").innerText()).toBe("GitHub shows no repository octo/demo. Check the name; if it is private, give a token that may read it.");
      await page.locator("tw-github-form input[name=token]").fill(TOKEN);
      await page.locator("tw-github-form .fetch").click();
      await page.locator("tw-incoming-choice .as-project").click();
      await named(page, "octo/demo@");
      await page.reload();
      await named(page, "octo/demo@");
      const stored = await page.evaluate(async () => {
        const texts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
        for (const { name } of await indexedDB.databases()) {
          const db = await new Promise<IDBDatabase>((resolve, reject) => Object.assign(indexedDB.open(name!), { onsuccess: (event: { target: { result: IDBDatabase } }) => resolve(event.target.result), onerror: reject }));
          for (const store of ["settings", "projects", "sessions", "checkpoints"].filter((known) => db.objectStoreNames.contains(known))) {
            const values = await new Promise<unknown[]>((resolve) => Object.assign(db.transaction(store).objectStore(store).getAll(), { onsuccess: (event: { target: { result: unknown[] } }) => resolve(event.target.result) }));
            texts.push(JSON.stringify(values, (_, value: unknown) => (value instanceof Map ? [...value.keys()] : value)));
          }
          db.close();
        }
        return texts.join("\n");
      });
      expect(stored).toContain("octo/demo@");
      expect(stored).not.toContain(TOKEN);
      await openDialog(page);
      expect(await page.locator("tw-github-form input[name=token]").inputValue()).toBe("");
    } finally {
      fake.mood.private = false;
    }
  });
});

describe("pasted text", () => {
  it("becomes a project, is added to one, and changes one as a patch, each taken back by one Undo", async () => {
    const { page, errors } = await site.open();
    await containerReady(page);
    await paste(page, block("js src/a.js", "one\ntwo\nthree") + block("json package.json", "{}"), ".as-project");
    await named(page, "pasted");
    await paste(page, "--- a/src/a.js\n+++ b/src/a.js\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n", ".apply");
    expect(await projectFiles(page)).toEqual({ "src/a.js": "one\nTWO\nthree\n", "package.json": "{}\n" });
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(async () => (await projectFiles(page))["src/a.js"]).toBe("one\ntwo\nthree\n");
    await openDialog(page);
    await page.locator("tw-paste-form textarea").fill("--- a/src/a.js\n+++ b/src/a.js\n@@ -1,2 +1,2 @@\n one\n-zwei\n+TWO\n");
    await page.locator("tw-paste-form .apply").click();
    expect(await page.locator("tw-open-dialog .error").innerText()).toMatch(/Hunk 1 of 1 \(@@ -1,2 \+1,2 @@\) does not fit "src\/a.js"/);
    await page.keyboard.press("Escape");
    await openDialog(page);
    await page.locator("tw-paste-form textarea").fill("console.log('🙂');");
    await page.locator("tw-paste-form .paste-name").fill("bin/hello.js");
    await page.locator("tw-paste-form .add").click();
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    expect(await projectFiles(page)).toEqual({ "src/a.js": "one\ntwo\nthree\n", "package.json": "{}\n", "bin/hello.js": "console.log('🙂');\n" });
    expect(errors).toEqual([]);
  });
});

describe("what is dropped on the page", () => {
  async function drop(page: Page, files: Readonly<Record<string, string | number[]>>): Promise<void> {
    await page.locator("tw-header").waitFor();
    await page.evaluate(async (entries) => {
      const data = new DataTransfer();
      for (const [name, content] of entries) data.items.add(new File([typeof content === "string" ? content : Uint8Array.from(content)], name));
      const at = document.querySelector("tw-app")!;
      at.dispatchEvent(new DragEvent("dragenter", { dataTransfer: data, bubbles: true, composed: true, cancelable: true }));
      await customElements.whenDefined("tw-drop-zone");
      at.dispatchEvent(new DragEvent("dragover", { dataTransfer: data, bubbles: true, composed: true, cancelable: true }));
      await new Promise(requestAnimationFrame);
      if (!document.querySelector("tw-app")!.shadowRoot!.querySelector("tw-drop-zone")!.shadowRoot!.querySelector("div")) throw new Error("no drop zone is shown");
      at.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, composed: true, cancelable: true }));
    }, Object.entries(files));
  }

  it("is asked about: files are added, a zip is opened", async () => {
    const { page } = await site.open();
    await containerReady(page);
    await drop(page, { "README.md": "dropped\n", "notes.txt": "n\n" });
    expect(await page.locator("tw-incoming-choice .replaces").innerText()).toContain("README.md");
    await page.locator("tw-incoming-choice .add").click();
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    expect(await projectFiles(page)).toMatchObject({ "README.md": "dropped\n", "notes.txt": "n\n", "package.json": expect.stringContaining("corner-shop") });
    await drop(page, { "small.zip": [...zipSync({ "src/a.js": strToU8("1") })] });
    await page.locator("tw-incoming-choice .as-project").click();
    await named(page, "small");
    expect(await projectFiles(page)).toEqual({ "src/a.js": "1" });
  });

  it("and cannot be taken in is told, and nothing changes", async () => {
    const { page } = await site.open();
    await drop(page, { "evil.zip": [...zipSync({ "../evil.js": strToU8("1") })] });
    expect(await page.locator("tw-talk .notice", { hasText: "evil.js" }).innerText()).toContain('contains ".."');
    expect(await page.locator("dialog[open]").count()).toBe(0);
  });
});

describe("recent projects", () => {
  it("are opened as they were left, and forgotten after a question", async () => {
    const { page } = await site.open();
    await containerReady(page);
    await paste(page, block("js first.js", "1"), ".as-project");
    await named(page, "pasted");
    await openDialog(page);
    await page.locator("tw-open-dialog .open-demo").click();
    await named(page, "corner-shop");
    await openDialog(page);
    await page.locator("tw-recent-projects").getByRole("button", { name: "Open pasted", exact: true }).click();
    await named(page, "pasted");
    expect(await projectFiles(page)).toEqual({ "first.js": "1\n" });
    await openDialog(page);
    await page.locator("tw-recent-projects .forget").first().waitFor();
    const others = await page.locator("tw-recent-projects .forget").count();
    await page.locator("tw-recent-projects .forget").first().click();
    await page.locator("tw-recent-projects .forget-sure").click();
    await expect.poll(() => page.locator("tw-recent-projects .forget").count()).toBe(others - 1);
  });
});

describe("exports", () => {
  it("are a zip, a patch that git applies, and the conversation as Markdown and JSON that is read back", async () => {
    const { page } = await site.open();
    await containerReady(page);
    await openChat(page, [{ type: "user", text: "Hello" }, { type: "text", text: "Good day." }, { type: "assistant", text: "Good day." }]);
    const before = await projectFiles(page);
    await paste(page, block('js title="src/ü new.js"', "neu") + block("md README.md", "# Changed"), ".add");
    const after = await projectFiles(page);
    expect(after).toMatchObject({ "src/ü new.js": "neu\n", "README.md": "# Changed\n" });

    await exportDialog(page);
    const patch = await downloaded(page, ".patch");
    expect(patch.name).toBe("corner-shop (demo).patch");
    const folder = mkdtempSync(join(tmpdir(), "tabwright-export-"));
    try {
      for (const [path, text] of Object.entries(before)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      writeFileSync(join(folder, "p.patch"), patch.bytes);
      execFileSync("git", ["apply", "p.patch"], { cwd: folder });
      for (const [path, text] of Object.entries(after)) expect(readFileSync(join(folder, path), "utf8")).toBe(text);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }

    const markdown = Buffer.from((await downloaded(page, ".markdown")).bytes).toString("utf8");
    expect(markdown).toMatch(/^# Hello\n\nProject: corner-shop \(demo\)\n[\s\S]*## User\n\nHello\n\n## Assistant\n\n\S/);
    const json = await downloaded(page, ".json");
    await page.keyboard.press("Escape");
    await page.locator("tw-header .new-chat").click();
    await expect.poll(() => page.locator("tw-chat .user").count()).toBe(0);
    await exportDialog(page);
    await page.locator("tw-export-dialog input.import").setInputFiles({ name: "broken.json", mimeType: "application/json", buffer: Buffer.from(json.bytes.slice(0, 90)) });
    expect(await page.locator("tw-export-dialog .error").innerText()).toContain("is not JSON, or was cut short");
    await page.locator("tw-export-dialog input.import").setInputFiles({ name: json.name, mimeType: "application/json", buffer: Buffer.from(json.bytes) });
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    expect(await page.locator("tw-chat .user").first().innerText()).toContain("Hello");
  });
});
