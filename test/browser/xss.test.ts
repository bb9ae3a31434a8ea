// Fault 26: a corpus of hostile texts goes through everything in the chat that shows text that is not ours. No script
// runs and no request goes out; the second lock is tried alone as well.
import { afterEach, describe, expect, it } from "vitest";
import { MarkdownView, linkTarget, sanitised } from "../../src/ui/chat/markdown.ts";
import { HOSTILE_TEXTS } from "../fixtures/corpus/xss.ts";

const FORBIDDEN = "script,img,svg,math,iframe,frame,object,embed,style,link,meta,base,form,input,button,textarea,select,video,audio,source,picture,template,details,marquee,[src],[srcset],[href],[style],[id],[name],[ping],[autofocus]";

afterEach(() => document.body.replaceChildren());

/** Requests to the corpus's host that the page has made since it was opened. */
function leaks(): string[] {
  return performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => new URL(name).hostname.endsWith("attacker.example"));
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

function expectHarmless(host: ParentNode): void {
  expect("pwned" in globalThis).toBe(false);
  expect([...host.querySelectorAll(FORBIDDEN)].map((element) => element.outerHTML)).toEqual([]);
  const attributes = [...host.querySelectorAll("*")].flatMap((element) => [...element.attributes].map(({ name, value }) => `${name}=${value}`));
  expect(attributes.filter((attribute) => !/^(class|role|tabindex|start|align|data-info|language|path|open)=/.test(attribute))).toEqual([]);
}

describe("the detector of this test", () => {
  it("would see a script run and an image asked for", async () => {
    const host = document.createElement("div");
    document.body.append(host);
    host.append(document.createRange().createContextualFragment('<img src="https://detector.attacker.example/x.png" onerror="globalThis.pwned=1">'));
    await expect.poll(() => "pwned" in globalThis, { timeout: 20_000 }).toBe(true);
    await expect.poll(leaks).toEqual(["https://detector.attacker.example/x.png"]);
    Reflect.deleteProperty(globalThis, "pwned");
    performance.clearResourceTimings();
  });
});

describe("fault 26: hostile text", () => {
  it("is a corpus of many classes", () => {
    expect(HOSTILE_TEXTS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(HOSTILE_TEXTS.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(15);
    expect(new Set(HOSTILE_TEXTS.map(({ text }) => text)).size).toBe(HOSTILE_TEXTS.length);
  });

  it.each(HOSTILE_TEXTS)("does nothing in an answer, whole or streamed ($kind: $text)", async ({ text }) => {
    const [whole, streamed] = [document.createElement("div"), document.createElement("div")];
    document.body.append(whole, streamed);
    new MarkdownView(whole, 3).update(text, true);
    const view = new MarkdownView(streamed, 3);
    for (let end = 1; end <= Math.min(text.length, 400); end++) view.update(text.slice(0, end), false);
    view.update(text, true);
    await settled();
    for (const host of [whole, streamed]) {
      expectHarmless(host);
      for (const link of host.querySelectorAll(".link")) if (linkTarget(link) !== undefined) expect(linkTarget(link)).toMatch(/^(https?:\/\/|mailto:)/);
      for (const block of host.querySelectorAll("tw-code-block")) {
        await block.updateComplete;
        const inside = block.shadowRoot?.querySelector("pre");
        if (inside) expectHarmless(inside);
        expect(block.path ?? "").not.toMatch(/\.\.|[<>"]/);
      }
    }
    expect(leaks()).toEqual([]);
  });

  it.each(HOSTILE_TEXTS)("does nothing when the sanitiser alone stands before it ($kind: $text)", async ({ text }) => {
    const host = document.createElement("div");
    const fragment = sanitised(text);
    // What is left with an address is a plain link; the view takes that away too.
    for (const link of fragment.querySelectorAll("a[href]")) {
      expect(link.getAttribute("href")).toMatch(/^(https?:\/\/|mailto:)/i);
      link.removeAttribute("href");
    }
    host.append(fragment);
    document.body.append(host);
    await settled();
    expectHarmless(host);
    expect(leaks()).toEqual([]);
  });
});
