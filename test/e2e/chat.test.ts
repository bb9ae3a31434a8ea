// The chat as a person uses it, in the built app with the bundled model: branches, stop and go on, files by name,
// permissions, a queue, old chats, code into files; and hostile text through the whole page.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
import type { App } from "../../src/ui/app.ts";
import { HOSTILE_TEXTS } from "../fixtures/corpus/xss.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { ask, containerReady, idle, openChat, openOneBug, ready, start } from "../support/app-steps.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let site: AppSite;
let withModel: AppSite;

beforeAll(async () => {
  site = await openSite({ webgpu: false });
  withModel = await openSite({ shared: true });
});
afterAll(async () => {
  await site?.close();
  await withModel?.close();
});

/** Without a model. */
async function openPage(): Promise<{ page: Page; errors: string[] }> {
  const opened = await site.open();
  await containerReady(opened.page);
  return opened;
}

const field = (page: Page) => page.locator("tw-composer textarea");
/** Of the chat's events so far. */
const eventTypes = (page: Page): Promise<readonly string[]> =>
  page.locator("tw-app").evaluate((app) => (app as App).session.chat.conversation.exchanges.flatMap(({ events }) => events.map(({ type }) => type)));
const versions = (page: Page) => page.locator("tw-user-message .versions");

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: unknown): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }> } };
    const found = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], rules: { region: { enabled: false } } });
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => JSON.stringify(target)).join(", ")}`);
  });
}

describe("the chat with a model", () => {
  let page: Page;
  let errors: string[];
  beforeAll(async () => {
    ({ page, errors } = await withModel.open());
    await ready(page);
  });
  // The page is kept, as people keep it: the model, its kernels and the state after its instructions are there already.
  beforeEach(async () => {
    errors.length = 0;
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    await openOneBug(page);
    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByRole("radio", { name: "Auto" }).click();
    await expect.poll(() => page.locator("tw-chat .user").count()).toBe(0);
  });

  it("keeps every version of a message: edited, retried, switched between, after a reload too", async () => {
    await ask(page, "Hello");
    await idle(page);
    await page.locator("tw-user-message").hover();
    await page.locator("tw-user-message .edit").click();
    await page.locator("tw-user-message textarea").fill("What can you do?");
    await page.keyboard.press("Enter");
    await idle(page);
    await expect.poll(() => versions(page).getAttribute("aria-label")).toBe("Version 2 of 2");
    expect(await page.locator("tw-user-message .user").innerText()).toContain("What can you do?");
    expect(await page.locator("tw-user-message").count()).toBe(1);

    await page.locator("tw-answer-actions .retry").click();
    await expect.poll(() => versions(page).getAttribute("aria-label")).toBe("Version 3 of 3");
    await idle(page);
    await page.getByRole("button", { name: "Earlier version" }).click();
    await page.getByRole("button", { name: "Earlier version" }).click();
    await expect.poll(() => page.locator("tw-user-message .user").innerText()).toContain("Hello");
    expect(await versions(page).getAttribute("aria-label")).toBe("Version 1 of 3");
    await page.reload();
    await expect.poll(() => versions(page).getAttribute("aria-label"), { timeout: 60_000 }).toBe("Version 1 of 3");
    expect(errors).toEqual([]);
  });

  it("goes on after it was stopped, in the same turn", async () => {
    await ask(page, "Fix the failing test");
    await page.locator("tw-tool-card").first().waitFor({ timeout: 120_000 });
    await page.keyboard.press("Escape");
    await idle(page);
    await page.locator("tw-answer-actions .continue").click();
    await page.locator("tw-composer .stop").waitFor();
    await page.keyboard.press("Escape");
    await idle(page);
    expect(await page.locator("tw-user-message").count()).toBe(1);
    expect(await page.locator("tw-chat .note").count()).toBeGreaterThanOrEqual(2);
  });

  it("names a file with @, and shows with the message what went with it", async () => {
    await field(page).pressSequentially("What is in @cart-t");
    await page.locator("tw-composer [role=option]").first().waitFor();
    await page.keyboard.press("Enter");
    expect(await field(page).inputValue()).toMatch(/^What is in @packages\/cart\/\S+ $/);
    await page.keyboard.press("Enter");
    await idle(page);
    const chip = page.locator("tw-user-message tw-attachments button");
    expect(await chip.innerText()).toMatch(/\[1\]\s+packages\/cart\//);
    await chip.click();
    expect(await page.locator("tw-user-message tw-attachments pre").innerText()).toMatch(/\w/);
  });

  it("takes what is selected in the editor along as @selection", async () => {
    await page.getByRole("tab", { name: /Files/ }).click();
    await page.locator("tw-files-panel [role=treeitem]", { hasText: "package.json" }).first().click();
    await page.locator(".cm-content").click({ timeout: 60_000 });
    await page.keyboard.press("Control+a");
    await field(page).pressSequentially("Explain @sel");
    await page.locator("tw-composer [role=option]", { hasText: "Selection" }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("tw-composer tw-attachments .title").innerText()).toMatch(/package\.json:1–\d+/);
    await page.keyboard.press("Enter");
    await idle(page);
    await page.locator("tw-user-message tw-attachments button").click();
    expect(await page.locator("tw-user-message tw-attachments pre").innerText()).toContain('"scripts"');
  });

  it("changes nothing that was denied, and tells why", async () => {
    await page.getByRole("radio", { name: "Ask" }).click();
    await ask(page, "Fix the failing test");
    const card = page.locator("tw-permission-card");
    await card.waitFor({ timeout: 120_000 });
    await page.locator("tw-chat .log").focus();
    await page.keyboard.press("n");
    await card.locator("input").fill("Not now");
    await page.keyboard.press("Enter");
    // What the model makes of a refusal is its own affair, and this one's is long.
    await expect.poll(() => eventTypes(page)).toContain("tool-finished");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await idle(page);
    await page.locator("tw-tool-card summary").first().click();
    expect(await page.locator("tw-tool-card pre").first().innerText()).toContain("Not now");
    expect(await page.getByRole("tab", { name: /Changes/ }).innerText()).not.toMatch(/\d/);
  });

  it("asks before it runs and changes anything in Ask mode, and remembers what is always allowed", async () => {
    await field(page).focus();
    for (const mode of ["Plan", "Ask"]) {
      await page.keyboard.press("Control+.");
      await expect.poll(() => page.locator("tw-mode-switch [aria-checked=true]").innerText()).toBe(mode);
    }
    await ask(page, "Fix the failing test");
    const card = page.locator("tw-permission-card");
    const before = await page.evaluate(() => document.querySelector("tw-app")?.shadowRoot?.activeElement?.localName);
    await card.waitFor({ timeout: 120_000 });
    expect(await page.evaluate(() => document.querySelector("tw-app")?.shadowRoot?.activeElement?.localName)).toBe(before);
    expect(await page.locator("tw-chat [role=status]").innerText()).toContain("permission");
    let asked = 0;
    for (; asked < 20; asked++) {
      const next = await Promise.race([card.waitFor({ timeout: 300_000 }).then(() => "asked"), idle(page).then(() => "idle")]);
      if (next === "idle") break;
      const always = card.locator(".always");
      const isRun = (await card.locator("header").innerText()).includes("run this command");
      await (isRun ? always : card.locator(".allow")).click();
      await expect.poll(async () => (await eventTypes(page)).filter((type) => type === "permission-answered").length).toBe(asked + 1);
    }
    expect(asked).toBeGreaterThanOrEqual(2);
    await page.getByRole("tab", { name: /Tests/ }).click();
    await expect.poll(() => page.locator("tw-tests-panel .verdict").innerText()).toMatch(/passed/);
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name: "Permissions" }).click();
    await expect.poll(() => page.locator("tw-rules-dialog table code").allInnerTexts()).toContain("npm test");
  });

  it("queues what is sent while it works, and sends it after; what waits can be taken back", async () => {
    await ask(page, "Fix the failing test");
    await page.locator("tw-composer .stop").waitFor();
    await ask(page, "Hello");
    await ask(page, "This one goes back");
    await expect.poll(() => page.locator("tw-queue li").count()).toBe(2);
    await page.locator("tw-queue li").nth(1).getByRole("button").click();
    await expect.poll(() => page.locator("tw-queue li").count()).toBe(1);
    await expect.poll(() => page.locator("tw-user-message").count(), { timeout: 300_000 }).toBe(2);
    await idle(page);
    expect(await page.locator("tw-user-message .user").last().innerText()).toContain("Hello");
    expect(await page.locator("tw-queue").count()).toBe(0);
  });

  it("sends what waited after a reload", async () => {
    await ask(page, "Fix the failing test");
    await page.locator("tw-composer .stop").waitFor();
    await ask(page, "Hello");
    await page.locator("tw-queue li").waitFor();
    await page.reload();
    await start(page);
    await expect.poll(() => page.locator("tw-user-message .user").allInnerTexts(), { timeout: 60_000 }).toEqual([expect.stringContaining("Fix the failing test"), expect.stringContaining("Hello")]);
    await page.keyboard.press("Escape");
    await idle(page);
  });

  it("holds back a message that does not fit, and condenses old ones where it is asked to", async () => {
    await field(page).evaluate((element) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "word ".repeat(200_000));
      element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, composed: true, cancelable: true }));
    });
    await ask(page, "Summarise this");
    await expect.poll(() => page.locator("tw-budget-bar [role=alert]").innerText()).toMatch(/tokens/);
    expect(await field(page).inputValue()).toBe("Summarise this");
    await page.locator("tw-composer tw-attachments .remove").click();
    await field(page).fill("");
    const old = Array.from({ length: 8 }, (_, i): AgentEvent[] => [{ type: "user", text: `Question ${i} with some more words in it` }, { type: "text", text: `Answer ${i}` }, { type: "assistant", text: `Answer ${i}, ${"at some length ".repeat(20)}` }]).flat();
    await openChat(page, old);
    await expect.poll(() => page.locator("tw-budget-bar .figures").innerText(), { timeout: 30_000 }).toMatch(/\d of/);
    await page.evaluate(() => (document.querySelector("tw-app") as unknown as { session: { chat: { compact(): Promise<void> } } }).session.chat.compact());
    const card = page.locator("tw-compaction-card");
    expect(await card.locator("summary").innerText()).toMatch(/→ [\d,]+ tokens/);
    await card.locator("summary").click();
    expect(await card.locator("pre").innerText()).toContain("Question 0");
  });
});

describe("the chat", () => {
  it("finds an old chat by its words, opens, renames and deletes it, and brings it back", async () => {
    const { page, errors } = await openPage();
    await openChat(page, [{ type: "user", text: "Tell me about zebras" }, { type: "text", text: "They are **striped** horses." }]);
    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByRole("button", { name: "History" }).click();
    await page.getByRole("searchbox").fill("striped zebras");
    const row = page.locator("tw-history-dialog .chat");
    await expect.poll(() => row.count()).toBe(1);
    expect(await page.locator("tw-history-dialog mark").allInnerTexts()).toContain("zebras");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("F2");
    await page.keyboard.type("Stripes");
    await page.keyboard.press("Enter");
    await expect.poll(() => row.innerText()).toContain("Stripes");
    await page.locator("tw-history-dialog .delete").click();
    await expect.poll(() => row.count()).toBe(0);
    await page.getByRole("button", { name: "Bring it back" }).click();
    await expect.poll(() => row.innerText()).toContain("Stripes");
    await row.click();
    await expect.poll(() => page.locator("tw-chat .assistant .body").innerText()).toBe("They are striped horses.");
    expect(errors).toEqual([]);
  });

  it("puts code from an answer into a file, as a change that can be undone", async () => {
    const { page } = await openPage();
    await openChat(page, [{ type: "user", text: "Write it" }, { type: "text", text: "Here:\n\n```js src/new-file.js\nexport const answer = 42;\n```\n" }]);
    const block = page.locator("tw-code-block");
    await expect.poll(() => block.locator(".number").count(), { timeout: 30_000 }).toBe(1); // it is coloured
    await block.getByRole("button", { name: "Insert into file" }).click();
    const path = page.locator("tw-insert-dialog input[type=text]");
    expect(await path.inputValue()).toBe("src/new-file.js");
    await path.fill("../outside.js");
    expect(await page.locator("tw-insert-dialog .primary").isDisabled()).toBe(true);
    await path.fill("src/new-file.js");
    await page.keyboard.press("Enter");
    const changed = page.locator("tw-diff-view").getByText("src/new-file.js");
    await expect.poll(() => changed.count(), { timeout: 30_000 }).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(() => changed.count(), { timeout: 30_000 }).toBe(0);
  });

  it("keeps what is being written over a reload", async () => {
    const { page } = await openPage();
    await field(page).fill("Half a sentence about @README");
    await page.reload();
    await expect.poll(() => field(page).inputValue()).toBe("Half a sentence about @README");
  });

  it("is reached by keyboard: / and Ctrl+K go to the field, ? shows the sheet", async () => {
    const { page } = await openPage();
    const focused = () => page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      return element?.localName;
    });
    for (const key of ["/", "Control+k"]) {
      await page.locator("tw-chat .log").focus();
      await page.keyboard.press(key);
      expect(await focused()).toBe("textarea");
      expect(await field(page).inputValue()).toBe("");
    }
    await page.locator("tw-chat .log").focus();
    await page.keyboard.press("?");
    await expect.poll(() => page.locator("tw-shortcuts-dialog section").first().innerText()).toContain("Show this sheet");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator("tw-shortcuts-dialog").count()).toBe(0);
  });

  it.each(["light", "dark"])("has no accessibility violation axe can see, in %s", async (theme) => {
    const { page } = await openPage();
    await page.evaluate((theme) => (document.documentElement.dataset["theme"] = theme), theme);
    await openChat(page, [
      { type: "user", text: "Look @README.md", attachments: [{ kind: "file", title: "README.md", path: "README.md", text: "x" }] },
      { type: "text", text: "# Found\n\nSee [1] and [docs](https://docs.example/x).\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nconst a = 1; // one\n```\n\nhidden\u200b" },
      { type: "tool-started", call: { id: "c", name: "run_shell_command", arguments: { command: "npm test" } } },
      { type: "tool-finished", call: { id: "c", name: "run_shell_command", arguments: { command: "npm test" } }, result: "ok", ok: true, durationMs: 5 },
      { type: "done", reason: "stopped", message: "Stopped.", steps: 1, tokens: 1, durationMs: 1 },
    ]);
    await page.locator("tw-code-block .number").first().waitFor();
    expect(await violations(page)).toEqual([]);
    for (const dialog of ["history", "rules", "shortcuts"]) {
      await page.evaluate((dialog) => (document.querySelector("tw-app") as unknown as { session: { openDialog(name: string): void } }).session.openDialog(dialog), dialog);
      await page.locator(`tw-${dialog}-dialog`).waitFor();
      await page.waitForTimeout(300);
      expect([dialog, await violations(page)]).toEqual([dialog, []]);
      await page.keyboard.press("Escape");
    }
  });
});

describe("fault 26: hostile text in the built page", () => {
  it("runs nothing and asks nothing of the network, as message, answer, code, tool card, attachment and title", async () => {
    const { page } = await openPage();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (new URL(request.url()).hostname.endsWith("attacker.example")) asked.push(request.url());
    });
    const events = HOSTILE_TEXTS.flatMap(({ text }, index): AgentEvent[] => {
      const call = { id: `c${index}`, name: text.slice(0, 40), arguments: { command: text, file_path: text } };
      return [
        { type: "user", text, attachments: [{ kind: "page", title: text, url: text, text }] },
        { type: "text", text },
        { type: "assistant", text },
        { type: "tool-started", call },
        { type: "tool-finished", call, result: text, ok: true, durationMs: 1 },
        { type: "note", text },
      ];
    });
    await openChat(page, events);
    await expect.poll(() => page.locator("tw-chat tw-tool-card").count(), { timeout: 60_000 }).toBe(HOSTILE_TEXTS.length);
    await page.locator("tw-chat tw-markdown .plain").first().waitFor({ state: "detached", timeout: 60_000 });
    await page.evaluate(() => document.querySelector("tw-app")?.shadowRoot?.querySelector("tw-talk")?.shadowRoot?.querySelector("tw-chat")?.shadowRoot?.querySelectorAll("tw-tool-card").forEach((card) => card.shadowRoot?.querySelector("details")?.setAttribute("open", "")));
    await page.getByRole("button", { name: "History" }).click();
    await page.getByRole("searchbox").fill("onerror");
    await page.waitForTimeout(1000);
    expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
    expect(asked).toEqual([]);
    expect(await page.evaluate(() => location.pathname)).toBe("/");
    expect(page.context().pages()).toHaveLength(1);
  });

  it("is turned into a document only by the two policies for Trusted Types, Lit's and the sanitiser's", async () => {
    const { page } = await site.open("/", async (context) => {
      await context.addInitScript(() => {
        const seen: string[] = ((globalThis as unknown as { untrusted: string[] }).untrusted = []);
        document.addEventListener("securitypolicyviolation", ({ violatedDirective, sample }) => seen.push(`${violatedDirective} ${sample}`));
      });
      await context.route(`${site.origin}/`, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy-report-only": "require-trusted-types-for 'script'; trusted-types lit-html dompurify" } });
      });
    });
    await containerReady(page);
    // Workers are started from the page's own addresses, which is another kind of trust.
    const untrusted = async (): Promise<string[]> => (await page.evaluate(() => (globalThis as unknown as { untrusted: string[] }).untrusted)).filter((violation) => !/ (Shared)?Worker |ServiceWorker/.test(violation));
    await openChat(page, HOSTILE_TEXTS.slice(0, 20).flatMap(({ text }): AgentEvent[] => [{ type: "user", text }, { type: "text", text }, { type: "assistant", text }]));
    await page.locator("tw-chat tw-markdown .plain").first().waitFor({ state: "detached", timeout: 60_000 });
    await page.waitForTimeout(500);
    expect(await untrusted()).toEqual([]);
    await page.evaluate(() => (document.createElement("div").innerHTML = "detector")); // the report itself works
    await expect.poll(untrusted).toEqual([expect.stringContaining("detector")]);
  });
});
