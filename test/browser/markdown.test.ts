// Answers as they are shown: formatted, growing block by block, and unable to run, load or open anything.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MarkdownView, linkTarget } from "../../src/ui/chat/markdown.ts";

let root: HTMLElement;

beforeEach(() => {
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => document.body.replaceChildren());

function shown(text: string, sources = 0): HTMLElement {
  new MarkdownView(root, sources).update(text, true);
  return root;
}

describe("rendered markdown", () => {
  it("keeps what people write: emphasis, lists, tables, task lists, headings below the page's own", () => {
    shown("# Title\n\n**bold** and `code`\n\n- one\n- [x] two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n3. third");
    expect(root.querySelector("h3")?.textContent).toBe("Title");
    expect(root.querySelector("strong")?.textContent).toBe("bold");
    expect(root.querySelector("p code")?.textContent).toBe("code");
    expect([...root.querySelectorAll("ul li")].map((item) => item.textContent?.trim())).toEqual(["one", "☑ two"]);
    expect(root.querySelectorAll("td").length).toBe(2);
    expect(root.querySelector("ol")?.getAttribute("start")).toBe("3");
  });

  it("shows HTML in the text as text", () => {
    shown("a <b>tag</b>\n\n<div>block</div>");
    expect(root.textContent).toContain("a <b>tag</b>");
    expect(root.textContent).toContain("<div>block</div>");
    expect(root.querySelector("b, div > div > *")).toBeNull();
  });

  it("gives every block of code its language and file, nested ones too", () => {
    shown("```js src/cart.js\nconst a = 1 < 2;\n```\n\n- in a list:\n\n  ```sh\n  npm test\n  ```\n");
    const blocks = [...root.querySelectorAll("tw-code-block")];
    expect(blocks.map(({ language, path, code }) => [language, path, code])).toEqual([["js", "src/cart.js", "const a = 1 < 2;"], ["sh", undefined, "npm test"]]);
  });

  it("makes links that show their host and hold no address in the document", () => {
    shown("see [the docs](https://docs.example/a?b=1), https://bare.example and ![a picture](https://img.example/x.png)");
    const links = [...root.querySelectorAll(".link")];
    expect(links.map((link) => link.textContent)).toEqual(["the docs (docs.example)", "https://bare.example", "a picture (img.example)"]);
    expect(links.map((link) => linkTarget(link))).toEqual(["https://docs.example/a?b=1", "https://bare.example/", "https://img.example/x.png"]);
    expect(root.querySelectorAll("[href], [src]").length).toBe(0);
    expect(links.every((link) => link instanceof HTMLElement && link.tabIndex === 0 && link.getAttribute("role") === "link")).toBe(true);
  });

  it("names characters that cannot be seen, in prose and in code", async () => {
    shown("good\u202etxt.exe `rm\u200b\u200b -rf`\n\n```sh\necho \u2066hi\n```");
    expect([...root.querySelectorAll(".hidden-character")].map((mark) => mark.textContent)).toEqual(["U+202E", "U+200B ×2"]);
    const block = root.querySelector("tw-code-block");
    await block?.updateComplete;
    expect(block?.shadowRoot?.querySelector("pre")?.textContent).toBe("echo U+2066hi");
  });

  it("makes citations of the turn's sources, and of nothing else", () => {
    shown("As said [1] and [2], not [3], not `[1]`.", 2);
    expect([...root.querySelectorAll(".citation")].map((link) => link.textContent)).toEqual(["[1]", "[2]"]);
  });

  it("finds a link whose address is given only at the end", () => {
    const view = new MarkdownView(root);
    view.update("see [the docs][d]\n\nmore\n\n", false);
    view.update("see [the docs][d]\n\nmore\n\n[d]: https://docs.example/", true);
    expect([...root.querySelectorAll(".link")].map((link) => linkTarget(link))).toEqual(["https://docs.example/"]);
  });
});

/** Prose, lists, code, a table and a quote, as long as wanted. */
function longAnswer(characters: number): string {
  const part = "Paragraph with **bold**, `code` and [a link](https://docs.example/x).\n\n- first item\n- second item with *emphasis*\n\n  continued\n\n```js\nfunction total(items) {\n  return items.reduce((sum, item) => sum + item.price, 0);\n}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\n";
  return part.repeat(Math.ceil(characters / part.length)).slice(0, characters);
}

function structure(element: Element): string {
  return [...element.querySelectorAll("*:not(section)")].map((node) => `${node.tagName}${node.childElementCount === 0 ? `:${node.textContent}` : ""}${node.tagName === "TW-CODE-BLOCK" ? `:${(node as unknown as { code: string }).code}` : ""}`).join("\n");
}

describe("a growing answer", () => {
  it.each([3, 17, 211])("ends as the same document when it comes in pieces of %i characters", (step) => {
    const text = longAnswer(6_000);
    const view = new MarkdownView(root);
    for (let end = step; end < text.length; end += step) view.update(text.slice(0, end), false);
    view.update(text, true);
    const whole = document.createElement("div");
    new MarkdownView(whole).update(text, true);
    expect(structure(root)).toBe(structure(whole));
  });

  it("keeps finished blocks: the very same elements stay", () => {
    const view = new MarkdownView(root);
    view.update("First.\n\n```js\nconst a = 1;\n```\n\nSec", false);
    const before = [root.querySelector("p"), root.querySelector("tw-code-block")];
    view.update("First.\n\n```js\nconst a = 1;\n```\n\nSecond **bold**", false);
    view.update("First.\n\n```js\nconst a = 1;\n```\n\nSecond **bold** end.", true);
    expect([root.querySelector("p"), root.querySelector("tw-code-block")]).toEqual(before);
    expect(before[0]?.isConnected).toBe(true);
  });

  it("appends to open code without making it again", () => {
    const view = new MarkdownView(root);
    view.update("```js\nconst a", false);
    const block = root.querySelector("tw-code-block");
    view.update("```js\nconst a = 1;\nconst b = 2;", false);
    expect(root.querySelector("tw-code-block")).toBe(block);
    expect(block?.code).toBe("const a = 1;\nconst b = 2;");
    view.update("```js\nconst a = 1;\nconst b = 2;\n```\n\nDone.", true);
    expect(root.querySelector("tw-code-block")).toBe(block);
    expect(block?.open).toBe(false);
  });

  /** Milliseconds to show an answer of this length, 40 characters at a time. */
  function cost(text: string): number {
    const host = document.createElement("div");
    const view = new MarkdownView(host);
    const start = performance.now();
    for (let end = 40; end < text.length; end += 40) view.update(text.slice(0, end), false);
    view.update(text, true);
    return performance.now() - start;
  }

  it.each([
    ["mixed", longAnswer],
    ["one long list", (n: number) => "- an item of the list with some words\n".repeat(Math.ceil(n / 38)).slice(0, n)],
    ["one long block of code", (n: number) => `\`\`\`js\n${"const value = compute(1, 2, 3);\n".repeat(Math.ceil(n / 32))}`.slice(0, n)],
  ])("costs in proportion to its length (%s)", (_name, make) => {
    cost(make(5_000)); // compiled and warm
    const [short, long] = [cost(make(25_000)), cost(make(100_000))];
    // Four times the text: twice that factor leaves room for noise; rendering all again each time would cost sixteen times as much.
    expect(long).toBeLessThan(Math.max(400, short * 8));
  });

  it.each([
    ["brackets", "["], ["stars", "*a "], ["nested emphasis", "**_"], ["backticks", "`a"], ["quotes", "> "], ["links", "[a]("], ["pipes", "|"], ["list markers", "- "], ["star markers", "* "], ["angle brackets", "<a "], ["underscores", "_a_b"], ["images", "![a]("], ["entities", "&#"],
  ])("is not held up by a hundred thousand %s", (_name, piece) => {
    const line = piece.repeat(Math.ceil(7_900 / piece.length)).slice(0, 7_900);
    const text = `${line}\n${line}\n\n${piece.repeat(40_000)}`; // two lines that the parser gets whole, one that is too long for it
    const view = new MarkdownView(root);
    let longest = 0;
    for (let more = true; more; ) {
      const start = performance.now();
      more = view.update(text, true, start + 8);
      longest = Math.max(longest, performance.now() - start);
    }
    expect(longest).toBeLessThan(2000); // 82 ms on a machine at rest; the parser alone takes 3 s there for a line four times as long
  });
});
