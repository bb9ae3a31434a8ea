// The model's words are untrusted: whatever they hold, nothing runs, loads or links.
import { afterEach, describe, expect, it } from "vitest";
import { renderMarkdown } from "../../src/ui/markdown.ts";

const HOSTILE = [
  "<script>globalThis.pwned = 1</script>",
  "<img src=x onerror='globalThis.pwned = 1'>",
  "<svg/onload=globalThis.pwned=1>",
  "[click](javascript:globalThis.pwned=1)",
  "![leak](https://example.com/?secret)",
  "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
  "<a href='https://example.com'>x</a><style>body{display:none}</style>",
  "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=globalThis.pwned=1&gt;'>",
  "<details open ontoggle=globalThis.pwned=1>",
  "<form action=https://example.com><input name=x autofocus onfocus=globalThis.pwned=1></form>",
];

afterEach(() => document.body.replaceChildren());

describe("rendered markdown", () => {
  it.each(HOSTILE.map((text) => [text]))("is harmless for %s", async (text) => {
    const host = document.createElement("div");
    host.append(document.createRange().createContextualFragment(renderMarkdown(text)));
    document.body.append(host);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect("pwned" in globalThis).toBe(false);
    expect(host.querySelectorAll("script,img,svg,iframe,a,style,form,input,details,math").length).toBe(0);
    expect([...host.querySelectorAll("*")].flatMap((element) => [...element.attributes])).toEqual([]);
  });

  it("keeps what people write: emphasis, lists, code", () => {
    const html = renderMarkdown("**bold** and `code`\n\n- one\n- two\n\n```js\nconst a = 1 < 2;\n```");
    expect(html).toContain("<strong>bold</strong>");
    expect(html).toContain("<code>code</code>");
    expect(html).toContain("<li>one</li>");
    expect(html).toContain("const a = 1 &lt; 2;");
  });
});
