// The chat's components as a person uses them: writing, naming files, attaching, editing, answering for permission; and
// how long a million characters hold up the page (fault 27, the chat's part).
import { afterEach, describe, expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import { BudgetBar } from "../../src/ui/chat/budget-bar.ts";
import type { ChatItem } from "../../src/ui/chat/chat-item.ts";
import { Chat } from "../../src/ui/chat/chat.ts";
import { Composer } from "../../src/ui/chat/composer.ts";
import type { Draft } from "../../src/ui/chat/draft.ts";
import "../../src/ui/chat/attachment-chips.ts";
import "../../src/ui/chat/messages.ts";
import { MarkdownView } from "../../src/ui/chat/markdown.ts";
import { PermissionCard, type GivenAnswer } from "../../src/ui/chat/permission-card.ts";
import { PlanList } from "../../src/ui/chat/plan-list.ts";
import { UserMessage } from "../../src/ui/chat/user-message.ts";

afterEach(() => document.body.replaceChildren());

function inside<T extends Element>(host: Element, selector: string): T {
  const found = host.shadowRoot?.querySelector<T>(selector);
  if (!found) throw new Error(`${host.localName} shows no ${selector}`);
  return found;
}

async function composer(change: Partial<Composer> = {}): Promise<{ element: Composer; field: HTMLTextAreaElement; sent: Draft[] }> {
  const element = Object.assign(new Composer(), { paths: ["README.md", "src/cart-total.js", "src/capitalize.js"] }, change);
  const sent: Draft[] = [];
  element.addEventListener("message-sent", (event) => sent.push((event as CustomEvent<Draft>).detail));
  document.body.append(element);
  await element.updateComplete;
  return { element, field: inside(element, "textarea"), sent };
}

/** The longest time between two frames while `work` runs and for half a second after it, in ms. */
async function longestFrame(work: () => unknown): Promise<number> {
  let [longest, last, stop] = [0, performance.now(), false];
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!stop) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  await new Promise(requestAnimationFrame);
  await work();
  await new Promise((resolve) => setTimeout(resolve, 500));
  stop = true;
  return longest;
}

/** What this machine needs now, beside its other work, for 20,000 characters of an answer in one go. */
function pace(): number {
  const start = performance.now();
  new MarkdownView(document.createElement("div")).update("Some **bold** words and `code`.\n\n- an item\n- another\n\n".repeat(360), true);
  return performance.now() - start;
}

function paste(field: HTMLElement, text: string): void {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, composed: true, cancelable: true }));
}

describe("the composer", () => {
  it("sends with Enter, breaks the line with Shift+Enter, and is empty then", async () => {
    const { field, sent } = await composer();
    await userEvent.type(field, "one{Shift>}{Enter}{/Shift}two{Enter}");
    expect(sent).toMatchObject([{ text: "one\ntwo", attachments: [] }]);
    expect(field.value).toBe("");
  });

  it("keeps the message when whoever listens refuses it", async () => {
    const { element, field } = await composer();
    element.addEventListener("message-sent", (event) => event.preventDefault());
    await userEvent.type(field, "too long{Enter}");
    expect(field.value).toBe("too long");
  });

  it("completes a file's name by keyboard alone, as the list says it", async () => {
    const { element, field, sent } = await composer();
    await userEvent.type(field, "see @cart");
    await element.updateComplete;
    expect(inside(element, `#${field.getAttribute("aria-controls")}`).getAttribute("role")).toBe("listbox");
    const option = inside(element, `#${field.getAttribute("aria-activedescendant")}`);
    expect(option.getAttribute("role")).toBe("option");
    expect(option.textContent?.replace(/\s+/g, " ").trim()).toContain("cart-total.js");
    await userEvent.keyboard("{Enter}");
    await element.updateComplete;
    expect(field.value).toBe("see @src/cart-total.js ");
    expect(field.hasAttribute("aria-activedescendant")).toBe(false);
    await userEvent.keyboard("now{Enter}");
    expect(sent).toMatchObject([{ text: "see @src/cart-total.js now", attachments: [{ kind: "file", path: "src/cart-total.js" }] }]);
  });

  it("closes the list with Escape without stopping the assistant", async () => {
    const { element, field } = await composer({ busy: true });
    let reached = false;
    document.addEventListener("keydown", () => (reached = true), { once: true });
    await userEvent.type(field, "@c");
    await element.updateComplete;
    reached = false;
    document.addEventListener("keydown", (event) => (reached ||= event.key === "Escape"));
    await userEvent.keyboard("{Escape}");
    await element.updateComplete;
    expect(element.shadowRoot?.querySelector("[role=listbox]")).toBeNull();
    expect(reached).toBe(false);
  });

  it("offers the editor's selection where there is one", async () => {
    const { element, field, sent } = await composer({ selection: "src/cart-total.js:3–5" });
    await userEvent.type(field, "@sel{Enter}why?{Enter}");
    await element.updateComplete;
    expect(sent).toMatchObject([{ text: "why?", attachments: [{ kind: "selection", title: "src/cart-total.js:3–5" }] }]);
  });

  it("changes the mode by a key, and Shift+Tab leaves the field as everywhere", async () => {
    const { element, field } = await composer();
    const modes: string[] = [];
    element.addEventListener("mode-chosen", (event) => modes.push((event as CustomEvent<string>).detail));
    field.focus();
    await userEvent.keyboard("{Control>}.{/Control}");
    expect(modes).toEqual(["plan"]);
    expect(element.shadowRoot?.activeElement).toBe(field);
    await userEvent.keyboard("{Shift>}{Tab}{/Shift}");
    expect(modes).toEqual(["plan"]);
    expect(element.shadowRoot?.activeElement).not.toBe(field);
  });

  it("queues while the assistant works, and asks for the last message with the up arrow", async () => {
    const { element, field, sent } = await composer({ busy: true });
    let asked = 0;
    element.addEventListener("edit-last-asked", () => asked++);
    await userEvent.type(field, "then this{Enter}");
    expect(sent).toMatchObject([{ text: "then this" }]);
    await userEvent.keyboard("{ArrowUp}");
    expect(asked).toBe(1);
  });

  it("attaches dropped files, names those it cannot take, and takes chips off again", async () => {
    const { element, sent } = await composer();
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["text"], "notes.txt"));
    dataTransfer.items.add(new File([new Uint8Array([0, 1])], "photo.png"));
    inside(element, "form").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    await expect.poll(() => element.shadowRoot?.querySelector(".refused")?.textContent).toContain("photo.png");
    element.attach({ kind: "file", title: "README.md", path: "README.md" });
    await element.updateComplete;
    const chips = inside(element, "tw-attachments");
    await expect.poll(() => chips.shadowRoot?.querySelectorAll("li").length).toBe(2);
    inside<HTMLElement>(chips, ".remove").click();
    await element.updateComplete;
    element.submit();
    expect(sent).toMatchObject([{ text: "", attachments: [{ kind: "file", path: "README.md" }] }]);
  });

  it("makes an attachment of a million pasted characters, and goes on answering (fault 27)", async () => {
    const { element, field } = await composer();
    const text = "a word and another\n".repeat(52_632);
    const longest = await longestFrame(() => paste(field, text));
    expect(element.draft.attachments).toMatchObject([{ kind: "text", text }]);
    expect(field.value).toBe("");
    expect(longest).toBeLessThan(200 + 10 * pace());
  });
});

describe("a message of the user", () => {
  const item: Extract<ChatItem, { kind: "user" }> = { kind: "user", id: 1, text: "Fix it", attachments: [], exchange: "2", alternatives: ["1", "2", "4"] };

  async function message(change: Partial<typeof item> = {}): Promise<{ element: UserMessage; events: { type: string; detail: unknown }[] }> {
    const element = new UserMessage();
    element.item = { ...item, ...change };
    const events: { type: string; detail: unknown }[] = [];
    for (const type of ["message-edited", "branch-chosen"]) element.addEventListener(type, (event) => events.push({ type, detail: (event as CustomEvent).detail }));
    document.body.append(element);
    await element.updateComplete;
    return { element, events };
  }

  it("is edited and sent again; Escape leaves it as it was", async () => {
    const { element, events } = await message();
    inside<HTMLElement>(element, ".edit").click();
    await element.updateComplete;
    await userEvent.keyboard(" now{Escape}");
    await element.updateComplete;
    expect(inside(element, ".text").textContent).toBe("Fix it");
    inside<HTMLElement>(element, ".edit").click();
    await element.updateComplete;
    await userEvent.keyboard(" now{Enter}");
    expect(events).toEqual([{ type: "message-edited", detail: { exchange: "2", text: "Fix it now" } }]);
  });

  it("keeps what was written where it cannot be sent, and says so", async () => {
    const { element } = await message();
    element.addEventListener("message-edited", (event) => event.preventDefault(), { once: true });
    inside<HTMLElement>(element, ".edit").click();
    await element.updateComplete;
    await userEvent.keyboard(" now{Enter}");
    await element.updateComplete;
    expect(inside<HTMLTextAreaElement>(element, "textarea").value).toBe("Fix it now");
    expect(inside(element, "[role=alert]").textContent).toContain("cannot be sent now");
    await userEvent.keyboard("{Enter}");
    await element.updateComplete;
    expect(element.shadowRoot?.querySelector("form")).toBeNull();
  });

  it("shows which version it is and leads to the others", async () => {
    const { element, events } = await message();
    expect(inside(element, ".versions").getAttribute("aria-label")).toBe("Version 2 of 3");
    for (const button of element.shadowRoot?.querySelectorAll<HTMLElement>(".version") ?? []) button.click();
    expect(events).toEqual([{ type: "branch-chosen", detail: { exchange: "1" } }, { type: "branch-chosen", detail: { exchange: "4" } }]);
  });

  it("folds long text, and names what cannot be seen in it", async () => {
    const { element } = await message({ text: `hidden\u202e ${"word ".repeat(2000)}end` });
    expect(inside(element, ".hidden-character").textContent).toBe("U+202E");
    expect(inside(element, ".text").textContent?.length).toBeLessThan(2000);
    inside<HTMLElement>(element, ".fold").click();
    await element.updateComplete;
    expect(inside(element, ".text").textContent).toMatch(/end$/);
  });
});

describe("the budget bar", () => {
  it("offers to condense from three quarters on, says so once, and shows what is being written", async () => {
    const element = new BudgetBar();
    const said: string[] = [];
    element.addEventListener("said", (event) => said.push((event as CustomEvent<string>).detail));
    document.body.append(element);
    for (const usedTokens of [1000, 2900, 3100, 3200]) {
      element.budget = { usedTokens, limitTokens: 4000 };
      await element.updateComplete;
      expect([usedTokens, element.shadowRoot?.querySelector(".compact") !== null]).toEqual([usedTokens, usedTokens >= 3000]);
    }
    expect(said).toHaveLength(1);
    expect(inside(element, "[role=meter]").getAttribute("aria-valuenow")).toBe("3200");
    element.budget = { usedTokens: 1000, limitTokens: 4000 };
    element.draftTokens = 2500;
    await element.updateComplete;
    expect(element.shadowRoot?.querySelector(".compact")).not.toBeNull();
  });
});

describe("the plan", () => {
  it("ticks off what is done, names the current step, and tells of progress", async () => {
    const element = new PlanList();
    const said: string[] = [];
    element.addEventListener("said", (event) => said.push((event as CustomEvent<string>).detail));
    Object.assign(element, { busy: true, plan: [{ text: "Read", done: false }, { text: "Fix", done: false }] });
    document.body.append(element);
    await element.updateComplete;
    expect(inside(element, "[aria-current=step]").textContent).toContain("Read");
    element.plan = [{ text: "Read", done: true }, { text: "Fix", done: false }];
    await element.updateComplete;
    expect(inside(element, "[aria-current=step]").textContent).toContain("Fix");
    expect(said).toEqual(["Plan: 1 of 2 steps done."]);
  });
});

describe("the permission card", () => {
  async function card(args: Record<string, unknown>): Promise<{ element: PermissionCard; answers: GivenAnswer[] }> {
    const element = new PermissionCard();
    element.call = { id: "call-1", name: "command" in args ? "run_shell_command" : "edit", arguments: args };
    const answers: GivenAnswer[] = [];
    element.addEventListener("permission-answered", (event) => answers.push((event as CustomEvent<GivenAnswer>).detail));
    document.body.append(element);
    await element.updateComplete;
    return { element, answers };
  }

  it("shows the change line by line, takes no focus, and answers to y, a and n", async () => {
    const { element, answers } = await card({ file_path: "src/a.js", old_string: "let a = 1;\nlet b;\n", new_string: "let a = 2;\nlet b;\n" });
    expect(document.activeElement).toBe(document.body);
    expect([...(element.shadowRoot?.querySelectorAll(".line") ?? [])].map((line) => line.textContent?.replace(/\s+/g, " ").trim())).toEqual(["− removed: let a = 1;", "+ added: let a = 2;", "let b;"]);
    await userEvent.keyboard("y");
    await userEvent.keyboard("a");
    await userEvent.keyboard("n");
    await element.updateComplete;
    await expect.poll(() => element.shadowRoot?.activeElement?.localName).toBe("input");
    await userEvent.keyboard("any reason{Enter}");
    expect(answers).toEqual([{ answer: { allow: true } }, { answer: { allow: true }, always: { tool: "edit", decision: "allow" } }, { answer: { allow: false, reason: "any reason" } }]);
  });

  it("does not take letters that are written in a field", async () => {
    const { answers } = await card({ command: "npm test" });
    const field = document.createElement("textarea");
    document.body.append(field);
    await userEvent.type(field, "any");
    expect(answers).toEqual([]);
  });

  it("makes a rule of exactly this command", async () => {
    const { element, answers } = await card({ command: "npm test" });
    inside<HTMLElement>(element, ".always").click();
    expect(answers).toEqual([{ answer: { allow: true }, always: { tool: "run", command: "npm test", decision: "allow" } }]);
  });
});

describe("the conversation", () => {
  async function chat(items: readonly ChatItem[], busy = false): Promise<Chat> {
    const element = new Chat();
    Object.assign(element, { items, busy });
    element.style.blockSize = "400px";
    document.body.append(element);
    await element.updateComplete;
    return element;
  }
  const user = (id: number, text: string): ChatItem => ({ kind: "user", id, text, attachments: [], exchange: String(id), alternatives: [String(id)] });

  it("offers to go on only where the last answer was stopped or reached a limit", async () => {
    const stopped: ChatItem = { kind: "note", id: 3, tone: "info", title: "Stopped", text: "", ended: "stopped" };
    const element = await chat([user(1, "a"), { kind: "assistant", id: 2, text: "half", streaming: false }, stopped]);
    expect(inside(inside(element, "tw-answer-actions"), ".continue").textContent).toContain("Continue");
    element.items = [...element.items, user(4, "b"), { kind: "assistant", id: 5, text: "whole", streaming: false }];
    await element.updateComplete;
    const actions = [...(element.shadowRoot?.querySelectorAll("tw-answer-actions") ?? [])];
    for (const one of actions) await (one as Chat).updateComplete;
    expect(actions.map((one) => one.shadowRoot?.querySelector(".continue") !== null)).toEqual([false, false]);
  });

  it("never moves the focus while words stream in, and says that it is busy", async () => {
    const field = document.createElement("input");
    document.body.append(field);
    field.focus();
    const element = await chat([user(1, "a")], true);
    for (let length = 1; length < 40; length++) {
      element.items = [user(1, "a"), { kind: "assistant", id: 2, text: "word ".repeat(length), streaming: true }];
      await element.updateComplete;
    }
    expect(document.activeElement).toBe(field);
    const log = inside(element, ".log");
    expect([log.getAttribute("aria-busy"), log.getAttribute("aria-live"), inside(element, "[role=status]").getAttribute("aria-live")]).toEqual(["true", "off", "polite"]);
  });

  it("follows the newest words until the reader scrolls up", async () => {
    const lines = (count: number): string => "A line of words.\n\n".repeat(count);
    const element = await chat([user(1, "a"), { kind: "assistant", id: 2, text: lines(60), streaming: true }], true);
    const log = inside<HTMLElement>(element, ".log");
    const away = (): number => log.scrollHeight - log.scrollTop - log.clientHeight;
    await expect.poll(() => log.scrollHeight > 1000 && away() < 5, { timeout: 20_000 }).toBe(true);
    log.scrollTop = 100;
    await new Promise(requestAnimationFrame);
    element.items = [user(1, "a"), { kind: "assistant", id: 2, text: lines(90), streaming: true }];
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(log.scrollTop).toBe(100);
  });

  it.each([
    ["a message", (text: string): ChatItem[] => [user(1, text)]],
    ["an answer", (text: string): ChatItem[] => [user(1, "a"), { kind: "assistant", id: 2, text, streaming: false }]],
    ["a tool's output", (text: string): ChatItem[] => [user(1, "a"), { kind: "tool", id: 2, tool: "run_shell_command", target: "x", state: "done", detail: text.slice(0, 20_000), durationMs: 1, summary: "" }]],
  ])("shows %s of a million characters while the page goes on answering (fault 27)", async (_name, items) => {
    const text = "A paragraph with **bold** words and `code`, as answers have them.\n\n- an item\n- another\n\n".repeat(11_300).slice(0, 1_000_000);
    const element = await chat([]);
    const longest = await longestFrame(async () => {
      element.items = items(text);
      await element.updateComplete;
      await new Promise((resolve) => setTimeout(resolve, 3000));
    });
    expect(longest).toBeLessThan(200 + 15 * pace()); // in one go it would be fifty times the pace
    if (items("")[1]?.kind !== "assistant") return;
    const body = inside(inside(element, "tw-markdown"), ".body");
    await expect.poll(() => body.querySelectorAll("li").length, { timeout: 60_000 }).toBeGreaterThan(22_000);
  });
});
