// Code blocks of a page as samples, in the markup of the generators that people use, and the theme of such pages.
import { afterEach, describe, expect, it } from "vitest";
import { pageTheme } from "../../src/embed/page-theme.ts";
import { readSamples } from "../../src/embed/samples.ts";

function put(markup: string): HTMLElement {
  const place = document.createElement("main");
  place.append(document.createRange().createContextualFragment(markup));
  document.body.append(place);
  return place;
}

afterEach(() => {
  document.querySelectorAll("main").forEach((place) => place.remove());
  for (const root of [document.documentElement, document.body]) {
    root.className = "";
    delete root.dataset["theme"];
    root.style.background = "";
  }
});

describe("code blocks of a page", () => {
  it("are read from plain HTML", () => {
    const place = put('<pre><code class="language-js">a();\nb();\n</code></pre><pre data-file="x.txt">text</pre>');
    expect(readSamples("pre", place)).toEqual([
      { title: "", language: "js", text: "a();\nb();\n" },
      { title: "x.txt", language: "", text: "text\n" },
    ]);
  });

  it("are read from VitePress, named by the labels of a code group", () => {
    const block = (text: string): string => `<div class="language-ts"><button class="copy"></button><span class="lang">ts</span><pre><code><span class="line">${text}</span>\n<span class="line">}</span></code></pre></div>`;
    const place = put(`<div class="vp-code-group"><div class="tabs"><label>src/a.ts</label><label>test/b.ts</label></div><div class="blocks">${block("f() {")}${block("g() {")}</div></div>`);
    expect(readSamples("div[class*='language-']", place)).toEqual([
      { title: "src/a.ts", language: "ts", text: "f() {\n}\n" },
      { title: "test/b.ts", language: "ts", text: "g() {\n}\n" },
    ]);
  });

  it("are read from Docusaurus, whose lines end in <br>", () => {
    const place = put('<div class="language-jsx codeBlockContainer_x"><div class="codeBlockTitle_y">src/App.js</div><div><pre class="prism-code language-jsx"><code><span class="token-line">one<br></span><span class="token-line">two<br></span></code></pre></div></div>');
    expect(readSamples(".codeBlockContainer_x", place)).toEqual([{ title: "src/App.js", language: "jsx", text: "one\ntwo\n" }]);
  });

  it("are read from Starlight, whose lines are <div>s", () => {
    const place = put('<figure><figcaption class="header"><span class="title">astro.config.mjs</span></figcaption><pre data-language="js"><code><div class="ec-line"><div class="code">one</div></div><div class="ec-line"><div class="code">two</div></div></code></pre></figure>');
    expect(readSamples("figure", place)).toEqual([{ title: "astro.config.mjs", language: "js", text: "one\ntwo\n" }]);
  });

  it("are looked for beside the widget first, then on the whole page", () => {
    put("<pre>far</pre>");
    const near = put("<pre>near</pre>");
    const empty = put("<p></p>");
    expect(readSamples("pre", near).map(({ text }) => text)).toEqual(["near\n"]);
    expect(readSamples("pre", empty).map(({ text }) => text)).toEqual(["far\n", "near\n"]);
  });

  it("keep what looks like markup as the text it is", () => {
    const place = put("<pre><code>&lt;img src=x onerror=alert(1)&gt;</code></pre>");
    expect(readSamples("pre", place)[0]?.text).toBe("<img src=x onerror=alert(1)>\n");
  });
});

describe("the theme of the host's page", () => {
  it("is what the generators' marks say", () => {
    document.documentElement.dataset["theme"] = "dark"; // Docusaurus, Starlight
    expect(pageTheme()).toBe("dark");
    document.documentElement.dataset["theme"] = "light";
    expect(pageTheme()).toBe("light");
    delete document.documentElement.dataset["theme"];
    document.documentElement.className = "dark"; // VitePress, Tailwind
    expect(pageTheme()).toBe("dark");
  });

  it("is else what is painted, whatever the system prefers", () => {
    document.body.style.background = "#101014";
    expect(pageTheme()).toBe("dark");
    document.body.style.background = "#fafafa";
    expect(pageTheme()).toBe("light");
  });
});
